"""`broker log unusual`: what differs from a party's own past, with what it rests on."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from broker.cli.log import Home, _auditor
from broker.cli.say import say


def unusual(
    agreement: Annotated[str, typer.Option("--agreement", "-k", help="Kesepakatan, as nk-sijunjung-2025.")],
    days: Annotated[int, typer.Option(min=1, max=366, help="Today (WIB) and the days before it.")] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="The whole answer as one JSON object, with every exchange and entry.")] = False,
    home: Home = None,
) -> None:
    """List what is unusual in an agreement's log, newest first, each with its figures and exchanges. Recorded."""
    with _auditor(home) as auditor:
        found = auditor.unusual(agreement, days)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    for one in found["findings"]:
        year, month, day = one["day"].split("-")
        say(f"{day}-{month}-{year}  {one['kind']}\n  {one['id']}")
        for exchange in one["exchanges"]:
            say(f"    {exchange}")
    said = f"{len(found['findings'])} temuan" if found["findings"] else "Tidak ada yang tidak biasa"
    unjudged = f"; {found['unjudged']} pertukaran tidak dapat diperiksa orangnya" if found["unjudged"] else ""
    say(f"{said}: {found['agreement']}, {found['from']} s.d. {found['to']}, log ukuran {found['size']}{unjudged}.")
