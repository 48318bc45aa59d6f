"""Takes accepted exchanges through steps 2–9 in the background, and does what a day asks of a broker."""

from __future__ import annotations

import logging
import os
import threading
import weakref
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as WaitTimeout
from typing import TYPE_CHECKING, Final

from broker.epochmap import due, map_epoch
from broker.errors import Held, LedgerError, Refusal, SinergiError
from broker.exchange import exchange, refuse
from broker.gates import not_held
from broker.lifecycle import judge_ahead, take_up_policy
from broker.rotation import catch_up, keep_fresh
from broker.upkeep import count_try, drop_drafts, is_plausible, retire, take_up
from broker.witnessing import Witnessing

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

    from broker.epochmap import Domain
    from broker.office import Office

TICK: Final = 60  # seconds between looks at what a passing fault left accepted
LOOK: Final = 0.5  # seconds between looks at which policy version is in force: one indexed row
log = logging.getLogger("sinergi")


class Worker:
    """Takes accepted exchanges through, one after another (SQLite has one writer). Owns its threads and the claim on the broker's home."""

    def __init__(self, office: Office, clock: Callable[[], datetime]) -> None:
        self._office, self._clock = office, clock
        self._release = weakref.finalize(self, os.close, office.folders.claim())
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="exchange")
        self._lock = threading.Lock()
        self._running: dict[str, Future[None]] = {}
        self._tidied: date | None = None
        self._ended = threading.Event()
        waiting = take_up(office, clock())
        self._begun = set(waiting)  # before this start: their next run counts as a try
        for name in waiting:
            self.submit(name)
        self._tidy()
        self._witnessing = Witnessing(office, clock)
        self._witnessing.start(self._revive)
        threading.Thread(target=self._tick, name="tick", daemon=True).start()
        threading.Thread(target=self._look, name="policy", daemon=True).start()

    @property
    def waiting(self) -> int:
        return len(self._running)

    def submit(self, name: str) -> None:
        """Queues an accepted exchange, once."""
        with self._lock:
            if name in self._running or self._ended.is_set():
                return
            self._running[name] = future = self._pool.submit(self._take, name)
        future.add_done_callback(lambda _: self._running.pop(name, None))

    def wait(self, name: str, seconds: int) -> None:
        """Until the exchange is through, or the time is up."""
        future = self._running.get(name)
        if future is not None:
            try:
                future.result(seconds)
            except WaitTimeout:
                return

    def _take(self, name: str) -> None:
        try:
            with self._office.ledger.database.read() as tx:
                row = tx.exchange(name)
                if row is None or row.state != "accepted":
                    return
                not_held(self._office, tx, self._clock(), row.agreement)  # before it counts: waiting is no try
            if name in self._begun:
                self._begun.discard(name)
                count_try(self._office, name)
            entry = exchange(self._office, name, self._clock())
            log.info("exchange recorded log=%s entry=%d", entry.log, entry.index)
        except Held:
            return  # it stays accepted: `_tick`, or the witnesses' next answer, submits it again
        except Refusal as refusal:
            log.info("exchange refused reason=%s", refusal.reason)
        except LedgerError:
            log.error("exchange stays accepted: the ledger is not durable")  # noqa: TRY400 - no trace: it could quote values
        except BaseException as error:  # noqa: BLE001 - the edge: whatever failed, nothing may leave, and it is recorded
            log.error("exchange failed error=%s", type(error).__name__)  # noqa: TRY400
            self._give_up(name)

    def _give_up(self, name: str) -> None:
        try:
            refuse(self._office, name, Refusal("pengolahan"), self._clock())
        except LedgerError:
            log.error("exchange stays as it is: it is recorded already, or the ledger is not durable")  # noqa: TRY400

    def _tick(self) -> None:
        while not self._ended.wait(TICK):
            self._tidy()
            self._catch_up()
            self._end_drafts()
            self._revive()
            self._queue_map()

    def _end_drafts(self) -> None:
        try:
            drop_drafts(self._office, self._clock())
        except (LedgerError, OSError) as error:
            log.error("drafts not ended error=%s", type(error).__name__)  # noqa: TRY400

    def _queue_map(self) -> None:
        with self._lock:
            if not self._ended.is_set():
                self._pool.submit(self._map)

    def _map(self) -> None:
        """Sends the maps of a root's rotation that are due; one that cannot go is tried again. On the exchanges' thread: none is recorded meanwhile."""
        try:
            for domain in due(self._office, self._clock()):
                self._map_one(domain)
        except Exception as error:  # noqa: BLE001 - the edge: all stay due
            log.error("token maps not looked at error=%s", type(error).__name__)  # noqa: TRY400

    def _map_one(self, domain: Domain) -> None:
        try:
            entry = map_epoch(self._office, domain, self._clock())
            log.info("token map recorded log=%s entry=%s", domain.agreement.id, entry.index if entry else "-")
        except (Held, Refusal) as refusal:
            log.info("token map waits log=%s recipient=%s reason=%s", domain.agreement.id, domain.recipient.id, getattr(refusal, "reason", "ditahan"))
        except Exception as error:  # noqa: BLE001 - the edge: it stays due, no other waits for it, and the text of a fault could quote cells
            log.error("token map failed log=%s recipient=%s error=%s", domain.agreement.id, domain.recipient.id, type(error).__name__)  # noqa: TRY400

    def _catch_up(self) -> None:
        try:
            if catch_up(self._office, self._clock()):
                log.warning("a ring's change is entered that the ledger had not taken")
        except (SinergiError, OSError) as error:
            log.error("a ring's change is not entered yet error=%s", type(error).__name__)  # noqa: TRY400

    def _revive(self) -> None:
        """Submits every accepted exchange that is not on its way."""
        try:
            with self._office.ledger.database.read() as tx:
                left = [row.id for row in tx.exchanges_in("accepted")]
        except LedgerError:
            return
        for name in left:
            self.submit(name)

    def _look(self) -> None:
        judged: object = None
        while not self._ended.wait(LOOK):
            try:
                take_up_policy(self._office)
                judged = judge_ahead(self._office, judged)
            except Exception as error:  # noqa: BLE001 - the edge: the old version decides on, and the next look may fare better
                log.error("policy not looked at error=%s", type(error).__name__)  # noqa: TRY400

    def _tidy(self) -> None:
        """Once a day: deletes the envelopes whose time is over."""
        today = self._clock().date()
        if self._tidied != today:
            try:
                self._tidied = today
                if not is_plausible(self._office, self._clock()):
                    log.critical("THE CLOCK JUMPED: nothing is deleted or rotated by its age today; set it, or wait a day if it is right")
                    return
                log.info("envelopes retired count=%d", retire(self._office, self._clock()))
                log.info("keys rotated or destroyed count=%d", keep_fresh(self._office, self._clock()))
                for system, not_after in self._office.peers.expiring():
                    log.warning("keys expire system=%s on=%s: renew them", system, not_after[:10])
            except (SinergiError, OSError) as error:  # Refusal: a key whose token does not answer
                self._tidied = None
                log.error("not tidied error=%s", type(error).__name__)  # noqa: TRY400

    def close(self) -> None:
        with self._lock:  # who queues looks under the lock
            self._ended.set()
        self._witnessing.close()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._release()
