"""One entry's place in a log as a text anyone's tool reads: index, inclusion path, checkpoint. Source: C2SP tlog-proof v1."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from broker.errors import NotVerified
from broker.jcs import read_base64
from broker.ledger.checkpoint import read_checkpoint
from broker.ledger.merkle import HASH, leaf_hash, verify_inclusion

if TYPE_CHECKING:
    from collections.abc import Iterable

    from broker.keys import LogPublic
    from broker.ledger.checkpoint import Checkpoint

HEADER: Final = "c2sp.org/tlog-proof@v1"
_FORM = re.compile(rf"{re.escape(HEADER)}\n(?:extra ([^\n]+)\n)?index (0|[1-9][0-9]{{0,18}})\n((?:[^\n]+\n){{0,63}})\n(.+)", re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True)
class TlogProof:
    """A parsed proof; nothing of it is believed yet. extra: proven by nothing, ever. checkpoint: the note as it stands there."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: str
    extra: bytes


def tlog_proof(index: int, path: Iterable[bytes], checkpoint: str) -> str:
    """The proof as text. checkpoint: the signed note that `path` leads to, with whatever cosignatures it carries."""
    hashes = "".join(f"{b64encode(h).decode()}\n" for h in path)
    return f"{HEADER}\nindex {index}\n{hashes}\n{checkpoint}"


def read_tlog_proof(text: str) -> TlogProof:
    """NotVerified unless the text is of that form, every base64 in its one spelling."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise NotVerified("not a tlog-proof")
    extra, index, lines, checkpoint = found.groups()
    try:
        path = tuple(map(read_base64, lines.split("\n")[:-1]))
        proof = TlogProof(int(index), path, checkpoint, b"" if extra is None else read_base64(extra))
    except ValueError:
        raise NotVerified("not a tlog-proof") from None
    if any(len(h) != HASH for h in path):
        raise NotVerified("a hash is not 32 bytes")
    return proof


def verify_tlog_proof(text: str, entry: bytes, origin: str, key: LogPublic) -> Checkpoint:
    """The checkpoint that `entry` is proven to be under, signed by the pinned key of the log `origin`. NotVerified otherwise."""
    proof = read_tlog_proof(text)
    checkpoint = read_checkpoint(proof.checkpoint, origin, key)
    verify_inclusion(proof.index, checkpoint.size, leaf_hash(entry), proof.path, checkpoint.root)
    return checkpoint
