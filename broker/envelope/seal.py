"""Sealing and opening payload envelopes, chunk by chunk.

The content key is fresh per envelope and sealed per recipient with HPKE (RFC 9180) MLKEM768-X25519 / HKDF-SHA256 / AES-256-GCM;
`info` binds it to the core header, the stream's context binds it to the full header. A suite is never negotiated.
Nothing of a stream is final until `Opener.finish()` returned: truncation shows only there.
"""

from __future__ import annotations

import hashlib
import re
import struct
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from cryptography.exceptions import AlreadyFinalized, InvalidTag
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from broker.errors import NotOpened
from broker.jcs import canonical, strict_object
from broker.keys.derive import LABELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from broker.keys.material import KemKey, KemPublic

MAGIC: Final = b"SNG1"
MAX_HEADER: Final = 65_535
SUITE: Final = "MLKEM768-X25519/HKDF-SHA256/AES-256-GCM"
_HPKE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_KEY = 32
KINDS: Final = frozenset({"kiriman", "pengungkapan"})
_EXCHANGE: Final = re.compile(r"[0-9a-f]{32}")
_CREATED: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
CORE_FIELDS: Final = frozenset(
    {"agreement", "content_type", "created", "dataset", "exchange", "kind", "purpose", "recipient", "sender", "template", "v"}
)


@dataclass(frozen=True, slots=True)
class Header:
    """A parsed envelope header; `raw` is what the stream is bound to."""

    raw: bytes
    core: Mapping[str, str | int]
    recipients: tuple[tuple[str, bytes], ...]  # kid, sealed secret

    @property
    def prefix(self) -> bytes:
        return MAGIC + struct.pack(">I", len(self.raw)) + self.raw


def _info(core: Mapping[str, str | int]) -> bytes:
    return LABELS["cek"] + b"\0" + hashlib.sha256(canonical(core)).digest()


class Sealer:
    """Encrypts a stream under a content key that only the recipients can open. Owns the key until `finish`."""

    def __init__(self, header: Header, content_key: bytes) -> None:
        self.header = header
        self._stream = Cobblestone256Encryptor(content_key, hashlib.sha256(header.raw).digest())

    def update(self, data: bytes) -> bytes:
        return self._stream.update(data)

    def finish(self) -> bytes:
        return self._stream.finalize()


def seal(core: Mapping[str, str | int], recipients: Iterable[KemPublic], extra: bytes = b"") -> Sealer:
    """A sealer for `recipients`; `extra` (a disclosure's salt key) travels beside the content key under the same HPKE seal."""
    if set(core) != CORE_FIELDS:
        raise ValueError("core header fields")
    content_key = Cobblestone256Encryptor.generate_key()
    sealed = [{"kid": r.kid, "sealed": b64encode(_HPKE.encrypt(content_key + extra, r.key, info=_info(core))).decode(), "suite": SUITE} for r in recipients]
    raw = canonical({**core, "recipients": sealed})
    return Sealer(Header(raw, dict(core), tuple((s["kid"], b64decode(s["sealed"])) for s in sealed)), content_key)


def parse_header(raw: bytes) -> Header:
    try:
        value = strict_object(raw)
        recipients = value.pop("recipients")
        if set(value) != CORE_FIELDS or not isinstance(recipients, list) or not recipients or type(value["v"]) is not int or value["v"] != 1:
            raise ValueError
        core: dict[str, str | int] = {}
        for name, item in value.items():
            if not isinstance(item, str | int):
                raise TypeError
            core[name] = item
        if not _EXCHANGE.fullmatch(str(core["exchange"])) or not _CREATED.fullmatch(str(core["created"])) or core["kind"] not in KINDS:
            raise ValueError
        parsed = []
        for r in recipients:
            if set(r) != {"kid", "sealed", "suite"} or r["suite"] != SUITE:
                raise ValueError
            parsed.append((str(r["kid"]), b64decode(r["sealed"], validate=True)))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise NotOpened("not a valid envelope header") from None
    return Header(raw, core, tuple(parsed))


def read_header(source: BinaryIO) -> Header:
    """The header at the start of an envelope; leaves `source` at the first byte of the stream. NotOpened if it is none."""
    start = source.read(8)
    if len(start) != 8 or start[:4] != MAGIC:
        raise NotOpened("not an SNG1 envelope")
    (size,) = struct.unpack(">I", start[4:])
    if not 0 < size <= MAX_HEADER:
        raise NotOpened("envelope header too large")
    raw = source.read(size)
    if len(raw) != size:
        raise NotOpened("envelope cut short")
    return parse_header(raw)


class Opener:
    """Decrypts a stream. What `update` returns is not to be acted on before `finish` returned."""

    def __init__(self, header: Header, key: KemKey) -> None:
        mine = key.public.kid
        sealed = next((s for kid, s in header.recipients if kid == mine), None)
        if sealed is None:
            raise NotOpened("sealed to another key")
        try:
            secret = _HPKE.decrypt(sealed, key.private, info=_info(header.core))
            self._stream = Cobblestone256Decryptor(secret[:_KEY], hashlib.sha256(header.raw).digest())
        except (InvalidTag, ValueError):
            raise NotOpened("does not open") from None
        self.header, self.extra = header, secret[_KEY:]

    def update(self, data: bytes) -> bytes:
        try:
            return self._stream.update(data)
        except (InvalidTag, AlreadyFinalized):
            raise NotOpened("does not open") from None

    def finish(self) -> bytes:
        """The last bytes; NotOpened if the stream was cut, changed or has bytes after its end."""
        try:
            return self._stream.finalize()
        except (InvalidTag, AlreadyFinalized):
            raise NotOpened("does not open") from None


def open_envelope(source: BinaryIO, key: KemKey) -> Opener:
    return Opener(read_header(source), key)

