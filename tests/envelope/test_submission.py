"""What is no submission has one answer, and no more of it is read than a statement may have."""

from __future__ import annotations

import io

import pytest

from broker.envelope import read_submission, sign_dsse, submission_prefix
from broker.envelope.dsse import STATEMENT
from broker.errors import NotOpened
from broker.keys import ReceiptKey

GOOD = submission_prefix(sign_dsse(STATEMENT, b"{}", ReceiptKey(b"\1" * 32)))
BAD = {
    "nothing": b"",
    "a cut start": GOOD[:7],
    "an envelope": b"SNG1" + GOOD[4:],
    "no statement": GOOD[:8],
    "a cut statement": GOOD[:-1],
    "a statement of no bytes": b"SNGS" + bytes(4) + GOOD[8:],
    "a length over the limit": b"SNGS\0\1\0\0" + bytes(70_000),
    "the longest length": b"SNGS\xff\xff\xff\xff" + bytes(70_000),
    "a statement that is a byte longer": GOOD[:4] + (len(GOOD) - 7).to_bytes(4, "big") + GOOD[8:] + b" ",
    "a statement that is no DSSE": b"SNGS\0\0\0\2{}",
    "a deep one": b"SNGS" + (60_000).to_bytes(4, "big") + b"[" * 60_000,
}  # fmt: skip


@pytest.mark.parametrize("why", BAD)
def test_what_is_no_submission_is_refused(why: str) -> None:
    read = []

    class Source(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            read.append(size)
            return super().read(size)

    with pytest.raises(NotOpened) as caught:
        read_submission(Source(BAD[why]))
    assert str(caught.value) == "not a submission"
    assert all(size is not None and 0 <= size <= 65_535 for size in read)


def test_a_submission_is_read_up_to_its_envelope() -> None:
    source = io.BytesIO(GOOD + b"SNG1")
    assert read_submission(source).payload == b"{}"
    assert source.read() == b"SNG1"
