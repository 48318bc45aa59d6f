"""`broker reidentify`: who is behind a token. An operator asks, an officer of each party approves, the system of the asker's party opens the answer."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from broker.cli.say import say
from broker.errors import ClientError
from broker.settings import client_home

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from broker.client.reidentify import Unmasker

Home = Annotated[Path | None, typer.Option("--home", help="Your own home (or SINERGI_HOME; ./sinergi-home).")]
Request = Annotated[str, typer.Argument(help="The request's id.")]
STATES: Final = {
    "pending": "menunggu persetujuan kedua pihak", "approved": "disetujui, belum diambil", "answered": "sudah dijawab", "declined": "ditolak", "expired": "lewat waktu",
}  # fmt: skip
GROUNDS: Final = {
    "pasal_20_2_a": "UU 27/2022 Pasal 20 ayat (2) huruf a", "pasal_20_2_c": "UU 27/2022 Pasal 20 ayat (2) huruf c", "pasal_20_2_d": "UU 27/2022 Pasal 20 ayat (2) huruf d",
    "pasal_20_2_e": "UU 27/2022 Pasal 20 ayat (2) huruf e", "pasal_30_1": "UU 27/2022 Pasal 30 ayat (1)", "mutu_data": "Nota Kesepakatan, pasal mutu data",
}  # fmt: skip


@contextmanager
def _unmasker(home: Path | None) -> Iterator[Unmasker]:
    import httpx2  # noqa: PLC0415

    from broker.client.reidentify import Unmasker  # noqa: PLC0415

    with Unmasker.at(client_home(home)) as unmasker:
        try:
            yield unmasker
        except httpx2.TransportError:
            raise ClientError(f"no answer from {unmasker.url}; run `broker doctor`") from None


def ask(
    exchange: Annotated[str, typer.Argument(help="The exchange you received the tokens in.")],
    agreement: Annotated[str, typer.Option("--agreement", "-k", help="Kesepakatan, as nk-sijunjung-2025.")],
    ground: Annotated[str, typer.Option(help=f"The legal ground: {', '.join(GROUNDS)}.")],
    reason: Annotated[str, typer.Option(help="Why, in 10 to 500 characters, without anyone's number. It is kept.")],
    token: Annotated[list[str] | None, typer.Option("--token", "-s", help="The token as you received it, p1.…; may be repeated.")] = None,
    file: Annotated[Path | None, typer.Option("--file", exists=True, dir_okay=False, help="A file with a token on each line.")] = None,
    home: Home = None,
) -> None:
    """Ask who is behind tokens of an exchange that your party received. An officer of each party must approve. Recorded."""
    tokens = [*(token or ()), *(line.strip() for line in (file.read_text(encoding="utf-8").splitlines() if file else ()) if line.strip())]
    if not tokens:
        raise ClientError("name a --token, or a --file of them")
    with _unmasker(home) as unmasker:
        made = unmasker.ask(agreement, exchange, ground, reason, tokens)
    say(f"Permintaan {made['request']} atas {made['subjects']} samaran menunggu {_whom(made)}. [dim]Each party has to approve.[/dim]")
    say(f"Lewat waktu {_time(made['until'])}. Sesudah disetujui, dalam 24 jam, sekali: broker reidentify fetch {made['request']}")


def list_(home: Home = None) -> None:
    """List requests that wait for approvals, or for their asker."""
    with _unmasker(home) as unmasker:
        found = unmasker.requests()
    for row in found:
        _show(row)
    if not found:
        say("Tidak ada permintaan yang menunggu. [dim]Nothing waits.[/dim]")


def approve(request: Request, yes: Annotated[bool, typer.Option("--yes", help="Do not ask; you have read it.")] = False, home: Home = None) -> None:
    """Approve a request for your party, having read who asks, on which ground, why and about how many."""
    with _unmasker(home) as unmasker:
        _show(unmasker.request(request))
        if not yes and not typer.confirm("Setujui? Jawabannya membuka identitas dan tidak dapat ditarik kembali"):
            raise typer.Exit(1)
        made = unmasker.approve(request)
    say(f"Permintaan {request} Anda setujui: {STATES[made['state']]}.")


def decline(request: Request, home: Home = None) -> None:
    """End a request for both parties, as long as it is not answered. Its tokens are deleted."""
    with _unmasker(home) as unmasker:
        _show(unmasker.request(request))
        unmasker.decline(request)
    say(f"Permintaan {request} ditolak. [dim]Declined.[/dim]")


def fetch(
    request: Request,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The file for the sealed answer; REQUEST.json without it.")] = None,
    home: Home = None,
) -> None:
    """Fetch the sealed answer to your approved request. Once: keep the file, and open it with your system's key."""
    path = output or Path(f"{request}.json")
    _writable(path)
    with _unmasker(home) as unmasker:
        unmasker.fetch(request, path)
    say(f"Jawaban tersegel ditulis ke {path}; buka dengan kunci sistem pihak Anda: broker reidentify open {path}")


def open_(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The sealed answer, as `fetch` wrote it.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the lines here, for you alone; without it they are shown.")] = None,
    home: Annotated[Path | None, typer.Option("--home", help="The home of your party's system (or SINERGI_HOME; ./sinergi-home).")] = None,
) -> None:
    """Open a fetched answer with the key of your party's system, once the ledger is seen to say that it was given."""
    from broker.client.client import Client  # noqa: PLC0415
    from broker.keys import write_private  # noqa: PLC0415

    if output is not None:
        _writable(output)
    with Client.at(client_home(home)) as client:
        found = client.identities(file.read_bytes())
    say(f"Tercatat: {found.log} no. {found.index}, pertukaran {found.entry['exchange']}.")
    if output is not None:
        write_private(output, found.data)
        say(f"{len(found.lines)} baris ditulis ke {output} (hanya untuk Anda).")
        return
    for line in found.lines:
        say(f"{line['samaran']}  " + (f"{line['jenis']} {line['nomor']}" if line["nomor"] else "tidak diketahui: bukan dari pertukaran ini, bukan orang, atau sudah dihapus"))


def _writable(path: Path) -> None:
    """Before the one answer is fetched."""
    if path.exists() or not path.parent.is_dir():
        raise ClientError(f"{path} exists, or its folder does not")


def _show(row: Mapping[str, Any]) -> None:
    from rich.markup import escape  # noqa: PLC0415

    say(f"{row['request']}  {STATES[row['state']]}, sampai {_time(row['until'])}")
    say(f"  {row['person']} menanyakan {row['subjects']} samaran dari pertukaran {row['exchange']}, {row['agreement']}")
    say(f"  dasar: {GROUNDS.get(row['ground'], row['ground'])}")
    say(f"  alasan: {escape(row['reason'])}")
    say(f"  perlu {_whom(row)}; sudah menyetujui: {', '.join(row['approvers']) or 'belum ada'}")


def _whom(row: Mapping[str, Any]) -> str:
    return "satu pejabat setiap pihak" if row["pairs"] == 1 else "dua pejabat setiap pihak"


def _time(text: str) -> str:
    from broker.model import WIB  # noqa: PLC0415

    return f"{datetime.fromisoformat(text).astimezone(WIB):%d-%m-%Y %H.%M} WIB"


app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, add_completion=False, help="Who is behind a token: asked, approved by each party, answered once.")
for command in (ask, approve, decline, fetch):
    app.command(command.__name__)(command)
app.command("list")(list_)
app.command("open")(open_)
