"""Commands of the broker's administrator and security officer, on the broker's host."""

from __future__ import annotations

import ipaddress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from broker.cli.party import check_folder
from broker.cli.say import say
from broker.errors import ClientError, ConfigError
from broker.settings import broker_home, limit_polars, read_settings, unlock

Home = Annotated[Path | None, typer.Option("--home", help="Broker home (or BROKER_HOME; ./broker-home).")]


def init(home: Home = None) -> None:
    """Make a broker home: policies, keys per agreement, public.json to hand to the parties."""
    folder = broker_home(home)
    if not (folder / "secrets").exists():
        unlock("broker", True)

    from broker.wiring import init_home  # noqa: PLC0415

    public = init_home(folder, datetime.now(UTC))
    say(f"Rumah broker: {folder}\nKunci publik untuk para pihak: {folder / 'public.json'}\nSidik jari: {public.fingerprint}")


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    home: Home = None,
) -> None:
    """Serve the API. Refuses a non-loopback address without a public_url in broker.toml (TLS ends before us)."""
    import dataclasses  # noqa: PLC0415
    import logging  # noqa: PLC0415

    limit_polars()

    import uvicorn  # noqa: PLC0415

    from broker.web.app import create_app  # noqa: PLC0415
    from broker.wiring import open_office, warm_up  # noqa: PLC0415

    settings = read_settings(broker_home(home))
    settings = dataclasses.replace(settings, host=host or settings.host, port=port or settings.port)
    if not _is_loopback(settings.host) and not settings.public_url.startswith("https://"):
        raise ConfigError("broker.toml", 1, 'an address that others reach needs public_url = "https://…"')
    events = logging.StreamHandler()  # ours alone: libraries log what they handle
    events.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logging.getLogger("sinergi").addHandler(events)
    logging.getLogger("sinergi").setLevel(logging.INFO)
    office = open_office(settings.home, datetime.now(UTC))
    warm_up(office, datetime.now(UTC))
    app = create_app(office, settings.url, settings.max_submission, oidc=settings.oidc)
    app.state.console.warm_up()
    say(f"Sinergi melayani di {settings.url}; halaman API: {settings.url}/v1/docs")
    try:
        # The access log is off: it would keep who asked for what outside the ledger.
        uvicorn.run(app, host=settings.host, port=settings.port, log_level="critical", access_log=False, server_header=False)
    finally:
        app.state.worker.close()
        office.ledger.database.close()
        logging.getLogger("sinergi").info("broker ended")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def sample(
    dataset: Annotated[str, typer.Argument(help="One of the nine datasets, as pencari_kerja.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="FILE.csv, .ndjson, .xlsx or .parquet")],
    rows: Annotated[int, typer.Option("-n", "--rows", min=0, help="How many rows.")] = 1000,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 1,
    as_of: Annotated[datetime, typer.Option("--as-of", formats=["%Y-%m-%d"], help="The day the data are of.")] = datetime(2026, 11, 21),  # noqa: DTZ001 - a civil date
    party: Annotated[str, typer.Option(help="Whose rows: sijunjung, binjai or kemnaker.")] = "sijunjung",
    agreement: Annotated[str | None, typer.Option("--agreement", "-k", help="The agreement the rows belong to.")] = None,
    mess: Annotated[float, typer.Option(min=0, max=1, help="Share of rows with a fault of real life.")] = 0.0,
    text: Annotated[bool, typer.Option("--text", help="Fill free text too: notes as officers write them.")] = False,
) -> None:
    """Write synthetic rows: people who do not exist (NIK serials 9001–9999), in the dataset's template."""
    from broker.contract import load_codelists, load_contracts  # noqa: PLC0415
    from broker.sample import rows as synthetic  # noqa: PLC0415
    from broker.sample import write  # noqa: PLC0415
    from broker.settings import shipped_policies  # noqa: PLC0415

    check_folder(output)
    policies = shipped_policies()
    contracts = load_contracts(policies / "datasets")
    if dataset not in contracts:
        raise ClientError(f"no such dataset; one of {', '.join(contracts)}")
    of = agreement or ("nk-binjai-2025" if party == "binjai" else "nk-sijunjung-2025")
    day: date = as_of.date()
    codes = load_codelists(policies / "codes")
    write(output, contracts[dataset], synthetic(dataset, rows, seed, day, party=party, agreement=of, contract=contracts[dataset], codes=codes, mess=mess, text=text))
    say(f"{rows} baris {dataset} ditulis ke {output}")
