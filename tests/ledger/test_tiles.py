"""A log's static files: one path each, one content each, nothing before its time."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.errors import NotVerified
from broker.ledger import LogTree, leaf_hash
from broker.ledger.tiles import ENTRIES, Tile, bundle, bundles_between, hashes, in_log, read_bundle, read_tile, tiles_between
from tests.ledger.naive import mth

if TYPE_CHECKING:
    from tests.ledger.conftest import Signed

QUICK = settings(deadline=None, derandomize=True, max_examples=100)
LEAVES = [sha256(bytes([i % 251, i >> 8])).digest() for i in range(1100)]


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 999, 1), "tile/0/999.p/1"),
        (Tile(1, 1000), "tile/1/x001/000"),
        (Tile(63, 1_234_067, 255), "tile/63/x001/x234/067.p/255"),
        (Tile(ENTRIES, 0, 16), "tile/entries/000.p/16"),
        (Tile(ENTRIES, 67_000), "tile/entries/x067/000"),
    ],
)
def test_a_tile_has_the_path_of_the_specification(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert read_tile(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "", "tile", "tile/0", "tile/0/", "tile/0/0", "tile/0/00", "tile/0/0000", "tile/00/000", "tile/64/000", "tile/100/000", "tile/-1/000", "tile/x/000", "/tile/0/000",
        "tile/0/000/", "tile/0/x000/000", "tile/0/x001/x234/67", "tile/0/001/234", "tile/0/x001", "tile/0/000.p", "tile/0/000.p/", "tile/0/000.p/0", "tile/0/000.p/256",
        "tile/0/000.p/01", "tile/0/000.p/999", "tile/0/000.p/1/1", "tile/entries", "tile/entries/x000/001", "tile/Entries/000", "tile/0/000\n", "tile/0/٠٠٠", "tile/0/../000",
        "tile/0/" + "x999/" * 7 + "999",
    ],
)  # fmt: skip
def test_no_other_path_is_a_tile(path: str) -> None:
    with pytest.raises(ValueError, match="not a tile's path"):
        read_tile(path)


@QUICK
@given(st.integers(-1, 63), st.integers(0, 10**18), st.integers(1, 256))
def test_every_tile_is_read_from_its_path(level: int, index: int, width: int) -> None:
    assert read_tile(Tile(level, index, width).path) == Tile(level, index, width)


def test_a_log_of_the_specifications_example_has_its_tiles(signed: Signed) -> None:
    """273 full tiles of level 0 and one of width 112; one full of level 1 and one of 17; one of level 2 of width 1."""
    tiles = list(tiles_between(0, 70_000))
    assert [(t.level, t.width) for t in tiles] == [(0, 256)] * 273 + [(0, 112), (1, 256), (1, 17), (2, 1)]
    tree = signed.tree(70_000)
    leaves = list(map(leaf_hash, signed.entries))
    (top,) = (hashes(tree, t) for t in tiles if t.level == 2)
    assert top == mth(leaves[:65_536])
    assert hashes(tree, Tile(1, 1, 17)) == b"".join(mth(leaves[i : i + 256]) for i in range(65_536, 65_536 + 17 * 256, 256))
    assert hashes(tree, Tile(0, 273, 112)) == b"".join(leaves[273 * 256 :])


def test_256_entries_are_one_full_tile_and_one_hash_above() -> None:
    assert list(tiles_between(0, 256)) == [Tile(0, 0), Tile(1, 0, 1)]
    assert list(tiles_between(0, 0)) == []
    assert list(bundles_between(0, 0)) == []


@pytest.mark.parametrize("size", [1, 255, 256, 257, 512, 1000])
def test_no_tile_is_there_before_the_log_has_come_to_it(size: int) -> None:
    for tile in tiles_between(0, size):
        assert in_log(tile, size)
        assert not in_log(tile, tile.end * 256**tile.level - 1)
    for tile in (Tile(0, size // 256, size % 256 + 1), Tile(0, size // 256 + 1), Tile(1, 0, size // 256 + 1), Tile(2, 0, 1), Tile(63, 0, 1), Tile(ENTRIES, size // 256, size % 256 + 1)):
        assert not in_log(tile, size)
        assert not in_log(tile, 0)


@QUICK
@given(st.integers(0, 1100), st.integers(0, 1100), st.integers(0, 1100))
def test_a_copy_that_grows_step_by_step_is_the_copy_made_at_once(a: int, b: int, c: int) -> None:
    sizes = sorted((a, b, c))
    files: dict[str, bytes] = {}
    for old, new in zip([0, *sizes], sizes, strict=False):
        tree = LogTree(LEAVES[:new])
        for tile in tiles_between(old, new):
            assert len(hashes(tree, tile)) == 32 * tile.width
            files[tile.path] = hashes(tree, tile)
    tree = LogTree(LEAVES[: sizes[-1]])
    for tile in tiles_between(0, sizes[-1]):
        assert files[tile.path] == hashes(tree, tile)
    shown = {i for tile in bundles_between(sizes[0], sizes[-1]) for i in range(tile.index * 256, tile.end)}
    assert shown >= set(range(sizes[0], sizes[-1]))
    assert not shown or max(shown) == sizes[-1] - 1


@QUICK
@given(st.lists(st.binary(max_size=20), max_size=256))
def test_a_bundle_gives_back_its_entries_and_no_other_bytes_are_a_bundle(entries: list[bytes]) -> None:
    data = bundle(entries)
    assert read_bundle(data, len(entries)) == entries
    for wrong, width in ((data + b"\0", len(entries)), (data + b"\0\0", len(entries)), (data[:-1], len(entries)), (data, len(entries) + 1), (data, len(entries) - 1)):
        if (wrong, width) != (data, len(entries)):
            with pytest.raises(NotVerified):
                read_bundle(wrong, width)


def test_an_entry_of_the_largest_size_is_bundled() -> None:
    assert read_bundle(bundle([b"x" * 65_535]), 1) == [b"x" * 65_535]
    with pytest.raises(OverflowError):
        bundle([b"x" * 65_536])
