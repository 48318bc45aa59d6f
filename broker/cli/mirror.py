"""`broker log mirror`: a verified copy of a log as static files."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from broker.cli.say import say
from broker.errors import ClientError
from broker.settings import client_home

Home = Annotated[Path | None, typer.Option("--home", help="Your own home or your system's (or SINERGI_HOME; ./sinergi-home).")]


def mirror(
    log: Annotated[str, typer.Argument(help="Kesepakatan, as nk-sijunjung-2025.")],
    folder: Annotated[Path, typer.Argument(help="Where the copy is kept; a web server may serve it as it is.")],
    home: Home = None,
) -> None:
    """Copy a log's new entries into FOLDER, each checked against the signed checkpoint and against what was copied before."""
    import httpx2  # noqa: PLC0415

    from broker.client.connection import Connection  # noqa: PLC0415
    from broker.client.mirror import mirror as run  # noqa: PLC0415
    from broker.keys import RequestKey, open_ring, read_public_set  # noqa: PLC0415

    own = client_home(home)
    if not (own / "client.toml").exists():
        raise ClientError(f"{own} is no home of yours; make one with `broker keys new`")
    if not (own / "broker.json").exists():
        raise ClientError("the broker's keys are not pinned; run `broker keys trust public.json` with the file its administrator gave you")
    broker = read_public_set((own / "broker.json").read_bytes())
    url = tomllib.loads((own / "client.toml").read_text())["url"].rstrip("/")
    to = Connection(url, open_ring(own / "secrets").get(RequestKey, "request"), lambda: datetime.now(UTC))
    try:
        done = run(to, log, broker, folder)
    except httpx2.TransportError:
        raise ClientError(f"no answer from {url}; run `broker doctor`") from None
    finally:
        to.close()
    say(f"Salinan log {log}: {done.before} → {done.after} catatan, semuanya cocok dengan checkpoint.")
