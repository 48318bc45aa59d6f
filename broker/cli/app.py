"""`broker`: one program, grouped by who uses it."""

from __future__ import annotations

import sys
from typing import Final

import typer

from broker import __version__
from broker.cli import administrator, party
from broker.errors import SinergiError

PARTY: Final = "Party · pihak"
AUDITOR: Final = "Auditor · auditor"
SECURITY: Final = "Security officer · petugas keamanan"
ADMINISTRATOR: Final = "Administrator · pengelola broker"

app = typer.Typer(
    help="Sinergi: share labour data under the agreement, and prove what was disclosed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a trace can hold values
)
keys = typer.Typer(help="Keys: make, show, pin, enrol.", no_args_is_help=True)
app.add_typer(keys, name="keys", rich_help_panel=PARTY)

app.command("doctor", rich_help_panel=PARTY)(party.doctor)
app.command("send", rich_help_panel=PARTY)(party.send)
app.command("receive", rich_help_panel=PARTY)(party.receive)
app.command("open", rich_help_panel=PARTY)(party.open_)
app.command("sample", rich_help_panel=PARTY)(administrator.sample)
app.command("verify", rich_help_panel=AUDITOR)(party.verify)
app.command("explain", rich_help_panel=SECURITY)(administrator.explain)
app.command("init", rich_help_panel=ADMINISTRATOR)(administrator.init)
app.command("serve", rich_help_panel=ADMINISTRATOR)(administrator.serve)
keys.command("new")(party.keys_new)
keys.command("show")(party.keys_show)
keys.command("trust")(party.keys_trust)
keys.command("enrol")(administrator.keys_enrol)


@app.callback(invoke_without_command=True)
def root(*, version: bool = typer.Option(False, "--version", help="Show the version and exit.", is_eager=True)) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


def main() -> None:
    """Runs the command; an error of ours is one line on standard error and exit status 1."""
    try:
        app()
    except SinergiError as error:
        sys.stderr.write(f"broker: {error}\n")
        sys.exit(1)
