"""A key-encryption key in a token: SoftHSM2 from Debian, and programs that misbehave. Without SoftHSM2 a user's run skips; under CI=true it fails."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from broker.errors import KeyRingError
from broker.jcs import canonical
from broker.keys import LogKey, ReceiptKey, create_ring, hsm, new_key_file, open_ring
from broker.keys.hsm import Session, TokenKek, trusted
from broker.keys.kek import TOKEN, new_kek, open_kek
from broker.keys.ring import RETIRED, changing
from broker.keys.rotate import rotated

if TYPE_CHECKING:
    from collections.abc import Callable

    from broker.keys import Ring

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)
MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PURPOSES = ("root", "log", "receipt")
PIN = "31415926"
ABOUT = {"id": "00" * 16, "provider": "pkcs11", "token": "uji"}


def unlocks(**other: Any) -> bytes:
    return TOKEN + canonical({"module": str(MODULE), "pin": PIN, "token": "uji", **other}) + b"\n"


def by(given: bytes) -> Callable[[str, bool], bytes]:
    return lambda _name, _new: given


def gone(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return False
    return True


# --- what names a token, and what is loaded
@pytest.mark.parametrize("given", [
    b"sinergi-pkcs11-1:", b"sinergi-pkcs11-1:{}", b"sinergi-pkcs11-1:[]", unlocks(pin=""), unlocks(pin=31415926), unlocks(module=None), unlocks(slot="0"),
    unlocks().replace(b",", b", ", 1), new_key_file(), b"kata sandi yang panjang",
])  # fmt: skip
def test_what_names_no_token_unlocks_none(given: bytes) -> None:
    with pytest.raises(KeyRingError, match="names none"):
        open_kek(ABOUT, given)
    if given.startswith(TOKEN):
        with pytest.raises(KeyRingError, match="names none") as caught:
            new_kek(given)
        assert PIN not in str(caught.value)


@pytest.mark.parametrize("about", [
    {**ABOUT, "id": "00"}, {**ABOUT, "id": "0G" * 16}, {**ABOUT, "id": 7}, {**ABOUT, "token": None}, {**ABOUT, "module": str(MODULE)},
    {"id": "00" * 16, "provider": "pkcs11"},
])  # fmt: skip
def test_a_ring_that_does_not_say_which_key_stays_shut(about: dict[str, Any]) -> None:
    with pytest.raises(KeyRingError, match="does not say how"):
        open_kek(about, unlocks())


def test_a_file_that_unlocks_a_token_begins_as_the_page_says() -> None:
    with pytest.raises(KeyRingError, match="another token"):  # it was read, and names one
        open_kek(ABOUT, b'sinergi-pkcs11-1:{"module":"/usr/lib/modul.so","pin":"31415926","token":"lain"}')
    with pytest.raises(KeyRingError, match="whole path"):  # nor is it taken for a passphrase
        new_kek(b'sinergi-pkcs11-1:{"module":"modul.so","pin":"31415926","token":"uji"}')


def test_another_token_is_not_asked() -> None:
    with pytest.raises(KeyRingError, match="another token"):
        open_kek(ABOUT, unlocks(token="lain"))


def test_a_module_that_others_can_write_to_is_not_loaded(tmp_path: Path) -> None:
    folder = tmp_path / "lib"
    folder.mkdir()
    module = folder / "modul.so"
    module.write_bytes(b"")
    assert trusted(str(module)) == str(module)
    (tmp_path / "tautan.so").symlink_to(module)
    assert trusted(str(tmp_path / "tautan.so")) == str(module)
    for path, mode in ((module, 0o664), (module, 0o646), (folder, 0o777), (folder, 0o775)):
        before = path.stat().st_mode
        path.chmod(mode)
        with pytest.raises(KeyRingError, match="by others"):
            trusted(str(tmp_path / "tautan.so"))
        path.chmod(before)
    if os.geteuid() == 0:
        os.chown(module, 12_345, -1)
        with pytest.raises(KeyRingError, match="by others"):
            trusted(str(module))
    for absent in ("lib/modul.so", str(folder / "tidak.so"), str(folder), f"{module}/x"):
        with pytest.raises(KeyRingError, match="whole path"):
            trusted(absent)
    with pytest.raises(KeyRingError, match="whole path"):
        new_kek(unlocks(module=str(folder / "tidak.so")))


# --- programs that misbehave
@dataclass
class Played:
    """A program in the place of ours. pids: of those it was run as."""

    patch: pytest.MonkeyPatch
    folder: Path

    def plays(self, code: str) -> Session:
        note = self.folder / "pids"
        first = f"import os,sys,time\nopen({str(note)!r},'a').write(str(os.getpid())+' ')\nsay=lambda d: (sys.stdin.readline(), os.write(1,d))\n"
        self.patch.setattr(hsm, "PROGRAM", [sys.executable, "-I", "-c", first + code])
        (self.folder / "modul.so").write_bytes(b"")
        return Session(str(self.folder / "modul.so"), "uji", PIN)

    @property
    def pids(self) -> list[int]:
        return [int(pid) for pid in (self.folder / "pids").read_text().split()]


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Played:
    return Played(monkeypatch, tmp_path)


FINE = "say(b'{\"data\":\"\"}\\n')\n"


@pytest.mark.parametrize("code", ["time.sleep(600)", FINE + "time.sleep(600)", FINE + "say(b'{\"data\"')\ntime.sleep(600)"])
def test_a_token_that_hangs_is_given_up_and_leaves_no_process(played: Played, code: str) -> None:
    session = played.plays(code)
    played.patch.setattr(hsm, "SECONDS", 1)
    with pytest.raises(KeyRingError, match="within 1 seconds"):
        session.ask({"ask": "make", "id": "00" * 16})
    if (played.folder / "pids").exists():
        assert all(gone(pid) for pid in played.pids)


@pytest.mark.parametrize("line", [
    b"", b"{}", b"[]", b"\xff", b'{"data":1}', b'{"data":"!"}', b'{"data":"QQ="}', b'{"data":"QR=="}', b'{"data":"QQ==","more":1}', b'{"data": "QQ=="}', b'{"error":"lain"}',
    b'{"error":"pin","more":1}', b'{"data":"QQ=="}\n{"data":"QQ=="}', b"A" * (hsm.MOST + 1),
])  # fmt: skip
def test_an_answer_that_is_not_to_the_letter_is_none(played: Played, line: bytes) -> None:
    session = played.plays(f"{FINE}say({line + chr(10).encode()!r})\ntime.sleep(600)")
    with pytest.raises(KeyRingError, match="answers something else"):
        session.ask({"ask": "make", "id": "00" * 16})
    assert all(gone(pid) for pid in played.pids)


@pytest.mark.parametrize("code", ["", FINE, FINE + "say(b'{\"data\":\"\"}')", "os.kill(os.getpid(), 11)", FINE + "sys.stdin.readline()\nos.kill(os.getpid(), 11)"])
def test_a_program_that_ends_has_not_answered(played: Played, code: str) -> None:
    session = played.plays(code)
    with pytest.raises(KeyRingError, match="ended"):
        session.ask({"ask": "make", "id": "00" * 16})
    assert all(gone(pid) for pid in played.pids)


def test_after_a_failure_another_process_is_asked(played: Played) -> None:
    session = played.plays(FINE + FINE + "say(b'{\"error\":\"wrap\"}\\n')\ntime.sleep(600)")
    for _ in range(2):
        assert session.ask({"ask": "make", "id": "00" * 16}) == b""
        with pytest.raises(KeyRingError, match="does not wrap"):
            session.ask({"ask": "wrap", "id": "00" * 16})
    assert len(set(played.pids)) == 2
    assert all(gone(pid) for pid in played.pids)


def test_who_asks_no_more_leaves_no_process(played: Played) -> None:
    session = played.plays(FINE + FINE + "time.sleep(600)")
    session.ask({"ask": "make", "id": "00" * 16})
    assert not gone(played.pids[0])
    del session
    assert gone(played.pids[0])


# --- a real token
@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new token `uji` in a folder of its own, which is returned."""
    if not MODULE.exists() or shutil.which("softhsm2-util") is None:
        assert os.environ.get("CI") != "true", "softhsm2 is missing"
        pytest.skip("needs softhsm2, as .ci/run installs it")
    folder = tmp_path / "token"
    folder.mkdir()
    (tmp_path / "softhsm2.conf").write_text(f"directories.tokendir = {folder}\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm2.conf"))
    subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", "uji", "--pin", PIN, "--so-pin", "27182818"], check=True, capture_output=True)
    return folder


def made(folder: Path) -> Ring:
    return create_ring(folder, PURPOSES, NOW, by(unlocks()))


def child(kek: object) -> int:
    assert isinstance(kek, TokenKek)
    process = kek._session._child
    assert process is not None
    return process.pid


def test_a_secret_comes_back_under_its_own_words_alone(token: Path) -> None:
    kek, other = new_kek(unlocks()), new_kek(unlocks())
    wrapped = kek.wrap(b"s" * 32, b"kata")
    assert len(wrapped) == 12 + 32 + 16
    assert wrapped != kek.wrap(b"s" * 32, b"kata")
    assert open_kek(kek.about, unlocks()).unwrap(wrapped, b"kata") == b"s" * 32
    for of, data, aad in ((kek, wrapped, b"lain"), (kek, wrapped[:-1] + bytes([wrapped[-1] ^ 1]), b"kata"), (kek, b"", b"kata"), (other, wrapped, b"kata")):
        with pytest.raises(KeyRingError, match="does not unlock"):
            of.unwrap(data, aad)


def test_a_ring_of_a_token_is_made_opened_and_rotated(token: Path, tmp_path: Path) -> None:
    first = made(tmp_path / "nk")
    about = json.loads((tmp_path / "nk" / "ring.json").read_bytes())["kek"]
    assert (set(about), about["provider"], about["token"]) == ({"id", "provider", "token"}, "pkcs11", "uji")
    with changing(tmp_path / "nk") as write:
        write(rotated(open_ring(tmp_path / "nk", by(unlocks())), "log", NOW, "administrator-1"))
    again = open_ring(tmp_path / "nk", by(unlocks()), at_least=2)
    assert again.get(ReceiptKey, "receipt").seed == first.get(ReceiptKey, "receipt").seed
    assert again.all(LogKey, "log")[1].seed == first.get(LogKey, "log").seed
    assert next(r.state for r in again.records if r.purpose == "log") == RETIRED
    for given in (new_key_file(), b"kata sandi yang panjang"):
        with pytest.raises(KeyRingError, match="names none"):
            open_ring(tmp_path / "nk", by(given))


def test_rings_share_a_process_and_not_a_key(token: Path, tmp_path: Path) -> None:
    one, two = made(tmp_path / "nk"), made(tmp_path / "lain")
    assert child(one.kek) == child(two.kek)
    assert one.kek.about["id"] != two.kek.about["id"]


def test_the_pin_is_told_to_the_process_alone(token: Path, tmp_path: Path) -> None:
    ring = made(tmp_path / "nk")
    pid = child(ring.kek)
    for name in ("cmdline", "environ"):
        assert PIN.encode() not in Path(f"/proc/{pid}/{name}").read_bytes()
    assert PIN not in (tmp_path / "nk" / "ring.json").read_text()


def test_a_wrong_pin_or_label_opens_nothing(token: Path, tmp_path: Path) -> None:
    made(tmp_path / "nk")
    with pytest.raises(KeyRingError, match="does not take the PIN") as caught:
        open_ring(tmp_path / "nk", by(unlocks(pin="16180339")))
    assert "16180339" not in str(caught.value)
    with pytest.raises(KeyRingError, match="no token of that label"):
        create_ring(tmp_path / "lain", PURPOSES, NOW, by(unlocks(token="lain")))
    assert not (tmp_path / "lain" / "ring.json").exists()


def test_what_is_no_module_does_not_load(token: Path, tmp_path: Path) -> None:
    (tmp_path / "modul.so").write_bytes(b"\x7fELF")
    with pytest.raises(KeyRingError, match="does not load"):
        new_kek(unlocks(module=str(tmp_path / "modul.so")))


def test_a_token_that_is_gone_opens_nothing(token: Path, tmp_path: Path) -> None:
    made(tmp_path / "nk")
    token.rename(tmp_path / "dicabut")
    token.mkdir()
    with pytest.raises(KeyRingError, match="no token of that label"):
        open_ring(tmp_path / "nk", by(unlocks()))
    token.rmdir()
    (tmp_path / "dicabut").rename(token)
    open_ring(tmp_path / "nk", by(unlocks()))


def test_a_process_killed_in_the_middle_of_a_rotation_leaves_the_ring_as_it_was(token: Path, tmp_path: Path) -> None:
    ring = made(tmp_path / "nk")
    before, pid = (tmp_path / "nk" / "ring.json").read_bytes(), child(ring.kek)
    os.kill(pid, signal.SIGSTOP)  # so that it is surely asked before it is killed
    killed = threading.Timer(0.3, os.kill, (pid, signal.SIGKILL))
    killed.start()
    with pytest.raises(KeyRingError, match="ended"), changing(tmp_path / "nk") as write:
        write(rotated(ring, "log", NOW, "administrator-1"))
    killed.join()
    assert (tmp_path / "nk" / "ring.json").read_bytes() == before
    with changing(tmp_path / "nk") as write:
        assert write(rotated(ring, "log", NOW, "administrator-1")).version == 2
    assert child(ring.kek) != pid


KEY_THAT_LEAVES = """
import os, sys, pkcs11
from pkcs11 import Attribute, KeyType, MechanismFlag
session = pkcs11.lib(sys.argv[1]).get_token(token_label="uji").open(rw=True, user_pin=sys.argv[2])
session.generate_key(KeyType.AES, 256, id=bytes(16), store=True, capabilities=MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT,
    template={Attribute.SENSITIVE: sys.argv[3] == "1", Attribute.EXTRACTABLE: sys.argv[4] == "1"})
os._exit(0)
"""


@pytest.mark.parametrize(("sensitive", "extractable"), [("0", "0"), ("1", "1")])
def test_a_key_that_could_leave_its_token_is_not_used(token: Path, sensitive: str, extractable: str) -> None:
    with pytest.raises(KeyRingError, match="does not hold the key"):
        open_kek(ABOUT, unlocks()).wrap(b"s" * 32, b"")
    subprocess.run([sys.executable, "-I", "-c", KEY_THAT_LEAVES, str(MODULE), PIN, sensitive, extractable], check=True)
    with pytest.raises(KeyRingError, match="would let it out"):
        open_kek(ABOUT, unlocks()).wrap(b"s" * 32, b"")


ASKER = """
import os, signal, sys
from broker.keys.kek import new_kek
kek = new_kek(sys.stdin.buffer.read())
print(kek._session._child.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_it_ends_with_the_process_that_asked(token: Path) -> None:
    asker = subprocess.run([sys.executable, "-c", ASKER], input=unlocks(), stdout=subprocess.PIPE, check=False)
    assert asker.returncode == -signal.SIGKILL
    pid = int(asker.stdout)
    while not gone(pid):  # what reaps it is not this process
        status = Path(f"/proc/{pid}/status")
        if status.exists() and "State:\tZ" in status.read_text():
            break
        threading.Event().wait(0.02)
