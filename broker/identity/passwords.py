"""Passwords: judged once, kept as Argon2id, compared in one time whether the account exists or not. Server only (argon2).

Cost: argon2-cffi's defaults, RFC 9106's low-memory profile (64 MiB, 3 passes, 4 lanes); at most two at a time, or sign-ins would fill the memory.
"""

from __future__ import annotations

import re
import secrets
import threading
import unicodedata
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

MIN_LENGTH: Final = 12
MAX_LENGTH: Final = 256
_HASHER: Final = PasswordHasher()
_AT_ONCE: Final = threading.BoundedSemaphore(2)
_COMMON: Final = re.compile(
    "katasandi|password|passw0rd|rahasia|indonesia|jakarta|merdeka|bismillah|alhamdulillah|sayang|sinergi|sijunjung|binjai|kemnaker|sumbar|sumut|disnaker"
    "|tenagakerja|pencarikerja|siapkerja|sijoker|sibuser|administrator|admin|petugas|operator|auditor|selamatdatang|selamat|welcome|letmein|iloveyou|dragon|monkey"
    "|football|sepakbola|garuda|pancasila|qwertyuiop|qwerty|asdfghjkl|asdfgh|zxcvbnm|abcdefghijkl|abcdef|abc|ganti|changeme|default|secret|master|login|user|test|coba|aku|kamu|cinta"
)


def is_weak(password: str, person: str) -> bool:
    """Whether it is too short or too long, common words and digits alone, a few characters repeated, or has the person's own id in it."""
    text = _normal(password)
    if not MIN_LENGTH <= len(text) <= MAX_LENGTH:
        return True
    plain = "".join(c for c in text.casefold() if c.isalnum())
    own = "".join(c for c in person.partition("@")[0].casefold() if c.isalnum())
    return own in plain or len(set(text)) < 5 or not re.sub("[0-9]", "", _COMMON.sub("", plain))


def hashed(password: str) -> str:
    """The PHC string to keep."""
    with _AT_ONCE:
        return _HASHER.hash(_normal(password))


def verify(kept: str | None, password: str) -> bool:
    """Whether `password` is the one of `kept`; None (no such account) takes as long and is False."""
    try:
        with _AT_ONCE:
            _HASHER.verify(_nobody() if kept is None else kept, _normal(password))
    except (Argon2Error, InvalidHashError):
        return False
    return kept is not None


def is_outdated(kept: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(kept)


def _normal(password: str) -> str:
    """NFKC, so that a keyboard's way of composing a letter does not matter; what cannot be UTF-8 becomes a mark."""
    return unicodedata.normalize("NFKC", password.encode("utf-8", "replace").decode())


@cache
def _nobody() -> str:
    return _HASHER.hash(secrets.token_urlsafe(16))
