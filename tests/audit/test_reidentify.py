"""Who is behind a token: asked with a ground by who received it, approved by each party, sealed to the asker's system, once, recorded first."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from typer.testing import CliRunner

from broker import people, rotation
from broker.audit import erasure, reidentify
from broker.audit.erasure import Ground
from broker.audit.reidentify import FEW, GROUNDS, QUOTA
from broker.cli import reidentify as commands
from broker.cli.app import app
from broker.client.reidentify import Unmasker
from broker.errors import ClientError, NotVerified, Refusal
from broker.jcs import canonical
from broker.keys import Rings, SecretKey
from broker.model import utc_text
from broker.roles import MAY
from broker.treatment import PERSONS, DomainKey, pseudonym_tokens
from broker.upkeep import retire
from tests.audit.conftest import BINJAI, SIJUNJUNG
from tests.keys.test_ownkeys import confirmed
from tests.lifecycle.conftest import Desk
from tests.simulator import SIAPKERJA, SIBUSER, SIJOKER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.simulator import Town

GROUND = "pasal_30_1"
REASON = "Pengaduan pencari kerja atas data yang salah, surat nomor 12"
FIELDS = {"request", "agreement", "person", "exchange", "ground", "reason", "subjects", "pairs", "asked", "state", "until", "approvers"}


@dataclass
class Counter(Desk):
    """A town where the ministry received what Sijunjung sent."""

    rows: list[list[str]] = field(default_factory=list)
    exchange: str = ""

    def receive(self, n: int = 6, seed: int = 1, **asked: Any) -> str:
        self.rows = self.town.rows(n=n, seed=seed)
        self.exchange, _ = self.town.exchange(self.town.csv(self.rows), **asked)
        self.town.client(asked.get("recipient", SIAPKERJA), self.http).receive()
        return self.exchange

    def lines(self, exchange: str | None = None) -> list[dict[str, str | None]]:
        """The released lines, as the recipient has them."""
        out = self.town.folder / f"{exchange or self.exchange}.ndjson"
        if not out.exists():
            self.town.client(SIAPKERJA, self.http).open(exchange or self.exchange, out, form="ndjson")
        return [json.loads(line) for line in out.read_text().splitlines()]

    def tokens(self, exchange: str | None = None) -> list[str]:
        return [line["nik"] or "" for line in self.lines(exchange)]

    def niks(self) -> list[str]:
        at = self.town.office.contracts["pencari_kerja"].names.index("nik")
        return [row[at] for row in self.rows]

    def who(self, party: str = "kemnaker", role: str = "operator", **more: Any) -> Unmasker:
        name = self.officer(party, role, **more).person
        return Unmasker.at(self.town.folder / name, lambda: self.town.now, self.http)

    def approvers(self, party: str = "sijunjung") -> tuple[Unmasker, Unmasker]:
        return self.who("kemnaker", "pembuka_samaran"), self.who(party, "pembuka_samaran")

    def ask(self, asker: Unmasker, *tokens: str, exchange: str | None = None, ground: str = GROUND, reason: str = REASON, agreement: str = SIJUNJUNG) -> str:
        return str(asker.ask(agreement, exchange or self.exchange, ground, reason, tokens)["request"])

    def answered(self, *tokens: str, exchange: str | None = None, asker: Unmasker | None = None) -> list[dict[str, Any]]:
        """What the system of the asker's party opens, once both parties approved."""
        asker = asker or self.who()
        name = self.ask(asker, *tokens, exchange=exchange)
        for approver in self.approvers():
            approver.approve(name)
        return self.opened(asker, name)

    def opened(self, asker: Unmasker, name: str, system: str = SIAPKERJA) -> list[dict[str, Any]]:
        path = self.town.folder / f"{name}.json"
        asker.fetch(name, path)
        return list(self.town.client(system, self.http).identities(path.read_bytes()).lines)

    def entries(self) -> list[dict[str, Any]]:
        return [entry for entry in self.town.entries() if entry["type"] == "sinergi/identity/v1"]

    def last(self, log: str = SIJUNJUNG) -> dict[str, Any]:
        return self.town.entries(log)[-1]


@pytest.fixture
def counter(town: Town) -> Iterator[Counter]:
    with town.http() as http:
        made = Counter(town, http)
        made.receive()
        yield made


def unknown(token: str) -> dict[str, str | None]:
    return {"jenis": None, "nomor": None, "samaran": token}


# --- the whole way
def test_who_is_behind_a_token_is_told_once_both_parties_approved(counter: Counter) -> None:
    asker, (ministry, regency) = counter.who(), counter.approvers()
    tokens, niks = counter.tokens(), counter.niks()
    made = asker.ask(SIJUNJUNG, counter.exchange, GROUND, REASON, [tokens[3], tokens[0]])
    name = made["request"]
    assert set(made) == FIELDS
    assert (made["state"], made["subjects"], made["pairs"], made["approvers"]) == ("pending", 2, 1, [])
    assert [row["request"] for who in (asker, ministry, regency) for row in who.requests()] == [name] * 3
    assert ministry.approve(name)["state"] == "pending"
    with pytest.raises(ClientError, match="keadaan: pending"):
        asker.fetch(name, counter.town.folder / "a.json")
    assert regency.approve(name)["state"] == "approved"
    assert counter.opened(asker, name) == [
        {"jenis": "nik", "nomor": niks[3], "samaran": tokens[3]},
        {"jenis": "nik", "nomor": niks[0], "samaran": tokens[0]},
    ]
    assert asker.request(name)["state"] == "answered"
    with pytest.raises(ClientError, match="keadaan: answered"):
        asker.fetch(name, counter.town.folder / "b.json")


def test_a_new_vault_key_between_asking_and_answering_changes_nothing(counter: Counter) -> None:
    tokens, niks, asker = counter.tokens(), counter.niks(), counter.who()
    name = counter.ask(asker, tokens[2])
    for approver in counter.approvers():
        approver.approve(name)
    rotation.by_host(counter.town.office, canonical({"act": "rotate", "ring": SIJUNJUNG, "purpose": "vault"}), counter.town.now)
    assert counter.opened(asker, name) == [{"jenis": "nik", "nomor": niks[2], "samaran": tokens[2]}]


def test_every_step_is_recorded_and_no_entry_names_anybody(counter: Counter) -> None:
    asker = counter.who()
    counter.answered(*counter.tokens()[:2], asker=asker)
    said = counter.entries()
    assert [entry["act"] for entry in said] == ["asked", "approved", "approved", "answered"]
    same = {"exchange": counter.exchange, "ground": GROUND, "reason_sha256": sha256(REASON.encode()).hexdigest(), "subjects": 2, "type": "sinergi/identity/v1"}
    assert all({name: entry[name] for name in same} == same for entry in said)
    assert (said[0]["person"], {entry["request"] for entry in said}) == (asker.person, {said[0]["request"]})
    assert [entry["person"].partition("-")[0] for entry in said] == ["operator", "pembuka", "pembuka", "operator"]
    answered = said[-1]
    assert (answered["recipient"], answered["told"]) == (SIAPKERJA, 2)
    with counter.town.office.ledger.database.read() as tx:
        leaves = b"".join(tx.segments(counter.exchange))
    refs = {leaves[at : at + 16].hex() for at in range(0, len(leaves), 55)}
    assert len(answered["refs"]) == 2
    assert set(answered["refs"]) <= refs
    everything = json.dumps(counter.town.entries())
    assert not any(text in everything for text in (*counter.niks(), *counter.tokens(), REASON))


def test_the_answer_is_recorded_before_it_leaves_or_does_not_leave(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    asker = counter.who()
    name = counter.ask(asker, counter.tokens()[0])
    for approver in counter.approvers():
        approver.approve(name)
    monkeypatch.setattr("broker.record.MAX_ENTRY", 100)
    with pytest.raises(ClientError):
        asker.fetch(name, counter.town.folder / "a.json")
    assert not (counter.town.folder / "a.json").exists()
    monkeypatch.undo()
    assert asker.request(name)["state"] == "approved"
    assert len(counter.opened(asker, name)) == 1


def test_nothing_of_it_stays_in_the_brokers_files(counter: Counter) -> None:
    town, tokens, niks = counter.town, counter.tokens()[:2], counter.niks()[:2]

    def holding() -> set[str]:
        return {p.name for p in town.home.rglob("*") if p.is_file() and any(text.encode() in p.read_bytes() for text in (*tokens, *niks))}

    asker = counter.who()
    name = counter.ask(asker, *tokens)
    assert holding() == set()  # while it waits, the tokens are sealed
    for approver in counter.approvers():
        approver.approve(name)
    counter.opened(asker, name)
    assert holding() == set()
    with town.office.ledger.database.read() as tx:
        row = tx.identities.request(name)
    assert row is not None
    assert row.sealed is None


# --- what is known
def test_what_is_no_token_of_this_exchange_is_answered_alike(counter: Counter) -> None:
    """Of another exchange, of another domain, of a row that was withheld, of nobody: unknown."""
    first, own = counter.exchange, counter.tokens()
    rows = [list(row) for row in counter.town.rows(n=3, seed=9)]
    names = counter.town.office.contracts["pencari_kerja"].names
    rows[1][names.index("jenis_kelamin")] = "X"
    elsewhere, _ = counter.town.exchange(counter.town.csv([*rows, *counter.town.rows(n=20, seed=10)]))
    counter.town.client(SIAPKERJA, counter.http).receive()
    root = counter.town.office.rings[SIJUNJUNG].get(SecretKey, "root").seed
    niks = [row[names.index("nik")] for row in rows]

    def token(nik: str, **other: str) -> str:
        parts = {"agreement": SIJUNJUNG, "sender": "sijunjung", "recipient": "kemnaker", "entity": "orang", "purpose": "perencanaan", **other}
        return str(pseudonym_tokens(pl.Series([nik]), DomainKey.of(root, **parts, epoch=1))[0])

    assert token(counter.niks()[0]) == own[0]
    assert token(niks[0]) in counter.tokens(elsewhere)
    asked = [
        token(niks[0]), token(niks[1]), own[0], "p1.AAAAAAAAAAAAAAAAAAAAAA", token("3275019009909678"),
        *(token(counter.niks()[0], **{part: "lain"}) for part in ("agreement", "sender", "recipient", "entity", "purpose")),
    ]  # fmt: skip
    told = counter.answered(*asked, exchange=first)
    assert told == [{"jenis": "nik", "nomor": counter.niks()[0], "samaran": t} if t == own[0] else unknown(t) for t in asked]
    assert (counter.entries()[-1]["told"], len(counter.entries()[-1]["refs"])) == (1, 1)
    assert [line["nomor"] for line in counter.answered(token(niks[0]), token(niks[1]), exchange=elsewhere)] == [niks[0], None]


def test_a_token_in_a_column_that_the_row_hid_is_not_told(counter: Counter) -> None:
    """As a child's row leaves without its token: that another exchange may have shown it is no reason to tell it of this one."""
    with counter.town.office.ledger.database.read() as tx:
        row = tx.exchange(counter.exchange)
    assert row is not None
    manifest = json.loads(row.manifest or b"")
    bearing = {c.name for c in counter.town.office.contracts["pencari_kerja"].columns if c.token == "orang" or c.type == "text"}
    levels = "".join("5" if column in bearing else "3" for column in manifest["columns"])
    hidden = {**manifest, "profiles": [{**p, "levels": levels} for p in manifest["profiles"]]}
    token = counter.tokens()[0]
    with counter.town.office.ledger.database.write() as tx:
        tx.change_exchange(counter.exchange, manifest=json.dumps(hidden).encode())
    assert counter.answered(token) == [unknown(token)]


def test_a_passport_number_in_a_note_is_told_as_one(counter: Counter) -> None:
    """No contract gives a passport column tokens; a text at level 3 does."""
    rows = counter.town.rows("wlkp", n=300, seed=5, party="kemnaker", agreement=BINJAI)
    at = [i for i, column in enumerate(counter.town.office.contracts["wlkp"].columns) if column.kind == "passport"]
    name, _ = counter.town.exchange(counter.town.csv(rows, "wlkp"), dataset="wlkp", agreement=BINJAI, sender=SIAPKERJA, recipient=SIBUSER, basis="UU 13/2003")
    with counter.town.office.ledger.database.write() as tx:
        row = tx.exchange(name)
        assert row is not None
        manifest = json.loads(row.manifest or b"")
        levels = "".join("3" if column == "catatan_pengawas" else "0" for column in manifest["columns"])
        tx.change_exchange(name, state="delivered", manifest=json.dumps({**manifest, "profiles": [{**p, "levels": levels} for p in manifest["profiles"]]}).encode())
    passports = [line[i] for line in rows for i in at if line[i]][:2]
    root = counter.town.office.rings[BINJAI].get(SecretKey, "root").seed
    key = DomainKey.of(root, agreement=BINJAI, sender="kemnaker", recipient="binjai", entity="paspor", purpose="perencanaan", epoch=1)
    tokens = pseudonym_tokens(pl.Series(passports), key).to_list()
    asker = counter.who("binjai")
    request = counter.ask(asker, *tokens, exchange=name, agreement=BINJAI)
    for approver in counter.approvers("binjai"):
        approver.approve(request)
    told = [{"jenis": "paspor", "nomor": number, "samaran": token} for number, token in zip(passports, tokens, strict=True)]
    assert len(told) == 2
    assert counter.opened(asker, request, SIBUSER) == told


def test_a_person_erased_meanwhile_is_not_told(counter: Counter) -> None:
    asker = counter.who()
    token = counter.tokens()[0]
    name = counter.ask(asker, token, counter.tokens()[1])
    for approver in counter.approvers():
        approver.approve(name)
    officer = counter.officer("sijunjung", "ppdp").person
    with counter.town.office.ledger.database.read() as tx:
        ppdp = tx.people.get(officer)
    assert ppdp is not None
    erasure.erase_subject(counter.town.office, ppdp, SIJUNJUNG, counter.niks()[0], Ground("pasal_43_1_c", REASON), counter.town.now)
    assert [line["nomor"] for line in counter.opened(asker, name)] == [None, counter.niks()[1]]


def test_every_person_column_with_tokens_can_be_turned_back(counter: Counter) -> None:
    contracts = counter.town.office.contracts.values()
    assert {column.token for contract in contracts for column in contract.columns if column.subject and column.token} <= set(PERSONS)


# --- who may
@pytest.mark.parametrize("role", ["pembuka_samaran", "ppdp", "auditor", "petugas_keamanan", "admin_pihak"])
def test_only_an_operator_asks(counter: Counter, role: str) -> None:
    with pytest.raises(ClientError, match="minta_identitas"):
        counter.ask(counter.who(role=role), counter.tokens()[0])
    assert (counter.last()["type"], counter.last()["reason"]) == ("sinergi/refusal/v1", "wewenang")


@pytest.mark.parametrize("role", ["operator", "ppdp", "auditor", "petugas_keamanan", "admin_pihak"])
def test_only_who_opens_pseudonyms_approves_and_never_who_asked(counter: Counter, role: str) -> None:
    asker = counter.who()
    name = counter.ask(asker, counter.tokens()[0])
    for other in (asker, counter.who("sijunjung", role)):
        for act in (other.approve, other.decline):
            with pytest.raises(ClientError, match="Tidak ada permintaan"):
                act(name)
    assert asker.request(name)["approvers"] == []


def test_no_role_both_asks_and_approves() -> None:
    assert not [role for role, acts in MAY.items() if {"minta_identitas", "buka_samaran"} <= acts]


def test_two_officers_of_one_party_are_not_both_parties(counter: Counter) -> None:
    asker = counter.who()
    name = counter.ask(asker, counter.tokens()[0])
    one, two = counter.who("kemnaker", "pembuka_samaran"), counter.who("kemnaker", "pembuka_samaran")
    one.approve(name)
    with pytest.raises(ClientError, match="keadaan: pending"):
        one.approve(name)
    assert two.approve(name)["state"] == "pending"
    assert counter.who("sijunjung", "pembuka_samaran").approve(name)["state"] == "approved"
    with pytest.raises(ClientError, match="keadaan: approved"):  # nor is the time to fetch it made longer
        counter.who("sijunjung", "pembuka_samaran").approve(name)


def test_another_agreements_officers_are_strangers(counter: Counter) -> None:
    asker = counter.who()
    name = counter.ask(asker, counter.tokens()[0])
    stranger, sender = counter.who("binjai", "pembuka_samaran"), counter.who("sijunjung")
    assert (stranger.requests(), sender.requests()) == ([], [])
    with pytest.raises(ClientError, match="Tidak ada permintaan"):
        sender.request(name)
    for act in (stranger.request, stranger.approve, stranger.decline):
        with pytest.raises(ClientError, match="Tidak ada permintaan"):
            act(name)
    with pytest.raises(ClientError, match="minta_identitas"):
        counter.ask(counter.who("binjai"), counter.tokens()[0])


def test_an_account_that_nobody_vouches_for_neither_asks_nor_approves(counter: Counter) -> None:
    asker, (ministry, regency) = counter.who(), counter.approvers()
    name = counter.ask(asker, counter.tokens()[0])
    for one, act in ((ministry, ministry.approve), (regency, regency.request), (asker, lambda _: counter.ask(asker, counter.tokens()[0]))):
        with counter.town.office.ledger.database.write() as tx:
            tx.people.change(one.person, voucher=None)
        with pytest.raises(ClientError):
            act(name)
    with counter.town.office.ledger.database.read() as tx:
        assert tx.identities.approvers(name) == []


@pytest.mark.parametrize("left", ["ended", "unvouched"])
def test_who_approved_and_left_never_did(counter: Counter, left: str) -> None:
    asker, (ministry, regency) = counter.who(), counter.approvers()
    name = counter.ask(asker, counter.tokens()[0])
    ministry.approve(name)
    regency.approve(name)
    if left == "ended":
        people.end(counter.town.office, regency.person, counter.town.now)
    else:
        with counter.town.office.ledger.database.write() as tx:
            tx.people.change(regency.person, voucher=None)
    with pytest.raises(ClientError, match="keadaan: pending"):
        asker.fetch(name, counter.town.folder / "a.json")
    assert counter.last()["reason"] == "permintaan_keadaan"


def test_who_asked_and_is_vouched_for_no_more_gets_nothing(counter: Counter) -> None:
    asker = counter.who()
    name = counter.ask(asker, counter.tokens()[0])
    for approver in counter.approvers():
        approver.approve(name)
    with counter.town.office.ledger.database.write() as tx:
        tx.people.change(asker.person, voucher=None)
    with pytest.raises(ClientError, match="belum menjamin"):
        asker.fetch(name, counter.town.folder / "a.json")


def test_a_recipient_without_keys_in_force_is_told_nothing_and_that_is_recorded(counter: Counter) -> None:
    asker = counter.who()
    name = counter.ask(asker, counter.tokens()[0])
    for approver in counter.approvers():
        approver.approve(name)
    with counter.town.office.ledger.database.write() as tx:
        for row in tx.peers.of(SIAPKERJA):
            tx.peers.change(row.fingerprint, not_after=utc_text(counter.town.now - timedelta(days=1)))
    with pytest.raises(ClientError, match="belum mendaftarkan kuncinya"):
        asker.fetch(name, counter.town.folder / "a.json")
    assert not (counter.town.folder / "a.json").exists()
    assert (counter.last()["type"], counter.last()["reason"]) == ("sinergi/refusal/v1", "penerima_tanpa_kunci")


def test_only_who_asked_fetches(counter: Counter) -> None:
    name = counter.ask(counter.who(), counter.tokens()[0])
    for approver in counter.approvers():
        approver.approve(name)
    for other in (counter.who(), *counter.approvers()):
        with pytest.raises(ClientError, match="Tidak ada permintaan"):
            other.fetch(name, counter.town.folder / "a.json")


def test_who_asked_and_is_no_longer_in_office_gets_nothing(counter: Counter) -> None:
    asker = counter.who(ends=counter.town.now.date())
    name = counter.ask(asker, counter.tokens()[0])
    counter.town.now += timedelta(hours=20)
    for approver in counter.approvers():
        approver.approve(name)
    with pytest.raises(ClientError):
        asker.fetch(name, counter.town.folder / "a.json")


def test_without_the_vault_key_nobody_is_told(counter: Counter) -> None:
    asker = counter.who()
    name = counter.ask(asker, counter.tokens()[0])
    for approver in counter.approvers():
        approver.approve(name)
    office = counter.town.office
    ring = office.rings[SIJUNJUNG]
    ring = replace(ring, records=tuple(record for record in ring.records if record.purpose != "vault"))
    without = replace(office, rings=Rings(counter.town.home / "secrets", {**office.rings, SIJUNJUNG: ring}))
    with office.ledger.database.read() as tx:
        person = tx.people.get(asker.person)
    assert person is not None
    with pytest.raises(Refusal, match="kunci_dimusnahkan"):
        reidentify.answer(without, person, name, counter.town.now)
    assert counter.entries()[-1]["act"] == "approved"


def test_asked_for_twice_at_once_it_is_answered_once(counter: Counter) -> None:
    asker = counter.who()
    name = counter.ask(asker, counter.tokens()[0])
    for approver in counter.approvers():
        approver.approve(name)

    def fetch(number: int) -> bool:
        try:
            asker.fetch(name, counter.town.folder / f"{number}.json")
        except ClientError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(fetch, range(4))) == 1
    assert [entry["act"] for entry in counter.entries()].count("answered") == 1


# --- what is refused
def test_an_exchange_that_ones_party_did_not_receive_is_as_none(counter: Counter) -> None:
    """Not fetched yet, sent by oneself, of another agreement, refused, or no exchange at all: one answer, recorded."""
    token = counter.tokens()[0]
    waiting, _ = counter.town.exchange(counter.town.csv(counter.town.rows(n=3, seed=4)))
    binjai, _ = counter.town.exchange(
        counter.town.csv(counter.town.rows(n=3, party="binjai", agreement=BINJAI)), agreement=BINJAI, sender=SIBUSER, basis="UU 13/2003"
    )
    with counter.town.office.ledger.database.write() as tx:
        tx.change_exchange(binjai, state="delivered")
    asker, sender = counter.who(), counter.who("sijunjung")
    size = len(counter.town.entries())
    answers = set()
    cases = [(asker, waiting), (asker, binjai), (sender, counter.exchange), (asker, "0" * 32), (asker, "bukan id")]
    for who, exchange in cases:
        with pytest.raises(ClientError) as refused:
            counter.ask(who, token, exchange=exchange)
        answers.add(str(refused.value))
        assert (counter.last()["type"], counter.last()["reason"]) == ("sinergi/refusal/v1", "tidak_ada")
    assert (len(answers), len(counter.town.entries()) - size) == (1, len(cases))


@pytest.mark.parametrize(
    ("tokens", "ground", "reason", "why"),
    [
        ((), GROUND, REASON, "tokens"),
        (("1303010101909001",), GROUND, REASON, "Samaran ke-1"),
        (("p1.AAAAAAAAAAAAAAAAAAAAAB",), GROUND, REASON, "Samaran ke-1"),
        (("p01.AAAAAAAAAAAAAAAAAAAAAA",), GROUND, REASON, "Samaran ke-1"),
        (("p1.AAAAAAAAAAAAAAAAAAAAAA", "p1.AAAAAAAAAAAAAAAAAAAAAA"), GROUND, REASON, "Samaran ke-2"),
        (("p1.AAAAAAAAAAAAAAAAAAAAAA", "p2.AAAAAAAAAAAAAAAAAAAAAA"), GROUND, REASON, "Samaran ke-2"),
        (("p1.AAAAAAAAAAAAAAAAAAAAAA",), "pasal_20_2_f", REASON, "Dasar hukum"),
        (("p1.AAAAAAAAAAAAAAAAAAAAAA",), GROUND, "pendek", "alasan"),
        (("p1.AAAAAAAAAAAAAAAAAAAAAA",), GROUND, "Pengaduan NIK 1303010101909001", "alasan"),
        (("p1.AAAAAAAAAAAAAAAAAAAAAA",), GROUND, "Pengaduan atas p1.AAAAAAAAAAAAAAAAAAAAAQ", "alasan"),
    ],
)
def test_without_tokens_a_ground_and_a_reason_nothing_is_asked(counter: Counter, tokens: tuple[str, ...], ground: str, reason: str, why: str) -> None:
    size = len(counter.town.entries())
    with pytest.raises(ClientError, match=re.compile(why, re.IGNORECASE)):
        counter.ask(counter.who(), *tokens, ground=ground, reason=reason)
    assert len(counter.town.entries()) == size


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"agreement":"a","exchange":"b","ground":"c","reason":"d","tokens":[1]}', b'{"agreement":"a","exchange":"b","ground":"c","reason":"d","tokens":[],"x":1}'])
def test_a_question_of_another_form_is_refused(counter: Counter, body: bytes) -> None:
    with pytest.raises(ClientError, match="isi"):
        counter.who()._to.send("POST", "/v1/identities", body, "application/json")


def test_a_token_in_the_address_is_refused(counter: Counter) -> None:
    asker = counter.who()
    for method, path in (("GET", "/v1/identities?s=p1"), ("POST", f"/v1/identities/{'0' * 32}/answer?s=p1")):
        with pytest.raises(ClientError, match="Alamat ini"):
            asker._to.act(method, path)


def test_a_stop_ends_the_answering_too(counter: Counter) -> None:
    asker = counter.who()
    name = counter.ask(asker, counter.tokens()[0])
    for approver in counter.approvers():
        approver.approve(name)
    counter.officer("sijunjung").stop(SIJUNJUNG)
    for act in (lambda: asker.fetch(name, counter.town.folder / "a.json"), lambda: counter.ask(asker, counter.tokens()[1])):
        with pytest.raises(ClientError, match="dihentikan"):
            act()
        assert counter.last()["reason"] == "dihentikan"


def test_an_agreement_that_ended_tells_nobody(counter: Counter) -> None:
    asker = counter.who()
    name = counter.ask(asker, counter.tokens()[0])
    for approver in counter.approvers():
        approver.approve(name)
    counter.town.now = counter.town.now.replace(year=2028, month=3, day=21)
    with pytest.raises(ClientError, match="berakhir"):
        counter.ask(asker, counter.tokens()[0])
    assert counter.last()["reason"] == "berakhir"


def test_an_exchange_whose_secret_or_leaves_are_gone_tells_nobody(counter: Counter) -> None:
    asker, token = counter.who(), counter.tokens()[0]
    for dropped, why in ((False, "Rahasia"), (True, "retensi")):
        with counter.town.office.ledger.writing() as book:
            book.tx.kept.erase_secret(counter.exchange, SIJUNJUNG, dropped=dropped)
        with pytest.raises(ClientError, match=why):
            counter.ask(asker, token)


# --- how many, how long
def made_up(n: int, start: int = 0) -> list[str]:
    keys = DomainKey(bytes(32), 1)
    return list(pseudonym_tokens(pl.Series([f"{1303010101900000 + start + i}" for i in range(n)]), keys))


def test_many_tokens_take_two_officers_of_each_party(counter: Counter) -> None:
    asker = counter.who()
    made = asker.ask(SIJUNJUNG, counter.exchange, GROUND, REASON, [*made_up(FEW), counter.tokens()[0]])
    assert made["pairs"] == 2
    name, first, second = made["request"], counter.approvers(), counter.approvers()
    assert [who.approve(name)["state"] for who in (*first, second[0])] == ["pending"] * 3
    with pytest.raises(ClientError, match="keadaan: pending"):
        asker.fetch(name, counter.town.folder / "a.json")
    assert second[1].approve(name)["state"] == "approved"
    assert counter.opened(asker, name)[-1]["nomor"] == counter.niks()[0]


def test_many_in_small_requests_are_many(counter: Counter) -> None:
    """Of one party in one month, whoever asks; what came to nothing does not count, and another month begins anew."""
    one, two = counter.who(), counter.who()
    first = one.ask(SIJUNJUNG, counter.exchange, GROUND, REASON, made_up(FEW - 1))
    assert first["pairs"] == 1
    assert two.ask(SIJUNJUNG, counter.exchange, GROUND, REASON, counter.tokens()[:1])["pairs"] == 1
    assert two.ask(SIJUNJUNG, counter.exchange, GROUND, REASON, counter.tokens()[1:2])["pairs"] == 2
    counter.approvers()[0].decline(first["request"])
    assert two.ask(SIJUNJUNG, counter.exchange, GROUND, REASON, counter.tokens()[2:3])["pairs"] == 1
    counter.town.now = counter.town.now.replace(month=11, day=30, hour=16, minute=59)
    assert [one.ask(SIJUNJUNG, counter.exchange, GROUND, REASON, tokens)["pairs"] for tokens in (made_up(FEW), made_up(1, FEW))] == [1, 2]  # the others have lapsed
    counter.town.now += timedelta(minutes=1)  # December in WIB
    assert one.ask(SIJUNJUNG, counter.exchange, GROUND, REASON, made_up(FEW))["pairs"] == 1


def test_the_quota_of_a_party_and_month_holds(counter: Counter) -> None:
    asker = counter.who()
    asker.ask(SIJUNJUNG, counter.exchange, GROUND, REASON, made_up(QUOTA - 1))
    with pytest.raises(ClientError, match=f"{QUOTA} samaran setiap pihak dalam sebulan, sudah dipakai {QUOTA - 1}"):
        counter.ask(counter.who(), *made_up(2))
    assert counter.last()["reason"] == "kuota_identitas"
    counter.ask(asker, counter.tokens()[0])
    with pytest.raises(ClientError, match="tokens"):
        counter.ask(asker, *made_up(QUOTA + 1))


def test_a_quota_is_of_one_party_in_one_agreement(counter: Counter) -> None:
    asker = counter.who()
    counter.ask(asker, *made_up(1))
    with counter.town.office.ledger.database.write() as tx:
        (row,) = tx.identities.open(SIJUNJUNG)
        tx.identities.add(replace(row, id="1" * 32, party="sijunjung", subjects=QUOTA))
        tx.identities.add(replace(row, id="2" * 32, agreement=BINJAI, subjects=QUOTA))
    assert asker.ask(SIJUNJUNG, counter.exchange, GROUND, REASON, made_up(FEW - 1, 1))["pairs"] == 1
    assert asker.ask(SIJUNJUNG, counter.exchange, GROUND, REASON, made_up(1))["pairs"] == 2


@pytest.mark.parametrize("daily", [True, False])
def test_what_is_not_approved_or_fetched_in_time_lapses(counter: Counter, daily: bool) -> None:
    asker, approvers = counter.who(), counter.approvers()
    late, unfetched = (counter.ask(asker, token) for token in counter.tokens()[:2])
    counter.town.now += timedelta(days=6, hours=23)
    for approver in approvers:
        approver.approve(unfetched)
    counter.town.now += timedelta(hours=1)
    if daily:
        retire(counter.town.office, counter.town.now)
        assert asker.request(late)["state"] == "expired"
    with pytest.raises(ClientError, match="keadaan: expired"):
        approvers[0].approve(late)
    counter.town.now += timedelta(hours=23)
    if daily:
        retire(counter.town.office, counter.town.now)
    with pytest.raises(ClientError, match="keadaan: expired"):
        asker.fetch(unfetched, counter.town.folder / "a.json")
    with counter.town.office.ledger.database.read() as tx:
        rows = [tx.identities.request(name) for name in (late, unfetched)]
    assert [(row.state, row.sealed) for row in rows if row] == [("expired", None)] * 2


def test_one_officer_ends_a_request_for_both_even_when_it_is_approved(counter: Counter) -> None:
    asker, (ministry, regency) = counter.who(), counter.approvers()
    name = counter.ask(asker, counter.tokens()[0])
    ministry.approve(name)
    regency.approve(name)
    assert ministry.decline(name)["state"] == "declined"
    assert counter.entries()[-1]["act"] == "declined"
    with counter.town.office.ledger.database.read() as tx:
        row = tx.identities.request(name)
    assert row is not None
    assert row.sealed is None
    with pytest.raises(ClientError, match="keadaan: declined"):
        asker.fetch(name, counter.town.folder / "a.json")
    for act in (regency.approve, regency.decline):
        with pytest.raises(ClientError, match="keadaan: declined"):
            act(name)


# --- the sealed answer
def test_the_answer_opens_for_the_system_it_was_sealed_to_and_for_no_other(counter: Counter) -> None:
    asker = counter.who()
    name = counter.ask(asker, counter.tokens()[0])
    for approver in counter.approvers():
        approver.approve(name)
    counter.opened(asker, name)
    data = (counter.town.folder / f"{name}.json").read_bytes()
    assert not any(nik.encode() in data for nik in counter.niks())
    with pytest.raises(NotVerified):
        counter.town.client(SIJOKER, counter.http).identities(data)


@pytest.mark.parametrize("part", ["checkpoint", "entry", "envelope", "inclusion", "index", "log", "whole", "type", "field"])
def test_an_answer_that_the_ledger_does_not_bear_out_is_not_opened(counter: Counter, part: str) -> None:
    asker = counter.who()
    files = []
    for token in counter.tokens()[:2]:
        name = counter.ask(asker, token)
        for approver in counter.approvers():
            approver.approve(name)
        counter.opened(asker, name)
        files.append(json.loads((counter.town.folder / f"{name}.json").read_bytes()))
    one, two = files
    client = counter.town.client(SIAPKERJA, counter.http)
    assert client.identities(json.dumps(one).encode()).lines
    match part:
        case "whole":
            changed: Any = "x"
        case "type":
            changed = {**one, "index": str(one["index"])}
        case "field":
            changed = {**one, "x": 1}
        case "log":
            changed = {**one, "log": BINJAI}
        case _:
            changed = {**one, part: two[part]}
    with pytest.raises(NotVerified):
        client.identities(json.dumps(changed).encode())


# --- the yearly report, the commands
def test_no_route_gives_the_token_of_a_number_that_a_caller_supplies(counter: Counter) -> None:
    """Only an exchange makes tokens. Every route that takes a body is handed one, with every number of the exchange in it, by everyone who may."""
    niks, tokens = counter.niks(), counter.tokens()
    who = [counter.who("kemnaker", role)._to for role in ("operator", "auditor", "ppdp", "petugas_keamanan", "admin_pihak", "pembuka_samaran")]
    who += [counter.town.client(system, counter.http)._to for system in (SIAPKERJA, SIJOKER)]
    question = {"agreement": SIJUNJUNG, "from": "2026-11-01", "to": "2026-11-30", "reason": REASON, "proofs": False, "subjects": niks}
    asked = {"agreement": SIJUNJUNG, "exchange": counter.exchange, "ground": GROUND, "reason": REASON, "tokens": niks}
    texts = []
    for path, methods in counter.http.get("/v1/openapi.json").json()["paths"].items():
        target = re.sub(r"\{[a-z_:]+\}", counter.exchange, re.sub(r"\{(log|agreement)\}", SIJUNJUNG, path.replace("{year}", "2026")))
        for method in methods:
            for body in (question, asked) if method in ("post", "put") else (None,):
                data = None if body is None else json.dumps(body).encode()
                headers, digest = ({}, None) if data is None else ({"content-type": "application/json"}, sha256(data).digest())
                texts += [one.request(method.upper(), target, headers, digest, None if data is None else iter([data])).text for one in who]
    assert any('"disclosures"' in text for text in texts)  # some route did look the numbers up
    assert not any(token in text for text in texts for token in tokens)


def test_the_yearly_report_counts_what_was_asked_approved_and_told(counter: Counter) -> None:
    counter.answered(*counter.tokens()[:3])
    declined = counter.ask(counter.who(), counter.tokens()[0])
    counter.approvers()[0].decline(declined)
    asker = counter.who()
    asker.ask(SIJUNJUNG, counter.exchange, "mutu_data", REASON, [counter.tokens()[1]])
    log = counter.who("sijunjung", "auditor")
    said = log._to.get(f"/v1/audit/report/{SIJUNJUNG}/2026?format=json")
    assert said["identities"] == [
        {"answered": 0, "approved": 0, "asked": 1, "declined": 0, "ground": "mutu_data", "subjects": 1, "told": 0},
        {"answered": 1, "approved": 2, "asked": 2, "declined": 1, "ground": GROUND, "subjects": 4, "told": 3},
    ]


def test_the_commands_from_asking_to_opening(counter: Counter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asker, (ministry, regency) = counter.who(), counter.approvers()
    by_home = {one.person: one for one in (asker, ministry, regency)}
    monkeypatch.setattr(commands, "_unmasker", lambda home: nullcontext(by_home[home.name]))

    def run(*arguments: str, home: str, status: int = 0, typed: str = "") -> str:
        done = CliRunner().invoke(app, ["reidentify", *arguments, "--home", str(counter.town.folder / home)], input=typed)
        assert done.exit_code == status, done.output
        return done.output

    tokens = tmp_path / "tokens.txt"
    tokens.write_text(f"{counter.tokens()[1]}\n\n")
    said = run("ask", counter.exchange, "-k", SIJUNJUNG, "--ground", GROUND, "--reason", REASON, "-s", counter.tokens()[0], "--file", str(tokens), home=asker.person)
    name = str(re.search(r"[0-9a-f]{32}", said)[0])  # type: ignore[index]
    assert "atas 2 samaran menunggu satu pejabat setiap pihak" in said
    listed = run("list", home=ministry.person)
    assert all(text in listed for text in (name, asker.person, "2 samaran", "UU 27/2022 Pasal 30 ayat (1)", REASON, "belum ada", "WIB"))
    assert "Setujui?" in run("approve", name, home=ministry.person, status=1, typed="n\n")
    assert "menunggu persetujuan" in run("approve", name, home=ministry.person, typed="y\n").splitlines()[-1]
    assert "disetujui, belum diambil" in run("approve", name, "--yes", home=regency.person).splitlines()[-1]
    sealed = tmp_path / "a.json"
    run("fetch", name, "-o", str(sealed), home=asker.person)
    assert run("fetch", name, "-o", str(sealed), home=asker.person, status=1) == ""
    assert sealed.stat().st_mode & 0o777 == 0o600
    counter.town.client(SIAPKERJA, counter.http)
    shown = run("open", str(sealed), home=SIAPKERJA)
    assert [line.split() for line in shown.splitlines()[1:]] == [[token, "nik", nik] for token, nik in zip(counter.tokens()[:2], counter.niks()[:2], strict=True)]
    out = tmp_path / "a.ndjson"
    assert "2 baris" in run("open", str(sealed), "-o", str(out), home=SIAPKERJA)
    assert [json.loads(line)["nomor"] for line in out.read_text().splitlines()] == counter.niks()[:2]
    assert "Tidak ada permintaan yang menunggu" in run("list", home=ministry.person)
    second = counter.ask(asker, counter.tokens()[2])
    assert "ditolak" in run("decline", second, home=regency.person)
    assert run("ask", counter.exchange, "-k", SIJUNJUNG, "--ground", GROUND, "--reason", REASON, home=asker.person, status=1) == ""


def test_the_grounds_are_those_of_the_commands() -> None:
    assert list(commands.GROUNDS) == list(GROUNDS)
    assert all(text.startswith(commands.GROUNDS[code]) for code, text in GROUNDS.items())




@pytest.mark.parametrize("renewed", ["ours", "log"])
def test_an_answer_still_opens_after_keys_were_rotated(counter: Counter, renewed: str) -> None:
    asker, path = counter.who(), counter.town.folder / "a.json"
    name = counter.ask(asker, counter.tokens()[0])
    for approver in counter.approvers():
        approver.approve(name)
    asker.fetch(name, path)
    client = counter.town.client(SIAPKERJA, counter.http)
    if renewed == "ours":
        confirmed(counter, client.announce())
    else:
        rotation.by_host(counter.town.office, canonical({"act": "rotate", "purpose": "log", "ring": SIJUNJUNG}), counter.town.now)
    client.renew()
    assert client.identities(path.read_bytes()).lines[0]["nomor"] == counter.niks()[0]
