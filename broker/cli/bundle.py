"""`broker log bundle`: an agreement's log as one file that `broker verify` checks without the broker."""

from __future__ import annotations

import re
from datetime import datetime  # noqa: TC003 - typer reads it
from pathlib import Path  # noqa: TC003
from typing import Annotated

import typer

from broker.cli.reports import _kept, _reports
from broker.cli.say import say
from broker.errors import ClientError
from broker.model import wib_text

_DAY = ["%Y-%m-%d"]


def bundle(
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write; its signed statement is FILE.dsse.")],
    agreement: Annotated[str, typer.Option("--agreement", "-k", help="Kesepakatan, as nk-sijunjung-2025.")] = "",
    starts: Annotated[datetime | None, typer.Option("--from", formats=_DAY, help="First day (WIB).")] = None,
    ends: Annotated[datetime | None, typer.Option("--to", formats=_DAY, help="Last day, inclusive.")] = None,
    subject: Annotated[bool, typer.Option("--subject", help="With an answer about a person and its proofs; asks for the NIK without showing it.")] = False,
    file: Annotated[Path | None, typer.Option("--file", exists=True, dir_okay=False, help="As --subject, of the NIK or passport numbers in this file, one a line.")] = None,
    reason: Annotated[str, typer.Option(help="Of --subject: why, in 10 to 500 characters, without anyone's number. It is kept.")] = "",
    request: Annotated[str, typer.Option(help="In place of all others: the id of your approved request, made here with --subject.")] = "",
    home: Annotated[Path | None, typer.Option("--home", help="Your own home (or SINERGI_HOME; ./sinergi-home).")] = None,
) -> None:
    """Take an agreement's log with the leaves and receipts of a period, to verify offline. The taking is recorded."""
    if not request and not (agreement and starts and ends):
        raise ClientError("name the agreement, --from and --to, or your approved --request")
    with _reports(home) as reports:
        if request:
            said = reports.bundle_about({"request": request}, output)
        else:
            assert starts is not None
            assert ends is not None
            if subject or file:
                lines = file.read_text(encoding="utf-8").splitlines() if file else [typer.prompt("NIK atau nomor paspor", hide_input=True, prompt_suffix=": ")]
                people = [bare for line in lines if (bare := re.sub(r"[\s.\-]", "", line).upper())]
                asked = {"agreement": agreement, "from": f"{starts:%Y-%m-%d}", "reason": reason, "subjects": people, "to": f"{ends:%Y-%m-%d}"}
                said = reports.bundle_about(asked, output)
            else:
                said = reports.bundle(agreement, starts.date(), ends.date(), output)
    if "state" in said:
        say(f"Menunggu orang kedua: permintaan {said['request']}, sampai {wib_text(said['until'])}. Setelah disetujui: broker log bundle --request {said['request']} -o {output}")
        return
    _kept(output, said)
