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

ED25519: Final = b"\x01"  # signature type of a log
_KEY_ID: Final = 4  # bytes
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


def key_id(name: str, kind: bytes, raw: bytes) -> bytes:
    """4 bytes that tell a signer's lines from others'. kind: the signature type, one byte."""
    return hashlib.sha256(name.encode() + b"\n" + kind + raw).digest()[:4]


def signature_line(name: str, signature: bytes) -> str:
    """A note's signature line with its LF. signature: key id first."""
    return f"— {name} {b64encode(signature).decode()}\n"


def sign_checkpoint(checkpoint: Checkpoint, *keys: LogKey) -> str:
    """The signed note: the key in use first, then those before it, which cross-sign. The origin doubles as their name, as tlog-checkpoint recommends."""
    body = checkpoint.body.encode()
    lines = [signature_line(checkpoint.origin, key_id(checkpoint.origin, ED25519, key.public.raw) + key.private.sign(body)) for key in keys]
    return f"{checkpoint.body}\n{''.join(lines)}"


def split_note(note: str) -> tuple[str, tuple[tuple[str, bytes], ...]]:
    """A signed note's body with its LF, and its signatures: name, key id ‖ signature. NotVerified if one line is malformed."""
    body, blank, signatures = note.rpartition("\n\n")
    if not blank or not signatures.endswith("\n"):
        raise NotVerified("not a signed note")
    return body + "\n", tuple(_signature(line) for line in signatures[:-1].split("\n"))


def _signature(line: str) -> tuple[str, bytes]:
    signed = _SIGNATURE.match(line)
    if signed is None:
        raise NotVerified("a signature line is malformed")
    raw = decoded(signed.group(2))
    if len(raw) <= _KEY_ID:
        raise NotVerified("a signature line is malformed")
    return signed.group(1), raw


def decoded(text: str) -> bytes:
    """The bytes of base64 in its one spelling: it leaves bits to spare at its end. NotVerified otherwise."""
    try:
        raw = b64decode(text, validate=True)
    except ValueError:
        raise NotVerified("base64 is malformed") from None
    if b64encode(raw).decode() != text:
        raise NotVerified("base64 is not in its one form")
    return raw


def read_checkpoint(note: str, origin: str, *keys: LogPublic) -> Checkpoint:
    """The checkpoint in a note, once every signature of `keys` under `origin` holds, and there is one. NotVerified otherwise; unknown signers are passed over."""
    body, signatures = split_note(note)
    checkpoint = read_body(body)
    if checkpoint.origin != origin:
        raise NotVerified("not a checkpoint of this log")
    ours = {key_id(origin, ED25519, key.raw): key for key in keys}
    signed = [(ours[raw[:_KEY_ID]], raw[_KEY_ID:]) for name, raw in signatures if name == origin and raw[:_KEY_ID] in ours]
    for key, signature in signed:
        try:
            key.key.verify(signature, body.encode())
        except InvalidSignature:
            raise NotVerified("the checkpoint's signature does not hold") from None
    if not signed:
        raise NotVerified("the checkpoint is not signed by the pinned log key")
    return checkpoint


def read_body(body: str) -> Checkpoint:
    """What a note's body says, its signatures not yet looked at. NotVerified unless it is a checkpoint in its one form, without extension lines."""
    found = _BODY.match(body)
    if found is None:
        raise NotVerified("not a checkpoint of this log")
    checkpoint = Checkpoint(found.group(1), int(found.group(2)), b64decode(found.group(3)))
    if checkpoint.body != body:
        raise NotVerified("the checkpoint is not in its one form")
    return checkpoint
