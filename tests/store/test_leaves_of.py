"""The leaves of a reference are all found, wherever in a segment they lie."""

from __future__ import annotations

import random
from statistics import mode
from typing import TYPE_CHECKING

import pytest

from broker.store import Database
from broker.store.database import LEAF

if TYPE_CHECKING:
    from pathlib import Path

EXCHANGE = "00" * 16
DICE = random.Random(5)


def even(count: int) -> list[bytes]:
    return [DICE.randbytes(16) for _ in range(count)]


def crowded(count: int) -> list[bytes]:
    """Nearly all within a millionth of the range: none is where an even spread would have it."""
    return [bytes(2) + DICE.randbytes(14) for _ in range(count - 1)] + [b"\xff" * 16]


def repeated(count: int) -> list[bytes]:
    """One person in half the rows."""
    return [bytes([7]) * 16] * (count // 2) + even(count - count // 2)


def straddling(before: int, count: int, after: int) -> list[bytes]:
    """One person's leaves run over one end of where they are looked for first."""
    half = [DICE.randrange(1 << 127).to_bytes(16, "big") for _ in range(before)] + [(DICE.randrange(1 << 127) | 1 << 127).to_bytes(16, "big") for _ in range(after)]
    return [bytes(16), *half, *[b"\x80" + bytes(15)] * count, b"\xff" * 16]


@pytest.mark.parametrize("refs", [straddling(1700, 350, 1950), straddling(1950, 350, 1710), even(1), even(2), even(16_384), crowded(9_000), repeated(5_000), [bytes(16)] * 3], ids=lambda refs: str(len(refs)))
def test_every_leaf_of_a_reference_is_found_and_no_other(tmp_path: Path, refs: list[bytes]) -> None:
    refs = sorted(refs)
    absent = [DICE.randbytes(16) for _ in range(20)]
    leaves = [ref + DICE.choice(absent) + DICE.randbytes(LEAF - 32) for ref in refs]  # a commitment that begins with another's reference
    database = Database(tmp_path / "sinergi.db")
    with database.write() as tx:
        tx.add_segment(EXCHANGE, 0, refs[0], refs[-1], b"".join(leaves), b"")
    for many in (1, 100):  # a few are looked for where they lie, many in the whole segment
        asked = sorted({mode(refs), *DICE.sample(refs, min(len(refs), many)), *absent[:many]})
        with database.read(mapped=True) as tx:
            found = tx.leaves_of({EXCHANGE: asked})
        wanted = {(EXCHANGE, ref): [leaf for leaf in leaves if leaf.startswith(ref)] for ref in asked if ref not in absent}
        assert found == wanted
    database.close()
