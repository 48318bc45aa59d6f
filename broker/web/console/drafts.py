"""Drafts: begun, edited by cell and by rule, checked, held against the past, proposed and published. Every judgement is `lifecycle`'s."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from fastapi.responses import JSONResponse

from broker import lifecycle
from broker.agreement import paragraphs
from broker.errors import Refusal
from broker.model import wib_date
from broker.policy import LAWS, RULE_COLUMNS, replay_sentences
from broker.web.console.policy import PAGE, cell_of, draft_policy, grid, view_of
from broker.web.console.shell import HEADERS
from broker.web.console.telling import LEVELS
from broker.web.console.words import N_
from broker.web.policy import judged_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import Request, Response

    from broker.lifecycle import Wrong
    from broker.store import DraftRow
    from broker.web.console.shell import Form, Shell, Visit

STATES: Final = {"draft": N_("sedang ditulis"), "proposed": N_("diusulkan, menunggu persetujuan"), "published": N_("sudah berlaku"), "withdrawn": N_("ditarik")}
DAYS: Final = 90  # that a replay looks back unless asked otherwise
AT: Final = "/kebijakan/draf"
_FIELDS: Final = {"lv": "tingkat", "pasal": "pasal", "dari": "mulai", "sampai": "akhir"}  # a rule's column → the field of the cell's form


def add(shell: Shell) -> None:
    pages = _Drafts(shell)
    shell.get(AT, pages.list)
    shell.post(AT, pages.new)
    shell.get(AT + "/{draft}", pages.one)
    shell.get(AT + "/{draft}/sel", pages.grid)
    shell.get(AT + "/{draft}/sel/ubah", pages.cell)
    shell.post(AT + "/{draft}/sel/ubah", pages.change_cell)
    shell.get(AT + "/{draft}/aturan", pages.rules)
    shell.post(AT + "/{draft}/aturan", pages.change_rules)
    shell.post(AT + "/{draft}/aturan/periksa", pages.check_rules)
    shell.get(AT + "/{draft}/ulang", pages.replay)
    shell.post(AT + "/{draft}/usulkan", pages.propose)
    shell.post(AT + "/{draft}/terbitkan", pages.publish)
    shell.post(AT + "/{draft}/tarik", pages.withdraw)


class _Drafts:
    def __init__(self, shell: Shell) -> None:
        self._shell, self._office = shell, shell.office

    def _row(self, request: Request, visit: Visit) -> DraftRow:
        return lifecycle.read_draft(self._office, visit.person, request.path_params["draft"], visit.now)

    # --- list and new
    def list(self, request: Request, visit: Visit, wrong: str = "", addendum: str = "") -> Response:
        found = lifecycle.open_drafts(self._office, visit.person, visit.now)
        return self._shell.show(
            request, visit, "kebijakan-draf.html", 422 if wrong else 200, drafts=found, states=STATES, versions=range(self._office.policy.version, 0, -1), chosen=request.query_params.get("versi", ""),
            may_write=visit.may("tulis_kebijakan"), wrong=wrong, addendum=addendum,
        )  # fmt: skip

    def new(self, request: Request, visit: Visit, form: Form) -> Response:
        addendum, number = form.get("adendum", "").strip(), form.get("dari", "")
        if number and not (number.isascii() and number.isdigit() and len(number) < 9):
            raise Refusal("parameter", parameter="dari")
        back = int(number) if number and int(number) != self._office.policy.version else None
        try:
            row = lifecycle.new_draft(self._office, visit.person, None, visit.now, addendum=addendum or None, rollback_of=back)
        except Refusal as refusal:
            if refusal.facts.get("parameter") != "addendum":
                raise
            return self.list(request, visit, visit._(N_("Tulis seperti: Adendum 1/2027. Huruf, angka, titik, garis miring, dan tanda hubung saja.")), addendum)
        return self._shell.to(f"{AT}/{row.id}")

    # --- one draft, its check, and what who looks may do
    def one(self, request: Request, visit: Visit, code_wrong: str = "") -> Response:
        office, row = self._office, self._row(request, visit)
        readable = lifecycle.readable(office, visit.person, visit.now)
        judged, trouble = None, ""
        wrongs: Sequence[Wrong] = ()
        try:
            judged = lifecycle.judge(office, row)
        except Refusal as refusal:
            if refusal.reason != "draf_salah":
                raise
            trouble, wrongs = refusal.said(visit.language), lifecycle.wrongs(office, row.rules)
        given, missing = lifecycle.approvals_given(office, row, judged, visit.now) if judged else ([], [])
        shown = judged_json(office, judged, readable) if judged else None
        page = _page(request)
        mine, writes = row.author == visit.person.id, visit.may("tulis_kebijakan")
        return self._shell.show(
            request, visit, "kebijakan-draf-satu.html", 403 if code_wrong else 200, row=row, state=STATES[row.state], open=row.state in ("draft", "proposed"), mine=mine, judged=shown, trouble=trouble,
            wrongs=_told(visit, wrongs), lines=shown["changes"][(page - 1) * PAGE : page * PAGE] if shown else [], page=page, pages=-(-len(shown["changes"]) // PAGE) if shown else 0,
            given=given, missing=missing, stale=row.base != office.policy.version, version=office.policy.version, addendum_missing=bool(judged and judged.loosened and not row.addendum),
            may_propose=mine and writes and row.state == "draft" and judged is not None, may_publish=writes and row.state == "proposed" and judged is not None and not missing,
            may_approve=not mine and row.state == "proposed" and visit.may("setujui_kebijakan"), code_wrong=code_wrong,
        )  # fmt: skip

    def propose(self, request: Request, visit: Visit, form: Form) -> Response:
        return self._with_code(request, visit, form, "usulkan", lambda draft: lifecycle.propose(self._office, visit.person, draft, visit.now))

    def publish(self, request: Request, visit: Visit, form: Form) -> Response:
        return self._with_code(request, visit, form, "terbitkan", lambda draft: lifecycle.publish(self._office, visit.person, draft, visit.now))

    def _with_code(self, request: Request, visit: Visit, form: Form, which: str, act: Any) -> Response:
        row = self._row(request, visit)
        if not self._shell.confirmed(visit, form):
            return self.one(request, visit, which)
        act(row.id)
        return self._shell.to(f"{AT}/{row.id}")

    def withdraw(self, request: Request, visit: Visit, _form: Form) -> Response:
        lifecycle.withdraw(self._office, visit.person, request.path_params["draft"], visit.now)
        return self._shell.to(AT)

    # --- by cell
    def grid(self, request: Request, visit: Visit) -> Response:
        row = self._row(request, visit)
        view = view_of(self._office, visit, request.query_params)
        found = grid(self._office, draft_policy(self._office, visit, row.id), view, wib_date(visit.now))
        return self._shell.show(request, visit, "kebijakan-sel.html", row=row, mine=row.author == visit.person.id, **found)

    def cell(self, request: Request, visit: Visit) -> Response:
        return self._cell(request, visit, dict(request.query_params), {})

    def _cell(self, request: Request, visit: Visit, typed: dict[str, str], wrong: dict[str, str], status: int = 200) -> Response:
        row = self._row(request, visit)
        view, today = view_of(self._office, visit, typed), wib_date(visit.now)
        cell = cell_of(view, typed.get("sel", ""), today)
        policy = draft_policy(self._office, visit, row.id)
        purpose = next(p for p in view.agreement.purposes if p.code == cell.pur)
        clauses = [f"{view.agreement.id}: {one}" for one in paragraphs(view.agreement)]
        chosen = {"tingkat": str(policy.level(cell)), "pasal": f"{view.agreement.id}: {purpose.clause.partition('; ')[0]}", "mulai": today.isoformat(), "akhir": view.agreement.ends.isoformat()}
        return self._shell.show(
            request, visit, "kebijakan-sel-ubah.html", status, row=row, view=view, cell=cell, column=cell.obj.partition(".")[2], purpose=purpose, level=policy.level(cell), levels=LEVELS,
            clauses=clauses, laws=sorted(LAWS), typed=chosen | {k: v for k, v in typed.items() if k in chosen}, wrong=wrong, digest=typed.get("digest") or lifecycle.sha256(row.rules),
            sel=typed.get("sel", ""), query=urlencode(view.query),
        )  # fmt: skip

    def change_cell(self, request: Request, visit: Visit, form: Form) -> Response:
        """The rule that the form makes, put into the draft; what is wrong with it comes back by field."""
        row, view = self._row(request, visit), view_of(self._office, visit, form)
        cell = cell_of(view, form.get("sel", ""), wib_date(visit.now))
        try:
            level, first, last = _level(form.get("tingkat", "")), date.fromisoformat(form.get("mulai", "")), date.fromisoformat(form.get("akhir", ""))
            after = last + timedelta(days=1)
        except (ValueError, OverflowError):
            return self._cell(request, visit, form, {"mulai": visit._(N_("Isi tingkat 0 sampai 5 dan dua tanggal yang ada."))}, 422)
        if lifecycle.sha256(row.rules) != form.get("digest"):
            typed = f"{cell.obj}, {cell.pur}, {cell.row}: {level} {visit._(LEVELS[level])} ({form.get('pasal', '')}; {first} … {last})"
            return self._clash(request, visit, row, [lines for lines in row.rules.decode(errors="replace").splitlines() if f",{cell.obj}," in lines], typed)
        wanted = lifecycle.CellRule(cell._replace(day=first), level, form.get("pasal", ""), first.isoformat(), after.isoformat())
        try:
            rules = lifecycle.with_cell(draft_policy(self._office, visit, row.id), wanted)
        except Refusal as refusal:
            if refusal.reason != "draf_batas":
                raise
            return self._cell(request, visit, form, {"tingkat": refusal.said(visit.language)}, 422)
        wrongs = _told(visit, lifecycle.wrongs(self._office, rules))
        if wrongs:
            return self._cell(request, visit, form, {_FIELDS.get(one["field"], "pasal"): one["said"] for one in wrongs}, 422)
        lifecycle.edit(self._office, visit.person, row.id, rules, form["digest"], visit.now)
        return self._shell.to(f"{AT}/{row.id}/sel", **view.query)

    # --- by rule
    def rules(self, request: Request, visit: Visit) -> Response:
        row = self._row(request, visit)
        wanted = request.query_params.get("cari", "").strip()
        lines = row.rules.decode(errors="replace").split("\n")
        found = [n for n, line in enumerate(lines, 1) if line and (n > 1 or line != ",".join(RULE_COLUMNS)) and wanted in line]
        page = _page(request)
        return self._rules(request, visit, row, found[(page - 1) * PAGE : page * PAGE], None, (), lifecycle.sha256(row.rules), found=len(found), page=page, wanted=wanted)

    def _rules(
        self, request: Request, visit: Visit, row: DraftRow, numbers: Sequence[int], text: str | None, wrongs: Sequence[dict[str, Any]], digest: str, *, found: int = 0, page: int = 1, wanted: str = ""
    ) -> Response:  # fmt: skip
        lines = row.rules.decode(errors="replace").split("\n")
        shown = [(n, lines[n - 1]) for n in numbers if n <= len(lines)]
        return self._shell.show(
            request, visit, "kebijakan-aturan.html", 422 if wrongs else 200, row=row, mine=row.author == visit.person.id, columns=RULE_COLUMNS, shown=[(n, line.split(",")) for n, line in shown],
            numbers=",".join(map(str, numbers)), text="\n".join(line for _, line in shown) if text is None else text, wrongs=wrongs, digest=digest, found=found, page=page,
            pages=-(-found // PAGE), wanted=wanted, total=len(lines) - 2,
        )  # fmt: skip

    def change_rules(self, request: Request, visit: Visit, form: Form) -> Response:
        row, numbers, text = self._row(request, visit), _numbers(form), form.get("teks", "")
        if lifecycle.sha256(row.rules) != form.get("digest"):
            lines = row.rules.decode(errors="replace").split("\n")
            return self._clash(request, visit, row, [lines[n - 1] for n in numbers if n <= len(lines)], text)
        rules, places = spliced(row.rules, numbers, text)
        wrongs = _told(visit, lifecycle.wrongs(self._office, rules), places)
        if wrongs:
            return self._rules(request, visit, row, numbers, text, wrongs, form["digest"])
        lifecycle.edit(self._office, visit.person, row.id, rules, form["digest"], visit.now)
        return self._shell.to(f"{AT}/{row.id}")

    def check_rules(self, request: Request, visit: Visit, form: Form) -> Response:
        """What is wrong with what is being typed, as JSON: read only, nothing is kept."""
        row = self._row(request, visit)
        rules, places = spliced(row.rules, _numbers(form), form.get("teks", ""))
        return JSONResponse({"salah": _told(visit, lifecycle.wrongs(self._office, rules), places)}, headers=HEADERS)

    def _clash(self, request: Request, visit: Visit, row: DraftRow, saved: Sequence[str], typed: str) -> Response:
        return self._shell.show(request, visit, "kebijakan-bentrok.html", 409, row=row, saved="\n".join(saved), typed=typed)

    # --- held against the past
    def replay(self, request: Request, visit: Visit) -> Response:
        office, row, today = self._office, self._row(request, visit), wib_date(visit.now)
        try:
            since = date.fromisoformat(request.query_params.get("mulai") or (today - timedelta(days=DAYS)).isoformat())
            until = date.fromisoformat(request.query_params.get("akhir") or today.isoformat())
            after = until + timedelta(days=1)
        except (ValueError, OverflowError):
            raise Refusal("parameter", parameter="mulai") from None
        count, found = lifecycle.replayed(office, visit.person, lifecycle.judge(office, row).policy, since, after, visit.now)
        page = _page(request)
        said = [replay_sentences(one)[visit.language == "en"] for one in found[(page - 1) * PAGE : page * PAGE]]
        return self._shell.show(request, visit, "kebijakan-ulang.html", row=row, since=since, until=until, count=count, found=len(found), said=said, page=page, pages=-(-len(found) // PAGE))


def spliced(rules: bytes, numbers: Sequence[int], text: str) -> tuple[bytes, list[int]]:
    """The rules with the lines of those numbers (from 1) replaced by `text`, and the number that each line of the text has then.

    As many lines as before stay where they were; otherwise all go to where the first of them was, or to the end where none is named.
    """
    lines = rules.decode(errors="replace").rstrip("\n").split("\n")
    new = [line for line in text.replace("\r\n", "\n").split("\n") if line]
    known = sorted({n for n in numbers if n <= len(lines)})
    if len(new) == len(known):
        for n, line in zip(known, new, strict=True):
            lines[n - 1] = line
        return ("\n".join(lines) + "\n").encode(), known
    first = known[0] - 1 if known else len(lines)
    kept = [line for n, line in enumerate(lines, 1) if n not in known]
    return ("\n".join((*kept[:first], *new, *kept[first:])) + "\n").encode(), list(range(first + 1, first + 1 + len(new)))


def _told(visit: Visit, wrongs: Sequence[Wrong], places: Sequence[int] = ()) -> list[dict[str, Any]]:
    """Faults in the officer's language. box: the line in the box that was typed into, 0 outside it."""
    return [
        {"line": one.line, "box": places.index(one.line) + 1 if one.line in places else 0, "column": one.column, "field": one.field, "said": one.said[visit.language == "en"]} for one in wrongs
    ]  # fmt: skip


def _level(text: str) -> int:
    if text not in {"0", "1", "2", "3", "4", "5"}:
        raise ValueError
    return int(text)


def _numbers(form: Form) -> list[int]:
    """Line numbers as the form carries them. Refusal parameter `nomor`."""
    parts = [part for part in form.get("nomor", "").split(",") if part]
    if len(parts) > PAGE or not all(part.isascii() and part.isdigit() and 0 < len(part) < 8 and int(part) for part in parts):
        raise Refusal("parameter", parameter="nomor")
    return [int(part) for part in parts]


def _page(request: Request) -> int:
    asked = request.query_params.get("hal", "1")
    return int(asked) if asked.isascii() and asked.isdigit() and 0 < len(asked) < 7 and int(asked) else 1
