"""Officers' notes: their gold spans are right, their splits share nothing, and nobody in them can be real."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from itertools import pairwise

import pytest

from broker.sample.names import GELAR
from broker.sample.notes import SPLITS, Mark, Note, clean, name_parts, named, notes, split_of, templates

KINDS = frozenset(
    ["name", "nik", "kk", "npwp", "phone", "email", "address", "birth_date", "account", "bpjs", "kpj", "nip", "passport", "sim", "plate", "ak1", "nib", "health", "disability", "religion", "union", "crime", "finance", "mother"]
)
MADE = {split: tuple(notes(7, 4000, split)) for split in SPLITS}
EVERY = tuple(note for made in MADE.values() for note in made)
PARTICLES = frozenset({"br", "boru", "bin", "binti"} | {word.lower() for title in GELAR for word in title.split()})
READ = str.maketrans("OolI", "0011")


def values(made: tuple[Note, ...], *kinds: str) -> list[str]:
    return [note.text[start:end] for note in made for start, end, kind in note.spans if kind in kinds]


def digits(text: str) -> str:
    return re.sub(r"\D", "", text.translate(READ))


@pytest.mark.parametrize("split", SPLITS)
def test_the_same_arguments_give_the_same_notes(split: str) -> None:
    assert tuple(notes(7, 300, split)) == MADE[split][:300]
    assert tuple(notes(8, 300, split)) != MADE[split][:300]


def test_spans_are_in_order_inside_the_text_and_not_empty() -> None:
    for note in EVERY:
        assert all(0 <= start < end <= len(note.text) for start, end, _ in note.spans)
        assert all(left[1] <= right[0] for left, right in pairwise(note.spans))
        assert all(value == value.strip() for value in (note.text[start:end] for start, end, _ in note.spans))


@pytest.mark.parametrize("split", SPLITS)
def test_every_kind_occurs_and_no_other(split: str) -> None:
    assert KINDS <= {kind for note in MADE[split] for _, _, kind in note.spans} <= KINDS | {"nitku"}


def test_a_split_has_enough_templates_and_one_in_five_is_clean() -> None:
    for split, least in zip(SPLITS, (900, 200, 150), strict=True):
        assert len(templates(split)) >= least
        assert sum(clean(split, name) for name in templates(split)) >= 0.2 * len(templates(split))


def test_no_wording_stands_in_two_splits() -> None:
    wordings = Counter(ops for split in SPLITS for ops in templates(split).values())
    assert max(wordings.values()) == 1


def test_a_clean_template_gives_no_spans_and_the_others_do() -> None:
    for split, made in MADE.items():
        for note in made:
            assert all(clean(split, name) for name in note.template.split("+")) is not bool(note.spans)


def test_no_name_part_is_in_two_splits() -> None:
    parts = {split: {part.lower() for names in name_parts(split).values() for part in names} for split in SPLITS}
    assert not (parts["train"] & parts["dev"] or parts["train"] & parts["test"] or parts["dev"] & parts["test"])
    assert all(names for split in SPLITS for names in name_parts(split).values())


@pytest.mark.parametrize("split", SPLITS)
def test_a_note_names_people_by_its_splits_parts_only(split: str) -> None:
    written = {op.text for ops in templates(split).values() for op in ops if isinstance(op, Mark) and op.kind in ("name", "mother")}  # a template's own words
    for value in values(MADE[split], "name", "mother"):
        words = [word for word in re.split(r"[ ,]+", value.lower()) if word not in PARTICLES and "." not in word and len(word) > 1]
        assert value.lower() in map(str.lower, written) or all(split_of(word) == split for word in words if word not in ("moh", "abd"))


def test_a_nik_is_of_nobody() -> None:
    niks = [digits(value) for value in values(EVERY, "nik") if re.search(r"\d{3}", value) and not re.search("[a-z]{3}", value)]  # others are spoken: "satu tiga nol"
    assert sum(len(nik) != 16 for nik in niks) < 0.04 * len(niks)
    for nik in niks:
        assert nik[-4:] >= "9001"
        if len(nik) == 16:
            day = int(nik[6:8])
            assert date(2000 + int(nik[10:12]), int(nik[8:10]), day - 40 if day > 40 else day)
    assert all(digits(value)[-4:] >= "9001" for value in values(EVERY, "kk") if re.search(r"\d{3}", value))


def test_an_email_is_at_an_example_domain() -> None:
    assert all(re.search(r"example\W{0,3}(dot|titik)?\W{0,3}(com|org)\b", "".join(value.lower().split())) for value in values(EVERY, "email"))


def test_identifiers_come_in_many_spellings() -> None:
    for kind, least in (("nik", 8), ("phone", 8), ("birth_date", 7), ("email", 5), ("account", 5)):
        assert len({re.sub(r"[0-9]", "0", re.sub(r"[a-z_]+", "a", value)) for value in values(EVERY, kind)}) >= least
    assert any("\n" in value for value in values(EVERY, "nik"))
    assert {"bin", "binti", "br"} <= {word for value in values(EVERY, "name") for word in value.split()}


def test_capitals_move_no_span() -> None:
    for plain, loud in zip(notes(5, 400, "train"), notes(5, 400, "train", upper=1.0), strict=True):
        assert loud.spans == plain.spans
        assert len(loud.text) == len(plain.text)
        assert loud.text.lower() == plain.text.lower()
    assert 0.2 < sum(note.text.isupper() for note in notes(5, 1000, "test", upper=0.3)) / 1000 < 0.4


def test_form_gives_only_notes_that_hold_a_name() -> None:
    for split in SPLITS:
        assert all(any(kind == "name" for *_, kind in note.spans) for note in notes(3, 500, split, form="form"))
        assert sum(named(split, name) for name in templates(split)) > 25


def test_lengths_are_those_of_notes() -> None:
    lengths = [len(note.text) for note in EVERY]
    assert min(lengths) >= 1
    assert 180 < sum(lengths) / len(lengths) < 400


def test_an_unknown_split_or_form_is_refused() -> None:
    for split, form in (("tes", "mixed"), ("test", "clean")):
        with pytest.raises(ValueError, match="split is train"):
            next(notes(1, 1, split, form=form))
