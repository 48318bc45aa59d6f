"""What must hold for anything to leave: asked before an exchange begins, and again in the transaction that releases it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.agreement import sealed_in_x25519
from broker.errors import Refusal
from broker.keys import AnyKemPublic
from broker.model import System, wib_date
from broker.record import entry_time
from broker.roles import may
from broker.vouching import vouched

if TYPE_CHECKING:
    from datetime import date, datetime

    from broker.model import Agreement, Terms
    from broker.office import Office
    from broker.store import Transaction
    from broker.submission import Submission


def not_stopped(office: Office, tx: Transaction, now: datetime, agreement: str, *parties: str) -> None:
    """Refusal dihentikan while an officer's stop of the agreement or of a party holds; Held while its witnesses keep releases."""
    for stop in tx.versions.stops():
        if stop.target in (agreement, *parties):
            raise Refusal("dihentikan", sasaran=stop.target)
    not_held(office, tx, now, agreement)


def not_held(office: Office, tx: Transaction, now: datetime, agreement: str) -> None:
    """Held while the agreement's quorum of witnesses has not answered since the start, or not for longer than its limit, or saw another log."""
    quorum = office.quorums.get(agreement)
    if quorum is not None:
        quorum.check(now, lambda size: entry_time(tx, agreement, size))


def still_sends(office: Office, tx: Transaction, submission: Submission, terms: Terms, now: datetime) -> None:
    """Refusal pernyataan unless the key that signed the statement stands; wewenang, belum_dijamin unless the officer whom it names may still send for the sending system."""
    if submission.person is None:
        if not office.peers.stands(terms.sender.id, submission.kid):
            raise Refusal("pernyataan")
        return
    person = tx.people.get(submission.person)
    if person is None or not may(person, "kirim", terms.agreement.id, wib_date(now)) or terms.agreement.systems.get(person.party) != terms.sender.id:
        raise Refusal("wewenang", tindakan="kirim")
    if not vouched(office, person):
        raise Refusal("belum_dijamin")


def recipient_keys(office: Office, agreement: Agreement, recipient: System, day: date) -> tuple[AnyKemPublic, ...]:
    """The recipient's KEM keys of the one suite that the agreement names for its party: of its newest set, then of those before it in their overlap.

    Refusal: its newest set has none, or another party has one of them.
    """
    purpose = "kem-x25519" if sealed_in_x25519(agreement, recipient.party, day) else "kem"
    newest, standing = office.peers.get(recipient.id), office.peers.standing()
    keys = tuple(dict.fromkeys(key for one in standing if one.owner == recipient.id and isinstance(key := one.keys.get(("", purpose)), AnyKemPublic)))
    theirs = {key for one in standing if System(one.owner).party != recipient.party for key in one.keys.values()}
    if newest is None or ("", purpose) not in newest.keys or not theirs.isdisjoint(keys):
        raise Refusal("penerima_tanpa_kunci", penerima=recipient.id)
    return keys
