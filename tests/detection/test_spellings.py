"""Every kind of number behind every label in every spelling an officer, a typist or a scan gives it: seeded draws, each found whole."""

from __future__ import annotations

import itertools
import random

import pytest

from broker.detection import detect
from broker.detection.structures import luhn

_KINDS = {
    "nik": (("NIK", "No. KTP", "nik-nya", "Nomor Induk Kependudukan", "NlK"), ((6, 6, 4), (4, 4, 4, 4), (2, 2, 2, 2, 2, 2, 4))),
    "kk": (("KK", "nomor kartu keluarga", "No KK-nya"), ((6, 6, 4), (4, 4, 4, 4))),
    "npwp": (("NPWP", "nomor pokok wajib pajak", "npwp 15 digit"), ((2, 3, 3, 1, 3, 3), (5, 5, 5))),
    "bpjs": (("BPJS Kesehatan", "No. kartu JKN", "KIS"), ((4, 4, 5), (3, 3, 3, 4))),
    "kpj": (("KPJ", "BPJS Ketenagakerjaan", "bpjs tk no"), ((2, 3, 3, 3), (4, 4, 3))),
    "nib": (("NIB", "Nomor Induk Berusaha"), ((4, 4, 5), (3, 3, 3, 4))),
    "nip": (("NIP", "Nip."), ((8, 6, 1, 3), (8, 6, 4))),
    "passport": (("paspor", "No. Paspor", "Passport."), ((2, 6), (1, 4, 3))),
    "sim": (("SIM C", "nomor SIM A"), ((4, 4, 4),)),
    "phone": (("HP", "No. WA", "hubungi", "telp."), ((4, 4, 4), (4, 3, 3, 2))),
    "account": (("rek BRI", "rek. Mandiri a.n. sendiri", "norek"), ((4, 2, 6, 2, 1), (5, 5, 5))),
}
_SAID = ("{name}, {it}", "Pak {name} datang, {it}, minta antar kerja", "Nama: {name}\n{it}\nKet: lengkap", "{name} | {it} | OK", "mohon dicek {it} an {name} tks", "{it} ({name})")
_NAMES = ("Rahmat Hidayat", "Siti Aminah", "Binsar Siregar")
_SIGNS = (" ", ".", "-", " - ", "\u00a0", "  ", ". ", "\n")
_MISREAD = {"0": "Oo", "1": "lI"}


def _digits(draw: random.Random, size: int) -> str:
    return "".join(draw.choices("0123456789", k=size))


def _value(draw: random.Random, kind: str) -> str:
    if kind in ("nik", "kk"):
        region = draw.choice(("130305", "127503", "317404"))
        return f"{region}{draw.randint(1, 28) + draw.choice((0, 40)):02}{draw.randint(1, 12):02}{draw.randint(50, 99)}{draw.randint(9001, 9999)}"
    if kind == "npwp":
        head = _digits(draw, 8)
        return head + next(c for c in "0123456789" if luhn(head + c)) + _digits(draw, 3) + "000"
    if kind == "nip":
        born = draw.randint(1965, 1999)
        return f"{born}0{draw.randint(1, 9)}{draw.randint(10, 28)}{born + 24}12{draw.choice('12')}{draw.randint(1, 20):03}"
    heads = {"bpjs": ("0001", 9), "kpj": ("2", 10), "nib": ("91", 11), "passport": ("C", 7), "sim": ("", 12), "phone": ("0813", 8), "account": ("", 15)}
    head, size = heads[kind]
    return head + _digits(draw, size)


def _spelt(draw: random.Random, value: str, groups: tuple[int, ...]) -> str:
    """The value whole, in groups, letter by letter, in full width, broken at the end of a line; perhaps with o for 0 and l for 1."""
    way = draw.choice(("whole", "groups", "groups", "apart", "wide", "broken"))
    misread = way in ("whole", "groups") and draw.random() < 0.4
    if way == "groups":
        cuts = [sum(groups[:i]) for i in range(len(groups) + 1)]
        value = draw.choice(_SIGNS[:3] if misread else _SIGNS).join(part for part in (*(value[a:b] for a, b in itertools.pairwise(cuts)), value[cuts[-1] :]) if part)
    elif way == "apart":
        value = " ".join(value)
    elif way == "broken":
        cut = draw.randint(4, len(value) - 4)
        value = f"{value[:cut]}\n{value[cut:]}"
    elif way == "wide":
        return "".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in value)
    if misread:
        last = max(i for i, c in enumerate(value) if c.isdigit())  # one digit of the last group stays one
        return "".join(draw.choice(_MISREAD[c]) if c in _MISREAD and i != last and draw.random() < 0.5 else c for i, c in enumerate(value))
    return value


@pytest.mark.parametrize("kind", _KINDS)
def test_a_labelled_number_is_found_in_every_spelling(kind: str) -> None:
    draw = random.Random(f"spelling {kind}")
    labels, groupings = _KINDS[kind]
    texts, spans = [], []
    for _ in range(400):
        value = _spelt(draw, _value(draw, kind), draw.choice(groupings))
        told = draw.choice(("{}", "{}", "({})", "[{}]", '"{}"')).format(value)
        text = draw.choice(_SAID).format(name=draw.choice(_NAMES), it=draw.choice(labels) + draw.choice((" ", ": ", " : ", ". ")) + told)
        texts.append(text)
        spans.append((text.index(value), text.index(value) + len(value)))
    missed = []
    for text, (start, end), found in zip(texts, spans, detect(texts), strict=True):
        hidden = {i for f in found for i in range(f.start, f.end)}
        if any(text[i].isalnum() and i not in hidden for i in range(start, end)):
            missed.append(text[start:end])
    assert not missed
