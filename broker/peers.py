"""Which public keys of the parties' systems hold now. A view of the ledger's database: what is confirmed or revoked, by whichever process, counts from the
next look on. How a set comes to be there is in `enrolment.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from broker.envelope import verify_dsse
from broker.errors import KeyRingError, NotVerified
from broker.keys import ReceiptPublic, RequestPublic, read_public_set
from broker.model import expires_soon, utc_text
from broker.record import entry_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from broker.envelope import Dsse
    from broker.keys import PublicSet
    from broker.record import Ledger
    from broker.store import Database, PeerRow

PURPOSES: Final = frozenset({"request", "receipt"})
KEMS: Final = frozenset({"kem", "kem-x25519"})  # one at least
REASONS: Final = ("bocor", "hilang", "petugas_berganti", "sistem_ditutup", "salah_daftar", "lainnya")  # that a key counts no more
_STANDING: Final = "SELECT fingerprint, system, state, not_after, until FROM peer WHERE state IN ('active', 'retired') ORDER BY state, confirmed DESC"  # active first


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A set that was confirmed once, whatever became of it."""

    row: PeerRow
    keys: PublicSet


class Peers(Mapping[str, "PublicSet"]):
    """System → its newest set, as long as that is active and not expired.

    Reads the database at every look, and the clock; a set that cannot be read, or is not what its row says, is not there. LedgerError if nothing can be
    read. A clock that is set back revives nothing: time is the latest that was seen, or that a log's last entry had at the start.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime], floor: datetime | None = None) -> None:
        self._database, self._clock, self._latest = database, clock, "" if floor is None else utc_text(floor)
        self._read: dict[str, PublicSet | None] = {}  # by fingerprint, which is the file's digest: it never changes

    def now(self) -> str:
        self._latest = max(self._latest, utc_text(self._clock()))
        return self._latest

    # --- what holds
    def __getitem__(self, system: str) -> PublicSet:
        found = self._standing(system, ("active",))
        if not found:
            raise KeyError(system)
        return found[0]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(keys.owner for keys in self._standing(None, ("active",))))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def standing(self, system: str | None = None) -> list[PublicSet]:
        """The sets of the system, or of every one, that signatures count under and that is sealed to: the newest, then those before it whose overlap has not ended."""
        return self._standing(system, ("active", "retired"))

    def signer(self, kid: str) -> tuple[str, RequestPublic] | None:
        """The system whose request key this is, and the key."""
        for keys in self._standing(None, ("active", "retired")):
            found = keys.get(RequestPublic, "request")
            if found.kid == kid:
                return keys.owner, found
        return None

    def verify(self, system: str, dsse: Dsse, payload_type: str) -> tuple[bytes, str]:
        """The payload, and the id of the receipt key of the system that it is signed with. NotVerified if with none that stands."""
        for keys in self.standing(system):
            key = keys.get(ReceiptPublic, "receipt")
            try:
                return verify_dsse(dsse, payload_type, key), key.kid
            except NotVerified:
                continue
        raise NotVerified("not signed by a key of this system that stands")

    def stands(self, system: str, kid: str) -> bool:
        """Whether this is the id of a key of a set that stands."""
        return any(key.kid == kid for keys in self.standing(system) for key in keys.keys.values())

    # --- what is known
    def revoked(self, kid: str) -> bool:
        return bool(self._database.look("SELECT 1 FROM peerkey WHERE kid = ? AND revoked = 1", kid))

    def known(self, system: str) -> bool:
        """Whether the system ever had keys confirmed."""
        return bool(self._database.look("SELECT 1 FROM peer WHERE system = ? AND confirmed IS NOT NULL LIMIT 1", system))

    def ever(self, system: str) -> list[Enrolled]:
        """Every set of the system that was confirmed, the oldest first."""
        with self._database.read() as tx:
            rows = tx.peers.of(system)
        return [Enrolled(row, keys) for row in rows if row.confirmed is not None and (keys := read_set(row.file, row.system, row.fingerprint)) is not None]

    def expiring(self) -> list[tuple[str, str]]:
        """System and last moment of every active set that has expired or will within the time of the reminder."""
        with self._database.read() as tx:
            return [(row.system, row.not_after) for row in tx.peers.all() if row.state == "active" and row.not_after is not None and expires_soon(row.not_after, self._clock())]

    def _standing(self, system: str | None, states: tuple[str, ...]) -> list[PublicSet]:
        now, found = self.now(), []
        for fingerprint, owner, state, not_after, until in self._database.look(_STANDING):
            holds = isinstance(not_after, str) and now < not_after and (state == "active" or (isinstance(until, str) and now < until))
            if holds and state in states and system in (None, owner) and (keys := self._keys(fingerprint, owner)) is not None:
                found.append(keys)
        return found

    def _keys(self, fingerprint: str, system: str) -> PublicSet | None:
        if fingerprint not in self._read:
            files = self._database.look("SELECT file FROM peer WHERE fingerprint = ?", fingerprint)
            self._read[fingerprint] = read_set(files[0][0], system, fingerprint) if files else None
        keys = self._read[fingerprint]
        return keys if keys is not None and keys.owner == system else None


def open_peers(ledger: Ledger, clock: Callable[[], datetime]) -> Peers:
    """The view of a ledger's database; its time begins where the last entry of any log ends."""
    with ledger.database.read() as tx:
        times = [time for log in ledger.logs if (time := entry_time(tx, log, ledger.size(log) - 1)) is not None]
    return Peers(ledger.database, clock, max(times, default=None))


def read_set(file: bytes, system: str, fingerprint: str) -> PublicSet | None:
    """The set in a system's public key file of this fingerprint (64 hex digits); None if it is another, or none."""
    try:
        found = read_public_set(file)
    except (KeyRingError, RecursionError):
        return None
    purposes = {purpose for _, purpose in found.keys}
    complete = purposes - KEMS == PURPOSES and purposes & KEMS and not any(scope for scope, _ in found.keys)
    return found if complete and found.owner == system and plain(found.fingerprint) == fingerprint else None


def plain(fingerprint: str) -> str:
    """64 hex digits of a fingerprint in groups, as people write it."""
    return "".join(fingerprint.split()).lower()


def read_time(text: str) -> datetime:
    """ValueError for a time without its offset from UTC."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError
    try:
        return found.astimezone(UTC)
    except OverflowError:
        raise ValueError from None
