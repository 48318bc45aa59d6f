"""Key-encryption keys: under what the secrets of a ring lie at rest. Whoever copies the folder has nothing without what unlocks it.

Three providers. `sandi`: a passphrase, stretched by Argon2id (RFC 9106). `berkas`: 32 random bytes in a file kept elsewhere, as a systemd
credential. `pkcs11`: a key that never leaves its token (hsm.py). Each ring has a key-encryption key of its own: the salt is its own, or the
token's key is. Source of the cost: RFC 9106 §4, second recommended option; 64 MiB keep a guess at a tenth of a second.
"""

from __future__ import annotations

import os
import secrets
import unicodedata
from base64 import b64decode, b64encode
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from broker.errors import KeyRingError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from broker.jcs import Json

Unlock: TypeAlias = "Callable[[str, bool], bytes]"  # ring's name, whether it is new → passphrase, key file or PIN, as it was given
KEY_FILE: Final = b"sinergi-kunci-1:"  # what a key file begins with; base64 of 32 bytes follows
TOKEN: Final = b"sinergi-pkcs11-1:"  # what a file that unlocks a token begins with; canonical JSON {module, pin, token} follows
LOCKED: Final = "what was given does not unlock this ring, or the ring was changed by hand"
NONCE: Final = 12
LEAST: Final = 12  # characters of a passphrase
_SALT: Final = 16
_COST: Final[Mapping[str, int]] = {"lanes": 4, "memory": 65_536, "passes": 3}  # memory: KiB
_LIMITS: Final = {"lanes": (1, 16), "memory": (8, 1 << 18), "passes": (1, 10)}  # whoever can write the file chooses them: they are used before its MAC can be


class Kek(Protocol):
    """about: what the ring file says of it; nothing secret."""

    about: Mapping[str, Json]

    def wrap(self, secret: bytes, aad: bytes) -> bytes: ...

    def unwrap(self, wrapped: bytes, aad: bytes) -> bytes:
        """The secret. KeyRingError: another key, or something was changed; one answer."""
        ...


class LocalKek:
    """AES-256-GCM under 32 bytes in memory. second: makes the key to try where the first does not open; the one that opened is the one from then on."""

    def __init__(self, key: bytes, about: Mapping[str, Json], second: Callable[[], bytes] | None = None) -> None:
        self._key, self.about, self._second = AESGCM(key), about, second

    def wrap(self, secret: bytes, aad: bytes) -> bytes:
        nonce = os.urandom(NONCE)
        return nonce + self._key.encrypt(nonce, secret, aad)

    def unwrap(self, wrapped: bytes, aad: bytes) -> bytes:
        try:
            secret = self._key.decrypt(wrapped[:NONCE], wrapped[NONCE:], aad)
        except (InvalidTag, ValueError):
            if self._second is None:
                raise KeyRingError(LOCKED) from None
            other = LocalKek(self._second(), self.about)
            secret = other.unwrap(wrapped, aad)
            self._key = other._key
        self._second = None
        return secret


def new_key_file() -> bytes:
    """What a key file holds."""
    return KEY_FILE + b64encode(secrets.token_bytes(32)) + b"\n"


def new_kek(given: bytes) -> Kek:
    """For a new ring, from what will unlock it. KeyRingError for a passphrase that is too short, or a token that makes no key."""
    if given.startswith(TOKEN):
        from broker.keys.hsm import new_token_kek  # noqa: PLC0415 - for those who have a token

        return new_token_kek(given)
    salt = b64encode(os.urandom(_SALT)).decode()
    if given.startswith(KEY_FILE):
        return open_kek({"provider": "berkas", "salt": salt}, given)
    if len(_spellings(given)[0].decode("utf-8", "replace")) < LEAST:
        raise KeyRingError(f"a passphrase has {LEAST} characters or more")
    return open_kek({"provider": "sandi", "salt": salt, **_COST}, given)


def open_kek(about: Mapping[str, Any], given: bytes) -> Kek:
    """The key-encryption key that a ring file tells of. KeyRingError if it tells of none that we know."""
    try:
        match dict(about):
            case {"provider": "berkas", "salt": str(salt)} if len(about) == 2:
                return LocalKek(HKDF(SHA256(), 32, b64decode(salt, validate=True), b"sng/kek/v1").derive(_key_of(given)), about)
            case {"provider": "sandi", "salt": str(salt), "lanes": int(lanes), "memory": int(memory), "passes": int(passes)} if len(about) == 5:
                if not all(low <= about[name] <= high for name, (low, high) in _LIMITS.items()):
                    raise ValueError
                raw, (first, *typed) = b64decode(salt, validate=True), _spellings(given)

                def stretched(phrase: bytes) -> bytes:
                    return Argon2id(salt=raw, length=32, iterations=passes, lanes=lanes, memory_cost=memory).derive(phrase)

                return LocalKek(stretched(first), about, partial(stretched, typed[0]) if typed else None)
            case {"provider": "pkcs11", "token": str(), "id": str(name)} if len(about) == 3:
                from broker.keys.hsm import ID, open_token_kek  # noqa: PLC0415 - for those who have a token

                if not ID.fullmatch(name):
                    raise ValueError
                return open_token_kek(about, given)
    except (ValueError, MemoryError):
        pass
    raise KeyRingError("the ring does not say how it is locked")


def _spellings(given: bytes) -> tuple[bytes, ...]:
    """A passphrase in its composed form (NFC), whatever the keyboard made; then as typed, where that is another: rings were locked so before."""
    typed = given.strip()
    try:
        composed = unicodedata.normalize("NFC", typed.decode()).encode()
    except UnicodeDecodeError:
        return (typed,)
    return (composed,) if composed == typed else (composed, typed)


def _key_of(given: bytes) -> bytes:
    key = b64decode(given.removeprefix(KEY_FILE).strip(), validate=True) if given.startswith(KEY_FILE) else b""
    if len(key) != 32:
        raise KeyRingError("this ring is unlocked by a key file, and what was given is none")
    return key
