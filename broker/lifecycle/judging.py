"""What a draft would change: its cells, what stands against it, what really leaves, and which past exchanges it would have treated otherwise."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Final, TypeVar

from broker.errors import ConfigError, Refusal
from broker.lifecycle.faults import in_indonesian
from broker.lifecycle.officers import readable
from broker.lifecycle.versions import compiled, sha256, version
from broker.policy import check_expectations, covered, diff, load_manifests, loosened, may_be_of, owed, replay, touched, unreached
from broker.treatment import effective_level

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

    from broker.model import Person
    from broker.office import Office
    from broker.policy import Change, Diff, Failure, Policy, Replayed
    from broker.store import DraftRow, VersionRow

T = TypeVar("T")
_JUDGING: Final = threading.Lock()  # one draft at a time: judging takes seconds and hundreds of megabytes
_PATIENCE: Final = 30  # seconds that a second one waits
_COMPILING: Final = threading.Lock()
_KEPT: Final = 4  # answers, each with its tables
_VERSIONS: Final = 8  # past versions in memory: 8 MB of tables each
OPEN: Final = ("draft", "proposed")


@dataclass(frozen=True, slots=True)
class Judged:
    """What a draft would be: the compiled policy, its exact difference from the one in force, and what stands against publishing it.

    failures: expectations and invariants that do not hold. loosened: locked caps that would rise. dead, armed: rule ids of the draft, not of
    the version in force, that decide nothing, and caps that nothing runs into yet. owed: agreement → parties whose officer must approve.
    touched: the agreements with a cell that changes, or a rule that does though no cell changes today.
    """

    policy: Policy
    diff: Diff
    failures: tuple[Failure, ...]
    loosened: tuple[str, ...]
    dead: tuple[str, ...]
    armed: tuple[str, ...]
    owed: dict[str, frozenset[str]]
    touched: tuple[str, ...]


def judge(office: Office, row: DraftRow) -> Judged:
    """Reads the draft as it would be published. Refusal draf_salah with line and column."""
    if not _JUDGING.acquire(timeout=_PATIENCE):
        raise Refusal("sibuk")
    try:
        return _once(office.force.worked_out, _KEPT, ("draft", str(office.policy.version), office.policy.sha256, sha256(row.rules)), lambda: _judged(office, row))
    except ConfigError as error:
        raise Refusal("draf_salah", baris=error.line, kolom=error.column, salah=in_indonesian(error.message), fault=error.message) from None
    finally:
        _JUDGING.release()


def change_of(office: Office, number: int) -> Diff | None:
    """What a published version changed; None for the first, and where one of the two no longer loads beside today's contracts and agreements."""
    row = version(office, number)
    if number == 1:
        return None
    if not _JUDGING.acquire(timeout=_PATIENCE):
        raise Refusal("sibuk")

    def change() -> Diff | None:
        before, after = _version_policy(office, number - 1, version(office, number - 1)), _version_policy(office, number, row)
        return diff(before, after) if before and after else None

    try:
        return _once(office.force.worked_out, _KEPT, ("version", sha256(row.record)), change)
    finally:
        _JUDGING.release()


def judge_ahead(office: Office, seen: object = None) -> object:
    """Judges the open drafts that changed last, and loads the last versions, so that no page need wait for it; what it has judged. seen: what it returned the last time.

    A draft that does not read is passed over: its page says why.
    """
    with office.ledger.database.read() as tx:
        found = office.policy.version, tx.versions.newest(_KEPT, *OPEN)
        if found == seen:
            return found
        rows = [row for name, _ in found[1] if (row := tx.versions.draft(name))]
        before = [past for number in range(max(1, found[0] - _VERSIONS // 2), found[0]) if (past := tx.versions.version(number))]
    for past in before:
        _version_policy(office, past.number, past)
    for row in rows:
        try:
            judge(office, row)
        except Refusal:
            continue
    return found


def _once(kept: dict[tuple[str, ...], Any], most: int, key: tuple[str, ...], make: Callable[[], T]) -> T:
    """`make()`, or what it said the last time: pages about one draft ask the same again and again. Only under a lock of those who keep there."""
    if key not in kept:
        made = make()
        while len(kept) >= most:
            del kept[next(iter(kept))]
        kept[key] = made
    found: T = kept[key]
    return found


def _judged(office: Office, row: DraftRow) -> Judged:
    old = office.policy
    policy = compiled(office, old.model, row.rules, old.version + 1)
    found = diff(old, policy)
    before, after = ({tuple(rule.values): rule for rule in each.rows} for each in (old, policy))
    both = before | after
    named = {name for values in before.keys() ^ after.keys() for name in covered(both[values], office.agreements)}
    loose = loosened(old, policy)
    debts = dict(owed(found, office.agreements))
    for rule in old.rows:
        if rule.id in loose:
            for name in covered(rule, office.agreements):
                debts[name] = frozenset(office.agreements[name].parties)
    dead, armed = unreached(policy)
    known = unreached(old)
    every = {*touched(found), *named}
    return Judged(
        policy, found, check_expectations(policy, office.expectations), loose, _new(dead, known.dead), _new(armed, known.armed), debts,
        tuple(name for name in office.agreements if name in every),
    )  # fmt: skip


def _new(now: tuple[str, ...], before: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in now if name not in frozenset(before))


def ready(office: Office, row: DraftRow) -> Judged:
    """The judged draft, if nothing but approvals stands against it. Refusals draf_dasar, draf_salah, draf_sama, draf_kunci, draf_uji, draf_menutup."""
    old = office.policy
    if row.base != old.version:
        raise Refusal("draf_dasar", dasar=row.base, versi=old.version)
    judged = judge(office, row)
    if judged.policy.sha256 == old.sha256:
        raise Refusal("draf_sama", versi=old.version)
    if judged.loosened and row.addendum is None:
        raise Refusal("draf_kunci", jumlah=len(judged.loosened))
    if judged.failures:
        raise Refusal("draf_uji", jumlah=len(judged.failures))
    if not any(table.levels.any() for table in judged.policy.tables.values()):
        raise Refusal("draf_menutup")
    return judged


def replayed(office: Office, person: Person, policy: Policy, since: date, until: date, now: datetime) -> tuple[int, tuple[Replayed, ...]]:
    """How many exchanges of the person's agreements fall in [since, until), and those that `policy` would have treated otherwise.

    From the manifests alone, each held against the very version that decided it.
    """
    own = readable(office, person, now)
    with office.ledger.database.read() as tx:
        by_version: dict[int, list[bytes]] = {}
        for row in tx.exchanges_in("recorded", "delivered", "receipted"):
            if row.manifest and row.agreement in own and may_be_of(row.manifest, since, until):
                by_version.setdefault(json.loads(row.manifest)["policy"]["version"], []).append(row.manifest)
        files = {number: tx.versions.version(number) for number in by_version}
    count = 0
    found: list[Replayed] = []
    for number, manifests in sorted(by_version.items()):
        decisions = load_manifests(manifests, since, until)
        if decisions.exchanges:
            count += len(decisions.exchanges)
            found += replay(decisions, _version_policy(office, number, files[number]), policy)
    return count, tuple(found)


def _version_policy(office: Office, number: int, row: VersionRow | None) -> Policy | None:
    """A version as it was, unless it no longer loads beside today's contracts and agreements."""
    if number == office.policy.version:
        return office.policy
    if row is None:
        return None

    def load() -> Policy | None:
        try:
            return compiled(office, row.model, row.rules, number)
        except ConfigError:
            return None

    with _COMPILING:
        return _once(office.force.compiled, _VERSIONS, (str(number), sha256(row.model + row.rules)), load)


def released(office: Office, change: Change) -> tuple[tuple[int, int], ...]:
    """What leaves before and after, as level pairs, where a contract cannot do the policy's level for one of the columns and steps down; else nothing."""
    parents = {purpose.code: purpose.parent for agreement in office.agreements.values() for purpose in agreement.purposes}
    formatted = change.dom in office.agreements and office.agreements[change.dom].formatted
    pairs = set()
    for name, purpose in product(change.objects, change.purposes):
        dataset, _, column = name.partition(".")
        if change.act == "terima" and dataset in office.contracts and column in office.contracts[dataset].names and purpose in parents:
            known = office.contracts[dataset].column(column)
            before, after = (int(effective_level(known, level, parents[purpose], formatted=formatted)) for level in (change.before, change.after))
            pairs.add((before, after))
    return tuple(sorted(pairs)) if pairs - {(change.before, change.after)} else ()
