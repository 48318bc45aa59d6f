"""A party's own keys from one set to the next: the present one works until the next counts, and nothing is lost when it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from broker import enrolment
from broker.client.known import belief
from broker.client.ownkeys import open_own
from broker.envelope import sign_dsse
from broker.envelope.dsse import CONFIRMED, SUCCESSION
from broker.errors import ClientError, KeyRingError, NotVerified
from broker.jcs import canonical
from broker.keys import ReceiptKey
from broker.keys.ring import ACTIVE, DESTROYED, PENDING, RETIRED, open_ring
from broker.model import utc_text, wib_date
from tests.lifecycle.conftest import Desk
from tests.simulator import SIAPKERJA, SIJOKER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from broker.client import Client
    from broker.keys import PublicSet
    from tests.simulator import Town

AGREEMENT = "nk-sijunjung-2025"


@pytest.fixture
def desk(town: Town) -> Iterator[Desk]:
    with town.http() as http:
        yield Desk(town, http)


def states(client: Client) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for record in open_ring(client.home / "secrets").records:
        found.setdefault(record.purpose, []).append(record.state)
    return found


def confirmed(desk: Desk, public: PublicSet) -> None:
    """The two people's part: the host proposes, an officer of the party confirms."""
    notice = enrolment.Notice("12/2026", wib_date(desk.town.now))
    enrolment.propose(desk.town.office, public.to_json(), public.fingerprint, notice, desk.town.now)
    who = desk.officer(public.owner.partition("@")[2], "petugas_keamanan").person
    with desk.town.office.ledger.database.read() as tx:
        person = tx.people.get(who)
    assert person is not None
    enrolment.confirm(desk.town.office, person, public.owner, public.fingerprint, desk.town.now)


def send(client: Client, desk: Desk, tmp_path: Path, name: str) -> str:
    file = tmp_path / f"{name}.csv"
    file.write_bytes(desk.town.csv(desk.town.rows(n=4)))
    answer = client.send(file, agreement=AGREEMENT, dataset="pencari_kerja", purpose="perencanaan", recipient=SIAPKERJA)
    assert answer.state == "recorded", answer
    return answer.exchange


def test_a_set_that_is_announced_changes_nothing_until_it_is_confirmed(desk: Desk, tmp_path: Path) -> None:
    sender = desk.town.client(SIJOKER, desk.http)
    waiting = sender.announce()
    assert sender.announce() == waiting  # asked again: the same
    assert (sender.home / f"{SIJOKER}.baru.json").read_bytes() == waiting.to_json()
    assert {tuple(s) for s in states(sender).values()} == {(ACTIVE, PENDING)}
    send(sender, desk, tmp_path, "a")
    enrolment.propose(desk.town.office, waiting.to_json(), waiting.fingerprint, enrolment.Notice("1/2026", wib_date(desk.town.now)), desk.town.now)
    send(sender, desk, tmp_path, "b")
    assert {tuple(s) for s in states(sender).values()} == {(ACTIVE, PENDING)}


@pytest.mark.parametrize("system", [SIJOKER, SIAPKERJA])
def test_both_sides_change_over_by_themselves_and_nothing_under_way_is_lost(desk: Desk, tmp_path: Path, system: str) -> None:
    sender, recipient = desk.town.client(SIJOKER, desk.http), desk.town.client(SIAPKERJA, desk.http)
    renewing = sender if system == SIJOKER else recipient
    before = renewing.own.fingerprint
    early = send(sender, desk, tmp_path, "a")
    confirmed(desk, renewing.announce())
    late = send(sender, desk, tmp_path, "b")  # sealed to the new key where the recipient renews
    assert {one.exchange for one in recipient.receive()} == {early, late}
    assert set(sender.countersign()) == {early, late}
    assert {tuple(s) for s in states(renewing).values()} == {(RETIRED, ACTIVE)}
    assert renewing.own.fingerprint != before
    assert not (renewing.home / f"{system}.baru.json").exists()
    for name in (early, late):
        assert recipient.verify(name).lines == 4
    again = desk.town.client(system, desk.http)  # from disk
    assert belief(again.known_keys(), again.own, desk.town.now).ok
    last = send(desk.town.client(SIJOKER, desk.http), desk, tmp_path, "c")
    assert [one.exchange for one in desk.town.client(SIAPKERJA, desk.http).receive()] == [last]


def test_an_unsigned_word_that_our_next_set_counts_changes_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    client = desk.town.client(SIJOKER, desk.http)
    fingerprint = client.announce().fingerprint.replace(" ", "")
    known = client.known_keys()
    lie = {**known, "peers": [*known["peers"], {"system": SIJOKER, "fingerprint": fingerprint, "state": "active"}]}
    monkeypatch.setattr(client._to, "known_keys", lambda: lie)
    client.renew()
    assert {tuple(s) for s in states(client).values()} == {(ACTIVE, PENDING)}


def test_a_word_on_our_next_set_that_the_broker_did_not_sign_so_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    client = desk.town.client(SIJOKER, desk.http)
    fingerprint = client.announce().fingerprint.replace(" ", "")
    ours = desk.town.office.rings["broker"].get(ReceiptKey, "receipt")
    said = {"fingerprint": fingerprint, "system": SIJOKER, "time": utc_text(desk.town.now), "type": "sinergi/key-confirmed/v1"}
    wrong = [
        sign_dsse(CONFIRMED, canonical(said), ReceiptKey(bytes(32))),
        sign_dsse(CONFIRMED, canonical(said), desk.town.office.rings[AGREEMENT].get(ReceiptKey, "receipt")),
        sign_dsse(SUCCESSION, canonical(said), ours),
        *(sign_dsse(CONFIRMED, canonical(said | other), ours) for other in ({"system": SIAPKERJA}, {"fingerprint": "0" * 64}, {"type": "sinergi/succession/v1"})),
    ]
    for one in wrong:
        monkeypatch.setattr(client._to, "confirmed", lambda _, one=one: one.to_json())
        with pytest.raises(NotVerified):
            client.renew()
        assert {tuple(s) for s in states(client).values()} == {(ACTIVE, PENDING)}


def test_what_was_sealed_to_a_destroyed_key_is_never_opened_again(desk: Desk, tmp_path: Path) -> None:
    sender, recipient = desk.town.client(SIJOKER, desk.http), desk.town.client(SIAPKERJA, desk.http)
    early = send(sender, desk, tmp_path, "a")
    recipient.receive()
    in_use = next(r.kid for r in open_ring(recipient.home / "secrets").records if r.purpose == "kem")
    with pytest.raises(KeyRingError, match="does not become"):
        recipient.destroy(in_use)
    confirmed(desk, recipient.announce())
    recipient.renew()
    recipient.open(early, tmp_path / "early.csv")
    recipient.destroy(in_use)
    assert states(recipient)["kem"] == [DESTROYED, ACTIVE]
    with pytest.raises(Exception, match="open"):
        recipient.open(early, tmp_path / "again.csv")
    assert not (tmp_path / "again.csv").exists()


def test_an_older_copy_of_a_partys_ring_is_noticed(desk: Desk) -> None:
    client = desk.town.client(SIJOKER, desk.http)
    path = client.home / "secrets" / "ring.json"
    old = path.read_bytes()
    client.announce()
    open_own(client.home)
    path.write_bytes(old)
    with pytest.raises(KeyRingError, match="older copy"):
        open_own(client.home)
    (client.home / "kunci.versi").write_text("bukan angka")
    with pytest.raises(KeyRingError, match="last in use"):
        open_own(client.home)


def test_a_home_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises((KeyRingError, ClientError)):
        open_own(tmp_path)


def test_a_change_over_that_a_crash_cut_short_is_finished(desk: Desk) -> None:
    client = desk.town.client(SIJOKER, desk.http)
    shown, following = client.home / f"{SIJOKER}.json", client.home / f"{SIJOKER}.baru.json"
    old, waiting = shown.read_bytes(), client.announce()
    confirmed(desk, waiting)
    client.renew()
    shown.write_bytes(old)  # the ring was written, these were not
    following.write_bytes(waiting.to_json())
    desk.town.client(SIJOKER, desk.http).renew()
    assert shown.read_bytes() == waiting.to_json()
    assert not following.exists()


def test_a_next_set_whose_file_was_carried_away_is_taken_over_all_the_same(desk: Desk) -> None:
    client = desk.town.client(SIJOKER, desk.http)
    waiting = client.announce()
    confirmed(desk, waiting)
    (client.home / f"{SIJOKER}.baru.json").unlink()
    client.renew()
    assert (client.home / f"{SIJOKER}.json").read_bytes() == waiting.to_json()
    assert {tuple(s) for s in states(client).values()} == {(RETIRED, ACTIVE)}


def test_what_was_sealed_before_the_next_set_is_sent_again_after_the_overlap(desk: Desk, tmp_path: Path) -> None:
    client, file = desk.town.client(SIJOKER, desk.http), tmp_path / "a.csv"
    file.write_bytes(desk.town.csv(desk.town.rows(n=3)))
    kept, held = client._seal(file, "k" * 20, AGREEMENT, "pencari_kerja", "perencanaan", SIAPKERJA, None, "1.0.0", lambda _: None)
    held.close()
    confirmed(desk, client.announce())
    desk.town.now += enrolment.OVERLAP
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "renew", lambda: None)  # it signs with keys that no longer count
        assert [answer.problem["reason"] for answer in client.resend() if answer.problem] == ["tanda_tangan"]
    assert kept.exists()  # nothing is known of it yet
    assert [answer.problem["reason"] for answer in client.resend() if answer.problem] == ["pernyataan"]
    assert not kept.exists()
