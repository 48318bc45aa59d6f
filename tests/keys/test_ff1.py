"""FF1: what it refuses, that it is a permutation, that columns are cut nowhere. Its values are those of tests/vectors and the public sets."""

from __future__ import annotations

import numpy as np
import pytest

from broker.errors import NotVerified
from broker.keys import cmac, ff1

KEY = bytes(range(32))


@pytest.mark.parametrize("digits", [-1, 0, 1, 5, 19, 20, 56])
def test_a_domain_too_small_or_too_large_is_refused(digits: int) -> None:
    for way in (ff1.encrypt, ff1.decrypt):
        with pytest.raises(ValueError, match="6 to 18"):
            way(KEY, b"", digits, np.zeros(1, np.uint64))


@pytest.mark.parametrize("digits", [6, 15, 18])
def test_a_number_outside_the_domain_is_refused(digits: int) -> None:
    for way in (ff1.encrypt, ff1.decrypt):
        with pytest.raises(ValueError, match="more digits"):
            way(KEY, b"", digits, np.array([1, 10**digits], np.uint64))
        assert way(KEY, b"", digits, np.array([10**digits - 1], np.uint64))[0] < 10**digits


@pytest.mark.parametrize("size", [0, 1, 10, 20, 33])
def test_a_key_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=r"[Kk]ey"):
        ff1.encrypt(bytes(size), b"", 6, np.zeros(1, np.uint64))


def test_the_smallest_domain_is_permuted_whole() -> None:
    every = np.arange(10**6, dtype=np.uint64)
    sealed = ff1.encrypt(KEY, b"t", 6, every)
    assert np.array_equal(np.sort(sealed), every)
    assert np.array_equal(ff1.decrypt(KEY, b"t", 6, sealed), every)


@pytest.mark.parametrize("rows", [0, 1, ff1.ROWS - 1, ff1.ROWS, ff1.ROWS + 1, 2 * ff1.ROWS + 5])
def test_a_column_of_any_length_is_its_numbers_one_by_one(rows: int) -> None:
    numbers = np.random.default_rng(rows).integers(0, 10**15, rows, np.uint64)
    kept = numbers.copy()
    sealed = ff1.encrypt(KEY, b"nik", 15, numbers)
    assert np.array_equal(numbers, kept)
    assert np.array_equal(ff1.decrypt(KEY, b"nik", 15, sealed), kept)
    for at in {0, rows // 2, rows - 1} & set(range(rows)):
        assert ff1.encrypt(KEY, b"nik", 15, numbers[at : at + 1])[0] == sealed[at]


def test_key_and_tweak_change_the_numbers() -> None:
    numbers = np.arange(1000, dtype=np.uint64)
    made = [ff1.encrypt(*given, 15, numbers).tolist() for given in ((KEY, b""), (KEY, b"\0"), (KEY, b"\0" * 16), (bytes(32), b""))]
    assert len({tuple(numbers) for numbers in made}) == len(made)


def test_the_samples_of_nist_hold_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    cmac.selftest()
    ff1.selftest()
    monkeypatch.setattr(ff1, "ROUNDS", 8)
    monkeypatch.setattr(cmac, "_double", lambda block: block)
    for selftest in (ff1.selftest, cmac.selftest):
        with pytest.raises(NotVerified, match="known answer"):
            selftest()


def test_a_way_back_that_is_none_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ff1, "decrypt", ff1.encrypt)
    with pytest.raises(NotVerified, match="known answer"):
        ff1.selftest()
