"""Cari orang: who received what about a person, by POST alone; the second person's page; what is taken away for the person or to verify elsewhere.

A number is typed into a form and goes nowhere else: not into an address, a title, a log line or a row of ours in the clear.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from broker.audit import bundle, subject, subject_report
from broker.audit.handout import File
from broker.client.bundle import WHOSE_FILE
from broker.errors import Refusal
from broker.model import LEVEL_NOTE, WIB, Level, wib_date
from broker.roles import may
from broker.web.console.downloads import packed
from broker.web.console.shell import Entry
from broker.web.console.telling import text_of, told
from broker.web.console.words import N_

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import Request, Response

    from broker.web.console.shell import Form, Shell, Visit

PATH: Final = "/cari-orang"
WAITING: Final = f"{PATH}/permintaan"
HIDDEN: Final = "sembunyi."  # and an exchange: the letter of Pasal 33 under which it is left out of a person's report
FIELD: Final = {"alasan": "alasan", "subjek": "nomor", "subjects": "nomor", "from": "dari", "received": "diterima", "case": "perkara", "hidden": "perkara"}  # reason, or parameter → field
UNKNOWN: Final = N_(
    "Broker tidak mengenal siapa pun dengan nomor ini. Ini bukan bukti bahwa datanya tidak pernah diserahkan: nomor itu mungkin salah ketik, datanya mungkin sudah dihapus, atau tidak pernah melewati broker ini."
)


def add(shell: Shell) -> None:
    pages = _Pages(shell)
    shell.menu.append(Entry(PATH, N_("Cari orang"), (subject.SEARCH,)))
    shell.get(PATH, pages.form)
    shell.post(PATH, pages.ask)
    shell.post(f"{PATH}/bundel", pages.bundle)
    shell.post(f"{PATH}/laporan", pages.report)
    shell.get(WAITING, pages.waiting)
    shell.post(f"{WAITING}/{{name}}/setujui", pages.approve)
    shell.post(f"{WAITING}/{{name}}/tolak", pages.decline)
    shell.post(f"{WAITING}/{{name}}/jawaban", pages.answer)


class _Pages:
    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    # --- asking
    def form(self, request: Request, visit: Visit) -> Response:
        return self._form(request, visit, {}, [])

    def _form(self, request: Request, visit: Visit, typed: Mapping[str, str], agreements: list[str], refusal: Refusal | None = None) -> Response:
        mine = self._mine(visit)
        waiting = subject.open_requests(self._shell.office, visit.person, visit.now)
        day = wib_date(visit.now)
        return self._shell.show(
            request, visit, "cari_orang.html", refusal.entry.status if refusal else 200, agreements=[self._shell.office.agreements[name] for name in mine], chosen=agreements or mine[:1],
            typed={"dari": day.replace(month=1, day=1).isoformat(), "sampai": day.isoformat(), **typed}, problem=_problem(visit, refusal), waiting=len(waiting), alone=subject.ALONE,
        )  # fmt: skip

    def _mine(self, visit: Visit) -> list[str]:
        """The agreements where they may search. Refusal wewenang if there is none."""
        mine = [name for name in self._shell.office.agreements if may(visit.person, subject.SEARCH, name, wib_date(visit.now))]
        if not mine:
            raise Refusal("wewenang", tindakan=subject.SEARCH)
        return mine

    def ask(self, request: Request, visit: Visit, form: Form) -> Response:
        """Every agreement is asked by itself, and answers or refuses by itself."""
        office, answers, requests, refused = self._shell.office, [], [], []
        agreements = list(dict.fromkeys(form.all("kesepakatan")))
        self._mine(visit)
        try:
            if not agreements or len(agreements) > len(office.agreements):  # each is asked, and recorded, by itself
                raise Refusal("parameter", parameter="agreement")
            questions = [_question(form, name, proofs="bukti" in form) for name in agreements]
        except Refusal as refusal:
            return self._form(request, visit, form, agreements, refusal)
        for question in questions:
            try:
                found = subject.ask(office, visit.person, question, visit.now)
            except Refusal as refusal:
                refused.append((question.agreement, refusal))
                continue
            if isinstance(found, subject.Answer):
                answers.append(found)
            else:
                requests.append(found)
        if refused and not answers and not requests:
            if refused[0][1].reason in ("wewenang", "belum_dijamin"):
                raise refused[0][1]
            return self._form(request, visit, form, agreements, refused[0][1])
        if requests and not answers and not refused:
            return self._shell.to(WAITING, baru="1")
        return self._answers(request, visit, answers, waits=len(requests), refused=refused, typed=form)

    def _answers(self, request: Request, visit: Visit, answers: list[subject.Answer], *, waits: int = 0, refused: list[tuple[str, Refusal]] | None = None, typed: Form | None = None) -> Response:
        return self._shell.show(
            request, visit, "jawaban.html", answers=answers, waits=waits, refused=[(name, text_of(visit, one)) for name, one in refused or []], typed=typed, by_level=_by_level, unknown=UNKNOWN,
            grounds=subject_report.GROUNDS, note=LEVEL_NOTE[visit.language == "en"], received=_local(visit.now), **told(self._shell, visit),
        )  # fmt: skip

    # --- taking away
    def bundle(self, request: Request, visit: Visit, form: Form) -> Response:
        """Asks again, with proofs: a question of its own."""
        return self._bundle(request, visit, _question(form, form.get("kesepakatan", ""), proofs=True))

    def _bundle(self, _: Request, visit: Visit, asked: subject.Question | str) -> Response:
        found = bundle.about_people(self._shell.office, visit.person, asked, visit.now)
        if not isinstance(found, tuple):
            return self._shell.to(WAITING, baru="1")
        return packed(self._shell.office, visit.person, found[0], f"bundel-subjek-{wib_date(visit.now)}-{found[0].name[:8]}.zip", visit.now, {WHOSE_FILE: found[1]})

    def report(self, request: Request, visit: Visit, form: Form) -> Response:
        return self._report(request, visit, form, _question(form, form.get("kesepakatan", ""), proofs=False))

    def _report(self, _: Request, visit: Visit, form: Form, asked: subject.Question | str) -> Response:
        hidden = {name.removeprefix(HIDDEN): letter for name, letter in form.pairs if name.startswith(HIDDEN) and letter}
        kind = form.get("format", "pdf")
        about = subject_report.About(_moment(form.get("diterima", "")), " ".join(form.get("perkara", "").split()), hidden)
        found = subject_report.report(self._shell.office, visit.person, asked, about, kind, visit.now)
        if not isinstance(found, File):
            return self._shell.to(WAITING, baru="1")
        return packed(self._shell.office, visit.person, found, f"laporan-subjek-{wib_date(visit.now)}-{found.name[:8]}.{kind}", visit.now)

    # --- the second person
    def waiting(self, request: Request, visit: Visit) -> Response:
        return self._waiting(request, visit)

    def _waiting(self, request: Request, visit: Visit, wrong: str = "") -> Response:
        """wrong: the request for which the code was not right."""
        rows = subject.open_requests(self._shell.office, visit.person, visit.now)
        mine, theirs = [row for row in rows if row.person == visit.person.id], [row for row in rows if row.person != visit.person.id and row.state == "pending"]
        query = request.query_params if request.method == "GET" else {}
        return self._shell.show(
            request, visit, "permintaan_orang.html", 401 if wrong else 200, mine=mine, theirs=theirs, wrong=wrong, new="baru" in query, done=query.get("selesai", ""), received=_local(visit.now),
        )  # fmt: skip

    def approve(self, request: Request, visit: Visit, form: Form) -> Response:
        name = request.path_params["name"]
        subject.request(self._shell.office, visit.person, name, visit.now)
        if not self._shell.confirmed(visit, form):
            return self._waiting(request, visit, name)
        subject.decide(self._shell.office, visit.person, name, visit.now, approve=True)
        return self._shell.to(WAITING, selesai="disetujui")

    def decline(self, request: Request, visit: Visit, _: Form) -> Response:
        subject.decide(self._shell.office, visit.person, request.path_params["name"], visit.now, approve=False)
        return self._shell.to(WAITING, selesai="ditolak")

    def answer(self, request: Request, visit: Visit, form: Form) -> Response:
        """Once: so in the one form that was chosen."""
        name: str = request.path_params["name"]
        match form.get("bentuk", ""):
            case "bundel":
                return self._bundle(request, visit, name)
            case "laporan":
                return self._report(request, visit, form, name)
        return self._answers(request, visit, [subject.answer(self._shell.office, visit.person, name, visit.now)])


def _question(form: Mapping[str, str], agreement: str, *, proofs: bool) -> subject.Question:
    """Refusal parameter `from` for what is no date. Numbers: one a line, written with spaces, dots or dashes or without."""
    try:
        starts, ends = (date.fromisoformat(form.get(name, "")) for name in ("dari", "sampai"))
    except ValueError:
        raise Refusal("parameter", parameter="from") from None
    people = tuple(bare for line in form.get("nomor", "").splitlines() if (bare := re.sub(r"[\s.\-]", "", line).upper()))
    return subject.Question(agreement, starts, ends, " ".join(form.get("alasan", "").split()), people, proofs)


def _moment(text: str) -> datetime:
    """What was typed as WIB. Refusal parameter `received`."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=WIB)
    except ValueError:
        raise Refusal("parameter", parameter="received") from None


def _local(now: datetime) -> str:
    return f"{now.astimezone(WIB):%Y-%m-%dT%H:%M}"


def _problem(visit: Visit, refusal: Refusal | None) -> dict[str, str] | None:
    """What is wrong, and with which field."""
    if refusal is None:
        return None
    return {"text": text_of(visit, refusal), "field": FIELD.get(refusal.reason, FIELD.get(str(refusal.facts.get("parameter", "")), "kesepakatan"))}


def _by_level(levels: Mapping[str, int]) -> list[tuple[int, list[str]]]:
    """Level and the columns that have it, the clearest first; hidden ones left out."""
    found: Any = ((int(level), sorted(column for column, of in levels.items() if of == level)) for level in reversed(Level) if level)
    return [one for one in found if one[1]]
