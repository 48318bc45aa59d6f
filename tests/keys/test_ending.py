"""An agreement that is over: its secret keys are destroyed by the word of both parties, that is certified, and what was signed verifies as before."""

from __future__ import annotations

import dataclasses
import json
from base64 import b64encode
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from broker import ending, people
from broker.audit import erasure, reidentify
from broker.audit.erasure import Ground
from broker.cli import ending as commands
from broker.cli import main
from broker.client.auditor import Auditor
from broker.client.destruction import read_certificate
from broker.client.reidentify import Unmasker
from broker.client.reports import Reports
from broker.envelope import read_dsse, sign_dsse
from broker.envelope.dsse import DESTRUCTION, SUCCESSION
from broker.errors import ClientError, NotVerified, Refusal
from broker.exchange import exchange
from broker.jcs import canonical
from broker.keys import PublicSet, ReceiptKey, derive, open_ring, read_public_set
from broker.keys.cmac import column_cmac
from broker.keys.ring import DESTROYED
from broker.ledger import leaf_hash, root_of
from broker.model import utc_text, wib_date
from broker.record import BROKER_LOG, event
from broker.treatment import DomainKey, pseudonym_tokens
from tests.keys.test_rotation import AGREEMENT, act, states, wired
from tests.lifecycle.conftest import Desk
from tests.simulator import SIAPKERJA, SIJOKER, Town

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from broker.client.officer import Officer

REASON = "Permintaan akses subjek data nomor 12"
OVER = date(2028, 3, 21)  # after the agreement's last day
PARTIES = ("kemnaker", "sijunjung")


@dataclass
class Closing(Desk):
    """A town with rings of its own where the ministry received six people, and the agreement's last day comes."""

    rows: list[list[str]] = field(default_factory=list)
    exchange: str = ""

    def begin(self) -> None:
        town = self.town
        town.now = town.now.replace(year=2028, month=3, day=10)
        self.rows = town.rows(n=6)
        self.exchange, _ = town.exchange(town.csv(self.rows))
        town.client(SIAPKERJA, self.http).receive()

    def over(self) -> None:
        self.town.now = self.town.now.replace(year=OVER.year, month=OVER.month, day=OVER.day)

    def approvers(self) -> list[Officer]:
        return [self.officer(party, "ppdp") for party in PARTIES]

    def approved(self) -> list[Officer]:
        self.over()
        found = self.approvers()
        for one in found:
            one.approve_ending(AGREEMENT)
        return found

    def end(self) -> dict[str, Any]:
        return act(self.town, act="end", ring=AGREEMENT, typed=AGREEMENT)

    def ended(self) -> list[Officer]:
        found = self.approved()
        self.end()
        return found

    def niks(self) -> list[str]:
        at = self.town.office.contracts["pencari_kerja"].names.index("nik")
        return [row[at] for row in self.rows]

    def tokens(self) -> list[str]:
        out = self.town.folder / "baris.ndjson"
        if not out.exists():
            self.town.client(SIAPKERJA, self.http).open(self.exchange, out, form="ndjson")
        return [json.loads(line)["nik"] for line in out.read_text().splitlines()]

    def entries(self, what: str, log: str = AGREEMENT) -> list[dict[str, Any]]:
        return [e for e in self.town.entries(log) if e["type"] == "sinergi/keys/v1" and e["act"] == what]

    def public(self) -> PublicSet:
        return read_public_set((self.town.province.home / "public.json").read_bytes())

    def refused(self, sebab: str, reason: str = "kunci_langkah") -> None:
        """What is asked now is refused for this cause, and nothing changed."""
        before = (self.town.home / "secrets" / AGREEMENT / "ring.json").read_bytes()
        with pytest.raises(Refusal) as caught:
            self.end()
        assert caught.value.reason == reason
        assert sebab in str(caught.value.facts.get("sebab", ""))
        assert (self.town.home / "secrets" / AGREEMENT / "ring.json").read_bytes() == before
        assert self.entries("ended") == []


@pytest.fixture
def closing(town: Town) -> Iterator[Closing]:
    wired(town)
    with town.http() as http:
        made = Closing(town, http)
        made.begin()
        yield made


# --- before
def test_an_agreement_in_force_is_not_ended_not_even_on_its_last_day(closing: Closing) -> None:
    officers, ends = closing.approvers(), closing.town.office.agreements[AGREEMENT].ends
    closing.town.now = datetime(ends.year, ends.month, ends.day, 16, 59, tzinfo=UTC)  # 23:59 WIB
    closing.refused(f"belum berakhir, hari terakhirnya {ends}")
    with pytest.raises(ClientError, match="belum berakhir"):
        officers[0].approve_ending(AGREEMENT)
    assert closing.entries("ending_approved") == []
    assert closing.town.entries(BROKER_LOG)[-1]["reason"] == "kunci_langkah"


def test_both_parties_must_have_approved(closing: Closing) -> None:
    closing.over()
    closing.refused("kemnaker, sijunjung")
    first, second = closing.approvers()
    first.approve_ending(AGREEMENT)
    closing.officer("kemnaker", "admin_pihak").approve_ending(AGREEMENT)  # two of one party are not one of each
    closing.refused("petugas sijunjung dalam")
    second.approve_ending(AGREEMENT)
    closing.end()
    assert [e["party"] for e in closing.entries("ending_approved")] == ["kemnaker", "kemnaker", "sijunjung"]


@pytest.mark.parametrize(("party", "role"), [("sijunjung", "operator"), ("sijunjung", "auditor"), ("binjai", "ppdp"), ("sijunjung", "pembuka_samaran")])
def test_nobody_else_approves(closing: Closing, party: str, role: str) -> None:
    closing.over()
    with pytest.raises(ClientError, match="Peran Anda tidak mencakup"):
        closing.officer(party, role).approve_ending(AGREEMENT)
    assert closing.entries("ending_approved") == []


def test_who_nobody_vouches_for_does_not_approve(closing: Closing) -> None:
    closing.over()
    officer = closing.officer("sijunjung", "ppdp")
    with closing.town.office.ledger.writing() as book:
        person = book.tx.people.get(officer.person)
        assert person is not None
        book.tx.people.change(person.id, voucher=None)
    with pytest.raises(ClientError, match="belum menjamin"):
        officer.approve_ending(AGREEMENT)


def test_an_approval_holds_thirty_days_and_is_judged_when_it_is_used(closing: Closing) -> None:
    first, _ = closing.approved()
    closing.town.now += timedelta(days=30)
    closing.refused("kemnaker, sijunjung")
    people.end(closing.town.office, first.person, closing.town.now)
    closing.town.now -= timedelta(seconds=1)
    closing.refused("petugas kemnaker dalam")
    closing.officer("kemnaker", "ppdp").approve_ending(AGREEMENT)
    closing.end()


def test_an_approval_that_is_not_in_the_log_is_none(closing: Closing) -> None:
    closing.over()
    closing.approvers()[0].approve_ending(AGREEMENT)
    with closing.town.office.ledger.writing() as book:  # as who runs the host could write it: of somebody who is not there
        book.append(AGREEMENT, event("keys", closing.town.now, act="ending_approved", party="sijunjung", person="ppdp-9@sijunjung"))
    closing.refused("petugas sijunjung dalam")


def test_what_waits_is_neither_lost_nor_left_unopened(closing: Closing) -> None:
    town = closing.town
    sent, _ = town.exchange(town.csv(town.rows(n=3, seed=2)))
    name = town.accept(town.submission(town.csv(town.rows(n=3, seed=3))))
    closing.approved()
    closing.refused("2 kiriman masih menunggu")
    with pytest.raises(Refusal, match="berakhir"):
        exchange(town.office, name, town.now)
    closing.refused("1 kiriman masih menunggu")
    assert [one.exchange for one in town.client(SIAPKERJA, closing.http).receive()] == [sent]
    closing.end()


@pytest.mark.parametrize("asked", [{"ring": AGREEMENT}, {"ring": AGREEMENT, "typed": "nk-binjai-2025"}, {"ring": BROKER_LOG, "typed": BROKER_LOG}, {"ring": "lain", "typed": "lain"}])
def test_the_id_is_typed_again_and_is_an_agreements(closing: Closing, asked: dict[str, str]) -> None:
    closing.approved()
    with pytest.raises(Refusal, match="parameter"):
        act(closing.town, act="end", **asked)
    assert states(closing.town, "root") == ["active"]


# --- what is destroyed
def test_nothing_on_disk_makes_or_turns_back_a_pseudonym_afterwards(closing: Closing) -> None:
    town = closing.town
    for purpose in ("root", "vault"):
        act(town, act="rotate", ring=AGREEMENT, purpose=purpose)
    act(town, act="announce", ring=AGREEMENT, purpose="kem")
    ring = town.office.rings[AGREEMENT]
    tokens, nik = closing.tokens(), closing.niks()[0]
    root = ring.seeds("root")[1]

    def made_with(seed: bytes) -> str:
        key = DomainKey.of(seed, agreement=AGREEMENT, sender="sijunjung", recipient="kemnaker", entity="orang", purpose="perencanaan", epoch=1)
        return str(pseudonym_tokens(pl.Series([nik]), key)[0])

    assert made_with(root) in tokens
    gone = [ring.keys[r.kid].seed for r in ring.records if r.purpose in ("root", "vault", "kem")]
    gone += [r.wrapped for r in ring.records if r.wrapped is not None and r.purpose in ("root", "vault", "kem")]
    gone += [derive(seed, "tag", AGREEMENT.encode()) for seed in (root, *ring.seeds("vault").values())]
    assert len(gone) == 15
    closing.ended()
    town.close()
    files = [path for path in town.home.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"ledger.db", "ring.json"}
    for path in files:
        data = path.read_bytes()
        for secret in gone:
            assert not any(form in data for form in (secret, secret.hex().encode(), b64encode(secret))), path
    left = open_ring(town.home / "secrets" / AGREEMENT)
    assert {r.purpose for r in left.records if r.wrapped is not None} == {"log", "receipt"}
    secrets = [key.seed for key in left.keys.values()] + [left.mac_key, *(key.seed for key in open_ring(town.home / "secrets" / BROKER_LOG).keys.values())]
    tag_of = {seed: column_cmac(derive(seed, "tag", AGREEMENT.encode()), pl.Series([nik]))[0].tobytes() for seed in secrets}
    town.reopen()
    with town.office.ledger.database.read() as tx:
        assert not any(made_with(seed) in tokens or tx.vault(AGREEMENT).find(tag_of[seed]) for seed in secrets)


@pytest.mark.parametrize("asked", ["search", "approved_search", "reidentify", "erase", "compare"])
def test_what_would_need_them_is_refused_by_that_reason(closing: Closing, asked: str) -> None:
    town, http = closing.town, closing.http
    ppdp = closing.officer("sijunjung", "ppdp")
    auditor = Auditor.at(town.folder / ppdp.person, lambda: town.now, http)
    subjects = [closing.niks()[0], *(f"13{n:014}" for n in range(20))]
    tokens = closing.tokens()
    closing.approved()
    if asked == "approved_search":
        waiting = auditor.ask(AGREEMENT, date(2026, 1, 1), date(2028, 12, 31), REASON, subjects)["request"]
        Auditor.at(town.folder / closing.officer("sijunjung", "auditor").person, lambda: town.now, http).approve(waiting)
    closing.end()
    match asked:
        case "search":
            with pytest.raises(ClientError, match="sudah dimusnahkan"):
                auditor.ask(AGREEMENT, date(2026, 1, 1), date(2028, 12, 31), REASON, subjects[:1])
        case "approved_search":
            with pytest.raises(ClientError, match="sudah dimusnahkan"):
                auditor.answer(waiting)
        case "erase":
            with pytest.raises(Refusal) as caught:
                erasure.erase_subject(town.office, person(town, ppdp.person), AGREEMENT, subjects[0], Ground("pasal_43_1_c", REASON), town.now)
            assert caught.value.reason == "kunci_dimusnahkan"
        case "compare":
            with pytest.raises(ClientError, match="sudah dimusnahkan"):
                town.client(SIJOKER, http)._to.get(f"/v1/exchanges/{closing.exchange}/refs")
        case "reidentify":
            operator = closing.officer("kemnaker", "operator").person
            asker = Unmasker.at(town.folder / operator, lambda: town.now, http)
            with pytest.raises(ClientError, match="berakhir"):
                asker.ask(AGREEMENT, closing.exchange, "pasal_30_1", REASON, tokens[:1])
            prolonged(town)
            with pytest.raises(Refusal) as caught:
                reidentify.ask(town.office, person(town, operator), reidentify.Question(AGREEMENT, closing.exchange, "pasal_30_1", REASON, tuple(tokens[:1])), town.now)
            assert caught.value.reason == "kunci_dimusnahkan"


def person(town: Town, name: str) -> Any:
    with town.office.ledger.database.read() as tx:
        return tx.people.get(name)


def prolonged(town: Town, ends: date = date(2031, 3, 20)) -> None:
    """Its file says another last day: by an addendum, or by who can write on the host."""
    longer = dataclasses.replace(town.office.agreements[AGREEMENT], ends=ends)
    town.office = dataclasses.replace(town.office, agreements={**town.office.agreements, AGREEMENT: longer})


def test_a_longer_term_gives_no_key_back(closing: Closing) -> None:
    town = closing.town
    sealed, term = town.submission(town.csv(town.rows(n=3, seed=4))), town.office.agreements[AGREEMENT].ends
    prolonged(town, wib_date(town.now) - timedelta(days=1))
    for one in closing.approvers():
        ending.approve(town.office, person(town, one.person), AGREEMENT, town.now)
    closing.end()
    prolonged(town, term)
    name = town.accept(sealed)
    with pytest.raises(Refusal):
        exchange(town.office, name, town.now)
    town.assert_refused(name, "kunci_dimusnahkan")


def test_an_exchange_is_refused_before_any_key_is_needed(closing: Closing) -> None:
    town = closing.town
    sealed = town.submission(town.csv(town.rows(n=3, seed=4)))
    closing.ended()
    name = town.accept(sealed)
    with pytest.raises(Refusal):
        exchange(town.office, name, town.now)
    town.assert_refused(name, "berakhir")


def test_while_its_root_is_disabled_an_exchange_is_refused_by_name(closing: Closing) -> None:
    town = closing.town
    act(town, act="disable", ring=AGREEMENT, kid=next(r.kid for r in town.office.rings[AGREEMENT].records if r.purpose == "root"))
    name = town.accept(town.submission(town.csv(town.rows(n=3, seed=4))))
    with pytest.raises(Refusal):
        exchange(town.office, name, town.now)
    town.assert_refused(name, "kunci_nonaktif")


def test_no_key_comes_back_to_an_ended_ring(closing: Closing) -> None:
    closing.ended()
    for step in ("rotate", "announce"):
        for purpose in ("root", "vault", "kem"):
            with pytest.raises(Refusal, match="kunci_langkah"):
                act(closing.town, act=step, ring=AGREEMENT, purpose=purpose)
    for record in closing.town.office.rings[AGREEMENT].records:
        if record.state == DESTROYED:
            with pytest.raises(Refusal, match="kunci_langkah"):
                act(closing.town, act="enable", ring=AGREEMENT, kid=record.kid)
    with pytest.raises(Refusal, match="kunci_dimusnahkan"):
        closing.end()
    with pytest.raises(ClientError, match="sudah dimusnahkan"):
        closing.officer("sijunjung", "ppdp").approve_ending(AGREEMENT)


# --- what stays
def test_what_was_signed_verifies_and_the_log_goes_on(closing: Closing) -> None:
    town, http = closing.town, closing.http
    recipient, sender = town.client(SIAPKERJA, http), town.client(SIJOKER, http)
    officer = closing.ended()[1]
    assert recipient.verify(closing.exchange).lines == 6
    proof = sender._to.get(f"/v1/exchanges/{closing.exchange}/proof")
    assert set(proof["receipts"]) == {"broker", SIAPKERJA}
    reports = Reports.at(town.folder / officer.person, lambda: town.now, http)
    assert reports.bundle(AGREEMENT, date(2026, 1, 1), date(2028, 12, 31), town.folder / "bundel.zip")
    auditor = Auditor.at(town.folder / officer.person, lambda: town.now, http)
    assert auditor.unusual(AGREEMENT, 30)["unjudged"] == 1
    town.now = town.now.replace(year=2029)
    for form in ("json", "pdf"):
        assert reports.report(AGREEMENT, 2028, form, None, town.folder / f"2028.{form}")
    report = json.loads((town.folder / "2028.json").read_text())
    (flow,) = report["flows"]
    assert (flow["exchanges"], flow["released"], flow["without_keys"], flow["persons"]) == (1, 6, 1, 0)
    size = town.office.ledger.size(AGREEMENT)
    act(town, act="rotate", ring=AGREEMENT, purpose="log")
    act(town, act="rotate", ring=AGREEMENT, purpose="receipt")
    assert town.office.ledger.size(AGREEMENT) > size
    wired(town)  # a restart
    recipient.renew()
    assert recipient.verify(closing.exchange).lines == 6


# --- the certificate
def test_the_certificate_is_fetched_by_either_party_and_holds_offline(closing: Closing) -> None:
    town = closing.town
    officers = closing.ended()
    data, found = officers[0].certificate(AGREEMENT)
    assert officers[1].certificate(AGREEMENT)[0] == data
    assert (found.agreement, set(found.parties), found.time) == (AGREEMENT, set(PARTIES), closing.entries("ended")[0]["time"])
    records = town.office.rings[AGREEMENT].records
    assert {(k.purpose, k.epoch, k.kid) for k in found.keys} == {(r.purpose, r.epoch, r.kid) for r in records if r.purpose in ("root", "vault", "kem")}
    with town.office.ledger.database.read() as tx:
        log = list(tx.entries(AGREEMENT))
    assert json.loads(log[found.entry])["act"] == "ended"
    assert found.size == found.entry + 1
    assert found.root == root_of([leaf_hash(entry) for entry in log[: found.size]]).hex()
    for one, officer in zip(found.approvals, officers, strict=True):
        assert (one.person, one.party) == (officer.person, officer.person.partition("@")[2])
        assert json.loads(log[one.entry]) == {"act": "ending_approved", "party": one.party, "person": one.person, "time": json.loads(log[one.entry])["time"], "type": "sinergi/keys/v1"}
    (told,) = closing.entries("ended", BROKER_LOG)
    assert (told["agreement"], told["certificate_sha256"]) == (AGREEMENT, sha256(data).hexdigest())
    assert read_certificate(data, closing.public()) == found


def test_before_there_is_one_and_to_others_none_is_given(closing: Closing) -> None:
    officers = closing.approved()
    with pytest.raises(ClientError, match="belum dimusnahkan"):
        officers[0].certificate(AGREEMENT)
    closing.end()
    for party, role in (("binjai", "ppdp"), ("sijunjung", "operator")):
        with pytest.raises(ClientError, match="Peran Anda tidak mencakup"):
            closing.officer(party, role).certificate(AGREEMENT)
    with pytest.raises(ClientError):
        officers[0].certificate("nk-binjai-2025")


def test_a_certificate_that_another_signed_or_that_was_changed_is_refused(closing: Closing) -> None:
    town = closing.town
    data, _ = closing.ended()[0].certificate(AGREEMENT)
    said, public = json.loads(read_dsse(data).payload), closing.public()
    key = town.office.rings[AGREEMENT].get(ReceiptKey, "receipt")

    def signed(kind: str = DESTRUCTION, by: ReceiptKey = key, **changed: Any) -> bytes:
        return sign_dsse(kind, canonical({**said, **changed}), by).to_json()

    read_certificate(signed(), public)
    wrong = [
        signed(SUCCESSION),
        signed(by=town.office.rings["nk-binjai-2025"].get(ReceiptKey, "receipt")),
        signed(by=town.office.rings[BROKER_LOG].get(ReceiptKey, "receipt")),
        signed(agreement="nk-binjai-2025"),
        signed(agreement="lain"),
        signed(type="sinergi/erasure/v1"),
        signed(keys=[one for one in said["keys"] if one["purpose"] != "vault"]),
        signed(approvals=said["approvals"][:1]),
        signed(approvals=[]),
        signed(approvals=7),
        signed(checkpoint={}),
        signed(lain=1),
        data.replace(b'"payload":"', b'"payload":"AAAA'),
        data + b" ",
        b"{}",
    ]
    for one in wrong:
        with pytest.raises(NotVerified):
            read_certificate(one, public)


def test_a_crash_between_the_ring_and_its_entry_is_finished_by_the_next_start(closing: Closing) -> None:
    town = closing.town
    officers = closing.approved()
    size = town.office.ledger.size(AGREEMENT)
    at = town.now
    town.office.rings.change(AGREEMENT, lambda ring: ending.destroyed(town.office, ring, at))
    assert town.office.ledger.size(AGREEMENT) == size
    people.end(town.office, officers[0].person, town.now)  # what was judged then is not judged again
    town.now += timedelta(days=40)
    wired(town)
    wired(town)
    (entry,) = closing.entries("ended")
    assert [one["person"] for one in entry["approvals"]] == [one.person for one in officers]
    with town.office.ledger.database.read() as tx:
        found = read_certificate(tx.keyrings.certificate(AGREEMENT) or b"", closing.public())
    assert {key.time for key in found.keys} == {utc_text(at)} != {found.time}
    assert len(found.approvals) == 2


# --- commands
def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main([*map(str, words)])
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out + printed.err


def test_the_commands(closing: Closing, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    town = closing.town
    closing.over()
    officers = closing.approvers()
    asked: list[dict[str, Any]] = []

    def host(_path: str, _home: Path | None, _port: int | None, **what: Any) -> dict[str, Any]:
        asked.append(what)
        return act(town, **what)

    monkeypatch.setattr(commands, "ask_host", host)
    for officer in officers:
        monkeypatch.setattr(commands, "acting", lambda _home, officer=officer: nullcontext(officer))
        status, said = run(capsys, "keys", "approve-end", "-k", AGREEMENT)
        assert (status, "disetujui bagi pihak Anda sampai 20-04-2028" in said) == (0, True), said
    for typed in (["--yes", "nk-binjai-2025"], []):
        assert run(capsys, "keys", "end", AGREEMENT, *typed)[0] == 1
    assert asked == []
    status, said = run(capsys, "keys", "end", AGREEMENT, "--yes", AGREEMENT)
    assert (status, f"Kunci {AGREEMENT} dimusnahkan: 3" in said, "cadangan" in said) == (0, True, True), said
    file, public = town.folder / "sertifikat.json", town.province.home / "public.json"
    status, said = run(capsys, "keys", "certificate", "-k", AGREEMENT, "-o", file)
    assert (status, "SAH: kunci rahasia" in said) == (0, True), said
    assert run(capsys, "keys", "certificate", "-k", AGREEMENT, "-o", file)[0] == 1  # it exists
    status, said = run(capsys, "verify", file, "--broker", public)
    assert (status, "SAH: kunci rahasia" in said, "Tidak dibuktikan" in said, officers[0].person in said) == (0, True, True, True), said
    file.write_bytes(file.read_bytes().replace(b'"sig":"', b'"sig":"AAAA', 1))
    assert run(capsys, "verify", file, "--broker", public)[0] == 1
