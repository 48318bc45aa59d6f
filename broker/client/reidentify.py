"""Who is behind a token: an operator's and an approver's side, and the opening of the answer by the system of the asker's party."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from broker.client.account import Account
from broker.client.standing import checkpoint
from broker.envelope import open_envelope
from broker.errors import KeyRingError, NotOpened, NotVerified
from broker.jcs import canonical, read_base64, strict_object
from broker.keys import write_private
from broker.ledger import leaf_hash, verify_inclusion

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from broker.jcs import Json
    from broker.keys import AnyKemKey, PublicSet

_FIELDS: Final = frozenset({"checkpoint", "entry", "envelope", "inclusion", "index", "log"})
MAX_BYTES: Final = 1 << 20  # of an answer: 200 lines, and what proves it


class Unmasker(Account):
    """Requests as the person whose home it is. ground: a code of docs/formats/reidentify.md; reason: in words, without anyone's number."""

    def ask(self, agreement: str, exchange: str, ground: str, reason: str, tokens: Sequence[str]) -> dict[str, Any]:
        question: dict[str, Json] = {"agreement": agreement, "exchange": exchange, "ground": ground, "reason": reason, "tokens": list(tokens)}
        return self._to.send("POST", "/v1/identities", canonical(question), "application/json")

    def requests(self) -> list[dict[str, Any]]:
        return list(self._to.get("/v1/identities")["requests"])

    def request(self, name: str) -> dict[str, Any]:
        return self._to.get(f"/v1/identities/{name}")

    def approve(self, name: str) -> dict[str, Any]:
        return self._to.act("POST", f"/v1/identities/{name}/approve")

    def decline(self, name: str) -> dict[str, Any]:
        return self._to.act("POST", f"/v1/identities/{name}/decline")

    def fetch(self, name: str, path: Path) -> None:
        """Keeps the sealed answer at `path`, 0600. Once: afterwards nobody can have it again."""
        write_private(path, json.dumps(self._to.act("POST", f"/v1/identities/{name}/answer")).encode())


@dataclass(frozen=True, slots=True, repr=False)
class Opened:
    """An answer that held. entry: what the log says of it, at `index` of `log`. lines: `jenis`, `nomor`, `samaran`, as asked."""

    log: str
    index: int
    entry: dict[str, Any]
    lines: tuple[dict[str, Any], ...]
    data: bytes


def opened(data: bytes, broker: PublicSet, keys: Sequence[AnyKemKey], system: str) -> Opened:
    """The answer in a fetched file. broker: its pinned keys; keys, system: the recipient's own.

    NotVerified unless the signed log says that just this was told to just this system: it is no answer, of another log, envelope or system, or does not open.
    """
    try:
        answer = json.loads(data)
        if set(answer) != _FIELDS or type(answer["index"]) is not int:
            raise ValueError
        log, entry, envelope = str(answer["log"]), read_base64(answer["entry"]), read_base64(answer["envelope"])
        under = checkpoint(answer["checkpoint"], broker, log)
        verify_inclusion(answer["index"], under.size, leaf_hash(entry), tuple(map(read_base64, answer["inclusion"])), under.root)
        said: dict[str, Any] = strict_object(entry)
        if (said["type"], said["act"], said["recipient"]) != ("sinergi/identity/v1", "answered", system):
            raise NotVerified("the log entry is of something else")
        if said["envelope_sha256"] != hashlib.sha256(envelope).hexdigest():
            raise NotVerified("the log entry is of another answer")
        source = io.BytesIO(envelope)
        opener = open_envelope(source, *keys)
        core = opener.header.core
        if (core["kind"], core["agreement"], core["exchange"], core["recipient"]) != ("identitas", log, said["exchange"], system):
            raise NotVerified("the envelope is of something else")
        text = opener.update(source.read()) + opener.finish()
        lines = tuple(strict_object(line) for line in text.splitlines())
    except (NotOpened, KeyRingError) as error:
        raise NotVerified(str(error)) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise NotVerified("this is no answer of a broker") from None
    return Opened(log, answer["index"], said, lines, text)
