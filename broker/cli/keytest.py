"""`broker keys test`: whether the keys of this machine open, and whether what they are used with works."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from broker.cli.say import say
from broker.errors import ClientError, KeyRingError
from broker.settings import broker_home, client_home

if TYPE_CHECKING:
    from collections.abc import Iterator

    from broker.selftest.known import Tests

Home = Annotated[Path | None, typer.Option("--home", help="A client's or a broker's home; the ones that are here if none is named.")]
RINGS: Final = ("secrets", "secrets/*")  # where a home keeps them


def keys_test(home: Home = None) -> None:
    """Open every key ring, check every key, and run the self-tests. Exit status 1 if anything fails."""
    homes = [home] if home else list(dict.fromkeys((client_home(None), broker_home(None))))
    rings = [(of, folder) for of in homes for folder in _rings(of)]
    if not rings:
        raise ClientError(f"no key ring in {' or '.join(map(str, homes))}; name the home with --home")
    from broker.selftest import failed  # noqa: PLC0415

    wrong = sum(not _opens(of, folder) for of, folder in rings)
    for name, test in _tests(homes).items():
        if failed({name: test}):
            wrong += 1
            say(f"[bold red]GAGAL[/bold red] Uji diri {name}.\n      → Jangan menyegel atau membuka apa pun di komputer ini. Pasang ulang sinergi dari paket yang terkunci (requirements.lock).")
        else:
            say(f"[green]baik [/green] Uji diri {name}.")
    if wrong:
        raise typer.Exit(1)


def _rings(home: Path) -> Iterator[Path]:
    from broker.keys.ring import RING  # noqa: PLC0415

    for pattern in RINGS:
        yield from sorted(path.parent for path in home.glob(f"{pattern}/{RING}"))


def _opens(home: Path, folder: Path) -> bool:
    """Says whether a ring opens: all that can be used is unwrapped, and each public part held against its secret."""
    from broker.keys import open_ring  # noqa: PLC0415

    try:
        ring = open_ring(folder, at_least=_last(home, folder.name))
    except KeyRingError as error:
        say(
            f"[bold red]GAGAL[/bold red] Kunci {folder}: {error}\n      → Jangan mengubah ring.json. Beri pembuka yang benar (SINERGI_UNLOCK atau frasa sandi); "
            "perbaiki pemilik dan izin berkas; bila berkasnya rusak atau lama, pasang kembali salinan terakhirnya."
        )  # fmt: skip
        return False
    unused = f", {len(ring.records) - len(ring.keys)} tidak dipakai lagi" if len(ring.records) > len(ring.keys) else ""
    say(f"[green]baik [/green] Kunci {folder}: {len(ring.keys)} kunci terbuka{unused}, versi {ring.version}.")
    return True


def _last(home: Path, name: str) -> int:
    """The version of a broker's ring that was last in use; 0 where nobody noted one."""
    if not (home / "ledger.db").exists():
        return 0
    from broker.store import Database  # noqa: PLC0415 - the server's

    database = Database(home / "ledger.db")
    try:
        with database.read() as tx:
            return tx.keyrings.version(name)
    finally:
        database.close()


def _tests(homes: list[Path]) -> Tests:
    if any((home / "policies").is_dir() for home in homes):
        from broker.selftest.columns import SERVER  # noqa: PLC0415 - the server's

        return SERVER
    from broker.selftest import CLIENT  # noqa: PLC0415

    return CLIENT
