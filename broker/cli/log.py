"""`broker log`: what an auditor asks of the ledger. Everything runs as the person whose home it is, over the broker's API."""

from __future__ import annotations

import json
import re
import shlex
from contextlib import contextmanager
from datetime import datetime  # noqa: TC003 - typer reads it
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from broker.cli.say import say
from broker.errors import ClientError
from broker.model import LEVEL_NAMES, LEVEL_NOTE, wib_text
from broker.settings import client_home

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from broker.client.auditor import Auditor

Home = Annotated[Path | None, typer.Option("--home", help="Your own home (or SINERGI_HOME; ./sinergi-home).")]
Request = Annotated[str, typer.Argument(help="The request's id.")]
STATES: Final = {
    "recorded": "tercatat, belum diambil", "delivered": "sudah diambil", "receipted": "diterima dan ditandatangani", "refused": "ditolak",
    "pending": "menunggu orang kedua", "approved": "disetujui, belum diambil",
}  # fmt: skip
OUTCOMES: Final = {
    "terkirim": "dikirim", "ditahan_asal": "ditahan: bukan milik kesepakatan ini", "ditahan_aturan": "ditahan: melanggar aturan", "ditahan_salah_tempat": "ditahan: salah tempat",
    "ditahan_deteksi": "ditahan: tidak dapat diperiksa",
}  # fmt: skip

UNKNOWN: Final = (
    "broker tidak mengenal siapa pun dengan nomor ini (salah ketik? sudah dihapus? tidak pernah tercatat?). Itu bukan bukti bahwa tidak ada yang diserahkan.\n"
    "  [dim]The broker knows nobody of this number; that proves nothing.[/dim]"
)


@contextmanager
def _auditor(home: Path | None) -> Iterator[Auditor]:
    import httpx2  # noqa: PLC0415

    from broker.client.auditor import Auditor  # noqa: PLC0415

    with Auditor.at(client_home(home)) as auditor:
        try:
            yield auditor
        except httpx2.TransportError:
            raise ClientError(f"no answer from {auditor.url}; run `broker doctor`") from None


# --- exchanges and entries
def search(
    expression: Annotated[str, typer.Argument(help='As "dataset=pencari_kerja dan kolom.nik>=3"; empty finds everything.')] = "",
    entries: Annotated[bool, typer.Option("--entries", help="Entries of any kind, not exchanges alone.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at a time.")] = 50,
    after: Annotated[str | None, typer.Option(help="Where the page before ended, as it was printed.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, as the broker gave it.")] = False,
    home: Home = None,
) -> None:
    """Search exchanges, newest first: who sent what to whom, for what, at which level. Recorded."""
    target = "entri" if entries else "pertukaran"
    with _auditor(home) as auditor:
        page = auditor.search(expression, target=target, after=after, limit=limit)
    for one in page["found"]:
        typer.echo(json.dumps(one, ensure_ascii=False)) if as_json else say(_line(one))
    if as_json and page["after"] is None:
        return
    sizes = ", ".join(f"{log} ukuran {size}" for log, size in page["sizes"].items())
    say(f"{len(page['found'])} dari {page['total']} ditemukan; {sizes}.")
    if page["after"] is not None:
        typer.echo(f"Berikutnya: broker log search {shlex.quote(expression)}{' --entries' * entries} --limit {limit} --after {page['after']}", err=as_json)


def show(exchange: Annotated[str, typer.Argument(help="Exchange id, 32 hex digits.")], home: Home = None) -> None:
    """Show an exchange in words: its manifest or its refusal, and what became of it. Recorded."""
    if not re.fullmatch("[0-9a-f]{32}", exchange):
        raise ClientError("an exchange id has 32 hex digits")
    with _auditor(home) as auditor:
        found = auditor.exchange(exchange)
    say("\n".join(_words(found)))


def _line(one: Mapping[str, Any]) -> str:
    from broker.ledger.words import entry_words  # noqa: PLC0415

    entry = one["entry"]
    kind = entry["type"].split("/")[1]
    head = f"{wib_text(entry['time'])}  {one['log']} no. {one['index']}"
    if kind == "exchange":
        released, rows = entry["outcomes"]["terkirim"], entry["records"]["rows"]
        what = f"{entry['contract']['dataset']} · {entry['purpose']}  {released} dikirim, {rows - released} ditahan  {STATES[one['state']]}"
        return f"{head}  {entry['exchange']}\n  {entry['sender']} → {entry['recipient']}  {what}"
    if kind == "refusal":
        return f"{head}  {entry.get('exchange') or '-'}\n  {entry['sender']} → {entry.get('recipient') or '-'}  {entry.get('dataset') or '-'}  DITOLAK {entry['reason']} ({entry['clause']})"
    act = next((name for name in ("act", "outcome", "what") if name in entry), "")
    facts = " ".join(f"{name}={_value(value)}" for name, value in entry.items() if name not in ("time", "type", act))
    return f"{head}  {_value(entry_words(kind, entry.get(act, '')))}\n  {facts}"


def _value(value: object) -> str:
    from rich.markup import escape  # noqa: PLC0415

    return escape(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _words(found: Mapping[str, Any]) -> Iterator[str]:
    entry = found["entry"]
    if entry["type"] == "sinergi/refusal/v1":
        yield _line(found)
    else:
        records, policy = entry["records"], entry["policy"]
        yield f"[bold]Pertukaran {entry['exchange']}[/bold]: {STATES[found['state']]}"
        yield f"  {wib_text(entry['time'])}, {found['log']} no. {found['index']}"
        yield f"  {entry['sender']} → {entry['recipient']}"
        yield f"  {entry['contract']['dataset']} templat {entry['contract']['template']}, tujuan {entry['purpose']}, dasar hukum {entry['basis_sha256'] or 'tidak disebut'}"
        yield f"  {'; '.join(entry['clauses'])}"
        yield f"  kebijakan versi {policy['version']} ({policy['sha256']})"
        yield f"  {records['rows']} baris: {', '.join(f'{count} {OUTCOMES[word]}' for word, count in entry['outcomes'].items())}; {records['leaves']} daun, akar {records['root']}"
        first = entry["profiles"][0]["levels"]
        for number, profile in enumerate(entry["profiles"]):
            levels = {c: int(n) for c, n, m in zip(entry["columns"], profile["levels"], first, strict=True) if number == 0 or n != m}
            yield f"  kelas baris {profile['class']}{', yang lain dari umum' * bool(number)}:"
            yield from (f"    {line}" for line in _by_level(levels, hidden=bool(number)))
        yield f"  {LEVEL_NOTE[0]}"
        if entry["quality"]:
            yield f"  mutu: {', '.join(f'{rule} {count}' for rule, count in entry['quality'].items())}"
        if entry["warnings"]:
            yield f"  peringatan: {', '.join(entry['warnings'])}"
    for one in found["about"]:
        yield _line(one)


def _by_level(levels: Mapping[str, int], *, hidden: bool = False) -> Iterator[str]:
    """One line a level, the clearest first."""
    for level in range(5, -1 if hidden else 0, -1):
        if columns := [column for column, of in levels.items() if of == level]:
            yield f"{level} {LEVEL_NAMES[level]}: {', '.join(columns)}"


# --- people
_DAY = ["%Y-%m-%d"]


def subject(
    agreement: Annotated[str, typer.Option("--agreement", "-k", help="Kesepakatan, as nk-sijunjung-2025.")],
    starts: Annotated[datetime, typer.Option("--from", formats=_DAY, help="First day (WIB).")],
    ends: Annotated[datetime, typer.Option("--to", formats=_DAY, help="Last day, inclusive.")],
    reason: Annotated[str, typer.Option(help="Why, in 10 to 500 characters, without anyone's number. It is kept.")],
    file: Annotated[Path | None, typer.Option("--file", exists=True, dir_okay=False, help="NIK or passport numbers, one a line; without it you are asked for one.")] = None,
    proofs: Annotated[bool, typer.Option("--proofs", help="With the proof for every exchange looked through.")] = False,
    out: Annotated[Path | None, typer.Option("--output", "-o", help="Write the whole answer here as JSON, for you alone.")] = None,
    home: Home = None,
) -> None:
    """Ask who received what about a person. The NIK is typed without echo or read from a file, never an argument. Recorded, without the NIK."""
    lines = file.read_text(encoding="utf-8").splitlines() if file else [typer.prompt("NIK atau nomor paspor", hide_input=True, prompt_suffix=": ")]
    subjects = [bare for line in lines if (bare := re.sub(r"[\s.\-]", "", line).upper())]
    if not subjects:
        raise ClientError("nobody was named")
    _writable(out)
    with _auditor(home) as auditor:
        found = auditor.ask(agreement, starts.date(), ends.date(), reason, subjects, proofs=proofs)
    if "state" in found:
        say(f"Permintaan {found['request']} atas {found['subjects']} orang menunggu orang kedua. [dim]A second person has to approve.[/dim]")
        say(f"Sesudah disetujui, dalam 24 jam, sekali: broker log answer {found['request']}")
        return
    _answered(found, out)


def answer(request: Request, out: Annotated[Path | None, typer.Option("--output", "-o", help="Write the whole answer here as JSON, for you alone.")] = None, home: Home = None) -> None:
    """Fetch the answer to your approved request. Once: keep it."""
    _writable(out)
    with _auditor(home) as auditor:
        found = auditor.answer(request)
    _answered(found, out)


def _writable(out: Path | None) -> None:
    """Before the one answer is fetched."""
    if out is not None and (out.exists() or not out.parent.is_dir()):
        raise ClientError(f"{out} exists, or its folder does not")


def _answered(found: Mapping[str, Any], out: Path | None) -> None:
    from broker.keys import write_private  # noqa: PLC0415

    if out is not None:
        write_private(out, json.dumps(found, ensure_ascii=False, indent=1).encode())
    say(f"{found['looked']} pertukaran {found['agreement']} dari {found['starts']} sampai {found['ends']} diperiksa.")
    if found["unlooked"]:
        say(f"[bold]{len(found['unlooked'])} pertukaran tidak dapat diperiksa[/bold] (daun atau kuncinya sudah dihapus): {', '.join(found['unlooked'])}")
    if found["looked"] and any(person["known"] and not person["proofs"] for person in found["subjects"]):
        say("[bold]Tanpa bukti[/bold]: dibaca dari basis data broker, tidak dicocokkan dengan akar log. [dim]Without proofs: as stored, not held against the log.[/dim]")
    if found["untold"]:
        say(f"[bold]{found['untold']} pembukaan samaran[/bold] tidak dapat lagi dikatakan siapa orangnya: kunci pertukarannya sudah dihapus.")
    for number, person in enumerate(found["subjects"], 1):
        if not person["known"]:
            say(f"Subjek ke-{number}: {UNKNOWN}")
            continue
        say(f"Subjek ke-{number}: ada dalam {len(person['disclosures'])}, tidak ada dalam {person['without']}.")
        for one in person["disclosures"]:
            say("\n".join(_disclosure(one)))
        for one in person["identities"]:
            say(f"  {wib_text(one['time'])}  kodenya dibuka untuk {one['recipient']}: diminta {one['person']}, disetujui {', '.join(one['approvers'])}\n    dasar {one['ground']}, pertukaran {one['exchange']}")
    if any(one["levels"] for person in found["subjects"] for one in person["disclosures"]):
        say(LEVEL_NOTE[0])
    if out is not None:
        say(f"Jawaban ditulis ke {out} (hanya untuk Anda).")


def _disclosure(one: Mapping[str, Any]) -> Sequence[str]:
    outcomes = ", ".join(dict.fromkeys(OUTCOMES[word] for word in one["outcomes"]))
    return [
        f"  {wib_text(one['time'])}  {one['sender']} → {one['recipient']}  {one['dataset']} · {one['purpose']}  {outcomes}; {STATES[one['state']]}",
        f"    pertukaran {one['exchange']}, {'; '.join(one['clauses'])}",
        *(f"    {line}" for line in _by_level(one["levels"])),
    ]


def pending(home: Home = None) -> None:
    """List requests that wait for a second person, or for their asker."""
    with _auditor(home) as auditor:
        found = auditor.requests()
    if not found:
        say("Tidak ada permintaan yang menunggu.")
    for row in found:
        say("\n".join(_asked(row)))


def _asked(row: Mapping[str, Any]) -> Sequence[str]:
    return [
        f"{row['request']}  {STATES[row['state']]}, sampai {wib_text(row['until'])}",
        f"  {row['person']} menanyakan {row['subjects']} orang dalam {row['agreement']}, {row['from']} sampai {row['to']}",
        f"  alasan: {_value(row['reason'])}",
    ]


def approve(request: Request, yes: Annotated[bool, typer.Option("--yes", help="Do not ask; you have read it.")] = False, home: Home = None) -> None:
    """Approve another person's request, having read who asks, why, and about how many."""
    with _auditor(home) as auditor:
        _read(auditor, request)
        if not yes and not typer.confirm("Setujui?"):
            raise typer.Exit(1)
        auditor.approve(request)
    say(f"Permintaan {request} Anda setujui.")


def decline(request: Request, home: Home = None) -> None:
    """Decline a request. Whom it is about is deleted."""
    with _auditor(home) as auditor:
        _read(auditor, request)
        auditor.decline(request)
    say(f"Permintaan {request} ditolak.")


def _read(auditor: Auditor, name: str) -> None:
    row = next((row for row in auditor.requests() if row["request"] == name), None)
    if row is None:
        raise ClientError("no such request waits; see `broker log pending`")
    say("\n".join(_asked(row)))


app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, add_completion=False, help="The disclosure ledger: search, subjects, reports, exports.")
for command in (search, show, subject, answer, pending, approve, decline):
    app.command(command.__name__)(command)
