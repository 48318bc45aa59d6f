"""Laporan: the year in charts, and files to take away: exports, the yearly report, bundles, each with its signed statement."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final

from babel.dates import format_date

from broker.audit import bundle, export, search, yearly
from broker.errors import Refusal
from broker.model import wib_date
from broker.web.console.downloads import packed
from broker.web.console.shell import Entry
from broker.web.console.telling import text_of, told
from broker.web.console.words import N_

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import Request, Response

    from broker.web.console.shell import Form, Shell, Visit

PATH: Final = "/laporan"
FORMS: Final = {"csv": N_("CSV, untuk lembar kerja"), "jsonl": N_("JSON Lines, entri log apa adanya"), "ocsf": N_("OCSF, untuk pemantauan keamanan"), "pdf": N_("PDF, untuk dibaca")}
ENDINGS: Final = {"ocsf": "ocsf.jsonl"}
TYPED: Final = ("ungkapan", "ekspor_pdf", "parameter", "bundel")  # refusals of what was typed: the form comes back
EVERYTHING: Final = 10**6  # entries of one year


def add(shell: Shell) -> None:
    pages = _Pages(shell)
    shell.menu.append(Entry(PATH, N_("Laporan"), ("baca_log",)))
    shell.get(PATH, pages.index)
    shell.post(f"{PATH}/ekspor", pages.export)
    shell.post(f"{PATH}/tahunan", pages.yearly)
    shell.post(f"{PATH}/bundel", pages.bundle)


class _Pages:
    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def index(self, request: Request, visit: Visit) -> Response:
        return self._page(request, visit, dict(request.query_params))

    def _page(self, request: Request, visit: Visit, typed: Mapping[str, str], refusal: Refusal | None = None) -> Response:
        """typed: what the forms were sent with. refusal: of the file that was asked for."""
        logs, today = search.logs_of(self._shell.office, visit.person, visit.now), wib_date(visit.now)
        agreements = [self._shell.office.agreements[name] for name in logs]
        years = sorted({year for one in agreements for year in range(one.starts.year, today.year + 1)}, reverse=True)
        agreement, year = typed.get("kesepakatan", logs[0]), typed.get("tahun", str(today.year))
        shown = request.method == "GET" and "tahun" in typed
        if shown and (agreement not in logs or year not in map(str, years)):
            raise Refusal("parameter", parameter="tahun")
        return self._shell.show(
            request, visit, "laporan.html", refusal.entry.status if refusal else 200, agreements=agreements, years=years, agreement=agreement, year=year, typed=typed, today=today, forms=FORMS,
            figures=self._figures(visit, agreement, int(year)) if shown else None, problem=text_of(visit, refusal) if refusal else None,
            **told(self._shell, visit),
        )  # fmt: skip

    def _figures(self, visit: Visit, agreement: str, year: int) -> dict[str, Any]:
        """What the charts show, from manifests and refusals: a search, recorded as one. Levels and persons are in the report itself, which reads every leaf."""
        expression = f"kesepakatan={agreement} dan hari>={year}-01-01 dan hari<={year}-12-31"
        found = search.search(self._shell.office, visit.person, expression, visit.now, limit=EVERYTHING)
        counts = {name: [0] * 12 for name in ("exchanges", "released", "withheld", "refused")}
        datasets: dict[str, list[int]] = {}
        clauses: dict[tuple[str, str], int] = {}
        for one in found.found:
            words, month = one.facts.words, int(str(one.facts.words["hari"][0])[5:7]) - 1
            if one.facts.kind == "refusal":
                counts["refused"][month] += 1
                key = (str(words["pasal"][0]), str(words["alasan"][0]))
                clauses[key] = clauses.get(key, 0) + 1
                continue
            released, withheld = int(words["dirilis"][0]), int(words["ditahan"][0])
            for name, more in (("exchanges", 1), ("released", released), ("withheld", withheld)):
                counts[name][month] += more
            of = datasets.setdefault(str(words["dataset"][0]), [0, 0, 0])
            of[:] = [of[0] + 1, of[1] + released, of[2] + withheld]
        months = [format_date(date(year, month, 1), "MMM", locale=visit.language) for month in range(1, 13)]
        return {
            **{name: list(zip(months, values, strict=True)) for name, values in counts.items()}, "datasets": sorted(datasets.items()), "clauses": sorted(clauses.items()),
            "complete": len(found.found) == found.total, "size": found.sizes[agreement],
        }  # fmt: skip

    # --- files
    def export(self, request: Request, visit: Visit, form: Form) -> Response:
        agreement, kind = form.get("kesepakatan", ""), form.get("format", "")
        try:
            file = export.export(self._shell.office, visit.person, agreement, kind, " ".join(form.get("q", "").split()), form.get("cari", "pertukaran"), visit.now)
        except Refusal as refusal:
            return self._again(request, visit, form, refusal)
        return packed(self._shell.office, visit.person, file, f"pencarian-{agreement}-{wib_date(visit.now)}-{file.name[:8]}.{ENDINGS.get(kind, kind)}", visit.now)

    def yearly(self, request: Request, visit: Visit, form: Form) -> Response:
        agreement, kind, year = form.get("kesepakatan", ""), form.get("format", ""), form.get("tahun", "")
        try:
            if not (year.isascii() and year.isdigit() and len(year) == 4):
                raise Refusal("parameter", parameter="tahun")
            file = yearly.report(self._shell.office, visit.person, agreement, int(year), kind, None, visit.now)
        except Refusal as refusal:
            return self._again(request, visit, form, refusal)
        return packed(self._shell.office, visit.person, file, f"tahunan-{agreement}-{year}-{file.name[:8]}.{kind}", visit.now)

    def bundle(self, request: Request, visit: Visit, form: Form) -> Response:
        agreement = form.get("kesepakatan", "")
        try:
            starts, ends = (_day(form.get(name, "")) for name in ("dari", "sampai"))
            file = bundle.bundle(self._shell.office, visit.person, agreement, starts, ends, visit.now)
        except Refusal as refusal:
            return self._again(request, visit, form, refusal)
        return packed(self._shell.office, visit.person, file, f"bundel-{agreement}-{starts}-{ends}-{file.name[:8]}.zip", visit.now)

    def _again(self, request: Request, visit: Visit, form: Form, refusal: Refusal) -> Response:
        if refusal.reason not in TYPED:
            raise refusal
        return self._page(request, visit, form, refusal)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refusal("parameter", parameter="from") from None
