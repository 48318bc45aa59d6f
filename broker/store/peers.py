"""Public key sets of the parties' systems: proposed, confirmed, renewed, revoked. What that means is decided in `broker.peers` and `broker.enrolment`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Table, text

from broker.store.tables import TABLES, _blob, _text, _whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

PEER: Final = Table(
    "peer", TABLES,
    _text("fingerprint", key=True),  # SHA-256 of the file, 64 hex digits
    _text("system", index=True),
    _text("state"),  # proposed active retired revoked
    _blob("file"),
    _text("notice"),  # number of the written notice (Pasal 11)
    _text("notice_date"),
    _text("proposed"),
    _text("confirmed", optional=True),
    _text("confirmed_by", optional=True),
    _whole("vouched"),  # 1: the confirming officer's own keys were vouched for
    _text("not_after", optional=True),  # of a confirmed one
    _text("until", optional=True),  # of a retired one: until when its keys still sign
    _text("revoked", optional=True),
    _text("revoked_by", optional=True),
    _text("compromised_since", optional=True),
    _text("reason", optional=True),
)  # fmt: skip

# Every key id that was ever confirmed, and whose: it is never another's.
PEER_KEY: Final = Table("peerkey", TABLES, _text("kid", key=True), _text("system"), _whole("revoked"))


@dataclass(frozen=True, slots=True)
class PeerRow:
    """A row of `peer`; times as everywhere, UTC with milliseconds; notice_date: a civil date."""

    fingerprint: str
    system: str
    state: str
    file: bytes
    notice: str
    notice_date: str
    proposed: str
    confirmed: str | None
    confirmed_by: str | None
    vouched: int
    not_after: str | None
    until: str | None
    revoked: str | None
    revoked_by: str | None
    compromised_since: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Affected:
    """An exchange that a system sent or received. time: of its manifest."""

    exchange: str
    time: str
    dataset: str
    sender: str
    recipient: str


_FIELDS: Final = ", ".join(f.name for f in fields(PeerRow))


class Peers:
    """The sets inside a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def add(self, row: PeerRow) -> None:
        self._c.execute(PEER.insert(), {f.name: getattr(row, f.name) for f in fields(PeerRow)})

    def change(self, fingerprint: str, **values: object) -> None:
        self._c.execute(PEER.update().where(PEER.c.fingerprint == fingerprint).values(**values))

    def drop(self, fingerprint: str) -> None:
        """Takes away a proposal."""
        self._c.execute(text("DELETE FROM peer WHERE fingerprint = :f AND state = 'proposed'"), {"f": fingerprint})

    def all(self) -> list[PeerRow]:
        return self._rows("1 = 1 ORDER BY system, proposed")

    def of(self, system: str) -> list[PeerRow]:
        """Every set of a system, the oldest first."""
        return self._rows("system = :v ORDER BY proposed", v=system)

    def get(self, fingerprint: str) -> PeerRow | None:
        return next(iter(self._rows("fingerprint = :v", v=fingerprint)), None)

    def _rows(self, where: str, **values: object) -> list[PeerRow]:
        return [PeerRow(*row) for row in self._c.execute(text(f"SELECT {_FIELDS} FROM peer WHERE {where}"), values)]  # noqa: S608 - our own words

    # keys
    def keep_kids(self, system: str, kids: Iterable[str]) -> None:
        """From now on these are the system's, and never another's."""
        self._c.execute(text("INSERT INTO peerkey (kid, system, revoked) VALUES (:k, :s, 0) ON CONFLICT (kid) DO NOTHING"), [{"k": kid, "s": system} for kid in kids])

    def revoke_kids(self, system: str) -> None:
        self._c.execute(text("UPDATE peerkey SET revoked = 1 WHERE system = :s"), {"s": system})

    def kid(self, kid: str) -> tuple[str, bool] | None:
        """Whose key id it is, and whether it was revoked; None if nobody's was ever confirmed."""
        row = self._c.execute(text("SELECT system, revoked FROM peerkey WHERE kid = :k"), {"k": kid}).first()
        return None if row is None else (row.system, bool(row.revoked))

    # what went with them
    def affected(self, system: str, since: str) -> list[Affected]:
        """Recorded exchanges that the system signed or received since then, oldest first."""
        found: Any = self._c.execute(
            text(
                "SELECT id, json_extract(CAST(manifest AS TEXT), '$.time'), dataset, sender, recipient FROM exchange"
                " WHERE (sender = :s OR recipient = :s) AND manifest IS NOT NULL AND changed >= :t ORDER BY changed, id"
            ),
            {"s": system, "t": since},
        )
        return [Affected(*row) for row in found]
