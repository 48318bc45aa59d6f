"""Tokens turned back: the exact inverse within a domain, nothing outside it."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.keys.cmac import uncmac
from broker.treatment import PERSONS, DomainKey, epoch_of, pseudonym_tokens, turned_back
from broker.treatment.clean import ENTITIES

KEY, OTHER = DomainKey(bytes(range(32)), 1), DomainKey(bytes(range(1, 33)), 1)
NIKS = st.from_regex(r"[0-9]{16}", fullmatch=True)
PASSPORTS = st.from_regex(r"[A-Z0-9]{6,12}", fullmatch=True)


def tokens(values: list[str], key: DomainKey = KEY) -> list[str]:
    return pseudonym_tokens(pl.Series(values, dtype=pl.String), key).to_list()


@settings(deadline=None)
@given(st.lists(NIKS, min_size=1, max_size=80))
def test_a_nik_comes_back(values: list[str]) -> None:
    assert turned_back(tokens(values), "orang", KEY) == values
    assert turned_back(tokens(values), "wajib_pajak", KEY) == values


@settings(deadline=None)
@given(st.lists(PASSPORTS, min_size=1, max_size=80))
def test_a_passport_number_comes_back(values: list[str]) -> None:
    assert turned_back(tokens(values), "paspor", KEY) == values


@settings(deadline=None)
@given(NIKS, PASSPORTS)
def test_neither_is_taken_for_the_other_nor_under_another_key(nik: str, passport: str) -> None:
    assert turned_back(tokens([nik]), "paspor", KEY) == [None]
    assert turned_back(tokens([passport]), "orang", KEY) == [None]
    assert turned_back(tokens([nik]), "orang", OTHER) == [None]
    assert turned_back(tokens([passport]), "paspor", OTHER) == [None]


@pytest.mark.parametrize("value", ["Budi Santoso", "0812345678", "REKAMAN-0000001", "perusahaan bernama panjang", "1303010101909001X", "A1234", "a1234567", "ABCDEFGHIJKLM"])
def test_what_is_no_persons_number_does_not_come_back(value: str) -> None:
    for entity in PERSONS:
        found = turned_back(tokens([value]), entity, KEY)
        assert found == (["0812345678"] if (value, entity) == ("0812345678", "paspor") else [None])


@settings(deadline=None)
@given(st.binary(max_size=16))
def test_a_block_is_the_one_whose_cmac_it_was(value: bytes) -> None:
    mac = CMAC(AES(KEY.key))
    mac.update(value)
    whole, padded = uncmac(KEY.key, np.frombuffer(mac.finalize(), np.uint8).reshape(1, 16))
    assert (bytes(whole[0]) if len(value) == 16 else bytes(padded[0])) == (value if len(value) == 16 else (value + b"\x80").ljust(16, b"\0"))


def test_a_token_has_one_spelling_and_shows_its_epoch() -> None:
    (token,) = tokens(["1303010101909001"], DomainKey(bytes(32), 12))
    assert epoch_of(token) == 12
    last = chr(ord(token[-1]) + 1)
    for wrong in (token[:-1], token + "A", token[:-1] + last, token.upper(), f" {token}", f"{token}\n", token.replace("p12.", "p012."), token.replace("p12.", "p0."), "", token.replace("p12.", "p123456.")):
        assert epoch_of(wrong) is None


def test_the_entities_of_persons_are_those_of_texts() -> None:
    assert {ENTITIES[kind] for kind in ("nik", "npwp", "passport")} == set(PERSONS)
