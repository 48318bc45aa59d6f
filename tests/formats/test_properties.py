"""What a verifier must never accept: any changed byte of an exchange, a checkpoint, a proof."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import itertools
import json
import tempfile
from base64 import b64decode, b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.client import Verified, verify_exchange
from broker.envelope import open_envelope, seal, sign_dsse
from broker.envelope.dsse import MANIFEST
from broker.errors import NotVerified
from broker.jcs import canonical, strict_object
from broker.keys import LogKey, LogPublic, PublicSet, ReceiptKey
from broker.ledger import Checkpoint, LogTree, leaf_hash, read_checkpoint, sign_checkpoint, verify_consistency, verify_inclusion

if TYPE_CHECKING:
    from tests.formats.conftest import Kept
    from tests.simulator import Province

quick = settings(deadline=None, max_examples=120)


def flipped(data: bytes, at: int, bits: int) -> bytes:
    at %= len(data)
    return data[:at] + bytes([data[at] ^ bits]) + data[at + 1 :]


def verify(kept: Kept, **changed: bytes) -> Verified:
    with tempfile.TemporaryDirectory() as folder:
        return verify_exchange(kept.write(Path(folder), **changed), kept.broker, [kept.key], io.BytesIO())


positions = st.integers(0, 1 << 40)
bits = st.integers(1, 255)


def test_what_was_received_verifies(kept: Kept) -> None:
    found = verify(kept)
    assert found.lines == kept.lines.count(b"\n")
    assert found.signers == ("broker",)
    assert found.claimed == ("siapkerja@kemnaker",)


@quick
@given(name=st.sampled_from(["envelope_sng", "leaves_bin"]), at=positions, mask=bits)
def test_any_changed_byte_of_envelope_or_leaves_is_caught(kept: Kept, name: str, at: int, mask: int) -> None:
    with pytest.raises(NotVerified):
        verify(kept, **{name: flipped(kept.files[name.replace("_", ".")], at, mask)})


@quick
@given(name=st.sampled_from(["envelope_sng", "leaves_bin"]), at=positions)
def test_a_file_cut_short_or_longer_is_caught(kept: Kept, name: str, at: int) -> None:
    data = kept.files[name.replace("_", ".")]
    for damaged in (data[: at % len(data)], data + data[: 1 + at % 200]):
        with pytest.raises(NotVerified):
            verify(kept, **{name: damaged})


@quick
@given(part=st.sampled_from(["manifest", "inclusion", "checkpoint", "payload", "sig 0", "sig 1", "keyid 0", "keyid 1", "payloadType", "exchange", "log"]), at=positions, mask=bits)
def test_any_changed_byte_of_what_the_proof_says_is_caught(kept: Kept, part: str, at: int, mask: int) -> None:
    proof = json.loads(kept.files["proof.json"])
    receipt = proof["receipts"]["broker"]
    word, _, number = part.partition(" ")
    holder, key = {
        "inclusion": (proof["inclusion"], at % len(proof["inclusion"] or [0])),
        "payload": (receipt, "payload"), "payloadType": (receipt, "payloadType"), "sig": (receipt["signatures"][int(number or 0)], "sig"),
        "keyid": (receipt["signatures"][int(number or 0)], "keyid"),
    }.get(word, (proof, word))  # fmt: skip
    if word in ("manifest", "inclusion", "payload", "sig"):
        holder[key] = b64encode(flipped(b64decode(holder[key]), at, mask)).decode()
    else:
        text = holder[key]
        place = at % len(text) if word != "checkpoint" else at % text.index("\n\n")  # signature lines have a test of their own
        holder[key] = text[:place] + chr(ord(text[place]) ^ mask) + text[place + 1 :]
    with pytest.raises(NotVerified):
        verify(kept, proof_json=json.dumps(proof).encode())


@settings(deadline=None, max_examples=250)
@given(at=positions, mask=bits)
def test_a_changed_byte_of_the_proof_file_changes_nothing_or_is_caught(kept: Kept, at: int, mask: int) -> None:
    before = verify(kept)
    try:
        after = verify(kept, proof_json=flipped(kept.files["proof.json"], at, mask))
    except NotVerified:
        return
    assert dataclasses.replace(after, claimed=()) == dataclasses.replace(before, claimed=())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("index", None), ("index", "one"), ("index", -1), ("index", 10**30), ("index", []), ("inclusion", None), ("inclusion", "AAAA"), ("inclusion", ["AAAA"]), ("inclusion", [7]),
        ("manifest", 7), ("manifest", "é"), ("manifest", "W10="), ("manifest", "e30="), ("checkpoint", None), ("checkpoint", ""), ("checkpoint", ["x"]), ("receipts", None),
        ("receipts", {}), ("receipts", {"broker": None}), ("receipts", {"broker": {"payload": "\ud800"}}), ("receipts", {"broker": []}), ("exchange", None), ("log", None), ("log", "broker"),
    ],
)  # fmt: skip
def test_a_proof_of_another_shape_is_no_proof(kept: Kept, name: str, value: Any) -> None:
    proof = {**json.loads(kept.files["proof.json"]), name: value}
    with pytest.raises(NotVerified):
        verify(kept, proof_json=json.dumps(proof).encode())


@pytest.mark.parametrize(("name", "value"), [("index", float("inf")), ("index", 0.5), ("index", "0"), ("index", False), ("receipts", []), ("receipts", "x"), ("unknown", 1)])
def test_a_proof_file_has_one_form(kept: Kept, name: str, value: Any) -> None:
    proof = {**json.loads(kept.files["proof.json"]), name: value}
    with pytest.raises(NotVerified):
        verify(kept, proof_json=json.dumps(proof).encode())


@pytest.mark.parametrize("text", [b"", b"[]", b"7", b"null", b'"x"', b"{}", b"\xff", pytest.param(b"[" * 100_000, id="nested too deep")])
def test_a_file_that_is_no_proof_is_not_verified(kept: Kept, text: bytes) -> None:
    with pytest.raises(NotVerified):
        verify(kept, proof_json=text)


@pytest.mark.parametrize("name", ["envelope.sng", "leaves.bin", "proof.json"])
def test_a_missing_file_is_not_verified(kept: Kept, tmp_path: Path, name: str) -> None:
    (kept.write(tmp_path) / name).unlink()
    with pytest.raises(NotVerified):
        verify_exchange(tmp_path, kept.broker, [kept.key])


def test_a_receipt_of_nobody_names_no_signer(kept: Kept) -> None:
    proof = json.loads(kept.files["proof.json"])
    proof["receipts"]["sijoker@sijunjung"] = {"payload": "", "payloadType": "", "signatures": []}
    proof["receipts"]["siapkerja@kemnaker"] = proof["receipts"]["broker"]
    assert verify(kept, proof_json=json.dumps(proof).encode()).signers == ("broker",)


def test_a_log_that_is_not_pinned_is_not_verified(kept: Kept) -> None:
    keys = {k: v for k, v in kept.broker.keys.items() if k[0] != "nk-sijunjung-2025"}
    with pytest.raises(NotVerified):
        verify(dataclasses.replace(kept, broker=PublicSet("broker", keys)))


def test_any_changed_bit_of_a_checkpoint_is_caught(kept: Kept) -> None:
    proof = json.loads(kept.files["proof.json"])
    note, log = proof["checkpoint"].encode(), proof["log"]
    key = kept.broker.get(LogPublic, "log", log)
    accepted = []
    end = [(at, mask) for at in range(len(note) - 4, len(note)) for mask in range(1, 256)]  # where base64 has bits to spare
    for at, mask in [*itertools.product(range(len(note)), (1, 2, 4, 8, 16, 32, 64, 128)), *end]:
        try:
            read_checkpoint(flipped(note, at, mask).decode(), f"sinergi/{log}", key)
        except (NotVerified, UnicodeDecodeError):
            continue
        accepted.append((at, mask))
    assert accepted == []


# --- a broker that signs what is not so
def resigned(kept: Kept, province: Province, lines: bytes) -> dict[str, bytes]:
    """The files again with other lines, everything else recomputed and signed with the broker's own keys."""
    proof = json.loads(kept.files["proof.json"])
    manifest, ring = json.loads(b64decode(proof["manifest"])), province.office.rings[proof["log"]]
    opener = open_envelope(io.BytesIO(kept.files["envelope.sng"]), kept.key)
    sealer = seal(opener.header.core, [kept.key.public], extra=opener.extra)
    envelope = sealer.header.prefix + sealer.update(lines) + sealer.finish()
    manifest["envelope"] = {"bytes": len(envelope), "header_sha256": hashlib.sha256(sealer.header.prefix).hexdigest(), "sha256": hashlib.sha256(envelope).hexdigest()}
    entry = canonical(manifest)
    note = sign_checkpoint(Checkpoint(f"sinergi/{proof['log']}", 1, leaf_hash(entry)), ring.get(LogKey, "log"))
    receipt = json.loads(sign_dsse(MANIFEST, entry, ring.get(ReceiptKey, "receipt")).to_json())
    proof |= {"manifest": b64encode(entry).decode(), "receipts": {"broker": receipt}, "index": 0, "inclusion": [], "checkpoint": note}
    return {"envelope_sng": envelope, "proof_json": json.dumps(proof).encode()}


def test_the_same_lines_signed_again_verify(kept: Kept, province: Province) -> None:
    verify(kept, **resigned(kept, province, kept.lines))


@pytest.mark.parametrize("how", ["changed", "dropped", "doubled", "exchanged", "unended", "none"])
def test_lines_that_were_not_committed_to_are_caught_though_the_broker_signed_them(kept: Kept, province: Province, how: str) -> None:
    first, second, *rest = kept.lines.splitlines(keepends=True)
    lines = {
        "changed": [first[:30], bytes([first[30] ^ 1]), first[31:], second, *rest], "dropped": [second, *rest], "doubled": [*rest, first, second, second],
        "exchanged": [second, first, *rest], "unended": [kept.lines[:-1]], "none": [],
    }[how]  # fmt: skip
    with pytest.raises(NotVerified):
        verify(kept, **resigned(kept, province, b"".join(lines)))


# --- JSON
scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8)
names = st.text(st.characters(max_codepoint=127), max_size=6)
inner = st.recursive(scalars, lambda x: st.lists(x, max_size=3) | st.dictionaries(names, x, max_size=3), max_leaves=6)
objects = st.dictionaries(names, inner, max_size=4)


@quick
@given(value=objects)
def test_canonical_json_reads_back_as_itself(value: dict[str, Any]) -> None:
    assert strict_object(canonical(value)) == value


@quick
@given(value=objects, space=st.sampled_from([" ", "\n", "\t"]))
def test_no_second_form_of_an_object_is_read(value: dict[str, Any], space: str) -> None:
    other = [canonical(value) + space.encode()]
    if len(value) > 1:
        other.append(json.dumps(dict(sorted(value.items(), reverse=True)), ensure_ascii=False, separators=(",", ":")).encode())
    for text in other:
        with pytest.raises(ValueError, match="canonical"):
            strict_object(text)


# --- trees, against RFC 6962's recursion word for word
def mth(hashes: list[bytes]) -> bytes:
    if len(hashes) == 1:
        return hashes[0]
    k = 1 << (len(hashes) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + mth(hashes[:k]) + mth(hashes[k:])).digest()


def path(m: int, hashes: list[bytes]) -> list[bytes]:
    if len(hashes) == 1:
        return []
    k = 1 << (len(hashes) - 1).bit_length() - 1
    return [*path(m, hashes[:k]), mth(hashes[k:])] if m < k else [*path(m - k, hashes[k:]), mth(hashes[:k])]


HASHES = [leaf_hash(n.to_bytes(2, "big")) for n in range(600)]
TREE = LogTree(HASHES)


@quick
@given(st.data())
def test_any_entry_of_any_log_is_proved_and_no_altered_proof_is(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(HASHES)))
    index = data.draw(st.integers(0, size - 1))
    root, proof, leaf = mth(HASHES[:size]), TREE.inclusion(index, size), HASHES[index]
    assert (root, proof) == (TREE.root(size), path(index, HASHES[:size]))
    verify_inclusion(index, size, leaf, proof, root)
    for bad_leaf, bad_proof, bad_root in altered(data, leaf, proof, root):
        with pytest.raises(NotVerified):
            verify_inclusion(index, size, bad_leaf, bad_proof, bad_root)
    other = data.draw(st.integers(-2, size + 2).filter(lambda n: n != index))
    with pytest.raises(NotVerified):
        verify_inclusion(other, size, leaf, proof, root)


@quick
@given(st.data())
def test_any_older_log_is_a_prefix_and_no_altered_proof_says_so(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, len(HASHES)))
    old = data.draw(st.integers(1, new))
    before, after, proof = TREE.root(old), TREE.root(new), TREE.consistency(old, new)
    verify_consistency(old, new, before, after, proof)
    for bad_before, bad_proof, bad_after in altered(data, before, proof, after):
        with pytest.raises(NotVerified):
            verify_consistency(old, new, bad_before, bad_after, bad_proof)
    if old < new:
        with pytest.raises(NotVerified):
            verify_consistency(new, old, after, before, proof)


def altered(data: st.DataObject, first: bytes, proof: list[bytes], last: bytes) -> list[tuple[bytes, list[bytes], bytes]]:
    at, mask = data.draw(positions), data.draw(bits)
    found = [
        (flipped(first, at, mask), proof, last), (first, proof, flipped(last, at, mask)), (first, [*proof, first], last), (first, [bytes(32), *proof], last),
        (first[:-1], proof, last), (first, proof, last + b"\0"),
    ]  # fmt: skip
    if proof:
        i = at % len(proof)
        found += [(first, [*proof[:i], flipped(proof[i], at, mask), *proof[i + 1 :]], last), (first, proof[:i] + proof[i + 1 :], last), (first, [*proof[:i], proof[i][:-1], *proof[i + 1 :]], last)]
    return found
