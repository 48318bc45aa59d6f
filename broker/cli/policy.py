"""`broker policy`: a rule change from draft to live. Everything runs as the officer whose home it is, over the broker's API."""

from __future__ import annotations

import hashlib
import shlex
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from broker.cli.say import say
from broker.errors import ClientError, NotVerified
from broker.model import wib_text
from broker.settings import client_home, editor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from broker.client.officer import Draft, Officer

Home = Annotated[Path | None, typer.Option("--home", help="Your own home (or SINERGI_HOME; ./sinergi-home).")]
Name = Annotated[str, typer.Argument(help="The draft's id, as `broker policy new` printed it.")]
STATES = {"draft": "draf", "proposed": "diusulkan", "published": "terbit", "withdrawn": "ditarik"}
SHOWN = 40  # lines of a diff before it says how many more


@contextmanager
def acting(home: Path | None) -> Iterator[Officer]:
    import httpx2  # noqa: PLC0415

    from broker.client.officer import Officer  # noqa: PLC0415

    with Officer.at(client_home(home)) as officer:
        try:
            yield officer
        except httpx2.TransportError:
            raise ClientError(f"no answer from {officer.url}; run `broker doctor`") from None


def log(home: Home = None) -> None:
    """List every published version: who wrote it, who approved, what it opened and closed."""
    with acting(home) as officer:
        for record in officer.versions():
            approved = ", ".join(one["person"] for one in record["approvals"]) or "-"
            back = f"  kembali ke versi {record['rollback_of']}" if record["rollback_of"] else ""
            say(f"versi {record['version']}  {wib_text(record['time'])}  +{record['gains']} -{record['losses']} sel  penulis {record['author'] or '-'}  disetujui {approved}{back}")
            say(f"  kebijakan {record['policy_sha256']}\n  catatan   {record['sha256']}")


def drafts(home: Home = None) -> None:
    """List open drafts and stops that hold."""
    with acting(home) as officer:
        found, stops = officer.drafts(), officer.stops()
        if not found and not stops:
            say("Tidak ada draf terbuka dan tidak ada penghentian.")
        for row in found:
            say(f"{row['id']}  {STATES[row['state']]}  dari versi {row['base']}  penulis {row['author']}")
        for row in stops:
            asked = f", pencabutan diminta {row['lift_asked_by']}" if row["lift_asked_by"] else ""
            say(f"{row['id']}  BERHENTI {row['target']} oleh {row['person']}{asked}")


def new(
    file: Annotated[Path | None, typer.Option("--file", exists=True, dir_okay=False, help="A rules.csv, as of a checkout; without it the rules in force.")] = None,
    addendum: Annotated[str | None, typer.Option(help='Where locked caps are loosened: "Adendum NOMOR".')] = None,
    home: Home = None,
) -> None:
    """Begin a draft. Nothing is live before it is published."""
    with acting(home) as officer:
        rules = file.read_bytes() if file else b""
        if file and not rules:
            raise ClientError(f"{file} is empty")
        say(f"Draf {officer.new(rules, addendum=addendum)}")


def rollback(version: Annotated[int, typer.Argument(help="An older version's number.")], home: Home = None) -> None:
    """Begin a draft with the rules of an older version; it is proposed, approved and published like any other."""
    with acting(home) as officer:
        say(f"Draf {officer.new(rollback=version)}")


def edit(
    draft: Name,
    file: Annotated[Path | None, typer.Option("--file", exists=True, dir_okay=False, help="The new rules.csv; without it your editor opens.")] = None,
    home: Home = None,
) -> None:
    """Change a draft's rules, in your editor (VISUAL or EDITOR) or from a file."""
    with acting(home) as officer:
        found = officer.draft(draft)
        rules = file.read_bytes() if file else _edited(found.rules)
        if rules == found.rules.encode():
            say("Tidak ada yang berubah.")
            return
        officer.edit(found, rules)
    say(f"Draf {draft} diubah. Periksa: broker policy check {draft}")


def _edited(text: str) -> bytes:
    command = editor()
    if not command:
        raise ClientError("set VISUAL or EDITOR to your editor, or name a --file")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rules.csv"
        file.write_text(text, encoding="utf-8")
        if subprocess.run([*shlex.split(command), str(file)], check=False).returncode:  # noqa: S603 - the officer's own editor
            raise ClientError("the editor ended with an error; the draft is unchanged")
        return file.read_bytes()


def check(draft: Name, home: Home = None) -> None:
    """Say what a draft would change and what stands against it. Exit status 1 if something does."""
    with acting(home) as officer:
        judged = officer.check(draft)
    _show(judged)
    say(_needed(judged))
    if judged["failures"]:
        raise typer.Exit(1)


def diff(draft: Name, home: Home = None) -> None:
    """Show the exact difference: every cell that changes, in lines a person reads, and the rules taken out and put in."""
    with acting(home) as officer:
        judged, found = officer.check(draft), officer.draft(draft)
    _changes(judged, every=True)
    _rules(found)


def replay(draft: Name, days: Annotated[int, typer.Option(min=1, max=3660, help="How far to look back.")] = 90, home: Home = None) -> None:
    """Show which past exchanges the draft would have treated otherwise, from the ledger's manifests alone."""
    with acting(home) as officer:
        found = officer.replay(draft, days)
    say(f"{len(found['changed'])} dari {found['exchanges']} pertukaran dalam {days} hari akan diperlakukan lain.")
    for one in found["changed"]:
        say(one["id"])


def explain(
    system: Annotated[str, typer.Argument(help="Who would receive or send, as siapkerja@kemnaker.")],
    column: Annotated[str, typer.Argument(help="DATASET.COLUMN, as pencari_kerja.nik.")],
    agreement: Annotated[str, typer.Option("--agreement", "-k", help="Kesepakatan, as nk-sijunjung-2025.")],
    purpose: Annotated[str, typer.Option("--purpose", "-t", help="Tujuan, as perencanaan.")],
    row: Annotated[str, typer.Option("--row", help="Row class, as umum or anak.")] = "umum",
    action: Annotated[str, typer.Option(help="terima, kirim, ungkap or terbit.")] = "terima",
    day: Annotated[str | None, typer.Option(help="YYYY-MM-DD; today without it.")] = None,
    draft: Annotated[str | None, typer.Option(help="Ask a draft instead of the policy in force.")] = None,
    english: Annotated[bool, typer.Option("--english", help="In English.")] = False,
    home: Home = None,
) -> None:
    """Explain one cell: its level, every rule that allowed or capped it, and their Pasal."""
    asked = {"system": system, "agreement": agreement, "column": column, "purpose": purpose, "row": row, "action": action, "day": day, "draft": draft}
    with acting(home) as officer:
        found = officer.explain(**{name: value for name, value in asked.items() if value is not None})
    say(found["en" if english else "id"])


def propose(draft: Name, home: Home = None) -> None:
    """Fix a draft for approval. It is then other officers' to read and sign."""
    with acting(home) as officer:
        judged = officer.propose(draft)
    _show(judged)
    say(f"Diusulkan. {_needed(judged)}")


def approve(
    draft: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; you have read the diff.")] = False,
    home: Home = None,
) -> None:
    """Read a proposed draft and sign it with your own key, on this machine. The author never approves."""
    with acting(home) as officer:
        found, judged = officer.draft(draft), officer.check(draft)
        if found.author == officer.person:
            raise ClientError("the author never approves: another officer has to")
        officer.verified_base(found)
        _changes(judged, every=True)
        _standing(judged)
        _rules(found)
        if found.addendum:
            say(f"[bold]Dengan {found.addendum}[/bold]: batas terkunci dilonggarkan.")
        digest = hashlib.sha256((found.model + found.rules).encode()).hexdigest()
        if judged["policy_sha256"] != digest:
            raise ClientError("the draft changed while you read it; read it again")
        say(f"Kebijakan yang ditandatangani: {digest}")
        say(_needed(judged))
        owed = {party for parties in judged["approval_of"].values() for party in parties}
        if owed and officer.person.partition("@")[2] not in owed:
            say("[bold]Tanda tangan Anda tidak termasuk yang diperlukan.[/bold]")
        if not yes and not typer.confirm("Setujui?"):
            raise typer.Exit(1)
        officer.approve(found)
    say(f"Draf {draft} Anda setujui.")


def publish(draft: Name, home: Home = None) -> None:
    """Put an approved draft in force, at once."""
    with acting(home) as officer:
        done = officer.publish(draft)
    say(f"Versi {done['version']} berlaku. Kebijakan {done['policy_sha256']}")


def withdraw(draft: Name, home: Home = None) -> None:
    """Take back a draft of your own."""
    with acting(home) as officer:
        officer.withdraw(draft)
    say(f"Draf {draft} ditarik.")


def export(
    folder: Annotated[Path, typer.Argument(help="Where to write model.conf and rules.csv.")],
    version: Annotated[int | None, typer.Option(help="A version's number; the one in force without it.")] = None,
    home: Home = None,
) -> None:
    """Write a version's files, byte for byte, as for a git checkout."""
    if not folder.is_dir():
        raise ClientError(f"{folder} is no folder")
    with acting(home) as officer:
        found = officer.version(version or officer.versions()[-1]["version"])
    for name, text in (("model.conf", found["model"]), ("rules.csv", found["rules"])):
        if (folder / name).exists() and (folder / name).read_bytes() != text.encode():
            raise ClientError(f"{folder / name} exists and is another; move it away first")
    for name, text in (("model.conf", found["model"]), ("rules.csv", found["rules"])):
        (folder / name).write_bytes(text.encode())
    say(f"Versi {found['number']} ditulis ke {folder}")


def verify(
    version: Annotated[int, typer.Argument(help="A version's number.")],
    keys: Annotated[Path, typer.Option("--keys", exists=True, file_okay=False, help="A folder of the parties' public files, as you got them from the parties.")],
    home: Home = None,
) -> None:
    """Check a version on your own machine: the broker's signature over its files, and each approval by its officer's key or passkey. Exit status 1 if not all of it holds."""
    from broker.keys import read_public_set  # noqa: PLC0415

    parties = [read_public_set(path.read_bytes()) for path in sorted(keys.glob("*.json"))]
    with acting(home) as officer:
        try:
            found = officer.approvers(version, parties)
        except NotVerified as error:
            say(f"TIDAK SAH: versi {version}: {error}")
            raise typer.Exit(1) from None
    say(f"Versi {version} sah.")
    for one in found:
        say(f"  disetujui {one.person} dengan {'kunci sandi' if one.passkey else 'kunci sendiri'}")


def stop(target: Annotated[str, typer.Argument(help="An agreement (nk-sijunjung-2025) or a party (sijunjung).")], home: Home = None) -> None:
    """HALT every release of an agreement or a party, at once. Undone only by two officers."""
    with acting(home) as officer:
        done = officer.stop(target)
    say(f"[bold]BERHENTI[/bold] {done['target']} sejak {wib_text(done['at'])}. Cabut (dua petugas): broker policy resume {done['id']}")


def resume(name: Annotated[str, typer.Argument(help="The stop's id.")], home: Home = None) -> None:
    """Ask that a stop be undone; the second officer who asks undoes it."""
    with acting(home) as officer:
        lifted = officer.resume(name)
    say("Penghentian dicabut." if lifted else "Diminta; perlu petugas kedua.")


def _show(judged: dict[str, Any]) -> None:
    _changes(judged, every=False)
    _standing(judged)


def _standing(judged: dict[str, Any]) -> None:
    for failure in judged["failures"]:
        say(f"[bold]MELANGGAR[/bold] {failure}")
    for words, rules in (("Batas terkunci dilonggarkan", "loosened"), ("Aturan yang tidak pernah berlaku", "never_applies"), ("Batas siaga", "armed")):
        if judged[rules]:
            say(f"{words}: {', '.join(judged[rules])}")


def _needed(judged: dict[str, Any]) -> str:
    owed = sorted({party for parties in judged["approval_of"].values() for party in parties})
    return f"Perlu persetujuan petugas: {', '.join(owed) or 'satu petugas lain'}."


def _changes(judged: dict[str, Any], *, every: bool) -> None:
    say(f"{judged['gains']} sel naik, {judged['losses']} sel turun.")
    lines = judged["changes"] if every else judged["changes"][:SHOWN]
    for line in lines:
        say(f"{'+' if line['after'] > line['before'] else '!' if line['opens'] else '-'} {line['id']}")
    if len(lines) < len(judged["changes"]):
        say(f"… dan {len(judged['changes']) - len(lines)} baris lagi: broker policy diff")
    if judged["elsewhere"]:
        say(f"{judged['elsewhere']} sel lain berubah dalam kesepakatan yang bukan milik pihak Anda.")


def _rules(found: Draft) -> None:
    from rich.text import Text  # noqa: PLC0415 - a rule may hold what looks like markup

    say(Text("\n".join(found.lines()) or "Tidak ada aturan yang berubah."))


app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, add_completion=False, help="Policies: draft, check, diff, approve, publish; stop and resume.")
for command in (new, edit, check, diff, replay, explain, propose, approve, publish, rollback, withdraw, export, verify, drafts, log, stop, resume):
    app.command(command.__name__)(command)
