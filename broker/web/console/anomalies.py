"""Kejanggalan: what differs from a party's own past, in sentences. It accuses nobody.

Judging reads the leaves of every exchange of the days asked, seconds for a year of them: it is done beside the page, which says so meanwhile.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from broker.audit import unusual
from broker.audit.search import logs_of, require
from broker.errors import Refusal
from broker.lifecycle.officers import READ
from broker.web.console.shell import Entry
from broker.web.console.words import N_

if TYPE_CHECKING:
    from datetime import datetime

    from fastapi import Request, Response

    from broker.model import Person
    from broker.office import Office
    from broker.web.console.shell import Shell, Visit

PATH: Final = "/kejanggalan"
DAYS: Final = (7, 30, 90, 366)
PATIENCE: Final = 0.05  # seconds that a page waits for its answer
MOST: Final = 32  # judgements that wait, or are kept
UNSEEN: Final = timedelta(minutes=10)  # that a judgement waits for who asked: a later look is answered by one of its own time
KEPT: Final = timedelta(minutes=1)  # that one is shown again, to who asked, without another: a page that waits asks more than once
KINDS: Final = {
    "volume": N_("Jumlah baris"), "luar_jam": N_("Di luar jam kerja"), "tujuan_baru": N_("Tujuan baru"), "kolom_baru": N_("Kolom baru"), "pelaku_baru": N_("Pelaku baru"),
    "kunci_baru": N_("Kunci baru"), "subjek_berulang": N_("Orang yang sama berulang"), "ditolak_beruntun": N_("Penolakan beruntun"), "jelas_naik": N_("Lebih banyak kolom jelas"),
    "saksi_tertinggal": N_("Saksi tertinggal"), "setelah_berakhir": N_("Setelah kesepakatan berakhir"),
}  # fmt: skip


def add(shell: Shell) -> None:
    shell.menu.append(Entry(PATH, N_("Kejanggalan"), ("baca_log",)))
    desk = _Desk(shell.office)

    def page(request: Request, visit: Visit) -> Response:
        """Judged when an agreement is chosen, and recorded."""
        logs, asked, days = logs_of(shell.office, visit.person, visit.now), request.query_params.get("kesepakatan"), request.query_params.get("hari", "30")
        if days not in map(str, DAYS):
            raise Refusal("parameter", parameter="hari")
        found = desk.answer(visit.person, asked, int(days), visit.now) if asked else None
        findings = [{**one.as_json(), "text": one.as_json()["en" if visit.language == "en" else "id"]} for one in found.findings] if found else []
        return shell.show(
            request, visit, "kejanggalan.html", agreements=[shell.office.agreements[name] for name in logs], asked=asked or "", days=int(days), choices=DAYS, answer=found, findings=findings, kinds=KINDS,
        )  # fmt: skip

    shell.get(PATH, page)


@dataclass(slots=True)
class _Asked:
    """A judgement. at: when it was asked for, then when it was first shown."""

    future: Future[unusual.Answer]
    at: datetime
    shown: bool = False

    def over(self, now: datetime) -> bool:
        return self.future.done() and now - self.at >= (KEPT if self.shown else UNSEEN)


class _Desk:
    """Judgements that officers asked for, one after another."""

    def __init__(self, office: Office) -> None:
        self._office, self._lock = office, threading.Lock()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="unusual")
        self._asked: dict[tuple[str, str, int], _Asked] = {}

    def answer(self, person: Person, agreement: str, days: int, now: datetime) -> unusual.Answer | None:
        """The answer to this person; None while it is being judged. Refusal wewenang, belum_dijamin, sibuk, before anything is judged."""
        require(self._office, person, READ, agreement, now)
        key = person.id, agreement, days
        with self._lock:
            self._asked = {known: one for known, one in self._asked.items() if not one.over(now)}
            if key not in self._asked:
                if len(self._asked) >= MOST:
                    raise Refusal("sibuk")
                self._asked[key] = _Asked(self._pool.submit(unusual.ask, self._office, person, agreement, days, now), now)
            one = self._asked[key]
        wait([one.future], PATIENCE)
        if not one.future.done():
            return None
        if not one.shown:
            one.at, one.shown = now, True
        return one.future.result()
