"""The broker's side of witnesses: asks each for its cosignature of the latest checkpoint, keeps it, and heeds what speaks against the log.

Never in the write path: a witness that is slow or gone holds up no recording and no other witness. Source: C2SP tlog-witness v1.0.0.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from base64 import b64encode
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx2

from broker.errors import ConfigError, Held, LedgerError, NotVerified
from broker.gates import not_held
from broker.jcs import canonical, strict_object
from broker.keys import LogPublic, write_private
from broker.ledger import read_checkpoint
from broker.ledger.cosign import Cosignature, cosignature, read_policy, satisfied, vkey_of
from broker.ledger.quorum import Quorum
from broker.model import utc_text
from broker.record import entry_time, event, origin

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime
    from pathlib import Path

    from broker.jcs import Json
    from broker.keys import Ring
    from broker.ledger.cosign import Witness
    from broker.office import Office
    from broker.store import Transaction

EVERY: Final = 5.0  # seconds between rounds
PATIENCE: Final = 3.0  # seconds a round waits for its answers; later ones are counted in the next
TIMEOUT: Final = 5.0  # seconds to connect, and between two pieces of an answer
DEADLINE: Final = 20.0  # seconds for a whole answer
MAX_ANSWER: Final = 64 << 10
TRIES: Final = 3  # requests of one asking: a witness that is elsewhere says where, and is asked from there
SIZE_TYPE: Final = "text/x.tlog.size"
log = logging.getLogger("sinergi")


# --- at start
def read_quorums(home: Path, agreements: Collection[str], rings: Mapping[str, Ring], limit_hours: int, now: datetime) -> dict[str, Quorum]:
    """By agreement, the witnesses of the policies in `witnesses/`. ConfigError for a file of no agreement, or one that cannot be followed.

    A witness that spoke against a log before is remembered until `witnesses/AGREEMENT.mundur` is taken away.
    """
    found = {}
    paths = _files(home / "witnesses")
    for mark in paths:
        if mark.suffix == ".mundur" and mark.with_suffix(".policy") not in paths:
            raise ConfigError(str(mark), 0, "says that a witness saw another log; its policy is gone")
    for path in (path for path in paths if path.suffix == ".policy"):
        name = path.stem
        if name not in agreements:
            raise ConfigError(str(path), 0, "is named as no agreement")
        policy = read_policy(path.read_bytes(), str(path))
        ours = [vkey_of(origin(name), key) for key in rings[name].verifying(LogPublic, "log")]
        if policy.logs and not set(ours) & set(policy.logs):
            raise ConfigError(str(path), 0, f"is not about this log: it is {ours[0].text}")
        for witness in policy.witnesses:
            parts = urlsplit(witness.url)
            if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost")):
                raise ConfigError(str(path), witness.line, "a witness is asked at https://…, or http:// on this machine")
        found[name] = Quorum(name, policy, timedelta(hours=limit_hours), now, _against(mark_of(home, name)))
    return found


def _files(folder: Path) -> list[Path]:
    """ConfigError for a folder that cannot be read: it must not pass for one without witnesses."""
    try:
        return sorted(folder / name for name in os.listdir(folder))  # noqa: PTH208 - a glob, and iterdir before 3.13, pass over what cannot be read
    except FileNotFoundError:
        return []
    except OSError:
        raise ConfigError(str(folder), 0, "cannot be read") from None


def mark_of(home: Path, agreement: str) -> Path:
    """Where it is kept that a witness saw another log."""
    return home / "witnesses" / f"{agreement}.mundur"


def _against(mark: Path) -> str:
    if not mark.exists():
        return ""
    try:
        return str(strict_object(mark.read_bytes())["witness"])
    except (ValueError, KeyError):
        return "?"  # whatever it says, it is there


# --- while it serves
class Witnessing:
    """Asks the witnesses of every agreement, round by round. Owns an HTTP connection pool; `close` waits for what is under way."""

    def __init__(self, office: Office, clock: Callable[[], datetime], http: httpx2.Client | None = None) -> None:
        self._office, self._clock = office, clock
        self._http = http or httpx2.Client(timeout=TIMEOUT)
        self._asking: dict[tuple[str, str], threading.Thread] = {}
        self._failing: set[tuple[str, str]] = set()
        self._heard: set[tuple[str, str]] = set()  # answered or failed at least once
        self._held: set[str] = set()
        self._standing: set[str] = set()  # logs whose quorum answers
        self._loop: threading.Thread | None = None
        self._ended = threading.Event()

    def start(self, more: Callable[[], None]) -> None:
        """Rounds until `close`. more: called when a quorum stands behind more than before, so that releases may go on."""
        for agreement in self._office.agreements:
            if agreement not in self._office.quorums:
                log.warning("no witnesses log=%s: nobody else would notice that it was rewritten or restored from an old backup", agreement)
        self._loop = threading.Thread(target=self._rounds, args=(more,), name="witnesses", daemon=True)
        self._loop.start()

    def _rounds(self, more: Callable[[], None]) -> None:
        while self._office.quorums and not self._ended.is_set():
            try:
                if self.round():
                    more()
            except Exception as error:  # noqa: BLE001 - the edge: releases wait as long as no quorum answers
                log.error("witnesses not asked error=%s", type(error).__name__)  # noqa: TRY400
            self._ended.wait(EVERY)

    def round(self, patience: float = PATIENCE) -> bool:
        """Asks every witness that is not being asked and has not cosigned its log's latest checkpoint. Whether a quorum stands behind more.

        Answers are counted together at the end, and before the first quorum only once all have answered or failed: so one witness's word
        against a restored log is heard before another's for it is enough.
        """
        for quorum in self._office.quorums.values():
            if not quorum.against:
                self._ask_all(quorum)
        until = time.monotonic() + patience
        for thread in list(self._asking.values()):
            thread.join(max(0.0, until - time.monotonic()))
        if self._ended.is_set():
            return False
        self._asking = {key: thread for key, thread in self._asking.items() if thread.is_alive()}
        grown = [quorum.settle() for quorum in self._office.quorums.values() if not quorum.against and self._may_count(quorum)]
        for quorum in self._office.quorums.values():
            self._note(quorum)
            self._tell(quorum)
        return any(grown)

    def _note(self, quorum: Quorum) -> None:
        """One line in the broker's own log when enough witnesses answer, and one when no longer."""
        answering = {w.name for w in quorum.policy.witnesses if (quorum.log, w.name) in self._heard - self._failing}
        stands = bool(quorum.confirmed) and not quorum.against and quorum.policy.allows(answering)
        if stands == (quorum.log in self._standing):
            return
        (self._standing.add if stands else self._standing.discard)(quorum.log)
        if stands:
            log.info("quorum reached log=%s size=%d witnesses=%s", quorum.log, quorum.confirmed, ",".join(sorted(answering)))
        else:
            log.warning("quorum lost log=%s witnesses=%s: releases stop at the agreement's limit", quorum.log, ",".join(sorted(answering)) or "none")

    def _may_count(self, quorum: Quorum) -> bool:
        return bool(quorum.confirmed) or all((quorum.log, witness.name) in self._heard for witness in quorum.policy.witnesses)

    def _ask_all(self, quorum: Quorum) -> None:
        note = self._office.ledger.note(quorum.log)
        size = _size(note)
        for witness in quorum.policy.witnesses:
            key = quorum.log, witness.name
            if note is None or key in self._asking or quorum.latest(witness.name) >= size:
                continue
            thread = threading.Thread(target=self._ask, args=(quorum, witness, note), name=f"witness {witness.name}", daemon=True)
            thread.start()
            self._asking[key] = thread

    def _ask(self, quorum: Quorum, witness: Witness, note: str) -> None:
        try:
            fault = self._asked(quorum, witness, note)
        except (httpx2.HTTPError, OSError, LedgerError, NotVerified, ValueError, RuntimeError) as error:  # the last: closed meanwhile
            fault = type(error).__name__
        key = quorum.log, witness.name
        if fault and key not in self._failing:
            log.warning("no cosignature log=%s witness=%s: %s", quorum.log, witness.name, fault)
        if not fault and key in self._failing:
            log.info("cosigned again log=%s witness=%s", quorum.log, witness.name)
        (self._failing.add if fault else self._failing.discard)(key)
        self._heard.add(key)

    def _asked(self, quorum: Quorum, witness: Witness, note: str) -> str:
        """'' once the witness's cosignature is stored; else what was wrong, in a word."""
        ledger, size = self._office.ledger, _size(note)
        with ledger.database.read() as tx:
            old = tx.cosignatures.last(quorum.log, witness.vkey.text)
        for _ in range(TRIES):
            if old > size:  # an answer that was lost, to a later checkpoint than this one; or another log, though ours has grown as far since
                note = ledger.note(quorum.log) or note
                size = _size(note)
            if old > size:
                self._speaks_against(quorum, witness, note, old)
                return "larger size"
            proof = ledger.consistency(quorum.log, old, size) if 0 < old < size else []
            status, kind, answer = self._request("POST", f"{witness.url}/add-checkpoint", add_checkpoint(old, proof, note))
            if status == 200:
                return self._keep(quorum, witness, size, cosignature(note + answer, witness.vkey))
            if status == 422:
                self._speaks_against(quorum, witness, note, old)
                return "another log"
            if status != 409 or kind != SIZE_TYPE or not answer.strip().isdecimal() or len(answer) > 20:
                return f"status {status}"
            old = int(answer)
        return "never the size it says"

    def _keep(self, quorum: Quorum, witness: Witness, size: int, found: Cosignature | None) -> str:
        if found is None:
            return "no cosignature of its key"
        if self._ended.is_set():
            return ""
        with self._office.ledger.database.write() as tx:
            tx.cosignatures.add(quorum.log, size, witness.vkey.text, found.time, found.line)
        quorum.answered(witness.name, size)
        return ""

    def _request(self, method: str, url: str, body: bytes = b"") -> tuple[int, str, str]:
        """Status, media type and text of an answer that is whole within DEADLINE and MAX_ANSWER; ValueError otherwise."""
        until, data = time.monotonic() + DEADLINE, b""
        with self._http.stream(method, url, content=body, headers={"Content-Type": "text/plain; charset=utf-8"} if body else {}) as response:
            for piece in response.iter_bytes():
                data += piece
                if len(data) > MAX_ANSWER or time.monotonic() > until:
                    raise ValueError("an answer without end")
            return response.status_code, response.headers.get("content-type", ""), data.decode()

    def _speaks_against(self, quorum: Quorum, witness: Witness, note: str, theirs: int) -> None:
        """Stops the agreement's releases until an operator acts: in memory, on disk, in the log of events and in the agreement's log."""
        if not quorum.speak_against(witness.name):
            return
        now, seen = self._clock(), self._seen(quorum, witness)
        log.critical("ROLLED BACK OR FORKED log=%s witness=%s ours=%d theirs=%d: releases are stopped, see %s.mundur", quorum.log, witness.name, _size(note), theirs, quorum.log)
        evidence = canonical({"log": quorum.log, "ours": note, "theirs": theirs, "their_note": seen, "time": utc_text(now), "witness": witness.name})
        try:
            mark = mark_of(self._office.folders.home, quorum.log)
            mark.parent.mkdir(mode=0o700, exist_ok=True)
            write_private(mark, evidence)
        except OSError:
            log.critical("the mark %s.mundur cannot be written: after a restart the witness must be asked again", quorum.log)
        with self._office.ledger.writing() as book:
            facts: dict[str, Json] = {"ours": _size(note), "proven": bool(seen), "theirs": theirs, "witness": witness.name}
            book.append(quorum.log, event("witness", now, act="rolled_back", evidence_sha256=sha256(evidence).hexdigest(), **facts))

    def _seen(self, quorum: Quorum, witness: Witness) -> str:
        """The checkpoint that the witness says it saw, if our own key signed it; '' otherwise."""
        name = origin(quorum.log)
        try:
            status, _, note = self._request("GET", f"{witness.url}/{sha256(name.encode()).hexdigest()}/checkpoint")
            read_checkpoint(note, name, *self._office.rings[quorum.log].verifying(LogPublic, "log"))
        except (httpx2.HTTPError, OSError, NotVerified, ValueError):
            return ""
        return note if status == 200 else ""

    def _tell(self, quorum: Quorum) -> None:
        """Records once that releases stopped for want of witnesses, and once that they go on."""
        now, held = self._clock(), None
        with self._office.ledger.database.read() as tx:
            try:
                not_held(self._office, tx, now, quorum.log)
            except Held as reason:
                held = reason
        if (held is not None) == (quorum.log in self._held) or quorum.against:
            return
        (self._held.discard if held is None else self._held.add)(quorum.log)
        if held is None:
            log.info("releases go on log=%s", quorum.log)
        else:
            log.error("releases wait for witnesses log=%s missing=%s", quorum.log, held.facts["saksi"])
        with self._office.ledger.writing() as book:
            facts: dict[str, Json] = {} if held is None else {"missing": str(held.facts["saksi"]), "since": str(held.facts["sejak"])}
            book.append(quorum.log, event("witness", now, act="resumed" if held is None else "stopped", **facts))

    def close(self) -> None:
        self._ended.set()
        for thread in (self._loop, *self._asking.values()):
            if thread is not None:
                thread.join(TIMEOUT)
        self._http.close()


def _size(note: str | None) -> int:
    return int(note.split("\n")[1]) if note else 0


def add_checkpoint(old: int, proof: list[bytes], note: str) -> bytes:
    """The body of an add-checkpoint request. Source: C2SP tlog-witness v1.0.0."""
    lines = "".join(f"{b64encode(one).decode()}\n" for one in proof)
    return f"old {old}\n{lines}\n{note}".encode()


# --- for reports
@dataclass(frozen=True, slots=True)
class Cosigned:
    """The latest checkpoint with its quorum. note: with every cosignature line we have of it."""

    size: int
    note: str


def cosigned(tx: Transaction, quorum: Quorum, upto: int) -> Cosigned | None:
    """The largest checkpoint of at most `upto` entries that its quorum cosigned; None if there is none."""
    for size in tx.cosignatures.sizes(quorum.log, upto + 1):
        note = tx.checkpoint_at(quorum.log, size)
        if note is not None and satisfied(quorum.policy, note):
            return Cosigned(size, note)
    return None


def uncosigned(office: Office, now: datetime) -> list[tuple[str, timedelta]]:
    """By agreement with a quorum, how long its oldest entry without a quorum's cosignature has waited; zero where none waits."""
    found = []
    with office.ledger.database.read() as tx:
        for quorum in office.quorums.values():
            last = cosigned(tx, quorum, office.ledger.size(quorum.log))
            since = entry_time(tx, quorum.log, last.size if last else 0)
            found.append((quorum.log, now - since if since else timedelta(0)))
    return found
