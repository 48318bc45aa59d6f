"""Keys of the parties' systems and of the broker, and what about them waits for an officer.

Confirming a set and approving that keys are destroyed take a request signed by the officer's own key, or their passkey: a session alone begins with a set-up
code that the host's administrator made, who also proposes the set. The page never shows a proposal's fingerprint, which is typed from the written notice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fastapi.responses import Response

from broker import ending, enrolment
from broker.assertions import APPROVE_ENDING, CONFIRM_KEYS, statement
from broker.errors import Refusal
from broker.keys import public_set
from broker.keys.ring import ACTIVE, DESTROYED, DISABLED, PENDING, RETIRED
from broker.model import expires_soon, utc_text
from broker.passkeys import usable
from broker.people import CONFIRM
from broker.record import BROKER_LOG
from broker.web.console.passkeys import answered, asking
from broker.web.console.shell import HEADERS, Entry
from broker.web.console.words import N_
from broker.web.reports import DSSE_TYPE

if TYPE_CHECKING:
    from datetime import datetime

    from fastapi import Request

    from broker.office import Office
    from broker.peers import Enrolled
    from broker.web.console.shell import Form, Shell, Visit

ENDING: Final = "/kunci/{agreement}/pemusnahan"
SEEN_BY: Final = (CONFIRM, "baca_log")
PURPOSES: Final = {
    "request": N_("Menandatangani permintaan"), "receipt": N_("Menandatangani pernyataan dan tanda terima"), "kem": N_("Membuka yang disegel (MLKEM768-X25519)"),
    "kem-x25519": N_("Membuka yang disegel (X25519)"), "log": N_("Menandatangani log"), "root": N_("Membuat samaran dan rujukan"), "vault": N_("Menandai orang dalam brankas"),
}  # fmt: skip
RING_STATES: Final = {
    PENDING: N_("Diumumkan, belum dipakai"), ACTIVE: N_("Dipakai"), RETIRED: N_("Sudah diganti, masih membuka dan membuktikan yang lama"), DISABLED: N_("Dinonaktifkan"),
    DESTROYED: N_("Dimusnahkan"),
}  # fmt: skip
REASONS: Final = {
    "bocor": N_("bocor"), "hilang": N_("hilang"), "petugas_berganti": N_("petugas berganti"), "sistem_ditutup": N_("sistem ditutup"), "salah_daftar": N_("salah daftar"),
    "lainnya": N_("lainnya"),
}  # fmt: skip


def add(shell: Shell) -> None:
    shell.menu.append(Entry("/kunci", N_("Kunci"), SEEN_BY))

    def page(request: Request, visit: Visit) -> Response:
        office = shell.office
        if not any(map(visit.may, SEEN_BY)):
            raise Refusal("wewenang", tindakan=CONFIRM)
        agreements = [name for name in sorted(visit.person.agreements) if name in office.agreements]
        systems = sorted({system for name in agreements for system in office.agreements[name].systems.values()})
        return shell.show(
            request, visit, "kunci.html", has_passkey=visit.may(CONFIRM) and bool(usable(office, visit.person, shell.sessions.origin, visit.now)), purposes=PURPOSES, reasons=REASONS, systems=[_system(office, visit, system) for system in systems],
            endings=[{"agreement": office.agreements[name], "approved": ending.approved(office, name, visit.now)} for name in agreements if ending.awaited(office, name, visit.now)],
            certified=[name for name in agreements if _certified(office, name)], rings=[(name, _ring(office, name)) for name in (*agreements, BROKER_LOG)],
            fingerprint=public_set("broker", office.rings).fingerprint,
        )  # fmt: skip

    def certificate(request: Request, visit: Visit) -> Response:
        name = request.path_params["agreement"]
        data = ending.certificate(shell.office, visit.person, name, visit.now)
        return Response(data, media_type=DSSE_TYPE, headers={**HEADERS, "Content-Disposition": f'attachment; filename="pemusnahan-{name}.json"'})

    shell.get("/kunci", page)
    shell.get("/kunci/{agreement}/sertifikat", certificate)
    desk = _Desk(shell)
    shell.post("/kunci/{system}/sahkan", desk.look)
    shell.post("/kunci/{system}/sahkan/jawab", desk.confirm)
    shell.get(ENDING, desk.ending)
    shell.post(ENDING, desk.approve_ending)


@dataclass(frozen=True, slots=True)
class _Desk:
    """What an officer decides about keys by a passkey. Without one, and without JavaScript, the commands that the page names do."""

    shell: Shell

    def look(self, request: Request, visit: Visit, form: Form) -> Response:
        """The proposal whose fingerprint was typed, to be confirmed; another fingerprint is refused, and recorded."""
        system = request.path_params["system"]
        row = enrolment.confirmable(self.shell.office, visit.person, system, form.get("sidik", ""), visit.now)
        asked = asking(self.shell, visit, statement(visit.person, CONFIRM_KEYS, enrolment.about(system, row.fingerprint), visit.now))
        return self.shell.show(request, visit, "kunci_sahkan.html", system=system, row=row, asked=asked, fingerprint=row.fingerprint)

    def confirm(self, request: Request, visit: Visit, form: Form) -> Response:
        enrolment.confirm(self.shell.office, visit.person, request.path_params["system"], form.get("sidik", ""), visit.now, answered(self.shell, visit, form))
        return self.shell.to("/kunci")

    def ending(self, request: Request, visit: Visit) -> Response:
        office, name = self.shell.office, request.path_params["agreement"]
        if not visit.may(CONFIRM, name):
            raise Refusal("wewenang", tindakan=CONFIRM)
        approved = ending.approved(office, name, visit.now)
        asked = asking(self.shell, visit, statement(visit.person, APPROVE_ENDING, ending.about(name), visit.now))
        waits = ending.awaited(office, name, visit.now) and visit.person.party not in approved
        return self.shell.show(request, visit, "kunci_akhir.html", agreement=office.agreements[name], approved=approved, asked=asked, waits=waits)

    def approve_ending(self, request: Request, visit: Visit, form: Form) -> Response:
        ending.approve(self.shell.office, visit.person, request.path_params["agreement"], visit.now, answered(self.shell, visit, form))
        return self.shell.to("/kunci")


def _certified(office: Office, name: str) -> bool:
    with office.ledger.database.read() as tx:
        return tx.keyrings.certificate(name) is not None


def _system(office: Office, visit: Visit, system: str) -> dict[str, Any]:
    """A system's sets, the newest first; the proposal that waits without what its notice says."""
    waits = enrolment.proposed(office, system, visit.now)
    mine = system.partition("@")[2] == visit.person.party and visit.may(CONFIRM)
    sets = [_set(one, visit.now) for one in reversed(office.peers.ever(system))]
    return {"id": system, "proposal": waits, "mine": mine, "until": enrolment.lapses(waits) if waits else "", "sets": sets}


def _set(one: Enrolled, now: datetime) -> dict[str, Any]:
    """A confirmed set: its state in words, how that is to be marked, and whether it should be renewed."""
    row, at = one.row, utc_text(now)
    expired = row.not_after is None or row.not_after <= at
    if row.state == "revoked":
        state, mark = N_("Dicabut"), "bad"
    elif row.state == "retired":
        standing = not expired and row.until is not None and row.until > at
        state, mark = (N_("Diganti, masih berlaku dalam masa tumpang tindih"), "warn") if standing else (N_("Diganti, tidak berlaku lagi"), "")
    elif expired:
        state, mark = N_("Kedaluwarsa"), "bad"
    else:
        state, mark = N_("Berlaku"), "good"
    soon = row.state == "active" and not expired and expires_soon(row.not_after or "", now)
    keys = sorted((purpose, key.kid) for (_, purpose), key in one.keys.keys.items())
    return {"row": row, "state": state, "mark": mark, "soon": soon, "keys": keys, "fingerprint": one.keys.fingerprint}


def _ring(office: Office, name: str) -> list[dict[str, Any]]:
    return [{"record": record, "state": RING_STATES[record.state], "since": record.distrusted[0] if record.distrusted else ""} for record in office.rings[name].records]
