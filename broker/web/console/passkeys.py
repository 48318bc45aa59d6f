"""Passkeys: an officer makes one here, has it vouched for, and approves policy drafts with it. The one function that needs JavaScript; the command line stays beside it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from fastapi.responses import Response

from broker import lifecycle
from broker.client.officer import Draft
from broker.envelope import Assertion, read_passkey
from broker.envelope.passkey import b64url, from_b64url, takes_passkeys
from broker.errors import NotVerified, Refusal
from broker.passkeys import ACTS, challenge, enrol, passkeys, register, remove, usable
from broker.signin import again
from broker.vouching import passkey_counts
from broker.web.console.shell import HEADERS, Entry
from broker.web.console.words import N_
from broker.web.policy import told

if TYPE_CHECKING:
    from fastapi import Request

    from broker.store import DraftRow, PasskeyRow
    from broker.web.console.shell import Form, Shell, Visit

PAGE: Final = "/kunci-sandi"
APPROVAL: Final = "/kebijakan/{draft}/setujui"
SHOWN: Final = 300  # changed cells on the page; the rules themselves are always shown whole
KEPT: Final = 16  # drafts' changes in memory
PROBLEMS: Final = {
    "kunci_sandi": N_("Kunci sandi ini tidak dapat didaftarkan: bukan jawaban atas permintaan halaman ini, sudah terdaftar, atau sudah ada lima. Muat ulang halaman, lalu coba lagi."),
    "jaminan": N_("Jaminan ini tidak berlaku: bukan untuk kunci sandi ini, atau tidak ditandatangani kunci yang harus menjaminnya."),
    "kode": N_("Kode salah atau sudah dipakai. Tunggu kode berikutnya; setelah beberapa kali salah, akun terkunci sementara."),
}
DONE: Final = {
    "dibuat": N_("Kunci sandi dibuat. Sekarang mintakan jaminannya."),
    "dijamin": N_("Kunci sandi dijamin: mulai sekarang berlaku."),
    "dihapus": N_("Kunci sandi dihapus: tidak berlaku lagi."),
}


def add(shell: Shell) -> None:
    shell.menu.append(Entry(PAGE, N_("Kunci sandi"), ACTS))
    desk = _Desk(shell)
    shell.get(PAGE, desk.page)
    shell.get(PAGE + "/berkas/{credential}", desk.file)
    shell.post(PAGE, desk.register)
    shell.post(PAGE + "/jaminan", desk.enrol)
    shell.post(PAGE + "/hapus", desk.remove)
    shell.get(APPROVAL, desk.draft)
    shell.post(APPROVAL, desk.approve)


def asking(shell: Shell, visit: Visit, statement: bytes) -> dict[str, Any]:
    """What the page's form for the authenticator has: `passkey_form` of bagian.html. usable: none where the person has no passkey that counts here."""
    mine = usable(shell.office, visit.person, shell.sessions.origin, visit.now)
    return {"usable": mine, "statement": b64url(statement), "text": statement.decode(), "challenge": b64url(hashlib.sha256(statement).digest())}


def answered(shell: Shell, visit: Visit, form: Form) -> bytes:
    """The authenticator's answer that the form carries, with the passkey and its voucher as they are kept. Proves nothing yet: with no such passkey of theirs, nothing ever."""
    found = [(row.file, row.voucher) for row in passkeys(shell.office, visit.person, visit.now) if row.voucher is not None and row.credential == form.get("kunci")]
    file, voucher = found[0] if found else (b"", b"")  # it is refused, and recorded, by what is asked to act on it
    said = {name: form.get(field, "") for name, field in (("authenticator_data", "autentikator"), ("client_data", "klien"), ("signature", "tanda"), ("statement", "pernyataan"))}
    return Assertion(passkey=file.decode(), voucher=voucher.decode(), **said).to_json()


class _Desk:
    """The pages; `shell` is where they stand."""

    def __init__(self, shell: Shell) -> None:
        self._shell, self._office, self._origin = shell, shell.office, shell.sessions.origin
        self._known: dict[tuple[str, ...], dict[str, Any]] = {}  # what drafts change

    # --- an officer's passkeys
    def page(self, request: Request, visit: Visit, problem: str = "", about: str = "", typed: str = "", status: int = 200) -> Response:
        """problem: what went wrong. about: the credential it is about, empty for the making of one. typed: the voucher that was sent."""
        rows = passkeys(self._office, visit.person, visit.now)
        return self._shell.show(
            request, visit, "kunci-sandi.html", status,
            rows=[self._told(visit, row) for row in rows], problem=problem, about=about, typed=typed, possible=takes_passkeys(self._origin), origin=self._origin,
            rp=self._origin.partition("//")[2].partition(":")[0], challenge=b64url(challenge(visit.person.id, visit.csrf)), user=b64url(hashlib.sha256(visit.person.id.encode()).digest()),
            done=DONE.get(request.query_params.get("selesai", ""), ""), problems=PROBLEMS,
        )  # fmt: skip

    def _told(self, visit: Visit, row: PasskeyRow) -> dict[str, Any]:
        passkey = read_passkey(row.file)
        counts = row.voucher is not None and passkey_counts(self._office, visit.person, row.file, row.voucher)
        return {"row": row, "fingerprint": passkey.fingerprint, "name": f"kunci-sandi-{passkey.sha256[:8]}.json", "counts": counts, "here": passkey.origin == self._origin}

    def file(self, request: Request, visit: Visit) -> Response:
        """What the vouching command reads."""
        row = next((row for row in passkeys(self._office, visit.person, visit.now) if row.credential == request.path_params["credential"]), None)
        if row is None:
            raise Refusal("akun", bidang="kunci_sandi")
        headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{self._told(visit, row)["name"]}"'}
        return Response(row.file, headers=headers, media_type="application/json")

    def register(self, request: Request, visit: Visit, form: Form) -> Response:
        return self._act(request, visit, form, "", lambda: self._register(visit, form), "dibuat")

    def _register(self, visit: Visit, form: Form) -> None:
        again(self._office, visit.person, form.get("kode", ""), visit.now)
        try:
            client, authenticator = from_b64url(form.get("klien", "")), from_b64url(form.get("autentikator", ""))
        except NotVerified:
            raise Refusal("akun", bidang="kunci_sandi") from None
        register(self._office, visit.person, self._origin, challenge(visit.person.id, visit.csrf), client, authenticator, visit.now)

    def enrol(self, request: Request, visit: Visit, form: Form) -> Response:
        about = form.get("kunci", "")
        return self._act(request, visit, form, about, lambda: enrol(self._office, visit.person, about, form.get("jaminan", "").strip().encode(), visit.now), "dijamin")

    def remove(self, request: Request, visit: Visit, form: Form) -> Response:
        def act() -> None:
            again(self._office, visit.person, form.get("kode", ""), visit.now)
            remove(self._office, visit.person, form.get("kunci", ""), visit.now)

        return self._act(request, visit, form, form.get("kunci", ""), act, "dihapus")

    def _act(self, request: Request, visit: Visit, form: Form, about: str, act: Any, done: str) -> Response:
        """What the form asks for; what is wrong with it stands in the page again."""
        try:
            act()
        except Refusal as refusal:
            wrong = "kode" if refusal.reason == "masuk" else str(refusal.facts.get("bidang", ""))
            if wrong not in PROBLEMS:
                raise
            return self.page(request, visit, wrong, about, form.get("jaminan", ""), refusal.entry.status)
        return self._shell.to(PAGE, selesai=done)

    # --- approving a draft
    def draft(self, request: Request, visit: Visit) -> Response:
        office, person = self._office, visit.person
        row, base, approvals = lifecycle.draft_with_base(office, person, request.path_params["draft"], visit.now)
        said = lifecycle.statement(office, person, row, visit.now)
        asked = asking(self._shell, visit, said.to_json())
        state = self._state(visit, row, approvals, usable=bool(asked["usable"]))
        judged = self._judged(visit, row) if state in ("siap", "tanpa_kunci", "sudah") else None
        whole = Draft(row.id, row.base, row.author, row.state, row.addendum, row.rules.decode(errors="replace"), base.rules.decode(), base.model.decode(), tuple(approvals))
        return self._shell.show(
            request, visit, "setujui.html",
            draft=row, approvals=sorted(approvals), state=state, judged=judged, shown=SHOWN, rules=whole.lines() if judged else [], said=said, asked=asked,
            party=person.party,
        )  # fmt: skip

    def _judged(self, visit: Visit, row: DraftRow) -> dict[str, Any]:
        """What the draft would change, as this officer may read it: half a second to work out, and the same until the rules or the version in force are others."""
        office = self._office
        key = (office.policy.sha256, lifecycle.sha256(row.rules), *lifecycle.readable(office, visit.person, visit.now))
        if key not in self._known:
            if len(self._known) >= KEPT:
                self._known.clear()
            self._known[key] = told(office, visit.person, lifecycle.judge(office, row), visit.now)
        return self._known[key]

    def _state(self, visit: Visit, row: DraftRow, approvals: list[str], *, usable: bool) -> str:
        """What stands in the way, or `siap`."""
        if row.state != "proposed":
            return row.state
        if row.author == visit.person.id:
            return "penulis"
        if row.base != self._office.policy.version:
            return "dasar"
        if visit.person.id in approvals:
            return "sudah"
        return "siap" if usable else "tanpa_kunci"

    def approve(self, request: Request, visit: Visit, form: Form) -> Response:
        draft = request.path_params["draft"]
        lifecycle.approve(self._office, visit.person, draft, answered(self._shell, visit, form), visit.now)
        return self._shell.to(APPROVAL.format(draft=quote(draft, safe="")))
