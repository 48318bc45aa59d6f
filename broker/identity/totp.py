"""One-time codes by time (RFC 6238: SHA-1, 6 digits, 30 s), as every authenticator app makes them. Server only (pyotp)."""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING, Final

import pyotp

if TYPE_CHECKING:
    from datetime import datetime

STEP: Final = 30  # seconds
WINDOW: Final = 1  # steps before and after, for clocks that differ
ISSUER: Final = "Sinergi"
_CODE: Final = re.compile(r"[0-9]{6}")


def new_secret() -> str:
    """160 random bits in base32."""
    return pyotp.random_base32()


def otpauth(secret: str, person: str) -> str:
    """What an authenticator app reads, as text or QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=person, issuer_name=ISSUER)


def matching_step(secret: str, code: str, now: datetime, after: int) -> int | None:
    """The step whose code this is, within the window and later than step `after`; None if there is none. Takes one time for any code."""
    if not _CODE.fullmatch(code):
        code = "------"
    current, found = int(now.timestamp()) // STEP, None
    for step in range(current - WINDOW, current + WINDOW + 1):
        same = hmac.compare_digest(pyotp.TOTP(secret).generate_otp(step), code)
        if same and step > after:
            found = step
    return found
