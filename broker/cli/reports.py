"""`broker log export`, `report`, `subject-report`, `check`: files of the ledger, each with its signed statement beside it."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from broker.cli.say import say
from broker.errors import ClientError
from broker.model import wib_text
from broker.settings import client_home

if TYPE_CHECKING:
    from collections.abc import Iterator

    from broker.client.reports import Reports

Home = Annotated[Path | None, typer.Option("--home", help="Your own home (or SINERGI_HOME; ./sinergi-home).")]
Out = Annotated[Path, typer.Option("--output", "-o", help="The file to write; its signed statement is FILE.dsse.")]
Agreement = Annotated[str, typer.Option("--agreement", "-k", help="Kesepakatan, as nk-sijunjung-2025.")]

WHAT: Final = {"pencarian": "hasil pencarian", "tahunan": "laporan tahunan", "subjek": "laporan kepada subjek data", "bundel": "bundel"}
ASKED: Final = {"filter": "saringan", "target": "sasaran", "size": "ukuran log", "year": "tahun", "due": "batas waktu", "received": "diterima", "from": "dari", "to": "sampai"}
TIMES: Final = ("due", "received")


@contextmanager
def _reports(home: Path | None) -> Iterator[Reports]:
    import httpx2  # noqa: PLC0415

    from broker.client.reports import Reports  # noqa: PLC0415

    with Reports.at(client_home(home)) as reports:
        try:
            yield reports
        except httpx2.TransportError:
            raise ClientError(f"no answer from {reports.url}; run `broker doctor`") from None


def export(
    agreement: Agreement,
    output: Out,
    expression: Annotated[str, typer.Argument(help="What to find, as in `broker log search`; without it everything.")] = "",
    form: Annotated[str, typer.Option("--to", help="csv, jsonl, ocsf or pdf; without it by the file's name.")] = "",
    entries: Annotated[bool, typer.Option("--entries", help="Every kind of log entry, not exchanges alone.")] = False,
    home: Home = None,
) -> None:
    """Take all that a search finds as a file. The taking is recorded."""
    named = output.suffix.removeprefix(".")
    if not form and named not in ("csv", "jsonl", "pdf"):
        raise ClientError("the file's name must end in .csv, .jsonl or .pdf; or say --to ocsf")
    with _reports(home) as reports:
        _kept(output, reports.export(agreement, form or named, expression, "entri" if entries else "pertukaran", output))


def report(
    agreement: Agreement,
    year: Annotated[int, typer.Argument(help="The year.")],
    output: Out,
    size: Annotated[int | None, typer.Option(help="Report as of the log's checkpoint of this size.")] = None,
    home: Home = None,
) -> None:
    """Make the yearly report of an agreement (Pasal 10): .pdf or .json, by the file's name."""
    with _reports(home) as reports:
        _kept(output, reports.report(agreement, year, _form(output), size, output))


def subject_report(
    output: Out,
    agreement: Agreement = "",
    starts: Annotated[str, typer.Option("--from", help="First day, such as 2026-01-01.")] = "",
    ends: Annotated[str, typer.Option("--to", help="Last day.")] = "",
    reason: Annotated[str, typer.Option(help="Why, 10 to 500 characters; it names nobody.")] = "",
    request: Annotated[str, typer.Option(help="In place of the four above: the id of your approved request.")] = "",
    received: Annotated[str, typer.Option(help="When the person's request came, such as 2026-11-20T09:00+07:00; without it now.")] = "",
    case: Annotated[str, typer.Option(help="A case number to stand for the person; without it lines to fill in by hand.")] = "",
    hide: Annotated[list[str] | None, typer.Option(help="EXCHANGE:LETTER, to withhold one under Pasal 33 huruf LETTER (a, b or c). May be repeated.")] = None,
    home: Home = None,
) -> None:
    """Make the report that a person is owed within 3×24 hours (UU PDP Pasal 32): .pdf or .json. Asks for the NIK without showing it."""
    from datetime import UTC, datetime  # noqa: PLC0415

    from broker.model import utc_text  # noqa: PLC0415

    hidden = dict(one.split(":", 1) for one in hide or [] if ":" in one)
    if len(hidden) != len(hide or []):
        raise ClientError("--hide is EXCHANGE:LETTER, each exchange once")
    about: dict[str, Any] = {"case": case, "format": _form(output), "hidden": hidden, "received": received or utc_text(datetime.now(UTC))}
    asked = {"request": request} if request else {"agreement": agreement, "from": starts, "reason": reason, "to": ends, "subject": typer.prompt("NIK atau nomor paspor", hide_input=True).strip()}
    with _reports(home) as reports:
        said = reports.subject_report({**about, **asked}, output)
    if "state" in said:
        say(f"Menunggu orang kedua: permintaan {said['request']}, sampai {wib_text(said['until'])}. Setelah disetujui: broker log subject-report --request {said['request']} …")
        return
    _kept(output, said)


def check(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A file from export, report or subject-report; FILE.dsse must lie beside it.")],
    broker: Annotated[Path | None, typer.Option("--broker", exists=True, dir_okay=False, help="The broker's public.json; without it the one pinned in your home.")] = None,
    home: Home = None,
) -> None:
    """Check a file against its signed statement, offline. Exit status 1 if it does not hold."""
    from rich.markup import escape  # noqa: PLC0415

    from broker.client.reports import check_file, statement_of  # noqa: PLC0415
    from broker.keys import read_public_set  # noqa: PLC0415

    pinned = broker or client_home(home) / "broker.json"
    if not pinned.exists():
        raise ClientError("the broker's keys are not pinned; name its public.json with --broker")
    if not statement_of(file).exists():
        raise ClientError(f"{statement_of(file)} is missing")
    said = check_file(file, read_public_set(pinned.read_bytes()))
    say(f"SAH {file.name}: {WHAT.get(said['what'], said['what'])} dari {said['agreement']}, {said['rows']} entri")
    say(f"  dibuat {wib_text(said['time'])} (UTC+7) untuk {said['person']}, dari log berukuran {said['log_size']}")
    asked = ", ".join(f"{ASKED.get(name, name)} {wib_text(value) if name in TIMES else value}" for name, value in said["asked"].items() if value not in (None, ""))
    say(f"  diminta: {escape(asked) or 'semua'}")


def _form(output: Path) -> str:
    form = output.suffix.removeprefix(".")
    if form not in ("json", "pdf"):
        raise ClientError("the file's name must end in .pdf or .json")
    return form


def _kept(output: Path, said: dict[str, Any]) -> None:
    say(f"{output}: {said['rows']} entri, {said['bytes']} byte, dari log {said['agreement']} berukuran {said['log_size']}\n  SHA-256 {said['sha256']}\n  pernyataan bertanda tangan: {output}.dsse")
