"""What the tests of envelopes share: a core header, keys, and opening a whole envelope."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from broker.envelope import open_envelope, seal
from broker.envelope.seal import EXTRA
from broker.keys import KemKey, KemX25519Key

if TYPE_CHECKING:
    from broker.keys import AnyKemKey, AnyKemPublic

CORE: dict[str, str | int] = {
    "agreement": "nk-sijunjung-2025", "content_type": "application/x-ndjson", "created": "2026-11-21T03:00:00.000Z", "dataset": "pencari_kerja", "exchange": "00" * 16,
    "kind": "pengungkapan", "purpose": "perencanaan", "recipient": "siapkerja@kemnaker", "sender": "sijoker@sijunjung", "template": "1.0.0", "v": 1,
}  # fmt: skip
SALT_KEY = bytes(range(32))
CHUNK = 16_384  # plaintext bytes of a whole chunk
START = 24 + 32  # of chunk 0: the stream's salt and commitment are before it
HYBRID, CURVE = KemKey(b"\1" * 32), KemX25519Key(b"\2" * 32)
KEYS = (HYBRID, CURVE)


def sealed(data: bytes, *keys: AnyKemPublic, **changed: str) -> bytes:
    core = {**CORE, **changed}
    sealer = seal(core, keys or [HYBRID.public], SALT_KEY[: EXTRA[str(core["kind"])]])
    return sealer.header.prefix + sealer.update(data) + sealer.finish()


def opened(envelope: bytes, key: AnyKemKey = HYBRID, piece: int = -1) -> bytes:
    """The plaintext, read `piece` bytes at a time. NotOpened as soon as anything is wrong."""
    source = io.BytesIO(envelope)
    opener = open_envelope(source, key)
    found = b""
    while data := source.read(piece):
        found += opener.update(data)
    return found + opener.finish()


def split(envelope: bytes) -> tuple[bytes, bytes]:
    """Header and stream, without magic and length."""
    end = 8 + int.from_bytes(envelope[4:8], "big")
    return envelope[8:end], envelope[end:]


def joined(header: bytes, stream: bytes) -> bytes:
    return b"SNG1" + len(header).to_bytes(4, "big") + header + stream
