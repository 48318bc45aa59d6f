"""Signing in: one answer for every way to fail, no code twice, lock-outs that survive a restart, sessions that end."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import argon2
import pyotp
import pytest

from broker import people, signin
from broker.errors import NotOpened, Refusal
from broker.identity.passwords import hashed, is_outdated, verify
from broker.identity.sealed import seal_secret, unseal_secret
from broker.identity.totp import matching_step
from tests.people.conftest import PASSWORD

if TYPE_CHECKING:
    from broker.model import Person
    from broker.store import Credential
    from tests.people.conftest import Officer, Registry

SIJUNJUNG = "nk-sijunjung-2025"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def enter(registry: Registry, officer: Officer, *, password: str = PASSWORD, code: str | None = None, name: str | None = None) -> tuple[Person, str]:
    return signin.sign_in(registry.town.office, officer.id if name is None else name, password, officer.code(registry.town.now) if code is None else code, registry.town.now)


def fails(registry: Registry, officer: Officer, **changed: str) -> None:
    with pytest.raises(Refusal) as caught:
        enter(registry, officer, **changed)
    assert (caught.value.reason, caught.value.facts) == ("masuk", {})


def ended(registry: Registry, token: str) -> None:
    with pytest.raises(Refusal) as caught:
        signin.whose(registry.town.office, token, registry.town.now)
    assert caught.value.reason == "sesi"


def credential(registry: Registry, officer: Officer) -> Credential:
    with registry.town.office.ledger.database.read() as tx:
        found = tx.people.credential(officer.id)
    assert found
    return found


def test_every_wrong_way_has_the_same_answer(registry: Registry) -> None:
    officer = registry.active()
    for changed in ({"password": PASSWORD + " "}, {"password": ""}, {"code": "000000"}, {"code": ""}, {"name": "petugas-9@sijunjung"}, {"name": ""}, {"name": "' OR 1=1 --"}, {"password": "\ud800" * 12}):
        if changed.get("code") == officer.code(registry.town.now):
            continue
        with registry.town.office.ledger.database.write() as tx:
            if tx.people.credential(officer.id):
                tx.people.change_credential(officer.id, failures=0)
        fails(registry, officer, **changed)
    assert registry.acts() == ["invited", "set_up"]  # a failure is counted, not recorded
    assert enter(registry, officer)[0].id == officer.id
    assert registry.acts()[-1] == "signed_in"


def test_an_unknown_account_costs_a_whole_password_too(registry: Registry, real_cost: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The work is counted, not timed."""
    officer, done = registry.active(), []
    real = argon2.PasswordHasher.verify

    def counted(self: argon2.PasswordHasher, *args: str) -> bool:
        done.append(argon2.extract_parameters(args[0]))
        return real(self, *args)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)
    fails(registry, officer, password="salah sekali ini")
    fails(registry, officer, name="petugas-9@sijunjung")
    person, _ = registry.invite()
    fails(registry, officer, name=person.id)
    assert len(done) == 3
    assert done[0] == done[1] == done[2]


def test_who_is_not_set_up_not_begun_over_or_ended_does_not_get_in(registry: Registry) -> None:
    office, town = registry.town.office, registry.town
    _, token = registry.invite()
    begun, confirm = registry.begun(token)
    fails(registry, begun)
    signin.confirm(office, confirm, begun.code(town.now), town.now)
    town.now = datetime(2027, 6, 30, 16, 59, 59, tzinfo=UTC)  # the last second of the last day in WIB
    _, session = enter(registry, begun)
    town.now += timedelta(seconds=1)
    fails(registry, begun, code=begun.code(town.now, 1))
    ended(registry, session)
    town.now = datetime(2026, 11, 21, 5, tzinfo=UTC)
    later = registry.active(starts=date(2026, 11, 22))
    fails(registry, later)
    town.now = datetime(2026, 11, 21, 17, tzinfo=UTC)
    enter(registry, later)
    people.end(office, later.id, town.now)
    fails(registry, later, code=later.code(town.now, 1))


# --- codes
def test_a_code_counts_once_and_only_in_its_window(registry: Registry) -> None:
    officer, town = registry.active(), registry.town
    fails(registry, officer, code=officer.code(town.now, -2))
    fails(registry, officer, code=officer.code(town.now, 2))
    enter(registry, officer, code=officer.code(town.now, 1))
    fails(registry, officer, code=officer.code(town.now, 1))
    fails(registry, officer)  # one of an earlier step than the last that was used
    town.now += timedelta(seconds=60)
    enter(registry, officer, code=officer.code(town.now, 1))
    town.now += timedelta(seconds=90)
    enter(registry, officer, code=officer.code(town.now, -1))


def test_the_first_code_does_not_sign_in_too(registry: Registry) -> None:
    officer, confirm = registry.begun(registry.invite()[1])
    now = registry.town.now
    signin.confirm(registry.town.office, confirm, officer.code(now), now)
    fails(registry, officer)


@pytest.mark.parametrize("code", ["", "12345", "1234567", " 23456", "12345\n", "١٢٣٤٥٦", "ABCDEF", "\ud800", "------"])
def test_what_is_no_code_matches_nothing(code: str) -> None:
    assert matching_step(SECRET, code, datetime(2026, 11, 21, tzinfo=UTC), 0) is None


def test_the_window_is_one_step_and_only_forward() -> None:
    now = datetime(2026, 11, 21, 3, 0, 29, tzinfo=UTC)
    step = int(now.timestamp()) // 30
    found = [matching_step(SECRET, pyotp.TOTP(SECRET).generate_otp(step + d), now, 0) for d in (-2, -1, 0, 1, 2)]
    assert found == [None, step - 1, step, step + 1, None]
    assert matching_step(SECRET, pyotp.TOTP(SECRET).generate_otp(step), now, step) is None
    assert matching_step(SECRET, pyotp.TOTP(SECRET).generate_otp(step), now, step - 1) == step


def test_two_sign_ins_at_once_with_one_code_are_one(registry: Registry) -> None:
    officer, results = registry.active(), []
    start = threading.Barrier(2)

    def attempt() -> None:
        start.wait()
        try:
            results.append(enter(registry, officer)[1])
        except Refusal as refusal:
            results.append(refusal.reason)

    threads = [threading.Thread(target=attempt) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 2
    assert results.count("masuk") == 1
    assert registry.acts().count("signed_in") == 1


def test_two_people_with_one_link_are_one(registry: Registry) -> None:
    _, token = registry.invite()
    results: list[str] = []
    start = threading.Barrier(2)

    def attempt() -> None:
        start.wait()
        try:
            results.append(signin.set_up(registry.town.office, token, PASSWORD, registry.town.now)[0].id)
        except Refusal as refusal:
            results.append(refusal.reason)

    threads = [threading.Thread(target=attempt) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["petugas-1@sijunjung", "tautan"]


# --- lock-outs
def test_five_failures_lock_with_back_off_and_a_restart_changes_nothing(registry: Registry) -> None:
    officer, town = registry.active(), registry.town
    before = len(registry.acts())
    for _ in range(4):
        fails(registry, officer, password="salah sekali ini")
    assert len(registry.acts()) == before
    fails(registry, officer, code="abc")
    assert registry.acts()[before:] == ["sign_in_failed", "locked"]
    town.reopen()
    fails(registry, officer)  # right, and yet
    assert credential(registry, officer).failures == 5  # while it is locked nothing counts: nobody is kept out for ever by trying
    waits = []
    for _ in range(8):
        locked = credential(registry, officer).locked
        waits.append(locked - int(town.now.timestamp()))
        town.now = datetime.fromtimestamp(locked - 1, UTC)
        fails(registry, officer)
        town.now = datetime.fromtimestamp(locked, UTC)
        fails(registry, officer, password="salah sekali ini")
    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600]
    entries = [e for e in town.entries("broker") if e.get("act") in ("sign_in_failed", "locked")]
    assert [e["failures"] for e in entries if e["act"] == "sign_in_failed"] == list(range(5, 14))
    assert [e["seconds"] for e in entries if e["act"] == "locked"] == [*waits, 3600]
    town.now = datetime.fromtimestamp(credential(registry, officer).locked, UTC)
    enter(registry, officer)
    assert (credential(registry, officer).failures, credential(registry, officer).locked) == (0, 0)


def test_a_success_forgets_the_failures(registry: Registry) -> None:
    officer = registry.active()
    for _ in range(2):
        for _ in range(4):
            fails(registry, officer, code="abc")
        enter(registry, officer)
        registry.town.now += timedelta(seconds=60)
    assert "locked" not in registry.acts()


def test_guesses_at_once_are_all_counted(registry: Registry) -> None:
    officer = registry.active()
    threads = [threading.Thread(target=lambda: fails(registry, officer, code="abc")) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert credential(registry, officer).failures == 5
    assert registry.acts().count("locked") == 1


# --- sessions
def test_a_session_ends_when_it_rests_when_it_is_old_and_when_it_is_ended(registry: Registry) -> None:
    officer, town = registry.active(), registry.town
    begin = town.now
    _, token = enter(registry, officer)
    for bad in ("", token[:-1], "x" * 43, "\ud800"):
        with pytest.raises(Refusal):
            signin.whose(town.office, bad, town.now)
    while (town.now - begin).total_seconds() + 1799 < 12 * 3600:
        town.now += timedelta(seconds=1799)
        assert signin.whose(town.office, token, town.now)[0].id == officer.id
    town.now = begin + timedelta(hours=12, seconds=-1)
    assert signin.whose(town.office, token, town.now)
    town.now += timedelta(seconds=1)
    ended(registry, token)
    _, token = enter(registry, officer)
    town.now += timedelta(minutes=30)
    ended(registry, token)
    _, token = enter(registry, officer)
    signin.sign_out(town.office, token)
    ended(registry, token)


def test_ending_an_appointment_ends_its_sessions_and_deletes_its_secrets(registry: Registry) -> None:
    officer, other = registry.active(), registry.active()
    tokens = [enter(registry, o)[1] for o in (officer, other)]
    people.end(registry.town.office, officer.id, registry.town.now)
    ended(registry, tokens[0])
    assert signin.whose(registry.town.office, tokens[1], registry.town.now)[0].id == other.id
    with registry.town.office.ledger.database.read() as tx:
        assert tx.people.credential(officer.id) is None


def test_a_session_survives_a_restart(registry: Registry) -> None:
    officer = registry.active()
    _, token = enter(registry, officer)
    registry.town.reopen()
    assert signin.whose(registry.town.office, token, registry.town.now)[0].id == officer.id


# --- at rest
def test_a_second_factor_that_was_moved_or_changed_opens_nothing(registry: Registry) -> None:
    officer, other = registry.active(), registry.active()
    moved = credential(registry, other).totp
    assert moved
    for forged in (moved, b"", moved[:-1] + bytes([moved[-1] ^ 1]), moved[:11]):
        with registry.town.office.ledger.database.write() as tx:
            tx.people.change_credential(officer.id, totp=forged, failures=0)
        fails(registry, officer, code=other.code(registry.town.now))
        fails(registry, officer, code=pyotp.TOTP("A" * 32).at(registry.town.now))  # what stands in for no secret
    with registry.town.office.ledger.database.write() as tx:
        tx.people.change_credential(officer.id, totp=None, failures=0)
    fails(registry, officer, code=pyotp.TOTP("A" * 32).at(registry.town.now))


def test_a_sealed_secret_is_bound_to_its_key_and_use() -> None:
    sealed = seal_secret(b"k" * 32, b"rahasia", b"totp")
    assert unseal_secret(sealed, b"totp", b"x" * 32, b"k" * 32) == b"rahasia"
    for key, data, what in ((b"l" * 32, sealed, b"totp"), (b"k" * 32, sealed, b"oidc"), (b"k" * 32, sealed[:-1], b"totp"), (b"k" * 32, b"", b"totp")):
        with pytest.raises(NotOpened):
            unseal_secret(data, what, key)
    assert seal_secret(b"k" * 32, b"rahasia", b"totp") != sealed


def test_a_password_is_kept_with_todays_cost(registry: Registry, real_cost: None) -> None:
    officer = registry.active()
    assert argon2.extract_parameters(str(credential(registry, officer).password)) == argon2.profiles.RFC_9106_LOW_MEMORY
    cheap = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with registry.town.office.ledger.database.write() as tx:
        tx.people.change_credential(officer.id, password=cheap)
    fails(registry, officer, code="abc")
    assert credential(registry, officer).password == cheap  # a sign-in that failed changes nothing
    enter(registry, officer)
    kept = str(credential(registry, officer).password)
    assert not is_outdated(kept)
    assert verify(kept, PASSWORD)


def test_a_password_is_the_same_on_every_keyboard() -> None:
    kept = hashed("kafé lepas jangkar")
    assert verify(kept, "kafe\u0301 lepas jangkar")
    assert not verify(kept, "kafe lepas jangkar")
    assert not verify("", "x")
    assert not verify("bukan hash", "x")
    assert not verify(None, "x")
