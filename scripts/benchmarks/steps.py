"""Time per step of the flow, without changing the product: its named functions are wrapped while `Steps.watching()` is open.

A step's time excludes the wrapped steps it calls. CPU is the whole process's, Polars threads included. Wrapping costs about a microsecond
per call, so speed is never measured here.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

# step → where its work is done; a step may have several places.
PLACES: Final = (
    ("agree, decide", "broker.exchange:agree"),
    ("agree, decide", "broker.exchange:desk_of"),
    ("agree, decide", "broker.policy:Policy.plan"),
    ("statement", "broker.exchange:read_statement"),
    ("open", "broker.submission:Opened._pieces"),
    ("open", "broker.submission:Opened.__init__"),
    ("parse", "broker.submission:read_csv"),
    ("validate", "broker.contract.validate:Validator.check"),
    ("detect", "broker.detection:Misplaced.search"),
    ("flags", "broker.rows:row_classes"),
    ("treat", "broker.treatment:Treatment.apply"),
    ("pseudonyms", "broker.treatment.treat:pseudonym_tokens"),
    ("lines", "polars:DataFrame.write_ndjson"),
    ("commit", "broker.rows:commitments_to"),
    ("salts", "broker.rows:Salts.next"),
    ("count", "broker.rows:_count"),
    ("count", "broker.rows:Tally.unique_permille"),
    ("subjects", "broker.rows:_leaves"),
    ("rows, else", "broker.exchange:treat_chunk"),
    ("gather leaves", "broker.ledger.leaves:LeafGatherer.add"),
    ("seal", "broker.exchange:seal"),
    ("seal", "broker.envelope:Sealer.update"),
    ("seal", "broker.envelope:Sealer.finish"),
    ("outbox", "broker.delivery:DurableWriter.write"),
    ("outbox", "broker.delivery:DurableWriter.commit"),
    ("sort leaves", "broker.ledger.leaves:LeafGatherer.segments"),
    ("tree", "broker.ledger.leaves:LeafGatherer._segment"),
    ("vault", "broker.store.vault:Vault.ids"),
    ("vault", "broker.store.vault:Vault.__exit__"),
    ("store leaves", "broker.store.database:Transaction.add_segment"),
    ("manifest, sign", "broker.exchange:manifest_json"),
    ("manifest, sign", "broker.exchange:sign_dsse"),
    ("record", "broker.record:Ledger.record"),
)  # fmt: skip


class Steps:
    """Seconds by step: `cpu`, `wall`. `not_found`: places that the product no longer has; their time is in the step around them."""

    current: Steps | None = None

    def __init__(self) -> None:
        self.cpu: dict[str, float] = {}
        self.wall: dict[str, float] = {}
        self.not_found: list[str] = []
        self._open: list[str] = []
        self._since = (0.0, 0.0)

    def _switch(self) -> None:
        """Books the time since the last switch to the innermost open step."""
        now = (time.process_time(), time.perf_counter())
        if self._open:
            name = self._open[-1]
            self.cpu[name] = self.cpu.get(name, 0.0) + now[0] - self._since[0]
            self.wall[name] = self.wall.get(name, 0.0) + now[1] - self._since[1]
        self._since = now

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        self._switch()
        # One writer class serves spool and outbox: at the door its work is spooling.
        self._open.append("spool" if self._open == ["spool"] else name)
        try:
            yield
        finally:
            self._switch()
            self._open.pop()

    @classmethod
    @contextmanager
    def watching(cls) -> Iterator[Steps]:
        steps, undo = cls(), []
        cls.current = steps
        for name, place in PLACES:
            found = find(place)
            if found is None:
                steps.not_found.append(place)
                continue
            owner, attribute, raw = found
            undo.append((owner, attribute, raw))
            setattr(owner, attribute, _wrapped(raw, name, steps))
        try:
            yield steps
        finally:
            for owner, attribute, raw in reversed(undo):
                setattr(owner, attribute, raw)
            cls.current = None


@contextmanager
def step(name: str) -> Iterator[None]:
    """A step of the bench itself; costs nothing to speak of while nobody watches."""
    if Steps.current is None:
        yield
        return
    with Steps.current.step(name):
        yield


def find(place: str) -> tuple[Any, str, Any] | None:
    module, _, path = place.partition(":")
    *owners, attribute = path.split(".")
    owner: Any = importlib.import_module(module)
    for part in owners:
        owner = getattr(owner, part, None)
    try:
        return owner, attribute, inspect.getattr_static(owner, attribute)
    except AttributeError:
        return None


def _wrapped(raw: Any, name: str, steps: Steps) -> Any:
    if isinstance(raw, classmethod):
        return classmethod(_wrapped(raw.__func__, name, steps))

    @functools.wraps(raw)
    def timed(*args: Any, **kwargs: Any) -> Any:
        with steps.step(name):
            value = raw(*args, **kwargs)
        return _timed_iterator(value, name, steps) if inspect.isgenerator(value) else value

    return timed


def _timed_iterator(values: Iterator[Any], name: str, steps: Steps) -> Iterator[Any]:
    """A generator works while it is asked, so each asking is timed."""
    end = object()
    while True:
        with steps.step(name):
            value = next(values, end)
        if value is end:
            return
        yield value


