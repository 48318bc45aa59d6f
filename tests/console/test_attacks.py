"""What a hostile officer, or nobody signed in, tries against pages whose work is tested elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from broker import lifecycle
from broker.audit import subject
from broker.errors import Refusal
from tests.console.test_auditor import NK, crowd, question, sent

if TYPE_CHECKING:
    from tests.console.conftest import House


# --- who only the host's administrator made
def test_why_someone_is_asked_about_is_not_told_to_who_nobody_vouches_for(house: House, visitor: Any) -> None:
    asks = visitor(house.officer("auditor"))
    assert asks.post("/cari-orang", question(*crowd())).status_code == 303
    (row,) = subject.open_requests(house.town.office, house.registry.get("auditor-1@sijunjung"), house.town.now)
    assert row.reason in visitor(house.officer("ppdp")).get("/cari-orang/permintaan").text
    for role in ("auditor", "ppdp"):
        made_up = house.registry.active(role=role)
        for path in ("/cari-orang", "/cari-orang/permintaan"):
            answer = visitor(made_up).get(path)
            assert (answer.status_code, row.reason in answer.text, row.id[:8] in answer.text) == (403, False, False)
        with pytest.raises(Refusal, match="permintaan_tidak_ada"):
            subject.request(house.town.office, house.registry.get(made_up.id), row.id, house.town.now)


def test_what_was_sent_and_received_is_not_told_to_who_nobody_vouches_for(house: House, visitor: Any) -> None:
    name = sent(house)
    for party, path in (("sijunjung", "/kiriman"), ("sijunjung", f"/kiriman/{name}"), ("kemnaker", "/samaran/ajukan")):
        assert visitor(house.officer("operator", party)).get(path).status_code == 200
        answer = visitor(house.registry.active(role="operator", party=party)).get(path)
        assert (answer.status_code, "sijoker@" in answer.text, "broker keys vouch" in answer.text) == (403, False, True)


# --- another agreement's
def test_another_agreements_stop_is_not_shown(house: House, visitor: Any) -> None:
    office, now = house.town.office, house.town.now
    mine, theirs = (house.officer("petugas_keamanan", party) for party in ("sijunjung", "binjai"))
    held = lifecycle.stop(office, house.registry.get(mine.id), NK, now)
    assert mine.id in visitor(mine).get("/kebijakan/henti").text
    page = visitor(theirs).get("/kebijakan/henti").text
    assert (mine.id in page, held.id in page) == (False, False)
    both = lifecycle.stop(office, house.registry.get(mine.id), "kemnaker", now)
    assert both.id in visitor(theirs).get("/kebijakan/henti").text
    assert [row.id for row in lifecycle.stops_of(office, house.registry.get(theirs.id))] == [both.id]
