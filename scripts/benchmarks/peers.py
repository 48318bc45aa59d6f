"""The two peers, in a process of their own, one after the other: what one would build from Presidio instead.

`python -m scripts.benchmarks.peers CSV PEER=ROWS...` prints one JSON object by peer: the rates of every way tried, and of the fastest over
all its rows.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import secrets
import sqlite3
import sys
import tempfile
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from presidio_analyzer import AnalyzerEngine, BatchAnalyzerEngine, Pattern, PatternRecognizer, RecognizerRegistry
from presidio_analyzer.nlp_engine import NoOpNlpEngine
from presidio_anonymizer import AnonymizerEngine, BatchAnonymizerEngine
from presidio_anonymizer.entities import OperatorConfig
from presidio_structured import PandasDataProcessor, StructuredEngine
from presidio_structured.config import StructuredAnalysis

from scripts.benchmarks.usage import cpu_seconds

if TYPE_CHECKING:
    from collections.abc import Callable

    Rows = list[dict[str, str]]
    Way = Callable[[str], bytes]  # CSV text → output that may leave, audited and sealed

WARM: Final = 50
SALT: Final = secrets.token_hex(16)
HASH: Final = OperatorConfig("hash", {"hash_type": "sha256", "salt": SALT})


# --- recognisers, as Presidio's documentation shows how to write them
class _Nik(PatternRecognizer):
    def validate_result(self, pattern_text: str) -> bool:
        digits = re.sub(r"\D", "", pattern_text)
        day, month = int(digits[6:8]) % 40, int(digits[8:10])
        return 11 <= int(digits[:2]) <= 97 and 1 <= day <= 31 and 1 <= month <= 12 and digits[12:] != "0000"


class _Npwp(PatternRecognizer):
    def validate_result(self, pattern_text: str) -> bool:
        digits = re.sub(r"\D", "", pattern_text)
        doubled = [int(d) * (1 + i % 2) for i, d in enumerate(digits[:9])]
        return sum(n - 9 * (n > 9) for n in doubled) % 10 == 0


def recognisers() -> list[PatternRecognizer]:
    def made(kind: type[PatternRecognizer], entity: str, regex: str, context: list[str]) -> PatternRecognizer:
        return kind(supported_entity=entity, supported_language="id", patterns=[Pattern(entity, regex, 0.5)], context=context)

    return [
        made(_Nik, "ID_NIK", r"(?<!\d)\d{6}[ .-]?\d{6}[ .-]?\d{4}(?!\d)", ["nik", "ktp"]),
        made(_Nik, "ID_KK", r"(?:kk|kartu keluarga)\D{0,8}\d{6}[ .-]?\d{6}[ .-]?\d{4}(?!\d)", ["kk", "kartu keluarga"]),
        made(_Npwp, "ID_NPWP", r"(?<!\d)\d{2}\.?\d{3}\.?\d{3}\.?\d[-.]?\d{3}\.?\d{3}(?!\d)", ["npwp"]),
        made(PatternRecognizer, "PHONE_NUMBER", r"(?<!\d)(?:\+?62|0)[ -]?8[1-9](?:[ -]?\d){7,10}(?!\d)", ["hp", "wa", "telepon"]),
        made(PatternRecognizer, "EMAIL_ADDRESS", r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z]{2,24}", ["email"]),
    ]


OPERATORS: Final = {
    "ID_NIK": HASH,
    "ID_KK": HASH,
    "ID_NPWP": HASH,
    "PHONE_NUMBER": OperatorConfig("mask", {"masking_char": "*", "chars_to_mask": 9, "from_end": False}),
    "EMAIL_ADDRESS": OperatorConfig("replace", {"new_value": "<EMAIL>"}),
}
ENTITIES: Final = list(OPERATORS)


# --- (a) row-wise
class RowWise:
    """Presidio's analyzer and anonymizer over every filled cell."""

    sample = 200  # rows on which its ways are compared

    def __init__(self) -> None:
        registry = RecognizerRegistry(recognizers=recognisers(), supported_languages=["id"])
        nlp = NoOpNlpEngine(models=[{"lang_code": "id", "model_name": "noop"}])
        # Any: each half of Presidio has its own RecognizerResult, and its documentation passes one for the other.
        self._analyzer: Any = AnalyzerEngine(registry=registry, nlp_engine=nlp, supported_languages=["id"])
        self._anonymizer: Any = AnonymizerEngine()  # type: ignore[no-untyped-call]
        self._batch_analyzer: Any = BatchAnalyzerEngine(self._analyzer)
        self._batch_anonymizer: Any = BatchAnonymizerEngine(self._anonymizer)

    def ways(self) -> dict[str, Way]:
        return {"field by field": self._way(self.by_field), "batch, by row": self._way(self.by_row), "batch, by column": self._way(self.by_column)}

    def _way(self, treat: Callable[[Rows], Rows]) -> Way:
        def run(text: str) -> bytes:
            treated = treat(list(csv.DictReader(io.StringIO(text))))
            lines = "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in treated)
            return audited(lines.encode(), [row["nik"] for row in treated])

        return run

    def by_field(self, rows: Rows) -> Rows:
        return [{name: self._field(value) if value else value for name, value in row.items()} for row in rows]

    def _field(self, value: str) -> str:
        found = self._analyzer.analyze(value, language="id", entities=ENTITIES)
        return str(self._anonymizer.anonymize(value, found, operators=OPERATORS).text) if found else value

    def by_row(self, rows: Rows) -> Rows:
        return [self._batch_anonymizer.anonymize_dict(self._batch_analyzer.analyze_dict(row, language="id", entities=ENTITIES), operators=OPERATORS) for row in rows]

    def by_column(self, rows: Rows) -> Rows:
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        treated = self._batch_anonymizer.anonymize_dict(self._batch_analyzer.analyze_dict(columns, language="id", entities=ENTITIES), operators=OPERATORS)
        return [dict(zip(treated, cells, strict=True)) for cells in zip(*treated.values(), strict=True)]


# --- (b) structured
HIDDEN: Final = (
    "no_kk", "nama_lengkap", "tempat_lahir", "agama", "alamat", "kode_pos", "no_hp", "email", "tinggi_badan", "berat_badan", "foto", "ragam_disabilitas",
    "persetujuan_disabilitas", "nama_satuan_pendidikan", "nilai_akhir", "keterampilan", "pengalaman_1_nama_pemberi_kerja", "pengalaman_2_nama_pemberi_kerja",
    "pengalaman_3_nama_pemberi_kerja", "skck_ada", "catatan_pengantar_kerja",
)  # fmt: skip
MAPPED: Final = {"id_rekaman": "ID", "nomor_ak1": "ID", "nik": "ID", "tanggal_lahir": "BIRTH_DATE", "kode_wilayah": "REGION"}
STRUCTURED: Final = {
    "ID": HASH,
    "BIRTH_DATE": OperatorConfig("custom", {"lambda": lambda value: value[:4]}),
    "REGION": OperatorConfig("custom", {"lambda": lambda value: value[:8]}),
}


class Structured:
    """presidio-structured over pandas columns; what the Plan hides is dropped in pandas."""

    sample = 5_000

    def __init__(self) -> None:
        self._engine: Any = StructuredEngine(data_processor=PandasDataProcessor())

    def ways(self) -> dict[str, Way]:
        return {"columns of objects": self._way(object), "columns of str": self._way(str)}

    def _way(self, dtype: type) -> Way:
        def run(text: str) -> bytes:
            frame = pd.read_csv(io.StringIO(text), dtype=dtype, keep_default_na=False).drop(columns=list(HIDDEN))
            treated = self._engine.anonymize(frame, StructuredAnalysis(entity_mapping=MAPPED), operators=dict(STRUCTURED))
            return audited(treated.to_csv(index=False).encode(), treated["nik"].tolist())

        return run


# --- what both need besides
def audited(output: bytes, subjects: list[str]) -> bytes:
    """The output sealed, after an audit row for every record is durable."""
    with tempfile.TemporaryDirectory() as folder:
        book = sqlite3.connect(Path(folder) / "audit.db", isolation_level=None)
        book.execute("PRAGMA journal_mode=WAL")
        book.execute("PRAGMA synchronous=FULL")
        book.execute("CREATE TABLE audit (exchange TEXT, row INTEGER, subject TEXT, recipient TEXT, purpose TEXT, at TEXT)")
        book.execute("CREATE INDEX audit_subject ON audit (subject)")
        exchange = secrets.token_hex(16)
        book.execute("BEGIN")
        book.executemany(
            "INSERT INTO audit VALUES (?, ?, ?, 'siapkerja@kemnaker', 'perencanaan', '2026-11-21T03:00:00Z')", [(exchange, i, subject) for i, subject in enumerate(subjects)]
        )
        book.execute("COMMIT")
        book.close()
    nonce = os.urandom(12)
    return nonce + AESGCM(AESGCM.generate_key(256)).encrypt(nonce, output, None)


def first_rows(plain: Path, count: int) -> str:
    with plain.open(encoding="utf-8", newline="") as file:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(islice(csv.reader(file), count + 1))
        return text.getvalue()


def rate(way: Way, text: str, rows: int) -> float:
    cpu = cpu_seconds()
    way(text)
    return rows / (cpu_seconds() - cpu)


PEERS: Final[dict[str, type[RowWise | Structured]]] = {"rowwise": RowWise, "structured": Structured}


def measure(peer: RowWise | Structured, plain: Path, rows: int) -> dict[str, Any]:
    ways = peer.ways()
    sample = min(peer.sample, rows)
    for way in ways.values():
        way(first_rows(plain, min(WARM, rows)))
    rates = {name: rate(way, first_rows(plain, sample), sample) for name, way in ways.items()}
    best = max(rates, key=lambda name: rates[name])
    text = first_rows(plain, rows)
    return {
        "rows": rows,
        "rows_per_s": rate(ways[best], text, rows),
        "way": best,
        "ways": {name: round(r) for name, r in rates.items()},
        "input_sha256": hashlib.sha256(text.encode()).hexdigest(),
    }


if __name__ == "__main__":
    given, *wanted = sys.argv[1:]
    print(json.dumps({name: measure(PEERS[name](), Path(given), int(rows)) for name, rows in (each.split("=") for each in wanted)}))
