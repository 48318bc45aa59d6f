"""Kejanggalan: what differs from a party's own past, in sentences. It accuses nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from broker.audit import unusual
from broker.audit.search import logs_of
from broker.errors import Refusal
from broker.web.console.shell import Entry
from broker.web.console.words import N_

if TYPE_CHECKING:
    from fastapi import Request, Response

    from broker.web.console.shell import Shell, Visit

PATH: Final = "/kejanggalan"
DAYS: Final = (7, 30, 90, 366)
KINDS: Final = {
    "volume": N_("Jumlah baris"), "luar_jam": N_("Di luar jam kerja"), "tujuan_baru": N_("Tujuan baru"), "kolom_baru": N_("Kolom baru"), "pelaku_baru": N_("Pelaku baru"),
    "kunci_baru": N_("Kunci baru"), "subjek_berulang": N_("Orang yang sama berulang"), "ditolak_beruntun": N_("Penolakan beruntun"), "jelas_naik": N_("Lebih banyak kolom jelas"),
    "saksi_tertinggal": N_("Saksi tertinggal"), "setelah_berakhir": N_("Setelah kesepakatan berakhir"),
}  # fmt: skip


def add(shell: Shell) -> None:
    shell.menu.append(Entry(PATH, N_("Kejanggalan"), ("baca_log",)))

    def page(request: Request, visit: Visit) -> Response:
        """Judged when an agreement is chosen: it reads the leaves of the days asked, and is recorded."""
        logs, asked, days = logs_of(shell.office, visit.person, visit.now), request.query_params.get("kesepakatan"), request.query_params.get("hari", "30")
        if days not in map(str, DAYS):
            raise Refusal("parameter", parameter="hari")
        found = unusual.ask(shell.office, visit.person, asked, int(days), visit.now) if asked else None
        findings = [{**one.as_json(), "text": one.as_json()["en" if visit.language == "en" else "id"]} for one in found.findings] if found else []
        return shell.show(
            request, visit, "kejanggalan.html", agreements=[shell.office.agreements[name] for name in logs], asked=asked or "", days=int(days), choices=DAYS, answer=found, findings=findings, kinds=KINDS,
        )  # fmt: skip

    shell.get(PATH, page)
