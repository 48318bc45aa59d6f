"""That a person's token was opened is told to who asks about them: who asked, when, on what ground, and who approved."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from broker.audit import erasure
from broker.audit.erasure import Ground
from broker.audit.reidentify import GROUNDS
from broker.audit.subject_pages import pages
from broker.cli.log import _answered
from broker.client.auditor import Auditor
from broker.client.reports import Reports
from broker.model import utc_text
from tests.audit.conftest import SIJUNJUNG
from tests.audit.test_pdf import texts
from tests.audit.test_reidentify import GROUND, REASON, Counter, counter
from tests.audit.test_subject_report import FIELDS
from tests.formats.test_docs import words
from tests.simulator import SIAPKERJA

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    import pytest

__all__ = ["counter"]


def found(counter: Counter, *niks: str, days: tuple[date, date] | None = None) -> dict[str, Any]:
    today = counter.town.now.date()
    starts, ends = days or (today - timedelta(days=300), today + timedelta(days=30))
    name = counter.officer("sijunjung", "auditor").person
    return Auditor.at(counter.town.folder / name, lambda: counter.town.now, counter.http).ask(SIJUNJUNG, starts, ends, "Permintaan akses subjek data nomor 12", niks)


def opened(counter: Counter, *numbers: int) -> dict[str, Any]:
    """What the log says of an answer about these rows."""
    counter.town.now += timedelta(minutes=5)
    asker, tokens = counter.who(), counter.tokens()
    counter.answered(*(tokens[number] for number in numbers), asker=asker)
    return counter.last()


def test_who_asks_about_a_person_sees_that_their_token_was_opened(counter: Counter, capsys: pytest.CaptureFixture[str]) -> None:
    entry, niks = opened(counter, 2, 4), counter.niks()
    answer = found(counter, niks[2], niks[3], niks[4])
    (told,), nothing, (same,) = (person["identities"] for person in answer["subjects"])
    assert nothing == []
    assert told == same
    assert (told["person"], told["recipient"], told["ground"], told["exchange"]) == (entry["person"], SIAPKERJA, GROUND, counter.exchange)
    acts = [one for one in counter.entries() if one["request"] == entry["request"]]
    assert (told["asked"], told["time"]) == (acts[0]["time"], acts[-1]["time"])
    assert told["approvers"] == [one["person"] for one in acts if one["act"] == "approved"]
    assert {name.partition("@")[2] for name in told["approvers"]} == {"kemnaker", "sijunjung"}
    _answered(answer, None)
    shown = " ".join(capsys.readouterr().out.split())
    assert all(name in shown for name in (entry["person"], *told["approvers"], GROUND))


def test_the_newest_is_first_and_each_names_its_own_approvers(counter: Counter) -> None:
    first, second = opened(counter, 1), opened(counter, 1)
    (subject,) = found(counter, counter.niks()[1])["subjects"]
    assert [one["person"] for one in subject["identities"]] == [second["person"], first["person"]]
    assert [len(one["approvers"]) for one in subject["identities"]] == [2, 2]
    assert len({name for one in subject["identities"] for name in one["approvers"]}) == 4


def test_a_request_that_was_declined_or_that_waits_told_nobody(counter: Counter) -> None:
    asker, (ministry, _) = counter.who(), counter.approvers()
    ministry.decline(counter.ask(asker, counter.tokens()[0]))
    ministry.approve(counter.ask(asker, counter.tokens()[0]))
    assert found(counter, counter.niks()[0])["subjects"][0]["identities"] == []


def test_it_is_of_the_day_of_the_answer_whatever_the_exchanges_day(counter: Counter) -> None:
    before = counter.town.now.date()
    counter.town.now += timedelta(days=2)
    opened(counter, 0)
    today, nik = counter.town.now.date(), counter.niks()[0]
    ((late,), (early,)) = (found(counter, nik, days=days)["subjects"] for days in ((today, today), (before, before)))
    assert (len(late["identities"]), late["disclosures"]) == (1, [])
    assert (early["identities"], len(early["disclosures"])) == ([], 1)


def test_after_an_erasure_it_is_not_found(counter: Counter) -> None:
    opened(counter, 0)
    nik = counter.niks()[0]
    ppdp = counter.officer("sijunjung", "ppdp").person
    with counter.town.office.ledger.database.read() as tx:
        person = tx.people.get(ppdp)
    assert person is not None
    erasure.erase_subject(counter.town.office, person, SIJUNJUNG, nik, Ground("pasal_43_1_c", REASON), counter.town.now)
    answer = found(counter, nik, counter.niks()[1])
    gone, other = answer["subjects"]
    assert gone == {"disclosures": [], "identities": [], "known": False, "proofs": [], "without": 0}
    assert (other["known"], other["identities"], answer["untold"]) == (True, [], 0)


def test_where_the_key_of_the_exchange_is_gone_it_is_said_that_nobody_can_tell(counter: Counter) -> None:
    opened(counter, 0)
    other = counter.town.exchange(counter.town.csv(counter.rows))[0]
    with counter.town.office.ledger.database.write() as tx:
        tx._c.execute(text("UPDATE exchangesecret SET secret = x'' WHERE exchange = :e"), {"e": counter.exchange})
    answer = found(counter, counter.niks()[0])
    (subject,) = answer["subjects"]
    assert ([one["exchange"] for one in subject["disclosures"]], subject["identities"], answer["untold"]) == ([other], [], 1)


def test_a_persons_report_tells_it_and_leaves_out_what_a_ground_of_the_law_hides(counter: Counter, tmp_path: Path) -> None:
    entry, nik = opened(counter, 0), counter.niks()[0]
    name = counter.officer("sijunjung", "ppdp").person
    officer = Reports.at(counter.town.folder / name, lambda: counter.town.now, counter.http)
    asked = {**FIELDS, "received": utc_text(counter.town.now), "subject": nik}
    officer.subject_report(asked, tmp_path / "a.json")
    said = json.loads((tmp_path / "a.json").read_bytes())
    (told,) = said["identities"]
    assert (told["person"], told["ground"], told["ground_text"], len(told["approvers"])) == (entry["person"], GROUND, GROUNDS[GROUND], 2)
    assert all(f"`{name}`" in words("reports.md") for name in told)
    written = " ".join(texts(pages(said)))
    assert all(word in written for word in (entry["person"], *told["approvers"], SIAPKERJA))
    officer.subject_report({**asked, "hidden": {counter.exchange: "a"}}, tmp_path / "b.json")
    said = json.loads((tmp_path / "b.json").read_bytes())
    assert (said["identities"], said["disclosures"], said["withheld"][0]["count"]) == ([], [], 1)
    assert counter.exchange not in json.dumps(said)
