"""A key-encryption key that never leaves its PKCS#11 token, used through a process of its own.

Modules crash, hang, and block while a process ends, so this one loads none: `python -m broker.keys.hsm` does. It is told the PIN over its
standard input, answers a line of canonical JSON for a line, ends with the process that asked, and is killed when it does not answer in time.
"""

from __future__ import annotations

import os
import re
import resource
import select
import signal
import stat
import subprocess
import sys
import weakref
from base64 import b64encode
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, BinaryIO, Final
from weakref import WeakValueDictionary

from broker.errors import KeyRingError
from broker.jcs import canonical, read_base64, strict_object
from broker.keys.kek import LOCKED, NONCE, TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from broker.jcs import Json

SECONDS: Final = 10  # an answer may take, the token's start and the PIN's check included
MOST: Final = 65_536  # bytes of an answer
ID: Final = re.compile(r"[0-9a-f]{32}")  # CKA_ID: 16 random bytes. Labels are not unique.
PROGRAM: Final = [sys.executable, "-I", "-m", "broker.keys.hsm"]
ERRORS: Final = {
    "library": "python-pkcs11 is missing: install sinergi[hsm]",
    "module": "the PKCS#11 module does not load",
    "token": "there is no token of that label, or there are two",
    "pin": "the token does not take the PIN",
    "key": "the token does not hold the key of this ring, or would let it out",
    "make": "the token makes no AES-256 key",
    "wrap": "the token's key does not wrap",
    "unwrap": LOCKED,
}


class TokenKek:
    """AES-256-GCM under a key of a token."""

    def __init__(self, session: Session, about: Mapping[str, Json]) -> None:
        self._session, self.about = session, about

    def wrap(self, secret: bytes, aad: bytes) -> bytes:
        return self._ask("wrap", secret, aad)

    def unwrap(self, wrapped: bytes, aad: bytes) -> bytes:
        return self._ask("unwrap", wrapped, aad)

    def _ask(self, what: str, data: bytes, aad: bytes) -> bytes:
        return self._session.ask({"aad": b64encode(aad).decode(), "ask": what, "data": b64encode(data).decode(), "id": self.about["id"]})


def new_token_kek(given: bytes) -> TokenKek:
    """A key made in the token for one new ring."""
    session, about = _session(given), {"id": os.urandom(16).hex(), "provider": "pkcs11"}
    session.ask({"ask": "make", "id": about["id"]})
    return TokenKek(session, {**about, "token": session.token})


def open_token_kek(about: Mapping[str, Json], given: bytes) -> TokenKek:
    """The key that a ring file tells of. KeyRingError if what was given is for no token, or for another one."""
    session = _session(given)
    if about["token"] != session.token:
        raise KeyRingError("this ring is unlocked by another token than the one that was given")
    return TokenKek(session, about)


class Session:
    """At most one process, logged in to one token: started when it is asked, again if it ended, ended with this object.

    KeyRingError when it does not answer within SECONDS, or not to the letter; it is killed then.
    """

    def __init__(self, module: str, token: str, pin: str) -> None:
        self.token = token
        self._start: Mapping[str, Json] = {"ask": "start", "module": module, "pin": pin, "token": token}
        self._lock = Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._end: Callable[[], object] = lambda: None

    def ask(self, what: Mapping[str, Json]) -> bytes:
        """The bytes that answer a request."""
        with self._lock:
            try:
                if self._child is None or self._child.poll() is not None:
                    self._end()
                    self._child = child = _started(str(self._start["module"]))
                    self._end = weakref.finalize(self, _ended, child)
                    _asked(child, self._start)
                return _asked(self._child, what)
            except BaseException:
                self._end()
                self._child = None
                raise


_SESSIONS: Final[WeakValueDictionary[bytes, Session]] = WeakValueDictionary()  # by what was given: the rings of a home share one


def _session(given: bytes) -> Session:
    found = _SESSIONS.get(given)
    if found is not None:
        return found
    try:
        said = strict_object(given.removeprefix(TOKEN).strip()) if given.startswith(TOKEN) else {}
        if set(said) != {"module", "pin", "token"} or not all(isinstance(value, str) and value for value in said.values()):
            raise ValueError
    except ValueError:
        raise KeyRingError("this ring is unlocked by a token, and what was given names none") from None
    found = Session(str(said["module"]), str(said["token"]), str(said["pin"]))
    _SESSIONS[given] = found
    return found


def _started(module: str) -> subprocess.Popen[bytes]:
    trusted(module)
    # A group of its own: Ctrl-C at the terminal is for us. The environment stays: modules find their configuration in it.
    return subprocess.Popen(PROGRAM, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)  # noqa: S603 - ours


def _ended(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()


def trusted(module: str) -> str:
    """Where a module really lies. KeyRingError if anyone but root and us can write to it, or to a folder that leads to it."""
    try:
        real = Path(module).resolve(strict=True)
        if not Path(module).is_absolute() or not real.is_file():
            raise ValueError
        parts = [part.stat() for part in (real, *real.parents)]
    except (OSError, ValueError, RuntimeError):
        raise KeyRingError("the PKCS#11 module is not there: name it by its whole path") from None
    for status in parts:
        shared = status.st_mode & 0o022 and not (stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX)  # in /tmp nobody swaps another's file
        if status.st_uid not in (0, os.geteuid()) or shared:
            raise KeyRingError("the PKCS#11 module can be written to by others: it is not loaded")
    return str(real)


def _asked(child: subprocess.Popen[bytes], what: Mapping[str, Json]) -> bytes:
    assert child.stdin is not None
    try:
        child.stdin.write(canonical(what) + b"\n")
    except BrokenPipeError:
        raise KeyRingError(_GONE) from None
    try:
        match strict_object(_line(child)):
            case {"data": str(text), **rest} if not rest:
                return read_base64(text)
            case {"error": str(word), **rest} if not rest and word in ERRORS:
                raise KeyRingError(ERRORS[word])
    except ValueError:
        pass
    raise KeyRingError("the process that speaks to the token answers something else")


_GONE: Final = "the process that speaks to the token ended"


def _line(child: subprocess.Popen[bytes]) -> bytes:
    """An answer without its line end."""
    assert child.stdout is not None
    waiting, deadline, got = select.poll(), monotonic() + SECONDS, b""
    waiting.register(child.stdout, select.POLLIN)
    while not got.endswith(b"\n"):
        if not waiting.poll(max(0, deadline - monotonic()) * 1_000):
            raise KeyRingError(f"the token does not answer within {SECONDS} seconds")
        piece = os.read(child.stdout.fileno(), MOST)
        if not piece:
            raise KeyRingError(_GONE)
        got += piece
        if len(got) > MOST:
            raise ValueError
    return got[:-1]


# --- the process
class _NotDone(Exception):
    """word: one of ERRORS."""


def main() -> None:
    """Answers until its input ends. Never returns: at exit OpenSSL and a module can wait for each other for ever."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    source, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb", 0)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)  # a module that prints would answer for us
    _answer(source, answers)
    os._exit(0)


def _answer(source: BinaryIO, answers: BinaryIO) -> None:
    token: Any = None
    for line in source:
        signal.alarm(2 * SECONDS)  # ends us in the middle of a module's code, should nobody be left who would
        said: dict[str, Any] = strict_object(line[:-1])
        try:
            if said["ask"] == "start":
                token, data = _login(said["module"], said["token"], said["pin"]), b""
            else:
                data = _done(token, said)
            answer: dict[str, Json] = {"data": b64encode(data).decode()}
        except _NotDone as error:
            answer = {"error": str(error)}
        signal.alarm(0)
        answers.write(canonical(answer) + b"\n")


def _login(module: str, label: str, pin: str) -> Any:
    try:
        import pkcs11  # noqa: PLC0415 - an extra
    except ImportError:
        raise _NotDone("library") from None
    try:
        library = pkcs11.lib(trusted(module))
    except (KeyRingError, RuntimeError):
        raise _NotDone("module") from None
    try:
        token = library.get_token(token_label=label)
    except pkcs11.PKCS11Error:
        raise _NotDone("token") from None
    try:
        return token.open(rw=True, user_pin=pin)
    except pkcs11.PKCS11Error:
        raise _NotDone("pin") from None


def _done(session: Any, said: Mapping[str, str]) -> bytes:
    from pkcs11 import Attribute, GCMParams, KeyType, Mechanism, MechanismFlag, ObjectClass, PKCS11Error  # noqa: PLC0415 - an extra

    what, name = said["ask"], bytes.fromhex(said["id"])
    if what == "make":
        try:
            session.generate_key(
                KeyType.AES, 256, id=name, label="sinergi", store=True, capabilities=MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT,
                template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False},
            )  # fmt: skip
        except PKCS11Error:
            raise _NotDone(what) from None
        return b""
    try:
        key = session.get_key(object_class=ObjectClass.SECRET_KEY, key_type=KeyType.AES, id=name)
        if key[Attribute.EXTRACTABLE] or not key[Attribute.SENSITIVE]:
            raise _NotDone("key")
    except PKCS11Error:
        raise _NotDone("key") from None
    data, aad = read_base64(said["data"]), read_base64(said["aad"])
    nonce = os.urandom(NONCE) if what == "wrap" else data[:NONCE]
    try:
        how = {"mechanism": Mechanism.AES_GCM, "mechanism_param": GCMParams(nonce, aad, 128)}
        return bytes(nonce + key.encrypt(data, **how) if what == "wrap" else key.decrypt(data[NONCE:], **how))
    except PKCS11Error:
        raise _NotDone(what) from None


if __name__ == "__main__":
    main()
