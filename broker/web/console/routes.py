"""All pages of the console, each area in its module: which entries the menu has is said there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi.responses import RedirectResponse

from broker.errors import Refusal
from broker.web.console import (
    anomalies,
    drafts,
    exchanges,
    first,
    incoming,
    integrity,
    keys,
    officers,
    outgoing,
    passkeys,
    policy,
    reports,
    signing,
    stops,
    subjects,
    unmasking,
)
from broker.web.console.shell import HEADERS, PATH, Shell

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from broker.office import Office
    from broker.web.oidc import Away
    from broker.web.worker import Worker

AREAS = (first, outgoing, incoming, unmasking, exchanges, subjects, anomalies, reports, integrity, policy, drafts, stops, passkeys, officers, keys, signing)


def console(office: Office, worker: Worker, url: str, clock: Callable[[], datetime], *, away: Away | None = None, max_upload: int = 0) -> Shell:
    """The console under /konsol: its router, and what warms it up. away: the provider that officers may sign in with. max_upload: bytes of a file."""
    shell = Shell(office, worker, url, clock, away=away, max_upload=max_upload)
    for area in AREAS:
        area.add(shell)
    shell.get("/{rest:path}", lambda request, visit: shell.refused(request, visit, Refusal("tidak_ada")))
    shell.router.add_route("/", lambda _: RedirectResponse(PATH, 303, HEADERS), methods=["GET"])
    return shell
