"""What operators asked about tokens: who, of which exchange, on which ground, how many, who approved; and until it is answered, which tokens, sealed."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Table, text

from broker.store.tables import TABLES, _blob, _text, _whole

if TYPE_CHECKING:
    from sqlalchemy import Connection

_REQUEST: Final = Table(
    "identityrequest", TABLES,
    _text("id", key=True),  # 32 hex digits
    _text("agreement", index=True),
    _text("party"),  # of who asked
    _text("person"),
    _text("exchange"),
    _text("ground"),
    _text("reason"),
    _whole("subjects"),  # how many tokens
    _whole("pairs"),  # how many officers of each party must approve
    _text("asked"),
    _text("state"),  # pending approved answered declined expired
    _text("until"),  # of a pending one: when it lapses; of an approved one: its answer's last moment
    _blob("sealed", optional=True),  # the tokens; gone once it is answered, declined or lapsed
)  # fmt: skip

_APPROVAL: Final = Table("identityapproval", TABLES, _text("request", key=True), _text("person", key=True))


@dataclass(frozen=True, slots=True)
class IdentityRequest:
    """A row of `identityrequest`."""

    id: str
    agreement: str
    party: str
    person: str
    exchange: str
    ground: str
    reason: str
    subjects: int
    pairs: int
    asked: str
    state: str
    until: str
    sealed: bytes | None


_FIELDS: Final = tuple(f.name for f in fields(IdentityRequest))


class Identities:
    """What a transaction can ask and write of requests to learn who is behind a token."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def add(self, row: IdentityRequest) -> None:
        self._c.execute(_REQUEST.insert(), {name: getattr(row, name) for name in _FIELDS})

    def change(self, request: str, **values: object) -> None:
        self._c.execute(_REQUEST.update().where(_REQUEST.c.id == request).values(**values))

    def request(self, request: str) -> IdentityRequest | None:
        return next(iter(self._requests("id = :r", r=request)), None)

    def open(self, agreement: str) -> list[IdentityRequest]:
        """Those that wait for approvals or for their asker, oldest first."""
        return self._requests("agreement = :a AND state IN ('pending', 'approved') ORDER BY asked, id", a=agreement)

    def of(self, agreement: str) -> list[IdentityRequest]:
        """Every request of an agreement: at most 200 tokens a party and month."""
        return self._requests("agreement = :a", a=agreement)

    def used(self, agreement: str, party: str, since: str) -> int:
        """How many tokens a party's operators asked about since then, those of requests that came to nothing left out."""
        query = "SELECT SUM(subjects) FROM identityrequest WHERE agreement = :a AND party = :p AND asked >= :s AND state IN ('pending', 'approved', 'answered')"
        found: Any = self._c.execute(text(query), {"a": agreement, "p": party, "s": since}).scalar()
        return int(found or 0)

    def lapse(self, now: str) -> None:
        """Ends what was not approved, or not fetched, in time; the tokens are deleted."""
        self._c.execute(text("UPDATE identityrequest SET state = 'expired', sealed = NULL WHERE state IN ('pending', 'approved') AND until <= :n"), {"n": now})

    def approve(self, request: str, person: str) -> bool:
        """Whether this person had not approved it before."""
        if person in self.approvers(request):
            return False
        self._c.execute(_APPROVAL.insert(), {"request": request, "person": person})
        return True

    def approvers(self, request: str) -> list[str]:
        return list(self._c.execute(text("SELECT person FROM identityapproval WHERE request = :r ORDER BY person"), {"r": request}).scalars())

    def _requests(self, where: str, **values: object) -> list[IdentityRequest]:
        rows = self._c.execute(text(f"SELECT {', '.join(_FIELDS)} FROM identityrequest WHERE {where}"), values)  # noqa: S608 - our own words
        return [IdentityRequest(*row) for row in rows]
