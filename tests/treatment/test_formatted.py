"""Marked NIKs and phones: nobody's, one for one, and a token for everything else."""

from __future__ import annotations

import re
from itertools import product

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.detection import phones
from broker.keys import ff1
from broker.treatment import DomainKey, pseudonym_tokens
from broker.treatment.formatted import FORMATTED, PHONE_TWEAK, marked_niks, marked_phones, original_niks, ranked

KEY = DomainKey(bytes(range(32)), 1)
TOKEN = re.compile(r"p1\.[\w-]{22}", re.ASCII)
DAYS = (*range(1, 32), *range(41, 72))

niks = st.builds(
    "{:06}{:02}{:02}{:02}{:04}".format, st.integers(100_000, 999_999), st.sampled_from(DAYS), st.integers(1, 12), st.integers(0, 99), st.integers(1, 9999)
)


@pytest.mark.parametrize(
    "value",
    [
        "", "1", "130301410795900", "13030141079590011", "0303014107959001", "0999994107959001", "1303014107950000", "1303010007959001", "1303013207959001", "1303014007959001",
        "1303017207959001", "1303019907959001", "1303010100959001", "1303010113959001", " 303014107959001", "+303014107959001", "-303014107959001", "1303014107959001\n",
        "13030141079590.1", "130301410795900a", "130301410795900１", "C1234567", "99999999999999999999999",
    ],
)  # fmt: skip
def test_what_is_no_nik_becomes_a_token_and_never_a_number(value: str) -> None:
    values = pl.Series([value, "1303014107959001"])
    other, marked = marked_niks(values, KEY)
    assert other == pseudonym_tokens(values, KEY)[0]
    assert TOKEN.fullmatch(other)
    assert re.fullmatch("0[0-9]{15}", marked)


def test_every_day_and_month_has_a_rank_of_its_own() -> None:
    every = pl.Series([f"999999{day:02}{month:02}999999" for day, month in product(DAYS, range(1, 13))] + ["1000000101000001"])
    ranks, good = ranked(every)
    assert good.all()
    assert len(set(ranks.tolist())) == len(every)
    assert int(ranks.max()) < 7.44e14 < 10**15


@settings(max_examples=25, deadline=None)  # speed is the bench's to judge
@given(st.lists(niks, max_size=30, unique=True))
def test_marking_is_one_for_one_never_a_nik_and_goes_back(values: list[str]) -> None:
    series = pl.Series("nik", values, pl.String)
    marked = marked_niks(series, KEY)
    assert (marked.name, series.to_list()) == ("nik", values)
    assert all(re.fullmatch("0[0-9]{15}", text) for text in marked)
    assert marked.n_unique() == len(values)
    assert original_niks(marked, KEY).to_list() == values


@settings(max_examples=25, deadline=None)  # speed is the bench's to judge
@given(st.lists(st.one_of(st.none(), niks, st.sampled_from(["C1234567", "1303013207959001", ""])), max_size=20), st.integers(0, 20))
def test_neighbours_and_cuts_change_nothing(values: list[str | None], cut: int) -> None:
    series = pl.Series("nik", values, pl.String)
    whole = marked_niks(series, KEY).to_list()
    assert marked_niks(series[:cut], KEY).to_list() + marked_niks(series[cut:], KEY).to_list() == whole
    assert [text is None for text in whole] == [value is None for value in values]


@pytest.mark.parametrize("marked", ["1303014107959001", "0", "000000000000000", "00000000000000000", "0 12345678901234", "0+12345678901234", "p1.AAAAAAAAAAAAAAAAAAAAAA", None])
def test_what_was_not_marked_does_not_go_back(marked: str | None) -> None:
    with pytest.raises(ValueError, match=r"not a marked NIK$"):
        original_niks(pl.Series([marked], dtype=pl.String), KEY)


def test_a_number_marked_elsewhere_does_not_go_back_unnoticed() -> None:
    """Three of four numbers of 15 digits are a rank; of a column of another domain some are not."""
    others = marked_niks(pl.Series([f"130301410795{n:04}" for n in range(9000, 9100)]), DomainKey(bytes(32), 1))
    with pytest.raises(ValueError, match="not a marked NIK of this domain"):
        original_niks(others, KEY)


@pytest.mark.parametrize("free", range(6, 13))
def test_a_mobile_number_keeps_its_length_and_is_nobodys(free: int) -> None:
    numbers = pl.Series("no_hp", [f"+628{n:0{free}}" for n in (0, 10**free - 1, *range(10**5, 10**5 + 300))])
    marked = marked_phones(numbers, KEY)
    assert marked.name == "no_hp"
    assert marked.n_unique() == len(numbers)
    assert all(re.fullmatch(rf"\+621[0-9]{{{free}}}", text) for text in marked)
    assert not any(form.match(text.removeprefix("+")) for text in marked for form in (phones.MOBILE, phones.LANDLINE))
    back = ff1.decrypt(KEY.ff1_key, PHONE_TWEAK, free, np.array([int(text[4:]) for text in marked], np.uint64))
    assert [f"+628{n:0{free}}" for n in back.tolist()] == numbers.to_list()


@pytest.mark.parametrize("value", ["+62812345", "+6281234567890123", "+622112345678", "+14155550123", "+621234567890", "081234567890", "6281234567890", "+6281234567a", "+62812345678 ", "", "+628１2345678"])  # fmt: skip
def test_any_other_number_becomes_a_token(value: str) -> None:
    other, marked, nothing = marked_phones(pl.Series([value, "+6281234567890", None]), KEY)
    assert TOKEN.fullmatch(other)
    assert marked.startswith("+621")
    assert nothing is None


def test_a_landline_in_a_column_has_the_token_of_the_same_number_in_a_text() -> None:
    assert marked_phones(pl.Series(["+622112345678"]), KEY)[0] == pseudonym_tokens(pl.Series(["2112345678"]), KEY)[0]


def test_columns_of_nothing_stay_so_and_what_is_given_is_not_changed() -> None:
    for make in (pseudonym_tokens, *FORMATTED.values()):
        for values in ([], [None], [None, None]):
            made = make(pl.Series("x", values, pl.String), KEY)
            assert made.to_list() == values
            assert made.dtype == pl.String
            assert made.name == "x"
        given_ = pl.Series("x", [None, "1303014107959001", "+6281234567890", "C1", None])
        before = given_.to_list()
        made = make(given_, KEY)
        assert given_.to_list() == before
        assert [value is None for value in made] == [value is None for value in before]
        assert made.name == "x"


def test_one_key_never_serves_two_algorithms() -> None:
    assert KEY.ff1_key != KEY.key
    assert len(KEY.ff1_key) == 32
