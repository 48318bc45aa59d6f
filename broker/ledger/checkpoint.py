"""C2SP tlog-checkpoint in a signed note: origin, size, root, and Ed25519 signature lines.

Source: C2SP signed-note v1.0.0 (key id = first 4 bytes of SHA-256(name ‖ LF ‖ 0x01 ‖ public key)) and tlog-checkpoint v1.0.0.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature

from broker.errors import NotVerified

if TYPE_CHECKING:
    from broker.keys import LogKey, LogPublic

_ED25519: Final = b"\x01"
_BODY = re.compile(r"\A([^\n]+)\n(0|[1-9][0-9]{0,18})\n([A-Za-z0-9+/]{43}=)\n\Z")
_SIGNATURE = re.compile(r"\A— ([^ \n+]+) ([A-Za-z0-9+/]+={0,2})\Z")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    origin: str
    size: int
    root: bytes

    @property
    def body(self) -> str:
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


def _key_id(name: str, key: LogPublic) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + key.raw).digest()[:4]


def sign_checkpoint(checkpoint: Checkpoint, key: LogKey) -> str:
    """The signed note. The origin doubles as the key's name, as tlog-checkpoint recommends."""
    signature = _key_id(checkpoint.origin, key.public) + key.private.sign(checkpoint.body.encode())
    return f"{checkpoint.body}\n— {checkpoint.origin} {b64encode(signature).decode()}\n"


def read_checkpoint(note: str, origin: str, key: LogPublic) -> Checkpoint:
    """The checkpoint in a note, once `key`'s signature under `origin` holds. NotVerified otherwise; unknown signers are passed over."""
    body, blank, signatures = note.rpartition("\n\n")
    found = _BODY.match(body + "\n") if blank else None
    if found is None or found.group(1) != origin or not signatures.endswith("\n"):
        raise NotVerified("not a checkpoint of this log")
    for line in signatures[:-1].split("\n"):
        signed = _SIGNATURE.match(line)
        if signed is None:
            raise NotVerified("a signature line is malformed")
        try:
            raw = b64decode(signed.group(2), validate=True)
        except ValueError:
            raise NotVerified("a signature line is malformed") from None
        if b64encode(raw).decode() != signed.group(2):  # base64 leaves bits to spare at its end: only one spelling counts
            raise NotVerified("a signature line is malformed")
        if signed.group(1) != origin or raw[:4] != _key_id(origin, key):
            continue
        try:
            key.key.verify(raw[4:], (body + "\n").encode())
        except InvalidSignature:
            raise NotVerified("the checkpoint's signature does not hold") from None
        found_checkpoint = Checkpoint(origin, int(found.group(2)), b64decode(found.group(3)))
        if found_checkpoint.body != body + "\n":
            raise NotVerified("the checkpoint is not in its one form")
        return found_checkpoint
    raise NotVerified("the checkpoint is not signed by the pinned log key")
