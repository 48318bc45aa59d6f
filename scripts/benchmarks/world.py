"""What both sides are measured on: a broker home with two enrolled systems, synthetic rows as CSV, and submissions sealed by their sender."""

from __future__ import annotations

import atexit
import csv
import hashlib
import io
import os
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from broker.client import create_home
from broker.contract import load_codelists, load_contracts
from broker.enrolment import LIFE
from broker.envelope import seal, sign_dsse, submission_prefix
from broker.envelope.dsse import STATEMENT
from broker.jcs import canonical
from broker.keys import KemPublic, ReceiptKey, new_key_file, open_ring, read_public_set, write_private
from broker.model import utc_text, wib_date
from broker.peers import plain
from broker.sample import rows as synthetic
from broker.settings import UNLOCK_VARIABLE, shipped_policies
from broker.store import Database, PeerRow
from broker.wiring import init_home

if TYPE_CHECKING:
    from collections.abc import Iterable

    from broker.keys import PublicSet
    from broker.model import Contract
    from broker.store import Transaction

NOW: Final = datetime(2026, 11, 21, 3, tzinfo=UTC)
URL: Final = "http://127.0.0.1:8470"
AGREEMENT: Final = "nk-sijunjung-2025"
DATASET: Final = "pencari_kerja"
SENDER: Final = "sijoker@sijunjung"
RECIPIENT: Final = "siapkerja@kemnaker"
PURPOSE: Final = "perencanaan"
MESS: Final = 0.01
SEED: Final = 1
PIECE: Final = 256 << 10


@cache
def _unlocked() -> None:
    """From now on this process and its children unlock key rings with a file of its own: stretching a passphrase is not what is measured."""
    kept = tempfile.TemporaryDirectory()
    atexit.register(kept.cleanup)
    write_private(Path(kept.name) / "pembuka", new_key_file())
    os.environ[UNLOCK_VARIABLE] = str(Path(kept.name) / "pembuka")


def found(folder: Path) -> None:
    """A broker home and the two systems' homes in `folder`, keys enrolled and pinned: made once, copied for every measurement."""
    _unlocked()
    public = init_home(folder / "broker", NOW)
    owns = []
    for system in (SENDER, RECIPIENT):
        own = create_home(folder / system, system, URL, NOW)
        owns.append(own)
        (folder / system / "broker.json").write_bytes(public.to_json())
    database = Database(folder / "broker" / "ledger.db")
    with database.write() as tx:
        for own in owns:
            enrol_directly(tx, own, NOW)
    database.close()


def enrol_directly(tx: Transaction, own: PublicSet, now: datetime, life: timedelta = LIFE) -> PeerRow:
    """The set as if two people had enrolled it: for measurements and tests, which have no people."""
    at = utc_text(now)
    row = PeerRow(
        plain(own.fingerprint), own.owner, "active", own.to_json(), "UJI/1", at[:10], at, at, "ppdp-1@uji", 1, utc_text(now + life), None, None, None, None, None,
    )  # fmt: skip
    tx.peers.add(row)
    tx.peers.keep_kids(own.owner, [key.kid for key in own.keys.values()])
    return row


@cache
def contract() -> Contract:
    return load_contracts(shipped_policies() / "datasets")[DATASET]


def draw_rows(count: int, mess: float, seed: int = SEED) -> Iterable[list[str]]:
    """Synthetic rows of all columns, free text empty."""
    codes = load_codelists(shipped_policies() / "codes")
    return synthetic(DATASET, count, seed, wib_date(NOW), party="sijunjung", agreement=AGREEMENT, contract=contract(), codes=codes, mess=mess)


def write_rows(path: Path, rows: Iterable[list[str]]) -> None:
    unfinished = path.with_suffix(".part")
    with unfinished.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(contract().names)
        writer.writerows(rows)
    unfinished.rename(path)


def cut(source: Path, target: Path, start: int, count: int) -> None:
    """Rows start.. of a CSV as a CSV of their own."""
    with source.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        next(reader)
        write_rows(target, islice(reader, start, start + count))


def multiply(source: Path, target: Path, count: int) -> None:
    """`count` rows from the rows of `source`, over and over; each time the people get other NIK serials, so that they are other people."""
    nik = contract().names.index("nik")

    def others() -> Iterable[list[str]]:
        turn = 0
        while True:
            with source.open(encoding="utf-8", newline="") as file:
                reader = csv.reader(file)
                next(reader)
                for row in reader:
                    serial = row[nik][12:]
                    if turn and len(row[nik]) == 16 and serial.isdigit() and int(serial) > 9000:  # a spoiled one stays as it is
                        row[nik] = f"{row[nik][:12]}{9001 + (int(serial) - 9001 + 97 * turn) % 999}"
                    yield row
            turn += 1

    write_rows(target, islice(others(), count))


def seal_submission(folder: Path, plain: Path) -> Path:
    """The sealed submission of a CSV, as the sender's client makes it, in `folder`."""
    asked = {"agreement": AGREEMENT, "content_type": "text/csv", "dataset": DATASET, "purpose": PURPOSE, "recipient": RECIPIENT, "sender": SENDER, "template": contract().template}
    key = read_public_set((folder / SENDER / "broker.json").read_bytes()).get(KemPublic, "kem", AGREEMENT)
    sealer = seal({**asked, "created": utc_text(NOW), "exchange": "00" * 16, "kind": "kiriman", "v": 1}, [key])
    digest, envelope, body = hashlib.sha256(sealer.header.prefix), folder / f"{plain.stem}.envelope", folder / f"{plain.stem}.sealed"
    with plain.open("rb") as source, envelope.open("wb") as out:
        out.write(sealer.header.prefix)
        while data := source.read(PIECE):
            piece = sealer.update(data)
            digest.update(piece)
            out.write(piece)
        last = sealer.finish()
        digest.update(last)
        out.write(last)
    claims = {**asked, "basis": None, "created": utc_text(NOW), "envelope_sha256": digest.hexdigest(), "type": "sinergi/statement/v1"}
    dsse = sign_dsse(STATEMENT, canonical(claims), open_ring(folder / SENDER / "secrets").get(ReceiptKey, "receipt"))
    with envelope.open("rb") as source, body.open("wb") as out:
        out.write(submission_prefix(dsse))
        shutil.copyfileobj(source, out, PIECE)
    envelope.unlink()
    return body


def rows_sha256(plain: Path, count: int) -> str:
    """Digest of the header and the first `count` rows: what a measured side was given."""
    text = io.StringIO()
    with plain.open(encoding="utf-8", newline="") as file:
        csv.writer(text, lineterminator="\n").writerows(islice(csv.reader(file), count + 1))
    return hashlib.sha256(text.getvalue().encode()).hexdigest()
