"""The bench `detect`: what leaks from cleaned notes, what is masked in vain, and how fast, beside Presidio; docs/benchmarks.md says what each figure means."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.table import Table

from broker.detection import detect, find
from scripts.benchmarks import names_eval
from scripts.benchmarks.detect_texts import (
    IDENTIFIERS,
    OTHERS,
    Tally,
    batches,
    leak_per_1000,
    long_text,
    luhn16,
    random16,
    rows,
    speed_texts,
    worst_templates,
)  # fmt: skip
from scripts.benchmarks.usage import peak_mb, reference_us

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Search = Callable[[Sequence[str]], object]

PEER: Final = Path.home() / ".cache" / "sinergi" / "peer-ner"
BATCH: Final = 1_000
ROUNDS: Final = 3  # the best counts; each has texts of its own, so that nothing remembered helps
WARM: Final = 1_000
SIZES: Final = {"seconds_for_100kb_text": 100_000, "seconds_for_200kb_text": 200_000}
# Texts of one thing over and over, each of which some rule could read again and again.
DENSE: Final = (
    "1234567890", "a@", "jl. ", "0 ", "RT ", " ", "\n", "I", "l", "0O", "0.", "08 12 ", "1303 ", "lahir ", "ak-1 ", "alamat: x ", "Jl. Ab, Cd ", "x@a.", " at ", "(0754) ", "B 1 A ",
    "Rahmat ", "0 1 2 ", ". . ", "a.n. ", "'a", "br ", "Sdr. Rahmat, ", "sakit ", "gaji 1 ", "asma, ", "nama ibu ", "1.", "spsi ", "kasus narkoba ",
    "Siti 0812345678 ", "Jl. Melati No. 3, Padang. ", "12345678901 Budi ", "12-03-1990 Ani, ",
)  # fmt: skip
PUBLIC: Final = ("idner-news-2k/test.txt", "nergrit/test_preprocess.txt")
SENTENCE: Final = "Loket menerima {} tadi pagi."  # no label, and no word that says it is something else


def main(arguments: list[str]) -> int:
    asked = _arguments(arguments)
    result = measure(asked)
    if asked.json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        show(result)
    return 0


def _arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench detect", description="Leaks, false alarms and speed of the search in free text; see docs/benchmarks.md.")
    parser.add_argument("--rows", type=int, default=30_000, help="generated notes from which leaks are counted")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    parser.add_argument("--data", type=Path, help="folder with idner-news-2k/ and nergrit/ as published")
    parser.add_argument("--peer", type=Path, default=PEER, help="what scripts/train_peer wrote")
    parser.add_argument("--texts", type=int, default=2_000, help="texts of 300 characters per round")
    parser.add_argument("--peer-texts", type=int, default=500, help="how many of them the peer is given")
    parser.add_argument("--dense", type=int, default=25_000, help="characters of the shorter of two texts of one thing over and over")
    parser.add_argument("--numbers", type=int, default=200_000, help="16-digit numbers of each sort")
    return parser.parse_args(arguments)


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    result: dict[str, Any] = {"bench": "detect", "rows": asked.rows}
    speed = _speed(asked)  # first, before anything else was read that the caches could remember
    result |= _leaks(asked.rows) | _names(asked.data)
    result |= {"nik_false_alarm_random16": _nik_share(random16(asked.numbers), asked.numbers)}
    result |= {"nik_false_alarm_luhn": _nik_share(luhn16(asked.numbers), asked.numbers)}
    return result | speed | {"peak_rss_mb": round(peak_mb(), 1), "reference_sha256_us": round(reference_us(), 3)}


# --- leaks and false alarms
def _leaks(count: int) -> dict[str, Any]:
    tally = Tally()
    for notes in batches(rows(count), BATCH):
        for note, findings in zip(notes, detect([note.text for note in notes]), strict=True):
            tally.take(note, findings)
    clean = tally.rows["clean"]
    return {
        "leak_per_1000": leak_per_1000(tally),
        "overmasked_clean_rows": _percent(tally.overmasked["any"], clean),
        "overmasked_by_kind": {kind: _percent(n, clean) for kind, n in tally.overmasked.most_common() if kind != "any"},
        "worst_templates": worst_templates(tally),
    }


def _percent(hits: int, of: int) -> float | None:
    return round(100 * hits / of, 4) if of else None


def _names(folder: Path | None) -> dict[str, Any]:
    if folder is None or not all((folder / file).exists() for file in PUBLIC):
        print(f"idner and nergrit are null: --data FOLDER names the folder that holds {' and '.join(PUBLIC)}", file=sys.stderr)
        folder = None
    scores = names_eval.evaluate(folder)
    return {
        figure: {name: found[figure] if (found := scores[name]) else None for name in ("idner", "nergrit", "form", "form_upper")}
        for figure in ("names_full_cover", "token_precision")
    }


def _nik_share(numbers: Iterable[str], count: int) -> float | None:
    """Percent of the numbers, each alone in a sentence, in which a NIK is found."""
    return _percent(sum(any(f.kind == "nik" for f in find(SENTENCE.format(number))) for number in numbers), count)


# --- speed
def _speed(asked: argparse.Namespace) -> dict[str, Any]:
    warm = speed_texts("train", min(WARM, asked.texts))
    every = speed_texts("test", ROUNDS * asked.texts)
    rounds = [every[i * asked.texts : (i + 1) * asked.texts] for i in range(ROUNDS)]
    ours = best_rate(detect, warm, rounds)
    result: dict[str, Any] = {"texts_per_cpu_s": round(ours), "texts_per_cpu_s_identifiers_only": round(best_rate(_find_all, warm, rounds))}
    result |= {name: round(_fastest(long_text(size)), 4) for name, size in SIZES.items()} | {"growth_4_times_the_text": _growth(asked.dense)}
    if not (asked.peer / "meta.json").exists():
        print(f"the peer is null: nothing in {asked.peer}; scripts/train_peer FOLDER makes it", file=sys.stderr)
        return result | {"peer_texts_per_cpu_s": None, "peer_ways": None, "ratio": None}
    few = min(asked.peer_texts, asked.texts)
    ways = {name: best_rate(way, warm[: few // 5], [texts[:few] for texts in rounds]) for name, way in presidio(asked.peer).items()}
    peer = max(ways.values())
    return result | {"peer_texts_per_cpu_s": round(peer, 1), "peer_ways": {name: round(rate, 1) for name, rate in ways.items()}, "ratio": round(ours / peer, 1)}


def best_rate(search: Search, warm: Sequence[str], rounds: Sequence[Sequence[str]]) -> float:
    """Texts per CPU second of this process in its best round; every round has other texts, given in batches."""
    search(warm)
    return max(_rate(search, texts) for texts in rounds)


def _rate(search: Search, texts: Sequence[str]) -> float:
    start = time.process_time()
    for batch in batches(texts, BATCH):
        search(batch)
    return len(texts) / (time.process_time() - start)


def _find_all(texts: Sequence[str]) -> object:
    return [find(text) for text in texts]


def _fastest(text: str) -> float:
    """CPU seconds for one text, the best of the rounds."""
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        detect([text])
        times.append(time.process_time() - start)
    return min(times)


def _growth(size: int) -> float:
    """How many times as long four times the text takes, of the dense texts the worst: 4 is linear, 16 quadratic."""
    return round(max(_fastest(piece * (4 * size // len(piece))) / _fastest(piece * (size // len(piece))) for piece in DENSE), 1)


# --- the peer: what one would build from Presidio
# Shapes for the kinds that the row-wise peer of `exchange` does not have: kind, regex, words beside it.
SHAPES: Final = (
    ("nitku", r"(?<!\d)\d{22}(?!\d)", "nitku"),
    ("bpjs", r"(?<!\d)\d{13}(?!\d)", "bpjs jkn kis"),
    ("kpj", r"(?<!\d)\d{2}[ .-]?\d{9}(?!\d)", "kpj jamsostek bpjs ketenagakerjaan bpjamsostek"),
    ("nib", r"(?<!\d)\d{13}(?!\d)", "nib oss"),
    ("nip", r"(?<!\d)(?:19|20)\d{6}[ ]?(?:19|20)\d{4}[ ]?[12][ ]?\d{3}(?!\d)", "nip"),
    ("passport", r"\b[A-Z]{1,2}\d{6,8}\b", "paspor passport"),
    ("sim", r"(?<!\d)(?:\d{12,14}|\d{4}-\d{4}-\d{6})(?!\d)", "sim mengemudi"),
    ("phone", r"(?<!\d)\(?0[2-7]\d{1,2}\)?[ -]?\d{5,8}(?!\d)", "telp telepon kantor rumah"),
    ("plate", r"\b(?:A|AA|AB|AD|AE|AG|B|BA|BB|BD|BE|BG|BH|BK|BL|BM|BN|BP|D|DA|DB|DD|E|F|G|H|K|KB|KT|L|M|N|P|R|S|T|W|Z)[ -]?\d{1,4}[ -]?[A-Z]{1,3}\b", "plat nopol motor mobil stnk"),
    ("account", r"(?<!\d)\d(?:[ .-]?\d){9,15}(?!\d)", "rek rekening bank bri bni bca bsi mandiri"),
    ("address", r"\b(?:jl|jln|jalan|gg|gang|dusun|jorong|nagari|kp|komplek|perum)\b\.? ?[\w .]{2,50}(?:,? ?no\.? ?\d{1,4}\w?)?(?:,? ?rt\.? ?\d{1,3} ?/ ?(?:rw\.? ?)?\d{1,3})?(?:,? ?(?:kel|kec|kab|kota)\.? [\w ]{2,30}){0,4}", "alamat domisili tinggal"),
    ("birth_date", r"(?<!\d)(?:\d{1,2}[-/. ]\d{1,2}[-/. ](?:19|20)\d\d|\d{1,2} (?:jan|feb|peb|mar|apr|mei|jun|jul|agu|agt|sep|okt|nov|nop|des)[a-z]{0,6}\.? (?:19|20)\d\d|(?:19|20)\d\d-\d\d-\d\d)(?!\d)", "lahir ttl kelahiran"),
    ("ak1", r"\b(?:ak[ ./-]?(?:1|i)|kartu kuning)\b\D{0,20}[\d./-]{4,30}", "kuning pencaker"),
)  # fmt: skip


def presidio(folder: Path) -> dict[str, Search]:
    """Presidio's AnalyzerEngine with the trained name finder and pattern recognisers for every identifier, and its two ways to take many texts.

    Nothing is fetched: the model's name is a folder, and the recognisers are given, so that none of those that look something up is loaded.
    The pipeline has no lemmas, with which Presidio compares context words: they never match. Lemmas would make it slower; the leaner peer is measured.
    """
    # Imported here: without the peer the bench needs none of it, and ours is measured before it fills the memory.
    from presidio_analyzer import AnalyzerEngine, BatchAnalyzerEngine, Pattern, PatternRecognizer, RecognizerRegistry  # noqa: PLC0415
    from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine  # noqa: PLC0415
    from presidio_analyzer.predefined_recognizers import SpacyRecognizer  # noqa: PLC0415

    from scripts.benchmarks.peers import recognisers  # noqa: PLC0415

    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
    labels = NerModelConfiguration(model_to_presidio_entity_mapping={"PER": "PERSON", "LOC": "LOCATION"}, low_score_entity_names=[], labels_to_ignore=[])
    nlp = SpacyNlpEngine(models=[{"lang_code": "id", "model_name": str(folder)}], ner_model_configuration=labels)
    nlp.load()
    shaped = [
        PatternRecognizer(supported_entity=f"ID_{kind.upper()}", supported_language="id", patterns=[Pattern(kind, regex, 0.3)], context=words.split())
        for kind, regex, words in SHAPES
    ]
    names = SpacyRecognizer(supported_language="id", supported_entities=["PERSON", "LOCATION"])
    registry = RecognizerRegistry(recognizers=[*recognisers(), *shaped, names], supported_languages=["id"])
    analyzer: Any = AnalyzerEngine(registry=registry, nlp_engine=nlp, supported_languages=["id"])
    batch: Any = BatchAnalyzerEngine(analyzer)
    return {
        "one by one": lambda texts: [analyzer.analyze(text, language="id") for text in texts],
        "batches of 64": lambda texts: batch.analyze_iterator(texts, language="id", batch_size=64),
    }


# --- as tables
def show(result: dict[str, Any]) -> None:
    out = Console(highlight=False)
    leaks = result["leak_per_1000"]
    table = Table("rows with", "leak per 1,000", "95 %", "rows", title=f"leaks · {result['rows']:,} generated notes, test split")
    table.add_row("anything or nothing: an identifier leaks", str(leaks["all"]), _bounds(leaks["all_95"]), str(result["rows"]))
    for kind in ("with_identifier", *(kind for kind in leaks if kind in IDENTIFIERS)):
        table.add_row(kind.replace("with_", "any "), str(leaks[kind]["per_1000"]), _bounds(leaks[kind]["95"]), str(leaks[kind]["rows"]))
    table.add_section()
    for kind in (kind for kind in OTHERS if kind in leaks):
        table.add_row(kind, str(leaks[kind]["per_1000"]), _bounds(leaks[kind]["95"]), str(leaks[kind]["rows"]))
    table.add_section()
    for name, found in leaks["slices"].items():
        table.add_row(f"{name}: an identifier leaks", str(found["per_1000"]), _bounds(found["95"]), str(found["rows"]))
    out.print(table)
    table = Table("template", "rows that leak", "rows", "kinds", title="worst templates")
    for worst in result["worst_templates"]:
        table.add_row(worst["template"], str(worst["leaks"]), str(worst["rows"]), ", ".join(f"{kind} {n}" for kind, n in worst["kinds"].items()))
    out.print(table)
    table = Table("figure", "value", title="false alarms, names, speed")
    for name, value in result.items():
        if name not in ("leak_per_1000", "worst_templates", "bench", "rows"):
            table.add_row(name, ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else f"{value}")
    out.print(table)


def _bounds(pair: list[float] | None) -> str:
    return f"{pair[0]} – {pair[1]}" if pair else ""
