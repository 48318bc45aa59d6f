"""How a file leaves for someone who may have it: made whole, recorded, signed, then handed out.

1. Who asks was judged, and the checkpoint fixed that the file is made from. 2. The file is made outside memory, and its digest with it.
3. One transaction records who takes what (digest of what was asked, rows, size and digest of the bytes) and keeps the signed statement over
it. 4. Only then do bytes leave. 5. The statement is fetched beside the file: docs/formats/reports.md.
"""

from __future__ import annotations

import secrets
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from broker.envelope import sign_dsse
from broker.envelope.dsse import EXPORT
from broker.errors import Refusal
from broker.jcs import canonical
from broker.keys import ReceiptKey
from broker.lifecycle.officers import readable
from broker.model import utc_text
from broker.record import event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime
    from typing import IO

    from broker.jcs import Json
    from broker.model import Person
    from broker.office import Office

PIECE: Final = 256 << 10


@dataclass(frozen=True, slots=True)
class Log:
    """An agreement's log up to one checkpoint: what a file is made from, whatever is appended while it is made."""

    agreement: str
    size: int
    note: str


def at_checkpoint(office: Office, agreement: str, size: int | None = None) -> Log:
    """The log at its latest checkpoint, or at that of `size`. Refusal parameter `size`: there is none."""
    with office.ledger.database.read() as tx:
        note = tx.checkpoint(agreement) if size is None else tx.checkpoint_at(agreement, size)
    if note is None:
        raise Refusal("parameter", parameter="size")
    return Log(agreement, int(note.split("\n")[1]), note)


@dataclass(frozen=True, slots=True)
class File:
    """A file that is recorded and may leave. name: of its statement. pieces: once."""

    name: str
    size: int
    sha256: str
    pieces: Iterator[bytes]


def handed_out(
    office: Office, person: Person, log: Log, what: str, form: str, pieces: Iterable[bytes], rows: Callable[[], int], now: datetime,
    *, asked: Mapping[str, Json], facts: Mapping[str, Json] | None = None,
) -> File:  # fmt: skip
    """Makes the file, then records and signs what it is. Refusal penyimpanan or LedgerError: nothing leaves.

    rows: how many it holds, asked when it is made. asked: what was asked for; the statement says it, the log its digest.
    facts: words of ours and numbers that the log says too.
    """
    with ExitStack() as until_made:
        made = until_made.enter_context(tempfile.TemporaryFile(dir=office.folders.scratch))
        digest = _write(made, pieces)
        name, asked_sha256 = secrets.token_hex(16), sha256(canonical(dict(asked))).hexdigest()
        said: dict[str, Json] = {
            **(facts or {}), "bytes": made.tell(), "export": name, "format": form, "log_size": log.size, "person": person.id, "rows": rows(), "sha256": digest, "what": what,
        }  # fmt: skip
        statement = canonical({**said, "agreement": log.agreement, "asked": dict(asked), "checkpoint": log.note, "time": utc_text(now), "type": "sinergi/export/v1"})
        dsse = sign_dsse(EXPORT, statement, office.rings[log.agreement].get(ReceiptKey, "receipt")).to_json()
        with office.ledger.writing() as book:
            book.append(log.agreement, event("export", now, asked_sha256=asked_sha256, **said))
            book.tx.exports.add(name, log.agreement, dsse)
        until_made.pop_all()
    return File(name, made.tell(), digest, _pieces(made))


def _write(made: IO[bytes], pieces: Iterable[bytes]) -> str:
    """The digest of what was written. Refusal penyimpanan where there is no room."""
    digest = sha256()
    try:
        for piece in pieces:
            digest.update(piece)
            made.write(piece)
        made.flush()
    except OSError:
        raise Refusal("penyimpanan") from None
    return digest.hexdigest()


def _pieces(made: IO[bytes]) -> Iterator[bytes]:
    with made:
        made.seek(0)
        while piece := made.read(PIECE):
            yield piece


def statement(office: Office, person: Person, name: str, now: datetime) -> bytes:
    """The DSSE over a file handed out before, for those who may read the log of its agreement. Refusal tidak_ada otherwise."""
    with office.ledger.database.read() as tx:
        kept = tx.exports.get(name)
    if kept is None or kept[0] not in readable(office, person, now):
        raise Refusal("tidak_ada")
    return kept[1]
