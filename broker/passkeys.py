"""Officers' passkeys: registered in the browser, counted once their own key, or their party's system, vouches for them. Who approves policies, keys or identities may have some.

The broker alone can add none: what it keeps beside an account is a file and a voucher, and the voucher is verified again with everything that the passkey signs.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from broker.envelope import read_passkey, registered
from broker.errors import NotVerified, Refusal
from broker.jcs import canonical
from broker.model import utc_text, wib_date
from broker.people import record
from broker.roles import may
from broker.store import PasskeyRow
from broker.vouching import denied, passkey_counts, passkey_word, vouched

if TYPE_CHECKING:
    from datetime import datetime

    from broker.envelope import Passkey
    from broker.model import Person
    from broker.office import Office
    from broker.store import Transaction

MOST: Final = 5  # of one officer
ACTS: Final = ("setujui_kebijakan", "sahkan_kunci", "buka_samaran")  # what one approves by them


def challenge(person: str, session: str) -> bytes:
    """What the authenticator answers when a passkey is made. session: a secret of the officer's own session."""
    return hashlib.sha256(canonical({"person": person, "session": session, "type": "sinergi/passkey-registration/v1"})).digest()


def holder(office: Office, person: Person, now: datetime) -> None:
    """Refusal wewenang unless the person approves something of some agreement today."""
    if not any(may(person, act, name, wib_date(now)) for act in ACTS for name in person.agreements):
        raise denied(office, person, ACTS[0])


def passkeys(office: Office, person: Person, now: datetime) -> tuple[PasskeyRow, ...]:
    """The person's passkeys, those that wait for a voucher among them."""
    holder(office, person, now)
    with office.ledger.database.read() as tx:
        return tx.people.passkeys(person.id)


def usable(office: Office, person: Person, origin: str, now: datetime) -> list[Passkey]:
    """Those that count today, and that a browser uses on a page of this origin."""
    return [one for row in passkeys(office, person, now) if (one := read_passkey(row.file)).origin == origin and passkey_counts(office, person, row.file, row.voucher)]


def register(office: Office, person: Person, origin: str, asked: bytes, client: bytes, authenticator: bytes, now: datetime) -> PasskeyRow:
    """Keeps what an authenticator made, until it is vouched for. asked: the challenge. Refusal akun: `kunci_sandi` (not what was asked for, one that is there already, too many)."""
    holder(office, person, now)
    try:
        passkey, counter = registered(person.id, origin, asked, client, authenticator)
    except NotVerified:
        raise Refusal("akun", bidang="kunci_sandi") from None
    row = PasskeyRow(passkey.credential, person.id, passkey.to_json(), None, counter, utc_text(now))
    with office.ledger.writing() as book:
        if book.tx.people.passkey(row.credential) or len(book.tx.people.passkeys(person.id)) >= MOST:
            raise Refusal("akun", bidang="kunci_sandi")
        book.tx.people.add_passkey(row)
    return row


def enrol(office: Office, person: Person, credential: str, voucher: bytes, now: datetime) -> None:
    """Takes the word for a passkey: the officer's own key's where they have one that is vouched for, their party's system's otherwise.

    Refusal akun: `kunci_sandi` (no such passkey of theirs), `jaminan`.
    """
    holder(office, person, now)
    with office.ledger.writing() as book:
        row = _own(book.tx, person, credential)
        if row.voucher == voucher:
            return
        word = passkey_word(office, person, row.file, voucher, fresh=True)
        if word is None or (word.signer == person.id) is not (person.keys is not None) or (person.keys is not None and not vouched(office, person)):
            raise Refusal("akun", bidang="jaminan")
        book.tx.people.change_passkey(credential, voucher=voucher)
        record(book, person, "passkey_enrolled", now, passkey_sha256=word.sha256, vouched_by=word.signer)


def remove(office: Office, person: Person, credential: str, now: datetime) -> None:
    """Nothing that it signs counts from now on; what was published with it stays. Refusal akun: `kunci_sandi`."""
    with office.ledger.writing() as book:
        row = _own(book.tx, person, credential)
        book.tx.people.drop_passkey(credential)
        if row.voucher is not None:
            record(book, person, "passkey_removed", now, passkey_sha256=read_passkey(row.file).sha256)


def _own(tx: Transaction, person: Person, credential: str) -> PasskeyRow:
    row = tx.people.passkey(credential)
    if row is None or row.person != person.id:
        raise Refusal("akun", bidang="kunci_sandi")
    return row
