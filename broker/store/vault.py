"""Who is who, per agreement: keyed person tags → vault ids, kept as sorted runs of pages.

A row per person in a B-tree costs 4 µs to find or to insert; a page of 1,024 is found once for all who stand in it. The people new to an
exchange become a run of their own; small runs are merged, so that there are never many. Only ever used inside one write transaction.
"""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Self

import numpy as np

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from types import TracebackType

    from numpy.typing import NDArray

TAG: Final = 16  # bytes of a tag and of an id
PAGE: Final = 1024  # people
MERGED: Final = 1 << 17  # people in the largest run that merging makes: 4 MB


class Vault:
    """One agreement's vault in a transaction. Ask for `ids` in ascending order of tags; leaving the `with` writes the people who were new.

    hashes, salts: of those people, by ascending tag: SHA-256(salt ‖ tag ‖ id), 32 bytes each, and the random salts, 16 each.
    """

    def __init__(self, cursor: sqlite3.Cursor, agreement: str) -> None:
        self._cursor, self._agreement = cursor, agreement
        found = cursor.execute("SELECT run, page, low, high FROM vault WHERE agreement = ? ORDER BY run, page", (agreement,)).fetchall()
        self._pages = [(run, page) for run, page, _, _ in found]
        self._low = np.array([low for _, _, low, _ in found], f"S{TAG}")
        self._high = np.array([high for _, _, _, high in found], f"S{TAG}")
        self._run = found[-1][0] + 1 if found else 0
        self._written = 0
        self._new = np.empty((0, 2 * TAG), np.uint8)
        self.hashes, self.salts = bytearray(), bytearray()

    def ids(self, tags: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Vault ids of sorted unique tags; a person not yet known gets a random one. Both uint8 (n, 16)."""
        keys, new = _keys(tags), np.ones(len(tags), np.bool_)
        ids = np.frombuffer(os.urandom(TAG * len(tags)), np.uint8).reshape(-1, TAG).copy()
        first, last = keys.searchsorted(self._low), keys.searchsorted(self._high, "right")
        for at in np.flatnonzero(last > first).tolist():
            stored = self._page(*self._pages[at])
            known = _keys(stored[:, :TAG])
            asked = slice(int(first[at]), int(last[at]))
            place = known.searchsorted(keys[asked])  # none is above the page's highest
            here = known[place] == keys[asked]
            ids[asked][here] = stored[place[here], TAG:]
            new[asked][here] = False
        people = np.concatenate([tags[new], ids[new]], axis=1)
        self._commit(people)
        self._new = np.concatenate([self._new, people])
        self._write(len(self._new) // PAGE * PAGE)
        return ids

    def find(self, tag: bytes) -> bytes | None:
        """The id of one person, if the vault knows them."""
        for at in self._around(tag):
            people = self._page(*self._pages[at])
            place = np.flatnonzero(_keys(people[:, :TAG]) == _key(tag))
            if len(place):
                return bytes(people[place[0], TAG:])
        return None

    def forget(self, tag: bytes) -> bytes | None:
        """Deletes one person's row; the id that nothing leads to any more. None if the vault does not know them."""
        for at in self._around(tag):
            run, page = self._pages[at]
            people = self._page(run, page)
            here = _keys(people[:, :TAG]) == _key(tag)
            if here.any():
                left = people[~here]
                where = (self._agreement, run, page)
                self._cursor.execute("DELETE FROM vault WHERE agreement = ? AND run = ? AND page = ?", where)
                if len(left):
                    self._insert(run, page, left)
                return bytes(people[here][0, TAG:])
        return None

    def _around(self, tag: bytes) -> list[int]:
        """The pages whose bounds a tag is within: one of every run at most."""
        return np.flatnonzero((self._low <= _key(tag)) & (self._high >= _key(tag))).tolist()

    def _commit(self, people: NDArray[np.uint8]) -> None:
        salts = os.urandom(TAG * len(people))
        data = np.concatenate([np.frombuffer(salts, np.uint8).reshape(-1, TAG), people], axis=1).tobytes()
        self.hashes += b"".join([sha256(data[at : at + 3 * TAG]).digest() for at in range(0, len(data), 3 * TAG)])
        self.salts += salts

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self._write(len(self._new))
            if self._written:
                self._merge()

    def _page(self, run: int, page: int) -> NDArray[np.uint8]:
        (people,) = self._cursor.execute(
            "SELECT people FROM vault WHERE agreement = ? AND run = ? AND page = ?", (self._agreement, run, page)
        ).fetchone()
        return np.frombuffer(people, np.uint8).reshape(-1, 2 * TAG)

    def _write(self, count: int) -> None:
        for start in range(0, count, PAGE):
            self._insert(self._run, self._written, self._new[start : min(start + PAGE, count)])
            self._written += 1
        self._new = self._new[count:]

    def _insert(self, run: int, page: int, people: NDArray[np.uint8]) -> None:
        low, high = people[0, :TAG].tobytes(), people[-1, :TAG].tobytes()
        row = (self._agreement, run, page, low, high, people.tobytes())
        self._cursor.execute("INSERT INTO vault (agreement, run, page, low, high, people) VALUES (?, ?, ?, ?, ?, ?)", row)

    def _merge(self) -> None:
        """Joins the newest run with the one before it as long as that one is not larger: a run is twice the next, so there are few."""
        sizes = self._cursor.execute(
            "SELECT run, SUM(LENGTH(people)) FROM vault WHERE agreement = ? GROUP BY run ORDER BY run", (self._agreement,)
        ).fetchall()
        people, (newest, total) = [], sizes.pop()
        runs = [newest]
        while sizes and sizes[-1][1] <= total and total + sizes[-1][1] <= MERGED * 2 * TAG:
            run, size = sizes.pop()
            runs.append(run)
            total += size
        if len(runs) == 1:
            return
        for run in runs:
            where = "FROM vault WHERE agreement = ? AND run = ?"
            pages = self._cursor.execute(f"SELECT people {where} ORDER BY page", (self._agreement, run)).fetchall()
            people.append(np.frombuffer(b"".join(page for (page,) in pages), np.uint8).reshape(-1, 2 * TAG))
            self._cursor.execute(f"DELETE {where}", (self._agreement, run))
        self._rewrite(np.concatenate(people), runs[-1])

    def retag(self, made: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> None:
        """Gives everyone the tag that `made` makes of theirs, both uint8 (n, 16), no two alike; ids stay. All are one run afterwards. Nothing else is asked of this object."""
        mine = "FROM vault WHERE agreement = ?"
        pages = self._cursor.execute(f"SELECT people {mine}", (self._agreement,)).fetchall()
        people = np.frombuffer(bytearray().join(page for (page,) in pages), np.uint8).reshape(-1, 2 * TAG)
        people[:, :TAG] = made(people[:, :TAG])
        self._cursor.execute(f"DELETE {mine}", (self._agreement,))
        self._rewrite(people, 0)

    def _rewrite(self, people: NDArray[np.uint8], run: int) -> None:
        """Writes people in whatever order as a run that has no page yet."""
        self._new, self._run, self._written = people[np.argsort(_keys(people[:, :TAG]))], run, 0
        self._write(len(people))


def _keys(tags: NDArray[np.uint8]) -> NDArray[np.bytes_]:
    """uint8 (n, 16) as n byte strings, which order and compare as the bytes do (all are 16 long, so trailing zeros tell nothing apart)."""
    return np.ascontiguousarray(tags).view(f"S{TAG}").reshape(-1)


def _key(tag: bytes) -> np.bytes_:
    return np.frombuffer(tag, f"S{TAG}")[0]  # type: ignore[no-any-return]
