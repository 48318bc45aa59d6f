"""Commands of the broker's administrator and security officer, on the broker's host."""

from __future__ import annotations

import ipaddress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from broker.cli.party import check_fingerprint
from broker.errors import ClientError, ConfigError
from broker.settings import broker_home, read_settings

if TYPE_CHECKING:
    from broker.exchange import Office

Home = Annotated[Path | None, typer.Option("--home", help="Broker home (or BROKER_HOME; ./broker-home).")]
out = Console(highlight=False, soft_wrap=True)


def init(home: Home = None) -> None:
    """Make a broker home: policies, keys per agreement, public.json to hand to the parties."""
    from broker.wiring import init_home  # noqa: PLC0415

    folder = broker_home(home)
    public = init_home(folder, datetime.now(UTC))
    out.print(f"Rumah broker: {folder}\nKunci publik untuk para pihak: {folder / 'public.json'}\nSidik jari: {public.fingerprint}")


def keys_enrol(
    file: Annotated[Path, typer.Argument(help="A party system's public file.")],
    fingerprint: Annotated[str, typer.Option(help="The fingerprint in the party's written notice.")],
    home: Home = None,
) -> None:
    """Enrol a party system's public keys by the fingerprint of its written notice (Pasal 11); never on first use."""
    from broker.keys import read_public_set, write_private  # noqa: PLC0415
    from broker.wiring import known_systems  # noqa: PLC0415

    folder = broker_home(home)
    data = file.read_bytes()
    public = read_public_set(data)
    check_fingerprint(public.fingerprint, fingerprint)
    if public.owner not in known_systems(folder):
        raise ClientError(f"{public.owner} is not a system of any agreement (Pasal 2 dan 3)")
    target = folder / "peers" / f"{public.owner}.json"
    if target.exists() and target.read_bytes() != data:
        raise ClientError(f"{public.owner} has other keys enrolled; take them out first, by notice")
    write_private(target, data)
    out.print(f"{public.owner} terdaftar; berlaku setelah broker dinyalakan ulang.")


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    home: Home = None,
) -> None:
    """Serve the API. Refuses a non-loopback address without a public_url in broker.toml (TLS ends before us)."""
    import dataclasses  # noqa: PLC0415
    import logging  # noqa: PLC0415

    import uvicorn  # noqa: PLC0415

    from broker.web.api import create_app  # noqa: PLC0415
    from broker.wiring import open_office, warm_up  # noqa: PLC0415

    settings = read_settings(broker_home(home))
    settings = dataclasses.replace(settings, host=host or settings.host, port=port or settings.port)
    if not ipaddress.ip_address(settings.host).is_loopback and not settings.public_url.startswith("https://"):
        raise ConfigError("broker.toml", 1, "an address that others reach needs public_url = \"https://…\"")
    events = logging.StreamHandler()  # ours alone: libraries log what they handle
    events.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logging.getLogger("sinergi").addHandler(events)
    logging.getLogger("sinergi").setLevel(logging.INFO)
    office = open_office(settings.home)
    warm_up(office)
    app = create_app(office, settings.url, settings.max_submission)
    out.print(f"Sinergi melayani di {settings.url}; halaman API: {settings.url}/v1/docs")
    try:
        # The access log is off: it would keep who asked for what outside the ledger.
        uvicorn.run(app, host=settings.host, port=settings.port, log_level="warning", access_log=False, server_header=False)
    finally:
        app.state.worker.close()
        office.ledger.database.close()


def sample(
    dataset: Annotated[str, typer.Argument(help="One of the nine datasets, as pencari_kerja.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="FILE.csv, .ndjson, .xlsx or .parquet")],
    rows: Annotated[int, typer.Option("-n", "--rows", min=0, help="How many rows.")] = 1000,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 1,
    as_of: Annotated[datetime, typer.Option("--as-of", formats=["%Y-%m-%d"], help="The day the data are of.")] = datetime(2026, 11, 21),  # noqa: DTZ001, B008 - a civil date
    party: Annotated[str, typer.Option(help="Whose rows: sijunjung, binjai or kemnaker.")] = "sijunjung",
    agreement: Annotated[str | None, typer.Option(help="The agreement the rows belong to.")] = None,
    mess: Annotated[float, typer.Option(min=0, max=1, help="Share of rows with a fault of real life.")] = 0.0,
) -> None:
    """Write synthetic rows: people who do not exist (NIK serials 9001–9999), in the dataset's template."""
    from broker.contract import load_codelists, load_contracts  # noqa: PLC0415
    from broker.sample import rows as synthetic  # noqa: PLC0415
    from broker.sample import write  # noqa: PLC0415
    from broker.settings import shipped_policies  # noqa: PLC0415

    policies = shipped_policies()
    contracts = load_contracts(policies / "datasets")
    if dataset not in contracts:
        raise ClientError(f"no such dataset; one of {', '.join(contracts)}")
    of = agreement or ("nk-binjai-2025" if party == "binjai" else "nk-sijunjung-2025")
    day: date = as_of.date()
    codes = load_codelists(policies / "codes")
    write(output, contracts[dataset], synthetic(dataset, rows, seed, day, party=party, agreement=of, contract=contracts[dataset], codes=codes, mess=mess))
    out.print(f"{rows} baris {dataset} ditulis ke {output}")


def explain(
    agreement: Annotated[str, typer.Argument()],
    dataset: Annotated[str, typer.Argument()],
    sender: Annotated[str, typer.Option("--from", help="Sending system.")],
    recipient: Annotated[str, typer.Option("--to", help="Receiving system.")],
    purpose: Annotated[str, typer.Option("--purpose", "-t")],
    row_class: Annotated[str, typer.Option("--row", help="Row class, as umum or anak.")] = "umum",
    basis: Annotated[str | None, typer.Option(help="Dasar hukum, where the purpose needs one.")] = None,
    home: Home = None,
) -> None:
    """Show what each column would become for a recipient and purpose today, and by which rule and Pasal."""
    from broker.wiring import open_office  # noqa: PLC0415

    office = open_office(broker_home(home))
    show_plan(office, agreement, dataset, sender, recipient, purpose, basis, row_class, datetime.now(UTC))


def show_plan(office: Office, agreement: str, dataset: str, sender: str, recipient: str, purpose: str, basis: str | None, row_class: str, now: datetime) -> None:
    from broker.agreement import agree  # noqa: PLC0415
    from broker.model import LEVEL_NAMES, ROW_FLAGS, Request, class_name  # noqa: PLC0415
    from broker.treatment import effective_level  # noqa: PLC0415

    classes = [class_name(n) for n in range(1 << len(ROW_FLAGS))]
    if row_class not in classes:
        raise ClientError(f"no such row class; flags are {', '.join(ROW_FLAGS)}, joined by +")
    template = office.contracts[dataset].template if dataset in office.contracts else ""
    request = Request(agreement, dataset, template, sender, recipient, purpose, basis, "text/csv")
    terms = agree(request, office.agreements, {d: c.template for d, c in office.contracts.items()}, now)
    contract = office.contracts[terms.dataset]
    plan = office.policy.plan(terms, contract)
    number = classes.index(row_class)
    table = Table("kolom", "tingkat", "aturan", "Pasal", title=f"{dataset} · {sender} → {recipient} · {purpose} · kelas baris {row_class}")
    for column, level in zip(contract.columns, plan.levels[number], strict=True):
        got = effective_level(column, level, plan.audience)
        rules = plan.rules[number, column.name]
        table.add_row(column.name, f"{int(got)} {LEVEL_NAMES[got]}", ", ".join(r.id for r in rules), "; ".join(dict.fromkeys(r.pasal for r in rules)))
    out.print(table)
    if terms.warnings:
        out.print(f"Peringatan: {', '.join(terms.warnings)}")
