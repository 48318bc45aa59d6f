"""What a search found in one agreement's log, whole, as CSV, JSON Lines, OCSF or PDF. Formats: docs/formats/reports.md."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from broker.audit.expression import parse
from broker.audit.handout import at_checkpoint, handed_out
from broker.audit.search import TARGETS, columns, found, require, vocabulary
from broker.client.opened import spreadsheet_safe
from broker.errors import Refusal
from broker.jcs import canonical
from broker.ledger import leaf_hash
from broker.ledger.words import entry_words
from broker.lifecycle.officers import READ
from broker.model import LEVEL_NAMES, WIB

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from broker.audit.handout import File, Log
    from broker.audit.search import Found
    from broker.jcs import Json
    from broker.model import Person
    from broker.office import Office

MAX_PDF_ROWS: Final = 5_000  # a PDF is made in memory, and nobody reads more on paper; beyond it is refused, never cut
MAX_CELL: Final = 32_000  # characters; a spreadsheet takes 32,767
MEDIA: Final = {"csv": "text/csv; charset=utf-8; header=present", "jsonl": "application/x-ndjson", "ocsf": "application/x-ndjson", "pdf": "application/pdf"}


class _Counted:
    """Passes on what was found and counts it."""

    def __init__(self, found: Iterable[Found]) -> None:
        self._found, self.count = found, 0

    def __iter__(self) -> Iterator[Found]:
        for one in self._found:
            self.count += 1
            yield one


def export(office: Office, person: Person, agreement: str, form: str, expression: str, target: str, now: datetime) -> File:
    """All that a search finds in an agreement's log. Refusal wewenang, ungkapan, parameter, ekspor_pdf.

    expression, target: as of a search. form: csv, jsonl, ocsf or pdf.
    """
    require(office, person, READ, agreement, now)
    if form not in MEDIA:
        raise Refusal("parameter", parameter="format")
    if target not in TARGETS:
        raise Refusal("parameter", parameter="target")
    wanted = parse(expression, vocabulary(office, [agreement]), columns(office))
    log = at_checkpoint(office, agreement)
    with office.ledger.database.read() as tx:
        rows = _Counted(found(tx, {agreement: log.size}, wanted, target))
        pieces = _as(form, rows, log, expression)
        return handed_out(office, person, log, "pencarian", form, pieces, lambda: rows.count, now, asked={"filter": expression, "target": target})


def _as(form: str, rows: Iterable[Found], log: Log, expression: str) -> Iterable[bytes]:
    match form:
        case "csv":
            return csv_lines(rows)
        case "jsonl":
            return (canonical(one.shown()) + b"\n" for one in rows)
        case "ocsf":
            return (canonical(ocsf(one)) + b"\n" for one in rows)
    shown = list(islice(rows, MAX_PDF_ROWS + 1))
    if len(shown) > MAX_PDF_ROWS:
        raise Refusal("ekspor_pdf", batas=MAX_PDF_ROWS)
    return [_pdf(log, shown, expression)]


# --- one entry as a row of a table
def wib(time: str) -> str:
    """`2026-11-21T03:04:05.678Z` → `2026-11-21 10:04:05`, WIB."""
    return datetime.fromisoformat(time).astimezone(WIB).strftime("%Y-%m-%d %H:%M:%S")


def levels(one: Found) -> dict[str, str]:
    """Column → the most that any row class shows of it, in words; columns hidden from all are left out."""
    return {column: LEVEL_NAMES[found[-1]] for column, found in one.facts.levels.items() if found[-1]}


def actor(entry: Mapping[str, Any]) -> str:
    return str(entry.get("person") or entry.get("system") or entry.get("sender") or "")


def decision(entry: Mapping[str, Any]) -> str:
    """What came of it, in one word: `terkirim`, the reason of a refusal, an outcome, an act, what was taken."""
    if entry["type"] == "sinergi/exchange/v1":
        return "terkirim"
    return str(entry.get("reason") or entry.get("outcome") or entry.get("act") or entry.get("what") or "")


def _others(entry: Mapping[str, Any]) -> str:
    named = {"time", "type", "exchange", "sender", "recipient", "dataset", "purpose", "clause", "reason", "outcome", "act", "what", "person", "system"}
    said = "; ".join(f"{k}={json.dumps(v, ensure_ascii=False) if isinstance(v, dict | list) else v}" for k, v in entry.items() if k not in named and v is not None)
    return said if len(said) <= MAX_CELL else f"{len(said)} huruf; lihat JSON Lines"


def cells(one: Found) -> dict[str, str | int]:
    """One row of the CSV; columns as in docs/formats/reports.md."""
    entry: dict[str, Any] = json.loads(one.entry)
    whole = one.facts.kind == "exchange"
    records, outcomes, policy = (entry.get(field, {}) if whole else {} for field in ("records", "outcomes", "policy"))
    return {
        "nomor": one.index,
        "waktu_utc": entry["time"],
        "waktu_wib": wib(entry["time"]),
        "jenis": one.facts.kind,
        "pertukaran": entry.get("exchange") or "",
        "pengirim": entry.get("sender") or "",
        "penerima": entry.get("recipient") or "",
        "himpunan_data": (entry["contract"]["dataset"] if whole else entry.get("dataset")) or "",
        "templat": entry["contract"]["template"] if whole else "",
        "tujuan": entry.get("purpose") or "",
        "pasal": "; ".join(entry["clauses"]) if whole else entry.get("clause") or "",
        "dasar_sha256": (entry.get("basis_sha256") if whole else "") or "",
        "hasil": decision(entry),
        "keadaan": one.state or "",
        "pelaku": actor(entry),
        "versi_kebijakan": policy.get("version", ""),
        "baris": records.get("rows", ""),
        "baris_terkirim": outcomes.get("terkirim", 0) if whole else "",
        "baris_ditahan": records["rows"] - outcomes.get("terkirim", 0) if whole else "",
        "daun": records.get("leaves", ""),
        "tingkat_kolom": "; ".join(f"{column}={level}" for column, level in levels(one).items()) if whole else "",
        "mutu": "; ".join(f"{rule}={count}" for rule, count in entry["quality"].items()) if whole else "",
        "lainnya": "" if whole else _others(entry),
        "entri_sha256": leaf_hash(one.entry).hex(),
    }


COLUMNS: Final = (
    "nomor", "waktu_utc", "waktu_wib", "jenis", "pertukaran", "pengirim", "penerima", "himpunan_data", "templat", "tujuan", "pasal", "dasar_sha256", "hasil", "keadaan", "pelaku",
    "versi_kebijakan", "baris", "baris_terkirim", "baris_ditahan", "daun", "tingkat_kolom", "mutu", "lainnya", "entri_sha256",
)  # fmt: skip


def csv_lines(rows: Iterable[Found]) -> Iterator[bytes]:
    """A header and a line per entry, UTF-8; no cell begins as a formula does."""
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\n")

    def written(values: Iterable[str | int]) -> bytes:
        writer.writerow([spreadsheet_safe(v) if isinstance(v, str) else v for v in values])
        data = line.getvalue().encode()
        line.seek(0)
        line.truncate()
        return data

    yield written(COLUMNS)
    for one in rows:
        row = cells(one)
        yield written(row[name] for name in COLUMNS)


# --- OCSF
OCSF_VERSION: Final = "1.3.0"
_SEVERITY: Final = 1  # Informational
_SUCCESS, _FAILURE = 1, 2
_READ: Final = frozenset({"query", "search", "subject", "export", "answer"})


def ocsf(one: Found) -> dict[str, Json]:
    """The entry as an OCSF event: Datastore Activity (6005) Read for an exchange, API Activity (6003) for all else. Mapping: docs/formats/reports.md.

    Source: ocsf/ocsf-schema events/application, the required fields of both classes and of their objects.
    """
    entry: dict[str, Any] = json.loads(one.entry)
    who, word = actor(entry), one.facts.kind
    refused = word == "refusal"
    common: dict[str, Json] = {
        "category_uid": 6,
        "metadata": {
            "log_name": f"sinergi/{one.log}", "original_time": entry["time"], "product": {"name": "Sinergi", "vendor_name": "Sinergi"},
            "sequence": one.index, "uid": f"{one.log}:{one.index}", "version": OCSF_VERSION,
        },
        "severity_id": _SEVERITY,
        "status_id": _FAILURE if refused else _SUCCESS,
        "time": _milliseconds(entry["time"]),
    }  # fmt: skip
    if refused:
        common["status_code"], common["status_detail"] = entry["reason"], entry["clause"]
    if word == "exchange":
        recipient = entry["recipient"]
        return _class(6005, 1) | common | {
            "actor": {"user": {"name": recipient, "type_id": 3, "uid": recipient}},
            "count": entry["outcomes"].get("terkirim", 0),
            "dst_endpoint": {"name": entry["sender"]},
            "src_endpoint": {"name": recipient},
            "table": {"name": entry["contract"]["dataset"], "uid": entry["exchange"]},
            "type_id": 3,
            "unmapped": {k: entry[k] for k in ("agreement", "basis_sha256", "clauses", "outcomes", "policy", "purpose", "records")} | {"levels": dict(levels(one))},
        }  # fmt: skip
    operation = f"{word}.{decision(entry)}" if decision(entry) else word
    return _class(6003, 2 if word in _READ else 1) | common | {
        "actor": {"user": {"name": who or "broker", "type_id": 3 if "-" not in who.partition("@")[0] else 1, "uid": who or "broker"}},
        "api": {"operation": operation},
        "src_endpoint": {"name": who or "broker"},
        "unmapped": {k: v for k, v in entry.items() if k not in ("time", "type")},
    }  # fmt: skip


def _class(uid: int, activity: int) -> dict[str, Json]:
    return {"activity_id": activity, "class_uid": uid, "type_uid": uid * 100 + activity}


def _milliseconds(time: str) -> int:
    return (datetime.fromisoformat(time) - datetime.fromisoformat("1970-01-01T00:00:00Z")) // timedelta(milliseconds=1)


# --- PDF
def _in_words(row: dict[str, str | int]) -> dict[str, str | int]:
    """`jenis` and `hasil` as people read them; the files for machines keep the formats' words."""
    kind, result = str(row["jenis"]), str(row["hasil"])
    return row | ({"jenis": entry_words(kind)} if kind in ("exchange", "refusal") else {"jenis": entry_words(kind, result), "hasil": ""})


def _pdf(log: Log, rows: list[Found], expression: str) -> bytes:
    from broker.audit.pdf import Document  # noqa: PLC0415 - see there

    at = datetime.fromisoformat(rows[-1].facts.time if rows else "1970-01-01T00:00:00Z")
    page = Document("Hasil pencarian log pengungkapan", f"{log.agreement} · log berukuran {log.size}", at, wide=True)
    page.pairs([("Kesepakatan", log.agreement), ("Saringan", expression or "(tanpa saringan)"), ("Entri", len(rows)), ("Ukuran log", log.size)])
    fields = ("nomor", "waktu_wib", "jenis", "pengirim", "penerima", "himpunan_data", "tujuan", "hasil", "baris", "baris_terkirim")
    shown = [[str(found[field]) for field in fields] for found in map(_in_words, map(cells, rows))]
    page.rows(("No.", "Waktu (WIB)", "Jenis", "Pengirim", "Penerima", "Himpunan data", "Tujuan", "Hasil", "Baris", "Terkirim"), shown, (5, 13, 10, 15, 15, 15, 13, 14, 7, 7), size=7)
    page.heading("Titik periksa log")
    page.mono(log.note)
    return page.bytes()
