"""`broker`: one program, grouped by who uses it."""

from __future__ import annotations

import resource
import sys
from typing import TYPE_CHECKING, Any, Final

import typer
from typer.core import TyperGroup

from broker import __version__
from broker.cli import administrator, erasure, log, party, people, policy, reidentify, reports, rings
from broker.cli.bundle import bundle
from broker.cli.detect import detect
from broker.cli.ending import approve_end, certificate, end
from broker.cli.explain import explain
from broker.cli.keys import confirm, end_overlap, enrol, export_public, list_, revoke, withdraw
from broker.cli.keytest import keys_test
from broker.cli.mirror import mirror
from broker.cli.unusual import unusual
from broker.cli.verify import verify
from broker.cli.witness import witness
from broker.errors import SinergiError

if TYPE_CHECKING:
    from collections.abc import Sequence

PARTY: Final = "Party · pihak"
AUDITOR: Final = "Auditor · auditor"
SECURITY: Final = "Security officer · petugas keamanan"
ADMINISTRATOR: Final = "Administrator · pengelola broker"


class Grouped(TyperGroup):
    """Help in plain text, commands under the heading of who uses them. Typer's own panels cost a third of a second."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - typer's signature
        panels: dict[str, list[tuple[str, str]]] = {}
        for name, command in self.commands.items():
            panels.setdefault(getattr(command, "rich_help_panel", None) or "Commands", []).append((name, command.get_short_help_str(200)))
        for panel, rows in panels.items():
            with formatter.section(panel):
                formatter.write_dl(rows)


app = typer.Typer(
    cls=Grouped,
    rich_markup_mode=None,
    help="Sinergi: share labour data under the agreement, and prove what was disclosed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a trace can hold values
)
keys = typer.Typer(cls=Grouped, rich_markup_mode=None, help="Keys: make, list, pin, enrol, confirm, revoke, test.", no_args_is_help=True)
app.add_typer(keys, name="keys", rich_help_panel=PARTY)
app.add_typer(reidentify.app, name="reidentify", rich_help_panel=PARTY)
app.add_typer(log.app, name="log", rich_help_panel=AUDITOR)
app.add_typer(policy.app, name="policy", rich_help_panel=SECURITY)
app.add_typer(people.app, name="people", rich_help_panel=ADMINISTRATOR)

log.app.command("bundle")(bundle)
log.app.command("mirror")(mirror)
log.app.command("unusual")(unusual)
for _command in (erasure.erase, erasure.retire, erasure.erasures):
    log.app.command(_command.__name__)(_command)
log.app.command("export")(reports.export)
log.app.command("report")(reports.report)
log.app.command("subject-report")(reports.subject_report)
log.app.command("check")(reports.check)
app.command("doctor", rich_help_panel=PARTY)(party.doctor)
app.command("send", rich_help_panel=PARTY)(party.send)
app.command("compare", rich_help_panel=PARTY)(party.compare)
app.command("receive", rich_help_panel=PARTY)(party.receive)
app.command("open", rich_help_panel=PARTY)(party.open_)
app.command("witness", rich_help_panel=PARTY)(witness)
app.command("detect", rich_help_panel=PARTY)(detect)
app.command("sample", rich_help_panel=PARTY)(administrator.sample)
app.command("verify", rich_help_panel=AUDITOR)(verify)
app.command("explain", rich_help_panel=SECURITY)(explain)
app.command("init", rich_help_panel=ADMINISTRATOR)(administrator.init)
app.command("serve", rich_help_panel=ADMINISTRATOR)(administrator.serve)
keys.command("new")(party.keys_new)
keys.command("file")(party.keys_file)
keys.command("list")(list_)
keys.command("export-public")(export_public)
keys.command("trust")(party.keys_trust)
keys.command("vouch")(party.keys_vouch)
keys.command("vouch-passkey")(party.keys_vouch_passkey)
keys.command("confirm")(confirm)
keys.command("revoke")(revoke)
keys.command("enrol")(enrol)
keys.command("withdraw")(withdraw)
keys.command("end-overlap")(end_overlap)
keys.command("test")(keys_test)
keys.command("approve-end")(approve_end)
keys.command("end")(end)
keys.command("certificate")(certificate)
for _step in (rings.rotate, rings.announce, rings.disable, rings.enable, rings.destroy, rings.distrust):
    keys.command(_step.__name__)(_step)


@app.callback(invoke_without_command=True)
def root(*, version: bool = typer.Option(False, "--version", help="Show the version and exit.", is_eager=True)) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command and exits: 0 done; 1 an error, one line on standard error; 2 wrong usage; 3 refused; 4 outcome not known yet."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold rows and keys
    try:
        app(arguments, prog_name="broker")
    except SinergiError as error:
        sys.stderr.write(f"broker: {error}\n")
        sys.exit(1)
    except OSError as error:
        sys.stderr.write(f"broker: {error.filename}: {error.strerror}\n")
        sys.exit(1)
