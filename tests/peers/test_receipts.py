"""Receipts signed with keys that were renewed since the exchange was recorded, in what an auditor takes away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from broker.client.bundle import CLAIMED, PINNED, NotHeld
from broker.keys import PublicSet, read_public_set
from scripts.benchmarks.world import enrol_directly
from tests.audit.bundling import SIJUNGJUNG, auditor, check, taken
from tests.peers.test_holding import receipted, sent
from tests.simulator import SIAPKERJA

if TYPE_CHECKING:
    from pathlib import Path

    from tests.peers.conftest import Keys


def bundle(keys: Keys, folder: Path) -> tuple[bytes, PublicSet]:
    with keys.town.http() as http:
        data = taken(auditor(keys.town, http), folder / "bundel.zip", SIJUNGJUNG)
    return data, read_public_set((keys.town.province.home / "public.json").read_bytes())


def test_a_receipt_by_the_renewed_key_holds_as_the_log_names_it(keys: Keys, tmp_path: Path) -> None:
    before, between = sent(keys), sent(keys)
    receipted(keys, before, keys.town.province.ring(SIAPKERJA))
    public, ring = keys.renewed("baru", SIAPKERJA)
    receipted(keys, between, ring)
    receipted(keys, sent(keys), ring)
    data, broker = bundle(keys, tmp_path)
    assert {one.signed[SIAPKERJA] for one in check(data, broker).exchanges} == {CLAIMED}
    both = [keys.town.province.public(SIAPKERJA), public]
    assert {one.signed[SIAPKERJA] for one in check(data, broker, parties=both).exchanges} == {PINNED}
    with pytest.raises(NotHeld, match="another key of siapkerja"):
        check(data, broker, parties=both[:1])


def test_a_receipt_by_a_key_that_nobody_confirmed_in_this_log_is_refused(keys: Keys, tmp_path: Path) -> None:
    """As a broker would make it that lies: it puts a set of its own among its peers, and says nothing."""
    name, (own, ring) = sent(keys), keys.made("palsu", SIAPKERJA)
    with keys.town.office.ledger.database.write() as tx:
        tx.peers.change(keys.town.province.public(SIAPKERJA).fingerprint.replace(" ", ""), state="retired", until="9")
        enrol_directly(tx, own, keys.town.now)
    receipted(keys, name, ring)
    data, broker = bundle(keys, tmp_path)
    with pytest.raises(NotHeld, match="a key that the log does not tell of"):
        check(data, broker)
