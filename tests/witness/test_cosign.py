"""Cosignatures and witness policies, read as C2SP says and no other way."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from itertools import combinations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.errors import ConfigError, NotVerified
from broker.keys import LogKey, WitnessKey
from broker.ledger import Checkpoint, sign_checkpoint
from broker.ledger.cosign import COSIGNATURE, Vkey, cosign, cosignature, cosigners, read_policy, read_vkey, satisfied, vkey_of

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)
ORIGIN = "sinergi/nk-sijunjung-2025"
LOG = LogKey(bytes(32))
KEYS = {name: WitnessKey(hashlib.sha256(name.encode()).digest()) for name in ("X1", "X2", "X3", "Y1", "Y2", "Y3")}
NOTE = sign_checkpoint(Checkpoint(ORIGIN, 42, bytes(32)), LOG)
BODY = NOTE.partition("\n\n")[0] + "\n"


def by(name: str, body: str = BODY) -> str:
    return cosign(body, f"saksi.example.org/{name}", KEYS[name], NOW)


def vkey(name: str) -> Vkey:
    return vkey_of(f"saksi.example.org/{name}", KEYS[name].public)


def test_a_cosignature_is_what_the_specification_says_by_hand() -> None:
    """Key id, time and message written out with other primitives."""
    name, key = "saksi.example.org/X1", Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"X1").digest())
    raw = key.public_key().public_bytes_raw()
    kid = hashlib.sha256(name.encode() + b"\n\x04" + raw).digest()[:4]
    time = 1795230000
    signature = key.sign(f"cosignature/v1\ntime {time}\n{BODY}".encode())
    assert by("X1") == f"— {name} {b64encode(kid + time.to_bytes(8, 'big') + signature).decode()}\n"
    assert vkey("X1").text == f"{name}+{kid.hex()}+{b64encode(bytes([4]) + raw).decode()}"
    assert read_vkey(vkey("X1").text) == vkey("X1")


def test_the_specifications_own_verifier_key_is_read() -> None:
    """From golang.org/x/mod/sumdb/note: the checksum database's key."""
    key = read_vkey("sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8")
    assert (key.name, key.kind, key.id.hex()) == ("sum.golang.org", b"\x01", "033de0ae")


def test_a_note_shows_who_cosigned_it_and_when() -> None:
    found = cosignature(NOTE + by("X1") + by("X2"), vkey("X2"))
    assert found is not None
    assert (found.time, found.line) == (int(NOW.timestamp()), by("X2"))
    assert cosignature(NOTE + by("X1"), vkey("X2")) is None


def test_of_two_cosignatures_the_later_counts() -> None:
    later = cosign(BODY, "saksi.example.org/X1", KEYS["X1"], datetime(2026, 11, 22, 3, tzinfo=UTC))
    for lines in (by("X1") + later, later + by("X1")):
        found = cosignature(NOTE + lines, vkey("X1"))
        assert found is not None
        assert found.line == later


def raw_of(line: str) -> bytearray:
    return bytearray(b64decode(line.split()[2]))


@pytest.mark.parametrize("at", [4, 11, 12, 75])
def test_a_changed_cosignature_is_refused(at: int) -> None:
    """Its time and its signature; a changed key id is a stranger's."""
    raw = raw_of(by("X1"))
    raw[at] ^= 1
    with pytest.raises(NotVerified, match="does not hold"):
        cosignature(f"{NOTE}— saksi.example.org/X1 {b64encode(raw).decode()}\n", vkey("X1"))
    raw[0] ^= 1
    assert cosignature(f"{NOTE}— saksi.example.org/X1 {b64encode(raw).decode()}\n", vkey("X1")) is None


def test_a_cosignature_of_another_note_is_refused() -> None:
    other = by("X1", BODY.replace("42", "43"))
    with pytest.raises(NotVerified, match="does not hold"):
        cosignature(NOTE + other, vkey("X1"))


def test_a_plain_signature_under_the_cosigners_key_is_none() -> None:
    """A log's signature type with a witness's key: its key id is another."""
    raw = vkey("X1").id + KEYS["X1"].private.sign(BODY.encode())
    with pytest.raises(NotVerified):
        cosignature(f"{NOTE}— saksi.example.org/X1 {b64encode(raw).decode()}\n", vkey("X1"))


@pytest.mark.parametrize("text", [
    "", "a", "a+b", "a+00000000+AA==", "a b+00000000+AA==", vkey("X1").text[:-4], vkey("X1").text.replace("+", "++", 1), vkey("X1").text.upper(), f" {vkey('X1').text}", f"{vkey('X1').text}\n",
    f"lain+{vkey('X1').text.partition('+')[2]}", vkey_of("lain", KEYS["X1"].public).text.replace("lain", "saksi"),
    Vkey("saksi", b"\x06", bytes(1312)).text, Vkey("saksi", COSIGNATURE, bytes(31)).text, Vkey("saksi", b"\x02", bytes(32)).text,
])  # fmt: skip
def test_what_is_no_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(NotVerified):
        read_vkey(text)


# --- policies
HEAD = "".join(f"witness {name} {vkey(name).text}\n" for name in KEYS)
TWO_LEVELS = f"log {vkey_of(ORIGIN, LOG.public).text}\n\n# dua tingkat\n{HEAD}group X 2 X1 X2 X3\n\tgroup Y  any Y1 Y2 Y3\t\ngroup X-and-Y all X Y\nquorum X-and-Y\n"


def test_the_specifications_example_counts_as_it_says() -> None:
    policy = read_policy(TWO_LEVELS.encode(), "p")
    assert policy.logs == (vkey_of(ORIGIN, LOG.public),)
    for count in range(7):
        for names in combinations(KEYS, count):
            enough = sum(n[0] == "X" for n in names) >= 2 and any(n[0] == "Y" for n in names)
            assert policy.allows(names) is enough, names
            assert satisfied(policy, NOTE + "".join(map(by, names))) is enough
    assert not policy.allows(["X-and-Y", "X", "Y"])  # a group is no witness


def test_one_cosigner_twice_counts_once() -> None:
    policy = read_policy(TWO_LEVELS.encode(), "p")
    assert list(cosigners(policy, NOTE + by("X1") * 3 + by("Y1"))) == ["X1", "Y1"]
    assert not satisfied(policy, NOTE + by("X1") * 3 + by("Y1"))


def test_a_bad_line_of_a_known_witness_is_not_passed_over() -> None:
    policy = read_policy(TWO_LEVELS.encode(), "p")
    with pytest.raises(NotVerified):
        satisfied(policy, NOTE + by("X1") + by("X2") + by("Y1") + by("Y2", BODY.replace("42", "43")))


def test_a_quorum_of_none_needs_nobody() -> None:
    assert satisfied(read_policy(b"quorum none\n", "p"), NOTE)
    assert satisfied(read_policy(f"{HEAD}quorum none\n".encode(), "p"), NOTE)


def test_a_quorum_may_be_one_witness_and_the_order_of_logs_is_free() -> None:
    policy = read_policy(f"{HEAD}quorum X1\nlog {vkey_of(ORIGIN, LOG.public).text} https://sinergi.example.org\n".encode(), "p")
    assert [policy.allows([name]) for name in KEYS] == [True, False, False, False, False, False]


def test_addresses_are_kept() -> None:
    policy = read_policy(f"witness a {vkey('X1').text} https://saksi.example.org/awal/\nquorum a\n".encode(), "p")
    assert policy.witnesses[0].url == "https://saksi.example.org/awal"


W = f"witness a {vkey('X1').text}\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("# saja\n", 2),
        (W, 2),
        (f"{W}quorum a", 2),
        (f"{W}quorum a\nquorum a\n", 3),
        (f"{W}quorum none\nquorum a\n", 3),
        (f"{W}quorum b\n", 2),
        (f"quorum a\n{W}", 1),
        (f"{W}quorum\n", 2),
        (f"{W}quorum a a\n", 2),
        (f"{W}Quorum a\n", 2),
        (f"{W}{W}quorum a\n", 2),
        (f"{W}{W.replace('witness a', 'witness b')}quorum a\n", 2),
        (f"{W}witness b {vkey_of('nama-lain', KEYS['X1'].public).text}\nquorum a\n", 2),
        (f"{W}witness a {vkey('X2').text}\nquorum a\n", 2),
        (f"witness none {vkey('X1').text}\nquorum none\n", 1),
        (f"witness a {vkey('X1').text} https://a https://b\nquorum a\n", 1),
        (f"witness a {vkey('X1').text[:-1]}\nquorum a\n", 1),
        (f"witness a {vkey_of(ORIGIN, LOG.public).text}\nquorum a\n", 1),
        (f"log {vkey('X1').text}\nquorum none\n", 1),
        (f"log {vkey_of(ORIGIN, LOG.public).text}\nlog {vkey_of('sinergi/lain', LOG.public).text}\nquorum none\n", 2),
        (f"{W}group g all\nquorum g\n", 2),
        (f"{W}group g 0 a\nquorum g\n", 2),
        (f"{W}group g 2 a\nquorum g\n", 2),
        (f"{W}group g 01 a\nquorum g\n", 2),
        (f"{W}group g +1 a\nquorum g\n", 2),
        (f"{W}group g most a\nquorum g\n", 2),
        (f"{W}group g all b\nquorum g\n", 2),
        (f"{W}group g all a a\nquorum g\n", 2),
        (f"{W}group g all g\nquorum g\n", 2),
        (f"{W}group g all none\nquorum g\n", 2),
        (f"{W}group a all a\nquorum a\n", 2),
        (f"{W}group g all a\ngroup h all a\nquorum g\n", 3),
        (f"{W}group g all a\ngroup h all g\ngroup i all g\nquorum h\n", 4),
        (f"{W}mirror a\nquorum a\n", 2),
        (f"{W}quorum a # tanggapan\n", 2),
        (f"{W}quorum\xa0a\n", 2),
        (f"{W}quorum a\r\n", 2),
        (f"{W}\x00\nquorum a\n", 2),
        (f"{W}\x7f\nquorum a\n", 2),
    ],
)  # fmt: skip
def test_what_is_no_policy_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(ConfigError, match=rf"^p:{line}: "):
        read_policy(text.encode(), "p")


def test_a_policy_that_is_not_utf8_is_refused_with_its_line() -> None:
    with pytest.raises(ConfigError, match=r"^p:2: is not UTF-8"):
        read_policy(W.encode() + b"# \xff\nquorum a\n", "p")
