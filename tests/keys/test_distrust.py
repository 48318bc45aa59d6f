"""A log or receipt key that others may hold counts for nothing by itself, whatever date is beside its signature; what a standing key vouches for holds."""

from __future__ import annotations

import base64
import json
import shutil
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from broker.cli import main
from broker.cli.party import show_verified
from broker.client.connection import Connection
from broker.client.reports import check_file
from broker.client.standing import checkpoint, perhaps_checkpoint, perhaps_signed, signed
from broker.client.verify import read_proof, verify_exchange
from broker.envelope import sign_dsse
from broker.envelope.dsse import EXPORT, MANIFEST
from broker.errors import KeyRingError, NotVerified, Refusal
from broker.jcs import canonical, strict_object
from broker.keys import LogKey, PublicSet, ReceiptKey, open_ring, public_set, read_public_set
from broker.keys.ring import ACTIVE, DESTROYED, DISTRUSTED, RETIRED
from broker.ledger import Checkpoint, leaf_hash, sign_checkpoint
from broker.ledger.checkpoint import ED25519, key_id, signature_line
from broker.model import utc_text, wib_text
from broker.record import BROKER_LOG
from tests.keys.test_rotation import AGREEMENT, act, http, kid, sent, states, town, wired
from tests.simulator import SIAPKERJA, SIJOKER, Province, Town

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.testclient import TestClient

    from broker.client import Client

__all__ = ["http", "town"]  # fixtures


def distrust(town: Town, key: str, ring: str = AGREEMENT, *, ago: timedelta = timedelta(hours=1), reason: str = "bocor") -> dict[str, Any]:
    return act(town, act="distrust", ring=ring, kid=key, since=(town.now - ago).isoformat(), reason=reason)


def rotated_and_distrusted(town: Town, purpose: str, ring: str = AGREEMENT) -> str:
    old = kid(town, purpose, ring=ring)
    act(town, act="rotate", ring=ring, purpose=purpose)
    distrust(town, old, ring)
    return old


def stolen(town: Town, kind: type[Any], purpose: str, ring: str = AGREEMENT) -> Any:
    return town.office.rings[ring].get(kind, purpose)


# --- the act
@pytest.mark.parametrize("purpose", ["log", "receipt"])
def test_the_key_in_use_is_rotated_first(town: Town, purpose: str) -> None:
    with pytest.raises(Refusal) as caught:
        distrust(town, kid(town, purpose))
    assert caught.value.reason == "kunci_langkah"
    assert states(town, purpose) == [ACTIVE]


@pytest.mark.parametrize("wrong", [
    {"since": "2026-01-01T00:00:00"}, {"since": "kemarin"}, {"since": "0001-01-01T00:00:00+14:00"}, {"since": "2999-01-01T00:00:00+07:00"}, {"reason": "sebab lain"}, {"more": 1},
])  # fmt: skip
def test_what_is_no_time_or_reason_is_refused(town: Town, wrong: dict[str, Any]) -> None:
    old = kid(town, "log")
    act(town, act="rotate", ring=AGREEMENT, purpose="log")
    with pytest.raises(Refusal) as caught:
        act(town, **({"act": "distrust", "ring": AGREEMENT, "kid": old, "since": utc_text(town.now), "reason": "bocor"} | wrong))
    assert caught.value.reason == "parameter"
    assert states(town, "log") == [RETIRED, ACTIVE]


def test_a_key_that_signs_nothing_is_not_distrusted(town: Town) -> None:
    old = kid(town, "kem")
    act(town, act="rotate", ring=AGREEMENT, purpose="kem")
    with pytest.raises(Refusal):
        distrust(town, old)
    assert states(town, "kem") == [RETIRED, ACTIVE]


def test_it_is_said_in_the_ring_the_log_and_the_public_set_and_its_secret_is_gone(town: Town) -> None:
    old = rotated_and_distrusted(town, "log")
    since = utc_text(town.now - timedelta(hours=1))
    ring = open_ring(town.home / "secrets" / AGREEMENT)
    record = next(r for r in ring.records if r.kid == old)
    assert (record.state, record.wrapped, record.distrusted) == (DESTROYED, None, (since, "bocor"))
    assert old not in ring.keys
    entry = town.entries(AGREEMENT)[-1]
    assert {"since": since, "reason": "bocor"} in [one.get("distrusted") for one in entry["keys"]]
    ours = public_set("broker", town.office.rings)
    assert (AGREEMENT, "log", DISTRUSTED) in {one[:3] for one in ours.others}
    assert ours.distrusted == {old: since}
    assert read_public_set(ours.to_json()) == ours
    wired(town)  # a restart reads it
    assert public_set("broker", town.office.rings) == ours


def test_the_time_only_becomes_earlier(town: Town) -> None:
    old = rotated_and_distrusted(town, "log")
    for ago in (timedelta(hours=1), timedelta(minutes=1)):
        with pytest.raises(Refusal):
            distrust(town, old, ago=ago)
    distrust(town, old, ago=timedelta(hours=2))
    assert public_set("broker", town.office.rings).distrusted == {old: utc_text(town.now - timedelta(hours=2))}


@pytest.mark.parametrize("change", [
    lambda k: k.pop("since"), lambda k: k.update(since="2026-01-01"), lambda k: k.update(since="0001-01-01T00:00:00+14:00"), lambda k: k.update(since=1), lambda k: k.update(state="retired"),
])  # fmt: skip
def test_a_public_set_that_says_it_in_another_way_is_refused(town: Town, change: Any) -> None:
    old = rotated_and_distrusted(town, "log")
    said = json.loads(public_set("broker", town.office.rings).to_json())
    change(next(one for one in said["keys"] if one["kid"] == old))
    with pytest.raises(KeyRingError, match="not a public key file"):
        read_public_set(canonical(said))


# --- what it signed
def test_a_receipt_of_it_holds_by_the_log_alone_and_that_is_told(town: Town, http: TestClient, tmp_path: Path) -> None:
    sender, recipient = town.client(SIJOKER, http), town.client(SIAPKERJA, http)
    before = sent(sender, town, tmp_path, "a")
    recipient.receive()
    assert recipient.verify(before).doubted is None
    rotated_and_distrusted(town, "receipt")
    after = sent(sender, town, tmp_path, "bb")
    recipient.receive()
    assert recipient.verify(before).doubted == utc_text(town.now - timedelta(hours=1))
    assert recipient.verify(after).doubted is None
    assert set(sender.countersign()) >= {before, after}


def test_a_manifest_signed_with_it_that_no_standing_checkpoint_includes_is_refused_whatever_its_date(town: Town, http: TestClient, tmp_path: Path) -> None:
    sender, recipient = town.client(SIJOKER, http), town.client(SIAPKERJA, http)
    name = sent(sender, town, tmp_path, "a")
    recipient.receive()
    folder = recipient.home / "inbox" / name
    receipt, log = stolen(town, ReceiptKey, "receipt"), stolen(town, LogKey, "log")
    rotated_and_distrusted(town, "receipt")
    recipient.renew()
    proof = json.loads((folder / "proof.json").read_bytes())
    manifest: dict[str, Any] = strict_object(base64.b64decode(proof["manifest"])) | {"time": "2026-01-01T00:00:00.000Z"}
    forged = canonical(manifest)
    proof["manifest"] = base64.b64encode(forged).decode()
    proof["receipts"] = {"broker": json.loads(sign_dsse(MANIFEST, forged, receipt).to_json())}
    (folder / "proof.json").write_bytes(canonical(proof))
    with pytest.raises(NotVerified, match=r"inclusion|root|proof"):
        verify_exchange(folder, recipient.broker, ())
    # with the log key stolen too
    rotated_and_distrusted(town, "log")
    recipient.renew()
    proof |= {"index": 0, "inclusion": [], "checkpoint": sign_checkpoint(Checkpoint(f"sinergi/{AGREEMENT}", 1, leaf_hash(forged)), log)}
    (folder / "proof.json").write_bytes(canonical(proof))
    with pytest.raises(NotVerified, match="distrusted since"):
        verify_exchange(folder, recipient.broker, ())


def test_a_checkpoint_of_it_alone_is_refused_and_one_cross_signed_holds(town: Town) -> None:
    old = stolen(town, LogKey, "log")
    act(town, act="rotate", ring=AGREEMENT, purpose="log")
    new, at = stolen(town, LogKey, "log"), Checkpoint(f"sinergi/{AGREEMENT}", 1, bytes(32))
    distrust(town, old.public.kid)
    ours = public_set("broker", town.office.rings)
    with pytest.raises(NotVerified, match="distrusted since"):
        checkpoint(sign_checkpoint(at, old), ours, AGREEMENT)
    assert checkpoint(sign_checkpoint(at, new, old), ours, AGREEMENT) == at
    note = town.office.ledger.note(AGREEMENT)
    assert note is not None
    assert note.count("— ") == 1  # it cross-signs no more


def test_a_statement_of_it_over_a_file_is_refused(town: Town, tmp_path: Path) -> None:
    old = stolen(town, ReceiptKey, "receipt")
    file = tmp_path / "laporan.csv"
    file.write_bytes(b"a\n")
    said = {"agreement": AGREEMENT, "type": "sinergi/export/v1", "time": "2026-01-01T00:00:00.000Z"}
    (tmp_path / "laporan.csv.dsse").write_bytes(sign_dsse(EXPORT, canonical(said), old).to_json())
    rotated_and_distrusted(town, "receipt")
    with pytest.raises(NotVerified, match="distrusted since"):
        check_file(file, public_set("broker", town.office.rings))


def test_a_signature_of_a_standing_key_beside_it_is_what_counts(town: Town) -> None:
    old = stolen(town, ReceiptKey, "receipt")
    rotated_and_distrusted(town, "receipt")
    ours, new = public_set("broker", town.office.rings), stolen(town, ReceiptKey, "receipt")
    one, other = sign_dsse(EXPORT, b"{}", old), sign_dsse(EXPORT, b"{}", new)
    both = replace(one, signatures=one.signatures + other.signatures)
    assert perhaps_signed(both, EXPORT, ours, AGREEMENT) == (b"{}", None)
    spoilt = replace(one, signatures=one.signatures + tuple((k, bytes(len(s))) for k, s in other.signatures))
    for wrong in (spoilt, replace(one, payload=b"[]")):
        with pytest.raises(NotVerified, match="does not hold"):
            perhaps_signed(wrong, EXPORT, ours, AGREEMENT)
    with pytest.raises(NotVerified):
        signed(one, EXPORT, ours, BROKER_LOG)  # of another scope


# --- of several keys, what is said since when
EARLY, LATE = "2026-01-01T00:00:00.000Z", "2026-02-01T00:00:00.000Z"


def of_four(kind: type[LogKey | ReceiptKey], purpose: str) -> tuple[PublicSet, Any, Any, Any, Any]:
    """A set with the key in use, a retired one, and two that are distrusted since LATE and since EARLY; then the four."""
    use, before, late, early = (kind(bytes([n]) * 32) for n in (1, 2, 3, 4))
    others = (("nk", purpose, RETIRED, before.public), ("nk", purpose, DISTRUSTED, late.public), ("nk", purpose, DISTRUSTED, early.public))
    return PublicSet("broker", {("nk", purpose): use.public}, others, {late.public.kid: LATE, early.public.kid: EARLY}), use, before, late, early


def test_of_receipt_keys_one_that_stands_is_enough_and_otherwise_the_earliest_of_those_that_signed_counts() -> None:
    ours, use, before, late, early = of_four(ReceiptKey, "receipt")

    def by(*keys: Any) -> Any:
        each = [sign_dsse(EXPORT, b"{}", key) for key in keys]
        return replace(each[0], signatures=tuple(pair for one in each for pair in one.signatures))

    for standing in ((use,), (before,), (late, use), (before, early)):
        assert perhaps_signed(by(*standing), EXPORT, ours, "nk") == (b"{}", None)
        assert signed(by(*standing), EXPORT, ours, "nk") == b"{}"
    for doubted, since in (((late,), LATE), ((early,), EARLY), ((late, early), EARLY)):
        assert perhaps_signed(by(*doubted), EXPORT, ours, "nk") == (b"{}", since)
        with pytest.raises(NotVerified, match="distrusted since"):
            signed(by(*doubted), EXPORT, ours, "nk")
    with pytest.raises(NotVerified, match="not signed by this key"):
        perhaps_signed(by(ReceiptKey(bytes(32))), EXPORT, ours, "nk")


def test_of_log_keys_one_that_stands_is_enough_and_otherwise_the_earliest_of_those_that_signed_counts() -> None:
    ours, use, before, late, early = of_four(LogKey, "log")
    at = Checkpoint("sinergi/nk", 1, bytes(32))
    for standing in ((use,), (before,), (late, use), (before, early)):
        assert perhaps_checkpoint(sign_checkpoint(at, *standing), ours, "nk") == (at, None)
        assert checkpoint(sign_checkpoint(at, *standing), ours, "nk") == at
    for doubted, since in (((late,), LATE), ((early,), EARLY), ((late, early), EARLY)):
        assert perhaps_checkpoint(sign_checkpoint(at, *doubted), ours, "nk") == (at, since)
        with pytest.raises(NotVerified, match="distrusted since"):
            checkpoint(sign_checkpoint(at, *doubted), ours, "nk")
    with pytest.raises(NotVerified, match="not signed by the pinned log key"):
        perhaps_checkpoint(sign_checkpoint(at, LogKey(bytes(32))), ours, "nk")


def test_a_line_under_another_name_makes_no_key_one_that_signed() -> None:
    ours, use, _, late, _ = of_four(LogKey, "log")
    at = Checkpoint("sinergi/nk", 1, bytes(32))
    line = signature_line("sinergi/lain", key_id(at.origin, ED25519, use.public.raw) + bytes(64))
    assert perhaps_checkpoint(sign_checkpoint(at, late) + line, ours, "nk") == (at, LATE)


# --- what follows
def test_a_succession_signed_with_it_afterwards_is_not_followed(town: Town, http: TestClient) -> None:
    late, early = town.client(SIJOKER, http), town.client(SIAPKERJA, http)
    pinned = late.broker
    old = kid(town, "receipt", ring=BROKER_LOG)
    act(town, act="rotate", ring=BROKER_LOG, purpose="receipt")
    early.renew()
    distrust(town, old, BROKER_LOG)
    with pytest.raises(NotVerified, match="written notice"):
        late.renew()
    assert late.broker == pinned
    early.renew()  # it pinned the next key before
    assert early.broker == public_set("broker", town.office.rings)


def test_a_succession_from_before_is_followed(town: Town, http: TestClient) -> None:
    client = town.client(SIJOKER, http)
    old = kid(town, "receipt", ring=BROKER_LOG)
    act(town, act="rotate", ring=BROKER_LOG, purpose="receipt")
    town.now += timedelta(days=2)
    distrust(town, old, BROKER_LOG)
    client.renew()
    assert client.broker == public_set("broker", town.office.rings)


# --- a proof that was kept from before
def kept(town: Town, http: TestClient, tmp_path: Path) -> tuple[Client, str, Path, bytes]:
    """A recipient, what it received, and the proof of it, under a log key that is distrusted by now."""
    sender, recipient = town.client(SIJOKER, http), town.client(SIAPKERJA, http)
    name = sent(sender, town, tmp_path, "a")
    recipient.receive()
    rotated_and_distrusted(town, "log")
    recipient.renew()
    file = recipient.home / "inbox" / name / "proof.json"
    with pytest.raises(NotVerified, match="distrusted since"):
        recipient.verify(name)
    return recipient, name, file, file.read_bytes()


def test_a_kept_proof_under_it_is_fetched_anew(town: Town, http: TestClient, tmp_path: Path) -> None:
    recipient, name, file, before = kept(town, http, tmp_path)
    found = recipient.refresh(name)
    assert (found.lines, found.signers, found.doubted) == (5, ("broker", SIAPKERJA), None)
    assert recipient.verify(name) == found
    recipient.open(name, tmp_path / "baris.csv")
    assert (read_proof(file.read_bytes()).data, {one.name for one in file.parent.iterdir()}) == (read_proof(before).data, {"proof.json", "leaves.bin", "envelope.sng"})


@pytest.mark.parametrize("change", [lambda p: p.update(index=p["index"] + 1), lambda p: p.update(manifest=_other(p["manifest"]))])
def test_a_proof_of_another_manifest_or_place_does_not_take_its_place(town: Town, http: TestClient, tmp_path: Path, change: Any) -> None:
    recipient, name, file, before = kept(town, http, tmp_path)
    proof = json.loads(before)
    change(proof)
    file.write_bytes(canonical(proof))
    with pytest.raises(NotVerified, match="keep this folder"):
        recipient.refresh(name)
    assert file.read_bytes() == canonical(proof)
    assert not (file.parent / ".proof.json").exists()


def _other(manifest: str) -> str:
    said: dict[str, Any] = strict_object(base64.b64decode(manifest))
    return base64.b64encode(canonical(said | {"time": "2026-01-01T00:00:00.000Z"})).decode()


def test_a_proof_of_a_log_that_was_rewritten_does_not_take_its_place(town: Town, http: TestClient, tmp_path: Path) -> None:
    recipient, name, file, before = kept(town, http, tmp_path)
    seen = recipient.home / "logs" / f"{AGREEMENT}.json"
    seen.write_bytes(canonical(json.loads(seen.read_bytes()) | {"root": "00" * 32}))
    with pytest.raises(NotVerified):
        recipient.refresh(name)
    assert file.read_bytes() == before


def test_a_proof_that_is_still_under_it_does_not_take_its_place(town: Town, http: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipient, name, file, before = kept(town, http, tmp_path)
    monkeypatch.setattr(Connection, "save", lambda _to, path, _target: path.write_bytes(before + b"\n"))
    with pytest.raises(NotVerified, match="distrusted since"):
        recipient.refresh(name)
    assert file.read_bytes() == before
    assert not (file.parent / ".proof.json").exists()


# --- as it is typed
def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main([*map(str, words)])
    printed = capsys.readouterr()
    return int(ended.value.code or 0), " ".join((printed.out + printed.err).split())


def test_the_administrator_says_it_once_sure_and_the_list_shows_it(province: Province, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = tmp_path / "broker"
    shutil.copytree(province.home, home)
    old = open_ring(home / "secrets" / AGREEMENT).get(LogKey, "log").public.kid
    asked = ("keys", "distrust", old, "--ring", AGREEMENT, "--since", "2026-01-02T08:30", "--home", home)
    status, said = run(capsys, *asked, "--reason", "bocor", "--yes")
    assert (status, "gantilah kunci log itu dahulu" in said) == (1, True), said
    assert run(capsys, "keys", "rotate", "log", "--ring", AGREEMENT, "--home", home)[0] == 0
    assert run(capsys, *asked, "--reason", "bocor")[0] == 1  # nobody said yes
    assert run(capsys, *asked, "--reason", "entah", "--yes")[0] == 1
    assert "TIDAK DIPERCAYA" not in run(capsys, "keys", "list", "--home", home)[1]
    status, said = run(capsys, *asked, "--reason", "bocor", "--yes")
    assert (status, "pemberitahuan tertulis" in said, "Tell every party in writing" in said) == (0, True, True), said
    assert f"{old}" in said
    listed = run(capsys, "keys", "list", "--home", home)[1]
    assert "TIDAK DIPERCAYA sejak 02-01-2026 08:30 WIB: bocor" in listed, listed
    assert read_public_set((home / "public.json").read_bytes()).distrusted == {old: "2026-01-02T01:30:00.000Z"}


def test_what_only_the_log_vouches_for_is_shown_with_a_warning(town: Town, http: TestClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sender, recipient = town.client(SIJOKER, http), town.client(SIAPKERJA, http)
    name = sent(sender, town, tmp_path, "a")
    recipient.receive()
    show_verified(name, recipient.verify(name))
    assert "PERINGATAN" not in capsys.readouterr().out
    rotated_and_distrusted(town, "receipt")
    recipient.renew()
    show_verified(name, recipient.verify(name))
    said = " ".join(capsys.readouterr().out.split())
    assert f"PERINGATAN kunci tanda terima broker tidak dipercaya sejak {wib_text(utc_text(town.now - timedelta(hours=1)))}: yang menjamin manifes ini hanya log" in said
