"""`broker log erase | retire | erasures`: the data protection officer erases, with a legal ground and a written reason."""

from __future__ import annotations

import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from broker.cli.say import say
from broker.errors import ClientError
from broker.model import wib_text
from broker.settings import client_home

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from broker.client.erasure import Eraser

Home = Annotated[Path | None, typer.Option("--home", help="Your own home (or SINERGI_HOME; ./sinergi-home).")]
Agreement = Annotated[str, typer.Option("--agreement", "-k", help="Kesepakatan, as nk-sijunjung-2025.")]
Reason = Annotated[str, typer.Option(help="Why, in 10 to 500 characters, without anyone's number. It is kept.")]
RETENTION = "pasal_44_1_a"


@contextmanager
def _eraser(home: Path | None) -> Iterator[Eraser]:
    import httpx2  # noqa: PLC0415

    from broker.client.erasure import Eraser  # noqa: PLC0415

    with Eraser.at(client_home(home)) as eraser:
        try:
            yield eraser
        except httpx2.TransportError:
            raise ClientError(f"no answer from {eraser.url}; run `broker doctor`") from None


def erase(
    agreement: Agreement,
    ground: Annotated[str, typer.Option(help="UU 27/2022: pasal_43_1_a to _d, pasal_44_1_a, _b or _d.")],
    reason: Reason,
    exchange: Annotated[str | None, typer.Option(help="Erase this exchange's secret instead of a person.")] = None,
    file: Annotated[Path | None, typer.Option("--file", exists=True, dir_okay=False, help="The NIK or passport number; without it you are asked.")] = None,
    home: Home = None,
) -> None:
    """Unlink a person from every record of an agreement, or close an exchange for ever. The NIK is typed without echo or read from a file."""
    if exchange is None:
        typed = file.read_text(encoding="utf-8") if file else typer.prompt("NIK atau nomor paspor", hide_input=True, prompt_suffix=": ")
        subject = re.sub(r"[\s.\-]", "", typed).upper()
        with _eraser(home) as eraser:
            done = eraser.erase_subject(agreement, subject, ground, reason)
        say("Tidak ada catatan kesepakatan ini yang terhubung dengan nomor itu lagi. [dim]No record of this agreement leads to that number any more.[/dim]")
    else:
        with _eraser(home) as eraser:
            done = eraser.erase_exchange(agreement, exchange, ground, reason)
        say("Rahasia pertukaran dihapus: komitmennya tidak dapat dibuka lagi oleh broker.")
    _done(agreement, done)


def retire(
    before: Annotated[int, typer.Option(help="Drop the leaves of exchanges decided before this year.")],
    agreement: Agreement,
    reason: Reason,
    home: Home = None,
) -> None:
    """Drop the leaves of years whose retention is over. Manifests, roots and every proof of a log entry stay."""
    with _eraser(home) as eraser:
        done = eraser.retire(agreement, before, RETENTION, reason)
    say(f"Daun {done['entry']['exchanges']} pertukaran sebelum {before} dilepas ({done['entry']['leaves']} daun); akar dan buktinya tetap.")
    _done(agreement, done)


def _done(agreement: str, done: Mapping[str, Any]) -> None:
    say(f"Tercatat: {agreement} no. {done['index']}.")
    if not done["complete"]:
        say("[bold]Belum selesai[/bold]: salinan dalam berkas jurnal broker hilang paling lambat besok. [dim]A copy in the broker's journal goes within a day.[/dim]")


def erasures(agreement: Agreement, home: Home = None) -> None:
    """List what was erased in an agreement, on which ground, by whom and why."""
    from rich.markup import escape  # noqa: PLC0415

    with _eraser(home) as eraser:
        found = eraser.erasures(agreement)
    for one in found:
        entry = one["entry"]
        what = {"subject": "seseorang", "exchange": f"rahasia pertukaran {entry.get('exchange')}", "retire": f"daun {entry.get('exchanges')} pertukaran sebelum {entry.get('before')}"}
        say(f"no. {one['index']}  {wib_text(entry['time'])}  {what[entry['act']]}  {entry['ground']}  oleh {entry['person']}\n  {escape(one['reason'])}")
    if not found:
        say("Belum ada penghapusan.")
