"""A submission body: `SNGS | u32 length | DSSE statement | SNG1 envelope`. docs/formats/submission.md.

The statement names agreement, dataset, purpose, parties and the digest of the envelope that follows, so that one file on disk
is all the broker needs to take an exchange up again after a crash.
"""

from __future__ import annotations

import struct
from typing import BinaryIO, Final

from broker.envelope.dsse import Dsse, read_dsse
from broker.errors import NotOpened, NotVerified

MAGIC: Final = b"SNGS"
MAX_STATEMENT: Final = 65_535


def submission_prefix(statement: Dsse) -> bytes:
    data = statement.to_json()
    return MAGIC + struct.pack(">I", len(data)) + data


def read_submission(source: BinaryIO) -> Dsse:
    """The statement at the start; leaves `source` at the envelope. NotOpened if it is no submission."""
    start = source.read(8)
    size = int.from_bytes(start[4:], "big")
    try:
        if len(start) != 8 or start[:4] != MAGIC or not 0 < size <= MAX_STATEMENT:
            raise NotVerified
        return read_dsse(source.read(size))
    except NotVerified:
        raise NotOpened("not a submission") from None
