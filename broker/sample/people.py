"""Synthetic people: person i of a seed and a home region is the same in every dataset, and no NIK can be a real person's.

Serials 9001–9999 are the mark of synthetic NIKs: registration offices count serials per district and day from 0001 and never come near.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from broker.sample.draw import digits, one, seeded, shares, whole
from broker.sample.names import full_name, titled
from broker.sample.places import at_home, away

if TYPE_CHECKING:
    from broker.sample.draw import Draw
    from broker.sample.places import Place, Places

SHARED: Final = 0.6  # of the ministry's people, the share its agreement's region holds too
AT_HOME: Final = 0.6  # of the ministry's other people, the share that lives in that region
FAMILY: Final = 3  # neighbours in the index who may share a household
HOME_NIK: Final = 0.9  # share of NIKs first registered in the home region
SEEKERS: Final = (9001, 900)  # first serial and how many: job seekers and workers
LEADERS: Final = (9901, 99)  # heads and managers of employers
AGES: Final = shares(
    {range(15, 18): 1, range(18, 23): 26, range(23, 29): 31, range(29, 36): 22, range(36, 46): 12, range(46, 56): 6, range(56, 65): 2}
)
LEADER_AGES: Final = (range(28, 65),)
SCATTER: Final = 427  # 7 x 61: shares no factor with either count of serials, so that neighbours' serials lie apart
DAYS: Final = 365
COMMON_YEAR: Final = 2001
FIRST_YEAR: Final = 1970  # of graduation, in the contract
MARITAL: Final = tuple(
    shares(weights) for weights in ({}, {"BK": 1}, {"BK": 7, "K": 3}, {"BK": 3, "K": 15, "CH": 2}, {"BK": 1, "K": 16, "CH": 2, "CM": 1}, {"K": 16, "CH": 2, "CM": 2})
)
# 81x–85x Telkomsel and Indosat, 87x and 81[789] XL, 83x Axis, 88x Smartfren, 89x Three. No range is reserved for examples.
MOBILE: Final = ("811", "812", "813", "821", "822", "852", "853", "815", "856", "857", "858", "817", "818", "819", "877", "878", "831", "838", "881", "882", "895", "896")
EDUCATION: Final = shares({"02": 8, "03": 14, "04": 30, "05": 26, "06": 2, "07": 7, "08": 2, "09": 10, "10": 1})
FINISHED_AT: Final = {"01": 11, "02": 12, "03": 15, "04": 18, "05": 18, "06": 20, "07": 21, "08": 22, "09": 22, "10": 25}
FAITH: Final = {"karo": shares({"2": 7, "3": 2, "1": 1}), "toba": shares({"2": 8, "3": 2}), "tionghoa": shares({"5": 7, "2": 2, "6": 1})}
MUSLIM: Final = ("1",)
DISABILITY: Final = shares({"0": 96, "F": 2, "SN": 1, "SR": 1})


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """What everything drawn depends on; equal worlds give equal rows."""

    seed: int
    party: str
    agreement: str
    system: str
    as_of: date
    template: str
    text: bool
    where: Places
    peoples: tuple[str, ...]
    nik_key: int


@dataclass(frozen=True, slots=True)
class Person:
    nik: str
    no_kk: str
    name: str
    sex: str
    born: date
    age: int
    birthplace: str
    place: Place
    people: str
    religion: str
    marital: str
    disability: str
    education: str
    finished: int  # year
    phone: str
    email: str
    ak1: str
    registered: date


def person(world: World, i: int) -> Person:
    """Person i of the region; the ministry holds the same one in `SHARED` of the cases, otherwise one of its own."""
    holder = world.where.home.party
    if world.party == "kemnaker" and seeded(world.seed, world.agreement, "milik", i)() >= SHARED:
        holder = world.agreement
    return _person(world, i, holder, SEEKERS, AGES)


@lru_cache(maxsize=64)
def leader(world: World, i: int) -> Person:
    """Head or manager i of the region's employers, the same for both parties."""
    return _person(world, i, f"pimpinan {world.where.home.party}", LEADERS, LEADER_AGES)


def _person(world: World, i: int, holder: str, serials: tuple[int, int], ages: tuple[range, ...]) -> Person:
    draw = seeded(world.seed, holder, "orang", i)
    own = holder == world.agreement
    sex = "P" if draw() < 0.48 else "L"
    age = one(draw, one(draw, ages))
    origin, nik, born = _nik(world, i, serials, sex, age, draw() < HOME_NIK, own)
    place, no_kk, people = _household(world, i, holder, origin, draw)
    education = one(draw, EDUCATION)
    if FINISHED_AT[education] > age:
        education = "04" if age >= FINISHED_AT["04"] else "03"
    name = full_name(draw, people, sex)
    first = name.partition(" ")[0].lower()
    registered = world.as_of - timedelta(days=whole(draw, 0, 720))
    return Person(
        nik=nik,
        no_kk=no_kk,
        name=titled(draw, name, people, sex, age, education) if " " in name else name,
        sex=sex,
        born=born,
        age=age,
        birthplace=world.where.names[origin] if draw() < 0.7 else world.where.home.name,
        place=place,
        people=people,
        religion=one(draw, FAITH.get(people, MUSLIM)),
        marital=one(draw, MARITAL[min(age // 10, 5)]),
        disability=one(draw, DISABILITY),
        education=education,
        finished=min(max(FIRST_YEAR, born.year + FINISHED_AT[education] + whole(draw, 0, 1)), world.as_of.year),
        phone=f"+62{one(draw, MOBILE)}{digits(draw, 8)}",
        email=f"{first}{born.year % 100:02d}{whole(draw, 1, 99)}@example.{'com' if draw() < 0.7 else 'org'}",
        ak1=f"{world.where.home.region.replace('.', '')}{registered.day:02d}{registered.month:02d}{registered.year}{i % 10**6:06d}",
        registered=registered,
    )


def _nik(world: World, i: int, serials: tuple[int, int], sex: str, age: int, at_home: bool, own: bool) -> tuple[str, str, date]:
    """District of registration, NIK and birth date.

    Unique by construction, not by memory: people who share a serial get different (district, day of the year), as long as the index
    stays under serials x districts x 365 (half of it for the ministry's own people): over a million in either region.
    """
    first, count = serials
    block, turn = divmod(i, count)
    serial = first + turn * SCATTER % count
    districts, elsewhere = world.where.districts, world.where.elsewhere
    slots = len(districts) * DAYS
    start, step = world.nik_key + serial * 7919, block + own * slots // 2
    slot = (start + step * 1009) % slots  # 1009 and 1013 are prime: every step another slot
    origin = districts[slot // DAYS] if at_home else elsewhere[(start + step * 1013) % len(elsewhere)]
    born = _birthday(world.as_of, age, slot % DAYS)
    return origin, f"{origin[:2]}{origin[3:5]}{origin[6:]}{born.day + 40 * (sex == 'P'):02d}{born.month:02d}{born.year % 100:02d}{serial}", born


def _birthday(as_of: date, age: int, day_of_year: int) -> date:
    """The day with that number in a common year on which somebody `age` on as_of was born."""
    day = date(COMMON_YEAR, 1, 1) + timedelta(days=day_of_year)
    had_it = (day.month, day.day) <= (as_of.month, as_of.day)
    return day.replace(year=as_of.year - age - (not had_it))


def _household(world: World, i: int, holder: str, origin: str, alone: Draw) -> tuple[Place, str, str]:
    """Where person i lives, the family card and the people; two in five groups of neighbours share all three."""
    group = i // FAMILY
    together = (group * 503 + world.nik_key) % 10 < 4
    draw = seeded(world.seed, holder, "kk", group) if together else alone
    if holder == world.agreement and draw() >= AT_HOME:
        place = away(world.where, draw)
    elif together or origin not in world.where.villages:
        place = at_home(world.where, draw, one(draw, world.where.districts))
    else:
        place = at_home(world.where, draw, origin)
    district = place.code[:8].replace(".", "")
    issued = date(whole(draw, world.as_of.year - 15, world.as_of.year - 1), 1, 1) + timedelta(days=whole(draw, 0, 364))
    return place, f"{district}{issued.day:02d}{issued.month:02d}{issued.year % 100:02d}{whole(draw, 9001, 9999)}", one(draw, world.peoples)


