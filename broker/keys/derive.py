"""Keys that follow from a root: HKDF-SHA-256 expansion under labels from one table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECRET: Final = 34
# docs/formats/keys.md lists the same labels with their inputs.
LABELS: Final = {
    "cek": b"sng/cek/v1",  # HPKE info, not a derivation
    "pseudo": b"sng/pseudo/v1",  # agreement, sender party, recipient party, entity, purpose, epoch
    "ff1": b"sng/ff1/v1",  # of a pseudonym's domain key
    "ref": b"sng/ref/v1",  # exchange id, its secret
    "salt": b"sng/salt/v1",  # exchange id, its secret
    "tag": b"sng/tag/v1",  # agreement
    "totp": b"sng/totp/v1",  # person
    "oidc": b"sng/oidc/v1",
    "host": b"sng/host/v1",
    "ask": b"sng/ask/v1",  # request
    "form": b"sng/form/v1",  # SHA-256 of a session's token
    "kept": b"sng/kept/v1",
}


def derive(root: bytes, label: str, *parts: bytes) -> bytes:
    """32 bytes for `label` and its parts; parts are length-prefixed, so ("a","bc") and ("ab","c") differ. Source: RFC 5869."""
    info = LABELS[label] + b"\0" + b"".join(len(p).to_bytes(2, "big") + p for p in parts)
    return HKDFExpand(SHA256(), 32, info).derive(root)


def ref_key(roots: Mapping[int, bytes], exchange: bytes, secret: bytes | None) -> bytes | None:
    """The 32-byte key of a recorded exchange's subject references. None once its secret or its root is gone: they cannot be inverted any more.

    roots: epoch → root, of those that still are. secret: 34 bytes; 32 or None of an exchange recorded before, of the first root; empty when erased.
    """
    root = roots.get(epoch_of_secret(secret))
    if secret == b"" or root is None:
        return None
    return derive(root, "ref", exchange) if secret is None else derive(root, "ref", exchange, secret)


def epoch_of_secret(secret: bytes | None) -> int:
    """Of the root that an exchange's tokens, references and salts were made with. secret: as in `ref_key`."""
    return int.from_bytes(secret[:2], "big") if secret is not None and len(secret) == _SECRET else 1


def referred(ref_key: bytes, ids: bytes) -> bytes:
    """The subject references of vault ids, 16 bytes each."""
    return Cipher(algorithms.AES(ref_key), modes.ECB()).encryptor().update(ids)  # noqa: S305 - single blocks, as docs/formats/leaf.md says


def inverted(ref_key: bytes, refs: bytes) -> bytes:
    """The blocks behind subject references, 16 bytes each: vault ids of persons, tags of records."""
    return Cipher(algorithms.AES(ref_key), modes.ECB()).decryptor().update(refs)  # noqa: S305 - single blocks, as docs/formats/leaf.md says
