"""Who is in an exchange and who is not, and what a leaf committed to: against a naive tree, and against every lie we could think of."""

from __future__ import annotations

import io
import json
import sqlite3
from base64 import b64encode
from contextlib import closing
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.envelope import open_envelope
from broker.errors import LedgerError, NotVerified
from broker.keys import KemKey
from broker.ledger.leaves import LeafGatherer
from broker.ledger.openings import (
    Block,
    Placed,
    Presence,
    StoredTree,
    placed_json,
    presence_json,
    read_placed,
    read_presence,
    salt_of,
    verify_opening,
    verify_placed,
    verify_presence,
)
from broker.record import leaf_tree
from tests.formats.test_docs import table
from tests.ledger.naive import EXCHANGE, leaf, root, stored
from tests.simulator import SIAPKERJA

if TYPE_CHECKING:
    from pathlib import Path

    from tests.simulator import Town

QUICK = settings(deadline=None, derandomize=True, max_examples=60)
EMPTY = Presence(None, (), None)


def ref(number: int) -> bytes:
    return number.to_bytes(16, "big")


def tree_of(numbers: list[int]) -> list[bytes]:
    """Sorted leaves, one per number; the sequence is the order of arrival."""
    return [leaf(ref(n), i) for n, i in sorted((n, i) for i, n in enumerate(numbers))]


def holds(leaves: list[bytes], who: bytes, presence: Presence, **other: Any) -> bool:
    told = {"exchange": EXCHANGE, "size": len(leaves), "root": root(leaves), **other}
    try:
        verify_presence(told["exchange"], who, told["size"], told["root"], presence)
    except NotVerified:
        return False
    return True


# Few different refs: every run has gaps, repeats, and refs at both ends. Sizes cross two tiles and meet powers of two.
NUMBERS = st.one_of(st.lists(st.integers(1, 12), max_size=40), st.sampled_from([1, 2, 255, 256, 257, 512, 513]).flatmap(lambda n: st.lists(st.integers(1, 40), min_size=n, max_size=n)))


@QUICK
@given(NUMBERS, st.integers(0, 41))
def test_a_proof_shows_every_leaf_of_a_ref_and_no_other(numbers: list[int], asked: int) -> None:
    leaves = tree_of(numbers)
    presence = stored(leaves).presence(ref(asked))
    assert [p.leaf for p in presence.leaves] == [each for each in leaves if each[:16] == ref(asked)]
    assert holds(leaves, ref(asked), presence)
    assert read_presence(json.loads(json.dumps(presence_json(presence)))) == presence


@QUICK
@given(NUMBERS.filter(bool), st.integers(0, 41), st.data())
def test_no_change_to_a_proof_is_accepted(numbers: list[int], asked: int, data: st.DataObject) -> None:
    leaves = tree_of(numbers)
    presence = stored(leaves).presence(ref(asked))
    for lie in lies(presence, data.draw(st.integers(0, 10_000))):
        assert not holds(leaves, ref(asked), lie), lie
    assert not holds(leaves, ref(asked), presence, exchange=bytes(16))
    assert not holds(leaves, ref(asked), presence, root=sha256(b"").digest())
    assert not holds(leaves, ref(asked), presence, size=0)
    assert not holds(leaves, ref(asked), EMPTY)
    for wrong in {0, asked - 1, asked + 1, 41} - {asked, -1}:
        # The same proof for another ref: right only if neither has a leaf and both fall in the same gap.
        same_gap = not presence.leaves and ref(wrong) not in {each[:16] for each in leaves} and sum(each[:16] < ref(wrong) for each in leaves) == sum(each[:16] < ref(asked) for each in leaves)
        assert holds(leaves, ref(wrong), presence) is same_gap


def lies(presence: Presence, seed: int) -> list[Presence]:
    """What a prover might show instead: a leaf kept back, a neighbour kept back, an index, path or byte changed, leaves exchanged or doubled."""
    found = []
    shown = presence.leaves
    for i in range(len(shown)):
        found.append(replace(presence, leaves=shown[:i] + shown[i + 1 :]))
        found.append(replace(presence, leaves=(*shown[:i], shown[i], *shown[i:])))
    if len(shown) > 1:
        found += [replace(presence, leaves=shown[::-1])]
    if presence.before is not None:
        found += [replace(presence, before=None), replace(presence, before=None, leaves=(presence.before, *shown))]
        found += [replace(presence, before=lie) for lie in changed(presence.before, seed)]
    if presence.after is not None:
        found += [replace(presence, after=None), replace(presence, after=None, leaves=(*shown, presence.after))]
        found += [replace(presence, after=lie) for lie in changed(presence.after, seed)]
    if shown:
        found += [replace(presence, leaves=(lie, *shown[1:])) for lie in changed(shown[0], seed)]
        found += [Presence(presence.before, (), shown[0]), Presence(shown[-1], (), presence.after)]
    return found


def changed(placed: Placed, seed: int) -> list[Placed]:
    at = seed % 55
    byte = replace(placed, leaf=placed.leaf[:at] + bytes([placed.leaf[at] ^ 1]) + placed.leaf[at + 1 :])
    lied = [
        byte,
        replace(placed, leaf=placed.leaf[:-1]),
        replace(placed, leaf=placed.leaf + b"\0"),
        replace(placed, index=placed.index + 1),
        replace(placed, index=placed.index - 1),
        replace(placed, path=(*placed.path, bytes(32))),
        replace(placed, path=(*placed.path, b"")),
    ]
    if placed.path:
        i = seed % len(placed.path)
        lied += [replace(placed, path=placed.path[:i] + placed.path[i + 1 :]), replace(placed, path=(*placed.path[:i], placed.path[i][:31], *placed.path[i + 1 :]))]
    return lied


def test_an_empty_tree_holds_nobody_and_only_an_empty_tree_needs_no_leaf() -> None:
    assert stored([]).presence(ref(1)) == EMPTY
    assert holds([], ref(1), EMPTY)
    assert not holds([], ref(1), EMPTY, root=bytes(32))
    assert not holds([], ref(1), EMPTY, root=b"")
    assert not holds([], ref(1), EMPTY, size=1)
    assert not holds([], ref(1), stored([leaf(ref(1))]).presence(ref(1)))
    assert not holds([], b"", EMPTY)
    assert not holds([], ref(1), EMPTY, size=False)


def test_the_only_leaf_has_no_neighbour() -> None:
    leaves = [leaf(ref(5))]
    assert stored(leaves).presence(ref(5)) == Presence(None, (Placed(0, leaves[0], ()),), None)
    for asked, before, after in ((4, False, True), (6, True, False)):
        presence = stored(leaves).presence(ref(asked))
        assert (presence.before is not None, len(presence.leaves), presence.after is not None) == (before, 0, after)
        assert holds(leaves, ref(asked), presence)


@pytest.mark.parametrize("size", [16_383, 16_384, 16_385, 32_768, 33_025])
def test_a_ref_on_both_sides_of_a_segment_is_shown_whole(size: int) -> None:
    """A person with rows at the border of two segments; others around; the ends of the tree."""
    border = range(16_380, 16_390)
    leaves = [leaf(ref(16_380 if i in border else i), i) for i in range(size)]
    proved = stored(leaves)
    truth = root(leaves)
    for asked in (16_380, 16_379, 16_385, 16_390, 0, size - 1, size):
        presence = proved.presence(ref(asked))
        verify_presence(EXCHANGE, ref(asked), size, truth, presence)
        assert [p.index for p in presence.leaves] == [i for i, each in enumerate(leaves) if each[:16] == ref(asked)]


def test_a_row_that_names_a_person_twice_has_two_leaves_and_both_are_shown() -> None:
    leaves = [leaf(ref(1), 3), leaf(ref(2), 7), leaf(ref(2), 7), leaf(ref(3), 0)]
    presence = stored(leaves).presence(ref(2))
    assert len(presence.leaves) == 2
    assert holds(leaves, ref(2), presence)


def test_a_tree_whose_leaves_of_a_ref_are_out_of_order_proves_nothing() -> None:
    leaves = [leaf(ref(2), 7), leaf(ref(2), 6)]
    assert not holds(leaves, ref(2), stored(leaves).presence(ref(2)))


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 16_384, 16_385, 20_000])
def test_what_the_ledger_stores_proves_what_its_manifest_says(size: int, tmp_path: Path) -> None:
    """Segments as `LeafGatherer` makes them, every fourth row of a person met before."""
    rng = np.random.default_rng(size)
    tags = rng.integers(0, 256, (size, 16), np.uint8)
    tags[::4] = tags[0]
    gatherer = LeafGatherer(EXCHANGE, bytes(32), tmp_path)
    none = np.zeros(size, np.uint16)
    gatherer.add(tags, np.ones(size, np.bool_), rng.integers(0, 256, (size, 32), np.uint8), none, none.astype(np.uint8), np.arange(size, dtype=np.uint32))
    blocks = [Block(s.high, s.tiles, partial(bytes, s.rows)) for s in gatherer.segments(lambda tags: tags)]
    gatherer.close()
    assert gatherer.tree is not None
    leaves = [rows[i : i + 55] for rows in (b.rows() for b in blocks) for i in range(0, len(rows), 55)]
    assert gatherer.tree.root == root(leaves)
    proved = StoredTree(EXCHANGE, size, blocks)
    for index in {0, size // 2, size - 1, min(255, size - 1), min(256, size - 1), min(16_384, size - 1)}:
        verify_placed(EXCHANGE, size, gatherer.tree.root, proved.placed(index))
        found = proved.presence(leaves[index][:16])
        verify_presence(EXCHANGE, leaves[index][:16], size, gatherer.tree.root, found)
    for sequence in (0, size - 1):
        assert [p.sequence for p in proved.of_sequence(sequence)] == [sequence]
    assert proved.of_sequence(size) == []


def test_a_sequence_is_found_where_it_stands_and_nowhere_else() -> None:
    """The four bytes of the row asked for also stand in refs and commitments, across fields and across leaves."""
    lure = (7).to_bytes(4, "big")
    leaves = sorted([leaf(lure * 4, 9, lure * 8), leaf(ref(7 << 96), 7, bytes(28) + lure), leaf(b"\0\7" + bytes(14), 0), leaf(ref(2), 7)])
    assert [p.index for p in stored(leaves).of_sequence(7)] == [i for i, each in enumerate(leaves) if each[51:] == lure]


def test_no_leaf_beyond_the_tree_is_placed() -> None:
    proved = stored(tree_of([1, 2, 3]))
    for index in (-1, 3):
        with pytest.raises(ValueError, match="no such leaf"):
            proved.placed(index)


# --- one record
KEY = bytes(range(32))
LINE = b'{"nama":"Siti"}\n'


def released(line: bytes, sequence: int) -> bytes:
    return leaf(ref(1), sequence, sha256(salt_of(KEY, sequence) + line).digest())


@pytest.mark.parametrize("sequence", [0, 1, 255, 256, 65_536, 2**32 - 1])
def test_a_salt_is_its_block_of_the_stream(sequence: int) -> None:
    stream = Cipher(algorithms.AES(KEY), modes.CTR(bytes(16))).encryptor()
    if sequence < 100_000:
        assert stream.update(bytes(16 * sequence + 16))[-16:] == salt_of(KEY, sequence)
    verify_opening(released(LINE, sequence), salt_of(KEY, sequence), LINE)


def test_another_line_salt_or_leaf_is_refused() -> None:
    good, salt = released(LINE, 4), salt_of(KEY, 4)
    two = LINE + LINE
    for committed, opened, line in (
        (good, salt, LINE[:-1]),
        (good, salt, b""),
        (good, salt, LINE.replace(b"Siti", b"Sati")),
        (good, salt_of(KEY, 5), LINE),
        (good, salt + LINE[:1], LINE[1:]),  # the same bytes, cut elsewhere
        (good[:-1], salt, LINE),
        (released(two, 4), salt, two),
        (released(LINE[:-1], 4), salt, LINE[:-1]),
        (released(b"", 4), salt, b""),  # a released row has a line
        (leaf(ref(1), 4, sha256(salt + LINE).digest(), outcome=0x11), salt, LINE),  # a withheld one has none
    ):
        with pytest.raises(NotVerified):
            verify_opening(committed, opened, line)


def test_a_withheld_row_opens_to_nothing() -> None:
    salt = salt_of(KEY, 9)
    verify_opening(leaf(ref(1), 9, sha256(salt).digest(), outcome=0x11), salt, b"")


# --- JSON
GOOD = placed_json(Placed(3, leaf(ref(1)), (bytes(32),)))


@pytest.mark.parametrize(
    "bad",
    [
        None, [], {}, GOOD | {"more": 1}, GOOD | {"index": True}, GOOD | {"index": 1.0}, GOOD | {"index": "3"}, GOOD | {"path": "x"}, GOOD | {"path": [1]},
        GOOD | {"leaf": None}, GOOD | {"leaf": GOOD["leaf"] + "\n"}, GOOD | {"leaf": "é"}, GOOD | {"path": [b64encode(bytes(32)).decode()[:-2] + "B="]},
    ],
)  # fmt: skip
def test_json_of_another_form_is_refused(bad: Any) -> None:
    with pytest.raises(NotVerified):
        read_placed(bad)
    if bad is not None:
        with pytest.raises(NotVerified):
            read_presence({"after": bad, "before": None, "leaves": []})


@pytest.mark.parametrize("bad", [None, {}, {"after": None, "before": None}, {"after": None, "before": None, "leaves": {}}, {"after": None, "before": None, "leaves": [], "x": 1}])
def test_a_presence_of_another_form_is_refused(bad: Any) -> None:
    with pytest.raises(NotVerified):
        read_presence(bad)


# --- a real exchange
def test_a_recorded_exchange_proves_who_is_in_it_and_opens_each_record(town: Town) -> None:
    name, _ = town.exchange(town.csv(town.rows(n=300, mess=0.05)))
    manifest = json.loads(town.row(name).manifest or b"")
    exchange, size, root_ = bytes.fromhex(name), manifest["records"]["leaves"], bytes.fromhex(manifest["records"]["root"])
    envelope = io.BytesIO((town.row(name).header or b"") + town.office.folders.outbox(name).read_bytes())
    opener = open_envelope(envelope, town.province.ring(SIAPKERJA).get(KemKey, "kem"))
    lines = iter((opener.update(envelope.read()) + opener.finish()).splitlines(keepends=True))
    with town.office.ledger.database.read() as tx:
        proved = leaf_tree(tx, name, size)
        leaves = [proved.placed(i) for i in range(size)]
        for sequence in range(manifest["records"]["rows"]):
            found = proved.of_sequence(sequence)
            assert found == [placed for placed in leaves if placed.sequence == sequence]
            line = next(lines) if found[0].outcome == 0 else b""
            for placed in found:
                verify_placed(exchange, size, root_, placed)
                verify_opening(placed.leaf, salt_of(opener.extra, sequence), line)
        assert next(lines, None) is None
        for who in (leaves[0].ref, leaves[137].ref, bytes(16), bytes([255] * 16)):
            presence = proved.presence(who)
            verify_presence(exchange, who, size, root_, presence)
            assert [p.index for p in presence.leaves] == [p.index for p in leaves if p.ref == who]


def test_leaves_that_are_dropped_prove_nothing(town: Town) -> None:
    """What a retention run leaves of a segment: its tiles alone."""
    name, _ = town.exchange(town.csv(town.rows()))
    with closing(sqlite3.connect(town.home / "ledger.db")) as c, c:
        c.execute("UPDATE segment SET rows = x'', low = x'', high = x''")
    with town.office.ledger.database.read() as tx:
        proved = leaf_tree(tx, name, 20)
        for ask in (lambda: proved.placed(0), lambda: proved.presence(bytes(16)), lambda: proved.of_sequence(0)):
            with pytest.raises(LedgerError):
                ask()


def test_the_page_names_the_fields_of_a_proof() -> None:
    presence = presence_json(stored(tree_of([1, 2, 3])).presence(ref(2)))
    assert [row[0] for row in table("proof.md", "field")] == ["before", "leaves", "after"]
    assert set(presence) == {"before", "leaves", "after"}
    assert [row[0] for row in table("proof.md", "field of a leaf")] == list(presence["leaves"][0])
