"""`broker keys end`, `approve-end`, `certificate`: an agreement that is over loses what made and turned back its pseudonyms, for good."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from broker.cli.host import RINGS, ask_host
from broker.cli.party import check_folder
from broker.cli.policy import acting
from broker.cli.say import say
from broker.errors import ClientError
from broker.model import wib_text

if TYPE_CHECKING:
    from broker.client.destruction import Certificate

Home = Annotated[Path | None, typer.Option("--home", help="Broker home (or BROKER_HOME; ./broker-home).")]
Own = Annotated[Path | None, typer.Option("--home", help="Your own home (or SINERGI_HOME; ./sinergi-home).")]
Port = Annotated[int | None, typer.Option("--port", help="The port that the broker serves on, if broker.toml does not say so.")]
Agreement = Annotated[str, typer.Option("--agreement", "-k", help="The agreement's id.")]


def end(
    ring: Annotated[str, typer.Argument(metavar="AGREEMENT", help="The id of an agreement that is over.")],
    yes: Annotated[str, typer.Option("--yes", help="The agreement's id, typed again.")] = "",
    home: Home = None,
    port: Port = None,
) -> None:
    """Destroy the secret keys of an agreement that is over, once an officer of each party approved it. Cannot be undone."""
    if not yes:
        say(f"Kunci rahasia {ring} akan dimusnahkan: samarannya tidak dapat dibuat atau dibalik lagi, oleh siapa pun. Bukti dan tanda terima tetap berlaku.")
        yes = typer.prompt("Ketik lagi id Nota Kesepakatan itu · Type the agreement's id again")
    if yes != ring:
        raise ClientError("the id typed again is another: nothing was destroyed")
    keys = ask_host(RINGS, home, port, act="end", ring=ring, typed=yes)["keys"]
    gone = sum(key["state"] == "destroyed" for key in keys)
    say(
        f"Kunci {ring} dimusnahkan: {gone}. Tersisa {len(keys) - gone} kunci log dan tanda terima. Sertifikatnya: broker keys certificate -k {ring}\n"
        "Sekarang musnahkan juga setiap cadangan secrets/ dan pembukanya: docs/guide/administrator.md\n"
        "[dim]Destroyed. Now destroy every backup of secrets/ too, and what unlocks it.[/dim]"
    )  # fmt: skip


def approve_end(agreement: Agreement, home: Own = None) -> None:
    """Approve, as an officer of a party, that the keys of an agreement that is over are destroyed. Holds 30 days."""
    with acting(home) as officer:
        until = wib_text(officer.approve_ending(agreement))
    say(f"Pemusnahan kunci {agreement} disetujui bagi pihak Anda sampai {until}; perlu petugas pihak lainnya, lalu pengelola broker.\n[dim]Approved for your party.[/dim]")


def certificate(
    agreement: Agreement,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write; it must not exist.")],
    home: Own = None,
) -> None:
    """Fetch the certificate that an agreement's keys were destroyed, verified. `broker verify FILE` checks it again, offline."""
    check_folder(output)
    if output.exists():
        raise ClientError(f"{output} exists already")
    with acting(home) as officer:
        data, found = officer.certificate(agreement)
    output.write_bytes(data)
    show(found)


def show(found: Certificate) -> None:
    """What it says, and what it does not prove."""
    say(f"SAH: kunci rahasia {found.agreement} dimusnahkan, tercatat {wib_text(found.time)}")
    for key in found.keys:
        say(f"  {key.purpose} {key.epoch}  {key.kid}  {wib_text(key.time)}")
    for one in found.approvals:
        say(f"  disetujui {one.person}, entri {one.entry}")
    say(f"  entri {found.entry} log sinergi/{found.agreement}, ukuran {found.size}, akar {found.root}")
    say(
        "Tidak dibuktikan: bahwa tidak ada salinan di cadangan atau di tempat lain. Ini kata broker, yang ditandatanganinya.\n"
        "[dim]VALID: the secret keys are destroyed, by the broker's word, which it signed. Not proven: that no copy is left in a backup or elsewhere.[/dim]"
    )
