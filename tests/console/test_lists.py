"""What arrived and what was sent, page by page: all of it, of one's own agreements alone."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from broker.model import utc_text
from tests.simulator import SIAPKERJA, SIBUSER, SIJOKER

if TYPE_CHECKING:
    from tests.console.conftest import House

NK, OTHER = "nk-sijunjung-2025", "nk-binjai-2025"


def fill(house: House, n: int, agreement: str, sender: str, first: int = 0) -> list[str]:
    """Exchanges that the recipient may fetch, the newest first."""
    names = [f"{first + i:032x}" for i in range(n)]
    with house.town.office.ledger.writing() as book:
        for i, name in enumerate(names):
            at = utc_text(house.town.now + timedelta(seconds=first + i))
            book.tx.add_exchange(
                id=name, state="recorded", sender=sender, recipient=SIAPKERJA, agreement=agreement, dataset="pencari_kerja", purpose="perencanaan", accepted=at, changed=at,
                submission_sha256="00", idempotency=name, problem="",
            )  # fmt: skip
    return names[::-1]


def pages(one: Any, path: str, pattern: str) -> list[list[str]]:
    """The ids on each page, by the links that lead on."""
    found = []
    while path:
        text = one.get(path).text
        found.append(re.findall(pattern, text))
        on = re.search(r'<a href="/konsol([^"]+)" rel="next">', text)
        path = on[1] if on else ""
    return found


def test_the_inbox_has_all_of_ones_agreements_and_nothing_else(house: House, visitor: Any) -> None:
    """Also what is older than fifty of an agreement that is none of theirs."""
    mine = fill(house, 60, NK, SIJOKER)
    theirs = fill(house, 70, OTHER, SIBUSER, 1000)
    all_of_it, one_of_two = (visitor(house.officer("operator", "kemnaker", agreements=names)) for names in (frozenset(), frozenset({NK})))
    opens = r"broker open ([0-9a-f]{32})"
    assert pages(one_of_two, "/kotak-masuk", opens) == [mine[:50], mine[50:]]
    assert [name for page in pages(all_of_it, "/kotak-masuk", opens) for name in page] == [*theirs, *mine]
    for wrong in ("0", "x", "99", "-1"):
        assert re.findall(opens, one_of_two.get(f"/kotak-masuk?hal={wrong}").text) == (mine[50:] if wrong == "99" else mine[:50])


def test_what_was_sent_is_paged_alike_and_says_by_whom(house: House, visitor: Any) -> None:
    mine = fill(house, 60, NK, SIJOKER)
    fill(house, 5, OTHER, SIBUSER, 1000)
    one = visitor(house.officer("operator"))
    assert pages(one, "/kiriman", r"/konsol/kiriman/([0-9a-f]{32})") == [mine[:50], mine[50:]]
    assert f"<td>sistem <code>{SIJOKER}</code></td>" in one.get("/kiriman").text
    other = visitor(house.officer("operator", "kemnaker"))
    assert "Belum ada kiriman." in other.get("/kiriman").text


def test_who_has_no_system_in_an_agreement_sees_none(house: House) -> None:
    fill(house, 1, NK, SIJOKER)
    with house.town.office.ledger.database.read() as tx:
        assert tx.arrived_in([], 50, 0) == tx.sent_in([], 50, 0) == ([], 0)
