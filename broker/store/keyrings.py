"""Which version of each key ring was last in use, of which vault key an agreement's tags are, the broker's public sets one after another, and certificates of what was destroyed."""

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
_VAULT: Final = Table("vaultepoch", TABLES, _text("agreement", key=True), _whole("epoch"))  # none: 1
_CERTIFICATE: Final = Table("keycertificate", TABLES, _text("agreement", key=True), _blob("dsse"))  # that its secret keys were destroyed


# Which new token each old one has become, told once for a domain and an epoch that is over. exchange: empty if nobody was in it.
_MAP: Final = Table(
    "epochmap", TABLES,
    _text("agreement", key=True), _text("sender", key=True), _text("recipient", key=True), _text("purpose", key=True), _text("entity", key=True), _whole("level", key=True),
    _whole("epoch", key=True), _text("exchange"),
)  # fmt: skip


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

    def vault_epoch(self, agreement: str) -> int:
        """Of the vault key that the tags of an agreement's people are made with."""
        found: Any = self._c.execute(text("SELECT epoch FROM vaultepoch WHERE agreement = :a"), {"a": agreement}).scalar()
        return int(found or 1)

    def note_vault_epoch(self, agreement: str, epoch: int) -> None:
        self._c.execute(text("INSERT OR REPLACE INTO vaultepoch (agreement, epoch) VALUES (:a, :e)"), {"a": agreement, "e": epoch})

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

    def mapped(self, agreement: str) -> set[tuple[str, str, str, str, int, int]]:
        """Sender, recipient, purpose, entity, level and epoch of every map that was made."""
        rows = self._c.execute(text("SELECT sender, recipient, purpose, entity, level, epoch FROM epochmap WHERE agreement = :a"), {"a": agreement})
        return {tuple(row) for row in rows}

    def add_map(self, agreement: str, of: tuple[str, str, str, str, int, int], exchange: str) -> None:
        """of: as `mapped` gives them."""
        columns = ("sender", "recipient", "purpose", "entity", "level", "epoch")
        self._c.execute(_MAP.insert(), {"agreement": agreement, **dict(zip(columns, of, strict=True)), "exchange": exchange})

    def sets_after(self, fingerprint: str, most: int) -> list[bytes] | None:
        """The first statements that lead on from a set, in order. None if it was never ours, or nobody signed one of all that do."""
        at: Any = self._c.execute(text("SELECT max(number) FROM publicset WHERE fingerprint = :f"), {"f": fingerprint}).scalar()
        if at is None:
            return None
        if self._c.execute(text("SELECT 1 FROM publicset WHERE number > :n AND length(dsse) = 0 LIMIT 1"), {"n": at}).scalar():
            return None
        return [bytes(dsse) for (dsse,) in self._c.execute(text("SELECT dsse FROM publicset WHERE number > :n ORDER BY number LIMIT :m"), {"n": at, "m": most})]
