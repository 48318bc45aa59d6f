"""Who came into an agreement's vault with an exchange: one commitment each, so that the vault cannot be rewritten unseen.

commitment = SHA-256(salt ‖ tag ‖ vault id), in ascending order; the manifest has their number and RFC 6962 root. Source: docs/formats/leaf.md.
The salt is random and kept beside the commitments: once it is erased, nothing tells any more whose commitment it was, not even to who
holds every key; nor does its place, which follows from the salt. Standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from broker.errors import NotVerified
from broker.ledger.merkle import HASH, LogTree, leaf_hash, root_of, verify_inclusion

PART: Final = 16  # bytes of a salt, a tag, a vault id


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The opened commitment to one person. number: its place in the list. path: the inclusion proof under the manifest's `vault.root`."""

    number: int
    salt: bytes
    tag: bytes
    person: bytes  # vault id
    path: tuple[bytes, ...]


def commitment(salt: bytes, tag: bytes, person: bytes) -> bytes:
    return sha256(salt + tag + person).digest()


def in_order(hashes: bytes, salts: bytes) -> tuple[bytes, bytes]:
    """Commitments and their salts, ascending by commitment: in the order of tags, an erased one would stand between two that are known."""
    pairs = sorted(zip(_split(hashes, HASH), _split(salts, PART), strict=True))
    return b"".join([known for known, _ in pairs]), b"".join([salt for _, salt in pairs])


def newcomers_root(hashes: bytes) -> bytes:
    """The root over commitments, 32 bytes each."""
    return root_of(_leaves(hashes))


def place(hashes: bytes, salts: bytes, tag: bytes, person: bytes) -> int | None:
    """Where a person stands in the list; None if not in it, or erased."""
    pairs = zip(_split(salts, PART), _split(hashes, HASH), strict=True)
    return next((n for n, (salt, known) in enumerate(pairs) if sha256(salt + tag + person).digest() == known), None)


def enrolment(hashes: bytes, salts: bytes, number: int, tag: bytes, person: bytes) -> Enrolment:
    """The opening of one commitment of the list, with its proof."""
    leaves = _leaves(hashes)
    path = LogTree(leaves).inclusion(number, len(leaves))
    return Enrolment(number, salts[number * PART : (number + 1) * PART], tag, person, tuple(path))


def verify_enrolment(opened: Enrolment, new: int, root: bytes) -> None:
    """NotVerified unless this tag got this id with the exchange whose manifest has `new` people under `root`."""
    if any(len(part) != PART for part in (opened.salt, opened.tag, opened.person)):
        raise NotVerified("an enrolment's parts are not 16 bytes")
    leaf = leaf_hash(commitment(opened.salt, opened.tag, opened.person))
    verify_inclusion(opened.number, new, leaf, opened.path, root)


def _leaves(hashes: bytes) -> list[bytes]:
    return [sha256(b"\0" + hashes[at : at + HASH]).digest() for at in range(0, len(hashes), HASH)]


def _split(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]
