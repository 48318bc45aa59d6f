"""`broker verify`: an exchange of your own home, or a bundle, checked offline; what held, what was not checked, what it does not prove."""

from __future__ import annotations

import re
import shutil
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from broker.cli.party import _client, show_verified
from broker.cli.say import fitted
from broker.errors import ClientError
from broker.model import LEVEL_NAMES, LEVEL_NOTE, wib_text
from broker.settings import client_home

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from broker.client.bundle import Checked
    from broker.client.question import Answered, Disclosed, Person, Question, Verdict
    from broker.client.verify import Opening
    from broker.keys import PublicSet

    Say = Callable[[str, str], str]  # Indonesian, English → the one that is spoken

MOST_CERTIFICATE: Final = 1 << 20  # bytes
UNPINNED: Final = "the broker's keys are not pinned; name its public.json with --broker"
UNTOLD: Final = 2  # exit status: everything held, and does not answer what was asked
LEVELS: Final = ("hidden", "masked", "generalised", "pseudonym", "format-preserving pseudonym", "clear")
STEPS: Final[Mapping[str, tuple[str, str]]] = {
    "arsip": ("arsip", "archive"), "titik_periksa": ("titik periksa", "checkpoint"), "saksi": ("saksi", "witnesses"), "kunci": ("kunci pihak", "parties' keys"),
    "entri": ("entri log", "log entries"), "tanda_terima": ("tanda terima", "receipts"), "daun": ("daun", "leaves"), "catatan": ("catatan log", "what the log tells"),
    "pembukaan": ("baris yang dibuka", "opened row"), "subjek": ("jawaban subjek", "answer about people"),
}  # fmt: skip
KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "exchange": ("pertukaran", "exchanges"), "refusal": ("penolakan", "refusals"), "outcome": ("nasib kiriman", "outcomes"), "policy": ("kebijakan", "policy"),
    "query": ("pertanyaan", "queries"), "export": ("berkas diambil", "files taken"), "erasure": ("penghapusan", "erasures"), "witness": ("saksi", "witnesses"), "person": ("petugas", "officers"),
    "keys": ("kunci", "keys"),
}  # fmt: skip
STATES: Final[Mapping[str, tuple[str, str]]] = {
    "recorded": ("tersedia bagi penerima, belum diambil menurut log", "ready for the recipient, not fetched by what the log tells"),
    "delivered": ("diambil penerima menurut log", "fetched by the recipient, by what the log tells"),
    "receipted": ("tanda terima ditandatangani penerima", "receipt signed by the recipient"),
}

# doubt of a verdict → the line that says it; that the broker knows nobody of the number is said at the end (`_rests`)
DOUBTS: Final[Mapping[str, tuple[str, str]]] = {
    "penerima": ("Log ini tidak mengenal penerima itu: periksa ejaannya.", "This log knows no such recipient: check the spelling."),
    "kolom": ("Log ini tidak mengenal kolom bernama demikian: periksa ejaannya.", "This log knows no column of that name: check the spelling."),
    "masa": ("Jawaban ini tidak meliputi seluruh tahun itu.", "The answer does not cover all of that year."),
}


def verify(
    target: Annotated[str, typer.Argument(help="A bundle's file, a certificate of destroyed keys, or the id of an exchange in your home.")],
    broker: Annotated[Path | None, typer.Option("--broker", exists=True, dir_okay=False, help="Of a bundle: the broker's public.json; without it the one pinned in your home.")] = None,
    keys: Annotated[Path | None, typer.Option("--keys", exists=True, file_okay=False, help="Of a bundle: a folder of the parties' public files, as you got them from the parties.")] = None,
    witnesses: Annotated[Path | None, typer.Option("--witnesses", exists=True, dir_okay=False, help="Of a bundle: the witness policy that its checkpoint must satisfy.")] = None,
    record: Annotated[list[Path] | None, typer.Option("--record", exists=True, dir_okay=False, help="Of a bundle: a row opened by its recipient (`broker open --row`). May be repeated.")] = None,
    show: Annotated[bool, typer.Option("--show", help="With --record: print what the opened rows say, not their columns' names alone.")] = False,
    who: Annotated[bool, typer.Option("--who", help="Of a bundle about people: whether it is about a NIK, asked for without showing it; FILE.siapa must lie beside it.")] = False,
    column: Annotated[str, typer.Option(help="Of a bundle about people: whether this column was received, as upah_sebulan; a word, as upah, takes every column that has it.")] = "",
    recipient: Annotated[str, typer.Option(help="By whom, as siapkerja@kemnaker.")] = "",
    year: Annotated[int, typer.Option(help="In which year.")] = 0,
    refresh: Annotated[bool, typer.Option("--refresh", help="Of an exchange: fetch its proof anew first, where the one kept is signed with a log key that is distrusted now.")] = False,
    bahasa: Annotated[str, typer.Option(help="id or en.")] = "id",
    home: Annotated[Path | None, typer.Option("--home", help="Your home (or SINERGI_HOME; ./sinergi-home).")] = None,
) -> None:
    """Check a bundle, a certificate or a received exchange offline. Exit status 0 if all of it holds, 1 if not, 2 if it holds and does not tell what was asked."""
    if bahasa not in ("id", "en"):
        raise ClientError("--bahasa is id or en")
    if not Path(target).is_file():
        if Path(target).suffix:
            raise ClientError(f"{target} is no file")
        with _client(home) as client:
            show_verified(target, client.refresh(target) if refresh else client.verify(target))
        return
    if refresh:
        raise ClientError("--refresh is of an exchange of your home: a bundle is asked for anew")
    pinned = broker or client_home(home) / "broker.json"
    if _certified(Path(target), pinned):
        return
    if show and not record:
        raise ClientError("--show needs --record: an opened row is all that can be shown")
    if bool(column) != bool(recipient) or bool(column) != bool(year):
        raise ClientError("a question needs --column, --recipient and --year")
    raise typer.Exit(_bundle(Path(target), pinned, keys, witnesses, record or [], (column, recipient, year), bahasa, who=who, show=show))


def _certified(file: Path, broker: Path) -> bool:
    """Shows a certificate of destroyed keys. False for another file; NotVerified for one that does not hold."""
    from broker.cli.ending import show  # noqa: PLC0415
    from broker.client.destruction import is_certificate, read_certificate  # noqa: PLC0415

    with file.open("rb") as f:
        data = f.read(MOST_CERTIFICATE)
    if not is_certificate(data):
        return False
    if not broker.exists():
        raise ClientError(UNPINNED)
    show(read_certificate(data, _public(broker)))
    return True


def _bundle(file: Path, broker: Path, keys: Path | None, witnesses: Path | None, records: list[Path], asked: tuple[str, str, int], bahasa: str, *, who: bool, show: bool) -> int:
    from broker.client.bundle import WHOSE_FILE, NotHeld, verify_bundle  # noqa: PLC0415
    from broker.client.question import Question  # noqa: PLC0415
    from broker.client.verify import read_opening  # noqa: PLC0415
    from broker.ledger.cosign import read_policy  # noqa: PLC0415

    def say(indonesian: str, english: str) -> str:
        return indonesian if bahasa == "id" else english

    if not broker.exists():
        raise ClientError(UNPINNED)
    pinned = _public(broker)
    parties = [_public(path) for path in sorted(keys.glob("*.json"))] if keys else []
    policy = read_policy(witnesses.read_bytes(), witnesses.name) if witnesses else None
    openings = [read_opening(path.read_bytes()) for path in records]
    question = Question(*asked) if asked[0] else None
    with ExitStack() as stack:
        try:
            found = verify_bundle(stack.enter_context(file.open("rb")), pinned, parties=[p for p in parties if p.owner != "broker"], policy=policy, openings=openings)
        except NotHeld as error:
            _print(say(f"TIDAK SAH {file.name}", f"NOT VALID {file.name}"))
            _print(f"  {say(*STEPS[error.step])}: {error}")
            return 1
    for line in page(found, file.name, say):
        _print(line)
    for opened in found.opened:
        for line in _opened(opened, say, show=show):
            _print(line)
    told = not (who and found.answer is None)
    if not told:
        _print(say("Bundel ini tidak memuat jawaban tentang orang.", "This bundle holds no answer about people."))
    if who and found.answer is not None:
        key = file.with_name(file.name + WHOSE_FILE).read_bytes()
        number = found.answer.about(key, re.sub(r"[\s.\-]", "", typer.prompt("NIK atau nomor paspor", hide_input=True, prompt_suffix=": ")).upper())
        told = number is not None
        _print("")
        if number is None:
            _print(say("Jawaban ini bukan tentang orang yang Anda sebut.", "This answer is not about the person you named."))
        else:
            _print(say(f"Orang ke-{number + 1} adalah yang Anda sebut: broker menandatanganinya.", f"Person {number + 1} is whom you named: the broker signed that."))
    for line, known in answers(found, question, say):
        _print(line)
        told = told and known
    return 0 if told else UNTOLD


def _public(path: Path) -> PublicSet:
    from broker.keys import read_public_set  # noqa: PLC0415

    return read_public_set(path.read_bytes())


def _print(line: str) -> None:
    """Whatever a file says, it steers no terminal."""
    shown = "".join(c if c.isprintable() else "?" for c in line)
    typer.echo(fitted(shown, shutil.get_terminal_size().columns) if sys.stdout.isatty() else shown)


def page(found: Checked, name: str, say: Say) -> Iterator[str]:
    """What held, what was not checked, what is not proven: one page."""
    yield say(f"SAH {name}: {found.agreement}, pertukaran {found.starts} sampai {found.ends}", f"VALID {name}: {found.agreement}, exchanges from {found.starts} to {found.ends}")
    parts = (
        (say("Yang terbukti", "What is proven"), _proven),
        (say("Yang tidak diperiksa", "What was not checked"), _unchecked),
        (say("Yang tidak dibuktikan (docs/trust.md)", "What it does not prove (docs/trust.md)"), _unproven),
    )
    for heading, part in parts:
        yield ""
        yield heading
        yield from (f"  {line}" for line in part(found, say))


def _signed(found: Checked, whose: str) -> int:
    return sum(said == whose for one in found.exchanges for said in one.signed.values())


def _proven(found: Checked, say: Say) -> Iterator[str]:
    from broker.client.bundle import PINNED  # noqa: PLC0415

    kept = [one.leaves for one in found.exchanges if one.leaves is not None]
    rows = sum(sum(one.outcomes.values()) for one in found.exchanges)
    released = sum(one.outcomes.get("terkirim", 0) for one in found.exchanges)
    size, origin = found.checkpoint.size, found.checkpoint.origin
    yield say(
        f"Log {origin} berukuran {size}, sampai {wib_text(found.until)}: titik periksanya ditandatangani kunci broker yang Anda pasang, dan semua entrinya menghasilkan akarnya:",
        f"Log {origin} of size {size}, up to {wib_text(found.until)}: its checkpoint is signed by the broker's key that you pinned, and all its entries make its root:",
    )
    yield f"  {found.checkpoint.root.hex()}"
    yield "  " + ", ".join(f"{say(*KINDS.get(kind, (kind, kind)))} {count}" for kind, count in sorted(found.kinds.items()))
    if found.cosigned is not None:
        witnesses = ", ".join(f"{name} {wib_text(datetime.fromtimestamp(at, UTC).isoformat())}" for name, at in sorted(found.cosigned.items()))
        yield say(f"Saksi mencukupi kebijakan Anda: {witnesses or 'tidak diperlukan'}.", f"Witnesses satisfy your policy: {witnesses or 'none needed'}.")
    yield say(
        f"{len(found.exchanges)} pertukaran dalam masa itu, tidak ada yang lain dalam log: setiap manifes ditandatangani broker; {released} baris dikirim, {rows - released} ditahan.",
        f"{len(found.exchanges)} exchanges in that period, and no others in the log: every manifest is signed by the broker; {released} rows released, {rows - released} withheld.",
    )
    yield say(
        f"{sum(kept)} daun dari {len(kept)} pertukaran: urut, lengkap, cocok dengan akar dan hitungan manifesnya.",
        f"{sum(kept)} leaves of {len(kept)} exchanges: in order, complete, those of their manifests' roots and counts.",
    )
    if count := _signed(found, PINNED):
        yield say(f"{count} tanda terima pihak, dengan kunci yang Anda dapat dari pihak itu.", f"{count} receipts of parties, by the keys that you got from the parties.")
    if found.witnessed is not None:
        yield say(
            f"PERINGATAN: kunci log itu tidak dipercaya sejak {wib_text(found.witnessed)}; yang menjamin titik periksa ini adalah saksi yang menandatanganinya sebelum itu.",
            f"WARNING: that log key is distrusted since {wib_text(found.witnessed)}; what vouches for this checkpoint is the witnesses who cosigned it before.",
        )
    for since, count in sorted(found.doubted.items()):
        yield say(
            f"PERINGATAN: manifes {count} pertukaran ditandatangani kunci yang tidak dipercaya sejak {wib_text(since)}; yang menjaminnya hanya log di bawah titik periksa itu.",
            f"WARNING: the manifests of {count} exchanges are signed with a key distrusted since {wib_text(since)}; the log under that checkpoint alone vouches for them.",
        )
    for opened in found.opened:
        yield say(f"Baris {opened.row + 1} pertukaran {opened.exchange} adalah yang dikomit.", f"Row {opened.row + 1} of exchange {opened.exchange} is the one committed to.")


def _opened(opened: Opening, say: Say, *, show: bool) -> Iterator[str]:
    """The columns of an opened row, and with `show` what they say."""
    yield ""
    yield say(f"Baris {opened.row + 1} pertukaran {opened.exchange}", f"Row {opened.row + 1} of exchange {opened.exchange}")
    if not opened.line:
        yield say("  ditahan: tidak ada yang dikirim.", "  withheld: nothing was released.")
        return
    cells = opened.cells
    if show:
        nothing = say("(kosong atau disembunyikan)", "(empty or hidden)")
        yield from (f"  {column}: {nothing if value is None else value}" for column, value in cells.items())
        return
    for words, empty in ((say("berisi", "filled"), False), (say("kosong atau disembunyikan", "empty or hidden"), True)):
        yield f"  {words}: {', '.join(column for column, value in cells.items() if (value is None) is empty) or '-'}"
    yield say("  Nilainya dicetak dengan --show.", "  --show prints the values.")


def _unchecked(found: Checked, say: Say) -> Iterator[str]:
    from broker.client.bundle import CLAIMED, UNKNOWN  # noqa: PLC0415

    if found.cosigned is None:
        yield say("Saksi: sebutkan kebijakan saksi dengan --witnesses.", "Witnesses: name a witness policy with --witnesses.")
    if count := _signed(found, CLAIMED):
        yield say(
            f"{count} tanda terima cocok dengan kunci yang dibawa bundel sendiri: milik siapa kunci itu adalah kata broker. Sebutkan kunci dari pihaknya dengan --keys.",
            f"{count} receipts hold by keys that the bundle itself brings: whose they are is the broker's word. Name the parties' own with --keys.",
        )
    if count := _signed(found, UNKNOWN):
        yield say(f"{count} tanda terima: kuncinya tidak ada di sini.", f"{count} receipts: their keys are not at hand.")
    if count := sum(one.recipient not in one.signed for one in found.exchanges):
        yield say(f"{count} pertukaran tanpa tanda terima penerima.", f"{count} exchanges without their recipient's receipt.")
    if count := sum(one.leaves is None for one in found.exchanges):
        yield say(f"Daun {count} pertukaran: dilepas menurut jadwal retensi, seperti dicatat log.", f"The leaves of {count} exchanges: dropped under the retention schedule, as the log tells.")
    if not found.opened:
        yield say("Isi baris: hanya penerima dapat membukanya (`broker open --row`, lalu --record).", "What rows say: only their recipient can open them (`broker open --row`, then --record).")


def _unproven(found: Checked, say: Say) -> Iterator[str]:
    yield say(
        "Bahwa baris pengirim benar; apa yang dilakukan penerima sesudahnya; mengapa sebuah baris ditahan; jam broker;",
        "That the sender's rows were true; what the recipient did afterwards; why a row was withheld; the broker's clock;",
    )
    yield say(
        "bahwa tidak ada yang keluar tanpa dicatat: itu dijaga klien penerima, yang menolak kiriman tanpa bukti;",
        "that nothing left unrecorded: that is for the recipient's client, which refuses what has no proof;",
    )
    if found.cosigned is None:
        yield say("bahwa pihak lain melihat log yang sama: itu tugas saksi.", "that others were shown the same log: that is for witnesses.")
    else:
        yield say("bahwa saksi Anda tidak bersekongkol dengan broker.", "that your witnesses do not act together with the broker.")


def answers(found: Checked, question: Question | None, say: Say) -> Iterator[tuple[str, bool]]:
    """What was asked about people, line by line; False with a line that cannot tell what was asked."""
    from broker.client.question import answered  # noqa: PLC0415

    answer = found.answer
    if answer is None:
        if question is not None:
            yield "", True
            yield say("Bundel ini tidak memuat jawaban tentang orang; mintalah dengan `broker log bundle --subject`.", "This bundle holds no answer about people; ask with `broker log bundle --subject`."), False
        return
    yield "", True
    yield say(
        f"Jawaban atas permintaan {answer.request}: {answer.starts} sampai {answer.ends}, log berukuran {answer.size}; permintaan itu dan jawabannya tercatat dalam log.",
        f"Answer to request {answer.request}: {answer.starts} to {answer.ends}, the log at size {answer.size}; the log tells of the request and the answer.",
    ), True
    for number, person in enumerate(answer.people, 1):
        yield say(f"Orang ke-{number} yang ditanyakan", f"Person {number} of those asked about"), True
        if question is None:
            yield from ((line, True) for line in _all(found, answer, person, say))
        else:
            verdict = answered(found, answer, person, question)
            yield from ((line, True) for line in _verdict(found, answer, verdict, question, say))
            yield _rests(answer, person, say), verdict.answer is not None


def _all(found: Checked, answer: Answered, person: Person, say: Say) -> Iterator[str]:
    if not person.known and answer.looked:
        yield _rests(answer, person, say)
        return
    yield say(
        f"  ada dalam {len(person.disclosed)} pertukaran, terbukti tidak ada dalam {len(person.absent)}, tidak dijawab {len(answer.unlooked)}.",
        f"  is in {len(person.disclosed)} exchanges, is proven not to be in {len(person.absent)}, unanswered {len(answer.unlooked)}.",
    )
    for one in person.disclosed:
        yield from _disclosed(found, one, one.levels, say)
    if any(one.levels for one in person.disclosed):
        yield f"    {say(*LEVEL_NOTE)}"
    yield _rests(answer, person, say)


def _verdict(found: Checked, answer: Answered, verdict: Verdict, question: Question, say: Say) -> Iterator[str]:
    column, recipient, year = question.column, question.recipient, question.year
    yield say(f"  Apakah {recipient} menerima {column} orang ini pada tahun {year}?", f"  Did {recipient} receive this person's {column} in {year}?")
    if verdict.columns - {column}:
        names = ", ".join(sorted(verdict.columns))
        yield say(f"  `{column}` bukan nama satu kolom; yang diperiksa: {names}. Untuk satu saja, sebutkan dengan --column.", f"  `{column}` names no one column; looked at: {names}. For one of them, name it with --column.")
    word = {True: say("YA", "YES"), False: say("TIDAK", "NO"), None: say("TIDAK DAPAT DIJAWAB", "CANNOT BE TOLD")}[verdict.answer]
    upto = say(f"sampai {wib_text(answer.time)}", f"up to {wib_text(answer.time)}")
    yield f"  {word}, {upto}."
    for one, levels in verdict.received:
        yield from _disclosed(found, one, levels, say)
    if verdict.received:
        yield f"    {say(*LEVEL_NOTE)}"
        yield say("    Isi sel itu hanya terlihat dari baris yang dibuka penerima (--record).", "    What the cell held is seen only in a row that its recipient opened (--record).")
    for one in verdict.hidden:
        why = say("kolom itu disembunyikan atau tidak ada", "the column is hidden or not there") if one.levels else say("barisnya ditahan", "its row was withheld")
        yield say(f"    ada, tanpa kolom itu: pertukaran {one.exchange} ({one.dataset}): {why}", f"    there, without the column: exchange {one.exchange} ({one.dataset}): {why}")
    if verdict.absent:
        yield say(
            f"    terbukti tidak ada dalam {len(verdict.absent)} pertukaran ke {recipient} (dua daun yang berdampingan mengapit tempatnya):",
            f"    proven not to be in {len(verdict.absent)} exchanges to {recipient} (two adjacent leaves enclose its place):",
        )
        yield from (f"      {wib_text(one.time)}  {one.exchange}" for one in verdict.absent)
    if verdict.unlooked:
        yield say(f"    tidak dijawab: {len(verdict.unlooked)} pertukaran, yang daun atau rahasianya dihapus, atau yang dicatat sesudahnya:", f"    unanswered: {len(verdict.unlooked)} exchanges, whose leaves or secret were erased, or that were recorded since:")
        yield from (f"      {wib_text(one.time)}  {one.exchange}" for one in verdict.unlooked)
    yield from (f"    {say(*DOUBTS[doubt])}" for doubt in verdict.doubts if doubt in DOUBTS)


def _disclosed(found: Checked, one: Disclosed, levels: Mapping[str, int], say: Say) -> Iterator[str]:
    rows = ", ".join(str(row + 1) for row in one.rows)
    yield f"    {wib_text(one.time)}  {one.sender} → {one.recipient}  {one.dataset} · {one.purpose}  " + say(f"pertukaran {one.exchange}, baris {rows}", f"exchange {one.exchange}, row {rows}")
    shown = ", ".join(f"{column} {level} ({say(LEVEL_NAMES[level], LEVELS[level])})" for column, level in levels.items() if level)
    yield f"      {shown or say('tidak ada kolom yang dikirim', 'no column was released')}; {say(*STATES[found.states.get(one.exchange, 'recorded')])}"


def _rests(answer: Answered, person: Person, say: Say) -> str:
    if person.known or not answer.looked:
        return say(
            "  Bertumpu pada kata broker, yang ditandatanganinya: bahwa rujukan dalam bukti-bukti ini milik orang yang Anda tanyakan.",
            "  What rests on the broker's word, which it signed: that the references in these proofs are those of the person you asked about.",
        )
    return say(
        "  Broker mengatakan tidak mengenal siapa pun dengan nomor ini: salah ketik, sudah dihapus, atau tidak pernah tercatat. Itu katanya, yang ditandatanganinya, bukan bukti bahwa tidak ada yang dikirim.",
        "  The broker says that it knows nobody of this number: mistyped, erased, or never recorded. That is its word, which it signed, and no proof that nothing was disclosed.",
    )
