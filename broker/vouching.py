"""Who vouches for an officer: the system of their party signs for their keys or their passkey, so that the host's administrator cannot make officers up."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from broker.envelope import vouches
from broker.envelope.dsse import PASSKEY as VOUCHER_OF_PASSKEY
from broker.envelope.dsse import VOUCHER
from broker.errors import KeyRingError, Refusal
from broker.keys import read_public_set
from broker.record import BROKER_LOG
from broker.roles import BODIES, MAY, WORDS

if TYPE_CHECKING:
    from broker.model import Person
    from broker.office import Office


def systems_of(office: Office, party: str) -> set[str]:
    return {a.systems[party] for a in office.agreements.values() if party in a.systems}


def is_new(office: Office, party: str) -> bool:
    """Whether no system of the party ever had keys confirmed: nobody can vouch for its officers yet."""
    return not any(map(office.peers.known, systems_of(office, party)))


def vouched(office: Office, person: Person, *, fresh: bool = False) -> bool:
    """Whether the enrolled system of the person's party signed for exactly these keys, or, of who has none, for a passkey of theirs: the host's administrator has no such key.

    The word of a set that was replaced goes on to count; that of one that was revoked, where it was recorded before the compromise. fresh: only the word
    of a set that signs today.
    """
    if person.keys is not None or fresh:
        return _counts(office, person, _word(office, person, VOUCHER, person.voucher, person.keys or b"", fresh=fresh))
    with office.ledger.database.read() as tx:
        rows = tx.people.passkeys(person.id)
    return any(passkey_counts(office, person, row.file, row.voucher) for row in rows)


def passkey_counts(office: Office, person: Person, file: bytes, voucher: bytes | None) -> bool:
    """Whether the person's own key, or their party's system, vouches for the passkey of this file. That the own key is vouched for is `vouched`'s question."""
    return _counts(office, person, passkey_word(office, person, file, voucher))


def passkey_word(office: Office, person: Person, file: bytes, voucher: bytes | None, *, fresh: bool = False) -> Word | None:
    """Whose word stands for the passkey of this file, whatever became of the signer since. fresh: of systems' keys only those that sign today."""
    try:
        if person.keys is not None and (own := read_public_set(person.keys)).owner == person.id and vouches(VOUCHER_OF_PASSKEY, voucher, own, person.id, file):
            return Word(person.id, None, hashlib.sha256(file).hexdigest())
    except KeyRingError:
        return None
    return _word(office, person, VOUCHER_OF_PASSKEY, voucher, file, fresh=fresh)


@dataclass(frozen=True, slots=True)
class Word:
    """A voucher that holds. signer: a system, or the person. compromised: since when the signer's keys may be in other hands. sha256: of the file vouched for."""

    signer: str
    compromised: str | None
    sha256: str


def _word(office: Office, person: Person, kind: str, voucher: bytes | None, file: bytes, *, fresh: bool) -> Word | None:
    """The word of a system of the person's party."""
    if person.id != f"{WORDS[person.role]}-{person.id.partition('-')[2].partition('@')[0]}@{person.party}":
        return None  # a role or a party that was changed by hand is not what the voucher names
    for system in sorted(systems_of(office, person.party)):
        for keys, compromised in [(keys, None) for keys in office.peers.standing(system)] if fresh else [(e.keys, e.row.compromised_since) for e in office.peers.ever(system)]:
            if keys.owner == system and vouches(kind, voucher, keys, person.id, file):
                return Word(system, compromised, hashlib.sha256(file).hexdigest())
    return None


def _counts(office: Office, person: Person, word: Word | None) -> bool:
    return word is not None and (word.compromised is None or _recorded(office, person.id, word.sha256) < word.compromised)


def _recorded(office: Office, name: str, sha256: str) -> str:
    """When the log says that this file of the person, of keys or of a passkey, was last enrolled: the row beside it could be changed by hand. Far ahead if it does not."""
    with office.ledger.database.read() as tx:
        entries = [json.loads(entry) for _, entry in tx.audit.entries(BROKER_LOG, office.ledger.size(BROKER_LOG), "person")]
    enrolled = {("key_enrolled", name, sha256), ("passkey_enrolled", name, sha256)}
    times = [e["time"] for e in entries if (e["act"], e["person"], e.get("keys_sha256", e.get("passkey_sha256"))) in enrolled]
    return max(times, default="9999")


def denied(office: Office, person: Person, act: str) -> Refusal:
    """Why who may not do an act may not: belum_dijamin where their role covers it and nobody vouches for their key, wewenang otherwise."""
    if act in MAY.get(person.role, frozenset()) and person.party not in BODIES and not vouched(office, person):
        return Refusal("belum_dijamin")
    return Refusal("wewenang", tindakan=act)
