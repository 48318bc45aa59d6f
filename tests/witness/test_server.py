"""A party's witness answers as C2SP tlog-witness v1.0.0 says, and never forgets what it cosigned."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from base64 import b64encode
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from broker.client.witness import MAX_BODY, Witness, pinned
from broker.errors import ClientError
from broker.keys import LogKey, PublicSet, create_ring, write_private
from broker.keys.ring import RETIRED
from broker.ledger import Checkpoint, LogTree, leaf_hash, read_checkpoint, sign_checkpoint
from broker.ledger.cosign import cosignature, read_vkey
from broker.witnessing import add_checkpoint
from tests.simulator import SIJOKER
from tests.witness.conftest import NK, Stand

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulator import Town

ORIGIN = f"sinergi/{NK}"
HASHED = sha256(ORIGIN.encode()).hexdigest()
SIZE = "text/x.tlog.size"


class Log:
    """The agreement's log, with its real key, of as many entries as a test wants."""

    def __init__(self, town: Town, fork: str = "") -> None:
        self.key = town.office.rings[NK].get(LogKey, "log")
        self.tree = LogTree(leaf_hash(f"{n}{fork if n >= 5 else ''}".encode()) for n in range(40))

    def note(self, size: int, origin: str = ORIGIN) -> str:
        return sign_checkpoint(Checkpoint(origin, size, self.tree.root(size)), self.key)

    def ask(self, old: int, size: int) -> bytes:
        return add_checkpoint(old, self.tree.consistency(old, size) if 0 < old < size else [], self.note(size))


@pytest.fixture
def stand(town: Town) -> Iterator[Stand]:
    home = town.folder / SIJOKER
    shutil.copytree(town.province.parties / SIJOKER, home)
    stand = Stand(town, SIJOKER, home)
    yield stand
    stand.stop()


@pytest.fixture
def log(town: Town) -> Log:
    return Log(town)


def cosigned(stand: Stand, log: Log, old: int, size: int) -> None:
    status, kind, line = stand.post(log.ask(old, size))
    assert (status, kind.partition(";")[0]) == (200, "text/plain")
    found = cosignature(log.note(size) + line, stand.witness.vkey)
    assert found is not None
    assert found.time == int(stand.town.now.timestamp())


def test_it_cosigns_what_extends_the_last(stand: Stand, log: Log) -> None:
    for old, size in ((0, 3), (3, 3), (3, 4), (4, 40)):
        cosigned(stand, log, old, size)


def test_monitors_get_the_last_note_with_both_signatures(stand: Stand, log: Log) -> None:
    assert stand.get(f"/{HASHED}/checkpoint")[0] == 404
    cosigned(stand, log, 0, 3)
    cosigned(stand, log, 3, 7)
    status, _, note = stand.get(f"/{HASHED}/checkpoint")
    assert status == 200
    assert read_checkpoint(note, ORIGIN, log.key.public).size == 7
    assert cosignature(note, stand.witness.vkey) is not None


def malformed(log: Log) -> dict[str, bytes]:
    good = log.ask(3, 7)
    proof = log.tree.consistency(3, 7)
    line = b64encode(proof[0])
    return {
        "empty": b"",
        "no old": good.partition(b"\n")[2],
        "leading zero": good.replace(b"old 3", b"old 03"),
        "negative": good.replace(b"old 3", b"old -3"),
        "plus": good.replace(b"old 3", b"old +3"),
        "two spaces": good.replace(b"old 3", b"old  3"),
        "other digits": good.replace(b"old 3", "old ٣".encode()),
        "too long a number": good.replace(b"old 3", b"old " + b"9" * 20),
        "no blank line": good.replace(b"\n\nsinergi", b"\nsinergi", 1),
        "CRLF": good.replace(b"\n", b"\r\n"),
        "64 lines": add_checkpoint(3, [proof[0]] * 64, log.note(7)),
        "not base64": good.replace(line, b"!" * 44),
        "another spelling": good.replace(line, line.rstrip(b"=") + b"=="),
        "no checkpoint": b"old 3\n\n",
        "extension line": good.replace(b"\n\n\xe2\x80\x94", b"\nlebih\n\n\xe2\x80\x94", 1),
        "no last LF": good[:-1],
        "malformed signature line": good + b"- x y\n",
        "not UTF-8": good + b"\xff\n",
        "size with zero": good.replace(b"\n7\n", b"\n07\n"),
        "root of 31 bytes": good.replace(b64encode(log.tree.root(7)), b64encode(log.tree.root(7)[:31])),
        "old beyond the checkpoint": add_checkpoint(8, [], log.note(7)),
    }


def test_400_for_what_is_not_a_request_to_the_letter(stand: Stand, log: Log) -> None:
    cosigned(stand, log, 0, 3)
    for case, body in malformed(log).items():
        assert (case, stand.post(body)[0]) == (case, 400)
    cosigned(stand, log, 3, 7)  # nothing was remembered of it


def test_404_for_an_origin_that_is_not_pinned(stand: Stand, log: Log) -> None:
    assert stand.post(add_checkpoint(0, [], log.note(3, "sinergi/nk-lain-2025")))[0] == 404
    assert stand.get(f"/{sha256(b'sinergi/nk-lain-2025').hexdigest()}/checkpoint")[0] == 404
    for path in ("/", "/add-checkpoint/", "/v1/add-checkpoint", f"/{HASHED}"):
        assert (stand.post(log.ask(0, 3), path)[0], stand.get(path)[0]) == (404, 404)


def test_403_without_a_signature_of_the_pinned_key(stand: Stand, log: Log, town: Town) -> None:
    other = town.office.rings["nk-binjai-2025"].get(LogKey, "log")
    good = log.note(3)
    body = good.partition("\n\n")[0]
    notes = {
        "another agreement's key": sign_checkpoint(Checkpoint(ORIGIN, 3, log.tree.root(3)), other),
        "another size": good.replace("\n3\n", "\n4\n"),
        "only strangers": f"{body}\n\n— saksi.example.org {b64encode(bytes(76)).decode()}\n",
        "ours in name and id, not in truth": f"{body}\n\n— {ORIGIN} {b64encode(read_vkey_id(log) + bytes(64)).decode()}\n",
        "a log's key as cosignature": good.replace(f"— {ORIGIN} ", "— sinergi/nk-binjai-2025 "),
    }
    for case, note in notes.items():
        assert (case, stand.post(add_checkpoint(0, [], note))[0]) == (case, 403)
    cosigned(stand, log, 0, 3)


def read_vkey_id(log: Log) -> bytes:
    return sha256(f"{ORIGIN}\n\x01".encode() + log.key.public.raw).digest()[:4]


def test_strangers_signatures_beside_the_logs_are_passed_over(stand: Stand, log: Log) -> None:
    body, _, line = log.note(3).partition("\n\n")
    stranger = f"— saksi.example.org {b64encode(bytes(76)).decode()}\n"
    assert stand.post(add_checkpoint(0, [], f"{body}\n\n{stranger}{line}{stranger}"))[0] == 200
    assert stranger not in stand.get(f"/{HASHED}/checkpoint")[2]


def test_409_says_the_size_it_has(stand: Stand, log: Log) -> None:
    assert stand.post(log.ask(2, 3)) == (409, SIZE, "0\n")
    cosigned(stand, log, 0, 7)
    for old, size in ((0, 7), (0, 9), (3, 7), (6, 40), (8, 9), (3, 4)):
        assert stand.post(log.ask(old, size)) == (409, SIZE, "7\n")


def test_422_for_what_does_not_extend_the_last(stand: Stand, log: Log, town: Town) -> None:
    cosigned(stand, log, 0, 7)
    fork = Log(town, "lain")
    proof = log.tree.consistency(7, 20)
    cases = {
        "another log": fork.ask(7, 20),
        "the same size with another root": fork.ask(7, 7),
        "no proof": add_checkpoint(7, [], log.note(20)),
        "one hash too few": add_checkpoint(7, proof[:-1], log.note(20)),
        "one hash too many": add_checkpoint(7, [*proof, proof[0]], log.note(20)),
        "a short hash": add_checkpoint(7, [proof[0][:31], *proof[1:]], log.note(20)),
        "another proof": add_checkpoint(7, log.tree.consistency(7, 21), log.note(20)),
        "a proof for the same size": add_checkpoint(7, proof, log.note(7)),
    }
    for case, body in cases.items():
        assert (case, stand.post(body)[0]) == (case, 422)
    cosigned(stand, log, 7, 20)


def test_422_at_the_beginning(stand: Stand, log: Log) -> None:
    wrong = sign_checkpoint(Checkpoint(ORIGIN, 0, log.tree.root(1)), log.key)
    assert stand.post(add_checkpoint(0, [], wrong))[0] == 422  # the empty tree has one root
    assert stand.post(add_checkpoint(0, [log.tree.root(1)], log.note(3)))[0] == 422  # from 0 there is no proof
    cosigned(stand, log, 0, 0)
    cosigned(stand, log, 0, 3)


def test_a_body_is_limited_and_has_its_length(stand: Stand, log: Log) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", stand.port, timeout=10)
    connection.putrequest("POST", "/add-checkpoint")
    connection.putheader("Content-Length", str(MAX_BODY + 1))
    connection.endheaders()
    assert connection.getresponse().status == 413  # told before the body is sent
    connection.close()
    assert stand.post(log.ask(0, 3), headers={"Transfer-Encoding": "chunked"})[0] == 400
    assert stand.post(log.ask(0, 3), headers={"Content-Length": "x"})[0] == 400
    connection = http.client.HTTPConnection("127.0.0.1", stand.port, timeout=10)
    for n in range(3):  # many requests on one connection
        connection.request("POST", "/add-checkpoint", log.ask(n, n + 1))
        assert connection.getresponse().read().startswith("— ".encode())
    connection.close()


# --- the specification's race
def test_of_many_at_once_each_size_is_cosigned_once_and_none_rolls_back(stand: Stand, log: Log) -> None:
    cosigned(stand, log, 0, 5)
    sizes = list(range(6, 30))
    answers: dict[int, tuple[int, str, str]] = {}
    start = threading.Barrier(len(sizes))

    def one(size: int) -> None:
        start.wait()
        answers[size] = stand.post(log.ask(5, size))

    threads = [threading.Thread(target=one, args=(size,)) for size in sizes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (won,) = [size for size, answer in answers.items() if answer[0] == 200]
    assert {answer for size, answer in answers.items() if size != won} == {(409, SIZE, f"{won}\n")}
    stand.stop()
    stand.start()
    assert stand.post(log.ask(0, 39)) == (409, SIZE, f"{won}\n")


def test_a_smaller_size_that_was_checked_before_a_larger_does_not_undo_it(stand: Stand, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """Request A is held at the moment it would be written, while B asks: B must wait, not pass it."""
    cosigned(stand, log, 0, 5)
    writing, go = threading.Event(), threading.Event()

    def slow(path: Path, data: bytes) -> None:
        writing.set()
        go.wait(10)
        write_private(path, data)

    monkeypatch.setattr("broker.client.witness.write_private", slow)
    said: dict[str, tuple[int, str, str]] = {}
    a = threading.Thread(target=lambda: said.update(a=stand.post(log.ask(5, 6))))
    a.start()
    assert writing.wait(10)
    b = threading.Thread(target=lambda: said.update(b=stand.post(log.ask(5, 9))))
    b.start()
    b.join(0.2)
    assert "b" not in said
    go.set()
    a.join()
    b.join()
    assert (said["a"][0], said["b"]) == (200, (409, SIZE, "6\n"))


# --- memory
def test_it_is_on_disk_before_the_answer(stand: Stand, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """File and folder are synced before; when that fails there is no cosignature, and none after it either."""
    synced: list[str] = []
    plain = os.fsync

    def counting(fd: int) -> None:
        synced.append(Path(f"/proc/self/fd/{fd}").readlink().name)
        plain(fd)

    monkeypatch.setattr(os, "fsync", counting)
    cosigned(stand, log, 0, 3)
    assert [name.removeprefix(".").partition(".")[0] for name in synced] == ["state", "witness", "cosigned", "witness"]

    def failing(fd: int) -> None:
        raise OSError

    monkeypatch.setattr(os, "fsync", failing)
    assert stand.post(log.ask(3, 7))[0] == 500
    monkeypatch.undo()
    assert stand.post(log.ask(3, 7))[0] == 500  # an fsync that failed is never tried again
    stand.stop()
    stand.start()
    cosigned(stand, log, 3, 7)


@pytest.mark.parametrize("damage", ["cut", "empty", "not json", "no cosignature", "another log's note", "another size"])
def test_a_damaged_memory_does_not_serve(stand: Stand, log: Log, town: Town, damage: str) -> None:
    cosigned(stand, log, 0, 3)
    stand.stop()
    file = stand.home / "witness" / "state.json"
    data = file.read_bytes()
    state = json.loads(data)
    note = state["logs"][ORIGIN]
    changed = {
        "no cosignature": note[: note.rindex("— ")],
        "another size": note.replace("\n3\n", "\n2\n"),
        "another log's note": note.replace(ORIGIN, "sinergi/nk-binjai-2025"),
    }
    if damage in changed:
        data = json.dumps({**state, "logs": {ORIGIN: changed[damage]}}, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    file.write_bytes({"cut": data[:-9], "empty": b"", "not json": b"SQLite"}.get(damage, data))
    with pytest.raises(ClientError, match="must not serve"):
        stand.start()


@pytest.mark.parametrize("lost", ["witness/state.json", "secrets/witness/ring.json", "witness"])
def test_key_and_memory_belong_together(stand: Stand, log: Log, lost: str) -> None:
    """Without its memory the key would cosign anything again."""
    cosigned(stand, log, 0, 3)
    stand.stop()
    path = stand.home / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(ClientError, match="must not serve"):
        stand.start()


@pytest.mark.parametrize("kept", ["empty", "older", "another log's alone"])
def test_a_memory_smaller_than_the_key_knows_does_not_serve(stand: Stand, log: Log, kept: str) -> None:
    """It would cosign a fork of what it has cosigned."""
    memory = stand.home / "witness" / "state.json"
    empty = memory.read_bytes()
    cosigned(stand, log, 0, 3)
    older = memory.read_bytes()
    cosigned(stand, log, 3, 7)
    stand.stop()
    memory.write_bytes({"empty": empty, "older": older}.get(kept, memory.read_bytes().replace(ORIGIN.encode(), b"sinergi/lain")))
    with pytest.raises(ClientError, match="must not serve"):
        stand.start()


@pytest.mark.parametrize("wrong", [b"", b"{}", b'{"sizes":[],"type":"sinergi/witness-sizes/v1"}', b'{"sizes":{"sinergi/nk-sijunjung-2025":"3"},"type":"sinergi/witness-sizes/v1"}'])
def test_sizes_beside_the_key_that_cannot_be_read_do_not_pass_for_none(stand: Stand, log: Log, wrong: bytes) -> None:
    cosigned(stand, log, 0, 3)
    stand.stop()
    sizes = stand.home / "secrets" / "witness" / "cosigned"
    assert json.loads(sizes.read_bytes())["sizes"] == {ORIGIN: 3}
    sizes.write_bytes(wrong)
    with pytest.raises(ClientError, match="must not serve"):
        stand.start()


def test_a_crash_between_the_memory_and_the_sizes_serves_on(stand: Stand, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    cosigned(stand, log, 0, 3)
    plain = os.fsync

    def failing(fd: int) -> None:
        if ".cosigned" in Path(f"/proc/self/fd/{fd}").readlink().name:
            raise OSError
        plain(fd)

    monkeypatch.setattr(os, "fsync", failing)
    assert stand.post(log.ask(3, 7))[0] == 500
    monkeypatch.undo()
    stand.stop()
    stand.start()
    assert stand.post(log.ask(3, 9)) == (409, SIZE, "7\n")


def test_a_first_start_that_broke_off_is_finished_by_the_next(town: Town) -> None:
    home = town.folder / SIJOKER
    shutil.copytree(town.province.parties / SIJOKER, home)
    with Witness.at(home, SIJOKER, lambda: pinned(home), lambda: town.now) as first:
        text = first.vkey.text
    (home / "secrets" / "witness" / "ring.json").unlink()  # the memory is made first
    with Witness.at(home, SIJOKER, lambda: pinned(home), lambda: town.now) as second:
        assert second.vkey.text != text


def test_it_serves_on_when_the_broker_rotated_its_log_key(stand: Stand, log: Log, tmp_path: Path) -> None:
    cosigned(stand, log, 0, 3)  # under the key before alone
    path, following = stand.home / "broker.json", create_ring(tmp_path / "ring", ("log",), stand.town.now).get(LogKey, "log")
    before = pinned(stand.home)
    keys = {**before.keys, (NK, "log"): following.public}
    write_private(path, PublicSet("broker", keys, ((NK, "log", RETIRED, log.key.public),)).to_json())
    stand.stop()
    stand.start()
    cosigned(stand, log, 3, 5)  # one that was signed before the rotation
    log.key = following
    cosigned(stand, log, 5, 7)
    stand.stop()
    stand.start()
    assert stand.post(log.ask(5, 9)) == (409, SIZE, "7\n")


def test_while_it_serves_it_follows_what_its_party_pins(stand: Stand, log: Log, tmp_path: Path) -> None:
    cosigned(stand, log, 0, 3)
    before, first = pinned(stand.home), log.key
    log.key = create_ring(tmp_path / "ring", ("log",), stand.town.now).get(LogKey, "log")
    assert stand.post(log.ask(3, 5))[0] == 403  # nobody vouched for it
    keys = {**before.keys, (NK, "log"): log.key.public}
    write_private(stand.home / "broker.json", PublicSet("broker", keys, ((NK, "log", RETIRED, first.public),)).to_json())
    cosigned(stand, log, 3, 5)


def test_two_processes_do_not_share_a_memory(stand: Stand, town: Town) -> None:
    with pytest.raises(ClientError, match="another process"):
        Witness.at(stand.home, SIJOKER, lambda: pinned(stand.home), lambda: town.now)


def test_a_connection_that_outlives_its_server_gets_no_more_cosignatures(stand: Stand, log: Log) -> None:
    cosigned(stand, log, 0, 3)
    old = stand.witness
    stand.stop()
    stand.start()
    assert old.add_checkpoint(log.ask(3, 7)).status == 500
    cosigned(stand, log, 3, 5)


# --- the command
@contextmanager
def running(home: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], int, str]]:
    """`broker witness` as a process of its own, its port, and the line it prints for the policy."""
    command = [sys.executable, "-m", "broker", "witness", "--home", str(home), "--port", "0", *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line, serving = process.stdout.readline(), process.stdout.readline()
            yield process, int(serving.partition("http://127.0.0.1:")[2].partition(".")[0]), line
        finally:
            process.kill()


def test_killed_and_started_again_it_still_knows(town: Town, log: Log) -> None:
    home = town.folder / SIJOKER
    shutil.copytree(town.province.parties / SIJOKER, home)
    caller = Stand.__new__(Stand)
    with running(home) as (process, caller.port, line):
        name, _, vkey = line.split()[0:3]
        status, _, answer = caller.post(log.ask(0, 7))
        assert (name, status) == ("witness", 200)
        assert cosignature(log.note(7) + answer, read_vkey(vkey)) is not None
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    with running(home) as (_, caller.port, again):
        assert again == line
        assert caller.post(log.ask(3, 9)) == (409, SIZE, "7\n")
        assert caller.post(log.ask(7, 9))[0] == 200


def test_show_prints_the_line_while_the_witness_serves(town: Town) -> None:
    home = town.folder / SIJOKER
    shutil.copytree(town.province.parties / SIJOKER, home)
    with running(home) as (_, _, line):
        done = subprocess.run([sys.executable, "-m", "broker", "witness", "--home", str(home), "--show"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == line.strip()


def test_show_prints_the_line_and_ends(town: Town) -> None:
    home = town.folder / SIJOKER
    shutil.copytree(town.province.parties / SIJOKER, home)
    done = subprocess.run([sys.executable, "-m", "broker", "witness", "--home", str(home), "--show"], capture_output=True, text=True, check=True)
    word, name, vkey = done.stdout.split()
    assert (word, name, read_vkey(vkey).name) == ("witness", SIJOKER, SIJOKER)


def test_it_needs_the_base_install_only() -> None:
    code = "import sys; import broker.client.witness; print(sorted({'polars', 'numpy', 'sqlalchemy', 'fastapi', 'casbin'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]"), done.stdout
