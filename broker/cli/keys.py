"""`broker keys`: public keys of the parties' systems. One proposes, on the broker's host; an officer of the party confirms; either revokes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from broker.cli.host import KEYS, ask_host, existing_home
from broker.cli.party import check_folder
from broker.cli.policy import acting
from broker.cli.say import say
from broker.errors import ClientError
from broker.settings import broker_home, client_home

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from broker.keys import PublicSet
    from broker.store import Affected, PeerRow

Home = Annotated[Path | None, typer.Option("--home", help="Broker home (or BROKER_HOME; ./broker-home).")]
Own = Annotated[Path | None, typer.Option("--home", help="Your own home (or SINERGI_HOME; ./sinergi-home).")]
Either = Annotated[Path | None, typer.Option("--home", help="Your own home, or the broker's on its host.")]
Reason = Annotated[str, typer.Option(help="bocor, hilang, petugas_berganti, sistem_ditutup, salah_daftar or lainnya.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask again.")]
Port = Annotated[int | None, typer.Option("--port", help="The port that the broker serves on, if broker.toml does not say so.")]
System = Annotated[str, typer.Argument(help="A party's system, as sijoker@sijunjung.")]
WIB: Final = timezone(timedelta(hours=7))
KEY_STATES: Final = {"pending": "diumumkan", "active": "dipakai", "retired": "mundur", "disabled": "dimatikan", "destroyed": "dimusnahkan"}
STATES: Final = {"proposed": "diusulkan", "active": "aktif", "retired": "mundur", "revoked": "dicabut"}
SHOWN: Final = 10  # exchanges of a revoked set in a list


def enrol(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A party system's public file.")],
    fingerprint: Annotated[str, typer.Option(help="The fingerprint in the party's written notice.")],
    notice: Annotated[str, typer.Option(help="The number of that notice.")],
    date: Annotated[datetime, typer.Option("--date", formats=["%Y-%m-%d"], help="The day of that notice.")],
    home: Home = None,
    port: Port = None,
) -> None:
    """Propose a party system's public keys by its written notice (Pasal 11). They count once an officer of that party confirms them."""
    from base64 import b64encode  # noqa: PLC0415

    keys = b64encode(file.read_bytes()).decode()
    answer = ask_host(KEYS, home, port, act="propose", keys=keys, fingerprint=fingerprint, notice=notice, date=date.date().isoformat())
    say(f"Kunci {answer['system']} diusulkan. [dim]Proposed: they count once an officer of that party confirms them, on their own machine.[/dim]")
    say(f"  broker keys confirm {answer['system']} --fingerprint …\n  paling lambat {_wib(answer['until'])}")


def withdraw(system: System, home: Home = None, port: Port = None) -> None:
    """Take back a proposal that nobody has confirmed."""
    say(f"Usulan kunci {ask_host(KEYS, home, port, act='withdraw', system=system)['system']} ditarik. [dim]The proposal is withdrawn.[/dim]")


def end_overlap(system: System, home: Home = None, port: Port = None) -> None:
    """End the overlap after a renewal: the keys before the newest sign nothing more."""
    say(f"Kunci lama {ask_host(KEYS, home, port, act='end_overlap', system=system)['system']} tidak berlaku lagi untuk menandatangani. [dim]The overlap is over.[/dim]")


def confirm(
    system: System,
    fingerprint: Annotated[str, typer.Option(help="The fingerprint, typed from the written notice: never from a screen of the broker's.")],
    home: Own = None,
) -> None:
    """Confirm, as an officer of the system's party, the keys that the broker's administrator proposed. From then on they count."""
    with acting(home) as officer:
        answer = officer.confirm_keys(system, fingerprint)
    vouched = "" if answer["vouched"] else "\n  Tercatat tanpa surat jaminan: buatlah sekarang dengan `broker keys vouch`, agar kunci berikutnya dapat disahkan."
    say(f"Kunci {system} disahkan. [dim]Confirmed: they count from now on.[/dim]\n  berlaku sampai {_wib(answer['not_after'])}{vouched}")


def revoke(
    system: System,
    since: Annotated[datetime, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="Since when they may be in other hands (WIB).")],
    reason: Reason,
    yes: Yes = False,
    home: Either = None,
    port: Port = None,
) -> None:
    """Revoke all keys of a party's system, at once and for good. Shows the exchanges signed or received since then."""
    at = since.replace(tzinfo=WIB).astimezone(UTC)
    if not yes:
        typer.confirm(f"Kunci {system} tidak dapat dipakai lagi dan tidak dapat didaftarkan lagi, oleh siapa pun. Cabut? · It cannot be undone. Revoke?", abort=True)
    folder = _home(home)
    if (folder / "client.toml").exists():
        with acting(folder) as officer:
            answer = officer.revoke_keys(system, at, reason)
    else:
        answer = ask_host(KEYS, folder, port, act="revoke", system=system, since=at.isoformat(), reason=reason)
    say(f"Kunci {system} dicabut. Pertukaran yang ditandatangani atau diterima sejak {_wib(at.isoformat())}: {len(answer['exchanges'])}")
    for one in answer["exchanges"]:
        say(f"  {one['exchange']}  {_wib(one['time'])}  {one['dataset']}  {one['sender']} → {one['recipient']}")
    say("[dim]Revoked. Only new keys can be enrolled for this system.[/dim]")


def list_(home: Either = None) -> None:
    """At the broker: the keys of every system, their states and when they expire. At a party: your own, the broker's, and what the broker believes of yours."""
    folder = _home(home)
    if (folder / "client.toml").exists():
        _list_own(folder)
        return
    from broker.store import Database  # noqa: PLC0415

    _list_rings(existing_home(folder))
    database = Database(folder / "ledger.db")
    try:
        with database.read() as tx:
            rows = [(row, tx.peers.affected(row.system, row.compromised_since) if row.compromised_since else []) for row in tx.peers.all()]
    finally:
        database.close()
    if not rows:
        say("Belum ada kunci pihak mana pun. [dim]No keys of any party yet.[/dim]")
    for row, affected in rows:
        _show(row, affected, datetime.now(UTC))


def _list_rings(folder: Path) -> None:
    """The broker's own keys, ring by ring."""
    from rich.markup import escape  # noqa: PLC0415

    from broker.keys import open_ring  # noqa: PLC0415
    from broker.keys.ring import RING  # noqa: PLC0415

    for path in sorted((folder / "secrets").iterdir()):
        if not (path / RING).exists():
            say(f"[bold red]ASING[/bold red] {escape(path.name)}: bukan berkas kunci. [dim]Strange: no key ring.[/dim]")
            continue
        say(f"[bold]broker: {path.name}[/bold]")
        show(record.to_json() for record in open_ring(path).records)


def show(keys: Iterable[Mapping[str, Any]]) -> None:
    """One line a key: purpose, epoch, state, id."""
    for key in keys:
        since = f"  sejak {_wib(key['changed'])}" if key.get("changed") else ""
        say(f"  {key['purpose']:<8} {key['epoch']:>2}  {KEY_STATES[key['state']]:<11} {key['kid']}{since}")
        if key.get("distrusted"):
            say(f"     [bold red]TIDAK DIPERCAYA[/bold red] sejak {_wib(key['distrusted']['since'])}: {key['distrusted']['reason']}. [dim]Distrusted.[/dim]")


def _show(row: PeerRow, affected: list[Affected], now: datetime) -> None:
    from broker.model import expires_soon, utc_text  # noqa: PLC0415

    words = STATES[row.state]
    if row.state in ("active", "retired") and row.not_after:
        until = min(row.not_after, row.until or row.not_after)
        words += f"{', menandatangani' if row.until else ''} sampai {_wib(until)}" if until > utc_text(now) else f", berakhir {_wib(until)}"
    say(f"[bold]{row.system}[/bold]  {words}\n  {_grouped(row.fingerprint)}")
    confirmed = f"disahkan {row.confirmed_by}{'' if row.vouched else ' (tanpa surat jaminan)'} {_wib(row.confirmed)}" if row.confirmed else "belum disahkan"
    say(f"  pemberitahuan {row.notice} tanggal {row.notice_date}; {confirmed}")
    if row.state == "active" and row.not_after and expires_soon(row.not_after, now):
        left = (datetime.fromisoformat(row.not_after) - now).days
        say(f"  [bold red]PERBARUI[/bold red]: {'sudah kedaluwarsa' if left < 0 else f'kedaluwarsa dalam {left} hari'}. [dim]Renew these keys.[/dim]")
    if row.revoked and row.compromised_since:
        say(f"  dicabut {_wib(row.revoked)} oleh {row.revoked_by}: {row.reason}, sejak {_wib(row.compromised_since)}; {len(affected)} pertukaran sejak itu")
        for one in affected[:SHOWN]:
            say(f"    {one.exchange}  {_wib(one.time)}  {one.dataset}")
        if len(affected) > SHOWN:
            say(f"    dan {len(affected) - SHOWN} lagi")


def _list_own(folder: Path) -> None:
    import httpx2  # noqa: PLC0415

    from broker.client import Client  # noqa: PLC0415
    from broker.client.known import belief  # noqa: PLC0415
    from broker.client.ownkeys import open_own  # noqa: PLC0415

    own = _public(folder)
    say(f"{own.owner}: {own.fingerprint}")
    show(record.to_json() for record in open_own(folder).records)
    with Client.at(folder) as client:
        try:
            say(f"broker: {client.broker.fingerprint}")
        except ClientError:
            say("broker: belum dipasang; `broker keys trust public.json`")
        if not _is_system(own):
            return
        try:
            found = belief(client.known_keys(), own, datetime.now(UTC))
        except (httpx2.TransportError, ClientError):
            say(f"Broker tidak menjawab di {client.url}: apa yang dipercayainya tidak diketahui. [dim]No answer from the broker.[/dim]")
            return
        say(found.what if found.ok else f"[bold red]PERIKSA[/bold red] {found.what}")
    if not found.ok:
        raise typer.Exit(1)


def export_public(
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write; it must not exist.")],
    home: Either = None,
) -> None:
    """Write your public keys to a file to hand over, and show its fingerprint for the written notice. Holds no secret."""
    check_folder(output)
    if output.exists():
        raise ClientError(f"{output} exists already")
    public = _public(_home(home))
    output.write_bytes(public.to_json())
    say(f"Kunci publik {public.owner} ditulis ke {output}\nSidik jari: {public.fingerprint}")


def _public(folder: Path) -> PublicSet:
    """The public keys of a home's own rings. ClientError if it is none."""
    import tomllib  # noqa: PLC0415

    from broker.keys import open_ring, public_set  # noqa: PLC0415

    if (folder / "client.toml").exists():
        return public_set(tomllib.loads((folder / "client.toml").read_text())["system"], {"": open_ring(folder / "secrets")})
    existing_home(folder)
    return public_set("broker", {path.name: open_ring(path) for path in sorted((folder / "secrets").iterdir()) if path.is_dir()})


def _is_system(own: PublicSet) -> bool:
    """Whether these keys are a system's, not a person's, whose id begins with a role's word and a number."""
    return not any(part.isdecimal() for part in own.owner.partition("@")[0].split("-")[1:])


def _home(home: Path | None) -> Path:
    """The home that is meant: your own or the broker's. ClientError where both are here, or none."""
    if home is not None:
        if not home.is_dir():
            raise ClientError(f"{home} is no home; make one with `broker keys new`, or `broker init` on the broker's host")
        return home
    found = [folder for folder, mark in ((client_home(None), "client.toml"), (broker_home(None), "secrets")) if (folder / mark).exists()]
    if len(found) != 1:
        raise ClientError("say which home with --home: your own and the broker's are both here" if found else "no home here: name it with --home")
    return found[0]


def _grouped(fingerprint: str) -> str:
    return " ".join(fingerprint[i : i + 4] for i in range(0, len(fingerprint), 4))


def _wib(time: Any) -> str:
    from broker.model import wib_text  # noqa: PLC0415

    return wib_text(str(time))
