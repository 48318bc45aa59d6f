"""What scripts/run executes: one broker and the parties, in processes of their own, over HTTP on loopback.

Every step is a command of the real command line; its exit status and its result are both checked. The first that is not as expected ends
the run with its name and exit status 1. The rows are synthetic: they can be shown.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn
from urllib.parse import parse_qs, urlsplit

import pyotp
from demo_world import (
    HOMES,
    NK,
    SIAPKERJA,
    SIBUSER,
    SIJOKER,
    Demo,
    Failed,
    Sent,
    cells_table,
    console,
    expect,
    heading,
    rows_table,
    table,
    tell,
    together,
    xlsx_rows,
)
from rich.markup import escape

from broker.cli.explain import Asked, what_becomes

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

ROOT: Final = Path(__file__).resolve().parent.parent
MARK: Final = ".sinergi-demo"  # only a folder that holds it is ever emptied
ROWS, OPENINGS, MESS = 1000, 200, 0.01
BASIS: Final = "UU 13/2003 Pasal 35"
SHOWN: Final = ("nik", "nama_lengkap", "tanggal_lahir", "jenis_kelamin", "kode_wilayah", "no_hp", "pendidikan_tertinggi")
GUESTS: Final = ("operator", "auditor", "petugas_keamanan")
NOTE: Final = "catatan_pengantar_kerja"
NIK: Final = re.compile(r"\d{16}")
SHOWN_OPENINGS: Final = ("id_lowongan", "nama_pemberi_kerja", "nama_jabatan", "kode_wilayah_kerja", "kontak_no_hp", "status_lowongan")


def prepare(demo: Demo) -> dict[str, str]:
    """System → the fingerprint of its keys."""
    heading(1, "Kunci dan berkas", "Keys, enrolled by fingerprint; synthetic files")
    today = datetime.now(UTC).date().isoformat()

    def sample(dataset: str, file: str, rows: int, *more: str) -> Callable[[], str]:
        return partial(demo.broker, "sample", dataset, "-n", str(rows), "--as-of", today, "-o", demo.files / file, *more, step=f"sample {file}")

    office, *printed = together(
        partial(demo.broker, "init"),
        *(partial(demo.broker, "keys", "new", "--system", system, "--url", demo.url, home=home) for system, home in HOMES.items()),
        sample("pencari_kerja", "pencari_kerja.xlsx", ROWS, "--mess", str(MESS), "--text"),
        sample("lowongan", "lowongan.ndjson", OPENINGS, "--party", "kemnaker"),
        sample("wlkp", "wlkp.csv", 20, "--party", "kemnaker", "--agreement", "nk-binjai-2025"),
    )
    (demo.folder / "broker" / "broker.toml").write_text("demonstration = true\n")
    mangle(demo.files / "pencari_kerja.xlsx", demo.files / "lewat_excel.xlsx")
    given = {system: fingerprint(text) for system, text in zip(HOMES, printed, strict=False)}  # by written notice, Pasal 11
    public = demo.folder / "broker" / "public.json"
    together(
        *(partial(demo.broker, "keys", "trust", public, "--fingerprint", fingerprint(office), home=home) for home in HOMES.values()),
    )
    keys = table("pemilik", "sidik jari")
    for owner, marks in {"broker": fingerprint(office), **given}.items():
        keys.add_row(owner, marks)
    console.print(keys)
    return given


def enrol(demo: Demo, system: str, given: str) -> str:
    """A system's keys enter by two people: the administrator proposes, an officer of its party confirms with a key of their own."""
    party, today = system.partition("@")[2], datetime.now(UTC).date().isoformat()
    officer, home, port = f"ppdp-1@{party}", f"ppdp_{party}", ("--port", str(demo.port))
    demo.broker("people", "add", "--role", "ppdp", "--party", party, "--appointment", "SK-1/2026", "--from", "2026-01-01", "--name", "Petugas", *port)
    own = fingerprint(demo.broker("keys", "new", "--system", officer, "--url", demo.url, home=home))
    demo.broker("people", "enrol-key", demo.folder / home / f"{officer}.json", "--fingerprint", own, *port)
    demo.broker("keys", "enrol", demo.folder / HOMES[system] / f"{system}.json", "--fingerprint", given, "--notice", "800/1/2026", "--date", today, *port)
    return demo.broker("keys", "confirm", system, "--fingerprint", given, home=home)


def fingerprint(printed: str) -> str:
    found = re.search(r"Sidik jari: ([0-9a-f ]{79})", printed)
    if found is None:
        raise Failed(f"Kunci: no fingerprint in\n{printed}")
    return found[1]


def mangle(source: Path, target: Path) -> None:
    """What opening a CSV in Excel and saving it does: a NIK becomes a number, and its last digit is gone."""
    from xlsxwriter import Workbook  # noqa: PLC0415 - for this step alone

    rows = xlsx_rows(source)
    with Workbook(str(target)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, list(rows[0]))
        for line, row in enumerate(rows, 1):
            for column, (name, value) in enumerate(row.items()):
                if name == "nik" and value.isdecimal():
                    sheet.write_number(line, column, float(value))
                elif value:
                    sheet.write_string(line, column, value)


def start(demo: Demo, given: dict[str, str]) -> None:
    heading(2, "Broker menyala", "The broker serves, in its own process")
    seconds = demo.serve()
    for confirmed in together(*(partial(enrol, demo, system, marks) for system, marks in given.items())):
        expect("disahkan" in confirmed, "keys confirm", confirmed)
    tell("Kunci tiap sistem diusulkan pengelola broker dan disahkan petugas pihaknya sendiri.", "Each system's keys: proposed by the administrator, confirmed by an officer of its own party.")
    printed = together(*(partial(demo.broker, "doctor", home=home, step=f"doctor {home}") for home in HOMES.values()))
    expect("BELUM" not in "".join(printed), "doctor", "\n".join(printed))
    tell(f"{demo.url} menjawab setelah {seconds:.1f} detik; `broker doctor` ketiga pihak: semuanya baik.", "It answers, and all parties' `broker doctor` find nothing in the way.")


def job_seekers(demo: Demo) -> Sent:
    heading(3, f"SIJOKER mengirim {ROWS} pencari kerja (XLSX) untuk perencanaan", "SIJOKER sends job seekers for planning")
    sent_rows = xlsx_rows(demo.files / "pencari_kerja.xlsx")
    sent = demo.send(SIJOKER, "pencari_kerja.xlsx", "pencari_kerja", "perencanaan", SIAPKERJA)
    expect(sent.rows == ROWS and 0 < sent.withheld <= 2 * MESS * ROWS, "SIJOKER mengirim", f"{sent.withheld} of {sent.rows} rows withheld")
    first = [row for number, row in enumerate(sent_rows[:20], 1) if number not in sent.named][:3]
    tell(f"Tiga baris pertama yang lolos, seperti yang dikirim (data sintetis; {len(SHOWN)} dari {len(sent_rows[0])} kolom):", "The first three rows that passed, as sent (synthetic):")
    console.print(rows_table(first, SHOWN))

    heading(4, "Apa jadinya setiap kolom, dan mengapa", "What each column became, and why (as `broker explain` says)")
    cells, warnings = what_becomes(demo.folder / "broker" / "policies", Asked(NK, "pencari_kerja", SIJOKER, SIAPKERJA, "perencanaan", None), "umum", datetime.now(UTC))
    console.print(cells_table(cells))
    console.print(f"[dim]Peringatan · warnings: {', '.join(warnings)}[/dim]")

    heading(5, "SIAPkerja mengambil, membuka, memeriksa, menandatangani", "SIAPkerja fetches, opens, verifies, signs the receipt")
    received = demo.receive(SIAPKERJA, sent, "diterima_siapkerja.ndjson")
    hidden = {cell.column for cell in cells if cell.level == 0}
    expect(not any(hidden & set(row) for row in received), "SIAPkerja membuka", "a hidden column arrived")
    expect(all(str(row["nik"]).startswith("p1.") for row in received), "SIAPkerja membuka", "a NIK is no pseudonym")
    tell("Baris yang sama, seperti yang dilihat SIAPkerja:", "The same rows as the recipient sees them:")
    console.print(rows_table(received[:3], SHOWN))
    notes(sent_rows, [row for number, row in enumerate(sent_rows, 1) if number not in sent.named], received)
    return sent


def notes(sent_rows: list[dict[str, str]], passed: list[dict[str, str]], received: list[dict[str, str | None]]) -> None:
    """Officers' notes before and after: what left holds placeholders where a person was."""
    pairs = [(before[NOTE], after[NOTE] or "") for before, after in zip(passed, received, strict=True) if before[NOTE]]
    people = {row["nik"] for row in sent_rows}
    left = "".join(after for _, after in pairs)
    expect(bool(pairs) and "[NAMA" in left and not people & set(NIK.findall(left)), "Catatan", "a note stayed as it was written")
    tell(f"Kolom {NOTE}, ditulis petugas dan seperti yang diterima (coba sendiri: `broker detect`):", "Officers' notes as written, and as they arrived:")
    made = table("ditulis", "diterima")
    for before, after in pairs[:4]:
        made.add_row(escape(before), escape(after))
    console.print(made)


def openings(demo: Demo) -> Sent:
    heading(6, f"SIAPkerja mengirim {OPENINGS} lowongan (NDJSON) kepada SIJOKER", "Vacancies go back, for placement service, with a legal basis")
    sent = demo.send(SIAPKERJA, "lowongan.ndjson", "lowongan", "layanan_penempatan", SIJOKER, "--basis", BASIS)
    expect(sent.released == OPENINGS, "SIAPkerja mengirim", f"{sent.released} of {OPENINGS} rows released")
    received = demo.receive(SIJOKER, sent, "diterima_sijoker.ndjson")
    console.print(rows_table(received[:3], SHOWN_OPENINGS))
    return sent


def refusals(demo: Demo) -> None:
    heading(7, "Empat permintaan yang ditolak", "Four refusals; each is recorded, nothing leaves")
    printed = together(
        partial(demo.refused, "ruang_lingkup", "belum disebut dalam Pasal 4", SIAPKERJA, "wlkp.csv", "wlkp", "penurunan_pengangguran", SIJOKER, "--basis", BASIS),
        partial(demo.refused, "tujuan", "tujuan tidak terdaftar", SIJOKER, "pencari_kerja.xlsx", "pencari_kerja", "layanan_penempatan", SIAPKERJA, "--basis", BASIS),
        partial(demo.refused, "bukan_pihak", "bukan pihak", SIJOKER, "pencari_kerja.xlsx", "pencari_kerja", "perencanaan", SIBUSER),
        partial(demo.refused, "mutu", "Ditolak utuh: 0 dari", SIJOKER, "lewat_excel.xlsx", "pencari_kerja", "perencanaan", SIAPKERJA),
    )
    console.print("\n".join(printed), markup=False)
    for seen in together(*(partial(demo.broker, "receive", home=home, step=f"{home} setelah penolakan") for home in HOMES.values())):
        expect("Kotak masuk kosong" in seen, "setelah penolakan", seen)


def proof(demo: Demo, seekers: Sent, vacancies: Sent) -> None:
    heading(8, "Bukti, diperiksa tanpa broker", "The proof, verified offline")
    note = json.loads((demo.folder / "sijoker" / "inbox" / vacancies.exchange / "proof.json").read_text())["checkpoint"]
    console.print("[dim]" + "\n".join(line if len(line) < 100 else line[:97] + "..." for line in note.splitlines() if line) + "[/dim]")
    demo.stop()
    expect(not demo.answers(), "Bukti", "the broker still answers")
    tell("Broker dimatikan; tidak ada yang menjawab. Kedua pihak memeriksa sendiri:", "The broker is ended, nothing answers; both parties verify on their own:")
    flipped = demo.folder / "diubah"
    shutil.copytree(demo.folder / "siapkerja", flipped)
    flip(flipped / "inbox" / seekers.exchange / "leaves.bin")
    *verified, changed = together(
        partial(demo.broker, "verify", seekers.exchange, home="siapkerja"),
        partial(demo.broker, "verify", vacancies.exchange, home="sijoker"),
        partial(demo.broker, "verify", seekers.exchange, home="diubah", status=1, step="verify satu bit diubah"),
    )
    for printed, sent in zip(verified, (seekers, vacancies), strict=True):
        expect(printed.startswith(f"SAH pertukaran {sent.exchange}") and f"{sent.released} baris dibuka" in printed, "verify", printed)
        console.print(printed.rstrip(), markup=False)
    shutil.rmtree(flipped)
    tell(f"Satu bit diubah dalam salinannya: {changed.strip()}", "One bit changed in a copy, and it no longer verifies.")


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def nothing_stays(demo: Demo) -> None:
    heading(9, "Tidak ada data pribadi yang tertinggal di broker", "Nothing personal stays behind at the broker")
    niks = {row["nik"].encode() for row in xlsx_rows(demo.files / "pencari_kerja.xlsx") if len(row["nik"]) == 16}
    files = [path for path in (demo.folder / "broker").rglob("*") if path.is_file()] + [demo.folder / "broker.log"]
    found = [path for path in files if (data := path.read_bytes()) and any(nik in data for nik in niks)]
    expect(not found, "Tidak ada yang tertinggal", f"a NIK stands in {', '.join(map(str, found))}")
    tell(f"{len(niks)} NIK dicari dalam {len(files)} berkas rumah broker dan lognya: tidak satu pun ditemukan.", "Not one NIK that was sent is in any file of the broker's home or in its log.")


def empty_folder(folder: Path) -> int:
    """`folder`, made or emptied, and locked for this run (the descriptor holds the lock). Failed if it is not a demo's, or in use."""
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise Failed(f"{folder} holds files that are no demo's: name another folder")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Failed(f"{folder}: another demo runs there; end it first (Ctrl-C)") from None
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (folder / MARK).touch()
    return lock


def guest(demo: Demo, role: str, system: str) -> str:
    """A demonstration person of the system's party, their keys enrolled and vouched for, their account set up; their id."""
    party, port, files = system.partition("@")[2], ("--port", str(demo.port)), demo.folder / HOMES[system]
    added = demo.broker("people", "add", "--role", role, "--party", party, "--appointment", "SK-2/2026", "--from", "2026-01-01", "--name", "Petugas", *port)
    found = re.search(r"Akun: (\S+)\n.*: (\S+)\n", added)
    if found is None:
        raise Failed(f"people add: no account in\n{added}")
    person, token = found.groups()
    own = fingerprint(demo.broker("keys", "new", "--system", person, "--url", demo.url, home=person))
    file, voucher = demo.folder / person / f"{person}.json", files / f"{person}.jaminan"
    demo.broker("keys", "vouch", file, "--fingerprint", own, home=HOMES[system])
    demo.broker("people", "enrol-key", file, "--fingerprint", own, "--voucher", voucher, *port)
    made = demo.post("/v1/people/setup", token=token, password=secrets.token_urlsafe(16))
    secret = parse_qs(urlsplit(made["otpauth"]).query)["secret"][0]
    demo.post("/v1/people/setup", confirm=made["confirm"], code=pyotp.TOTP(secret).now())
    return person


def guests(demo: Demo) -> None:
    """Prints the console's address, and a link for each of three demonstration people."""
    people = together(*(partial(guest, demo, role, SIJOKER) for role in GUESTS))
    links = together(*(partial(demo.broker, "people", "console-link", person, "--port", str(demo.port)) for person in people))
    tell(f"\nKonsol: {demo.url}/konsol. Tautan masuk, sekali pakai, 10 menit, hanya dari mesin ini:", "The console; links that sign in, once, within 10 minutes, from this machine:")
    for person, link in zip(people, links, strict=True):
        console.print(f"  {person:<22} {link.strip()}", markup=False, soft_wrap=True)


def go_on(demo: Demo) -> None:
    """Serves until Ctrl-C."""
    demo.serve()
    guests(demo)
    program, folder = ROOT / ".venv" / "bin" / "broker", demo.folder
    tell(f"\nBroker melayani di {demo.url} sampai Ctrl-C. Di terminal lain:", "It serves until Ctrl-C. In another terminal:")
    console.print(
        f"  PATH={program.parent}:$PATH\n  cd {folder}\n  export SINERGI_UNLOCK={demo.unlock}\n  broker doctor --home sijoker\n"
        f"  broker send berkas/pencari_kerja.xlsx -k {NK} -d pencari_kerja -t perencanaan --to {SIAPKERJA} --home sijoker\n"
        f"  broker receive --home siapkerja\n  broker people console-link operator-1@sijunjung --home broker --port {demo.port}\n  xdg-open {demo.url}/v1/docs",
        markup=False, soft_wrap=True,
    )  # fmt: skip
    assert demo.serving is not None
    demo.serving.wait()
    raise Failed("the broker ended by itself; see broker.log")


def interrupted(_: int, __: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/run", description="A real exchange between both parties, from nothing.")
    parser.add_argument("--once", action="store_true", help="exit when done: 0 only if every step happened as expected")
    parser.add_argument("--folder", type=Path, default=ROOT / "demo", help="made anew each time (demo)")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, interrupted)
    began, demo = time.monotonic(), None
    try:
        lock = empty_folder(asked.folder.resolve())
        demo = Demo(asked.folder.resolve())
        given = prepare(demo)
        start(demo, given)
        seekers = job_seekers(demo)
        vacancies = openings(demo)
        refusals(demo)
        proof(demo, seekers, vacancies)
        nothing_stays(demo)
        tell(f"\n[bold green]Semua langkah terjadi seperti seharusnya[/bold green] ({time.monotonic() - began:.0f} detik).", "Every step happened as expected.")
        if not asked.once:
            go_on(demo)
        os.close(lock)
    except (Failed, subprocess.TimeoutExpired) as error:
        console.print(f"[bold red]GAGAL[/bold red] · failed at {error}", soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        return 130 if asked.once else 0
    finally:
        if demo is not None:
            demo.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
