"""The first page: is anything waiting for me, is anything wrong?"""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from broker.agreement import LAST_DAYS
from broker.model import WIB, wib_date
from broker.web.console.shell import Entry
from broker.web.console.waiting import notices, refusals
from broker.web.console.words import N_

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import Request, Response

    from broker.model import Agreement
    from broker.store import Transaction
    from broker.web.console.shell import Shell, Visit

WEEKS: Final = 12  # of exchanges in the chart


def add(shell: Shell) -> None:
    shell.menu.append(Entry("", N_("Beranda")))

    def page(request: Request, visit: Visit) -> Response:
        office, today = shell.office, wib_date(visit.now)
        agreements = [office.agreements[name] for name in sorted(visit.person.agreements) if name in office.agreements]
        with office.ledger.database.read() as tx:
            told = notices(office, visit, tx)
            weeks, refused = (_weeks(tx, [a.id for a in agreements], today), refusals(office, visit, tx)) if told.known else ([], [])
        return shell.show(request, visit, "beranda.html", agreements=[_status(a, today) for a in agreements], weeks=weeks, refusals=refused, waiting=told.waiting, wrong=told.wrong, due=told.due, known=told.known)

    shell.get("", page)


def _status(agreement: Agreement, today: date) -> dict[str, Any]:
    """An agreement as the first page tells it: in term or not, its last day, the work plan's."""
    return {
        "agreement": agreement, "days": (agreement.ends - today).days, "begun": today >= agreement.starts, "over": today > agreement.ends,
        "soon": agreement.ends - LAST_DAYS < today <= agreement.ends, "lapsed": today > agreement.work_plan_ends,
    }  # fmt: skip


def _weeks(tx: Transaction, agreements: Sequence[str], today: date) -> list[tuple[str, int, int]]:
    """Exchanges of the last weeks by the Monday they begin with (`21/11`), and how many of them were refused."""
    monday = today - timedelta(days=today.weekday())
    mondays = [monday - timedelta(weeks=n) for n in reversed(range(WEEKS))]
    by_week: Counter[date] = Counter()
    refused: Counter[date] = Counter()
    for accepted, state in tx.exchanges_since(agreements, f"{mondays[0] - timedelta(days=1)}T17:00:00.000Z"):
        day = accepted.astimezone(WIB).date()
        week = day - timedelta(days=day.weekday())
        by_week[week] += 1
        refused[week] += state == "refused"
    return [(f"{day:%d/%m}", by_week[day], refused[day]) for day in mondays]
