"""`broker people`: officers' accounts. `setup` is the officer's; the rest is the administrator's, on the broker's host."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime  # noqa: TC003 - typer reads it
from pathlib import Path
from typing import Annotated, Any

import typer

from broker.cli.host import PEOPLE, ask_host, existing_home
from broker.cli.say import say
from broker.errors import ClientError
from broker.settings import read_settings

app = typer.Typer(rich_markup_mode=None, help="Officers: invite, set up, enrol keys, end.", no_args_is_help=True)
Home = Annotated[Path | None, typer.Option("--home", help="Broker home (or BROKER_HOME; ./broker-home).")]
Port = Annotated[int | None, typer.Option("--port", help="The port that the broker serves on, if broker.toml does not say so.")]
Who = Annotated[str, typer.Argument(help="The account, as petugas-1@sijunjung.")]
STATES = {"invited": "diundang", "active": "aktif", "ended": "berakhir"}
_DAY = ["%Y-%m-%d"]


@app.command()
def add(
    role: Annotated[str, typer.Option(help="operator, admin_pihak, auditor, petugas_keamanan, ppdp, administrator or pembuka_samaran.")],
    appointment: Annotated[str, typer.Option(help="Number of the letter of appointment.")],
    starts: Annotated[datetime, typer.Option("--from", formats=_DAY, help="First day (WIB).")],
    name: Annotated[str, typer.Option(help="For your own list: it is never recorded.")],
    party: Annotated[str, typer.Option(help="sijunjung, binjai or kemnaker; bpk or inspektorat for an external auditor; none for an administrator.")] = "",
    ends: Annotated[datetime | None, typer.Option("--to", formats=_DAY, help="Last day, inclusive. External auditors need one.")] = None,
    agreement: Annotated[list[str] | None, typer.Option("--agreement", "-k", help="Only this agreement; again for more. All of the party's if none.")] = None,
    home: Home = None,
    port: Port = None,
) -> None:
    """Invite an officer by a letter of appointment. Prints the account's id and a one-time set-up link."""
    from broker.roles import BODIES  # noqa: PLC0415

    if party in BODIES:
        asked = {"--role auditor": role == "auditor", "one --agreement": len(agreement or ()) == 1, "--to, the last day": ends is not None}
        if missing := [what for what, given in asked.items() if not given]:
            raise ClientError(f"an external auditor ({party}) is invited to one agreement until a day; missing: {'; '.join(missing)}")
    answer = ask_host(
        PEOPLE, home, port,
        act="invite", role=role, party=party, appointment=appointment, name=name, agreements=[*(agreement or ())],
        **{"from": starts.date().isoformat(), "to": ends.date().isoformat() if ends else None},
    )  # fmt: skip
    _show_link(answer)


@app.command()
def link(person: Who, home: Home = None, port: Port = None) -> None:
    """Make another set-up link for an officer who did not use theirs; the earlier one is void."""
    _show_link(ask_host(PEOPLE, home, port, act="link", person=person))


@app.command("console-link")
def console_link(person: Who, home: Home = None, port: Port = None) -> None:
    """Make a link that signs in to the console, once, within 10 minutes, from this machine: where broker.toml says demonstration = true."""
    token = ask_host(PEOPLE, home, port, act="console_link", person=person)["token"]
    settings = read_settings(existing_home(home))
    say(f"{replace(settings, port=port or settings.port).url}/konsol/tautan/{token}")


def _show_link(answer: dict[str, Any]) -> None:
    typer.echo(f"Akun: {answer['person']}\nKode pemasangan (72 jam, sekali pakai): {answer['token']}")
    say("Serahkan langsung kepada orangnya; ia menjalankan `broker people setup`. [dim]Hand it over in person.[/dim]")


@app.command("enrol-key")
def enrol_key(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The officer's public file, made by `broker keys new`.")],
    fingerprint: Annotated[str, typer.Option(help="The fingerprint in the officer's written notice.")],
    voucher: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="What `broker keys vouch` wrote at the officer's party; without it they read, write, approve and stop nothing. Who was enrolled without it is enrolled again with it.")] = None,
    home: Home = None,
    port: Port = None,
) -> None:
    """Enrol an officer's own public keys by the fingerprint of their written notice; never on first use."""
    from base64 import b64encode  # noqa: PLC0415

    from broker.keys import read_public_set  # noqa: PLC0415

    data = file.read_bytes()
    answer = ask_host(PEOPLE, home, port, act="enrol", person=read_public_set(data).owner, keys=b64encode(data).decode(), fingerprint=fingerprint, voucher=b64encode(voucher.read_bytes() if voucher else b"").decode())
    typer.echo(f"Kunci {answer['person']} terdaftar.")


@app.command()
def end(person: Who, home: Home = None, port: Port = None) -> None:
    """End an appointment at once: sessions and keys with it."""
    answer = ask_host(PEOPLE, home, port, act="end", person=person)
    typer.echo(f"Penugasan {answer['person']} berakhir.")


@app.command("list")
def list_(
    party: Annotated[str | None, typer.Option(help="Only this party's.")] = None,
    home: Home = None,
) -> None:
    """Show every account: role, agreements, appointment, state."""
    from rich.markup import escape  # noqa: PLC0415

    from broker.store import Database  # noqa: PLC0415

    folder = existing_home(home)
    database = Database(folder / "ledger.db")
    try:
        with database.read() as tx:
            rows = [(person, tx.people.name(person.id)) for person in tx.people.list(party)]
    finally:
        database.close()
    for p, name in rows:
        key = "tanpa kunci" if p.keys is None else "kunci dengan surat jaminan" if p.voucher else "kunci tanpa surat jaminan"
        say(f"{p.id}  {escape(name)}\n  {STATES[p.state]}, {key}; surat {p.appointment}")
        say(f"  {p.starts} {f's.d. {p.ends}' if p.ends else 'tanpa akhir'}; {' '.join(sorted(p.agreements)) or '–'}")


@app.command()
def setup(url: Annotated[str, typer.Option(help="The broker's address.")]) -> None:
    """Set up your own account: the one-time code, a password, then the first code of your authenticator app."""
    import httpx2  # noqa: PLC0415

    from broker.client.connection import answered, problem_text  # noqa: PLC0415

    if not url.startswith(("https://", "http://127.0.0.1", "http://localhost", "http://[::1]")):
        raise ClientError("a password goes only to https://, or to this machine")

    def ask(**asked: str) -> dict[str, Any]:
        try:
            response = httpx2.post(f"{url.rstrip('/')}/v1/people/setup", json=asked, timeout=30, trust_env=False)
        except httpx2.TransportError:
            raise ClientError(f"no answer from {url}") from None
        answer = answered(response)
        if response.status_code >= 400:
            raise ClientError(problem_text(answer))
        return answer

    token = typer.prompt("Kode pemasangan", hide_input=True)
    password = typer.prompt("Kata sandi (paling sedikit 12 huruf)", hide_input=True, confirmation_prompt="Sekali lagi")
    answer = ask(token=token.strip(), password=password)
    typer.echo(f"Akun: {answer['person']}\nMasukkan ke aplikasi autentikator (hanya ditampilkan sekali):\n{answer['otpauth']}")
    code = typer.prompt("Kode pertama")
    ask(confirm=answer["confirm"], code=code.strip())
    typer.echo("Akun aktif.")
