"""How a file is cut never changes what leaves: same lines, same leaves, same report, whatever the pieces, blocks and chunks."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import broker.exchange as flow
from broker import submission
from broker.contract import parse
from broker.contract.parse import _parse, _parse_slowly, read_csv
from broker.envelope import open_envelope
from broker.errors import Refusal
from broker.keys import KemKey
from tests.conftest import NOW
from tests.simulator import SIAPKERJA, Province, Town

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import polars as pl

FIXED = "00112233445566778899aabbccddeeff"  # the exchange id of every run; with one secret, refs and salts are the same too
# A failing example shows its arguments, and the fixtures among them hold every policy.
pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")
QUICK = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
STRANGE = st.text(st.sampled_from("aB ,;\"'\n\t|é中\u2028😀\\0:-"), min_size=1, max_size=12)


@contextmanager
def cut(piece: int, rows: int) -> Iterator[None]:
    """Bytes decrypted at a time, and rows in a chunk."""
    before = vars(submission)["PIECE"], parse.CHUNK_ROWS
    vars(submission)["PIECE"], vars(parse)["CHUNK_ROWS"] = piece, rows
    try:
        yield
    finally:
        vars(submission)["PIECE"], vars(parse)["CHUNK_ROWS"] = before


class Runs:
    """The same submission, again and again, each on its own copy of one broker home in which the vault knows every person already."""

    def __init__(self, province: Province, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._province, self._folder, self._count = province, folder, 0
        monkeypatch.setattr("tests.simulator.new_exchange_id", lambda: FIXED)
        monkeypatch.setattr(flow, "new_exchange_secret", lambda _: bytes(32))

    def town(self) -> Town:
        self._count += 1
        return Town(self._province, self._folder / str(self._count), NOW)

    def every_way(self, data: bytes, ways: list[tuple[int, int, int]]) -> list[dict[str, Any]]:
        known = self.town()
        sealed = known.submission(data)
        reference = self._run(known, sealed, 1 << 20, 1 << 20, 1 << 14)  # meets everyone for the first time
        known.close()
        answers = [reference["said"]]
        results = []
        for chunk_bytes, piece, rows in [(6 << 20, 256 << 10, 1 << 14), *ways]:
            town = self.town()
            town.close()
            self._people(known, town)
            town.reopen()
            results.append(self._run(town, sealed, chunk_bytes, piece, rows))
            answers.append(results[-1]["said"])
            town.close()
            shutil.rmtree(town.folder)
        shutil.rmtree(known.folder)
        assert len(set(answers)) == 1
        return results

    @staticmethod
    def _people(source: Town, target: Town) -> None:
        with closing(sqlite3.connect(target.home / "ledger.db")) as c, c:
            c.execute("ATTACH DATABASE ? AS known", (str(source.home / "ledger.db"),))
            c.execute("INSERT INTO vault SELECT * FROM known.vault")

    def _run(self, town: Town, sealed: bytes, chunk_bytes: int, piece: int, rows: int) -> dict[str, Any]:
        name = town.accept(sealed)
        with cut(piece, rows):
            try:
                flow.exchange(town.office, name, town.now, chunk_bytes=chunk_bytes)
            except Refusal as refusal:
                return {"said": refusal.reason}
        row = town.row(name)
        assert row.header is not None
        assert row.manifest is not None
        manifest = json.loads(row.manifest)
        manifest.pop("envelope")  # its keys are fresh each time
        with town.office.ledger.database.read() as tx:
            leaves = b"".join(tx.segments(name))
        stream = io.BytesIO(row.header + town.office.folders.outbox(name).read_bytes())
        opener = open_envelope(stream, self._province.ring(SIAPKERJA).get(KemKey, "kem"))
        lines = opener.update(stream.read()) + opener.finish()
        return {"said": "recorded", "lines": lines, "leaves": leaves, "manifest": manifest, "report": row.report}


@pytest.fixture
def runs(province: Province, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    return Runs(province, tmp_path, monkeypatch)


WAYS = st.lists(
    st.tuples(st.sampled_from([1, 700, 5_000, 1 << 20]), st.sampled_from([100, 333, 16 << 10, 256 << 10]), st.sampled_from([3, 7, 1 << 14])),
    min_size=1, max_size=2,
)  # fmt: skip


@settings(QUICK, max_examples=12, phases=(Phase.explicit, Phase.generate))  # an example takes a second: shrinking would take minutes
@given(
    seed=st.integers(1, 10_000), n=st.integers(1, 16), mess=st.sampled_from([0.0, 0.05, 0.4]), crlf=st.booleans(), quoted=st.booleans(),
    strange=st.lists(st.tuples(st.integers(0, 39), st.sampled_from(["nama_lengkap", "alamat", "no_hp", "kecakapan", "jurusan"]), STRANGE), max_size=8), ways=WAYS,
)  # fmt: skip
def test_the_cut_of_a_file_never_changes_what_leaves(
    runs: Runs, seed: int, n: int, mess: float, crlf: bool, quoted: bool, strange: list[tuple[int, str, str]], ways: list[tuple[int, int, int]]
) -> None:
    town = runs.town()
    rows, names = town.rows(n=n, seed=seed, mess=mess, text=True), town.office.contracts["pencari_kerja"].names
    town.close()
    for at, column, text in strange:
        if column in names:
            rows[at % n][names.index(column)] = text
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n" if crlf else "\n", quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL)
    writer.writerow(names)
    writer.writerows(rows)
    results = runs.every_way(file.getvalue().encode(), ways)
    for result in results[1:]:
        assert result == results[0]


COLUMNS = ["a", "b", "c"]
BYTES = st.one_of(
    st.lists(st.sampled_from([b"x", b",", b'"', b'""', b"\n", b"\r\n", b"\r", b"\x1e", b"\xff", b"\x00", "é".encode(), b" ", b"\xef\xbb\xbf", b"1,2,3\n", b'"p",q,"r\ns"\n']), max_size=24).map(b"".join),
    st.binary(max_size=40),
)


def outcome(read: Any, *args: Any) -> pl.DataFrame | str:
    try:
        frame: pl.DataFrame = read(*args)
    except Refusal:
        return "refused"
    return frame


@settings(QUICK, max_examples=1500)
@given(body=BYTES)
def test_the_quick_reader_and_the_strict_one_agree_on_any_bytes(body: bytes) -> None:
    quick, strict = outcome(_parse, body, COLUMNS, 1), outcome(_parse_slowly, body, COLUMNS, 1)
    if isinstance(quick, str) or isinstance(strict, str):
        assert isinstance(quick, str)
        assert isinstance(strict, str)
        return
    assert quick.equals(strict)
    assert quick.columns == strict.columns


def test_a_stray_quote_is_refused_however_the_file_is_cut(town: Town) -> None:
    contract = town.office.contracts["pencari_kerja"]
    first, second = town.rows(n=2)
    first[contract.names.index("nama_lengkap")] = "\0"
    second[contract.names.index("nama_lengkap")] = "satu\ndua"
    data = town.csv([first, second]).replace(b"\0", b'a"b')
    said: list[int | str] = []
    for size in (1, 6 << 20):
        try:
            said.append(sum(chunk.frame.height for chunk in read_csv([data[:-400], data[-400:]], contract, size)))
        except Refusal as refusal:
            said.append(refusal.reason)
    assert said[0] == said[1]


@settings(QUICK, max_examples=300)
@given(body=BYTES, cuts=st.lists(st.integers(0, 60), max_size=6), size=st.integers(1, 30))
def test_any_bytes_read_the_same_however_they_are_cut(monkeypatch: pytest.MonkeyPatch, province: Province, body: bytes, cuts: list[int], size: int) -> None:
    contract = province.office.contracts["pencari_kerja"]
    names = contract.names
    data = (",".join(names) + "\n").encode() + b"\n".join(b"," * (len(names) - 3) + line if line else line for line in body.split(b"\n"))
    at = sorted({len(data) - min(c, len(body)) for c in cuts})
    pieces = [data[a:b] for a, b in zip([0, *at], [*at, len(data)], strict=True)]

    def whole(parts: list[bytes], chunk_bytes: int) -> list[tuple[str | None, ...]]:
        return [row for chunk in read_csv(parts, contract, chunk_bytes) for row in chunk.frame.iter_rows()]

    def said(parts: list[bytes], chunk_bytes: int) -> list[tuple[str | None, ...]] | str:
        try:
            return whole(parts, chunk_bytes)
        except Refusal:
            return "refused"

    assert said(pieces, size) == said([data], 6 << 20)

