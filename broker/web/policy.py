"""The routes of policies under /v1/policy. Each: which officer asks, ask `lifecycle`, shape the answer. No rule lives here."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Header, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from broker import lifecycle
from broker.model import LEVEL_NAMES, wib_date
from broker.policy import Cell, as_json, explain, opens, part, replay_sentences, sentences
from broker.web.officers import OfficerApi
from broker.web.problems import RESPONSES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from broker.model import Person
    from broker.office import Office
    from broker.policy import Diff
    from broker.store import DraftRow, StopRow

MAX_DSSE: Final = 64 << 10
DAYS: Final = 3660  # that a replay looks back at most
MAX_VERSION: Final = 1 << 31
RULES_TYPE: Final = "text/csv"
Draft = Annotated[str, Path(pattern="^[0-9a-f]{16}$", description="Draft id, 16 hex digits")]
TAG: Final = "kebijakan"


class PolicyApi(OfficerApi):
    """Drafts, versions and stops, for officers."""

    def router(self) -> APIRouter:
        router = APIRouter(prefix="/v1/policy")

        def add(method: str, path: str, handler: Callable[..., Any], summary: str, **more: Any) -> None:
            router.add_api_route(path, handler, methods=[method], tags=[TAG], summary=summary, responses=RESPONSES, **more)

        def body(kind: str) -> dict[str, Any]:
            return {"requestBody": {"required": True, "content": {kind: {"schema": {"type": "string", "format": "binary"}}}}}

        add("GET", "/versions", self.versions, "Every published version's signed record")
        add("GET", "/versions/{number}", self.version, "A version: its files, record and signature")
        add("GET", "/explain", self.explain, "The level of one cell, and every rule that allowed or capped it")
        add("GET", "/drafts", self.drafts, "Open drafts")
        add("POST", "/drafts", self.new, "A new draft, from rules or from a version", status_code=201, openapi_extra=body(RULES_TYPE))
        add("GET", "/drafts/{draft}", self.draft, "A draft: its rules, the files it is based on, who approved")
        add("PUT", "/drafts/{draft}", self.edit, "New rules for a draft", openapi_extra=body(RULES_TYPE))
        add("DELETE", "/drafts/{draft}", self.withdraw, "Withdraw a draft", status_code=204)
        add("GET", "/drafts/{draft}/check", self.check, "What the draft would change, and what stands against it")
        add("GET", "/drafts/{draft}/replay", self.replay, "Which past exchanges it would have treated otherwise")
        add("POST", "/drafts/{draft}/propose", self.propose, "Fix the draft for approval")
        add("POST", "/drafts/{draft}/approvals", self.approve, "Your signed approval", status_code=204, openapi_extra=body("application/vnd.dsse+json"))
        add("POST", "/drafts/{draft}/publish", self.publish, "Put the approved draft in force")
        add("GET", "/stops", self.stops, "Stops that hold, of your agreements")
        add("POST", "/stops/{target}", self.stop, "Halt every release of an agreement or a party, at once", status_code=201)
        add("DELETE", "/stops/{name}", self.resume, "Ask that a stop be undone; the second officer undoes it")
        return router

    # --- versions
    def versions(self, request: Request) -> Response:
        lifecycle.reader(self._office, self._person(request), self._clock())
        return JSONResponse({"versions": lifecycle.history(self._office)})

    def version(self, request: Request, number: Annotated[int, Path(ge=1, le=MAX_VERSION)]) -> Response:
        """With the approvals as their officers signed them, and their officers' keys and vouchers, for anyone's own check."""
        lifecycle.reader(self._office, self._person(request), self._clock())
        row, approvals = lifecycle.version(self._office, number), lifecycle.approvals_of(self._office, number)
        officers = lifecycle.approvers(self._office, number)
        return JSONResponse(
            {"approvals": approvals, "dsse": row.dsse.decode(), "model": row.model.decode(), "number": row.number, "officers": officers, "record": row.record.decode(), "rules": row.rules.decode()}
        )

    def explain(
        self, request: Request, system: Annotated[str, Query(max_length=80)], agreement: Annotated[str, Query(max_length=80)],
        column: Annotated[str, Query(max_length=160, description="dataset.column")], purpose: Annotated[str, Query(max_length=80)],
        row: Annotated[str, Query(max_length=160)] = "umum", action: Annotated[str, Query(max_length=20)] = "terima", day: date | None = None,
        draft: Annotated[str | None, Query(pattern="^[0-9a-f]{16}$")] = None,
    ) -> Response:  # fmt: skip
        """Both languages; without `draft` of the policy in force, without `day` of today (WIB)."""
        person = self._person(request)
        lifecycle.reader(self._office, person, self._clock())
        policy = self._office.policy
        if draft is not None:
            policy = lifecycle.judge(self._office, lifecycle.read_draft(self._office, person, draft, self._clock())).policy
        cell = Cell(system, agreement, column, action, purpose, row, day or wib_date(self._clock()))
        found = explain(policy, cell, "id")
        return JSONResponse({"level": found.level, "id": found.text, "en": explain(policy, cell, "en").text, "decides": sorted(found.decides)})

    def _told(self, person: Person, judged: lifecycle.Judged) -> dict[str, Any]:
        return told(self._office, person, judged, self._clock())

    # --- drafts
    def drafts(self, request: Request) -> Response:
        person = self._person(request)
        return JSONResponse({"drafts": [_draft(row) for row in lifecycle.open_drafts(self._office, person, self._clock())]})

    async def new(
        self, request: Request, rollback: Annotated[int | None, Query(ge=1, le=MAX_VERSION, description="an older version whose rules to take")] = None,
        addendum: Annotated[str | None, Query(max_length=80, description="where locked caps are loosened: Adendum NOMOR")] = None,
    ) -> Response:  # fmt: skip
        person, data = await self._sent(request, lifecycle.MAX_RULES)
        row = await run_in_threadpool(lifecycle.new_draft, self._office, person, data or None, self._clock(), addendum=addendum, rollback_of=rollback)
        return JSONResponse(_draft(row), 201, {"Location": f"/v1/policy/drafts/{row.id}"})

    def draft(self, request: Request, draft: Draft) -> Response:
        person = self._person(request)
        row, base, approvals = lifecycle.draft_with_base(self._office, person, draft, self._clock())
        whole = {"rules": row.rules.decode(errors="replace"), "base_model": base.model.decode(), "base_rules": base.rules.decode(), "approvals": sorted(approvals)}
        return JSONResponse(_draft(row) | whole)

    async def edit(self, request: Request, draft: Draft, if_match: Annotated[str, Header(description="SHA-256 of the rules you edited")] = "") -> Response:
        person, data = await self._sent(request, lifecycle.MAX_RULES, ("if-match",))
        return JSONResponse(_draft(await run_in_threadpool(lifecycle.edit, self._office, person, draft, data, if_match, self._clock())))

    def withdraw(self, request: Request, draft: Draft) -> Response:
        lifecycle.withdraw(self._office, self._person(request), draft, self._clock())
        return Response(status_code=204)

    def check(self, request: Request, draft: Draft) -> Response:
        person = self._person(request)
        return JSONResponse(self._told(person, lifecycle.judge(self._office, lifecycle.read_draft(self._office, person, draft, self._clock()))))

    def replay(self, request: Request, draft: Draft, days: Annotated[int, Query(ge=1, le=DAYS)] = 90) -> Response:
        person, today = self._person(request), wib_date(self._clock())
        judged = lifecycle.judge(self._office, lifecycle.read_draft(self._office, person, draft, self._clock()))
        count, found = lifecycle.replayed(self._office, person, judged.policy, today - timedelta(days=days), today + timedelta(days=1), self._clock())
        return JSONResponse({"exchanges": count, "changed": [{**one._asdict(), **_both(replay_sentences(one))} for one in found]})

    def propose(self, request: Request, draft: Draft) -> Response:
        person = self._person(request)
        return JSONResponse(self._told(person, lifecycle.propose(self._office, person, draft, self._clock())))

    async def approve(self, request: Request, draft: Draft) -> Response:
        person, data = await self._sent(request, MAX_DSSE)
        await run_in_threadpool(lifecycle.approve, self._office, person, draft, data, self._clock())
        return Response(status_code=204)

    def publish(self, request: Request, draft: Draft) -> Response:
        policy = lifecycle.publish(self._office, self._person(request), draft, self._clock())
        return JSONResponse({"version": policy.version, "policy_sha256": policy.sha256})

    # --- stops
    def stops(self, request: Request) -> Response:
        person = self._person(request)
        return JSONResponse({"stops": [_stop(row) for row in lifecycle.stops_of(self._office, person)]})

    def stop(self, request: Request, target: Annotated[str, Path(max_length=80)]) -> Response:
        return JSONResponse(_stop(lifecycle.stop(self._office, self._person(request), target, self._clock())), 201)

    def resume(self, request: Request, name: Annotated[str, Path(pattern="^[0-9a-f]{16}$")]) -> Response:
        return JSONResponse({"lifted": lifecycle.resume(self._office, self._person(request), name, self._clock())})

def judged_json(office: Office, judged: lifecycle.Judged, readable: Sequence[str]) -> dict[str, Any]:
    """What a draft would be, with the changes in the agreements that may be read."""
    return {
        "policy_sha256": judged.policy.sha256,
        **changes_json(office, judged.diff, readable),
        "failures": [str(failure) for failure in judged.failures],
        "loosened": list(judged.loosened),
        "never_applies": list(judged.dead),
        "armed": list(judged.armed),
        "approval_of": {name: sorted(parties) for name, parties in judged.owed.items()},
    }


def changes_json(office: Office, found: Diff, readable: Sequence[str]) -> dict[str, Any]:
    """The parts of a diff that are of the agreements that may be read; of the others their number of cells alone."""
    parts = [part(found, name) for name in readable]
    return {
        "gains": found.gains,
        "losses": found.losses,
        "changes": [line for each in parts for line in _lines(office, each)],
        "elsewhere": found.gains + found.losses - sum(each.gains + each.losses for each in parts),
    }



def _lines(office: Office, found: Diff) -> list[dict[str, Any]]:
    """Each change with its sentences; `released`: what leaves before and after, where that is not what the policy's levels say."""
    said = as_json(found)["changes"]
    assert isinstance(said, list)
    lines = []
    for line, change in zip(said, found.changes, strict=True):
        pairs = lifecycle.released(office, change)
        leaves = [f"{LEVEL_NAMES[before]} → {LEVEL_NAMES[after]}" for before, after in pairs]
        indonesian, english = sentences(change)
        tails = (f"; yang keluar: {', '.join(leaves)}", f"; what leaves: {', '.join(leaves)}") if leaves else ("", "")
        lines.append({**line, "id": indonesian + tails[0], "en": english + tails[1], "opens": opens(change), "released": pairs})
    return lines


def told(office: Office, person: Person, judged: lifecycle.Judged, now: datetime) -> dict[str, Any]:
    """The same for a person: of the agreements that they may read today."""
    return judged_json(office, judged, lifecycle.readable(office, person, now))


def _both(said: tuple[str, str]) -> dict[str, str]:
    return {"id": said[0], "en": said[1]}


def _draft(row: DraftRow) -> dict[str, Any]:
    return {
        "id": row.id, "base": row.base, "author": row.author, "state": row.state, "addendum": row.addendum, "rollback_of": row.rollback_of,
        "changed": row.changed, "rules_sha256": lifecycle.sha256(row.rules),
    }  # fmt: skip


def _stop(row: StopRow) -> dict[str, Any]:
    return {"id": row.id, "target": row.target, "person": row.person, "at": row.at, "lift_asked_by": row.lifter}
