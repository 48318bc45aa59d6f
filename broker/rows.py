"""Steps 5–7 on one chunk: validate, detect, treat. Values in, values out; row-local, so that chunking never changes what leaves.

Salt and sequence belong to the original row: row i of the submission has sequence i (from 0) and salt block i, released or not.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from broker.contract.flags import flags_of, raised, row_classes
from broker.contract.validate import typed
from broker.detection import Misplaced
from broker.freetext import clean_cells, clean_texts
from broker.ledger.manifest import OUTCOMES, WITHHELD_PROFILE, outcome_code
from broker.treatment import cleaned

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from broker.contract.parse import Chunk
    from broker.contract.validate import Checked, Validator
    from broker.keys.tags import Tags
    from broker.model import Column, Contract
    from broker.treatment import Profiles, Treatment

WRITE_ROWS: Final = 2_048  # rows written as JSON, and sealed, at a time: about 2 MB stay in the processor's cache
MAX_REPORTED: Final = 1_000  # rows named one by one in a quality report; counts are always complete


class Salts:
    """Salt i = block i of AES-256-CTR under the exchange's salt key; rows must be asked for in order."""

    def __init__(self, key: bytes) -> None:
        self._stream = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()

    def next(self, n: int) -> bytes:
        return self._stream.update(bytes(16 * n))


@dataclass(frozen=True, slots=True)
class Desk:
    """What one exchange needs to treat its chunks."""

    contract: Contract
    validator: Validator
    profiles: Profiles
    treatment: Treatment
    searched: tuple[str, ...]
    quasi: tuple[str, ...]
    tags: Tags
    salts: Salts
    day: date


@dataclass(frozen=True, slots=True)
class Leaves:
    """One entry per (row, person), in row order; arrays as `LeafGatherer.add` takes them."""

    tags: NDArray[np.uint8]
    person: NDArray[np.bool_]
    commitments: NDArray[np.uint8]
    profiles: NDArray[np.uint16]
    outcomes: NDArray[np.uint8]
    sequence: NDArray[np.uint32]


@dataclass(slots=True)
class Tally:
    """What the quality report and the manifest count over a whole exchange."""

    rows: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    rules: dict[str, int] = field(default_factory=dict)
    named: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)  # row number from 1, rule ids
    quasi: list[NDArray[np.uint64]] = field(default_factory=list)

    @property
    def released(self) -> int:
        return self.outcomes.get("terkirim", 0)

    def unique_permille(self) -> int:
        """Released rows alone in their combination of quasi-identifiers, per thousand."""
        if not self.quasi:
            return 0
        values = np.sort(np.concatenate(self.quasi))
        self.quasi = [values]
        same = values[1:] == values[:-1]
        alone = int((~(np.r_[False, same] | np.r_[same, False])).sum())
        return alone * 1000 // len(values) if len(values) else 0


def treat_chunk(chunk: Chunk, desk: Desk, tally: Tally) -> tuple[list[bytes], Leaves]:
    """The line of each row of `chunk` that may leave (empty: withheld), and a leaf for every row and person; adds to `tally`."""
    n = chunk.frame.height
    frame = typed(chunk.frame, desk.contract)
    checked = desk.validator.check(frame)  # 5 validate
    outcomes = np.full(n, outcome_code("terkirim"), np.uint8)
    outcomes[checked.bad_rows.to_numpy()] = outcome_code("ditahan_aturan")
    outcomes[_foreign(checked)] = outcome_code("ditahan_asal")
    misplaced = Misplaced.search(frame, desk.searched, pl.Series(outcomes == outcome_code("terkirim")))  # 6 detect
    outcomes[misplaced.failed.to_numpy()] = outcome_code("ditahan_deteksi")
    texts = clean_texts(frame, outcomes == outcome_code("terkirim"), desk.contract, desk.treatment, desk.profiles.flags)
    outcomes[texts.failed] = outcome_code("ditahan_deteksi")
    _count(tally, chunk, checked, misplaced, outcomes)
    for rule, count in texts.counts.items():
        tally.rules[rule] = tally.rules.get(rule, 0) + count

    good = outcomes == outcome_code("terkirim")
    of_class = np.array(desk.profiles.of_class, np.uint16)
    profile = of_class[row_classes(frame, desk.contract, desk.profiles.flags, desk.day).to_numpy() | texts.flags]
    profile[~good] = WITHHELD_PROFILE
    frame = clean_cells(frame, misplaced.cells).hstack(texts.columns)
    lines = _lines(frame, profile, desk, tally)  # 7 treat
    commitments = commitments_to(desk.salts.next(n), lines)
    return lines, _leaves(frame, desk, checked, commitments, profile, outcomes, chunk.first - 1)


def _lines(frame: pl.DataFrame, profile: NDArray[np.uint16], desk: Desk, tally: Tally) -> list[bytes]:
    """The released line of each row, with its LF, in row order; an empty one for a withheld row.

    Each profile is treated as a frame of its own, then its lines fall back into place: a `when` per cell would cost more than the whole.
    """
    kept = frame[[*desk.profiles.released, *(cleaned(*text) for text in desk.treatment.texts)]]  # before the filter, which copies every column it is given
    parts: dict[int, io.BytesIO] = {}
    for p in np.unique(profile).tolist():
        parts[p] = io.BytesIO()
        if p == WITHHELD_PROFILE:
            continue
        mine = profile == p
        released = desk.treatment.apply(kept if mine.all() else kept.filter(pl.Series(mine)), p)
        if any(dtype != pl.String for dtype in released.dtypes):
            raise TypeError("only text may reach the released line")  # write_ndjson is canonical JSON for text alone
        for start in range(0, released.height, WRITE_ROWS):
            released.slice(start, WRITE_ROWS).write_ndjson(parts[p])
        parts[p].seek(0)
        if desk.quasi:
            hashes = pl.sum_horizontal(pl.col(c).hash(i) for i, c in enumerate(desk.quasi))
            tally.quasi.append(released.select(hashes.alias("h")).get_column("h").to_numpy())
    if len(parts) == 1:
        lines = list(*parts.values()) or [b""] * frame.height
    else:
        # An exhausted part gives b"": right for a withheld row, caught below for any other.
        readers = {p: part.readline for p, part in parts.items()}
        lines = [readers[p]() for p in profile.tolist()]
    if len(lines) != frame.height or any(part.readline() for part in parts.values()) or lines.count(b"") != int((profile == WITHHELD_PROFILE).sum()):
        raise ValueError("lines and released rows differ")
    return lines


def commitments_to(salts: bytes, lines: list[bytes]) -> NDArray[np.uint8]:
    """SHA-256(salt ‖ released line with its LF); of a withheld row, SHA-256(salt)."""
    digests = b"".join([sha256(salts[i : i + 16] + line).digest() for i, line in zip(range(0, len(salts), 16), lines, strict=True)])
    return np.frombuffer(digests, np.uint8).reshape(-1, 32)


def _foreign(checked: Checked) -> NDArray[np.uint32]:
    names = [name for name in checked.rules.columns if name.endswith(".asal") or name in ("kode_kesepakatan.wajib", "pihak_asal.wajib")]
    if not names:
        return np.empty(0, np.uint32)
    broken = checked.rules.select(pl.any_horizontal(names).alias("b")).get_column("b")
    return checked.bad_rows.filter(broken).to_numpy()


def _count(tally: Tally, chunk: Chunk, checked: Checked, misplaced: Misplaced, outcomes: NDArray[np.uint8]) -> None:
    tally.rows += chunk.frame.height
    codes = dict(zip(*(a.tolist() for a in np.unique(outcomes, return_counts=True)), strict=True))
    for word, code in OUTCOMES.items():
        tally.outcomes[word] = tally.outcomes.get(word, 0) + codes.get(code, 0)
    if len(checked.bad_rows):
        sums = checked.rules.sum().row(0, named=True)
        for rule, count in sums.items():
            if count:
                tally.rules[rule] = tally.rules.get(rule, 0) + int(count)
    elsewhere = sorted({row for cells in misplaced.cells.values() for row in cells})
    if elsewhere:
        tally.rules["salah_tempat"] = tally.rules.get("salah_tempat", 0) + len(elsewhere)
        for rule, count in misplaced.counts.items():
            tally.rules[f"{rule}.salah_tempat"] = tally.rules.get(f"{rule}.salah_tempat", 0) + count
    if len(tally.named) < MAX_REPORTED:
        named = {int(p): tuple(r for r, broken in zip(checked.rules.columns, row, strict=True) if broken) for p, row in zip(checked.bad_rows.head(MAX_REPORTED), checked.rules.head(MAX_REPORTED).iter_rows(), strict=True)}
        named |= dict.fromkeys(elsewhere, ("salah_tempat",))
        named |= dict.fromkeys(np.flatnonzero(outcomes == outcome_code("ditahan_deteksi")).tolist(), ("deteksi",))
        # By row number before the cut: which rows are named must not depend on the chunks.
        tally.named.extend((chunk.first + p, named[p]) for p in sorted(named)[: MAX_REPORTED - len(tally.named)])


def _leaves(
    frame: pl.DataFrame, desk: Desk, checked: Checked, commitments: NDArray[np.uint8], profile: NDArray[np.uint16], outcomes: NDArray[np.uint8], start: int
) -> Leaves:
    """A leaf for each person column that names a valid person; a row that names none gets one for its record."""
    n = frame.height
    rows, tags = [], []
    named = np.zeros(n, np.bool_)
    for column in desk.contract.columns:
        if column.subject is None:
            continue
        who = _who(frame, desk, column, checked)
        at = np.flatnonzero(who)
        if len(at):
            values = frame.get_column(column.name)
            rows.append(at)
            tags.append(desk.tags.people(canonical_subject(values if len(at) == n else values.filter(pl.Series(who)), column.kind)))
            named |= who
    people = sum(map(len, rows))
    nobody = np.flatnonzero(~named)
    if len(nobody):
        rows.append(nobody)
        record = frame.get_column(desk.contract.fallback).gather(nobody)
        sequence = pl.Series([f"baris:{start + i}" for i in nobody.tolist()], dtype=pl.String)
        tags.append(desk.tags.records(_record_names(record, sequence)))
    row = np.concatenate(rows)
    tag = np.concatenate(tags)
    person = np.arange(len(row)) < people
    if len(rows) > 1:
        order = np.argsort(row, kind="stable")
        row, tag, person = row[order], tag[order], person[order]
    return Leaves(tag, person, commitments[row], profile[row], outcomes[row], (start + row).astype(np.uint32))


def _record_names(record: pl.Series, sequence: pl.Series) -> pl.Series:
    return pl.select(pl.coalesce(pl.lit("rekaman:") + pl.lit(record), pl.lit(sequence)).alias("name")).get_column("name")


def canonical_subject(values: pl.Series, kind: str) -> pl.Series:
    """The text a person's tag is made of: the 16 digits of a NIK (a person's NPWP is the NIK), `paspor:` and the number otherwise."""
    return values if kind in ("nik", "npwp") else pl.select((pl.lit("paspor:") + pl.lit(values)).alias("p")).get_column("p")


def _who(frame: pl.DataFrame, desk: Desk, column: Column, checked: Checked) -> NDArray[np.bool_]:
    who = frame.get_column(column.name).is_not_null().to_numpy().copy()
    if column.subject == "perorangan":
        sources = [raised(c, desk.day).fill_null(value=False) for c in desk.contract.columns if "perorangan" in flags_of(c)]
        who &= frame.select(pl.any_horizontal(sources).alias("p")).get_column("p").to_numpy()
    broken = [name for name in checked.rules.columns if name.startswith(f"{column.name}.")]
    if broken and len(checked.bad_rows):
        invalid = checked.rules.select(pl.any_horizontal(broken).alias("b")).get_column("b")
        who[checked.bad_rows.filter(invalid).to_numpy()] = False
    return who
