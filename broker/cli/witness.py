"""`broker witness`: a party's own witness of the logs, on the party's own server."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from broker.cli.say import say
from broker.errors import ClientError
from broker.settings import client_home

Home = Annotated[Path | None, typer.Option("--home", help="Client home (or SINERGI_HOME; ./sinergi-home).")]


def witness(
    host: Annotated[str, typer.Option(help="Address to listen on; TLS ends before us.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8471,
    show: Annotated[bool, typer.Option("--show", help="Print the line for the broker's witness policy, and end.")] = False,
    home: Home = None,
) -> None:
    """Cosign the logs' checkpoints, each only if it contains the last one cosigned here. Makes its key at the first start."""
    import tomllib  # noqa: PLC0415

    from broker.client.witness import Witness, WitnessServer, pinned  # noqa: PLC0415

    folder = client_home(home)
    if not (folder / "client.toml").exists():
        raise ClientError(f"{folder} is no client home; make one with `broker keys new`")
    system = tomllib.loads((folder / "client.toml").read_text())["system"]
    if show and (vkey := Witness.shown(folder, system)):
        say(f"witness {system} {vkey.text}")
        return
    _renew(folder)
    with Witness.at(folder, system, lambda: pinned(folder), lambda: datetime.now(UTC)) as served:
        say(f"witness {system} {served.vkey.text}")
        if show:
            return
        with WitnessServer(served, host, port) as server:
            say(f"Saksi {system} melayani di http://{host}:{server.server_port}. [dim]Put its https:// address behind the line above.[/dim]")
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                return


def _renew(folder: Path) -> None:
    """Follows the broker's keys to those in use; later the party's own sending and receiving does."""
    from broker.client import Client  # noqa: PLC0415

    with Client.at(folder) as client:
        client.renew()
