"""Pertukaran: what a search finds, one exchange in words down to its records, and whether it holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from fastapi.responses import Response

from broker.audit import records, search, views
from broker.audit.expression import parse
from broker.errors import Refusal
from broker.jcs import canonical
from broker.ledger.openings import STORED
from broker.model import LEVEL_NOTE, Level
from broker.web.console.shell import HEADERS, Entry
from broker.web.console.telling import DECISIONS, NUMBER, text_of, told
from broker.web.console.words import N_, STATES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import Request

    from broker.audit.search import Found
    from broker.web.console.shell import Form, Shell, Visit

PATH: Final = "/pertukaran"
PAGE: Final = 50  # exchanges on a page
CHOSEN: Final = ("kesepakatan", "pengirim", "penerima", "dataset", "tujuan", "keputusan", "keadaan")  # controls whose name is the expression's word
CONTROLS: Final = (*CHOSEN, "dari", "sampai", "kolom", "tingkat")


def add(shell: Shell) -> None:
    pages = _Pages(shell)
    shell.menu.append(Entry(PATH, N_("Pertukaran"), ("baca_log",)))
    shell.get(PATH, pages.index)
    shell.post(PATH, pages.expression)
    shell.post(f"{PATH}/tampilan", pages.keep)
    shell.post(f"{PATH}/tampilan/hapus", pages.drop)
    shell.get(f"{PATH}/{{name}}", pages.one)
    shell.get(f"{PATH}/{{name}}/rekaman", pages.records)
    shell.get(f"{PATH}/{{name}}/bukti", pages.proof)
    shell.post(f"{PATH}/{{name}}/periksa", pages.check)


def expression_of(chosen: Mapping[str, str]) -> str:
    """The expression that the controls state. A column without a level counts from 1: what is hidden was not received."""
    terms = [f"{word}={chosen[word]}" for word in CHOSEN if chosen.get(word)]
    terms += [f"hari{sign}{chosen[word]}" for word, sign in (("dari", ">="), ("sampai", "<=")) if chosen.get(word)]
    if chosen.get("kolom"):
        terms.append(f"kolom.{chosen['kolom']}>={chosen.get('tingkat') or 1}")
    return " dan ".join(terms)


class _Pages:
    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    # --- the list
    def index(self, request: Request, visit: Visit) -> Response:
        """By an expression (`q`), or by what the controls say; 50 a page."""
        query = request.query_params
        chosen = {word: query[word] for word in CONTROLS if query.get(word)}
        expression = query.get("q", "").strip() or expression_of(chosen)
        target = query.get("cari", "pertukaran")
        if target not in search.TARGETS:
            raise Refusal("parameter", parameter="cari")
        try:
            page = search.search(self._shell.office, visit.person, expression, visit.now, target=target, after=query.get("sesudah"), limit=PAGE)
        except Refusal as refusal:
            if refusal.reason != "ungkapan":
                raise
            if refusal.facts["salah"] == NUMBER:  # it must not stay in the address
                return self._shell.to(PATH, galat="nomor")
            return self._list(request, visit, expression, chosen, target, None, refusal, status=refusal.entry.status)
        return self._list(request, visit, expression, chosen, target, page, Refusal("ungkapan", baris=1, kolom=1, salah=NUMBER) if query.get("galat") == "nomor" else None)

    def _list(
        self, request: Request, visit: Visit, expression: str, chosen: Mapping[str, str], target: str, page: search.Page | None, wrong: Refusal | None, *, status: int = 200
    ) -> Response:  # fmt: skip
        kept = [(key, value) for key, value in request.query_params.multi_items() if key in (*CONTROLS, "q", "cari") and value]
        more = None if page is None or page.after is None else urlencode([*kept, ("sesudah", page.after)])
        return self._shell.show(
            request, visit, "pertukaran.html", status, found=[_shown(one) for one in page.found] if page else [], total=page.total if page else 0, sizes=dict(page.sizes) if page else {},
            more=more, expression=expression, chosen=chosen, target=target, first="sesudah" not in request.query_params, wrong=_place(visit, expression, wrong), controls=self._controls(visit),
            columns=sorted(search.columns(self._shell.office)), views=views.views(self._shell.office, visit.person), **told(self._shell, visit),
        )  # fmt: skip

    def _controls(self, visit: Visit) -> list[tuple[str, str, list[tuple[str, str]]]]:
        """Of every control its name, its label and what may be chosen: value and label."""
        office, words, says = self._shell.office, search.vocabulary(self._shell.office, search.logs_of(self._shell.office, visit.person, visit.now)), told(self._shell, visit)
        purposes = {p.code: p.name_en if visit.language == "en" else p.nama for name in sorted(words["kesepakatan"]) for p in office.agreements[name].purposes}
        labels: dict[str, Any] = {
            "kesepakatan": lambda name: office.agreements[name].nama, "dataset": says["nama_data"], "tujuan": lambda code: purposes[code],
            "keputusan": lambda word: visit._(DECISIONS[word]), "keadaan": lambda word: visit._(STATES[word]),
        }  # fmt: skip
        titles = (N_("Nota Kesepakatan"), N_("Pengirim"), N_("Penerima"), N_("Himpunan data"), N_("Tujuan"), N_("Keputusan"), N_("Keadaan"))
        return [(word, visit._(title), sorted(((value, labels.get(word, str)(value)) for value in words[word]), key=lambda one: one[1])) for word, title in zip(CHOSEN, titles, strict=True)]

    def expression(self, request: Request, visit: Visit, form: Form) -> Response:
        """From the box, by POST: only what is an expression comes into an address."""
        expression, target = " ".join(form.get("q", "").split()), form.get("cari", "pertukaran")
        logs = search.logs_of(self._shell.office, visit.person, visit.now)
        try:
            parse(expression, search.vocabulary(self._shell.office, logs), search.columns(self._shell.office))
        except Refusal as refusal:
            return self._list(request, visit, expression, {}, target, None, refusal, status=refusal.entry.status)
        return self._shell.to(PATH, q=expression, cari=target)

    def keep(self, request: Request, visit: Visit, form: Form) -> Response:
        expression, name = " ".join(form.get("q", "").split()), " ".join(form.get("nama", "").split())
        try:
            views.keep(self._shell.office, visit.person, name, expression, visit.now)
        except Refusal as refusal:
            if refusal.reason not in ("ungkapan", "parameter"):
                raise
            return self._list(request, visit, expression, {}, "pertukaran", None, refusal, status=refusal.entry.status)
        return self._shell.to(PATH, q=expression)

    def drop(self, _: Request, visit: Visit, form: Form) -> Response:
        views.drop(self._shell.office, visit.person, form.get("nama", ""))
        return self._shell.to(PATH)

    # --- one of them
    def one(self, request: Request, visit: Visit) -> Response:
        itself, about = search.exchange(self._shell.office, visit.person, request.path_params["name"], visit.now)
        return self._one(request, visit, itself, about, ())

    def check(self, request: Request, visit: Visit, _: Form) -> Response:
        """Changes nothing: the answer is the page itself."""
        itself, steps = records.check(self._shell.office, visit.person, request.path_params["name"], visit.now)
        return self._one(request, visit, itself, [], steps)

    def _one(self, request: Request, visit: Visit, itself: Found, about: list[Found], steps: tuple[records.Step, ...]) -> Response:
        one = _shown(itself)
        manifest = one["entry"] if one["kind"] == "exchange" else None
        return self._shell.show(
            request, visit, "satu_pertukaran.html", one=one, about=[_shown(other) for other in about], classes=_classes(manifest) if manifest else [], steps=steps,
            note=LEVEL_NOTE[visit.language == "en"], **told(self._shell, visit),
        )  # fmt: skip

    def records(self, request: Request, visit: Visit) -> Response:
        number = request.query_params.get("hal", "1")
        if not number.isascii() or not number.isdigit() or len(number) > 9:
            raise Refusal("parameter", parameter="hal")
        itself, leaves = records.leaves(self._shell.office, visit.person, request.path_params["name"], int(number) - 1, visit.now)
        one = _shown(itself)
        pages = max(1, -(-one["entry"]["records"]["leaves"] // records.SHOWN))
        return self._shell.show(request, visit, "rekaman.html", one=one, leaves=leaves, page=int(number), pages=pages, bytes=STORED, **told(self._shell, visit))

    def proof(self, request: Request, visit: Visit) -> Response:
        name = request.path_params["name"]
        data = canonical(records.proof(self._shell.office, visit.person, name, visit.now))  # type: ignore[arg-type]
        return Response(data, headers={**HEADERS, "Content-Disposition": f'attachment; filename="{name}.proof.json"'}, media_type="application/json")


def _shown(one: Found) -> dict[str, Any]:
    """An entry as a template tells of it. act: the word that says what an entry that is no exchange is about."""
    entry: dict[str, Any] = json.loads(one.entry)
    return {"log": one.log, "index": one.index, "kind": one.facts.kind, "state": one.state, "entry": entry, "exchange": one.facts.exchange, "act": entry.get("act") or entry.get("outcome") or entry.get("what") or ""}


def _place(visit: Visit, expression: str, wrong: Refusal | None) -> dict[str, Any] | None:
    """What is wrong with the expression, and the expression split at the place; without it if it holds someone's number."""
    if wrong is None:
        return None
    text = text_of(visit, wrong)
    if wrong.facts.get("salah") == NUMBER:
        return {"text": text, "before": "", "at": "", "after": "", "number": True}
    if "kolom" not in wrong.facts:
        return {"text": text, "before": expression, "at": "", "after": "", "number": False}
    at = int(wrong.facts["kolom"]) - 1
    return {"text": text, "before": expression[:at], "at": expression[at : at + 1] or " ", "after": expression[at + 1 :], "number": False}


def _classes(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Of every row class its columns by level, the clearest first; of all but the first only what differs from it."""
    first = manifest["profiles"][0]["levels"] if manifest["profiles"] else ""
    found = []
    for number, profile in enumerate(manifest["profiles"]):
        levels = [(column, int(level)) for column, level, usual in zip(manifest["columns"], profile["levels"], first, strict=True) if number == 0 or level != usual]
        by_level = [(int(level), [column for column, of in levels if of == level]) for level in reversed(Level)]
        found.append({"class": profile["class"], "levels": [(level, columns) for level, columns in by_level if columns], "first": number == 0})
    return found
