"""Sealing and opening payload envelopes, chunk by chunk.

The content key is fresh per envelope and sealed per recipient key with HPKE (RFC 9180). `info` binds it to the core header, the stream's
context binds it to the full header. The suite follows from the type of the key and is never negotiated: which of them an agreement
lets a party have is not decided here. Nothing of a stream is final until `Opener.finish()` returned: truncation shows only there.
"""

from __future__ import annotations

import hashlib
import re
import struct
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from cryptography.exceptions import AlreadyFinalized, InvalidTag
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from broker.errors import NotOpened
from broker.jcs import canonical, read_base64, strict_object
from broker.keys.derive import LABELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from broker.keys.material import AnyKemKey, AnyKemPublic

MAGIC: Final = b"SNG1"
MAX_HEADER: Final = 65_535
SUITE: Final = "MLKEM768-X25519/HKDF-SHA256/AES-256-GCM"
SUITE_X25519: Final = "X25519/HKDF-SHA256/AES-256-GCM"  # only where an agreement names it, until the day it names
SUITES: Final = {"kem": SUITE, "kem-x25519": SUITE_X25519}  # by the key's purpose
HPKE: Final = {
    SUITE: Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM),
    SUITE_X25519: Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM),
}
_OVERHEAD: Final = {SUITE: KEM.MLKEM768_X25519.enc_length() + 16, SUITE_X25519: KEM.X25519.enc_length() + 16}  # enc, and AES-GCM's tag
_KEY: Final = 32
EXTRA: Final = {"identitas": 0, "kiriman": 0, "pengungkapan": 32}  # kind → bytes under the seal beside the content key: a disclosure's salt key
_EXCHANGE: Final = re.compile(r"[0-9a-f]{32}")
_CREATED: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_KID: Final = re.compile(r"[A-Za-z0-9_-]{22}")
CORE_FIELDS: Final = frozenset(
    {"agreement", "content_type", "created", "dataset", "exchange", "kind", "purpose", "recipient", "sender", "template", "v"}
)


@dataclass(frozen=True, slots=True)
class Header:
    """A parsed envelope header; `raw` is what the stream is bound to."""

    raw: bytes
    core: Mapping[str, str | int]
    suite: str
    recipients: Mapping[str, bytes]  # kid → sealed secret; all keys of one party

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


def seal(core: Mapping[str, str | int], recipients: Iterable[AnyKemPublic], extra: bytes = b"") -> Sealer:
    """A sealer for `recipients`, the keys of one party; `extra` (a disclosure's salt key) travels beside the content key under the same HPKE seal.

    A key given twice counts once. ValueError: no key, keys of two suites, a core header or an `extra` that no reader would take.
    """
    keys = {r.kid: r for r in recipients}
    content_key = Cobblestone256Encryptor.generate_key()
    sealed = [
        {"kid": kid, "sealed": b64encode(HPKE[SUITES[r.purpose]].encrypt(content_key + extra, r.key, info=_info(core))).decode(), "suite": SUITES[r.purpose]}
        for kid, r in sorted(keys.items())
    ]
    try:
        header = parse_header(canonical({**core, "recipients": sealed}))
    except NotOpened:
        raise ValueError("no header that a reader would take") from None
    return Sealer(header, content_key)


def parse_header(raw: bytes) -> Header:
    """The header in its canonical bytes. NotOpened unless it is of exactly that form, with recipients of one suite that we know."""
    try:
        value = strict_object(raw)
        recipients: Any = value.pop("recipients")
        core: dict[str, str | int] = {name: item for name, item in value.items() if isinstance(item, str)} | {"v": 1}
        if len(raw) > MAX_HEADER or set(core) != CORE_FIELDS or value != core or value["v"] is True:
            raise ValueError
        if not _EXCHANGE.fullmatch(str(core["exchange"])) or not _CREATED.fullmatch(str(core["created"])):
            raise ValueError
        size = _KEY + EXTRA[str(core["kind"])]
        (suite,) = {r["suite"] for r in recipients}
        sealed = {r["kid"]: read_base64(r["sealed"]) for r in recipients}
        if any(set(r) != {"kid", "sealed", "suite"} for r in recipients) or list(sealed) != sorted(r["kid"] for r in recipients):
            raise ValueError
        if any(len(s) != size + _OVERHEAD[suite] or not _KID.fullmatch(kid) for kid, s in sealed.items()):
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise _closed() from None
    return Header(raw, core, suite, sealed)


def read_header(source: BinaryIO) -> Header:
    """The header at the start of an envelope; leaves `source` at the first byte of the stream. NotOpened if it is none."""
    start = source.read(8)
    size = int.from_bytes(start[4:], "big")
    if len(start) != 8 or start[:4] != MAGIC or not 0 < size <= MAX_HEADER:
        raise _closed()
    return parse_header(source.read(size))


class Opener:
    """Decrypts a stream. What `update` returns is not to be acted on before `finish` returned."""

    def __init__(self, header: Header, *keys: AnyKemKey) -> None:
        """keys: of one owner; the one that the header names opens it."""
        try:
            key = next((key for key in keys if key.public.kid in header.recipients), keys[0])
            # The key says the suite: a header of another one is not opened, whichever keys it names.
            if header.suite != SUITES[key.purpose]:
                raise ValueError
            secret = HPKE[header.suite].decrypt(header.recipients[key.public.kid], key.private, info=_info(header.core))
        except (InvalidTag, ValueError, KeyError):
            raise _closed() from None
        self._stream = Cobblestone256Decryptor(secret[:_KEY], hashlib.sha256(header.raw).digest())
        self.header, self.extra = header, secret[_KEY:]

    def update(self, data: bytes) -> bytes:
        try:
            return self._stream.update(data)
        except (InvalidTag, AlreadyFinalized):
            raise _closed() from None

    def finish(self) -> bytes:
        """The last bytes; NotOpened if the stream was cut, changed or has bytes after its end."""
        try:
            return self._stream.finalize()
        except (InvalidTag, AlreadyFinalized):
            raise _closed() from None


def open_envelope(source: BinaryIO, *keys: AnyKemKey) -> Opener:
    return Opener(read_header(source), *keys)


def _closed() -> NotOpened:
    """One answer for every cause: which of them it was helps only who made the bytes."""
    return NotOpened("the envelope does not open")
