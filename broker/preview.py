"""What would leave: steps 2–7 of the flow on an officer's sealed draft, recording nothing and letting nothing out.

A sender must not learn the token of a value of their choosing: pseudonyms here come from a throw-away root, so they are examples. A file is read
once, in the background; what is shown of it lives in memory alone, as long as its draft can be sent.
"""

from __future__ import annotations

import json
import os
import threading
from collections import defaultdict
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from broker.contract.parse import CHUNK_BYTES
from broker.detection import detect
from broker.errors import Refusal
from broker.exchange import FAULTS, decide, desk_of, good_enough, plan_sha256, report_of
from broker.keys import KemKey
from broker.keys.tags import FIRST, Tags
from broker.ledger.manifest import WITHHELD_PROFILE
from broker.model import Level, utc_text
from broker.rows import Tally, treat_chunk
from broker.store import DRAFT_LIFE
from broker.submission import Opened, Submission, asked_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from broker.contract.parse import Chunk
    from broker.exchange import Decided
    from broker.model import Column, Finding, Rule
    from broker.office import Office
    from broker.rows import Desk
    from broker.store import Sending

SHOWN: Final = 10  # rows, and texts, shown before and after
AT_ONCE: Final = 2  # files being read
EPOCH: Final = 0  # of no root: an example's token says p0


@dataclass(frozen=True, slots=True)
class Seen:
    """What becomes of a column in the rows of one treatment. wanted: the policy's level; level: what the column can do of it. rows: `umum`, or the class."""

    rows: str
    wanted: Level
    level: Level
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of one's own, number from 1 below the header. before: its cells by column. after: the same as they would leave; None: withheld."""

    number: int
    before: Mapping[str, str | None]
    after: Mapping[str, str | None] | None


@dataclass(frozen=True, slots=True)
class Text:
    """A note in which something was found: its parts in order, each with its kind where it is a finding, and the note as it would leave."""

    row: int
    column: str
    parts: tuple[tuple[str, str], ...]
    after: str | None


@dataclass(frozen=True, slots=True)
class Preview:
    """columns: by column in the template's order, a Seen per treatment that the file's rows have. report: as a sender is told. refusal: why it would not leave."""

    decided: Decided
    plan_sha256: str
    columns: tuple[tuple[Column, tuple[Seen, ...]], ...]
    rows: tuple[Row, ...]
    texts: tuple[Text, ...]
    report: Mapping[str, object]
    refusal: Refusal | None


@dataclass(frozen=True, slots=True)
class _Made:
    """A preview made or in the making. tally: counts as it goes."""

    draft: Sending
    plan: str
    tally: Tally
    future: Future[Preview]


class Previews:
    """The previews of live drafts: each made once for the levels that hold, by a thread of its own, `AT_ONCE` at a time and one of an officer."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._turn, self._lock = threading.BoundedSemaphore(AT_ONCE), threading.Lock()
        self._made: dict[str, _Made] = {}
        self._officers: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)  # their large files keep nobody else waiting

    def of(self, draft: Sending, now: datetime, wait: float) -> Preview | int:
        """The draft's preview, or after `wait` seconds how many rows were read so far. Refusal where nothing can be said of any row, as of steps 2 and 3."""
        decided = decide(self._office, asked_in(draft, draft.basis), now)
        plan = plan_sha256(decided.plan)
        with self._lock:
            for name in [name for name, one in self._made.items() if one.draft.created <= utc_text(now - DRAFT_LIFE)]:
                del self._made[name]
            made = self._made.get(draft.id)
            if made is None or made.plan != plan:
                made = self._made[draft.id] = _Made(draft, plan, Tally(), Future())
                threading.Thread(target=self._make, args=(made, decided, self._officers[draft.person]), name="preview", daemon=True).start()
        try:
            return made.future.result(wait)
        except TimeoutError:
            return made.tally.rows
        except Refusal:
            self.forget(draft.id)  # the next look tries again
            raise

    def forget(self, name: str) -> None:
        """Of a draft that was sent or thrown away."""
        with self._lock:
            self._made.pop(name, None)

    def _make(self, made: _Made, decided: Decided, own: threading.Lock) -> None:
        with own, self._turn:
            try:
                made.future.set_result(preview(self._office, made.draft, decided, made.tally))
            except Refusal as refusal:
                made.future.set_exception(refusal)
            except BaseException:  # noqa: BLE001 - whatever failed: its text could quote cells
                made.future.set_exception(Refusal("pengolahan"))


def preview(office: Office, draft: Sending, decided: Decided, tally: Tally) -> Preview:
    """The preview of a draft; `tally` counts its rows. Refusal penyimpanan. A file that is not what its template says is a preview with a refusal and the
    rows before the fault.
    """
    submission = Submission(asked_in(draft, draft.basis), draft.envelope_sha256, "", "", draft.person)
    tags = Tags({FIRST: os.urandom(32)}, FIRST)
    desk = desk_of(office, decided, os.urandom(32), EPOCH, os.urandom(32), tags)
    look, refusal = _Look(desk), None
    try:
        with office.folders.draft(draft.id).open("rb") as sealed:
            opened = Opened(sealed, submission, decided.terms, office.rings[draft.agreement].all(KemKey, "kem"))
            for chunk in opened.chunks(draft.content_type, decided.contract, CHUNK_BYTES):
                if not os.fstat(sealed.fileno()).st_nlink:  # thrown away meanwhile: nobody looks any more
                    raise FileNotFoundError
                lines, leaves = treat_chunk(chunk, desk, tally)
                look.at(chunk, lines, leaves.profiles)
            opened.check_digest()
        good_enough(tally, decided.terms.agreement)
    except Refusal as found:
        refusal = found
    except OSError:
        raise Refusal("penyimpanan") from None
    except FAULTS:
        refusal = Refusal("pengolahan")  # its text could quote cells
    unique = tally.unique_permille()
    return Preview(decided, plan_sha256(decided.plan), _columns(decided, desk, look.profiles), tuple(look.rows), tuple(look.texts), report_of(tally, 0, unique, decided.terms.warnings), refusal)


class _Look:
    """Keeps the first rows and the first notes with findings of a file that goes by."""

    def __init__(self, desk: Desk) -> None:
        self._texts = tuple(dict.fromkeys(name for name, _ in desk.treatment.texts))
        self.rows: list[Row] = []
        self.texts: list[Text] = []
        self.profiles: set[int] = set()

    def at(self, chunk: Chunk, lines: Sequence[bytes], profiles: NDArray[np.uint16]) -> None:
        self.profiles |= set(np.unique(profiles).tolist()) - {WITHHELD_PROFILE}
        for at, before in enumerate(chunk.frame.head(max(0, SHOWN - len(self.rows))).iter_rows(named=True)):
            self.rows.append(Row(chunk.first + at, before, json.loads(lines[at]) if lines[at] else None))
        if self._texts and len(self.texts) < SHOWN:
            self._look(chunk, lines)

    def _look(self, chunk: Chunk, lines: Sequence[bytes]) -> None:
        columns = [(name, chunk.frame.get_column(name).to_list()) for name in self._texts]
        for at, line in enumerate(lines):
            after = json.loads(line) if line else {}
            for name, texts in columns:
                if line and texts[at] is not None and after[name] != texts[at]:
                    self.texts.append(Text(chunk.first + at, name, parts(texts[at], detect([texts[at]])[0]), after[name]))
                    if len(self.texts) == SHOWN:
                        return


def parts(text: str, findings: Sequence[Finding]) -> tuple[tuple[str, str], ...]:
    """The text cut at its findings: (piece, kind), the kind empty between two of them."""
    kinds = {(f.start, f.end): f.kind for f in findings}
    cuts = sorted({0, len(text), *(end for span in kinds for end in span)})
    return tuple((text[start:end], kinds.get((start, end), "")) for start, end in pairwise(cuts))


def _columns(decided: Decided, desk: Desk, found: set[int]) -> tuple[tuple[Column, tuple[Seen, ...]], ...]:
    """A column is told of each treatment that the rows have; of the first, that of rows without a flag, where there is no row."""
    profiles, plan = desk.profiles, decided.plan
    classes = [(profile, profiles.of_class.index(profile)) for profile in sorted(found or {0})]
    told = []
    for i, column in enumerate(decided.contract.columns):
        seen = [Seen(profiles.names[p], Level(plan.levels[n][i]), Level(profiles.levels[p][i]), plan.rules[n, column.name]) for p, n in classes]
        told.append((column, tuple(one for at, one in enumerate(seen) if not at or (one.level, one.rules) != (seen[0].level, seen[0].rules))))
    return tuple(told)
