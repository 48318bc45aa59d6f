"""Small secrets at rest: AES-256-GCM, bound to what they are for."""

from __future__ import annotations

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from broker.errors import NotOpened

_NONCE: Final = 12


def seal_secret(key: bytes, secret: bytes, what: bytes) -> bytes:
    """Nonce (12) ‖ ciphertext ‖ tag (16). key: 32 bytes. what: must be the same to unseal."""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, secret, what)


def unseal_secret(key: bytes, sealed: bytes, what: bytes) -> bytes:
    """The secret. NotOpened if it was changed, moved, or sealed under another key."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], what)
    except (InvalidTag, ValueError):
        raise NotOpened("a sealed secret does not open") from None
