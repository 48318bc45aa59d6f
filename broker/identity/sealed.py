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


def unseal_secret(sealed: bytes, what: bytes, *keys: bytes) -> bytes:
    """The secret, under whichever of `keys` sealed it. NotOpened if it was changed, moved, or sealed under none of them."""
    for key in keys:
        try:
            return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], what)
        except (InvalidTag, ValueError):
            continue
    raise NotOpened("a sealed secret does not open")
