"""CMAC over columns against the library's, one value at a time: lengths mixed, alone and beside each other."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.cmac import CMAC

from broker.keys import cmac
from broker.keys.cmac import FEW, column_bytes, column_cmac

KEY = bytes(range(32))
TEXTS = ["", "1", "x" * 15, "1303014107959001", "x" * 17, "x" * 31, "x" * 32, "x" * 33, "rekaman:é–🌾", "y" * 100, "\0", "ab\0"]


def alone(text: str) -> bytes:
    mac = CMAC(algorithms.AES(KEY))
    mac.update(text.encode())
    return mac.finalize()


@pytest.mark.parametrize("among", [0, 10 * FEW])
@pytest.mark.parametrize("text", TEXTS)
def test_a_value_has_the_tag_it_has_alone(text: str, among: int) -> None:
    """Among equal ones and among others, in a short column and in one that Polars joins."""
    for others in ([text], TEXTS, ["1303014107959001"], ["é" * 8], ["1"]):
        values = [text, *(others * (among or 1))[: among or 1]]
        assert [bytes(tag) for tag in column_cmac(KEY, pl.Series(values))] == [alone(value) for value in values]


def test_no_values_have_no_tags() -> None:
    assert column_cmac(KEY, pl.Series([], dtype=pl.String)).shape == (0, 16)


def test_whole_blocks_of_a_wider_table_are_read_to_their_length() -> None:
    data = np.zeros((3, 40), np.uint8)
    data[:, :16] = np.frombuffer(b"1303014107959001", np.uint8)
    assert [bytes(tag) for tag in cmac.cmac(KEY, data, np.full(3, 16))] == [alone("1303014107959001")] * 3


def test_lengths_are_bytes_and_what_follows_is_nothing() -> None:
    data, lengths = column_bytes(pl.Series(["é", "abc", ""]))
    assert lengths.tolist() == [2, 3, 0]
    assert data.tolist() == [[0xC3, 0xA9, 0], [97, 98, 99], [0, 0, 0]]
