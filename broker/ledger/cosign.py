"""Witnesses' cosignatures and the policy that says whose are enough. Pure: what a witness answers is fetched elsewhere.

Source: C2SP tlog-cosignature v1.0.1 (`cosignature/v1`: Ed25519 with a time, signature type 0x04), signed-note v1.0.0 (verifier keys),
tlog-policy (`log`, `witness`, `group`, `quorum`).
"""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature

from broker.errors import ConfigError, NotVerified
from broker.keys import LogPublic, WitnessPublic
from broker.ledger.checkpoint import ED25519, decoded, key_id, read_body, signature_line, split_note

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from broker.keys import WitnessKey

COSIGNATURE: Final = b"\x04"  # signature type of a witness
NONE: Final = "none"  # the quorum that nobody is needed for
_TIME: Final = 8  # bytes of a cosignature's time, big-endian POSIX seconds
_LATEST: Final = 2**63 - 1
_ED25519_RAW: Final = 32
_VKEY: Final = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})")
_NAME: Final = re.compile(r"[^\s+]+")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


# --- keys
@dataclass(frozen=True, slots=True)
class Vkey:
    """A verifier key: the signer's name in notes, its signature type and public key."""

    name: str
    kind: bytes
    raw: bytes

    @property
    def id(self) -> bytes:
        return key_id(self.name, self.kind, self.raw)

    @property
    def text(self) -> str:
        """`name+hash+base64`, as C2SP signed-note writes it."""
        return f"{self.name}+{self.id.hex()}+{b64encode(self.kind + self.raw).decode()}"


def vkey_of(name: str, public: LogPublic | WitnessPublic) -> Vkey:
    """The verifier key of a log, by its origin, or of a witness. ValueError for a name that no note can carry."""
    if not _NAME.fullmatch(name):
        raise ValueError("a key's name holds neither space nor plus")
    return Vkey(name, ED25519 if isinstance(public, LogPublic) else COSIGNATURE, public.raw)


def read_vkey(text: str) -> Vkey:
    """The key of a log or witness in its text form. NotVerified for anything else, and for a hash that is not its own."""
    found = _VKEY.fullmatch(text)
    if found is None:
        raise NotVerified("not a verifier key")
    data = decoded(found.group(3))
    key = Vkey(found.group(1), data[:1], data[1:])
    if key.kind not in (ED25519, COSIGNATURE) or len(key.raw) != _ED25519_RAW:
        raise NotVerified("a key type that is not read here: Ed25519 logs and Ed25519 cosignatures are")
    if key.id.hex() != found.group(2):
        raise NotVerified("the key's hash is not its own")
    return key


# --- cosignatures
def _message(time: int, body: str) -> bytes:
    return f"cosignature/v1\ntime {time}\n{body}".encode()


def cosign(body: str, name: str, key: WitnessKey, now: datetime) -> str:
    """The witness's signature line over a checkpoint's body, with its LF. Says: as of `now` this is the largest consistent tree I saw."""
    time = int(now.timestamp())
    signature = key.private.sign(_message(time, body))
    return signature_line(name, vkey_of(name, key.public).id + time.to_bytes(_TIME, "big") + signature)


@dataclass(frozen=True, slots=True)
class Cosignature:
    """One that held. time: POSIX seconds, the witness's own clock. line: as in the note, with its LF."""

    time: int
    line: str


def cosignature(note: str, witness: Vkey) -> Cosignature | None:
    """The witness's latest cosignature of a note, None if it has none. NotVerified if one under its name and key id does not hold."""
    body, signatures = split_note(note)
    read_body(body)
    own = witness.id
    held = [_verified(body, witness, raw) for name, raw in signatures if name == witness.name and raw[: len(own)] == own]
    return max(held, key=lambda one: one.time, default=None)


def _verified(body: str, witness: Vkey, raw: bytes) -> Cosignature:
    rest = raw[len(witness.id) :]
    time = int.from_bytes(rest[:_TIME], "big")
    try:
        if witness.kind != COSIGNATURE or time > _LATEST:
            raise NotVerified("not a cosignature")
        WitnessPublic(witness.raw).key.verify(rest[_TIME:], _message(time, body))
    except (InvalidSignature, ValueError):
        raise NotVerified(f"the cosignature of {witness.name} does not hold") from None
    return Cosignature(time, signature_line(witness.name, raw))


# --- policies
@dataclass(frozen=True, slots=True)
class Witness:
    """name: within the policy. url: the submission prefix, without a slash at its end; '' if the policy gives none. line: 1-based."""

    name: str
    vkey: Vkey
    url: str
    line: int


@dataclass(frozen=True, slots=True)
class Group:
    """Witnesses a checkpoint once `threshold` of its members do, witnesses or groups."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WitnessPolicy:
    """Whose cosignatures a checkpoint needs. logs: those it speaks of; none: any. groups: in order, each of earlier names only."""

    logs: tuple[Vkey, ...]
    witnesses: tuple[Witness, ...]
    groups: tuple[Group, ...]
    quorum: str

    def allows(self, names: Collection[str]) -> bool:
        """Whether cosignatures of these witnesses are enough."""
        held = {w.name for w in self.witnesses} & set(names)
        for group in self.groups:
            if sum(member in held for member in group.members) >= group.threshold:
                held.add(group.name)
        return self.quorum == NONE or self.quorum in held


def cosigners(policy: WitnessPolicy, note: str) -> dict[str, Cosignature]:
    """The policy's witnesses that cosigned a note, by their names in the policy. NotVerified if a line of one of them does not hold."""
    found = {w.name: cosignature(note, w.vkey) for w in policy.witnesses}
    return {name: one for name, one in found.items() if one is not None}


def satisfied(policy: WitnessPolicy, note: str) -> bool:
    """Whether a note carries the cosignatures the policy asks for. The log's own signature is `read_checkpoint`'s to look at."""
    return policy.allows(cosigners(policy, note))


def read_policy(data: bytes, file: str) -> WitnessPolicy:
    """A tlog-policy. ConfigError with the line for whatever is not exactly one: unknown words, names used twice or not yet defined."""
    return _Reading(file).read(data)


class _Reading:
    """A policy file as it is read, line by line. Stricter than the specification in one thing: the text must be UTF-8."""

    def __init__(self, file: str) -> None:
        self._file, self._line = file, 0
        self._logs: list[Vkey] = []
        self._witnesses: list[Witness] = []
        self._groups: list[Group] = []
        self._names: set[str] = set()
        self._members: set[str] = set()
        self._quorum: str | None = None

    def _wrong(self, message: str) -> ConfigError:
        return ConfigError(self._file, self._line, message)

    def read(self, data: bytes) -> WitnessPolicy:
        *lines, last = data.split(b"\n")
        for self._line, line in enumerate(lines, 1):
            self._one(line)
        self._line = len(lines) + 1
        if last:
            raise self._wrong("the last line does not end")
        if self._quorum is None:
            raise self._wrong("there is no quorum line")
        return WitnessPolicy(tuple(self._logs), tuple(self._witnesses), tuple(self._groups), self._quorum)

    def _one(self, data: bytes) -> None:
        try:
            text = data.decode()
        except UnicodeDecodeError:
            raise self._wrong("is not UTF-8") from None
        if _CONTROL.search(text):
            raise self._wrong("holds a control character")
        words = [word for word in re.split(r"[ \t]+", text) if word]
        if not words or words[0].startswith("#"):
            return
        match words:
            case ["log", vkey] | ["log", vkey, _]:
                self._logs.append(self._key(vkey, ED25519, self._logs))
            case ["witness", name, vkey, *url] if len(url) <= 1:
                key = self._key(vkey, COSIGNATURE, [w.vkey for w in self._witnesses])
                self._witnesses.append(Witness(self._new(name), key, "".join(url).rstrip("/"), self._line))
            case ["group", name, threshold, *members] if members:
                self._groups.append(self._group(name, threshold, members))
            case ["quorum", name]:
                if self._quorum is not None:
                    raise self._wrong("a second quorum line")
                if name != NONE and name not in self._names:
                    raise self._wrong("the quorum names nothing defined above")
                self._quorum = name
            case _:
                raise self._wrong("is no line of a witness policy: log, witness, group, quorum")

    def _key(self, text: str, kind: bytes, others: list[Vkey]) -> Vkey:
        try:
            key = read_vkey(text)
        except NotVerified as error:
            raise self._wrong(str(error)) from None
        if key.kind != kind:
            raise self._wrong("a log signs with type 01, a witness with type 04")
        if any(key.raw == other.raw for other in others):
            raise self._wrong("this public key stands here twice")
        return key

    def _new(self, name: str) -> str:
        if name == NONE or name in self._names:
            raise self._wrong("this name is taken")
        self._names.add(name)
        return name

    def _group(self, name: str, threshold: str, members: list[str]) -> Group:
        for member in members:
            if member not in self._names:
                raise self._wrong("a member is not defined above")
            if member in self._members:
                raise self._wrong("a member of two groups, or of one twice")
            self._members.add(member)
        needed = {"all": len(members), "any": 1}.get(threshold)
        if needed is None:
            needed = int(threshold) if re.fullmatch(r"[1-9][0-9]{0,3}", threshold) else 0
        if not 1 <= needed <= len(members):
            raise self._wrong("a group needs all, any, or a number of its members")
        return Group(self._new(name), needed, tuple(members))
