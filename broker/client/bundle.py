"""A bundle verified offline: standard library and `cryptography` only, no network, nothing believed but the keys that were pinned.

1. The archive is in its one form. 2. The checkpoint is signed by the pinned log key; witnesses' lines hold. 3. Every entry of the log is read
and makes the checkpoint's root. 4. Each exchange of the period: the broker's receipt, the parties', the tree of its leaves, its counts. 5. What
the log says of receipts and of dropped leaves is what the bundle has. 6. What was asked about people: each of the exchanges of the answer's
days has a proof that the person is in it, or is not. Format: docs/formats/bundle.md.

Everything streams: memory grows by what one exchange's rows come to, and by some hundred bytes an exchange.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from typing import IO, TYPE_CHECKING, Any, Final

from broker.client.question import Absent, Answered, Disclosed, Person
from broker.client.standing import perhaps_checkpoint, perhaps_signed, signed
from broker.client.verify import STORED, RunningRoot, check_leaves, check_opening
from broker.envelope import read_dsse, verify_dsse
from broker.envelope.dsse import ANSWER, MANIFEST
from broker.errors import KeyRingError, NotVerified
from broker.jcs import canonical, strict_object
from broker.keys import LogPublic, PublicSet, ReceiptPublic, read_public_set
from broker.ledger import OUTCOMES, RELEASED, leaf_hash
from broker.ledger.cosign import cosigners
from broker.ledger.openings import read_presence, verify_presence
from broker.ledger.stored import PartReader, read_archive
from broker.model import wib_date, wib_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from broker.client.verify import Opening
    from broker.ledger import Checkpoint
    from broker.ledger.cosign import WitnessPolicy
    from broker.ledger.openings import Presence
    from broker.ledger.stored import Part

TYPE: Final = "sinergi/bundle/v1"
SUBJECT_TYPE: Final = "sinergi/subject-answer/v1"
NAMES: Final = ("bundle.json", "checkpoint", "keys.ndjson", "entries.bin", "receipts.ndjson", "leaves.bin")
SUBJECT: Final = "subject.dsse"
WHOSE: Final = "sinergi-whose"  # the answer's header that has the key of `whose`
WHOSE_FILE: Final = ".siapa"  # behind the bundle's name: the file that keeps it
_HEAD_FIELDS: Final = {"agreement", "dropped", "from", "size", "to", "type"}
_MOST_HEAD: Final = 16 << 20  # bytes; a bundle of every exchange that fits names fewer
_MOST_NOTE: Final = 64 << 10
_MOST_KEYS: Final = 1 << 20
_MOST_RECEIPTS: Final = 1 << 20  # of one exchange: each of three repeats its manifest of at most 65,535 bytes
MOST_ANSWER: Final = 512 << 20
_WORDS: Final = {code: word for word, code in OUTCOMES.items()}
_MALFORMED: Final = (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, RecursionError)

PINNED, CLAIMED, UNKNOWN = "pinned", "claimed", "unknown"  # whose word a party's key is: yours, the bundle's; or no key of that id is at hand


class NotHeld(NotVerified):
    """step: which of STEPS it was. The text says what does not hold, and of which entry or exchange."""

    def __init__(self, step: str, message: str) -> None:
        super().__init__(message)
        self.step = step


STEPS: Final = ("arsip", "titik_periksa", "saksi", "kunci", "entri", "tanda_terima", "daun", "catatan", "pembukaan", "subjek")


@contextmanager
def _step(step: str, of: str = "") -> Iterator[None]:
    """What is raised within says which step it was, and of what."""
    try:
        yield
    except NotHeld:
        raise
    except (NotVerified, KeyRingError) as error:
        raise NotHeld(step, f"{of}: {error}" if of else str(error)) from None
    except _MALFORMED:
        raise NotHeld(step, f"{of}: malformed" if of else "malformed") from None


@dataclass(frozen=True, slots=True)
class Exchange:
    """One of the period, verified. leaves: None where they were dropped. signed: system → PINNED, CLAIMED or UNKNOWN, of the receipts there are."""

    name: str
    index: int
    time: str
    sender: str
    recipient: str
    dataset: str
    purpose: str
    leaves: int | None
    outcomes: Mapping[str, int]
    signed: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Checked:
    """What held. kinds: entries of the log by kind. cosigned: witness → POSIX seconds, where a policy was given. until: time of the last entry.

    states: exchange → what the log says became of it last. opened: the records that were opened. systems, columns: that any manifest of the log names.
    doubted: since when a receipt key is distrusted → exchanges that the log alone vouches for. witnessed: since when the checkpoint's only key is
    distrusted; then it stands by those who cosigned before. None: its key stands.
    """

    agreement: str
    starts: date
    ends: date
    checkpoint: Checkpoint
    until: str
    kinds: Mapping[str, int]
    cosigned: Mapping[str, int] | None
    exchanges: tuple[Exchange, ...]
    states: Mapping[str, str]
    policies: Mapping[int, int]
    opened: tuple[Opening, ...]
    answer: Answered | None
    systems: frozenset[str]
    columns: frozenset[str]
    doubted: Mapping[str, int]
    witnessed: str | None


def verify_bundle(
    file: IO[bytes], broker: PublicSet, *, parties: Iterable[PublicSet] = (), policy: WitnessPolicy | None = None, openings: Sequence[Opening] = ()
) -> Checked:
    """Everything in the bundle, or NotHeld. parties: their pinned public files. policy: whose cosignatures the checkpoint must carry. openings: records of it."""
    with _step("arsip"):
        parts = read_archive(file, NAMES, (SUBJECT,))
        head = strict_object(PartReader(file, parts["bundle.json"]).all(_MOST_HEAD))
    with _step("arsip", "bundle.json"):
        agreement, size, starts, ends, dropped = _head(head)
    with _step("titik_periksa"):
        note = PartReader(file, parts["checkpoint"]).all(_MOST_NOTE).decode()
        checkpoint, since = perhaps_checkpoint(note, broker, agreement)
        if since is not None and policy is None:
            raise NotVerified(f"the checkpoint is signed only with a log key that the broker says is distrusted since {wib_text(since)}: ask for a later bundle, or name witnesses who cosigned before")
        if checkpoint.size != size:
            raise NotVerified("the checkpoint is of another size than the bundle says")
    with _step("saksi"):
        keys_of_log = (*broker.all(LogPublic, "log", agreement), *broker.doubted(LogPublic, "log", agreement))
        cosigned = None if policy is None else _cosigned(policy, note, checkpoint.origin, since, *keys_of_log)
    with _step("kunci"):
        keys = _Keys(parties, _claimed(PartReader(file, parts["keys.ndjson"]).all(_MOST_KEYS)))
    asked = _Asked(file, parts[SUBJECT], agreement, broker, size, (starts, ends), dropped) if SUBJECT in parts else None
    log = _Log(file, parts, agreement, (starts, ends), dropped, broker, keys, openings, asked)
    log.read(checkpoint)
    return Checked(
        agreement, starts, ends, checkpoint, log.until, log.kinds, cosigned, tuple(log.exchanges), log.states, {v: n for v, (_, n) in log.policies.items()}, tuple(openings),
        None if asked is None else asked.finished(log), frozenset(log.systems), frozenset(log.columns), log.doubted, since,
    )  # fmt: skip


def _head(head: dict[str, Any]) -> tuple[str, int, date, date, frozenset[str]]:
    agreement, size, dropped = head["agreement"], head["size"], head["dropped"]
    if set(head) != _HEAD_FIELDS or head["type"] != TYPE or not isinstance(agreement, str) or type(size) is not int or not isinstance(dropped, list):
        raise ValueError
    return agreement, size, date.fromisoformat(head["from"]), date.fromisoformat(head["to"]), frozenset(dropped)


def _cosigned(policy: WitnessPolicy, note: str, origin: str, since: str | None, *keys: LogPublic) -> dict[str, int]:
    """Who cosigned, and when; of a checkpoint whose only key is distrusted, who did so before `since`. NotVerified if the policy is of other logs, a line does not hold, or they are not enough."""
    if policy.logs and not any((log.name, log.raw) in {(origin, key.raw) for key in keys} for log in policy.logs):
        raise NotVerified("the witness policy is not of this log")
    found = {name: one for name, one in cosigners(policy, note).items() if since is None or one.time < datetime.fromisoformat(since).timestamp()}
    if not policy.allows(found) or (since is not None and not found):
        raise NotVerified(f"the checkpoint lacks the quorum {policy.quorum}; cosigned by: {', '.join(sorted(found)) or 'nobody'}")
    return {name: one.time for name, one in found.items()}


def _claimed(data: bytes) -> list[PublicSet]:
    return [read_public_set(line) for line in data.split(b"\n")[:-1]]


class _Keys:
    """Receipt keys of the parties' systems, pinned ones first."""

    def __init__(self, pinned: Iterable[PublicSet], claimed: Iterable[PublicSet]) -> None:
        self._pinned, self._claimed = _by_id(pinned), _by_id(claimed)
        self._owners = {owner for owner, _ in self._pinned}

    def signer(self, system: str, kid: str, dsse: bytes) -> str:
        """The id of the key that the receipt is signed with: `kid`, which the manifest names, or another that is known as the system's."""
        signers = dict(read_dsse(dsse).signatures)
        later = [found for found in signers if (system, found) in self._pinned or (system, found) in self._claimed]
        return kid if kid in signers or not later else later[0]

    def verify(self, system: str, kid: str, dsse: bytes, manifest: bytes) -> str:
        """Whose word the key is that the receipt holds under. kid: of the key. NotVerified if the receipt does not hold."""
        said = PINNED if (system, kid) in self._pinned else UNKNOWN if (system, kid) not in self._claimed else CLAIMED
        if said != PINNED and system in self._owners:
            raise NotVerified(f"the manifest names another key of {system} than those that you pinned")
        if said != UNKNOWN and verify_dsse(read_dsse(dsse), MANIFEST, (self._pinned if said == PINNED else self._claimed)[system, kid]) != manifest:
            raise NotVerified(f"the receipt of {system} is over another manifest")
        return said


def _by_id(sets: Iterable[PublicSet]) -> dict[tuple[str, str], ReceiptPublic]:
    keys = [(one.owner, key) for one in sets if ("", "receipt") in one.keys for key in one.all(ReceiptPublic, "receipt")]
    return {(owner, key.kid): key for owner, key in keys}


class _Log:
    """The log as it is read, entry by entry, with the receipts and leaves of the period's exchanges beside it."""

    def __init__(
        self, file: IO[bytes], parts: Mapping[str, Part], agreement: str, days: tuple[date, date], dropped: frozenset[str], broker: PublicSet, keys: _Keys,
        openings: Sequence[Opening], asked: _Asked | None,
    ) -> None:  # fmt: skip
        self._entries, self._receipts, self._leaves = (PartReader(file, parts[name]) for name in ("entries.bin", "receipts.ndjson", "leaves.bin"))
        self._agreement, self._days, self._dropped, self._broker, self._keys, self._openings, self._asked = agreement, days, dropped, broker, keys, openings, asked
        self.exchanges: list[Exchange] = []
        self.kinds: dict[str, int] = {}
        self.states: dict[str, str] = {}
        self.policies: dict[int, tuple[str, int]] = {}  # version → its digest, exchanges under it
        self.until = ""
        self.retired = 0  # leaves of exchanges decided before this year may be gone
        self.erased: set[str] = set()  # exchanges whose secret is
        self.answers: dict[str, tuple[int, int, str]] = {}  # request → hits, exchanges looked through, when
        self.systems: set[str] = set()
        self.columns: set[str] = set()
        self.doubted: dict[str, int] = {}  # since when a key is distrusted → exchanges whose manifest is signed with it alone
        self._manifests: set[bytes] = set()
        self._days_of: dict[str, str] = {}
        self._found: dict[tuple[str, str], str] = {}  # exchange, system → digest of the receipt that is here
        self._said: dict[tuple[str, str], str] = {}  # as the log has it
        self._renewed: list[tuple[str, str, str]] = []  # exchange, system, key of a receipt that is not signed with the one the manifest names
        self._confirmed: set[tuple[str, str]] = set()  # system, key: as the log has it

    def read(self, checkpoint: Checkpoint) -> None:
        tree = RunningRoot()
        for index in range(checkpoint.size):
            with _step("entri", f"entry {index}"):
                entry = self._entries.read(int.from_bytes(self._entries.read(2), "big"))
                value: dict[str, Any] = strict_object(entry)
                kind = value["type"].split("/")[1]
            tree.add(leaf_hash(entry))
            self.kinds[kind] = self.kinds.get(kind, 0) + 1
            self._one(index, kind, entry, value)
            self.until = value["time"]
        with _step("entri"):
            self._entries.close()
            if tree.root() != checkpoint.root:
                raise NotVerified("the entries are not the log of the checkpoint")
        for step, part in (("tanda_terima", self._receipts), ("daun", self._leaves)):
            with _step(step):
                part.close()
        with _step("catatan"):
            self._settle()

    def _one(self, index: int, kind: str, entry: bytes, value: dict[str, Any]) -> None:
        match kind, value:
            case "exchange", _:
                with _step("entri", f"entry {index}"):
                    self._count(value)
                    name, day = value["exchange"], wib_date(datetime.fromisoformat(value["time"]))
                    self.systems.update((value["sender"], value["recipient"]))
                    self.columns.update(value["columns"])
                if self._asked is not None:
                    self._asked.look(index, day, value)
                if self._days[0] <= day <= self._days[1]:
                    self._exchange(index, name, entry, value)
            case "outcome", {"exchange": str() as name, "outcome": str() as outcome, "system": str() as system}:
                self.states[name] = outcome if outcome != "countersigned" else self.states.get(name, "recorded")
                if "receipt_sha256" in value:
                    self._said[name, system] = value["receipt_sha256"]
            case "keys", {"act": "confirmed", "system": str() as system, "kids": list() as kids}:
                self._confirmed.update((system, str(kid)) for kid in kids)
            case "erasure", {"act": "retire", "before": int() as before}:
                self.retired = max(self.retired, before)
            case "erasure", {"act": "exchange", "exchange": str() as name}:
                self.erased.add(name)
            case "query", {"act": "answered", "request": str() as request, "hits": int() as hits, "looked": int() as looked}:
                self.answers[request] = (hits, looked, value["time"])

    def _count(self, manifest: dict[str, Any]) -> None:
        """Each exchange once, of this log; one policy to a version."""
        name, policy = bytes.fromhex(manifest["exchange"]), manifest["policy"]
        if manifest["agreement"]["id"] != self._agreement or len(name) != 16 or name in self._manifests:
            raise NotVerified("a manifest of another agreement, or of an exchange that has one")
        self._manifests.add(name)
        digest, count = self.policies.get(policy["version"], (policy["sha256"], 0))
        if digest != policy["sha256"]:
            raise NotVerified("two policies of one version")
        self.policies[policy["version"]] = (digest, count + 1)

    def _exchange(self, index: int, name: str, entry: bytes, manifest: dict[str, Any]) -> None:
        with _step("tanda_terima", f"exchange {name}"):
            signed = self._signed(name, entry, manifest)
        with _step("daun", f"exchange {name}"):
            leaves = None if name in self._dropped else self._checked_leaves(name, manifest)
        self._days_of[name] = manifest["day"]
        contract = manifest["contract"]
        self.exchanges.append(
            Exchange(name, index, manifest["time"], manifest["sender"], manifest["recipient"], contract["dataset"], manifest["purpose"], leaves, manifest["outcomes"], signed)
        )

    def _signed(self, name: str, entry: bytes, manifest: dict[str, Any]) -> dict[str, str]:
        line = strict_object(self._receipts.line(_MOST_RECEIPTS))
        receipts = line["receipts"]
        if set(line) != {"exchange", "receipts"} or line["exchange"] != name or not isinstance(receipts, dict):
            raise NotVerified("the receipts are of another exchange: one is missing, or out of order")
        parties = {manifest["sender"]: manifest["keys"]["sender"], manifest["recipient"]: manifest["keys"]["recipient"]}
        if not {"broker"} <= receipts.keys() <= {"broker", *parties}:
            raise NotVerified("the broker's receipt is missing, or a stranger's is there")
        dsse = {signer: canonical(value) for signer, value in receipts.items()}
        payload, since = perhaps_signed(read_dsse(dsse.pop("broker")), MANIFEST, self._broker, self._agreement)  # the log is under its checkpoint already
        if payload != entry:
            raise NotVerified("the broker signed another manifest")
        if since is not None:
            self.doubted[since] = self.doubted.get(since, 0) + 1
        for system, data in dsse.items():
            self._found[name, system] = sha256(data).hexdigest()
        signers = {system: self._keys.signer(system, parties[system], data) for system, data in dsse.items()}
        self._renewed += [(name, system, kid) for system, kid in signers.items() if kid != parties[system]]
        return {system: self._keys.verify(system, signers[system], data, entry) for system, data in dsse.items()}

    def _checked_leaves(self, name: str, manifest: dict[str, Any]) -> int:
        count: int = manifest["records"]["leaves"]
        if type(count) is not int or not 0 <= count * STORED <= self._leaves.left:
            raise NotVerified("the leaves are cut short, or an exchange's are missing")
        rows = check_leaves((self._leaves.read(STORED) for _ in range(count)), manifest)
        for opening in self._openings:
            if opening.exchange == name:
                with _step("pembukaan", f"exchange {name}, row {opening.row + 1}"):
                    check_opening(opening, rows)
        return count

    def _settle(self) -> None:
        """What the log says of receipts and dropped leaves is what is here."""
        mine = {one.name for one in self.exchanges}
        if not self._dropped <= mine:
            raise NotVerified("leaves are said to be dropped of an exchange that is not of the period")
        for name in sorted(self._dropped):
            if int(self._days_of[name][:4]) >= self.retired:
                raise NotVerified(f"the leaves of exchange {name} are missing, and the log tells of no retirement that covers it")
        for name, system, kid in self._renewed:
            if (system, kid) not in self._confirmed:
                raise NotVerified(f"exchange {name}: the receipt of {system} is signed with a key that the log does not tell of")
        said = {key: digest for key, digest in self._said.items() if key[0] in mine}
        if said != self._found:
            (name, system), *_ = sorted(dict(said.items() ^ self._found.items()))
            raise NotVerified(f"exchange {name}: the receipt of {system} is missing, or is not the one that the log tells of")
        missing = [one for one in self._openings if one.exchange not in mine - self._dropped]
        if missing:
            raise NotHeld("pembukaan", f"exchange {missing[0].exchange} has no leaves in this bundle")


class _Asked:
    """The signed answer about people, its proofs held against each manifest as it comes."""

    def __init__(self, file: IO[bytes], part: Part, agreement: str, broker: PublicSet, size: int, days: tuple[date, date], dropped: frozenset[str]) -> None:
        with _step("subjek"):
            payload = signed(read_dsse(PartReader(file, part).all(MOST_ANSWER)), ANSWER, broker, agreement)
            said: dict[str, Any] = strict_object(payload)
            answer = said["answer"]
            if said["type"] != SUBJECT_TYPE or answer["agreement"] != agreement or not 0 < answer["size"] <= size:
                raise NotVerified("the answer is of another agreement, or of a longer log")
            self._request, self._size, self._time = str(answer["request"]), int(answer["size"]), str(answer["answered"])
            self._days = date.fromisoformat(answer["starts"]), date.fromisoformat(answer["ends"])
            if not days[0] <= self._days[0] <= self._days[1] <= days[1]:
                raise NotVerified("the answer is about days that the bundle does not cover: absence rests on all leaves of an exchange")
            self._unlooked, self._looked, self._walked = set(answer["unlooked"]), int(answer["looked"]), 0
            if dropped - self._unlooked:
                raise NotVerified("the answer tells of an exchange whose leaves are not in the bundle")
            self._unlooked_seen: list[Absent] = []
            self._later: list[Absent] = []
            self._people = [_Proofs(one) for one in answer["subjects"]]
            self._commitments = tuple(map(bytes.fromhex, said["people"]))
            if len(self._commitments) != len(self._people):
                raise NotVerified("the answer does not commit to whom it is about")

    def look(self, index: int, day: date, manifest: dict[str, Any]) -> None:
        name = manifest["exchange"]
        if not self._days[0] <= day <= self._days[1]:
            return
        with _step("subjek", f"exchange {name}"):
            if name in self._unlooked or index >= self._size:
                (self._later if index >= self._size else self._unlooked_seen).append(Absent(name, manifest["time"], manifest["recipient"]))
                return
            self._walked += 1
            for person in self._people:
                person.look(index, manifest)

    def finished(self, log: _Log) -> Answered:
        with _step("subjek"):
            if {one.exchange for one in self._unlooked_seen} != self._unlooked:
                raise NotVerified("the answer leaves out an exchange that is not of its days")
            for one in self._unlooked_seen:
                if one.exchange not in log.erased and wib_date(datetime.fromisoformat(one.time)).year >= log.retired:
                    raise NotVerified(f"exchange {one.exchange} was not looked through, and the log tells of no erasure that explains it")
            people = tuple(person.finished() for person in self._people)
            hits = sum(len(person.disclosed) for person in people)
            if self._looked != self._walked:
                raise NotVerified("the answer passes over an exchange of its days, or tells of more than there are")
            if log.answers.get(self._request) != (hits, self._looked, self._time):
                raise NotVerified("the log tells of no such answer to this request, or of one with other counts or another time")
            return Answered(self._request, *self._days, self._size, self._time, self._looked, (*self._unlooked_seen, *self._later), people, self._commitments)


@dataclass(slots=True)
class _Proofs:
    """One person's, by exchange, until their manifest has come."""

    said: dict[str, Any]
    known: bool = field(init=False)
    proofs: dict[str, tuple[bytes, Presence]] = field(init=False)
    disclosed: list[Disclosed] = field(default_factory=list)
    absent: list[Absent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.known = self.said["known"]
        if type(self.known) is not bool:
            raise NotVerified("the answer does not say whether the broker knows the person")
        self.proofs = {proof["exchange"]: (bytes.fromhex(proof["ref"]), read_presence(proof["presence"])) for proof in self.said["proofs"]}
        if len(self.proofs) != len(self.said["proofs"]):
            raise NotVerified("two proofs of one exchange")

    def look(self, index: int, manifest: dict[str, Any]) -> None:
        if not self.known:
            return
        name, records = manifest["exchange"], manifest["records"]
        if name not in self.proofs:
            raise NotVerified("the answer has no proof of it")
        ref, presence = self.proofs.pop(name)
        verify_presence(bytes.fromhex(name), ref, records["leaves"], bytes.fromhex(records["root"]), presence)
        if presence.leaves:
            self.disclosed.append(_disclosed(index, manifest, presence))
        else:
            self.absent.append(Absent(name, manifest["time"], manifest["recipient"]))

    def finished(self) -> Person:
        if self.proofs:
            raise NotVerified("a proof is of no exchange of the answer's days")
        told = {one["exchange"]: (one["outcomes"], one["sequences"], one["levels"]) for one in self.said["disclosures"]}
        proven = {one.exchange: (list(one.outcomes), list(one.rows), dict(one.levels)) for one in self.disclosed}
        if told != proven or len(told) != len(self.said["disclosures"]):
            raise NotVerified("the answer tells of other disclosures than its proofs")
        return Person(self.known, tuple(self.disclosed), tuple(self.absent))


def _disclosed(index: int, manifest: dict[str, Any], presence: Presence) -> Disclosed:
    columns = tuple(manifest["columns"])
    levels: dict[str, int] = {}
    for leaf in presence.leaves:
        if leaf.outcome == RELEASED:
            for column, digit in zip(columns, manifest["profiles"][leaf.profile]["levels"], strict=True):
                levels[column] = max(int(digit), levels.get(column, 0))
    contract = manifest["contract"]
    return Disclosed(
        manifest["exchange"], index, manifest["time"], manifest["sender"], manifest["recipient"], contract["dataset"], manifest["purpose"], columns,
        tuple(_WORDS[leaf.outcome] for leaf in presence.leaves), tuple(leaf.sequence for leaf in presence.leaves), levels,
    )  # fmt: skip
