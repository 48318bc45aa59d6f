"""Which version of each key ring was last in use, the broker's public sets one after another, and certificates of what was destroyed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Column, Integer, Table, text

from broker.store.tables import TABLES, _blob, _text, _whole

if TYPE_CHECKING:
    from sqlalchemy import Connection

_RING: Final = Table("keyring", TABLES, _text("name", key=True), _whole("version"))
_SET: Final = Table(
    "publicset", TABLES,
    Column("number", Integer, primary_key=True),
    _text("fingerprint", index=True),  # SHA-256 of the file, 64 hex digits
    _blob("file"),
    _blob("dsse"),  # signed by the set before; empty: by nobody
)  # fmt: skip
_CERTIFICATE: Final = Table("keycertificate", TABLES, _text("agreement", key=True), _blob("dsse"))  # that its secret keys were destroyed


class KeyRings:
    """What a transaction can ask and write of rings and sets."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def version(self, name: str) -> int:
        """Of the ring that was last in use; 0 if none was."""
        found: Any = self._c.execute(text("SELECT version FROM keyring WHERE name = :n"), {"n": name}).scalar()
        return int(found or 0)

    def note(self, name: str, version: int) -> None:
        self._c.execute(
            text("INSERT INTO keyring (name, version) VALUES (:n, :v) ON CONFLICT (name) DO UPDATE SET version = max(version, :v)"), {"n": name, "v": version}
        )

    def day_seen(self) -> tuple[int, bool] | None:
        """The day (proleptic ordinal) that the broker last looked at the clock for its daily work, and whether it came by a jump. None before the first."""
        found: Any = self._c.execute(text("SELECT value FROM meta WHERE key = 'day'")).scalar()
        return None if found is None else (int(str(found).rstrip("?")), str(found).endswith("?"))

    def see_day(self, day: int, *, jumped: bool) -> None:
        self._c.execute(text("INSERT OR REPLACE INTO meta (key, value) VALUES ('day', :v)"), {"v": f"{day}{'?' if jumped else ''}"})

    def last_set(self) -> bytes | None:
        found: Any = self._c.execute(text("SELECT file FROM publicset ORDER BY number DESC LIMIT 1")).scalar()
        return None if found is None else bytes(found)

    def add_set(self, fingerprint: str, file: bytes, dsse: bytes) -> None:
        self._c.execute(_SET.insert(), {"fingerprint": fingerprint, "file": file, "dsse": dsse})

    def certificate(self, agreement: str) -> bytes | None:
        """That the agreement's secret keys were destroyed; None as long as they are not."""
        found: Any = self._c.execute(text("SELECT dsse FROM keycertificate WHERE agreement = :a"), {"a": agreement}).scalar()
        return None if found is None else bytes(found)

    def add_certificate(self, agreement: str, dsse: bytes) -> None:
        self._c.execute(_CERTIFICATE.insert(), {"agreement": agreement, "dsse": dsse})

    def sets_after(self, fingerprint: str) -> list[bytes] | None:
        """The statements that lead on from a set, in order. None if it was never ours."""
        at: Any = self._c.execute(text("SELECT max(number) FROM publicset WHERE fingerprint = :f"), {"f": fingerprint}).scalar()
        if at is None:
            return None
        return [bytes(dsse) for (dsse,) in self._c.execute(text("SELECT dsse FROM publicset WHERE number > :n ORDER BY number"), {"n": at})]
