"""The composition root: a broker home on disk → an Office ready to exchange. Everything strict is loaded here, or nothing serves."""

from __future__ import annotations

import gc
import resource
import shutil
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import polars as pl

from broker.agreement import clause_exists, load_agreements
from broker.audit.search import read_ahead
from broker.contract import load_codelists, load_contracts
from broker.contract.validate import Validators, typed
from broker.delivery import Folders
from broker.detection import detect
from broker.errors import ConfigError
from broker.keys import Rings, create_ring, open_ring, public_set, write_private
from broker.keys.ring import sweep
from broker.lifecycle import start
from broker.model import wib_date
from broker.office import Office
from broker.peers import open_peers
from broker.policy import InForce, compile_policy, expectation_files, load_policy
from broker.record import BROKER_LOG, Ledger
from broker.rotation import settle
from broker.selftest import require
from broker.selftest.columns import SERVER
from broker.settings import read_settings, shipped_policies
from broker.store import Database
from broker.witnessing import read_quorums

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from broker.keys import PublicSet
    from broker.model import Agreement, Contract
    from broker.policy import Policy

AGREEMENT_KEYS: Final = ("root", "vault", "kem", "log", "receipt")
BROKER_KEYS: Final = ("root", "log", "receipt")
POLICY_VERSION: Final = 1


def init_home(home: Path, now: datetime) -> PublicSet:
    """A new broker home: policies copied, keys made per agreement, public keys in `public.json`. ConfigError if one is there already."""
    if (home / "secrets").exists():
        raise ConfigError(str(home), 0, "is a broker home already")
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    home.chmod(0o700)
    shutil.copytree(shipped_policies(), home / "policies", dirs_exist_ok=True)
    with TemporaryDirectory(dir=home) as made:  # all rings or none: what does not unlock them must not leave half a home behind
        keys = Path(made) / "secrets"
        keys.mkdir(mode=0o700)
        rings = {name: create_ring(keys / name, AGREEMENT_KEYS, now) for name in load_agreements(home / "policies" / "agreements")}
        rings[BROKER_LOG] = create_ring(keys / BROKER_LOG, BROKER_KEYS, now)
        keys.rename(home / "secrets")
    Folders(home).create()
    public = public_set("broker", rings)
    write_private(home / "public.json", public.to_json())
    return public


def open_office(home: Path, now: datetime, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Office:
    """The office of a broker home. clock: judges whether enrolled keys hold. ConfigError, KeyRingError or LedgerError: nothing is served."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold rows and keys
    require(SERVER)
    if not (home / "secrets").is_dir():
        raise ConfigError(str(home), 0, "is no broker home; make one with `broker init`")
    policies = home / "policies"
    agreements = load_agreements(policies / "agreements")
    contracts = load_contracts(policies / "datasets")
    folders = Folders(home)
    folders.create()
    database = Database(home / "ledger.db")
    rings = _rings(home, database, (*agreements, BROKER_LOG))
    ledger, settings = Ledger(database, rings), read_settings(home)
    codes = load_codelists(policies / "codes")
    office = Office(
        agreements=agreements,
        contracts=contracts,
        codes=codes,
        validators=Validators(codes),
        force=InForce(policy_of(home, contracts, agreements)),
        expectations={Path(name).name: data for name, data in expectation_files(policies / "tests").items()},
        rings=rings,
        peers=open_peers(ledger, clock),
        ledger=ledger,
        folders=folders,
        quorums=read_quorums(home, agreements, rings, settings.witness_limit_hours, now),
        demonstration=settings.demonstration,
    )
    settle(office, now)
    start(office, now)
    return office


def _rings(home: Path, database: Database, names: Collection[str]) -> Rings:
    """Every ring, none older than the one that was last in use; what a crash left of a change is deleted."""
    for name in names:
        sweep(home / "secrets" / name)
    with database.read() as tx:
        return Rings(home / "secrets", {name: open_ring(home / "secrets" / name, at_least=tx.keyrings.version(name)) for name in names})


def policy_of(home: Path, contracts: Mapping[str, Contract], agreements: Mapping[str, Agreement]) -> Policy:
    """The policy published last in a broker home, or its seed if none is; compiled, its signatures not yet looked at. Reads only."""
    row = None
    if (home / "ledger.db").exists():
        database = Database(home / "ledger.db")
        try:
            with database.read() as tx:
                number = tx.versions.active()
                row = None if number is None else tx.versions.version(number)
        finally:
            database.close()
    if row is None:
        return load_policy(home / "policies", contracts, agreements, clause_exists, POLICY_VERSION)
    return compile_policy(row.rules, row.model, contracts, agreements, clause_exists, row.number)


def warm_up(office: Office, now: datetime) -> None:
    """Runs a row of every dataset through its rules, and decodes the logs, so that the first real exchange or search of the day is as quick as the next."""
    for agreement in office.agreements.values():
        for dataset in agreement.scope:
            contract = office.contracts[dataset]
            row = pl.DataFrame({c.name: [c.contoh or None] for c in contract.columns}, schema=dict.fromkeys(contract.names, pl.String))
            office.validators.get(contract, agreement.id, frozenset(agreement.parties), wib_date(now)).check(typed(row, contract))
    detect(["Sdr. Budi tidak hadir."])  # reads the name model and the lexicon
    read_ahead(office)
    gc.collect()
    gc.freeze()  # the office lives as long as the process: no collection need walk it again
