"""Commands of a party's operator, on the party's own server."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from broker.cli.say import say
from broker.errors import ClientError, NotVerified
from broker.model import wib_text
from broker.settings import client_home

if TYPE_CHECKING:
    from collections.abc import Iterator

    from broker.client import Answer, Client, Verified

Home = Annotated[Path | None, typer.Option("--home", help="Client home (or SINERGI_HOME; ./sinergi-home).")]
X25519 = Annotated[bool, typer.Option("--x25519", help="A key in X25519 too, where an agreement names that suite for your party.")]
STATES = {
    "accepted": "diterima, belum diolah", "recorded": "tercatat, menunggu diambil penerima", "delivered": "diambil penerima",
    "receipted": "tanda terima ditandatangani penerima", "refused": "DITOLAK",
}  # fmt: skip


@contextmanager
def _client(home: Path | None) -> Iterator[Client]:
    import httpx2  # noqa: PLC0415

    from broker.client import Client  # noqa: PLC0415

    with Client.at(client_home(home)) as client:
        try:
            yield client
        except httpx2.TransportError:
            raise ClientError(f"no answer from {client.url}; run `broker doctor`") from None


def keys_new(
    system: Annotated[str, typer.Option(help="Your system, as sijoker@sijunjung.")],
    url: Annotated[str, typer.Option(help="The broker's address, as its administrator gave it.")],
    x25519: X25519 = False,
    home: Home = None,
) -> None:
    """Make this system's own keys and client home. Hand the public file to the broker's administrator."""
    from broker.client import create_home  # noqa: PLC0415

    folder = client_home(home)
    public = create_home(folder, system, url, datetime.now(UTC), x25519=x25519)
    say(f"Kunci dibuat di {folder}/secrets (hanya untuk Anda).\nBerkas publik: {folder / f'{system}.json'}\nSidik jari: {public.fingerprint}")
    say("[dim]Give the public file to the broker's administrator, and the fingerprint by a written notice (Pasal 11).[/dim]")


def keys_file(
    file: Annotated[Path, typer.Argument(help="Where the key file is to lie: apart from the home that it unlocks, and from its backups.")],
) -> None:
    """Make a key file, which unlocks key rings where nobody is there to type a passphrase: a service, a task at night."""
    from broker.keys import new_key_file, write_private  # noqa: PLC0415

    if file.exists():
        raise ClientError(f"{file} exists: what it unlocks would be lost")
    check_folder(file)
    write_private(file, new_key_file())
    say(f"Berkas pembuka: {file}. Tunjuk dengan SINERGI_UNLOCK={file} saat membuat dan memakai kunci.")
    say("[dim]Whoever has this file and the home has the keys: keep them apart. systemd: LoadCredential=sinergi-unlock:…[/dim]")


def keys_trust(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The broker's public.json.")],
    fingerprint: Annotated[str, typer.Option(help="The fingerprint in the administrator's written notice.")],
    home: Home = None,
) -> None:
    """Pin the broker's public keys. The fingerprint must be the one you were given on another way."""
    from broker.keys import read_public_set  # noqa: PLC0415

    data = file.read_bytes()
    public = read_public_set(data)
    check_fingerprint(public.fingerprint, fingerprint)
    if public.owner != "broker":
        raise ClientError(f"{file} holds the keys of {public.owner}, not the broker's")
    with _client(home) as client:
        client.trust(data)
    say("Kunci broker dipasang. [dim]The broker's keys are pinned.[/dim]")


def keys_vouch(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="An officer's public file, made by `broker keys new`.")],
    fingerprint: Annotated[str, typer.Option(help="The fingerprint in the officer's written notice.")],
    home: Home = None,
) -> None:
    """Vouch, with your system's key, for the keys of an officer of your party. Without it the broker takes no approval from them."""
    with _client(home) as client:
        path = client.vouch(file.read_bytes(), fingerprint)
    say(f"Jaminan ditulis ke {path}. [dim]Give it to the broker's administrator with the officer's public file.[/dim]")


def keys_vouch_passkey(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A passkey's file, taken from the officer's page of the console.")],
    fingerprint: Annotated[str, typer.Option(help="The fingerprint that the page showed when the passkey was made.")],
    home: Home = None,
) -> None:
    """Vouch for a passkey that approves policies: your own with your key, or, of an officer without keys, with your system's."""
    with _client(home) as client:
        path = client.vouch_passkey(file.read_bytes(), fingerprint)
    say(f"Jaminan ditulis ke {path}. [dim]Put it into the page of passkeys.[/dim]")


def check_fingerprint(found: str, given: str) -> None:
    """ClientError unless the file is the one the notice speaks of; spaces and case do not matter."""
    if found.replace(" ", "") != given.replace(" ", "").lower():
        raise ClientError("the file's fingerprint is not the one given: do not use it, ask the sender (Pasal 11)")


def check_folder(output: Path) -> None:
    if not output.parent.is_dir():
        raise ClientError(f"{output.parent} is no folder")


def send(
    file: Annotated[Path | None, typer.Argument(help="CSV, NDJSON, XLSX or Parquet.")] = None,
    agreement: Annotated[str, typer.Option("--agreement", "-k", help="Kesepakatan, as nk-sijunjung-2025.")] = "",
    dataset: Annotated[str, typer.Option("--dataset", "-d", help="Himpunan data, as pencari_kerja.")] = "",
    purpose: Annotated[str, typer.Option("--purpose", "-t", help="Tujuan, as perencanaan.")] = "",
    to: Annotated[str, typer.Option("--to", help="Recipient system, as siapkerja@kemnaker.")] = "",
    basis: Annotated[str | None, typer.Option(help="Dasar hukum, where the purpose needs one.")] = None,
    template: Annotated[str, typer.Option(help="Template version of the file.")] = "1.0.0",
    wait: Annotated[int, typer.Option(help="Seconds to wait for the outcome.")] = 60,
    resend: Annotated[bool, typer.Option("--resend", help="Send again what was sealed and never answered.")] = False,
    home: Home = None,
) -> None:
    """Seal a file for the broker and send it. Exit status 0 only if the disclosure was recorded."""
    with _client(home) as client:
        if resend:
            answers = client.resend(wait)
        elif file is None:
            raise ClientError("name the file to send, or use --resend")
        elif not (agreement and dataset and purpose and to):
            raise ClientError("say under which --agreement, which --dataset, for which --purpose and --to whom")
        else:
            answers = [_send(client, file, agreement, dataset, purpose, to, basis, template, wait)]
        for answer in answers:
            show_answer(answer)
        if file is not None and not resend and answers[0].state == "recorded":
            show_compared(client, answers[0].exchange, file)
    if not answers:
        say("Tidak ada kiriman yang menunggu. [dim]Nothing waits to be sent.[/dim]")
    if any(answer.state == "refused" for answer in answers):
        raise typer.Exit(3)
    if any(answer.state == "accepted" for answer in answers):
        raise typer.Exit(4)


def _send(client: Client, file: Path, agreement: str, dataset: str, purpose: str, to: str, basis: str | None, template: str, wait: int) -> Answer:
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress  # noqa: PLC0415

    if not file.is_file():
        raise ClientError(f"{file} is no file")
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Menyegel", total=file.stat().st_size)
        return client.send(
            file, agreement=agreement, dataset=dataset, purpose=purpose, recipient=to, basis=basis, template=template, wait=wait,
            progress=lambda done: bar.update(task, completed=done),
        )  # fmt: skip


def compare(
    exchange: Annotated[str, typer.Argument(help="Exchange id of what you sent.")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The very file that was sent, CSV or NDJSON.")],
    home: Home = None,
) -> None:
    """Hold a file you sent against the ledger: does each row stand for the person it names? `broker send` does it by itself."""
    with _client(home) as client:
        show_compared(client, exchange, file, must=True)


def show_compared(client: Client, exchange: str, file: Path, *, must: bool = False) -> None:
    """Says whether the ledger stands for the people in `file`. NotVerified if not. must: that it cannot be told is an error."""
    import httpx2  # noqa: PLC0415

    try:
        done = client.compare(exchange, file)
    except NotVerified:
        say("[bold red]ALARM[/bold red] Buku besar tidak menjamin kiriman ini; beri tahu auditor pihak Anda.")
        raise
    except (ClientError, httpx2.TransportError) as error:  # the disclosure is recorded all the same
        if must:
            raise
        why = error if isinstance(error, ClientError) else f"broker tidak menjawab; ulangi: broker compare {exchange} {file}"
        say(f"Orang dalam baris belum dicocokkan dengan buku besar.\n  {why}")
        return
    skipped = f", {done.skipped} baris tidak dapat dinilai" if done.skipped else ""
    changed = f"; {done.changed} berganti pengenal karena penghapusan yang tercatat" if done.changed else ""
    say(f"Dicocokkan dengan buku besar: {done.people} orang dalam {done.rows} baris{skipped}{changed}.")


def show_answer(answer: Answer) -> None:
    if answer.problem:
        say(f"[bold red]✗[/bold red] {answer.problem['title']} [bold]({answer.problem['pasal']})[/bold]\n  [dim]{answer.problem['detail']}[/dim]\n  alasan: {answer.problem['reason']}")
        if answer.report:
            show_report(answer.report)
        return
    say(f"Pertukaran [bold]{answer.exchange}[/bold]: {STATES[answer.state]}")
    if answer.report:
        show_report(answer.report)


def show_report(report: dict[str, Any]) -> None:
    """The quality report: counts by rule, and the first rows by number. Row 1 is the line below the header."""
    from rich.table import Table  # noqa: PLC0415

    say(f"{report['rows']} baris: {report['released']} dikirim, {report['withheld']} ditahan; {report['repeated_persons']} baris mengulang orang yang sama.")
    if report["rules"]:
        table = Table("aturan", "baris", title="Mutu (Pasal 6 ayat (1) huruf c)")
        for rule, count in sorted(report["rules"].items(), key=lambda item: -item[1])[:12]:
            table.add_row(rule, str(count))
        say(table)
        for row, rules in report["named"][:10]:
            say(f"  baris {row}: {', '.join(rules)}")
    if report["warnings"]:
        say(f"Peringatan: {', '.join(report['warnings'])}")


def receive(home: Home = None) -> None:
    """Fetch what waits, verify it, sign the receipt; then countersign what you sent."""
    with _client(home) as client:
        received = client.receive()
        for item in received:
            show_verified(item.exchange, item.verified)
        signed = client.countersign()
    if not received:
        say("Kotak masuk kosong. [dim]Nothing waits.[/dim]")
    if signed:
        say(f"Manifes ditandatangani sebagai pengirim: {len(signed)}")


def show_verified(exchange: str, verified: Verified) -> None:
    m = verified.manifest
    say(f"[bold green]SAH[/bold green] pertukaran [bold]{exchange}[/bold] dari {m['sender']}: {m['contract']['dataset']}, tujuan {m['purpose']}")
    say(
        f"  {verified.lines} baris dibuka, {verified.leaves} daun cocok dengan manifes; manifes nomor {verified.index} "
        f"dalam log {verified.checkpoint.origin} berukuran {verified.checkpoint.size}; tanda terima: {', '.join(verified.signers)}"
    )
    if verified.doubted:
        say(f"  [bold red]PERINGATAN[/bold red] kunci tanda terima broker tidak dipercaya sejak {wib_text(verified.doubted)}: yang menjamin manifes ini hanya log di bawah titik periksa di atas")
    if verified.claimed:
        say(f"  berkas bukti juga menyebut tanda tangan {', '.join(verified.claimed)}; periksa dengan kunci publik pihak itu")


def open_(
    exchange: Annotated[str, typer.Argument(help="Exchange id.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write; it must not exist.")],
    row: Annotated[int, typer.Option(help="This row of the submission alone, from 1, with what proves it (FILE.json).")] = 0,
    home: Home = None,
) -> None:
    """Write the released rows of a received exchange to FILE.csv or FILE.ndjson, once everything verified."""
    check_folder(output)
    if row:
        from broker.keys import write_private  # noqa: PLC0415

        if output.suffix != ".json" or output.exists():
            raise ClientError("name a new file .json for the row and what proves it")
        with _client(home) as client:
            write_private(output, client.open_row(exchange, row - 1).to_json())
        say(f"Baris {row} ditulis ke {output}; periksa dengan `broker verify BUNDEL --record {output}`")
        return
    form = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}.get(output.suffix.lower())
    if form is None:
        raise ClientError("name the file .csv or .ndjson: that says what is written")
    with _client(home) as client:
        verified = client.open(exchange, output, form=form)
    say(f"{verified.lines} baris ditulis ke {output}")


def doctor(home: Home = None) -> None:
    """Say in plain words what stands between you and a first exchange. Exit status 0 if nothing does."""
    from broker.client.doctor import examine  # noqa: PLC0415

    findings = examine(client_home(home), datetime.now(UTC))
    for finding in findings:
        mark = "[green]baik [/green]" if finding.ok else "[bold red]BELUM[/bold red]"
        say(f"{mark} {finding.what}" + ("" if finding.ok else f"\n      → {finding.remedy}"))
    if not all(f.ok for f in findings):
        raise typer.Exit(1)
