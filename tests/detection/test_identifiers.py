"""Identifiers in text: what is found wherever it stands, what is not one, and that every way of asking gives the same answer."""

from __future__ import annotations

import socket

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.detection import Misplaced, find
from broker.detection.registry import ENTITIES, analyzer

NIK = "1303074305989718"


def kinds(text: str) -> list[str]:
    return [f.kind for f in find(text)]


@pytest.mark.parametrize(
    "text",
    [
        NIK, f"NIK{NIK}", f"id_{NIK}", f"{NIK} lulus", f"{NIK} Oke", f"{NIK} Ibu", f"{NIK}, 2 anak", f"{NIK} 01/02", f"RT 3 {NIK}", f"Jl. 5, {NIK}", f"({NIK})",
        "1303 0743 0598 9718", "13.03.07.430598.9718", "130307-430598-9718", "13O3074305989718", "１３０３０７４３０５９８９７１８", f"{NIK}{NIK}", f"{NIK},{NIK}", f"KTP:{NIK}.",
    ],
)  # fmt: skip
def test_a_nik_is_found_wherever_it_stands(text: str) -> None:
    assert "nik" in kinds(text)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("hub 0812-3456-7890 ya", "phone"), ("WA +62 812 3456 7890", "phone"), ("telp 081234567890, 2 anak", "phone"), ("budi@example.com", "email"), ("budi[AT]example.com", "email"),
        ("no KK: 1303071204130001", "kk"), ("NPWP 09.254.294.3-407.000", "npwp"), ("NIKnya 9999 9999 9999 9999", "nik"),
    ],
)  # fmt: skip
def test_other_identifiers_are_found_by_form_or_label(text: str, kind: str) -> None:
    assert kinds(text) == [kind]


@pytest.mark.parametrize("text", ["", "Teknik Kendaraan Ringan", "upah 3200000", "tgl 20-03-2025 s.d. 2026-01-01", "9999999999999999", "RT 001/RW 002", "1.30307E+15", "Jl. Lintas KM 47 No. 12"])
def test_what_is_no_identifier_is_left_alone(text: str) -> None:
    assert find(text) == []


@given(before=st.text(max_size=12), after=st.text(max_size=12))
@settings(max_examples=300, deadline=None)
def test_no_surrounding_text_hides_a_nik(before: str, after: str) -> None:
    text = before + NIK + after
    assert any(f.start < len(before) + 16 and len(before) < f.end for f in find(text))


@given(text=st.text(alphabet="0123456789 .-/,+()OolI@aAtT[]%\n１３x", max_size=60))
@settings(max_examples=300, deadline=None)
def test_a_column_search_misses_nothing_that_find_finds(text: str) -> None:
    frame = pl.DataFrame({"a": [text]}, schema={"a": pl.String})
    assert Misplaced.search(frame, ("a",), pl.Series([True])).found.to_list() == [bool(find(text))]


def test_presidio_finds_the_same_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise AssertionError("the analyzer asked the network")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    engine = analyzer()
    for text in (f"NIK {NIK} hp 0812-3456-7890", "budi@example.com", "upah 3200000", f"{NIK} lulus"):
        asked = sorted((r.start, r.end, r.entity_type) for r in engine.analyze(text, language="id"))
        assert asked == sorted((f.start, f.end, ENTITIES[f.kind]) for f in find(text))
