"""Submissions as they are spooled: who states what, in a signature that holds (step 1), and the envelope behind it as decrypted chunks (step 4)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO, Final

from broker.contract.parse import CSV_TYPE, NDJSON_TYPE, read_csv, read_ndjson
from broker.contract.tabular import PARQUET_TYPE, XLSX_TYPE, csv_from
from broker.envelope import Opener, open_envelope, read_submission, verify_dsse
from broker.envelope.dsse import STATEMENT
from broker.errors import NotOpened, NotVerified, Refusal
from broker.jcs import strict_object
from broker.keys import KemKey, ReceiptKey
from broker.model import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from broker.contract.parse import Chunk
    from broker.envelope import Dsse
    from broker.keys import Rings
    from broker.model import Contract, Terms
    from broker.peers import Peers
    from broker.store import Sending

PIECE: Final = 256 << 10  # bytes read and decrypted at a time
STATEMENT_FIELDS: Final = frozenset(
    {"agreement", "basis", "content_type", "created", "dataset", "envelope_sha256", "purpose", "recipient", "sender", "template", "type"}
)
CONSOLE_FIELDS: Final = STATEMENT_FIELDS | {"person"}


@dataclass(frozen=True, slots=True)
class Submission:
    """A spooled submission's signed statement, parsed; `envelope_sha256` is what its envelope must turn out to be."""

    request: Request
    envelope_sha256: str
    statement_sha256: str
    kid: str  # of the receipt key that signed the statement
    person: str | None = None  # the officer at the console for whom the broker states it; None: the sending system signed it itself


def read_statement(peers: Peers, spooled: BinaryIO) -> Submission:
    """The statement at the start of a submission, once its sender's signatures hold; leaves `spooled` at the envelope.

    What the broker states for an officer at the console is none of these: no request can bring one in.
    """
    return _stated(spooled, STATEMENT_FIELDS, "sinergi/statement/v1", lambda dsse, said: peers.verify(said["sender"], dsse, STATEMENT)[1])[0]


def read_console_statement(rings: Rings, spooled: BinaryIO, sending: Sending) -> Submission:
    """The same of what an officer sent from the console: signed by the broker's own receipt key of the agreement, and saying what `sending` does."""

    def signed(dsse: Dsse, _: Mapping[str, str]) -> str:
        keys = [key.public for key in rings[sending.agreement].all(ReceiptKey, "receipt")]
        verify_dsse(dsse, STATEMENT, *keys)
        return next(key.kid for key in keys if key.kid in dict(dsse.signatures))

    found, person = _stated(spooled, CONSOLE_FIELDS, "sinergi/console-statement/v1", signed)
    if (found.request, found.envelope_sha256, person, "sent") != (asked_in(sending, found.request.basis), sending.envelope_sha256, sending.person, sending.state):
        raise Refusal("pernyataan")
    return replace(found, person=person)


def asked_in(sending: Sending, basis: str | None) -> Request:
    """The request that a sending stands for."""
    return Request(sending.agreement, sending.dataset, sending.template, sending.sender, sending.recipient, sending.purpose, basis, sending.content_type)


def _stated(spooled: BinaryIO, fields: frozenset[str], kind: str, signed: Callable[[Dsse, Mapping[str, str]], str]) -> tuple[Submission, str | None]:
    """The statement of exactly this kind, and the person it names. signed: the id of the key whose signatures hold, or NotVerified."""
    try:
        dsse = read_submission(spooled)
        claimed = strict_object(dsse.payload)
        if set(claimed) != fields or claimed["type"] != kind:
            raise Refusal("bentuk_kiriman")
        texts = {k: v for k, v in claimed.items() if isinstance(v, str)}
        if set(claimed) - set(texts) - {"basis"} or not isinstance(claimed["basis"], str | None):
            raise Refusal("bentuk_kiriman")
        kid = signed(dsse, texts)
    except NotVerified:
        raise Refusal("pernyataan") from None
    except (NotOpened, ValueError):
        raise Refusal("bentuk_kiriman") from None
    request = Request(
        agreement=texts["agreement"],
        dataset=texts["dataset"],
        template=texts["template"],
        sender=texts["sender"],
        recipient=texts["recipient"],
        purpose=texts["purpose"],
        basis=texts.get("basis"),
        content_type=texts["content_type"],
    )
    return Submission(request, texts["envelope_sha256"], hashlib.sha256(dsse.to_json()).hexdigest(), kid), texts.get("person")


class Opened:
    """Step 4: the spooled envelope as decrypted pieces; its digest is compared with the statement's at the end."""

    def __init__(self, spooled: BinaryIO, submission: Submission, terms: Terms, keys: tuple[KemKey, ...]) -> None:
        self._source, self._submission = spooled, submission
        try:
            self._opener: Opener = open_envelope(spooled, *keys)
        except NotOpened:
            raise Refusal("tidak_terbuka") from None
        core = self._opener.header.core
        asked = submission.request
        same = (asked.agreement, asked.dataset, asked.sender, asked.recipient, asked.purpose, asked.template, asked.content_type, "kiriman")
        found = tuple(core[k] for k in ("agreement", "dataset", "sender", "recipient", "purpose", "template", "content_type", "kind"))
        if found != same or terms.agreement.id != core["agreement"]:
            raise Refusal("pernyataan")
        self._digest = hashlib.sha256(self._opener.header.prefix)

    def _pieces(self) -> Iterator[bytes]:
        while data := self._source.read(PIECE):
            self._digest.update(data)
            yield self._piece(data)
        yield self._piece(None)

    def _piece(self, data: bytes | None) -> bytes:
        try:
            return self._opener.finish() if data is None else self._opener.update(data)
        except NotOpened:
            raise Refusal("tidak_terbuka") from None

    def chunks(self, content_type: str, contract: Contract, chunk_bytes: int) -> Iterator[Chunk]:
        match content_type:
            case str() if content_type == CSV_TYPE:
                return read_csv(self._pieces(), contract, chunk_bytes)
            case str() if content_type == NDJSON_TYPE:
                return read_ndjson(self._pieces(), contract, chunk_bytes)
            case str() if content_type in (XLSX_TYPE, PARQUET_TYPE):
                return read_csv(csv_from(content_type, self._pieces()), contract, chunk_bytes)
        raise Refusal("jenis_isi")

    def check_digest(self) -> None:
        """Refusal unless every byte of the envelope was read and is what the sender signed."""
        if self._source.read(1) or self._digest.hexdigest() != self._submission.envelope_sha256:
            raise Refusal("pernyataan")
