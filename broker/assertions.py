"""What an officer approves with a passkey besides policies: a statement of exactly what it is, answered within minutes, once, and kept in the entry of what it did.

The broker alone can make none: the passkey is vouched for by the officer's own key, or their party's system. That is verified when it comes, and again when the end of an agreement rests on it.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from broker.envelope import Assertion, read_assertion, verify_assertion
from broker.errors import NotVerified, Refusal
from broker.jcs import canonical
from broker.model import utc_text
from broker.vouching import passkey_counts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from broker.envelope import Passkey
    from broker.jcs import Json
    from broker.model import Person
    from broker.office import Office
    from broker.store import Transaction

WITHIN: Final = timedelta(minutes=10)  # from the page to its answer
LARGEST: Final = 16 << 10  # bytes of an answer: the log keeps it whole, and an authenticator may add what it likes
CONFIRM_KEYS, APPROVE_ENDING, OPEN_IDENTITIES = "confirm_keys", "approve_ending", "open_identities"
_NONCES: Final = re.compile("[0-9a-f]{32}")


def statement(person: Person, act: str, about: Mapping[str, Json], now: datetime) -> bytes:
    """What the person would approve by their passkey: canonical JSON, whose SHA-256 is the challenge. about: exactly what it is."""
    return _stated(person.id, act, about, secrets.token_hex(16), utc_text(now))


def _stated(person: str, act: str, about: Mapping[str, Json], nonce: str, at: str) -> bytes:
    return canonical({"about": dict(about), "act": act, "nonce": nonce, "person": person, "time": at, "type": "sinergi/passkey-approval/v1"})


def proven(office: Office, tx: Transaction, person: Person, act: str, about: Mapping[str, Json], data: bytes, now: datetime) -> dict[str, Json]:
    """The answer as an entry keeps it, under `answer`. data: the assertion. It counts once; call it in the transaction that records the act.

    Refusal persetujuan unless a passkey of the person's, which counts today, answered a statement of at most ten minutes ago of exactly this act on exactly this.
    """
    if len(data) > LARGEST:
        raise Refusal("persetujuan")
    try:
        said = read_assertion(data)
        passkey, text, counter = verify_assertion(said)
        stated = _read(text, person, act, about)
    except NotVerified:
        raise Refusal("persetujuan") from None
    own(office, tx, person, passkey, said.voucher.encode())
    if not _within(stated, now) or not tx.use_nonce("passkey", stated["nonce"], int(now.timestamp()), int((now + WITHIN).timestamp())):
        raise Refusal("persetujuan")
    count(tx, passkey.credential, counter)
    return {"answer": {**asdict(said)}}


def holds(office: Office, person: Person, act: str, about: Mapping[str, Json], answer: Mapping[str, Any], at: str) -> bool:
    """Whether what an entry keeps is the person's answer, for exactly this, given when the entry was made; also if the passkey was removed since, not if its word counts no more. at: the entry's time."""
    try:
        said = Assertion(**answer)
        _, text, _ = verify_assertion(said)
        stated = _read(text, person, act, about)
    except (NotVerified, TypeError, AttributeError):
        return False
    return _within(stated, datetime.fromisoformat(at)) and passkey_counts(office, person, said.passkey.encode(), said.voucher.encode())


def _read(text: bytes, person: Person, act: str, about: Mapping[str, Json]) -> dict[str, str]:
    """NotVerified unless it is exactly a statement that `statement` makes of this."""
    try:
        stated = json.loads(text)
        if not _NONCES.fullmatch(stated["nonce"]) or text != _stated(person.id, act, about, stated["nonce"], stated["time"]) or utc_text(datetime.fromisoformat(stated["time"])) != stated["time"]:
            raise NotVerified("a statement of something else")
    except (ValueError, KeyError, TypeError):
        raise NotVerified("no statement") from None
    return dict(stated)


def _within(stated: Mapping[str, str], now: datetime) -> bool:
    return now - WITHIN < datetime.fromisoformat(stated["time"]) <= now


def own(office: Office, tx: Transaction, person: Person, passkey: Passkey, voucher: bytes) -> None:
    """Refusal persetujuan unless it is the person's passkey as it is kept, and counts today."""
    kept = tx.people.passkey(passkey.credential)
    if kept is None or (kept.person, kept.file, kept.voucher) != (person.id, passkey.to_json(), voucher) or not passkey_counts(office, person, kept.file, kept.voucher):
        raise Refusal("persetujuan")


def count(tx: Transaction, credential: str, counter: int) -> None:
    """Refusal persetujuan for a counter that does not go on: the authenticator was copied, or its answer kept for later. One that does not count says 0 (WebAuthn section 6.1.1)."""
    row = tx.people.passkey(credential)
    if row is None or (counter <= row.counter and (counter or row.counter)):
        raise Refusal("persetujuan")
    tx.people.change_passkey(credential, counter=counter)
