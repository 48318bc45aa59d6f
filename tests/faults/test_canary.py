"""Nothing personal stays behind: a whole day's exchanges between real programs, then every byte they left is searched for the people in it."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import zipfile
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx2
import numpy as np
import pytest

from broker.client import Client
from broker.contract import load_codelists, load_contracts
from broker.errors import ClientError
from broker.keys import read_public_set
from broker.sample import rows as synthetic
from broker.sample import write
from broker.settings import UNLOCK_VARIABLE, shipped_policies
from broker.store import Database
from scripts.benchmarks.world import enrol_directly

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT: Final = Path(__file__).resolve().parents[2]
SIJOKER, SIAPKERJA = "sijoker@sijunjung", "siapkerja@kemnaker"
AGREEMENT: Final = "nk-sijunjung-2025"
ASKED: Final = ("--agreement", AGREEMENT, "--to", SIAPKERJA, "--purpose", "perencanaan")
GOOD: Final = ["baik.csv", "baik.xlsx", "salah_tempat.csv", "baris_rusak.csv"]
HEAD: Final = 8
GROUPING: Final = re.compile(rb"[ .\-/()\t]")
PERSONAL: Final = frozenset({"nik", "kk", "phone", "email", "name", "address", "passport", "account", "npwp"})


COMMANDS: Final = """
import json, sys
from broker.cli import main
for words in json.loads(sys.argv[1]):
    sys.argv = ["broker", *words]
    try:
        main()
        code = 0
    except SystemExit as ended:
        code = ended.code or 0
    print("status", code, flush=True)
"""


def forms(value: str) -> set[bytes]:
    """How `value` could stand in a file: as text, in UTF-16, in base64 at each alignment, in hex, and backwards."""
    found = {value.encode(), value.upper().encode(), value.lower().encode(), value.encode("utf-16-le"), value.encode("utf-16-be"), value[::-1].encode()}
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + value.encode())
        start, cut = (0, 2, 3)[shift], (len(value.encode()) + shift) % 3
        found.add(encoded[start : len(encoded) - (4 if cut else 0)])
    return found | {value.encode().hex().encode(), value.encode().hex().upper().encode()}


class Needles:
    """Byte strings of at least eight bytes, looked for all at once by their first eight."""

    def __init__(self, needles: Iterable[bytes]) -> None:
        self._by_head: dict[int, list[bytes]] = {}
        for needle in needles:
            self._by_head.setdefault(int.from_bytes(needle[:HEAD], "little"), []).append(needle)
        self._heads = np.array(sorted(self._by_head), np.uint64)

    def within(self, data: bytes) -> bool:
        for shift in range(min(HEAD, max(0, len(data) - HEAD + 1))):
            words = np.frombuffer(data, "<u8", (len(data) - shift) // HEAD, shift)
            places = np.searchsorted(self._heads, words).clip(max=len(self._heads) - 1)
            for at in np.flatnonzero(self._heads[places] == words).tolist():
                if any(data.startswith(needle, at * HEAD + shift) for needle in self._by_head[int(words[at])]):
                    return True
        return False


class Search:
    """All forms of all canaries, looked for in files and captured texts. It tells places, never the value."""

    def __init__(self, values: Iterable[str]) -> None:
        wanted = [v for v in values if len(v) >= HEAD]
        self._whole = Needles({form for v in wanted for form in forms(v)})
        # Digits in groups: the groups are joined on both sides, so `3275 0190 …` and `3275.0190.…` are one.
        self._bare = Needles({GROUPING.sub(b"", v.encode()) for v in wanted if sum(c.isdigit() for c in v) > HEAD})

    def hits(self, data: bytes) -> bool:
        return self._whole.within(data) or self._bare.within(GROUPING.sub(b"", data)) or any(self.hits(part) for part in _unpacked(data))

    def files(self, *folders: Path) -> list[str]:
        return [str(p) for folder in folders for p in sorted(folder.rglob("*")) if p.is_file() and (self.hits(p.read_bytes()) or self.hits(p.name.encode()))]


def _unpacked(data: bytes) -> Iterator[bytes]:
    """The members of a workbook that lies in `data` as it is."""
    at = data.find(b"PK\3\4")
    if at >= 0:
        try:
            with zipfile.ZipFile(io.BytesIO(data[at:])) as archive:
                yield from (archive.read(name) for name in archive.namelist())
        except zipfile.BadZipFile:
            return


@dataclass
class World:
    """Homes of the broker and both parties, the sender's own files, and everything the programs printed."""

    folder: Path
    url: str = ""
    printed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.home, self.tmp, self.source = (self.folder / n for n in ("broker", "tmp", "sumber"))
        for folder in (self.tmp, self.source):
            folder.mkdir()

    def party(self, system: str) -> Path:
        return self.folder / system

    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if k == UNLOCK_VARIABLE or not k.startswith(("BROKER", "SINERGI"))}
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        return kept | {"TMPDIR": str(self.tmp), "HOME": str(self.tmp), "POLARS_MAX_THREADS": "2", "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}

    def run(self, *commands: tuple[str, ...]) -> list[int]:
        """`broker` commands one after another in a process of their own: their exit statuses. What they print is kept for the search."""
        done = subprocess.run(
            [sys.executable, "-c", COMMANDS, json.dumps(commands)], cwd=self.tmp, env=self.environment(), capture_output=True, text=True, check=True, timeout=120
        )
        self.printed.append(done.stdout + done.stderr)
        return [int(word) for word in re.findall(r"^status (\d+)$", done.stdout, re.MULTILINE)]

    def health(self) -> None:
        with Client.at(self.party(SIJOKER)) as client:
            client.health()

    def serve(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "broker", "serve", "--home", str(self.home), "--port", self.url.rpartition(":")[2]]
        log = (self.folder / "serve.log").open("ab")
        process = subprocess.Popen(command, cwd=self.tmp, env=self.environment(), stdout=log, stderr=log)  # the descriptors: a Rust panic passes logging by
        log.close()
        until = time.monotonic() + 60
        while time.monotonic() < until:
            assert process.poll() is None, (self.folder / "serve.log").read_text()[-600:]
            try:
                self.health()
            except (httpx2.TransportError, ClientError):
                time.sleep(0.1)
            else:
                return process
        process.kill()
        raise AssertionError("serve does not answer")


def enrolled(folder: Path) -> World:
    world = World(folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        world.url = f"http://127.0.0.1:{free.getsockname()[1]}"
    assert world.run(("init", "--home", str(world.home))) == [0]
    assert world.run(*(("keys", "new", "--system", system, "--url", world.url, "--home", str(world.party(system))) for system in (SIJOKER, SIAPKERJA))) == [0, 0]

    def notice(path: Path) -> tuple[str, ...]:
        return (str(path), "--fingerprint", read_public_set(path.read_bytes()).fingerprint, "--home")

    for system in (SIJOKER, SIAPKERJA):
        own, public = world.party(system) / f"{system}.json", world.home / "public.json"
        assert world.run(("keys", "trust", *notice(public), str(world.party(system)))) == [0]
        with closing(Database(world.home / "ledger.db")) as database, database.write() as tx:
            enrol_directly(tx, read_public_set(own.read_bytes()), datetime.now(UTC))
    return world


def files(folder: Path, today: date) -> tuple[dict[str, Path], set[str]]:
    """What the officer sends, good and bad, and every personal value in it."""
    policies = shipped_policies()
    contract, codes = load_contracts(policies / "datasets")["pencari_kerja"], load_codelists(policies / "codes")
    names = contract.names
    at = {name: i for i, name in enumerate(names)}
    made = list(synthetic("pencari_kerja", 60, 77, today, party="sijunjung", agreement=AGREEMENT, contract=contract, codes=codes))
    for n, row in enumerate(made):
        row[at["nama_lengkap"]] = f"Kenarianti Palsuwati {'ABCDEFGHIJ'[n % 10]}{'KLMNOPQRST'[n // 10]}"
        row[at["alamat"]] = f"Jl. Burung Kenari Nomor {9000 + n} RT 09"
        row[at["email"]] = f"kenari.{9000 + n}@example.com"
        row[at["no_hp"]] = f"+62812999{90000 + n}"
    values = {row[i] for row in made for i, c in enumerate(contract.columns) if c.kind in PERSONAL and row[i]}
    person = made[0]
    nik = person[at["nik"]]
    misplaced = [list(r) for r in made]
    misplaced[1][at["jurusan"]] = f"NIK {nik[:4]} {nik[4:8]} {nik[8:12]} {nik[12:]}"
    misplaced[2][at["pengalaman_kerja_ringkas"] if "pengalaman_kerja_ringkas" in at else at["jurusan"]] = f"hub. {person[at['no_hp']]}"
    broken = [list(r) for r in made]
    broken[3][at["nik"]] = nik[:15]
    broken[4][at["tanggal_lahir"]] = nik
    broken[5][at["kode_wilayah"]] = person[at["nama_lengkap"]]

    def text(name: str, rows: list[list[str]], header: Iterable[str] = names, raw: bytes = b"") -> Path:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerows([list(header), *rows])
        path = folder / name
        path.write_bytes(out.getvalue().encode() + raw)
        return path

    write(folder / "baik.xlsx", contract, iter(made))
    row_text = ",".join(person)
    found = {
        "baik.csv": text("baik.csv", made),
        "baik.xlsx": folder / "baik.xlsx",
        "salah_tempat.csv": text("salah_tempat.csv", misplaced),
        "baris_rusak.csv": text("baris_rusak.csv", broken),
        "semua_rusak.csv": text("semua_rusak.csv", [[person[at["nama_lengkap"]]] * len(names)] * 5),
        "tanpa_judul.csv": text("tanpa_judul.csv", made[1:], header=person),
        "kolom_asing.csv": text("kolom_asing.csv", [], header=[*names, nik]),
        "kutip.csv": text("kutip.csv", made[:2], raw=f'"{row_text}\n'.encode()),
        "pendek.csv": text("pendek.csv", made[:2], raw=f"{nik},{person[at['nama_lengkap']]}\n".encode()),
        "pengodean.csv": text("pengodean.csv", made[:2], raw=row_text.encode() + b"\xff\n"),
    }
    for name, data in (("bukan.xlsx", row_text.encode()), ("bukan.parquet", b"PAR1" + row_text.encode() + b"PAR1"), ("rusak.ndjson", f'{{"nik": "{nik}", "x": {nik}}}\n'.encode())):
        (folder / name).write_bytes(data)
        found[name] = folder / name
    return found, values


def test_no_personal_value_stays_anywhere(tmp_path: Path) -> None:
    world = enrolled(tmp_path)
    sent, values = files(world.source, datetime.now(UTC).date())
    search = Search(values)
    assert len(values) > 200
    sender, recipient = (("--home", str(world.party(s))) for s in (SIJOKER, SIAPKERJA))
    served = world.serve()
    try:
        sends = [("send", str(path), *ASKED, "--dataset", "pencari_kerja", *sender) for path in sent.values()]
        statuses = world.run(*sends, ("send", str(sent["baik.csv"]), *ASKED, "--dataset", "wlkp", *sender))
        assert [name for name, status in zip(sent, statuses, strict=False) if status == 0] == GOOD
        assert len(statuses) == len(sends) + 1
        assert statuses[-1] != 0
        assert search.files(world.home, world.tmp, world.party(SIJOKER)) == []  # while it serves: -wal and -shm are there
        assert (world.home / "ledger.db-wal").exists()
        assert world.run(("receive", *recipient)) == [0]
        assert world.run(("receive", *sender), ("doctor", *sender)) == [0, 0]
        served.send_signal(signal.SIGKILL)  # an exchange may be left half done: that too must hold nothing
        served.wait()
        served = world.serve()
        exchanges = [path.name for path in (world.party(SIAPKERJA) / "inbox").iterdir()]
        assert world.run(*(("verify", name, *recipient) for name in exchanges)) == [0] * len(GOOD)
    finally:
        served.send_signal(signal.SIGINT)
        served.wait(30)
    assert search.files(world.home, world.tmp, world.party(SIJOKER), world.party(SIAPKERJA)) == []
    assert not search.hits("\n".join(world.printed).encode())
    assert not search.hits((world.folder / "serve.log").read_bytes())
    assert len(search.files(world.source)) >= len(sent) - 1  # it does find them where they are; the header-only file holds one too


@pytest.mark.parametrize("shape", [
    lambda v: v.encode(), lambda v: b"x" + v.encode("utf-16-le"), lambda v: v.encode("utf-16-be"), lambda v: b"\0ab" + base64.b64encode(b"{" + v.encode() + b"}"),
    lambda v: base64.b64encode(b"12" + v.encode() + b"..."), lambda v: v.encode().hex().encode(), lambda v: v[::-1].encode(), lambda v: v.lower().encode(),
])  # fmt: skip
def test_the_search_finds_what_is_planted(tmp_path: Path, shape: object) -> None:
    assert callable(shape)
    for value in ("1303011509900001", "Kenarianti Palsuwati AK", "kenari.9001@example.com", "Jl. Burung Kenari Nomor 9001 RT 09"):
        (tmp_path / "ledger.db").write_bytes(os.urandom(50_000) + shape(value) + os.urandom(50_000))
        assert Search({value, "lain sama sekali"}).files(tmp_path) == [str(tmp_path / "ledger.db")]


def test_the_search_finds_digits_in_groups_and_names_of_files(tmp_path: Path) -> None:
    search = Search({"1303011509909001"})
    assert search.hits(b"nik: 1303.0115.0990.9001")
    assert search.hits(b"1303 0115 0990-9001")
    (tmp_path / "1303011509909001.csv").touch()
    assert search.files(tmp_path)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("sheet1.xml", "<v>1303011509909001</v>" * 9)
    assert search.hits(b"spool" + packed.getvalue())
    assert not search.hits(b"1303011509909002")
