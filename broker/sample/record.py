"""The six columns that every dataset begins with."""

from __future__ import annotations

from datetime import date, timedelta
from math import log
from typing import TYPE_CHECKING, Final

from broker.sample.draw import seeded

if TYPE_CHECKING:
    from broker.sample.draw import Draw
    from broker.sample.people import World

CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PAIRS: Final = tuple(a + b for a in CROCKFORD for b in CROCKFORD)
EPOCH: Final = date(1970, 1, 1).toordinal()
DAY_MS: Final = 86_400_000
FRESH: Final = 6.0  # mean days since the last change
OLDEST: Final = 150  # days: always inside the six months after which a row is stale

Row = dict[str, str]


def record(world: World, dataset: str, i: int) -> tuple[Row, Draw]:
    """Row i with its common columns, and the draws for the rest of it."""
    draw = seeded(world.seed, world.party, dataset, i)
    changed = world.as_of - timedelta(days=min(int(-FRESH * log(1.0 - draw())), OLDEST))
    row = {
        "id_rekaman": ulid(changed, i, draw),
        "kode_kesepakatan": world.agreement,
        "pihak_asal": world.party,
        "sistem_asal": world.system,
        "templat_versi": world.template,
        "tgl_mutakhir": changed.isoformat(),
    }
    return row, draw


def ulid(day: date, i: int, draw: Draw) -> str:
    """26 characters: 48 bits of time, 48 random, 32 of the index, so that no two rows of a file share one."""
    time = (day.toordinal() - EPOCH) * DAY_MS + int(draw() * DAY_MS)
    number = time << 80 | int(draw() * 2**32) << 48 | int(draw() * 2**16) << 32 | i & 0xFFFFFFFF
    return "".join([PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)])
