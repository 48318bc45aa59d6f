"""`broker keys rotate` and what belongs to it: keys of one's own from one to the next. The broker's on its host, a party's in its home."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from broker.cli.host import RINGS, ask_host
from broker.cli.keys import WIB, Either, Port, Reason, Yes, _home, show
from broker.cli.party import X25519  # noqa: TC001 - typer reads it
from broker.cli.say import say
from broker.errors import ClientError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Name = Annotated[str, typer.Option("--ring", help="At the broker: whose key, an agreement's id or `broker`.")]
Purpose = Annotated[str, typer.Argument(help="At the broker: root, vault, kem, log or receipt. A party's keys change together: leave it out.")]
Kid = Annotated[str, typer.Argument(help="The key's id, as `broker keys list` shows it.")]


def rotate(purpose: Purpose = "", ring: Name = "", x25519: X25519 = False, home: Either = None, port: Port = None) -> None:
    """Put the next key in the place of one in use. The one before opens what was sealed to it, and what it signed holds. At a party: make the next set, to be enrolled."""
    folder = _home(home)
    if (folder / "client.toml").exists():
        if purpose or ring:
            raise ClientError("a system's keys change together: leave out the purpose and --ring")
        _announce(folder, x25519)
        return
    if x25519:
        raise ClientError("--x25519 is for a party's own keys")
    _shown(ask_host(RINGS, folder, port, act="rotate", ring=ring, purpose=purpose))


def announce(purpose: Purpose, ring: Name = "", home: Either = None, port: Port = None) -> None:
    """Make a key that others can learn before it is used; `rotate` then puts it in use."""
    _shown(ask_host(RINGS, _home(home), port, act="announce", ring=ring, purpose=purpose))


def disable(kid: Kid, ring: Name = "", home: Either = None, port: Port = None) -> None:
    """Take a key out of use at once. What needs it is refused until `enable` or a rotation."""
    _shown(ask_host(RINGS, _home(home), port, act="disable", ring=ring, kid=kid))


def enable(kid: Kid, ring: Name = "", home: Either = None, port: Port = None) -> None:
    """Bring a disabled key back."""
    _shown(ask_host(RINGS, _home(home), port, act="enable", ring=ring, kid=kid))


def destroy(
    kid: Kid,
    ring: Name = "",
    yes: Yes = False,
    home: Either = None,
    port: Port = None,
) -> None:
    """Destroy a retired key for good: nobody ever opens again what was sealed to it. What it signed still verifies."""
    folder = _home(home)
    if not yes:
        typer.confirm(f"Kunci {kid} dimusnahkan untuk selamanya; yang tersegel untuknya tidak dapat dibuka lagi. Musnahkan? · It cannot be undone. Destroy?", abort=True)
    if (folder / "client.toml").exists():
        from broker.client import Client  # noqa: PLC0415

        with Client.at(folder) as client:
            client.destroy(kid)
        say(f"Kunci {kid} dimusnahkan. [dim]Destroyed.[/dim]")
        return
    _shown(ask_host(RINGS, folder, port, act="destroy", ring=ring, kid=kid))


def distrust(
    kid: Kid,
    since: Annotated[datetime, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="Since when it may be in other hands (WIB).")],
    reason: Reason,
    ring: Name = "",
    yes: Yes = False,
    home: Either = None,
    port: Port = None,
) -> None:
    """Tell everyone that a log or receipt key of the broker's may be in other hands. What it signed counts only where the log or a witness vouches. Rotate it first."""
    at = since.replace(tzinfo=WIB).astimezone(UTC)
    if not yes:
        typer.confirm(f"Tanda tangan kunci {kid} tidak lagi berlaku dengan sendirinya, untuk selamanya. Nyatakan? · It cannot be undone. Distrust?", abort=True)
    _shown(ask_host(RINGS, _home(home), port, act="distrust", ring=ring, kid=kid, since=at.isoformat(), reason=reason))
    say("Beri tahu semua pihak dengan pemberitahuan tertulis: kunci penerus yang ditandatangani kunci itu tidak diikuti. [dim]Tell every party in writing.[/dim]")


def _announce(folder: Path, x25519: bool) -> None:
    from broker.client import Client  # noqa: PLC0415

    with Client.at(folder) as client:
        found = client.announce(x25519=x25519)
    say(f"Kunci berikutnya: {folder / f'{found.owner}.baru.json'}\nSidik jari: {found.fingerprint}")
    say("Serahkan berkas itu kepada pengelola broker dan sidik jarinya dengan pemberitahuan tertulis (Pasal 11). Kunci sekarang tetap dipakai;")
    say("setelah petugas pihak Anda mengesahkannya, `broker send` atau `broker receive` berikutnya beralih dengan sendirinya.")
    say("[dim]Your present keys stay in use until the next ones are confirmed; the next send or receive then changes over by itself.[/dim]")


def _shown(answer: Mapping[str, Any]) -> None:
    show(answer["keys"])
    say(f"Sidik jari berkas kunci publik broker: {answer['fingerprint']}")
