"""Readers that others wrote accept our log and refuse a tampered one: Go's x/mod, npm's @sigstore/verify, PyPI's tlog-scales.

Each runs once, over every case. Without its tool or library a user's run skips; under CI=true it fails.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from base64 import b64decode, b64encode
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from broker.client.connection import Connection
from broker.client.mirror import mirror
from broker.keys import LogKey, RequestKey, public_set
from broker.keys.material import from_seed
from broker.ledger import Checkpoint, sign_checkpoint
from broker.ledger.tiles import bundle, bundles_between, hashes, tiles_between
from broker.ledger.tlogproof import tlog_proof
from broker.record import event
from tests.ledger.conftest import ORIGIN, Signed, log_of
from tests.simulator import SIAPKERJA, URL

if TYPE_CHECKING:
    from collections.abc import Callable

    from broker.keys import LogPublic
    from tests.simulator import Town

READERS = Path(__file__).parent / "readers"
NODE = Path(sys.prefix) / "node-readers"
GO = Path("/usr/share/gocode")  # where Debian keeps Go's libraries
SIZE, OLD = 70_000, 66_000
RECORDS = (0, 130, 255, 256, 65_535, 65_536, SIZE - 1)
Case = dict[str, Any]


def vkey(name: str, key: LogPublic) -> str:
    raw = b"\1" + key.raw
    kid = hashlib.sha256(f"{name}\n".encode() + raw).hexdigest()[:8]
    return f"{name}+{kid}+{b64encode(raw).decode()}"


def texts(found: list[bytes]) -> list[str]:
    return [b64encode(h).decode() for h in found]


@dataclass
class Copy:
    """A copy of a log on disk, and the case that is about it."""

    folder: Path
    case: Case

    def write(self, name: str, change: Callable[[bytes], bytes]) -> None:
        path = self.folder / name
        data = change(path.read_bytes())
        path.unlink()  # the file is also another copy's
        path.write_bytes(data)

    def other(self, folder: Path) -> Copy:
        shutil.copytree(self.folder, folder, copy_function=os.link)
        return Copy(folder, json.loads(json.dumps(self.case)) | {"Folder": str(folder)})


def copied(signed: Signed, folder: Path, size: int, old: int, indices: tuple[int, ...]) -> Copy:
    tree, note = signed.tree(size), signed.note(size)
    files = {tile.path: hashes(tree, tile) for tile in tiles_between(0, size)}
    files |= {tile.path: bundle(signed.entries[tile.index * 256 : tile.end]) for tile in bundles_between(0, size)}
    for name, data in {**files, "checkpoint": note.encode()}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    records = [
        {"Index": i, "Entry": b64encode(signed.entries[i]).decode(), "Path": texts(tree.inclusion(i, size)), "Proof": tlog_proof(i, tree.inclusion(i, size), note)} for i in indices
    ]
    case = {"Vkey": vkey(ORIGIN, signed.key.public), "Folder": str(folder), "Old": signed.note(old), "Consistency": texts(tree.consistency(old, size)), "Records": records}
    return Copy(folder, case)


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def flipped_text(text: str, at: int = 0) -> str:
    return b64encode(flipped(b64decode(text), at)).decode()


def signed_again(copy: Copy, key: LogKey, **other: Any) -> None:
    """A checkpoint of the right form under the right key that says something else."""
    said = Checkpoint(ORIGIN, SIZE, b64decode((copy.folder / "checkpoint").read_text().split("\n")[2]))
    copy.write("checkpoint", lambda _: sign_checkpoint(replace(said, **other), key).encode())


def record(copy: Copy, index: int) -> dict[str, Any]:
    return next(r for r in copy.case["Records"] if r["Index"] == index)


ALL, TILES, TEXT = ("go", "npm", "pypi"), ("go", "pypi"), ("go",)
# what is changed, and which readers look at it
TAMPERED: dict[str, tuple[tuple[str, ...], Callable[[Copy, Signed], object]]] = {
    "root": (ALL, lambda c, _: c.write("checkpoint", lambda d: d.replace(d.split(b"\n")[2], b64encode(bytes(32))))),
    "root, signed": (ALL, lambda c, s: signed_again(c, s.key, root=bytes(32))),
    "size": (ALL, lambda c, _: c.write("checkpoint", lambda d: d.replace(b"\n70000\n", b"\n70001\n"))),
    "size, signed": (ALL, lambda c, s: signed_again(c, s.key, size=SIZE + 1)),
    "smaller size, signed": (ALL, lambda c, s: signed_again(c, s.key, size=65_535)),
    "origin": (ALL, lambda c, _: c.write("checkpoint", lambda d: d.replace(b"nk-uji", b"nk-lain", 1))),
    "signature": (ALL, lambda c, _: c.write("checkpoint", lambda d: d[:-20] + (b"B" if d[-20:-19] == b"A" else b"A") + d[-19:])),
    "no signature": (ALL, lambda c, _: c.write("checkpoint", lambda d: d.split(b"\n\n")[0] + b"\n\n")),
    "another key": (ALL, lambda c, _: c.case.update(Vkey=vkey(ORIGIN, from_seed("log", bytes(32)).public))),  # type: ignore[arg-type]
    "another name": (ALL, lambda c, s: c.case.update(Vkey=vkey("sinergi/nk-lain-2025", s.key.public))),
    "a hash of an inclusion proof": (ALL, lambda c, _: record(c, 130)["Path"].__setitem__(3, flipped_text(record(c, 130)["Path"][3]))),
    "an inclusion proof cut short": (ALL, lambda c, _: record(c, 130)["Path"].pop()),
    "an inclusion proof too long": (ALL, lambda c, _: record(c, 130)["Path"].append(b64encode(bytes(32)).decode())),
    "an index": (ALL, lambda c, _: record(c, 130).update(Index=131)),
    "an index beyond the log": (ALL, lambda c, _: record(c, 130).update(Index=SIZE)),
    "an entry as told": (("npm",), lambda c, _: record(c, 130).update(Entry=flipped_text(record(c, 130)["Entry"]))),
    "an entry in its bundle": (TILES, lambda c, _: c.write("tile/entries/000", lambda d: d.replace(b'"entry":130}', b'"entry":931}'))),
    "a length in a bundle": (TILES, lambda c, _: c.write("tile/entries/000", lambda d: flipped(d, 1))),
    "a tile of leaves": (TILES, lambda c, _: c.write("tile/0/000", lambda d: flipped(d, 131 * 32))),
    "a partial tile of leaves": (TILES, lambda c, _: c.write("tile/0/273.p/112", lambda d: flipped(d, 110 * 32))),
    "a tile above": (TILES, lambda c, _: c.write("tile/1/000", lambda d: flipped(d, 32))),
    "a partial tile above": (TILES, lambda c, _: c.write("tile/1/001.p/17", lambda d: flipped(d, 32))),
    "the highest tile": (TILES, lambda c, _: c.write("tile/2/000.p/1", lambda d: flipped(d, 0))),
    "a tile is gone": (TILES, lambda c, _: (c.folder / "tile/0/000").unlink()),
    "a hash of the consistency proof": (TILES, lambda c, _: c.case["Consistency"].__setitem__(1, flipped_text(c.case["Consistency"][1]))),
    "the consistency proof cut short": (TILES, lambda c, _: c.case["Consistency"].pop()),
    "the earlier checkpoint's root, signed": (TILES, lambda c, s: c.case.update(Old=sign_checkpoint(Checkpoint(ORIGIN, OLD, bytes(32)), s.key))),
    "the earlier checkpoint's size, signed": (TILES, lambda c, s: c.case.update(Old=sign_checkpoint(Checkpoint(ORIGIN, OLD + 1, s.tree(OLD).root()), s.key))),
    "the earlier checkpoint's key": (TILES, lambda c, s: c.case.update(Old=sign_checkpoint(Checkpoint(ORIGIN, OLD, s.tree(OLD).root()), from_seed("log", bytes(32))))),  # type: ignore[arg-type]
    "a tlog-proof's index": (TEXT, lambda c, _: record(c, 130).update(Proof=record(c, 130)["Proof"].replace("index 130", "index 131"))),
    "a tlog-proof's hash": (TEXT, lambda c, _: record(c, 130).update(Proof=record(c, 130)["Proof"].replace(record(c, 130)["Path"][0], b64encode(bytes(32)).decode()))),
    "a tlog-proof's checkpoint": (TEXT, lambda c, s: record(c, 130).update(Proof=record(c, 130)["Proof"].replace(s.note(SIZE), s.note(OLD)))),
}  # fmt: skip


def absent(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def reader_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[str]]:
    """The command that runs a reader."""
    folder = tmp_path_factory.mktemp("go")

    def command(name: str) -> list[str]:
        if name == "npm":
            node = shutil.which("node")
            if node is None or not (NODE / "node_modules" / "@sigstore" / "verify").is_dir():
                absent("needs node, and @sigstore/verify as .ci/run installs it")
            return [str(node), str(READERS / "reader.mjs"), str(NODE)]
        if name == "pypi":
            if importlib.util.find_spec("tlog_scales") is None:
                absent("needs tlog-scales of the development requirements")
            return [sys.executable, str(READERS / "reader.py")]
        go = shutil.which("go")
        if go is None or not (GO / "src/golang.org/x/mod").is_dir():
            absent("needs go and golang.org/x/mod as .ci/run installs them")
        if not (folder / "reader").exists():
            settings = {"GO111MODULE": "off", "GOPATH": str(GO), "GOCACHE": str(folder / "cache"), "GOFLAGS": "", "CGO_ENABLED": "0"}
            subprocess.run([str(go), "build", "-o", str(folder / "reader"), str(READERS / "reader.go")], check=True, env=os.environ | settings)
        return [str(folder / "reader")]

    return command


def judged(command: list[str], cases: list[Case]) -> list[str]:
    asked = "".join(json.dumps(case) + "\n" for case in cases)
    answers = subprocess.run(command, input=asked, capture_output=True, check=True, text=True).stdout.splitlines()
    assert len(answers) == len(cases)
    return answers


@pytest.fixture(scope="session")
def copies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Copy]:
    """The log as it is under '', and each of its tampered copies."""
    signed, folder = log_of(SIZE), tmp_path_factory.mktemp("salinan")
    good = copied(signed, folder / "asli", SIZE, OLD, RECORDS)
    found = {"": good}
    for number, (name, (_, change)) in enumerate(TAMPERED.items()):
        found[name] = good.other(folder / str(number))
        change(found[name], signed)
    return found


@pytest.mark.parametrize("name", ALL)
def test_a_reader_accepts_our_log_and_refuses_every_tampered_one(name: str, reader_of: Callable[[str], list[str]], copies: dict[str, Copy]) -> None:
    seen = ["", *(what for what, (readers, _) in TAMPERED.items() if name in readers)]
    answers = dict(zip(seen, judged(reader_of(name), [copies[what].case for what in seen]), strict=True))
    assert answers.pop("") == "ok"
    assert [what for what, answer in answers.items() if answer == "ok"] == []
    assert len(answers) >= 15


@pytest.mark.parametrize("name", ALL)
def test_a_reader_accepts_our_smallest_logs(name: str, reader_of: Callable[[str], list[str]], tmp_path: Path) -> None:
    sizes = [(1, 1), (2, 1), (2, 2), (3, 2), (255, 254), (256, 255), (256, 256), (257, 1), (257, 256), (512, 300)]
    signed = log_of(512)
    cases = [copied(signed, tmp_path / f"{size}-{old}", size, old, (0, size // 2, size - 1)).case for size, old in sizes]
    assert judged(reader_of(name), cases) == ["ok"] * len(cases)


def test_go_verifies_a_copy_of_a_real_brokers_log(town: Town, reader_of: Callable[[str], list[str]], tmp_path: Path) -> None:
    """Fetched over HTTP by a party's key; with the proofs that the API gives, and the checkpoint that the party held before."""
    log = "nk-sijunjung-2025"
    command = reader_of("go")
    key = town.office.rings[log].get(LogKey, "log").public
    name, entry = town.exchange(town.csv(town.rows()))
    with town.office.ledger.writing() as book:
        for _ in range(300):
            book.append(log, event("refusal", town.now))
    with town.http() as http:
        to = Connection(URL, town.province.ring(SIAPKERJA).get(RequestKey, "request"), lambda: town.now, http)
        size = mirror(to, log, public_set("broker", town.office.rings), tmp_path / "salinan").after
        proof = to.get(f"/v1/exchanges/{name}/proof")
        record = {"Index": proof["index"], "Path": proof["inclusion"], "Proof": to.text(f"/v1/exchanges/{name}/tlog-proof")}
        consistency = to.get(f"/v1/logs/{log}/consistency?from={entry.size}&to={size}")["proof"]
    case = {"Vkey": vkey(f"sinergi/{log}", key), "Folder": str(tmp_path / "salinan"), "Old": entry.checkpoint, "Consistency": consistency, "Records": [record]}
    assert judged(command, [case, case | {"Records": [record | {"Index": 0}]}])[0] == "ok"
