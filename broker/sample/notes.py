"""Officers' free-text notes with gold spans: what a detector is trained on, tuned on and measured with.

A template and a name part belong to one split only, so that a score on `test` speaks of wording and names never seen.
Every person is invented: NIKs end in 9001–9999, e-mail domains are example domains. No range of phone or account numbers is reserved
for examples. Place names are real and no gold. Sources: names.toml; the word lists and templates were composed for this project.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from hashlib import shake_128
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from broker.sample.draw import digits, one, seeded, shares, whole
from broker.sample.names import BR, DEGREES, GELAR, SINGLE, parts
from broker.sample.people import MOBILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from broker.sample.draw import Draw

SPLITS: Final = ("train", "dev", "test")
SHARES: Final = (0.7, 0.8)  # below the first: train; below the second: dev; the rest: test
PEOPLES: Final = shares({"minang": 42, "jawa": 20, "melayu": 10, "toba": 11, "karo": 6, "mandailing": 6, "tionghoa": 5})
OLDEST: Final = date(1966, 1, 1)
BIRTH_DAYS: Final = 43 * 365
AS_OF: Final = date(2026, 11, 21)  # no date in a note is later
MONTHS: Final = ("Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober", "November", "Desember")
SHORT_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agt", "Sep", "Okt", "Nop", "Des")
# Digits of an account number by bank, as the banks print them; two letters of a vehicle's region.
BANKS: Final = MappingProxyType({"BRI": 15, "BNI": 10, "BSI": 10, "BCA": 10, "Mandiri": 13, "Bank Nagari": 14, "Bank Sumut": 14, "BTN": 16})
PLATES: Final = ("BA", "BA", "BA", "BK", "BK", "BB", "BM", "B", "BH")
AREA_CODES: Final = ("0754", "0751", "0755", "061", "0752", "0767")
TYPO: Final = 0.07  # share of notes typed in haste
LOWER: Final = 0.05  # share of notes without capitals
MORE: Final = shares({0: 50, 1: 26, 2: 15, 3: 6, 4: 3})  # how many templates follow the first
PURE: Final = 0.9  # share of notes begun without personal data that stay so
OTHERS: Final = 0.6  # share of joined texts that are about other people
FILLED: Final = 0.3  # share of notes with a closing sentence


@dataclass(frozen=True, slots=True)
class Slot:
    """Something drawn for a person of the note, or for nobody."""

    write: Callable[[Scene, int], None]
    number: int


@dataclass(frozen=True, slots=True)
class Choice:
    branches: tuple[tuple[Op, ...], ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """Words of the template itself that are gold."""

    kind: str
    text: str


Op: TypeAlias = "str | Slot | Choice | Mark"
Ops: TypeAlias = tuple[Op, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """A text and its personal data: (start, end, kind) in characters, in order, not overlapping; place names are not marked."""

    text: str
    spans: tuple[tuple[int, int, str], ...]
    template: str


def notes(seed: int, count: int, split: str, *, upper: float = 0.0, form: str = "mixed") -> Iterator[Note]:
    """The same arguments give the same notes; note i does not depend on `count`.

    split: train, dev or test. upper: share of notes in capitals throughout. form: `form` for notes that hold a name, `mixed` for all.
    """
    if split not in SPLITS or form not in ("mixed", "form"):
        raise ValueError("split is train, dev or test; form is mixed or form")
    stock = [name for name in templates(split) if form == "mixed" or named(split, name)]
    for i in range(count):
        draw = seeded("catatan", seed, split, i)
        chosen = [one(draw, stock)]
        kin = clean_templates(split) if clean(split, chosen[0]) and draw() < PURE else tuple(templates(split))
        chosen += (one(draw, kin) for _ in range(one(draw, MORE)))
        yield written(Scene(draw, split), chosen, capitals=draw() < upper)


def written(scene: Scene, chosen: Sequence[str], *, capitals: bool = False) -> Note:
    """One note from templates of the scene's split; a scene that already has people tells about them."""
    scene.hasty = scene.draw() < TYPO
    for name in chosen:
        if scene.pieces:
            _join(scene)
        _run(scene, templates(scene.split)[name])
    if scene.draw() < FILLED:
        _join(scene)
        _run(scene, one(scene.draw, fillers(scene.split)))
    text = "".join(scene.pieces)
    if capitals:
        text = "".join(map(_capital, text))
    elif scene.draw() < LOWER:
        text = "".join(map(_small, text))
    return Note(text, tuple(scene.spans), "+".join(chosen))


def _join(scene: Scene) -> None:
    """Goes on after a text, about the same people or about others."""
    scene.put("\n" if scene.lines or scene.draw() < 0.2 else " ")
    if scene.draw() < OTHERS:
        scene.first = len(scene.people)


@cache
def named(split: str, name: str) -> bool:
    """Whether every note of the template holds a name."""
    return any(isinstance(op, Slot) and op.write in NAME_SLOTS for op in templates(split)[name])


@cache
def clean_templates(split: str) -> tuple[str, ...]:
    return tuple(name for name in templates(split) if clean(split, name))


@cache
def clean(split: str, name: str) -> bool:
    """Whether no note of the template holds personal data."""
    return not any(map(_marks, templates(split)[name]))


@cache
def templates(split: str) -> Mapping[str, Ops]:
    """The split's templates by id, ready to run."""
    topics = _read(split)[split]
    return MappingProxyType({f"{split}.{topic}.{i}": _compiled(text) for topic, texts in topics.items() for i, text in enumerate(texts)})


@cache
def fillers(split: str) -> Sequence[Ops]:
    """Sentences without personal data, put before or after a note; a split has its own."""
    return tuple(_compiled(text) for text in _read(split)["isian"])


def split_of(part: str) -> str:
    """The split a name part belongs to, whatever its case."""
    place = int.from_bytes(shake_128(f"nama|{part.lower()}".encode()).digest(4)) / 2**32
    return SPLITS[(place >= SHARES[0]) + (place >= SHARES[1])]


@cache
def name_parts(split: str) -> Mapping[str, tuple[str, ...]]:
    """names.toml with the split's parts only; parts of two words would belong to two splits and are left out."""
    return MappingProxyType({key: tuple(p for p in names if " " not in p and split_of(p) == split) for key, names in parts().items()})


@cache
def words(split: str, key: str) -> tuple[str, ...]:
    """A word list; of lists under `terbagi` each split has its own share."""
    source = _read("words")
    if key in source["umum"]:
        return tuple(source["umum"][key])
    every = source["terbagi"][key]
    return tuple(word for word in every if split_of(word) == split) or tuple(every)


@cache
def _read(part: str) -> dict[str, Any]:
    return tomllib.loads(files("broker.sample").joinpath(f"notes_{part}.toml").read_text(encoding="utf-8"))


# People --------------------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Subject:
    """Somebody a note speaks of; numbers are drawn when first asked for and then kept."""

    words: tuple[str, ...]
    sex: str
    people: str
    born: date
    known: dict[str, str] = field(default_factory=dict)


def invented(draw: Draw, split: str) -> Subject:
    people, sex = one(draw, PEOPLES), "P" if draw() < 0.48 else "L"
    return Subject(_named(draw, name_parts(split), people, sex), sex, people, OLDEST + timedelta(days=int(draw() * BIRTH_DAYS)))


def _named(draw: Draw, lists: Mapping[str, tuple[str, ...]], people: str, sex: str) -> tuple[str, ...]:
    """Name words in order, as in broker.sample.names; here also names of three words, since notes carry them in full."""
    if people == "tionghoa":
        return one(draw, lists[f"tionghoa_depan_{sex}"]), one(draw, lists[f"tionghoa_belakang_{sex}"])
    if people not in SINGLE:
        group = {"karo": "karo", "toba": "batak", "mandailing": "melayu"}[people]
        given, marga = one(draw, lists[f"{group}_depan_{sex}"]), one(draw, lists[f"marga_{people}"])
        if sex == "P" and draw() < BR:
            return given, "br" if draw() < 0.8 else "boru", marga
        return (given, one(draw, lists[f"umum_depan_{sex}"]), marga) if draw() < 0.25 else (given, marga)
    group = "umum" if draw() < 0.4 else {"minang": "minang", "jawa": "jawa_deli", "melayu": "melayu"}[people]
    first = one(draw, lists[f"{group}_depan_{sex}"])
    if draw() < SINGLE[people]:
        return (first,)
    last = one(draw, lists[f"{'minang' if people == 'minang' and draw() < 0.5 else 'umum'}_belakang_{sex}"])
    if draw() < 0.2:
        middle = one(draw, lists[f"umum_depan_{sex}"])
        return tuple(dict.fromkeys((first, middle, last)))
    return (first,) if first == last else (first, last)


class Scene:
    """A note while it is written: its people, its text so far and the spans in it."""

    def __init__(self, draw: Draw, split: str, *people: Subject) -> None:
        self.draw, self.split, self.people = draw, split, list(people)
        self.pieces: list[str] = []
        self.spans: list[tuple[int, int, str]] = []
        self.at = 0
        self.first = 0  # the person whom a template calls the first
        self.hasty = False

    @property
    def lines(self) -> bool:
        return any("\n" in piece for piece in self.pieces)

    def put(self, text: str, kind: str = "") -> None:
        if kind:
            self.spans.append((self.at, self.at + len(text), kind))
        self.pieces.append(text)
        self.at += len(text)

    def who(self, number: int) -> Subject:
        while len(self.people) <= number:
            self.people.append(invented(self.draw, self.split))
        return self.people[number]

    def fact(self, number: int, key: str) -> str:
        """The person's number of that kind in its plain form."""
        known = self.who(number).known
        if key not in known:
            known[key] = PLAIN[key](self.draw, self.who(number))
        return known[key]

    def word(self, key: str) -> str:
        return one(self.draw, words(self.split, key))

    def part(self, key: str) -> str:
        return one(self.draw, name_parts(self.split)[key])


# Templates -----------------------------------------------------------------------------------------------------------------------

TOKEN: Final = re.compile(r"\{([^{}]*)\}|([\[\]|])|([^{}\[\]|]+)")


def _compiled(text: str) -> Ops:
    """`{slot}` or `{slot2}` (the second person); `{kind:words}` marks words; `[a|b|]` is one of the three, without nesting."""
    ops: list[Op] = []
    choice: list[Ops] = []
    branch: list[Op] | None = None
    for slot, mark, literal in TOKEN.findall(text):
        here = ops if branch is None else branch
        if slot:
            here.append(_slot(slot))
        elif mark == "[":
            choice, branch = [], []
        elif mark and branch is not None:
            choice.append(tuple(branch))
            branch = []
            if mark == "]":
                ops.append(Choice(tuple(choice)))
                branch = None
        else:
            here.append(literal or mark)  # a bar that parts nothing is one
    assert branch is None and ops
    return tuple(ops)


def _slot(text: str) -> Op:
    kind, colon, inner = text.partition(":")
    if colon:
        return Mark(kind, inner)
    name = kind if kind in SLOTS else kind[:-1]
    return Slot(SLOTS[name], int(kind[len(name) :] or 1) - 1)


def _run(scene: Scene, ops: Ops) -> None:
    for op in ops:
        if isinstance(op, Slot):
            op.write(scene, scene.first + op.number)
        elif isinstance(op, Choice):
            _run(scene, one(scene.draw, op.branches))
        elif isinstance(op, Mark):
            scene.put(op.text, op.kind)
        else:
            text = op[1:] if op[0] == "." and scene.pieces and scene.pieces[-1][-1:] == "." else op  # `Siti N.` ends a sentence too
            scene.put(_typo(scene.draw, text) if scene.hasty and text else text)


def _marks(op: Op) -> bool:
    if isinstance(op, Choice):
        return any(_marks(inner) for branch in op.branches for inner in branch)
    return isinstance(op, Mark) or (isinstance(op, Slot) and op.write in GOLD_SLOTS)


def _typo(draw: Draw, text: str) -> str:
    """One letter lost or two swapped inside a word of some length; identifiers and names are never touched."""
    at = int(draw() * len(text))
    if at < 2 or at + 2 >= len(text) or not text[at - 2 : at + 3].isalpha():
        return text
    return text[:at] + text[at + 1 :] if draw() < 0.5 else text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def _capital(letter: str) -> str:
    return up if len(up := letter.upper()) == 1 else letter


def _small(letter: str) -> str:
    return low if len(low := letter.lower()) == 1 else letter


# Names in all their forms --------------------------------------------------------------------------------------------------------


def _full(scene: Scene, n: int) -> str:
    return " ".join(scene.who(n).words)


def _nama(scene: Scene, n: int) -> None:
    """A name as it comes: mostly in full, some in capitals, small letters, initials, with a title, or the first name alone."""
    shape, who = scene.draw(), scene.who(n)
    if shape < 0.58:
        scene.put(_full(scene, n), "name")
    elif shape < 0.69:
        scene.put(_full(scene, n).upper(), "name")
    elif shape < 0.72:
        scene.put(_full(scene, n).lower(), "name")
    elif shape < 0.80:
        _singkat(scene, n)
    elif shape < 0.86:
        scene.put(who.words[0], "name")
    elif shape < 0.90:
        _binti(scene, n)
    else:
        _gelar(scene, n)


def _lengkap(scene: Scene, n: int) -> None:
    scene.put(_full(scene, n), "name")


def _besar(scene: Scene, n: int) -> None:
    scene.put(_full(scene, n).upper(), "name")


def _kecil(scene: Scene, n: int) -> None:
    scene.put(_full(scene, n).lower(), "name")


def _depan(scene: Scene, n: int) -> None:
    scene.put(scene.who(n).words[0], "name")


def _singkat(scene: Scene, n: int) -> None:
    """`M. Rizki`, `Siti N.`, `B. Siregar`."""
    given, shape = scene.who(n).words, scene.draw()
    if len(given) == 1:
        text = f"{one(scene.draw, ('M.', 'M', 'A.', 'Moh.', 'Abd.') if scene.who(n).sex == 'L' else ('St.', 'N.', 'S.', 'E.', 'R.'))} {given[0]}"
    elif shape < 0.45:
        text = f"{' '.join(given[:-1])} {given[-1][0].upper()}."
    elif shape < 0.75:
        text = f"{given[0][0]}. {' '.join(given[1:])}"
    else:
        text = f"{given[0]} {''.join(f'{w[0].upper()}.' for w in given[1:])}"
    scene.put(text, "name")


def _binti(scene: Scene, n: int) -> None:
    """The name with the father's; peoples that use a surname have none."""
    who = scene.who(n)
    if who.people not in SINGLE:
        return _lengkap(scene, n)
    scene.put(f"{_full(scene, n)} {'bin' if who.sex == 'L' else 'binti'} {_father(scene, who)}", "name")
    return None


def _father(scene: Scene, who: Subject) -> str:
    return scene.part({"minang": "minang_depan_L", "jawa": "jawa_deli_depan_L"}.get(who.people, "melayu_depan_L"))


def _gelar(scene: Scene, n: int) -> None:
    """With titles and degrees, which stay outside the span; a Minang title is part of the name."""
    who, draw = scene.who(n), scene.draw
    if who.people == "minang" and who.sex == "L" and draw() < 0.6:
        return scene.put(f"{_full(scene, n)} {one(draw, GELAR)}", "name")
    front = draw()
    if front < 0.35 and who.people in SINGLE:
        scene.put("H. " if who.sex == "L" else "Hj. ")
    elif front < 0.45:
        scene.put(one(draw, ("Drs. ", "Ir. ", "dr. ")) if who.sex == "L" else one(draw, ("Dra. ", "Ir. ", "dr. ")))
    scene.put(_full(scene, n), "name")
    if draw() < 0.7:
        scene.put(f"{one(draw, (', ', ', ', ' '))}{one(draw, one(draw, tuple(DEGREES.values())))}")
    return None


def _balik(scene: Scene, n: int) -> None:
    """`SIREGAR, BINSAR`."""
    given = scene.who(n).words
    text = f"{given[-1]}, {' '.join(given[:-1])}" if len(given) > 1 else given[0]
    scene.put(text.upper() if scene.draw() < 0.6 else text, "name")


def _sapaan(scene: Scene, n: int) -> None:
    """`Pak Rahmat`, `Uni Desi`, `Lae Binsar`: the first name, or for Batak the surname."""
    who, draw = scene.who(n), scene.draw
    kin = KIN[who.people if who.people in KIN else "minang"][who.sex == "P"]
    called = who.words[-1] if who.people in ("toba", "karo", "mandailing") and draw() < 0.4 else who.words[0]
    title = one(draw, kin)
    scene.put(f"{title.lower() if draw() < 0.2 else title} ")
    scene.put(called, "name")


KIN: Final = {
    "minang": (("Pak", "Bapak", "Uda", "Da", "Mak"), ("Bu", "Ibu", "Uni", "Ni", "Kak")),
    "jawa": (("Pak", "Mas", "Bang", "Wak"), ("Bu", "Mbak", "Mbak", "Kak")),
    "melayu": (("Pak", "Bang", "Bg", "Encik"), ("Bu", "Kak", "Dek", "Buk")),
    "toba": (("Pak", "Lae", "Bang", "Amang"), ("Bu", "Ito", "Kak", "Inang")),
    "karo": (("Pak", "Bang", "Lae", "Kila"), ("Bu", "Kak", "Nande", "Ito")),
    "mandailing": (("Pak", "Bang", "Lae", "Udak"), ("Bu", "Kak", "Ito", "Buk")),
    "tionghoa": (("Pak", "Ko", "Koh", "Bapak"), ("Bu", "Ci", "Cik", "Ibu")),
}


def _sdr(scene: Scene, n: int) -> None:
    man = scene.who(n).sex == "L"
    scene.put(one(scene.draw, ("Sdr.", "Sdr", "Saudara", "Bpk.", "Bapak") if man else ("Sdri.", "Sdri", "Saudari", "Ibu", "Ny.")))


def _kelamin(scene: Scene, n: int) -> None:
    man = scene.who(n).sex == "L"
    scene.put(one(scene.draw, ("Laki-laki", "L", "Pria") if man else ("Perempuan", "P", "Wanita")))


def _ibu(scene: Scene, n: int) -> None:
    who = scene.who(n)
    mother = who.known.get("ibu") or " ".join(_named(scene.draw, name_parts(scene.split), who.people, "P"))
    who.known["ibu"] = mother
    scene.put(mother.upper() if scene.draw() < 0.15 else mother, "mother")


# Numbers -------------------------------------------------------------------------------------------------------------------------


def _district(draw: Draw) -> str:
    return one(draw, words("train", "kecamatan_kode"))


def _new_nik(draw: Draw, who: Subject) -> str:
    day = who.born.day + 40 * (who.sex == "P")
    return f"{_district(draw)}{day:02d}{who.born:%m%y}{whole(draw, 9001, 9999)}"


def _new_kk(draw: Draw, _: Subject) -> str:
    issued = AS_OF - timedelta(days=whole(draw, 100, 6000))
    return f"{_district(draw)}{issued:%d%m%y}{whole(draw, 9001, 9999)}"


def _luhn(stem: str) -> str:
    total = sum(sum(divmod(int(c) * (2 - (i % 2)), 10)) for i, c in enumerate(reversed(stem)))
    return str(-total % 10)


def _new_npwp(draw: Draw, _: Subject) -> str:
    """Fifteen digits whose first nine pass Luhn's check, as the tax office's do."""
    stem = f"{one(draw, ('09', '07', '08', '14', '25', '36', '44', '58', '66', '73', '82', '91'))}{digits(draw, 6)}"
    return f"{stem}{_luhn(stem)}{one(draw, ('201', '202', '203', '204', '205', '113', '119', '121', '125', '127'))}000"


def _new_mail(draw: Draw, who: Subject) -> str:
    local = [re.sub("[^a-z]", "", w.lower()) for w in who.words]
    name = one(draw, (local[0], ".".join(local), "_".join(local), f"{local[0]}{local[-1][:3]}" if len(local) > 1 else local[0], "".join(local)))
    number = one(draw, ("", f"{who.born:%y}", f"{who.born.year}", digits(draw, 2), digits(draw, 3)))
    return f"{name}{number}@{one(draw, ('example.com', 'example.com', 'example.org', 'mail.example.com', 'kantor.example.org'))}"


def _new_ak1(draw: Draw, _: Subject) -> str:
    day = AS_OF - timedelta(days=whole(draw, 1, 900))
    if draw() < 0.6:
        return f"{_district(draw)[:4]}{day:%d%m%Y}{digits(draw, 6)}"
    return one(draw, (f"560/{digits(draw, 4)}/AK-I/{day.year}", f"AK1-{day.year}-{digits(draw, 5)}", f"{digits(draw, 5)}/PK/{day.month:02d}/{day.year}"))


def _new_nip(draw: Draw, who: Subject) -> str:
    hired = whole(draw, min(who.born.year + 20, 2025), 2026)
    return f"{who.born:%Y%m%d}{hired}{whole(draw, 1, 12):02d}{1 + (who.sex == 'P')}{whole(draw, 1, 30):03d}"


PLAIN: Final[Mapping[str, Callable[[Draw, Subject], str]]] = {
    "nik": _new_nik,
    "kk": _new_kk,
    "npwp": _new_npwp,
    "hp": lambda draw, _: f"0{one(draw, MOBILE)}{digits(draw, one(draw, (7, 8, 8, 8, 9)))}",
    "telp": lambda draw, _: f"{one(draw, AREA_CODES)}{whole(draw, 2, 7)}{digits(draw, one(draw, (4, 5, 6)))}",
    "email": _new_mail,
    "bank": lambda draw, _: one(draw, tuple(BANKS)),
    "bpjs": lambda draw, _: f"000{digits(draw, 10)}",
    "kpj": lambda draw, who: f"{whole(draw, 8, 26):02d}{who.born:%m}{digits(draw, 7)}",
    "nip": _new_nip,
    "paspor": lambda draw, _: f"{one(draw, ('A', 'B', 'C', 'X', 'E'))}{digits(draw, 7)}",
    "sim": lambda draw, who: f"{who.born:%y%m}{digits(draw, one(draw, (8, 8, 10)))}",
    "plat": lambda draw, _: f"{one(draw, PLATES)} {whole(draw, 1000, 9999)} {''.join(one(draw, 'ABCDEFGHJKLMNPQRSTUVW') for _ in range(whole(draw, 1, 3)))}",
    "ak1": _new_ak1,
    "nib": lambda draw, _: f"{whole(draw, 1, 9)}{digits(draw, 12)}",
}


def grouped(text: str, sizes: Sequence[int], by: str) -> str:
    """The text cut into pieces of these sizes; what remains is the last piece."""
    pieces, at = [], 0
    for size in sizes:
        pieces.append(text[at : at + size])
        at += size
    return by.join(piece for piece in (*pieces, text[at:]) if piece)


def _misread(draw: Draw, number: str) -> str:
    """One 0 as O or one 1 as l or I, as scans and hasty hands have it."""
    spots = [i for i, c in enumerate(number) if c in "01"]
    if not spots:
        return number
    at = one(draw, spots)
    return number[:at] + (one(draw, ("O", "o")) if number[at] == "0" else one(draw, ("l", "I"))) + number[at + 1 :]


def _sixteen(draw: Draw, number: str) -> str:
    shape = draw()
    if shape < 0.62:
        return number
    if shape < 0.73:
        return grouped(number, (4, 4, 4), " ")
    if shape < 0.79:
        return grouped(number, one(draw, ((6, 6), (2, 2, 2, 6), (4, 4, 4))), ".")
    if shape < 0.84:
        return grouped(number, one(draw, ((4, 4, 4), (6, 6))), "-")
    if shape < 0.88:
        return grouped(number, one(draw, ((6, 6), (2, 2, 2, 2, 2, 2), (8,), (10,))), " ")
    if shape < 0.93:
        return _misread(draw, number)
    if shape < 0.96:
        return grouped(number, (one(draw, (6, 8, 12)),), "\n")
    if shape < 0.98:
        at = whole(draw, 6, 11)  # a digit of the birth date is lost or doubled; the serial stays
        return number[:at] + number[at + 1 :] if draw() < 0.5 else number[:at] + number[at] + number[at:]
    return grouped(number, (4, 4, 4), "  ")


def _nik(scene: Scene, n: int) -> None:
    """A NIK in any spelling: only for places where a label says what it is."""
    scene.put(_sixteen(scene.draw, scene.fact(n, "nik")), "nik")


def _nikpolos(scene: Scene, n: int) -> None:
    """A NIK that speaks for itself."""
    number = scene.fact(n, "nik")
    scene.put(number if scene.draw() < 0.75 else grouped(number, (4, 4, 4), " "), "nik")


def _kk(scene: Scene, n: int) -> None:
    number = scene.fact(n, "kk")
    scene.put(number if scene.draw() < 0.75 else grouped(number, (4, 4, 4), one(scene.draw, " .-")), "kk")


def _npwp(scene: Scene, n: int) -> None:
    number, shape = scene.fact(n, "npwp"), scene.draw()
    if shape < 0.6:
        number = f"{grouped(number[:8], (2, 3), '.')}.{number[8]}-{number[9:12]}.{number[12:]}"
    elif shape < 0.75:
        number = f"0{number}"
    scene.put(number, "npwp")


def _hp(scene: Scene, n: int) -> None:
    number, draw = scene.fact(n, "hp"), scene.draw
    shape, rest = draw(), number[1:]
    if shape < 0.4:
        text = number
    elif shape < 0.55:
        text = grouped(number, (4, 4), "-")
    elif shape < 0.65:
        text = grouped(number, (4, 4), " ")
    elif shape < 0.75:
        text = f"+62{one(draw, (' ', '', '-'))}{grouped(rest, (3, 4), one(draw, (' ', '-', '')))}"
    elif shape < 0.81:
        text = f"62{rest}"
    elif shape < 0.86:
        text = grouped(number, (4, 4), ".")
    elif shape < 0.9:
        text = grouped(number, (4, 3, 3) if len(number) == 12 else (4, 3), one(draw, " -"))
    elif shape < 0.93:
        text = f"({number[:4]}) {number[4:]}"
    elif shape < 0.96:
        text = f"+62 (0){rest}" if draw() < 0.4 else f"0062{rest}"
    else:
        text = grouped(number, (3, 3, 3), " ")
    scene.put(text, "phone")


def _telp(scene: Scene, n: int) -> None:
    number = scene.fact(n, "telp")
    code = 3 if number.startswith("061") else 4
    scene.put(one(scene.draw, (f"({number[:code]}) {number[code:]}", f"{number[:code]}-{number[code:]}", number, f"{number[:code]} {number[code:]}")), "phone")


def _email(scene: Scene, n: int) -> None:
    address, shape = scene.fact(n, "email"), scene.draw()
    if shape > 0.82:
        local, _, domain = address.partition("@")
        at = one(scene.draw, (" [at] ", "[at]", " (at) ", "(at)", " at ", " @ "))
        address = f"{local}{at}{domain.replace('.', ' dot ') if at == ' at ' else domain}"
    elif shape > 0.76:
        address = address.upper() if scene.draw() < 0.5 else address.capitalize()
    scene.put(address, "email")


def _bank(scene: Scene, n: int) -> None:
    scene.put(scene.fact(n, "bank"))


def _rek(scene: Scene, n: int) -> None:
    """An account number as long as the person's bank makes them."""
    known = scene.who(n).known
    number = known.setdefault("rek", digits(scene.draw, BANKS[scene.fact(n, "bank")] - 1).rjust(BANKS[scene.fact(n, "bank")], str(whole(scene.draw, 1, 9))))
    shape = scene.draw()
    if shape > 0.7:
        number = grouped(number, (4, 2, 6) if len(number) == 15 else (4, 4, 4) if shape > 0.8 else (3, 3), one(scene.draw, "-. "))
    scene.put(number, "account")


def _plain(key: str, kind: str, *shapes: tuple[tuple[int, ...], str]) -> Callable[[Scene, int], None]:
    """A slot for the plain number, or one time in three cut as one of the shapes says."""

    def slot(scene: Scene, n: int) -> None:
        number = scene.fact(n, key)
        if shapes and scene.draw() < 0.35:
            sizes, by = one(scene.draw, shapes)
            number = grouped(number, sizes, by)
        scene.put(number, kind)

    return slot


def _lahir(scene: Scene, n: int) -> None:
    scene.put(_dated(scene.draw, scene.who(n).born), "birth_date")


def _ttl(scene: Scene, n: int) -> None:
    """Birthplace and date; the place is no gold."""
    town = scene.who(n).known.get("tempat") or scene.word("kota")
    scene.put(f"{town}{one(scene.draw, (', ', ', ', '/', ' ', ','))}")
    _lahir(scene, n)


def _dated(draw: Draw, day: date) -> str:
    shape = draw()
    if shape < 0.26:
        return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
    if shape < 0.44:
        return f"{day:%d-%m-%Y}"
    if shape < 0.58:
        return f"{day:%d/%m/%Y}"
    if shape < 0.74:
        return f"{day.day:02d} {SHORT_MONTHS[day.month - 1]} {day.year}"
    if shape < 0.82:
        return f"{day:%d/%m/%y}"
    if shape < 0.88:
        return f"{day:%Y-%m-%d}"
    if shape < 0.94:
        return f"{day:%d.%m.%Y}"
    return f"{day.day} {SHORT_MONTHS[day.month - 1].lower()} {day:%y}"


def _alamat(scene: Scene, n: int) -> None:
    known = scene.who(n).known
    if "alamat" not in known:
        known["alamat"] = _new_address(scene)
    scene.put(known["alamat"], "address")


def _new_address(scene: Scene) -> str:
    draw, word = scene.draw, scene.word
    road = f"{one(draw, ('Jl.', 'Jl.', 'Jln', 'Jalan', 'Jl'))} {word('jalan')}"
    number = one(draw, (f"No. {whole(draw, 1, 250)}", f"No.{whole(draw, 1, 99)}", f"No {whole(draw, 1, 99)}", f"No {whole(draw, 1, 40)}A", f"KM {whole(draw, 1, 60)}"))
    rt, rw = whole(draw, 1, 12), whole(draw, 1, 9)
    block = one(draw, (f"RT {rt:03d}/RW {rw:03d}", f"RT {rt:02d} RW {rw:02d}", f"RT.{rt:02d}/{rw:02d}", f"RT {rt}/{rw}"))
    ward = f"{one(draw, ('Kel. ', 'Kelurahan ', 'Kel '))}{word('kelurahan')}"
    district, regency = f"Kec. {word('kecamatan')}", word("kabupaten")
    comma = one(draw, (", ", ", ", " "))
    shape = draw()
    if shape < 0.14:
        return f"{road} {number}"
    if shape < 0.34:
        return f"{road} {number}{one(draw, (f', {block}', ''))}, {ward}{one(draw, ('', f'{comma}{district}', f', {regency}'))}"
    if shape < 0.54:
        nagari = f"{one(draw, ('Nagari ', 'Nagari ', 'Kenagarian ', 'Nag. '))}{word('nagari')}"
        tail = one(draw, ("", f"{comma}{district}", f" {district} {regency}", f", {regency}"))
        return f"{one(draw, ('Jorong ', 'Jorong ', 'Jr. '))}{word('jorong')}{comma}{nagari}{tail}"
    if shape < 0.68:
        hamlet = f"{one(draw, ('Dusun ', 'Dsn. '))}{one(draw, ('I', 'II', 'III', 'IV', 'V', 'Suka Damai', 'Kampung Tengah'))}"
        return f"{hamlet}{comma}Desa {word('desa')}{one(draw, ('', f' {block}'))}, {district}{one(draw, ('', f', {regency}'))}"
    if shape < 0.8:
        lane = f"{one(draw, ('Gg. ', 'Gang ', 'Gg '))}{word('gang')} No {whole(draw, 1, 60)}"
        ring = one(draw, ("", f", Lk. {roman(draw)}", f" {ward}", f", Lingkungan {roman(draw)} {ward}"))
        return f"{one(draw, ('', f'{road} '))}{lane}{ring}"
    if shape < 0.9:
        estate = f"{one(draw, ('Perum. ', 'Perumahan ', 'Komplek ', 'Komp. '))}{word('perumahan')} Blok {one(draw, 'ABCDEF')}"
        return f"{estate}{one(draw, (' No. ', '/', '-', ' no '))}{whole(draw, 1, 30)}{one(draw, ('', f', {block}', f', {regency}'))}"
    return f"{one(draw, ('Kp. ', 'Kampung '))}{word('jorong')} {block}{one(draw, ('', f', {ward}', f' {district}', f'{comma}{district} {whole(draw, 20000, 29999)}'))}"


# Words that are no personal data -------------------------------------------------------------------------------------------------


def _sensitive(key: str, kind: str) -> Callable[[Scene, int], None]:
    return lambda scene, n: scene.put(scene.who(n).known.get(key) or scene.word(key), kind)


def _neutral(key: str) -> Callable[[Scene, int], None]:
    return lambda scene, _: scene.put(scene.word(key))


def _pt(scene: Scene, _: int) -> None:
    """A company; every second one bears a person's name."""
    draw = scene.draw
    if draw() < 0.5:
        part = scene.part(one(draw, ("marga_toba", "minang_depan_L", "marga_karo", "minang_belakang_L", "umum_depan_L", "umum_depan_P", "tionghoa_belakang_L")))
        scene.put(f"{one(draw, ('PT', 'CV', 'UD', 'PT.', 'Toko', 'RM', 'Bengkel'))} {part} {scene.word('usaha')}")
    else:
        scene.put(f"{one(draw, ('PT', 'PT.', 'CV', 'UD', 'Koperasi', 'PT'))} {scene.word('perusahaan')}")


def _tgl(scene: Scene, _: int) -> None:
    scene.put(_dated(scene.draw, AS_OF - timedelta(days=whole(scene.draw, 1, 900))))


def _hari(scene: Scene, _: int) -> None:
    scene.put(one(scene.draw, ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")))


def _jam(scene: Scene, _: int) -> None:
    draw = scene.draw
    scene.put(f"{whole(draw, 7, 20):02d}{one(draw, '.:')}{one(draw, ('00', '15', '30', '45'))}{one(draw, ('', ' WIB', ' wib'))}")


def _rp(scene: Scene, _: int) -> None:
    draw = scene.draw
    sum_ = whole(draw, 4, 1500) * 25_000
    dotted = f"{sum_:,}".replace(",", ".")
    scene.put(one(draw, (f"Rp {dotted}", f"Rp{dotted}", f"Rp. {dotted},-", f"Rp {sum_ / 1e6:.1f} juta".replace(".", ","), f"{sum_ / 1e6:.1f} jt".replace(".", ","))))


def _surat(scene: Scene, _: int) -> None:
    """The number of a letter or a decree."""
    draw, year = scene.draw, whole(scene.draw, 2023, 2026)
    a, b = digits(draw, 3), whole(draw, 1, 400)
    shapes = (f"560/{b}/Nakertrans/{year}", f"{a}/SK/DIR/{roman(draw)}/{year}", f"188.45/{b}/KPTS/{year}", f"B.{a}/PHI/{roman(draw)}/{year}", f"KEP-{a}/MEN/{year}", f"{b}/NK/Pem-{year}", f"800.1.{b}/{a}/{year}")
    scene.put(one(draw, shapes))


def roman(draw: Draw) -> str:
    return one(draw, ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"))


def _pesanan(scene: Scene, _: int) -> None:
    """An order, ticket or transaction number of 12 to 18 digits that begins as no NIK does."""
    draw = scene.draw
    stem = one(draw, ("20261", "20252", "00", "99", "40", "2026", "8880"))
    scene.put(f"{stem}{digits(draw, one(draw, (16, 16, 16, 12, 14, 18)) - len(stem))}")


def _angka(scene: Scene, _: int) -> None:
    scene.put(str(whole(scene.draw, 2, 48)))


def _skor(scene: Scene, _: int) -> None:
    draw = scene.draw
    scene.put(one(draw, (str(whole(draw, 55, 98)), f"{whole(draw, 55, 98)},{whole(draw, 0, 9)}", f"{whole(draw, 55, 98)}/100", f"{whole(draw, 2, 3)},{digits(draw, 2)}")))


def _kode(key: str) -> Callable[[Scene, int], None]:
    return lambda scene, _: scene.put(one(scene.draw, CODES[key]))


CODES: Final = {
    "kbli": ("KBLI 01262", "KBLI 47111", "KBLI 05100", "KBLI 01291", "KBLI 56101", "KBLI 41011", "KBLI 49431", "kode KBLI 10432"),
    "kbji": ("KBJI 7212", "KBJI 8332", "KBJI 5223", "KBJI 4110", "KBJI 9211", "KBJI 2411", "kode KBJI 7115"),
}

NAMES: Final[Mapping[str, Callable[[Scene, int], None]]] = {
    "nama": _nama,
    "lengkap": _lengkap,
    "besar": _besar,
    "kecil": _kecil,
    "depan": _depan,
    "singkat": _singkat,
    "binti": _binti,
    "gelar": _gelar,
    "balik": _balik,
    "sapaan": _sapaan,
}
GOLD: Final[Mapping[str, Callable[[Scene, int], None]]] = {
    **NAMES,
    "ibu": _ibu,
    "nik": _nik,
    "nikpolos": _nikpolos,
    "kk": _kk,
    "npwp": _npwp,
    "hp": _hp,
    "telp": _telp,
    "email": _email,
    "rek": _rek,
    "lahir": _lahir,
    "ttl": _ttl,
    "alamat": _alamat,
    "bpjs": _plain("bpjs", "bpjs", ((4, 4, 4), " "), ((4, 4, 4), "-")),
    "kpj": _plain("kpj", "kpj", ((2, 4), " "), ((3, 4), "-")),
    "nip": _plain("nip", "nip", ((8, 6, 1), " "), ((8, 6, 1), " ")),
    "paspor": _plain("paspor", "passport", ((1,), " ")),
    "sim": _plain("sim", "sim", ((4, 4), "-"), ((4, 4), " ")),
    "plat": _plain("plat", "plate"),
    "ak1": _plain("ak1", "ak1"),
    "nib": _plain("nib", "nib"),
    "sakit": _sensitive("sakit", "health"),
    "difabel": _sensitive("difabel", "disability"),
    "agama": _sensitive("agama", "religion"),
    "serikat": _sensitive("serikat", "union"),
    "pidana": _sensitive("pidana", "crime"),
    "keuangan": _sensitive("keuangan", "finance"),
}
SLOTS: Final[Mapping[str, Callable[[Scene, int], None]]] = {
    **GOLD,
    **{key: _neutral(key) for key in ("kota", "nagari", "kelurahan", "kecamatan", "kabupaten", "jalan", "latih", "rs", "kantor", "jabatan", "sekolah", "semboyan")},
    "sdr": _sdr,
    "kelamin": _kelamin,
    "bank": _bank,
    "pt": _pt,
    "tgl": _tgl,
    "hari": _hari,
    "jam": _jam,
    "rp": _rp,
    "surat": _surat,
    "pesanan": _pesanan,
    "angka": _angka,
    "skor": _skor,
    "kbli": _kode("kbli"),
    "kbji": _kode("kbji"),
    "bulan": lambda scene, _: scene.put(one(scene.draw, MONTHS)),
    "tahun": lambda scene, _: scene.put(str(whole(scene.draw, 2019, 2026))),
}
NAME_SLOTS: Final = frozenset(NAMES.values())
GOLD_SLOTS: Final = frozenset(GOLD.values())
