"""An agreement's log as one file that is verified without the broker: docs/formats/bundle.md. Read by `broker.client.bundle`.

1. What is asked about people was judged, answered and recorded before (`subject`), and the answer is signed: whose a reference is rests on
our word, which then cannot be taken back; so it commits to whom it is about, by a key that only the asker gets. 2. One view of the database: the checkpoint, every entry up to it, and of each exchange of the
period its leaves and receipts. 3. `handout` records who takes it before a byte leaves.
"""

from __future__ import annotations

import json
import secrets
import time
from contextlib import contextmanager
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from broker.audit.handout import Log, at_checkpoint, handed_out
from broker.audit.search import require
from broker.audit.subject import Answer, Question, answer, ask, asked_about
from broker.audit.subject import request as request_of
from broker.client.bundle import MOST_ANSWER, NAMES, SUBJECT, TYPE
from broker.client.bundle import SUBJECT_TYPE as ANSWER_TYPE
from broker.client.question import whose
from broker.envelope import sign_dsse
from broker.envelope.dsse import ANSWER
from broker.errors import LedgerError, Refusal
from broker.jcs import canonical
from broker.keys import ReceiptKey
from broker.ledger.cosign import satisfied
from broker.ledger.openings import STORED
from broker.ledger.stored import MOST, archive
from broker.ledger.tiles import bundle as entry_bundle
from broker.lifecycle.officers import READ
from broker.model import wib_date

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from broker.audit.handout import File
    from broker.jcs import Json
    from broker.model import Person
    from broker.office import Office
    from broker.store import SubjectRequest, Transaction

PATIENCE: Final = 15.0  # seconds that a bundle waits for its checkpoint to be cosigned
_BESIDE: Final = 16_384  # bytes that an exchange's entry and receipts come to, beside its leaves
_TOLD: Final = 3_000  # bytes that a person's disclosure comes to in the signed answer, its columns' levels above all
_PLACED: Final = 3 * 200  # those of a proof's leaves: the person's, and one on either side
_HASHES: Final = 3 * 64  # those of the paths' hashes on one height


def bundle(office: Office, person: Person, agreement: str, starts: date, ends: date, now: datetime) -> File:
    """The log up to its latest checkpoint, with the leaves and receipts of the period's exchanges. Refusal wewenang, parameter, bundel.

    starts, ends: civil dates (UTC+7), both inclusive.
    """
    require(office, person, READ, agreement, now)
    if starts > ends:
        raise Refusal("parameter", parameter="from")
    return _made(office, person, agreement, starts, ends, None, now)


def about_people(office: Office, person: Person, asked: Question | str, now: datetime) -> tuple[File, bytes] | SubjectRequest:
    """The bundle of a question's period with its answer and proofs, and the key by which it says whom it is about; or the request that waits for a second person.

    asked: or the id of an approved request. The key is kept nowhere: without it nobody finds out from the bundle.
    Refusal parameter `request`: one that did not ask for proofs. Others as of `subject.ask` and `answer`, and of `bundle`.
    """
    if isinstance(asked, str):
        row = request_of(office, person, asked, now)
        if not row.proofs:
            raise Refusal("parameter", parameter="request")
        people = asked_about(office, row)
        _fits(office, row.agreement, date.fromisoformat(row.starts), date.fromisoformat(row.ends), len(people))  # before the answer, which is given once
        found: SubjectRequest | Answer = answer(office, person, asked, now)
    else:
        require(office, person, READ, asked.agreement, now)
        people = asked.subjects
        _fits(office, asked.agreement, asked.starts, asked.ends, len(people))
        found = ask(office, person, asked, now)
    if not isinstance(found, Answer):
        return found
    key = secrets.token_bytes(16)
    said: dict[str, Json] = {"answer": found.as_json(), "people": [whose(key, number, one).hex() for number, one in enumerate(people)], "type": ANSWER_TYPE}
    signed = sign_dsse(ANSWER, canonical(said), office.rings[found.agreement].get(ReceiptKey, "receipt")).to_json()
    file = _made(office, person, found.agreement, date.fromisoformat(found.starts), date.fromisoformat(found.ends), (found.request, signed), now)
    return file, key


def _fits(office: Office, agreement: str, starts: date, ends: date, people: int) -> None:
    """Refusal bundel if a bundle of these days, or its answer about so many people, would be larger than may be."""
    log = at_checkpoint(office, agreement)
    with office.ledger.database.read() as tx:
        exchanges, dropped = _period(tx, log, starts, ends)
    if people * reckoned(leaves for name, leaves in exchanges.items() if name not in dropped) > MOST_ANSWER:
        raise Refusal("bundel", batas=MOST_ANSWER)


def reckoned(exchanges: Iterable[int]) -> int:
    """Bytes that an answer about one person comes to at most, rows of theirs beyond one to an exchange apart. exchanges: the number of leaves of each."""
    return sum(_TOLD + _PLACED + _HASHES * leaves.bit_length() for leaves in exchanges)


def _period(tx: Transaction, log: Log, starts: date, ends: date) -> tuple[dict[str, int], list[str]]:
    """The period's exchanges with the number of their leaves, and those of which the leaves are dropped. Refusal bundel if a bundle of them is too large."""
    exchanges = dict(_exchanges(tx, log, starts, ends))
    dropped = [name for name in exchanges if tx.kept.dropped(name)]
    kept = sum(exchanges.values()) - sum(exchanges[name] for name in dropped)
    if log.size * 512 + kept * STORED + len(exchanges) * _BESIDE > MOST:
        raise Refusal("bundel", batas=MOST)
    return exchanges, dropped


def _made(office: Office, person: Person, agreement: str, starts: date, ends: date, found: tuple[str, bytes] | None, now: datetime) -> File:
    """found: the request and the signed answer."""
    with _settled(office, agreement) as (tx, note):
        log = Log(agreement, int(note.split("\n")[1]), note)
        exchanges, dropped = _period(tx, log, starts, ends)
        kept = {name: leaves for name, leaves in exchanges.items() if name not in set(dropped)}
        said = canonical({"agreement": agreement, "dropped": dropped, "from": starts.isoformat(), "size": log.size, "to": ends.isoformat(), "type": TYPE})
        bodies: list[Callable[[], Iterable[bytes]]] = [
            lambda: [said], lambda: [note.encode()], lambda: _keys(office, agreement), lambda: _entries(tx, log),
            lambda: (_receipts(tx, name) for name in exchanges), lambda: _leaves(tx, kept),
        ]  # fmt: skip
        members = list(zip(NAMES, bodies, strict=True))
        if found is not None:
            members.append((SUBJECT, lambda: [found[1]]))
        facts: dict[str, Json] = {} if found is None else {"request": found[0]}
        asked: dict[str, Json] = {"from": starts.isoformat(), "to": ends.isoformat()}
        return handed_out(office, person, log, "bundel", "zip", archive(members), partial(len, exchanges), now, asked=asked, facts=facts)


@contextmanager
def _settled(office: Office, agreement: str) -> Iterator[tuple[Transaction, str]]:
    """The log at its latest checkpoint, once its quorum has cosigned that, or PATIENCE is over: witnesses are asked every few seconds."""
    until, quorum = time.monotonic() + PATIENCE, office.quorums.get(agreement)
    while True:
        with office.ledger.database.read() as tx:
            note = tx.checkpoint(agreement)
            if note is None:
                raise Refusal("parameter", parameter="agreement")
            if quorum is None or satisfied(quorum.policy, note) or time.monotonic() > until:
                yield tx, note
                return
        time.sleep(0.2)


def _exchanges(tx: Transaction, log: Log, starts: date, ends: date) -> Iterator[tuple[str, int]]:
    """The exchanges of the period in log order, with the number of their leaves."""
    for _, entry in tx.audit.entries(log.agreement, log.size, "exchange"):
        manifest: dict[str, Any] = json.loads(entry)
        if starts <= wib_date(datetime.fromisoformat(manifest["time"])) <= ends:
            yield manifest["exchange"], manifest["records"]["leaves"]


def _keys(office: Office, agreement: str) -> Iterator[bytes]:
    """Every set that any of the parties' systems ever had: receipts outlive their keys."""
    for system in sorted(office.agreements[agreement].systems.values()):
        for enrolled in office.peers.ever(system):
            yield enrolled.row.file + b"\n"


def _entries(tx: Transaction, log: Log) -> Iterator[bytes]:
    return (entry_bundle([entry]) for _, entry in tx.audit.entries(log.agreement, log.size))


def _receipts(tx: Transaction, exchange: str) -> bytes:
    return canonical({"exchange": exchange, "receipts": {signer: json.loads(dsse) for signer, dsse in tx.receipts(exchange).items()}}) + b"\n"


def _leaves(tx: Transaction, exchanges: dict[str, int]) -> Iterator[bytes]:
    for name, leaves in exchanges.items():
        size = 0
        for rows in tx.segments(name):
            size += len(rows)
            yield rows
        if size != leaves * STORED:
            raise LedgerError("leaves of an exchange are gone")
