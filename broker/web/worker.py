"""Takes accepted exchanges through steps 2–9 in the background."""

from __future__ import annotations

import logging
import os
import weakref
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as WaitTimeout
from typing import TYPE_CHECKING

from broker.errors import LedgerError, Refusal
from broker.exchange import exchange, refuse, retire

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

    from broker.exchange import Office

log = logging.getLogger("sinergi")


class Worker:
    """Takes accepted exchanges through, one after another (SQLite has one writer). Owns its thread and the claim on the broker's home."""

    def __init__(self, office: Office, clock: Callable[[], datetime]) -> None:
        self._office, self._clock = office, clock
        self._release = weakref.finalize(self, os.close, office.folders.claim())
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="exchange")
        self._running: dict[str, Future[None]] = {}
        self._tidied: date | None = None

    @property
    def waiting(self) -> int:
        return len(self._running)

    def submit(self, name: str) -> None:
        future = self._pool.submit(self._take, name)
        self._running[name] = future
        future.add_done_callback(lambda _: self._running.pop(name, None))

    def _tidy(self) -> None:
        """Once a day: deletes the envelopes whose time is over."""
        today = self._clock().date()
        if self._tidied != today:
            self._tidied = today
            try:
                log.info("envelopes retired count=%d", retire(self._office, self._clock()))
            except (LedgerError, OSError):
                log.error("envelopes not retired")  # noqa: TRY400

    def wait(self, name: str, seconds: int) -> None:
        """Until the exchange is through, or the time is up."""
        future = self._running.get(name)
        if future is not None:
            try:
                future.result(seconds)
            except WaitTimeout:
                return

    def _take(self, name: str) -> None:
        self._tidy()
        try:
            entry = exchange(self._office, name, self._clock())
            log.info("exchange recorded log=%s entry=%d", entry.log, entry.index)
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

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._release()
