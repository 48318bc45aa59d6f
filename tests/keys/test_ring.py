"""Key rings: nobody else reads them, nobody changes them by hand, an old copy is noticed; and what becomes of a key."""

from __future__ import annotations

import fcntl
import hmac
import io
import json
import os
import re
import shutil
import stat
import subprocess
import sys
from base64 import b64decode, b64encode
from dataclasses import replace
from datetime import UTC, datetime
from functools import reduce
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from broker.cli import main
from broker.errors import ConfigError, KeyRingError, Refusal
from broker.jcs import canonical
from broker.keys import (
    LogKey,
    LogPublic,
    PublicSet,
    ReceiptKey,
    ReceiptPublic,
    Ring,
    SecretKey,
    create_ring,
    new_key_file,
    open_ring,
    public_set,
    read_public_set,
    write_private,
)
from broker.keys.kek import LEAST, LOCKED, LocalKek, new_kek, open_kek
from broker.keys.ring import ACTIVE, DESTROYED, DISABLED, PENDING, RETIRED, changing, sweep
from broker.keys.rotate import announced, distrusted, ended, found, in_state, is_ended, next_set, rotated
from broker.model import utc_text
from broker.settings import UNLOCK_VARIABLE, unlock
from broker.wiring import init_home

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)
LATER = datetime(2027, 2, 21, 3, tzinfo=UTC)
PURPOSES = ("root", "log", "receipt")
KEY_FILE, OTHER_FILE = new_key_file(), new_key_file()


def by(given: bytes) -> Callable[[str, bool], bytes]:
    return lambda _name, _new: given


def made(tmp_path: Path) -> Path:
    folder = tmp_path / "nk"
    create_ring(folder, PURPOSES, NOW, by(KEY_FILE))
    return folder


def opened(folder: Path, **how: Any) -> Ring:
    return open_ring(folder, by(KEY_FILE), **how)


def refuses(folder: Path, why: str, given: bytes = KEY_FILE, **how: Any) -> None:
    with pytest.raises(KeyRingError, match=why):
        open_ring(folder, by(given), **how)


# --- at rest
def test_a_ring_gives_back_its_keys(tmp_path: Path) -> None:
    first = create_ring(tmp_path / "nk", PURPOSES, NOW, by(KEY_FILE))
    again = opened(tmp_path / "nk")
    assert again.get(ReceiptKey, "receipt").seed == first.get(ReceiptKey, "receipt").seed
    assert [(r.purpose, r.epoch, r.state, r.made) for r in again.records] == [(p, 1, ACTIVE, "pemasangan") for p in PURPOSES]
    with pytest.raises(KeyRingError, match="no log key"):
        again.get(ReceiptKey, "log")
    with pytest.raises(KeyRingError, match="no kem key"):
        again.get(SecretKey, "kem")


def test_a_ring_is_never_made_over_another(tmp_path: Path) -> None:
    folder = made(tmp_path)
    before = (folder / "ring.json").read_bytes()
    with pytest.raises(KeyRingError, match="never overwritten"):
        create_ring(folder, PURPOSES, NOW, by(KEY_FILE))
    assert (folder / "ring.json").read_bytes() == before


def test_no_secret_lies_in_the_clear(tmp_path: Path) -> None:
    ring = opened(made(tmp_path))
    data = (tmp_path / "nk" / "ring.json").read_bytes()
    shown = json.loads(data)
    for key in ring.keys.values():
        assert key.seed not in data
        assert key.seed.hex() not in data.decode()
        assert not any(key.seed in b64decode(one["wrapped"]) for one in shown["keys"])
    assert "seed" not in data.decode()
    assert repr(ring.keys) not in repr(ring)
    assert ring.get(SecretKey, "root").seed.hex() not in repr(ring) + repr(ring.get(SecretKey, "root"))


def test_what_was_given_must_unlock_it(tmp_path: Path) -> None:
    folder = made(tmp_path)
    refuses(folder, "does not unlock", OTHER_FILE)
    refuses(folder, "unlocked by a key file", b"kata sandi yang panjang")
    refuses(folder, "unlocked by a key file", b"sinergi-kunci-1:AAAA")
    refuses(folder, "does not say how|unlocked by a key file", b"sinergi-kunci-1:!!!")
    for at in (0, 16, 20, len(KEY_FILE) - 2):  # a lenient reader of base64 passes over what is none
        refuses(folder, "does not say how|unlocked by a key file", KEY_FILE[:at] + b"!" + KEY_FILE[at:])


def test_a_passphrase_unlocks_it_and_another_does_not(tmp_path: Path) -> None:
    with pytest.raises(KeyRingError, match=f"{LEAST} characters"):
        create_ring(tmp_path / "nk", ("log",), NOW, by(b"sebelas....\n"))
    create_ring(tmp_path / "nk", ("log",), NOW, by(b"sandi yang panjang sekali\n"))
    about = json.loads((tmp_path / "nk" / "ring.json").read_bytes())["kek"]
    assert (about["provider"], about["lanes"], about["memory"], about["passes"]) == ("sandi", 4, 65_536, 3)
    open_ring(tmp_path / "nk", by(b"sandi yang panjang sekali"))
    refuses(tmp_path / "nk", "does not unlock", b"sandi yang panjang sekalj")
    refuses(tmp_path / "nk", "does not unlock", KEY_FILE)


CHEAP: dict[str, Any] = {"provider": "sandi", "salt": "AAAAAAAAAAAAAAAAAAAAAA==", "lanes": 1, "memory": 8, "passes": 1}


@pytest.mark.parametrize("about", [
    {"provider": "tidak"}, {"provider": "berkas"}, {"provider": "berkas", "salt": "!"}, {"provider": "berkas", "salt": "AAAA", "more": 1},
    {"provider": "sandi", "salt": "AAAAAAAAAAAAAAAAAAAAAA==", "lanes": 4, "memory": 1 << 40, "passes": 3}, {"provider": "sandi", "salt": "AAAAAAAAAAAAAAAAAAAAAA==", "lanes": 0, "memory": 64, "passes": 3},
    {"provider": "sandi", "salt": "AAAAAAAAAAAAAAAAAAAAAA==", "lanes": 4, "memory": (1 << 18) + 1, "passes": 3}, {"provider": "sandi", "salt": "AAAAAAAAAAAAAAAAAAAAAA==", "lanes": 4, "memory": 64, "passes": 11},
    {**CHEAP, "lanes": 17, "memory": 136}, {**CHEAP, "memory": 7}, {**CHEAP, "passes": 0}, {**CHEAP, "more": 1}, {**CHEAP, "salt": "!" + CHEAP["salt"]}, {**CHEAP, "salt": ""},
])  # fmt: skip
def test_a_ring_that_does_not_say_how_it_is_locked_stays_shut(about: dict[str, Any]) -> None:
    with pytest.raises(KeyRingError, match="does not say how"):
        open_kek(about, KEY_FILE)


@pytest.mark.parametrize("cost", [{}, {"lanes": 16, "memory": 128}, {"passes": 10}, {"memory": 1 << 18, "lanes": 4}])
def test_a_cost_at_the_edge_of_what_is_bounded_is_paid(cost: dict[str, int]) -> None:
    """Computed here from docs/formats/keys.md: Argon2id of the passphrase without white space around it."""
    about = CHEAP | cost
    wrapped = open_kek(about, b" \tsandi yang panjang sekali\r\n").wrap(b"rahasia", b"nk")
    key = Argon2id(salt=bytes(16), length=32, iterations=about["passes"], lanes=about["lanes"], memory_cost=about["memory"]).derive(b"sandi yang panjang sekali")
    assert AESGCM(key).decrypt(wrapped[:12], wrapped[12:], b"nk") == b"rahasia"


def test_a_key_file_is_made_as_the_page_says() -> None:
    given, other = new_key_file(), new_key_file()
    assert re.fullmatch(rb"sinergi-kunci-1:[A-Za-z0-9+/]{43}=\n", given)
    assert given != other
    wrapped = new_kek(given).wrap(b"rahasia", b"")
    with pytest.raises(KeyRingError, match=r"^what was given does not unlock this ring, or the ring was changed by hand$"):
        new_kek(given).unwrap(wrapped, b"")  # each ring has a salt of its own


def test_a_passphrase_of_the_least_length_will_do() -> None:
    assert new_kek(b" duabelas12.. \n").about["provider"] == "sandi"
    for short in (b"", b"sebelas1...\n", b" sebelas1...  "):
        with pytest.raises(KeyRingError, match="a passphrase has 12 characters"):
            new_kek(short)


def test_two_rings_of_one_key_file_are_locked_apart(tmp_path: Path) -> None:
    made(tmp_path)
    create_ring(tmp_path / "lain", PURPOSES, NOW, by(KEY_FILE))
    here, there = (json.loads((tmp_path / name / "ring.json").read_bytes()) for name in ("nk", "lain"))
    assert here["kek"] != there["kek"]
    shutil.copy(tmp_path / "lain" / "ring.json", tmp_path / "nk" / "ring.json")
    refuses(tmp_path / "nk", "no key ring")  # it says whose it is


def test_what_lies_at_rest_is_locked_as_the_page_says(tmp_path: Path) -> None:
    """Computed here from docs/formats/keys.md, without the code of the ring."""
    ring = create_ring(tmp_path / "nk", PURPOSES, NOW, by(KEY_FILE))
    said = json.loads((tmp_path / "nk" / "ring.json").read_bytes())
    raw = b64decode(KEY_FILE.removeprefix(b"sinergi-kunci-1:"))
    assert (len(raw), said["kek"]["provider"], len(b64decode(said["kek"]["salt"]))) == (32, "berkas", 16)
    lock = AESGCM(HKDF(SHA256(), 32, b64decode(said["kek"]["salt"]), b"sng/kek/v1").derive(raw))

    def unlocked(wrapped: str, *aad: Any) -> bytes:
        data = b64decode(wrapped)
        return lock.decrypt(data[:12], data[12:], canonical([*aad]))

    mac_key, mac = unlocked(said["sealed"], "nk", "mac"), said.pop("mac")
    assert (len(mac_key), mac) == (32, hmac.digest(mac_key, canonical(said), "sha256").hex())
    for one in said["keys"]:
        assert unlocked(one["wrapped"], "nk", one["purpose"], one["kid"], one["epoch"]) == ring.keys[one["kid"]].seed
    assert len({b64decode(one["wrapped"])[:12] for one in said["keys"]} | {b64decode(said["sealed"])[:12]}) == len(PURPOSES) + 1


# --- whose files
def test_files_that_others_could_read_or_swap_are_refused(tmp_path: Path) -> None:
    folder = made(tmp_path)
    ring = folder / "ring.json"
    for path, mode, back in ((ring, 0o640, 0o600), (ring, 0o604, 0o600), (ring, 0o601, 0o600), (folder, 0o750, 0o700), (folder, 0o701, 0o700)):
        path.chmod(mode)
        refuses(folder, "open to others")
        path.chmod(back)
    ring.rename(tmp_path / "elsewhere")
    ring.symlink_to(tmp_path / "elsewhere")
    refuses(folder, "symbolic link")
    ring.unlink()
    refuses(folder, "run the command that makes it")
    (tmp_path / "elsewhere").rename(ring)
    folder.rename(tmp_path / "real")
    folder.symlink_to(tmp_path / "real")
    refuses(folder, "symbolic link")


def test_a_file_of_another_user_is_refused(tmp_path: Path) -> None:
    folder = made(tmp_path)
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(folder / "ring.json", 12_345, -1)
    refuses(folder, "belongs to another user")


def test_a_broker_home_that_could_not_be_locked_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given, home = tmp_path / "pembuka", tmp_path / "rumah"
    monkeypatch.setenv(UNLOCK_VARIABLE, str(given))
    write_private(given, b"pendek")
    with pytest.raises(KeyRingError, match="12"):
        init_home(home, NOW)
    assert sorted(path.name for path in home.iterdir()) == ["policies"]
    write_private(given, KEY_FILE)
    init_home(home, NOW)
    assert (home / "secrets").stat().st_mode & 0o777 == 0o700
    with pytest.raises(ConfigError, match="already"):
        init_home(home, NOW)


def test_what_unlocks_is_read_from_a_file_that_is_ours_alone(tmp_path: Path) -> None:
    path = tmp_path / "pembuka"
    path.write_bytes(KEY_FILE)
    path.chmod(0o640)
    with pytest.raises(KeyRingError, match="open to others"):
        unlock("nk", False, {"SINERGI_UNLOCK": str(path)})
    path.chmod(0o600)
    assert unlock("nk", False, {"SINERGI_UNLOCK": str(path)}) == KEY_FILE
    (tmp_path / "sinergi-unlock").symlink_to(path)
    with pytest.raises(KeyRingError, match="symbolic link"):
        unlock("nk", False, {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    with pytest.raises(KeyRingError, match="terkunci"):
        unlock("nk", False, {})  # a test has no terminal


# --- changed by hand
def changed(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    said = json.loads((folder / "ring.json").read_bytes())
    change(said)
    (folder / "ring.json").write_bytes(canonical(said))


@pytest.mark.parametrize(("change", "why"), [
    (lambda s: s["keys"][0].update(state=RETIRED), "changed by hand"),
    (lambda s: s["keys"][0].update(epoch=9), "changed by hand"),
    (lambda s: s["keys"].pop(), "changed by hand"),
    (lambda s: s.update(version=99), "changed by hand"),
    (lambda s: s["keys"][0].update(wrapped=s["keys"][1]["wrapped"]), "changed by hand"),
    (lambda s: s.update(mac="0" * 64), "changed by hand"),
    (lambda s: s.update(mac=None), "no key ring"),
    (lambda s: s.update(sealed="AAAA"), "does not unlock"),
    (lambda s: s.update(version=True), "no key ring"),
    (lambda s: s["keys"][0].update(state="baru"), "no key ring"),
    (lambda s: s["keys"].append(s["keys"][0]), "no key ring"),
    (lambda s: s.update(extra=1), "no key ring"),
    (lambda s: s.update(name="lain"), "no key ring"),
    (lambda s: s.update(kek=[]), "no key ring"),
])  # fmt: skip
def test_a_ring_changed_by_hand_is_refused(tmp_path: Path, change: Callable[[dict[str, Any]], None], why: str) -> None:
    folder = made(tmp_path)
    changed(folder, change)
    refuses(folder, why)


def remade(folder: Path, change: Callable[[dict[str, Any], Any], object]) -> None:
    """The ring changed by who has what unlocks it: its MAC holds. change: is given the members, and wraps under any AAD."""
    ring, said = opened(folder), json.loads((folder / "ring.json").read_bytes())
    del said["mac"]
    change(said, lambda secret, *aad: b64encode(ring.kek.wrap(secret, canonical([*aad]))).decode())
    (folder / "ring.json").write_bytes(canonical(said | {"mac": hmac.digest(ring.mac_key, canonical(said), "sha256").hex()}))


def seeded(said: dict[str, Any], wrap: Any, at: int, seed: bytes) -> None:
    one = said["keys"][at]
    one["wrapped"] = wrap(seed, "nk", one["purpose"], one["kid"], one["epoch"])


@pytest.mark.parametrize(("change", "why"), [
    (lambda s, _: s.update(type="sinergi/ring/v2"), "no key ring"),
    (lambda s, _: s["keys"][0].update(more=1), "no key ring"),
    (lambda s, _: s["keys"][0].update(epoch=True), "no key ring"),
    (lambda s, _: s["keys"][0].update(created=1), "no key ring"),
    (lambda s, _: s["keys"][0].update(made=None), "no key ring"),
    (lambda s, _: s["keys"][0].update(approved=1), "no key ring"),
    (lambda s, _: s["keys"][0].update(wrapped="!" + s["keys"][0]["wrapped"]), "no key ring"),
    (lambda s, _: s.update(sealed="!" + s["sealed"]), "no key ring"),
    (lambda s, _: s["keys"][0].pop("made"), "no key ring"),
    (lambda s, _: s.update(keys=None), "no key ring"),
    (lambda s, _: s["keys"][0].update(wrapped=None), "does not unlock"),
    (lambda s, _: s["keys"][0].update(epoch=2), "does not unlock"),
    (lambda s, _: s["keys"][1].update(wrapped=s["keys"][2]["wrapped"]), "does not unlock"),
    (lambda s, wrap: s["keys"][0].update(purpose="lain", wrapped=wrap(bytes(32), "nk", "lain", s["keys"][0]["kid"], 1)), "unknown purpose"),
    (lambda s, wrap: seeded(s, wrap, 0, bytes(31)), "root key is not the one"),
    (lambda s, wrap: seeded(s, wrap, 1, bytes(32)), "log key is not the one"),
    (lambda s, _: s["keys"][0].update(public="AAAA"), "root key is not the one"),
    (lambda s, _: s["keys"][1].update(public=None), "log key is not the one"),
    (lambda s, _: s["keys"][1].update(public=s["keys"][2]["public"]), "log key is not the one"),
])  # fmt: skip
def test_a_ring_that_contradicts_itself_is_refused(tmp_path: Path, change: Callable[[dict[str, Any], Any], object], why: str) -> None:
    folder = made(tmp_path)
    remade(folder, lambda *_: None)
    opened(folder)
    remade(folder, change)
    refuses(folder, why)


def test_a_key_under_the_id_of_another_is_refused(tmp_path: Path) -> None:
    folder = made(tmp_path)
    seed = opened(folder).get(LogKey, "log").seed

    def renamed(said: dict[str, Any], wrap: Any) -> None:
        said["keys"][1]["kid"] = "A" * 22
        seeded(said, wrap, 1, seed)

    remade(folder, renamed)
    refuses(folder, "log key is not the one")


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b'{"a":1}'])
def test_what_is_no_ring_is_refused(tmp_path: Path, data: bytes) -> None:
    folder = made(tmp_path)
    (folder / "ring.json").write_bytes(data)
    refuses(folder, "no key ring")


def test_an_older_copy_is_noticed(tmp_path: Path) -> None:
    folder = made(tmp_path)
    old = (folder / "ring.json").read_bytes()
    with changing(folder) as write:
        assert write(rotated(opened(folder), "log", LATER, "administrator-1")).version == 2
    opened(folder, at_least=2)
    (folder / "ring.json").write_bytes(old)
    refuses(folder, "an older copy: it has version 1, 2 was in use", at_least=2)


def test_two_changes_at_once_are_not_made(tmp_path: Path) -> None:
    folder = made(tmp_path)
    with changing(folder), pytest.raises(KeyRingError, match="by another command"), changing(folder):
        pass
    with changing(folder) as write:
        write(opened(folder))
    with (folder / ".lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(KeyRingError, match="by another command"), changing(folder):
            pass
    assert opened(folder).version == 2


def test_a_change_that_fails_leaves_the_ring_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = made(tmp_path)
    before = (folder / "ring.json").read_bytes()

    def full(fd: int) -> None:
        if stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"), changing(folder) as write:
            write(rotated(opened(folder), "log", LATER, "administrator-1"))
    assert (folder / "ring.json").read_bytes() == before
    assert sorted(p.name for p in folder.iterdir()) == [".lock", "ring.json"]


# --- what becomes of a key
def test_a_rotated_key_signs_no_more_and_still_verifies(tmp_path: Path) -> None:
    ring = opened(made(tmp_path))
    before = ring.get(LogKey, "log")
    after = rotated(ring, "log", LATER, "administrator-1")
    assert after.get(LogKey, "log").seed != before.seed
    assert [k.seed for k in after.all(LogKey, "log")] == [after.get(LogKey, "log").seed, before.seed]
    assert [(r.epoch, r.state) for r in after.records if r.purpose == "log"] == [(1, RETIRED), (2, ACTIVE)]
    shown = read_public_set(public_set("broker", {"nk": after}).to_json())
    assert shown.get(LogPublic, "log", "nk") == after.get(LogKey, "log").public
    assert shown.all(LogPublic, "log", "nk") == (after.get(LogKey, "log").public, before.public)


def test_of_earlier_keys_only_those_are_shown_whose_signatures_are_looked_at_later(tmp_path: Path) -> None:
    purposes = ("kem", "kem-x25519", "log", "receipt", "request", "root", "witness")
    ring = create_ring(tmp_path / "nk", purposes, NOW, by(KEY_FILE))
    first = {r.purpose: r.public for r in ring.records}
    for purpose in purposes:
        ring = rotated(ring, purpose, LATER, "administrator-1")
    for off in (ring, reduce(lambda one, r: in_state(one, r.kid, DESTROYED, LATER), ring.records[: len(purposes)], ring)):
        shown = public_set("broker", {"nk": off})
        assert {purpose for _, purpose in shown.keys} == set(purposes) - {"root"}
        assert [(scope, purpose, state, key.raw) for scope, purpose, state, key in shown.others] == [("nk", p, RETIRED, first[p]) for p in ("log", "receipt", "witness")]


def test_an_announced_key_is_shown_and_not_used_until_it_takes_over(tmp_path: Path) -> None:
    ring = opened(made(tmp_path))
    waiting = announced(ring, "log", NOW, "administrator-1")
    assert waiting.get(LogKey, "log").seed == ring.get(LogKey, "log").seed
    assert waiting.all(LogKey, "log") == ring.all(LogKey, "log")
    ((_, purpose, state, _),) = public_set("broker", {"nk": waiting}).others
    assert (purpose, state) == ("log", PENDING)
    with pytest.raises(KeyRingError, match="pending already"):
        announced(waiting, "log", NOW, "administrator-1")
    after = rotated(waiting, "log", LATER, "administrator-2")
    assert after.active("log").kid == waiting.records[-1].kid
    assert len(after.records) == len(waiting.records)


def test_signatures_of_the_key_in_use_of_retired_and_of_destroyed_ones_hold(tmp_path: Path) -> None:
    ring = opened(made(tmp_path))
    for _ in range(3):
        ring = rotated(ring, "log", LATER, "a")
    first, *_ = log = [r for r in ring.records if r.purpose == "log"]
    ring = announced(in_state(ring, first.kid, DESTROYED, LATER), "log", LATER, "a")
    ring = in_state(ring, log[1].kid, DISABLED, LATER)
    assert [key.kid for key in ring.verifying(LogPublic, "log")] == [log[3].kid, first.kid, log[2].kid]
    assert (ring.verifying(ReceiptPublic, "log"), ring.verifying(LogPublic, "receipt")) == ((), ())
    assert ring.all(LogKey, "log") == (ring.keys[log[3].kid], ring.keys[log[2].kid])
    assert ring.seeds("log") == {4: ring.keys[log[3].kid].seed, 3: ring.keys[log[2].kid].seed}
    shown = public_set("broker", {"nk": ring})
    assert {(state, key.kid) for _, _, state, key in shown.others} == {(RETIRED, first.kid), (RETIRED, log[2].kid), (PENDING, ring.records[-1].kid)}
    assert shown.all(LogPublic, "log", "nk")[0].kid == log[3].kid
    assert {key.kid for key in shown.all(LogPublic, "log", "nk")} == {log[3].kid, first.kid, log[2].kid}


def test_a_set_reads_back_as_the_set_it_was_whatever_the_order_of_a_ring(tmp_path: Path) -> None:
    ring = rotated(rotated(opened(made(tmp_path)), "log", LATER, "a"), "log", LATER, "a")
    first, last = sorted((r for r in ring.records if r.purpose == "log" and r.state == RETIRED), key=lambda one: one.kid)
    others = tuple(r for r in ring.records if r not in (first, last))
    shown = public_set("broker", {"nk": replace(ring, records=(*others, first, replace(last, state=PENDING)))})
    assert [(state, key.kid) for _, _, state, key in shown.others] == [(PENDING, last.kid), (RETIRED, first.kid)]
    assert read_public_set(shown.to_json()) == shown


def test_keys_of_several_purposes_wait_and_take_over_apart(tmp_path: Path) -> None:
    ring = opened(made(tmp_path))
    assert next_set("a@a", ring) is None
    waiting = announced(announced(ring, "receipt", NOW, "a"), "log", NOW, "a")
    receipt, log = waiting.records[-2:]
    keys = {("", "receipt"): waiting.keys[receipt.kid].public, ("", "log"): waiting.keys[log.kid].public}
    assert next_set("a@a", waiting) == PublicSet("a@a", keys)  # type: ignore[arg-type]
    after = rotated(waiting, "receipt", LATER, "b")
    assert (after.active("receipt").kid, found(after, log.kid).state) == (receipt.kid, PENDING)
    assert [r.state for r in rotated(waiting, "root", LATER, "b").records] == [RETIRED, ACTIVE, ACTIVE, PENDING, PENDING, ACTIVE]


def test_a_purpose_without_a_key_in_use_is_not_rotated(tmp_path: Path) -> None:
    ring = announced(opened(made(tmp_path)), "log", NOW, "a")
    off = in_state(ring, ring.active("log").kid, DISABLED, LATER)
    with pytest.raises(KeyRingError, match="no kem key"):
        rotated(off, "kem", LATER, "a")
    assert [r.state for r in rotated(off, "log", LATER, "a").records if r.purpose == "log"] == [DISABLED, ACTIVE]


def test_a_destroyed_key_leaves_its_public_part_alone(tmp_path: Path) -> None:
    folder = made(tmp_path)
    ring = rotated(opened(folder), "log", LATER, "administrator-1")
    old = ring.records[1]
    after = in_state(ring, old.kid, DESTROYED, LATER, "ppdp-1@sijunjung")
    assert (found(after, old.kid).wrapped, found(after, old.kid).approved, old.kid in after.keys) == (None, "ppdp-1@sijunjung", False)
    assert after.all(LogKey, "log") == (ring.get(LogKey, "log"),)
    assert len(public_set("broker", {"nk": after}).all(LogPublic, "log", "nk")) == 2
    with changing(folder) as write:
        write(after)
    data = (folder / "ring.json").read_bytes()
    assert found(opened(folder), old.kid).wrapped is None
    assert old.to_json()["wrapped"].encode() not in data


def test_a_disabled_key_does_nothing_until_it_comes_back(tmp_path: Path) -> None:
    ring = opened(made(tmp_path))
    kid, seed = ring.active("log").kid, ring.get(LogKey, "log").seed
    off = in_state(ring, kid, DISABLED, LATER)
    assert (kid in off.keys, off.all(LogKey, "log"), public_set("broker", {"nk": off}).keys.get(("nk", "log"))) == (False, (), None)
    with pytest.raises(KeyRingError, match="no log key"):
        off.get(LogKey, "log")
    assert in_state(off, kid, ACTIVE, LATER).get(LogKey, "log").seed == seed
    after = rotated(ring, "log", LATER, "a")
    back = in_state(in_state(after, kid, DISABLED, LATER), kid, RETIRED, LATER)
    assert back.all(LogKey, "log") == after.all(LogKey, "log")


def test_a_record_says_when_it_changed_and_who_approved_it_last(tmp_path: Path) -> None:
    ring = opened(made(tmp_path))
    kid = ring.active("log").kid
    off = found(in_state(ring, kid, DISABLED, LATER, "ppdp-1@sijunjung"), kid)
    assert (off.created, off.changed, off.approved) == (utc_text(NOW), utc_text(LATER), "ppdp-1@sijunjung")
    gone = in_state(rotated(in_state(in_state(ring, kid, DISABLED, NOW, "ppdp-1@sijunjung"), kid, ACTIVE, NOW), "log", LATER, "a"), kid, DESTROYED, LATER)
    assert (found(gone, kid).approved, found(gone, kid).changed) == ("ppdp-1@sijunjung", utc_text(LATER))
    over = ended(gone, LATER + (LATER - NOW), "ppdp-2@sijunjung")
    assert found(over, kid) == found(gone, kid)
    assert {r.purpose: r.approved for r in over.records if r.kid != kid} == {"root": "ppdp-2@sijunjung", "log": None, "receipt": None}


def test_no_step_leads_back_from_the_end(tmp_path: Path) -> None:
    ring = rotated(opened(made(tmp_path)), "log", LATER, "administrator-1")
    retired, active = ring.records[1].kid, ring.active("log").kid
    gone = in_state(ring, retired, DESTROYED, LATER)
    for of, kid, state in (
        (gone, retired, ACTIVE), (gone, retired, RETIRED), (gone, retired, DISABLED), (gone, retired, DESTROYED), (ring, active, DESTROYED), (ring, active, RETIRED),
        (ring, active, ACTIVE), (ring, active, PENDING), (ring, retired, ACTIVE), (ring, "kunci-lain", RETIRED), (ring, active, "baru"),
    ):  # fmt: skip
        with pytest.raises(KeyRingError):
            in_state(of, kid, state, LATER)


def test_at_the_end_of_an_agreement_only_what_signs_is_left(tmp_path: Path) -> None:
    folder = made(tmp_path)
    ring = announced(rotated(opened(folder), "root", LATER, "administrator-1"), "root", LATER, "administrator-1")
    ring = in_state(in_state(ring, ring.active("root").kid, DISABLED, LATER), opened(folder).active("log").kid, DISABLED, LATER)
    assert not is_ended(ring)
    with changing(folder) as write:
        write(ended(ring, LATER, "ppdp-1@sijunjung"))
    after = opened(folder)
    assert is_ended(after)
    assert {(r.purpose, r.state, r.wrapped is None) for r in after.records} == {("root", DESTROYED, True), ("log", DISABLED, False), ("receipt", ACTIVE, False)}
    assert (len(after.keys), after.get(ReceiptKey, "receipt").seed) == (1, ring.get(ReceiptKey, "receipt").seed)
    with pytest.raises(KeyRingError):
        after.get(SecretKey, "root")
    with pytest.raises(KeyRingError, match="has ended"):
        announced(after, "root", LATER, "administrator-1")
    with pytest.raises(KeyRingError, match="no root key"):
        rotated(after, "root", LATER, "administrator-1")
    announced(after, "log", LATER, "administrator-1")


def test_a_distrusted_key_loses_its_secret_and_no_other_key_changes(tmp_path: Path) -> None:
    ring = rotated(opened(made(tmp_path)), "log", LATER, "administrator-1")
    old = ring.records[1]
    after = distrusted(ring, old.kid, NOW, "bocor", LATER, "administrator-2")
    said = found(after, old.kid)
    assert (said.state, said.wrapped, said.changed, said.approved, said.distrusted) == (DESTROYED, None, utc_text(LATER), "administrator-2", (utc_text(NOW), "bocor"))
    assert after.keys == {kid: key for kid, key in ring.keys.items() if kid != old.kid}
    assert [r for r in after.records if r.kid != old.kid] == [r for r in ring.records if r.kid != old.kid]


def test_a_key_that_is_distrusted_after_its_end_ended_when_it_did(tmp_path: Path) -> None:
    ring = rotated(opened(made(tmp_path)), "log", NOW, "administrator-1")
    gone = in_state(ring, ring.records[1].kid, DESTROYED, NOW, "ppdp-1@sijunjung")
    after = distrusted(gone, ring.records[1].kid, NOW, "bocor", LATER, "administrator-2")
    assert after.records[1] == replace(gone.records[1], distrusted=(utc_text(NOW), "bocor"))


def test_a_secret_that_is_not_there_is_refused_with_the_reason(tmp_path: Path) -> None:
    ring = rotated(opened(made(tmp_path)), "root", LATER, "administrator-1")
    assert (ring.secret("root"), list(ring.secrets("root"))) == (ring.get(SecretKey, "root").seed, [2, 1])
    off = in_state(ring, ring.active("root").kid, DISABLED, LATER)
    assert list(off.secrets("root")) == [1]
    with pytest.raises(Refusal) as caught:
        off.secret("root")
    assert caught.value.reason == "kunci_nonaktif"
    for asked in (Ring.secret, Ring.secrets):
        with pytest.raises(Refusal) as caught:
            asked(ended(off, LATER, "ppdp-1@sijunjung"), "root")
        assert caught.value.reason == "kunci_dimusnahkan"


def test_epochs_of_a_secret_key_are_counted(tmp_path: Path) -> None:
    ring = opened(made(tmp_path))
    after = rotated(rotated(ring, "root", LATER, "a"), "root", LATER, "a")
    seeds = after.seeds("root")
    assert (sorted(seeds), len(set(seeds.values())), seeds[1]) == ([1, 2, 3], 3, ring.get(SecretKey, "root").seed)
    assert after.active("root").epoch == 3


def test_what_a_crash_left_of_a_change_does_not_outlive_the_keys_in_it(tmp_path: Path) -> None:
    folder = made(tmp_path)
    left = folder / ".ring.json.0a1b2c3d"
    left.write_bytes((folder / "ring.json").read_bytes())
    with changing(folder) as write:
        write(opened(folder))
    assert sorted(path.name for path in folder.iterdir()) == [".lock", "ring.json"]


def test_what_a_crash_left_is_deleted_at_a_start_unless_a_change_is_under_way(tmp_path: Path) -> None:
    folder = made(tmp_path)
    left = folder / ".ring.json.0a1b2c3d"
    left.write_bytes(b"")
    with changing(folder):
        left.write_bytes(b"")
        sweep(folder)
        assert left.exists()
    sweep(folder)
    sweep(tmp_path / "tidak ada")
    assert sorted(path.name for path in folder.iterdir()) == [".lock", "ring.json"]


def test_a_home_that_nothing_locks_is_told_before_anything_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv(UNLOCK_VARIABLE, raising=False)
    monkeypatch.setattr("broker.wiring.init_home", lambda *_: pytest.fail("too late"))
    monkeypatch.setattr("broker.settings._TYPED", [])
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(SystemExit) as caught:
        main(["init", "--home", str(tmp_path / "rumah")])
    assert caught.value.code == 1
    assert "SINERGI_UNLOCK" in capsys.readouterr().err
    assert not (tmp_path / "rumah").exists()


def test_what_is_no_ring_among_them_is_named_and_the_rest_is_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = tmp_path / "rumah"
    init_home(home, NOW)
    (home / "secrets" / "aaa[b].txt").write_text("")
    (home / "secrets" / "kosong").mkdir()
    with pytest.raises(SystemExit) as caught:
        main(["keys", "list", "--home", str(home)])
    said = capsys.readouterr()
    assert caught.value.code == 0, said.err
    assert "ASING aaa[b].txt" in said.out
    assert "ASING kosong" in said.out
    assert "broker: nk-sijunjung-2025" in said.out


def test_no_command_leaves_a_core_dump() -> None:
    code = "import resource\nfrom broker.cli import main\ntry: main(['--version'])\nexcept SystemExit: print(resource.getrlimit(resource.RLIMIT_CORE))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.endswith("(0, 0)\n")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    folder = made(tmp_path)
    (folder / "ring.json").unlink()
    os.mkfifo(folder / "ring.json", 0o600)
    refuses(folder, "no file")
    for path in (folder / "ring.json", tmp_path):
        with pytest.raises(KeyRingError, match="cannot be read"):
            unlock("nk", new=False, environment={UNLOCK_VARIABLE: str(path)})


# --- a passphrase as it is typed
COMPOSED, DECOMPOSED = "rahasia dapur caf\u00e9".encode(), "rahasia dapur cafe\u0301".encode()


def stretched(phrase: bytes) -> LocalKek:
    """As a ring was locked before spellings were one."""
    return LocalKek(Argon2id(salt=bytes(16), length=32, iterations=1, lanes=1, memory_cost=8).derive(phrase), CHEAP)


def test_a_passphrase_opens_however_its_accents_are_typed() -> None:
    wrapped = open_kek(CHEAP, COMPOSED).wrap(b"rahasia", b"")
    assert stretched(COMPOSED).unwrap(wrapped, b"") == b"rahasia"  # what lies at rest is of the composed form
    kek = open_kek(CHEAP, DECOMPOSED)
    assert kek.unwrap(wrapped, b"") == b"rahasia"
    with pytest.raises(KeyRingError, match=LOCKED):
        kek.unwrap(stretched(DECOMPOSED).wrap(b"", b""), b"")  # the one that opened is the one from then on
    for wrong in (b"rahasia dapur cafe", "rahasia dapur caf\u00e8".encode(), b"\xff" * 16):
        with pytest.raises(KeyRingError, match=LOCKED):
            open_kek(CHEAP, wrong).unwrap(wrapped, b"")


def test_a_ring_locked_as_it_was_typed_opens_and_stays_as_it_is() -> None:
    before = stretched(DECOMPOSED)
    kek = open_kek(CHEAP, DECOMPOSED + b"\n")
    assert kek.unwrap(before.wrap(b"satu", b""), b"") == b"satu"
    assert kek.unwrap(before.wrap(b"dua", b""), b"") == b"dua"
    assert before.unwrap(kek.wrap(b"tiga", b""), b"") == b"tiga"  # one ring, one key
    with pytest.raises(KeyRingError, match=LOCKED):
        kek.unwrap(stretched(COMPOSED).wrap(b"", b""), b"")


@pytest.mark.parametrize(("phrase", "times"), [(b"rahasia dapur ibu", 1), (COMPOSED, 1), (DECOMPOSED, 2)])
def test_only_what_is_typed_otherwise_is_stretched_twice(phrase: bytes, times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def counted(**cost: Any) -> Argon2id:
        made.append(1)
        return Argon2id(**cost)

    monkeypatch.setattr("broker.keys.kek.Argon2id", counted)
    with pytest.raises(KeyRingError, match=LOCKED):
        open_kek(CHEAP, phrase).unwrap(bytes(40), b"")
    assert len(made) == times


def test_a_passphrase_is_as_long_as_its_characters() -> None:
    for short in ("e\u0301" * 11, "\u00e9" * 11, "  " + "\u00e9" * 11 + "\n"):
        with pytest.raises(KeyRingError, match=f"{LEAST} characters"):
            new_kek(short.encode())
