"""Where synthetic people live: the home region of an agreement, its districts and villages, and every district code ever in force."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from broker.errors import ClientError
from broker.sample.draw import one, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from broker.sample.draw import Draw

KECAMATAN: Final = 8  # length of a district code, `13.03.04`
DESA: Final = 13


class Codes(Protocol):
    """What is asked of the code lists; broker.contract's satisfy it."""

    def codes(self, name: str) -> frozenset[str]: ...
    def retired(self, name: str) -> frozenset[str]: ...
    def label(self, name: str, code: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Home:
    """A regional party: its region, how its people are mixed (percent; domain estimate, not a census), and how its addresses read."""

    party: str
    region: str
    name: str
    landline: str
    postcodes: tuple[str, ...]  # by district in code order
    urban: float  # share of urban villages
    peoples: Mapping[str, int]
    roads: tuple[str, ...]
    hamlets: tuple[str, ...]


HOMES: Final = {
    "nk-sijunjung-2025": Home(
        party="sijunjung",
        region="13.03",
        name="Sijunjung",
        landline="+62754",
        postcodes=("27571", "27511", "27561", "27572", "27553", "27562", "27563", "27564"),
        urban=0.3,
        peoples={"minang": 86, "jawa": 10, "toba": 2, "mandailing": 2},
        roads=("Jl. Lintas Sumatera", "Jl. Prof. M. Yamin", "Jl. Jenderal Sudirman", "Jl. Pasar Lama", "Jl. Lintas Tengah", "Jl. Simpang Tugu"),
        hamlets=("Jorong Koto", "Jorong Pasar", "Jorong Ranah", "Jorong Tanah Bato", "Jorong Subarang", "Jorong Kampung Baru", "Jorong Lubuak"),
    ),
    "nk-binjai-2025": Home(
        party="binjai",
        region="12.75",
        name="Binjai",
        landline="+6261",
        postcodes=("20741", "20711", "20717", "20731", "20727"),
        urban=1.0,
        peoples={"jawa": 48, "melayu": 16, "karo": 10, "toba": 9, "mandailing": 9, "tionghoa": 5, "minang": 3},
        roads=("Jl. Soekarno Hatta", "Jl. Perintis Kemerdekaan", "Jl. Sultan Hasanuddin", "Jl. Gatot Subroto", "Jl. T. Amir Hamzah", "Jl. Samanhudi"),
        hamlets=("Lingkungan I", "Lingkungan II", "Lingkungan III", "Lingkungan IV", "Lingkungan VII", "Gg. Melati", "Gg. Keluarga"),
    ),
}
SYSTEMS: Final = {"sijunjung": "sijoker", "binjai": "sibuser", "kemnaker": "siapkerja"}


@dataclass(frozen=True, slots=True)
class Place:
    """A dwelling or an office: its region code (village, or district outside the home region), postcode and address."""

    code: str
    postcode: str
    address: str
    town: str


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """The home region's districts and villages, the districts in force of the rest of its province, and all others of any edition."""

    home: Home
    districts: tuple[str, ...]
    villages: Mapping[str, tuple[str, ...]]
    names: Mapping[str, str]
    province: tuple[str, ...]
    elsewhere: tuple[str, ...]
    retired: tuple[str, ...]


def home_of(agreement: str, party: str) -> Home:
    """The regional party's home; both parties of an agreement hold its people. Raises ClientError for others."""
    home = HOMES.get(agreement)
    if home is None:
        raise ClientError(f"Kesepakatan tidak dikenal; pilih {' atau '.join(HOMES)}. · Unknown agreement.")
    if party not in (home.party, "kemnaker"):
        raise ClientError(f"Pihak bukan pihak {agreement}; pilih {home.party} atau kemnaker. · Not a party of {agreement}.")
    return home


def places(home: Home, codes: Codes) -> Places:
    """Sorts the region codes of every edition into what the generator draws from."""
    known, retired = codes.codes("wilayah"), codes.retired("wilayah")
    districts = sorted(code for code in known if len(code) == KECAMATAN)
    villages = sorted(code for code in known if len(code) == DESA and code.startswith(home.region) and code not in retired)
    ours = tuple(code for code in districts if code.startswith(home.region) and code not in retired)
    return Places(
        home=home,
        districts=ours,
        villages={district: tuple(code for code in villages if code.startswith(district)) for district in ours},
        names={code: codes.label("wilayah", code) for code in (*districts, *villages)},
        province=tuple(c for c in districts if c[:2] == home.region[:2] and not c.startswith(home.region) and c not in retired),
        elsewhere=tuple(c for c in districts if not c.startswith(home.region)),
        retired=tuple(c for c in districts if c in retired),
    )


def at_home(where: Places, draw: Draw, district: str) -> Place:
    """A dwelling in a village of the district; three in five addresses hold a comma."""
    home = where.home
    village = one(draw, where.villages[district])
    name = where.names[village]
    road = f"{one(draw, home.roads)} KM {whole(draw, 1, 60)}" if draw() < 0.3 else f"{one(draw, home.roads)} No. {whole(draw, 1, 250)}"
    kind = "Nagari" if home.party == "sijunjung" else "Kel."
    shape = draw()
    if shape < 0.2:
        address = road
    elif shape < 0.4:
        address = f"{one(draw, home.hamlets)} {kind} {name}"
    else:
        address = f"{road}, {one(draw, home.hamlets)}, {kind} {name}"
    return Place(village, home.postcodes[where.districts.index(district) % len(home.postcodes)], address, name)


def away(where: Places, draw: Draw) -> Place:
    """A dwelling in another regency of the province: its district's code, since villages are listed for the home regions only."""
    district = one(draw, where.province)
    return Place(district, f"2{whole(draw, 1000, 9999)}", f"Jl. Merdeka No. {whole(draw, 1, 250)}", where.names[district])
