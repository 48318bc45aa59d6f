"""The bench `seal`: sealing and opening one payload, beside raw AES-256-GCM, age and JWE in the same run; and its memory. See docs/benchmarks.md."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import joserfc.jwe
import pyrage
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from joserfc.jwk import OKPKey

from broker.envelope import open_envelope, seal
from broker.keys import KemKey
from scripts.benchmarks.usage import peak_mb, reference_us

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MB: Final = 1_000_000
PIECE: Final = 256 << 10  # bytes at a time, as the client and the exchange read
TAG: Final = 16
SMALL: Final = 1_024  # bytes of the small payload
KEY: Final = KemKey(bytes(range(32)))
CORE: Final[dict[str, str | int]] = {
    "agreement": "nk-sijunjung-2025", "content_type": "text/csv", "created": "2026-11-21T03:00:00.000Z", "dataset": "pencari_kerja", "exchange": "00" * 16,
    "kind": "kiriman", "purpose": "perencanaan", "recipient": "siapkerja@kemnaker", "sender": "sijoker@sijunjung", "template": "1.0.0", "v": 1,
}  # fmt: skip
JWE_HEADER: Final = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM"}


def main(arguments: list[str]) -> int:
    asked = _arguments(arguments)
    if asked.stream_only:
        print(json.dumps(streamed(asked.stream_mb, asked.cache)))
        return 0
    result = measure(asked)
    if asked.json:
        print(json.dumps(result))
    else:
        print("\n".join(f"{name:<24}{value}" for name, value in result.items()))
    return 0


def _arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench seal", description="Sealing and opening beside raw AES-256-GCM, age and JWE. See docs/benchmarks.md.")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    parser.add_argument("--mb", type=int, default=100, help="MB of the payload that is timed")
    parser.add_argument("--stream-mb", type=int, default=400, help="MB of the payload whose memory is measured; 2000 needs 2 GB of disk")
    parser.add_argument("--stream-only", action="store_true", help="only the memory, in this process")
    parser.add_argument("--rounds", type=int, default=5, help="of each side by turns; the best counts")
    parser.add_argument("--cache", type=Path, help="folder for the sealed file, deleted afterwards; by default the system's for temporary files")
    return parser.parse_args(arguments)


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    data = os.urandom(asked.mb * MB)
    sides = {"": ours(data), "raw_aes": raw_aes(data), "pyrage": age(data), "pyrage_io": age_stream(data), "jwe": jwe(data)}
    best = {name: [float("inf")] * 2 for name in sides}
    for _ in range(asked.rounds):
        for name, ways in sides.items():
            best[name] = [min(known, cpu_s(way)) for known, way in zip(best[name], ways, strict=True)]
    best["pyrage"] = [min(both) for both in zip(best["pyrage"], best.pop("pyrage_io"), strict=True)]
    rates = {name: [asked.mb / seconds for seconds in both] for name, both in best.items()}
    mine = rates.pop("")
    result: dict[str, Any] = {"bench": "seal", "mb": asked.mb, "seal_mb_per_s": round(mine[0]), "open_mb_per_s": round(mine[1])}
    result |= {f"{name}_{way}_mb_per_s": round(rate) for name, both in rates.items() for way, rate in zip(("seal", "open"), both, strict=True)}
    result |= {f"ratio_{name}": round(mine[0] / both[0], 3) for name, both in rates.items()}
    result |= {f"ratio_open_{name}": round(mine[1] / both[1], 3) for name, both in rates.items()}
    small = [min(cpu_s(way, 200) for _ in range(asked.rounds)) / 200 * 1e6 for way in ours(data[:SMALL])]
    result |= {"seal_1kib_us": round(small[0], 1), "open_1kib_us": round(small[1], 1)}
    command = [sys.executable, "-m", "scripts.benchmarks", "seal", "--stream-only", "--stream-mb", str(asked.stream_mb), *(["--cache", str(asked.cache)] if asked.cache else [])]
    result |= json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return result | {"reference_sha256_us": round(reference_us(), 3)}


def cpu_s(way: Callable[[], object], times: int = 1) -> float:
    start = time.process_time()
    for _ in range(times):
        way()
    return time.process_time() - start


# --- the sides: how each seals, and opens what it sealed
Ways = tuple["Callable[[], object]", "Callable[[], object]"]


def ours(data: bytes) -> Ways:
    pieces = _pieces(data)

    def sealing() -> Iterator[bytes]:
        sealer = seal(CORE, [KEY.public])
        yield sealer.header.prefix
        for piece in pieces:
            yield sealer.update(piece)
        yield sealer.finish()

    def through() -> None:
        for _ in sealing():
            pass

    sealed = b"".join(sealing())

    def opening() -> None:
        source = BytesIO(sealed)
        opener = open_envelope(source, KEY)
        while piece := source.read(PIECE):
            opener.update(piece)
        opener.finish()

    opening()
    return through, opening


def raw_aes(data: bytes) -> Ways:
    """AES-256-GCM alone, into a buffer that is used over and over: nothing but the cipher."""
    cipher, pieces, buffer = AESGCM(bytes(32)), _pieces(data), bytearray(PIECE + TAG)
    view = memoryview(buffer)
    sealed = [cipher.encrypt(_nonce(i), piece, None) for i, piece in enumerate(pieces)]

    def sealing() -> None:
        for i, piece in enumerate(pieces):
            cipher.encrypt_into(_nonce(i), piece, None, view[: len(piece) + TAG])

    def opening() -> None:
        for i, piece in enumerate(sealed):
            cipher.decrypt_into(_nonce(i), piece, None, view[: len(piece) - TAG])

    return sealing, opening


def age(data: bytes) -> Ways:
    """The age of pyrage (Rust), X25519, the whole payload in one call."""
    key = pyrage.x25519.Identity.generate()
    sealed = pyrage.encrypt(data, [key.to_public()])
    return lambda: pyrage.encrypt(data, [key.to_public()]), lambda: pyrage.decrypt(sealed, [key])


def age_stream(data: bytes) -> Ways:
    """The same from file to file, in memory."""
    key = pyrage.x25519.Identity.generate()
    sealed = pyrage.encrypt(data, [key.to_public()])
    return lambda: pyrage.encrypt_io(BytesIO(data), BytesIO(), [key.to_public()]), lambda: pyrage.decrypt_io(BytesIO(sealed), BytesIO(), [key])


def jwe(data: bytes) -> Ways:
    """joserfc, compact, X25519. It refuses more than 64 KiB unless told otherwise, and writes into the header it is given."""
    key, registry = OKPKey.generate_key("X25519"), joserfc.jwe.JWERegistry(algorithms=list(JWE_HEADER.values()))
    registry.max_ciphertext_length = 2 * len(data) + SMALL

    def sealing() -> str:
        return joserfc.jwe.encrypt_compact(dict(JWE_HEADER), data, key, registry=registry)

    sealed = sealing()
    return sealing, lambda: joserfc.jwe.decrypt_compact(sealed, key, registry=registry)


def _pieces(data: bytes) -> list[bytes]:
    return [data[at : at + PIECE] for at in range(0, len(data), PIECE)]


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


# --- memory
def streamed(megabytes: int, cache: Path | None) -> dict[str, Any]:
    """Peak memory of sealing so many MB into a file and of opening it, over that of 4 MB, in this process."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir=cache) as work:
        path = Path(work) / "envelope.sng"
        _through(path, 4)
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak counts from here: what imports needed is no part of it
        start, found = peak_mb(), _through(path, megabytes)
    growth = {f"{way}_growth_mb": round(peak - start, 2) for way, peak in found.items()}
    return {"stream_mb": megabytes, "stream_peak_rss_mb": round(peak_mb(), 1)} | growth


def _through(path: Path, megabytes: int) -> dict[str, float]:
    """Seals and opens `megabytes` MB by way of `path`; the process's peak after each."""
    piece, count = os.urandom(MB // 4), 4 * megabytes
    before, after = hashlib.sha256(), hashlib.sha256()
    with path.open("wb") as out:
        sealer = seal(CORE, [KEY.public])
        out.write(sealer.header.prefix)
        for number in range(count):
            data = number.to_bytes(8, "big") + piece[8:]
            before.update(data)
            out.write(sealer.update(data))
        out.write(sealer.finish())
    found = {"seal": peak_mb()}
    with path.open("rb") as source:
        opener = open_envelope(source, KEY)
        while data := source.read(PIECE):
            after.update(opener.update(data))
        after.update(opener.finish())
    if before.digest() != after.digest():
        raise SystemExit("what was opened is not what was sealed")
    return found | {"open": peak_mb()}
