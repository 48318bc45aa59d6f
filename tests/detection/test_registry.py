"""Presidio is the interface: the engine finds what the flow finds, offline, and context words work in Indonesian."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest
from presidio_analyzer import Pattern, PatternRecognizer

from broker.detection import KINDS, detect
from broker.detection.registry import ENTITIES, analyzer, stem
from broker.sample.notes import notes

ENGINE = analyzer()
OFFLINE = """
import socket
try:
    socket.create_connection(("192.0.2.1", 80), timeout=1)
    raise SystemExit("there is a network")
except OSError:
    pass
from broker.detection.registry import analyzer
found = analyzer().analyze("NIK 1303051204889001 a.n. Rahmat, surel rahmat@kantor.lokal", language="id")
print(sorted({r.entity_type for r in found}))
"""


def test_the_engine_finds_what_the_flow_finds() -> None:
    texts = [note.text for note in notes(3, 150, "dev")]
    for text, findings in zip(texts, detect(texts), strict=True):
        found = sorted((r.start, r.end, r.entity_type) for r in ENGINE.analyze(text, language="id"))
        assert found == sorted((f.start, f.end, ENTITIES[f.kind]) for f in findings)


def test_every_kind_is_an_entity_of_its_own() -> None:
    assert len(set(ENTITIES.values())) == len(KINDS)
    assert set(ENGINE.get_supported_entities("id")) == set(ENTITIES.values())


def test_asked_for_one_entity_the_engine_gives_that_one() -> None:
    found = ENGINE.analyze("NIK 1303051204889001, surel rahmat@example.org", language="id", entities=["EMAIL_ADDRESS"])
    assert [r.entity_type for r in found] == ["EMAIL_ADDRESS"]


def test_it_runs_without_any_network() -> None:
    unshare = shutil.which("unshare")
    command = [unshare or "", "--map-root-user", "--net", sys.executable, "-c", OFFLINE]
    if unshare is None or subprocess.run([unshare, "--map-root-user", "--net", "true"], capture_output=True, check=False).returncode:
        if os.environ.get("CI") == "true":
            pytest.fail("unshare --net does not work here")
        pytest.skip("unshare --net does not work here")
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "'EMAIL_ADDRESS'" in done.stdout
    assert "'ID_NIK'" in done.stdout
    assert done.stderr == "", "nothing was looked up, nothing was logged"


@pytest.fixture(scope="module")
def numbers() -> PatternRecognizer:
    return PatternRecognizer("MEMBER", patterns=[Pattern("four", r"(?<!\d)\d{4}(?!\d)", 0.3)], context=["anggota", "sim"], supported_language="id")


@pytest.mark.parametrize(
    ("text", "raised"),
    [
        ("nomor anggota 4821", True),
        ("anggotanya 4821", True),
        ("4821 itu nomor anggota", True),
        ("ANGGOTAKU: 4821", True),
        ("simpanan 4821", False),
        ("simulasi 4821", False),
        ("sim 4821", True),
        ("lembar 4821", False),
        ("anggota satu dua tiga empat lima enam tujuh 4821", False),
    ],
)
def test_a_context_word_raises_the_score_as_a_whole_word_without_its_clitic(numbers: PatternRecognizer, text: str, raised: bool) -> None:
    (result,) = [r for r in analyzer(numbers).analyze(text, language="id") if r.entity_type == "MEMBER"]
    assert (result.score > 0.3) == raised


def test_context_given_from_outside_counts(numbers: PatternRecognizer) -> None:
    (result,) = [r for r in analyzer(numbers).analyze("4821", language="id", context=["Anggotanya"]) if r.entity_type == "MEMBER"]
    assert result.score > 0.3


@pytest.mark.parametrize(("word", "bare"), [("bpjsnya", "bpjs"), ("Rekeningku", "rekening"), ("namamu", "nama"), ("apalah", "apa"), ("aku", "aku"), ("nya", "nya")])
def test_clitics_are_stripped_and_short_words_kept(word: str, bare: str) -> None:
    assert stem(word) == bare
