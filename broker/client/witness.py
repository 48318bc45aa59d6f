"""A party's witness: cosigns a log's checkpoint once it is proven to contain the last one cosigned here, and never another.

Standard library and `cryptography` only. Source: C2SP tlog-witness v1.0.0. What a witness has cosigned is its only memory, so it is on disk
before the answer; a witness that lost it is to be retired with its key, not started again.
"""

from __future__ import annotations

import fcntl
import os
import re
import threading
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final, Self

from broker.errors import ClientError, NotVerified
from broker.jcs import canonical, strict_object
from broker.keys import LogPublic, WitnessKey, create_ring, open_ring, read_public_set, write_private
from broker.ledger.checkpoint import decoded, read_body, read_checkpoint, signature_line, split_note
from broker.ledger.cosign import cosign, cosignature, vkey_of
from broker.ledger.merkle import EMPTY_ROOT, verify_consistency

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from broker.keys import PublicSet
    from broker.ledger import Checkpoint
    from broker.ledger.cosign import Vkey

MAX_BODY: Final = 64 << 10
MAX_PROOF: Final = 63  # lines, tlog-witness
SIZE_TYPE: Final = "text/x.tlog.size"
TEXT: Final = "text/plain; charset=utf-8"
SECONDS: Final = 10  # that a connection may be silent
_OLD: Final = re.compile(r"old (0|[1-9][0-9]{0,18})")
_STATE_TYPE: Final = "sinergi/witness-state/v1"
_EMPTY: Final = canonical({"logs": {}, "type": _STATE_TYPE})
_SIZES_TYPE: Final = "sinergi/witness-sizes/v1"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: str
    kind: str = TEXT


@dataclass(frozen=True, slots=True)
class _Request:
    old: int
    proof: tuple[bytes, ...]
    note: str
    checkpoint: Checkpoint


def _parsed(body: bytes) -> _Request:
    """NotVerified unless it is an add-checkpoint request to the letter."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise NotVerified("not UTF-8") from None
    head, blank, note = text.partition("\n\n")
    first, *proof = head.split("\n")
    old = _OLD.fullmatch(first)
    if not blank or old is None or len(proof) > MAX_PROOF:
        raise NotVerified("not an add-checkpoint request")
    return _Request(int(old.group(1)), tuple(decoded(line) for line in proof), note, _body(note))


class Witness:
    """One witness with its key and memory. Owns the lock on its folder; use it in a `with` block."""

    def __init__(self, name: str, key: WitnessKey, followed: Callable[[], PublicSet], folder: Path, sizes: Path, clock: Callable[[], datetime]) -> None:
        """followed: the broker's keys as pinned now; asked again when a log signs with one that is not known, as after a rotation.

        sizes: the file beside the key. ClientError if another process has the folder, or its state is not to be trusted.
        """
        self.vkey: Vkey = vkey_of(name, key.public)
        self._key, self._followed, self._clock = key, followed, clock
        self._logs = _logs(followed())
        self._file, self._sizes = folder / "state.json", sizes
        self._lock = threading.Lock()
        self._broken = False
        self._held = os.open(folder / "served", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._notes = self._read()
        except OSError:
            os.close(self._held)
            raise ClientError("another process serves this witness, or its state cannot be read") from None
        except BaseException:
            os.close(self._held)
            raise

    @classmethod
    def at(cls, home: Path, system: str, followed: Callable[[], PublicSet], clock: Callable[[], datetime]) -> Witness:
        """The witness of a client home, named as its system; its key is made at the first start. ClientError if key or memory is gone since."""
        ring, folder = home / "secrets" / "witness", home / "witness"
        key, memory = ring / "ring.json", folder / "state.json"
        folder.mkdir(mode=0o700, exist_ok=True)
        if not key.exists() and (not memory.exists() or memory.read_bytes() == _EMPTY):
            write_private(memory, _EMPTY)  # before the key: whoever has a key has a memory
            create_ring(ring, ("witness",), clock())
        if not key.exists() or not memory.exists():
            raise ClientError("the witness's key and its memory belong together, and one is gone: it must not serve. See docs/formats/witness.md")
        return cls(system, open_ring(ring).get(WitnessKey, "witness"), followed, folder, ring / "cosigned", clock)

    @staticmethod
    def shown(home: Path, system: str) -> Vkey | None:
        """The public line of a client home's witness; None before its first start. Takes no lock: it may be serving, and its key never changes."""
        ring = home / "secrets" / "witness"
        return vkey_of(system, open_ring(ring).get(WitnessKey, "witness").public) if (ring / "ring.json").exists() else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._broken = True  # a connection may outlive us; the next process has the memory now
        os.close(self._held)

    # --- memory
    def _read(self) -> dict[str, str]:
        """The note cosigned last, by origin. ClientError unless each carries the log's signature and our own, and none is older than the key knows."""
        wrong = ClientError(f"{self._file} is not this witness's memory: it must not serve. See docs/formats/witness.md")
        try:
            match strict_object(self._file.read_bytes()):
                case {"logs": dict(logs), "type": kind} if kind == _STATE_TYPE:
                    notes = {str(origin): str(note) for origin, note in logs.items()}
                case _:
                    raise wrong
            for origin, note in notes.items():
                if origin in self._logs:  # else: of a log no longer pinned; kept, but not served
                    read_checkpoint(note, origin, *self._logs[origin])
                    if cosignature(note, self.vkey) is None:
                        raise wrong
            if any(origin not in notes or _body(notes[origin]).size < size for origin, size in self._known().items()):
                raise wrong
        except (ValueError, NotVerified):
            raise wrong from None
        return notes

    def _known(self) -> dict[str, int]:
        """The sizes that the key has cosigned, by origin. ValueError for another file; none before the first cosignature."""
        if not self._sizes.exists():
            return {}
        match strict_object(self._sizes.read_bytes()):
            case {"sizes": dict(sizes), "type": kind} if kind == _SIZES_TYPE and all(type(size) is int for size in sizes.values()):
                return sizes
        raise ValueError

    def _remember(self, notes: Mapping[str, str]) -> None:
        """First what was cosigned, then how far: the other order would leave a memory older than its key knows, which never serves again."""
        write_private(self._file, canonical({"logs": dict(notes), "type": _STATE_TYPE}))
        write_private(self._sizes, canonical({"sizes": {origin: _body(note).size for origin, note in notes.items()}, "type": _SIZES_TYPE}))

    def _latest(self, origin: str) -> Checkpoint | None:
        note = self._notes.get(origin)
        return None if note is None else read_checkpoint(note, origin, *self._logs[origin])

    # --- protocol
    def add_checkpoint(self, body: bytes) -> Answer:
        """The answer to a request's body; a 200 only once the new checkpoint is on disk."""
        try:
            asked = _parsed(body)
        except NotVerified as error:
            return Answer(HTTPStatus.BAD_REQUEST, f"{error}\n")
        origin = asked.checkpoint.origin
        if origin not in self._logs:
            return Answer(HTTPStatus.NOT_FOUND, "no log of this origin is known here\n")
        try:
            self._signed(asked.note, origin)
        except NotVerified as error:
            return Answer(HTTPStatus.FORBIDDEN, f"{error}\n")
        if asked.old > asked.checkpoint.size:
            return Answer(HTTPStatus.BAD_REQUEST, "old is larger than the checkpoint\n")
        with self._lock:  # from the look at the memory until the new one is on disk: else a smaller size could come after a larger
            return self._decide(asked)

    def _signed(self, note: str, origin: str) -> None:
        """NotVerified unless a pinned key of the log signed the note; keys that were pinned since count."""
        try:
            read_checkpoint(note, origin, *self._logs[origin])
        except NotVerified:
            logs = _logs(self._followed())
            if logs == self._logs or origin not in logs:
                raise
            read_checkpoint(note, origin, *logs[origin])
            self._logs = logs

    def _decide(self, asked: _Request) -> Answer:
        new, last = asked.checkpoint, self._latest(asked.checkpoint.origin)
        size = last.size if last else 0
        if self._broken:
            return Answer(HTTPStatus.INTERNAL_SERVER_ERROR, "the memory of this witness failed; it must be looked at\n")
        if asked.old != size:
            return Answer(HTTPStatus.CONFLICT, f"{size}\n", SIZE_TYPE)
        try:
            _extends(last, new, asked.proof)
        except NotVerified as error:
            return Answer(HTTPStatus.UNPROCESSABLE_ENTITY, f"{error}\n")
        line = cosign(new.body, self.vkey.name, self._key, self._clock())
        ids = tuple(vkey_of(new.origin, key).id for key in self._logs[new.origin])
        signed = "".join(signature_line(name, raw) for name, raw in split_note(asked.note)[1] if name == new.origin and raw.startswith(ids))
        notes = {**self._notes, new.origin: f"{new.body}\n{signed}{line}"}
        try:
            self._remember(notes)
        except OSError:
            self._broken = True  # it may be on disk or not: an fsync that failed is never tried again
            return Answer(HTTPStatus.INTERNAL_SERVER_ERROR, "the memory of this witness failed; it must be looked at\n")
        self._notes = notes
        return Answer(HTTPStatus.OK, line)

    def checkpoint(self, hashed: str) -> Answer:
        """For monitors: the note cosigned last of the log whose origin has this SHA-256, with the log's signature and ours."""
        for origin, note in self._notes.items():
            if origin in self._logs and sha256(origin.encode()).hexdigest() == hashed:
                return Answer(HTTPStatus.OK, note)
        return Answer(HTTPStatus.NOT_FOUND, "nothing cosigned here\n")


def _body(note: str) -> Checkpoint:
    return read_body(split_note(note)[0])


def _extends(last: Checkpoint | None, new: Checkpoint, proof: tuple[bytes, ...]) -> None:
    """NotVerified unless `new` contains `last`; the empty tree is contained in every one."""
    if new.size == 0 and new.root != EMPTY_ROOT:
        raise NotVerified("the empty tree has another root")
    if last is None or last.size == 0:
        if proof:
            raise NotVerified("from size 0 there is no proof")
        return
    verify_consistency(last.size, new.size, last.root, new.root, proof)


# --- HTTP
class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "sinergi-witness"
    sys_version = ""
    timeout = SECONDS
    server: WitnessServer

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not re.fullmatch(r"[0-9]{1,9}", length) or "Transfer-Encoding" in self.headers:
            return self._say(Answer(HTTPStatus.BAD_REQUEST, "a body with its length is needed\n"), close=True)
        if int(length) > MAX_BODY:
            return self._say(Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is too large\n"), close=True)
        body = self.rfile.read(int(length))
        if len(body) != int(length):
            return self._say(Answer(HTTPStatus.BAD_REQUEST, "the body broke off\n"), close=True)
        if self.path != "/add-checkpoint":
            return self._say(Answer(HTTPStatus.NOT_FOUND, "POST /add-checkpoint\n"))
        return self._say(self.server.witness.add_checkpoint(body))

    def do_GET(self) -> None:
        found = re.fullmatch(r"/([0-9a-f]{64})/checkpoint", self.path)
        self._say(self.server.witness.checkpoint(found.group(1)) if found else Answer(HTTPStatus.NOT_FOUND, "GET /ORIGIN-HASH/checkpoint\n"))

    def _say(self, answer: Answer, *, close: bool = False) -> None:
        data = answer.body.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(data)))
        if close:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Nothing: who asked for what is in no log."""


class WitnessServer(ThreadingHTTPServer):
    """Serves one witness; a thread for each connection."""

    daemon_threads = True
    request_queue_size = 128  # the base class's 5 turns away a handful that come at once

    def __init__(self, witness: Witness, host: str, port: int) -> None:
        super().__init__((host, port), _Handler)
        self.witness = witness

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: a peer that went away."""


def _logs(broker: PublicSet) -> dict[str, tuple[LogPublic, ...]]:
    """Origin → keys of the log, the one in use and those before it."""
    return {f"sinergi/{scope}": broker.all(LogPublic, "log", scope) for scope, purpose in broker.keys if purpose == "log"}


def pinned(home: Path) -> PublicSet:
    """The broker's keys as pinned in a client home. ClientError if there are none."""
    path = home / "broker.json"
    if not path.exists():
        raise ClientError("the broker's keys are not pinned; run `broker keys trust public.json` with the file its administrator gave you")
    return read_public_set(path.read_bytes())
