"""A whole small world in one process: a broker home on disk, real SQLite, real keys, and the three parties' clients over its real API."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import json
import shutil
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from starlette.testclient import TestClient

from broker.client import Client, create_home
from broker.delivery import Folders
from broker.envelope import Voucher, seal, sign_dsse, submission_prefix
from broker.envelope.dsse import STATEMENT, VOUCHER
from broker.envelope.seal import EXTRA
from broker.exchange import exchange, new_exchange_id
from broker.jcs import canonical
from broker.keys import KemKey, ReceiptKey, Ring, Rings, open_ring, read_public_set
from broker.lifecycle import start
from broker.model import Entry, utc_text, wib_date
from broker.peers import open_peers
from broker.policy import InForce
from broker.record import BROKER_LOG, Ledger
from broker.sample import rows as synthetic
from broker.store import Database, ExchangeRow
from broker.upkeep import take_up
from broker.web.app import create_app
from broker.wiring import init_home, open_office
from scripts.benchmarks.world import enrol_directly

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime
    from pathlib import Path

    from fastapi import FastAPI

    from broker.keys import AnyKemPublic, PublicSet
    from broker.office import Office
    from broker.settings import Oidc
    from broker.web.worker import Worker

SYSTEMS = ("sijoker@sijunjung", "sibuser@binjai", "siapkerja@kemnaker")
SIJOKER, SIBUSER, SIAPKERJA = SYSTEMS
URL = "http://127.0.0.1:8470"
LONG = timedelta(days=7300)  # so that a test may let years pass


@dataclass(frozen=True)
class Province:
    """What does not change between tests: a broker home with keys and enrolled parties, and its loaded office."""

    home: Path
    parties: Path
    office: Office

    @classmethod
    def found(cls, folder: Path, now: datetime) -> Province:
        home, parties = folder / "broker", folder / "parties"
        public = init_home(home, now)
        for system in SYSTEMS:
            create_home(parties / system, system, URL, now)
            (parties / system / "broker.json").write_bytes(public.to_json())
        office = open_office(home, now)
        office.ledger.database.close()
        Database(folder / "kosong.db").close()
        return cls(home, parties, office)

    def public(self, system: str) -> PublicSet:
        return read_public_set((self.parties / system / f"{system}.json").read_bytes())

    def ring(self, system: str) -> Ring:
        return open_ring(self.parties / system / "secrets")


class Town:
    """One test's world. `now` is its clock: set it."""

    def __init__(self, province: Province, folder: Path, now: datetime, enrolled: Sequence[str] = SYSTEMS, life: timedelta = LONG) -> None:
        self.province, self.now, self.enrolled, self.life = province, now, enrolled, life
        self.home = folder / "broker"
        self.home.mkdir(parents=True)
        shutil.copytree(province.home / "secrets", self.home / "secrets")  # its own: a clock that goes far ahead rotates keys
        shutil.copy(province.home.parent / "kosong.db", self.home / "ledger.db")  # tables and nothing else: making them takes longer than most tests
        self.rings = Rings(self.home / "secrets", province.office.rings)
        self.folder = folder
        self._workers: list[Worker] = []
        self.reopen()

    def reopen(self) -> list[str]:
        """What a restart does: a new connection, a new tree in memory, start-up sweep; returns the exchanges it would take up again."""
        if hasattr(self, "office"):
            self.close()
        folders = Folders(self.home)
        folders.create()
        ledger = Ledger(Database(self.home / "ledger.db"), self.rings)
        with ledger.database.write() as tx:
            for system in () if tx.peers.all() else self.enrolled:  # a power cut may fall between the tables and the first rows
                enrol_directly(tx, self.province.public(system), self.now, self.life)
        if not hasattr(self, "office"):
            self.office = self.province.office
        self.office = dataclasses.replace(self.office, rings=self.rings, ledger=ledger, folders=folders, peers=open_peers(ledger, lambda: self.now), force=InForce(self.office.policy))
        start(self.office, self.now)
        return take_up(self.office, self.now)

    def close(self) -> None:
        for worker in self._workers:
            worker.close()
        self._workers.clear()
        self.office.ledger.database.close()

    def voucher(self, public: PublicSet) -> bytes | None:
        """What the system of an officer's party signs for the officer's public keys; nothing where the party has no system."""
        system = next((s for s in SYSTEMS if s.partition("@")[2] == public.owner.partition("@")[2]), None)
        if system is None:
            return None
        said = Voucher(created=utc_text(self.now), keys_sha256=hashlib.sha256(public.to_json()).hexdigest(), person=public.owner, system=system)
        return sign_dsse(VOUCHER, said.to_json(), self.province.ring(system).get(ReceiptKey, "receipt")).to_json()

    # --- rows
    def rows(
        self, dataset: str = "pencari_kerja", n: int = 20, *, seed: int = 1, mess: float = 0.0, party: str = "sijunjung", agreement: str = "nk-sijunjung-2025", text: bool = False
    ) -> list[list[str]]:
        day: date = wib_date(self.now)
        contract = self.office.contracts[dataset]
        return list(synthetic(dataset, n, seed, day, party=party, agreement=agreement, contract=contract, codes=self.office.codes, mess=mess, text=text))

    def csv(self, rows: Iterable[Sequence[str]], dataset: str = "pencari_kerja", header: Sequence[str] | None = None) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(header or self.office.contracts[dataset].names)
        writer.writerows(rows)
        return text.getvalue().encode()

    # --- the flow without HTTP
    def submission(
        self, data: bytes, *, agreement: str = "nk-sijunjung-2025", dataset: str = "pencari_kerja", sender: str = SIJOKER, recipient: str = SIAPKERJA,
        purpose: str = "perencanaan", basis: str | None = None, template: str = "1.0.0", content_type: str = "text/csv", sealed_to: AnyKemPublic | None = None,
        core: dict[str, str | int] | None = None, statement: dict[str, Any] | None = None, signer: str | None = None,
    ) -> bytes:  # fmt: skip
        """A submission body. core, statement: fields to change in the envelope's header, in the signed statement. signer: who signs it instead."""
        asked = {"agreement": agreement, "content_type": content_type, "dataset": dataset, "purpose": purpose, "recipient": recipient, "sender": sender, "template": template}
        own = agreement if agreement in self.office.rings else "nk-sijunjung-2025"
        key = sealed_to or self.office.rings[own].get(KemKey, "kem").public
        header: dict[str, str | int] = {**asked, "created": utc_text(self.now), "exchange": "00" * 16, "kind": "kiriman", "v": 1, **(core or {})}
        sealer = seal(header, [key], extra=bytes(EXTRA[str(header["kind"])]))
        envelope = sealer.header.prefix + sealer.update(data) + sealer.finish()
        claims = {**asked, "basis": basis, "created": utc_text(self.now), "envelope_sha256": hashlib.sha256(envelope).hexdigest(), "type": "sinergi/statement/v1", **(statement or {})}
        dsse = sign_dsse(STATEMENT, canonical(claims), self.province.ring(signer or sender).get(ReceiptKey, "receipt"))
        return submission_prefix(dsse) + envelope

    def accept(self, body: bytes, *, agreement: str = "nk-sijunjung-2025", dataset: str = "pencari_kerja", sender: str = SIJOKER, recipient: str = SIAPKERJA, purpose: str = "perencanaan") -> str:
        """What the door leaves behind after its 202: the spooled body and its row."""
        name, at = new_exchange_id(), utc_text(self.now)
        self.office.folders.spool(name).write_bytes(body)
        with self.office.ledger.writing() as book:
            book.tx.add_exchange(
                id=name, state="accepted", sender=sender, recipient=recipient, agreement=agreement, dataset=dataset, purpose=purpose, accepted=at, changed=at,
                submission_sha256=hashlib.sha256(body).hexdigest(), idempotency=name,
            )  # fmt: skip
        return name

    def exchange(self, data: bytes, *, chunk_bytes: int | None = None, **asked: Any) -> tuple[str, Entry]:
        """Steps 2–9 for `data`: the exchange id and the ledger's Entry; a Refusal is raised, with the id in `last`."""
        row = {k: v for k, v in asked.items() if k in ("agreement", "dataset", "sender", "recipient", "purpose")}
        self.last = self.accept(self.submission(data, **asked), **row)
        return self.last, exchange(self.office, self.last, self.now, **({} if chunk_bytes is None else {"chunk_bytes": chunk_bytes}))

    def row(self, name: str) -> ExchangeRow:
        with self.office.ledger.database.read() as tx:
            found = tx.exchange(name)
        assert found is not None
        return found

    def entries(self, log: str = "nk-sijunjung-2025") -> list[dict[str, Any]]:
        """The log's entries behind the first of every log: that policy version 1 was published."""
        with self.office.ledger.database.read() as tx:
            return [json.loads(e) for e in tx.entries(log)][log != BROKER_LOG :]

    def assert_refused(self, name: str, reason: str, log: str = "nk-sijunjung-2025") -> None:
        """The refusal is recorded with its clause, and nothing is left: no outbox file, no spooled file, no leaf, no header."""
        row = self.row(name)
        assert row.state == "refused"
        assert row.problem is not None
        assert json.loads(row.problem)["reason"] == reason
        assert row.header is None
        assert row.manifest is None
        assert not self.office.folders.outbox(name).exists()
        assert not self.office.folders.spool(name).exists()
        assert list(self.office.folders.scratch.iterdir()) == []
        with self.office.ledger.database.read() as tx:
            assert list(tx.segments(name)) == []
        (entry,) = [e for e in self.entries(log) if e.get("exchange") == name]
        assert (entry["type"], entry["reason"]) == ("sinergi/refusal/v1", reason)
        assert entry["clause"].startswith(("Pasal", "Lampiran"))

    # --- the parties, over HTTP
    def app(self, url: str = URL, oidc: Oidc | None = None) -> FastAPI:
        app = create_app(self.office, url, 64 << 20, lambda: self.now, oidc)
        self._workers.append(app.state.worker)
        return app

    def http(self) -> TestClient:
        return TestClient(self.app(), base_url=URL, raise_server_exceptions=False)

    def client(self, system: str, http: TestClient) -> Client:
        """A party's real client, talking to `http`; its home is this test's own."""
        home = self.folder / system
        if not home.exists():
            shutil.copytree(self.province.parties / system, home)
        return Client.at(home, lambda: self.now, http)
