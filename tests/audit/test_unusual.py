"""Unusual activity: each kind has a case that fires and its nearest neighbour that does not. Entries are made here; the last tests ask a real broker."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from broker.audit.unusual import BURST, KINDS, REPEATED, Finding, _people, read_entry, unusual
from broker.errors import ClientError
from broker.jcs import canonical
from broker.model import WIB, utc_text
from tests.audit.conftest import BINJAI, SIJUNJUNG
from tests.simulator import SIAPKERJA, SIJOKER

if TYPE_CHECKING:
    from broker.audit.unusual import Entry
    from tests.audit.conftest import Bureau

LAST = date(2026, 11, 20)  # a Friday
ENDS = date(2028, 3, 20)


class Log:
    """An agreement's log as it grows."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def add(self, at: datetime, kind: str, **said: Any) -> None:
        data = canonical({"time": utc_text(at), "type": f"sinergi/{kind}/v1", **said})
        self.entries.append(read_entry(len(self.entries), data))

    def sent(
        self, at: datetime, rows: int = 100, *, sender: str = SIJOKER, recipient: str = SIAPKERJA, dataset: str = "pencari_kerja", purpose: str = "perencanaan",
        levels: str = "0250", key: str = "K1", **submission: str,
    ) -> str:  # fmt: skip
        name = f"{len(self.entries):032x}"
        self.add(
            at, "exchange", exchange=name, sender=sender, recipient=recipient, purpose=purpose, contract={"dataset": dataset}, outcomes={"terkirim": rows},
            columns=["nik", "wilayah", "jurusan", "agama"], profiles=[{"class": "umum", "levels": levels}, {"class": "anak", "levels": "0000"}],
            keys={"sender": key, "recipient": "R1"}, submission={"statement_sha256": "0", **submission},
        )  # fmt: skip
        return name

    def refused(self, at: datetime, sender: str = SIJOKER) -> None:
        self.add(at, "refusal", reason="mutu", sender=sender)

    def find(self, kind: str | None = None, last: date = LAST, days: int = 30, **more: Any) -> list[Finding]:
        found = unusual(self.entries, last, days, **{"ends": ENDS, **more})
        return [one for one in found if kind in (None, one.kind)]


def at(day: date, hour: int = 10, minute: int = 0) -> datetime:
    """A moment in WIB, told in UTC as the ledger does."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=WIB).astimezone(UTC)


def back(days: int) -> date:
    return LAST - timedelta(days=days)


@pytest.fixture
def log() -> Log:
    """One exchange every Wednesday for nine weeks, seven of them within the eight before LAST; nothing in it is unusual."""
    log = Log()
    for week in range(9, 0, -1):
        log.sent(at(back(7 * week + 2)), 100 + week)
    return log


def test_what_is_as_ever_is_not_told(log: Log) -> None:
    log.sent(at(LAST), 110)
    assert log.find() == []
    assert unusual([], LAST, 30, ends=ENDS) == ()


# --- volume
def test_a_day_beyond_the_limit_of_a_partys_own_past_is_told_with_its_figures(log: Log) -> None:
    first, second = log.sent(at(LAST), 104), log.sent(at(LAST, 11), 105)
    (found,) = log.find("volume")
    assert (found.day, found.who, found.what) == (LAST, SIJOKER, f"pencari_kerja → {SIAPKERJA}")
    assert found.figures == {"observed": 209, "median": 104, "limit": 208}
    assert (found.exchanges, found.entries) == ((first, second), (9, 10))


def test_a_day_at_the_limit_is_not(log: Log) -> None:
    log.sent(at(LAST), 208)
    assert log.find("volume") == []


def test_a_flow_that_varies_has_a_wider_limit() -> None:
    log = Log()
    for week, rows in enumerate((10, 900, 400, 500, 600, 100, 1000), 1):
        log.sent(at(back(60 - 7 * week)), rows)
    log.sent(at(LAST), 2500)
    assert log.find("volume", days=1) == [], "median 500, deviation 400: five of them are the limit"
    log.sent(at(LAST), 1)
    assert log.find("volume", days=1)[0].figures["limit"] == 2500


@pytest.mark.parametrize("days", [4, 5])
def test_a_party_with_too_little_past_has_no_usual_volume(days: int) -> None:
    log = Log()
    for n in range(days):
        log.sent(at(back(10 - n)), 10)
    log.sent(at(LAST), 1_000_000)
    assert len(log.find("volume")) == (days == 5)


def test_one_huge_exchange_is_told_once_and_moves_no_limit_after_it(log: Log) -> None:
    log.sent(at(back(1)), 5_000_000)
    log.sent(at(LAST), 120)
    (found,) = log.find("volume")
    assert (found.day, found.figures["observed"]) == (back(1), 5_000_000)


def test_what_is_older_than_eight_weeks_is_no_past() -> None:
    log = Log()
    for n in range(6):
        log.sent(at(LAST - timedelta(days=57 + n)), 10)
    log.entries.reverse()
    log.sent(at(LAST), 1000)
    assert log.find("volume") == []


def test_another_partys_past_is_nobodys(log: Log) -> None:
    log.sent(at(LAST), 100_000, sender="lain@kemnaker")
    assert log.find("volume") == []


# --- hours
@pytest.mark.parametrize(("moment", "told"), [
    (at(LAST, 6, 59), True), (at(LAST, 7), False), (at(LAST, 17, 59), False), (at(LAST, 18), True), (at(back(6), 10), True), (at(back(5), 10), True), (at(back(4), 10), False),
])  # fmt: skip
def test_acts_outside_working_hours_are_told(log: Log, moment: datetime, told: bool) -> None:
    log.sent(moment)
    found = log.find("luar_jam")
    assert len(found) == told
    if found:
        assert (found[0].figures["observed"], found[0].figures["past"]) == (1, 0)


def test_who_always_works_at_night_is_not_told_of() -> None:
    log = Log()
    for n in range(8, 0, -1):
        log.sent(at(back(7 * n), 2 if n % 4 == 0 else 10))
    log.sent(at(LAST, 2))
    assert log.find("luar_jam", days=1) == []


def test_who_rarely_works_at_night_is() -> None:
    log = Log()
    for n in range(8, 0, -1):
        log.sent(at(back(7 * n - 3), 2 if n == 8 else 10))
    log.sent(at(LAST, 2))
    (found,) = log.find("luar_jam", days=1)
    assert (found.figures["past"], found.figures["all"]) == (1, 8)


def test_a_persons_questions_at_night_are_told_and_a_clients_receipts_are_not(log: Log) -> None:
    log.add(at(LAST, 23), "query", act="searched", person="auditor-1@sijunjung")
    log.add(at(LAST, 23), "outcome", outcome="receipted", exchange="0" * 32, system=SIAPKERJA)
    (found,) = log.find("luar_jam")
    assert (found.who, found.exchanges, found.entries) == ("auditor-1@sijunjung", (), (9,))


# --- first time
def test_a_purpose_new_to_a_recipient_is_told_once(log: Log) -> None:
    name = log.sent(at(back(1)), purpose="layanan")
    log.sent(at(LAST), purpose="layanan")
    (found,) = log.find("tujuan_baru")
    assert (found.day, found.who, found.what, found.exchanges) == (back(1), SIAPKERJA, "layanan", (name,))


def test_a_purpose_seen_before_the_days_asked_is_not_new(log: Log) -> None:
    log.sent(at(back(3)), purpose="layanan")
    log.sent(at(LAST), purpose="layanan")
    assert log.find("tujuan_baru", days=3) == []


def test_a_column_above_0_for_the_first_time_is_told(log: Log) -> None:
    name = log.sent(at(LAST), levels="1250")
    (found,) = log.find("kolom_baru")
    assert (found.who, found.what, found.exchanges) == (SIAPKERJA, "pencari_kerja.nik", (name,))
    assert found.figures == {"observed": 1, "limit": 0}


def test_a_column_at_another_level_than_before_is_not_new(log: Log) -> None:
    log.sent(at(LAST), levels="0350")
    assert log.find("kolom_baru") == []


def test_a_new_party_without_a_past_is_told_as_new_and_nothing_else(log: Log) -> None:
    name = log.sent(at(LAST), 1_000_000, sender="baru@binjai", recipient="kantor@binjai", levels="5555", purpose="layanan", key="K9")
    found = log.find()
    assert [(one.kind, one.who, one.exchanges) for one in found] == [("pelaku_baru", "baru@binjai", (name,)), ("pelaku_baru", "kantor@binjai", (name,))]


def test_who_was_seen_before_the_days_asked_is_not_new(log: Log) -> None:
    log.add(at(back(2)), "query", act="searched", person="auditor-1@sijunjung")
    log.add(at(LAST), "query", act="searched", person="auditor-1@sijunjung")
    assert [one.day for one in log.find("pelaku_baru", days=3)] == [back(2)]
    assert log.find("pelaku_baru", days=2) == []


def test_the_brokers_key_for_an_officer_at_the_console_is_no_new_key_of_the_senders(log: Log) -> None:
    for n in range(4):
        log.sent(at(LAST - timedelta(days=n + 1)))
    log.sent(at(LAST), key="B1", person="operator-1@sijunjung")
    assert log.find("kunci_baru") == []


def test_a_known_system_with_another_key_is_told(log: Log) -> None:
    name = log.sent(at(LAST), key="K2")
    (found,) = log.find("kunci_baru")
    assert (found.who, found.what, found.exchanges) == (SIJOKER, "K2", (name,))
    log.sent(at(LAST), key="K1")
    assert len(log.find("kunci_baru")) == 1
    assert log.find("kunci_baru", last=LAST + timedelta(days=2), days=2) == []


# --- the same person
def crowd(*numbers: int) -> np.ndarray[Any, np.dtype[np.bytes_]]:
    return np.array([b"%016d" % n for n in numbers], "S16")


def often(log: Log, times: int, others: int = 1) -> dict[str, np.ndarray[Any, np.dtype[np.bytes_]]]:
    """One person in `times` exchanges, thirty in `others` of them each."""
    people = {log.sent(at(back(times - n))): crowd(7, *(range(100, 130) if n < others else ()), 1000 + n) for n in range(times)}
    log.sent(at(LAST))
    return people


def test_a_person_in_more_exchanges_than_the_limit_is_told_without_saying_who(log: Log) -> None:
    people = often(log, REPEATED + 1)
    (found,) = log.find("subjek_berulang", people=people)
    assert found.figures == {"people": 1, "observed": 6, "median": 1, "limit": 5}
    assert found.exchanges == tuple(people)
    assert "0007" not in json.dumps(found.as_json())


def test_a_person_in_as_many_as_the_limit_is_not(log: Log) -> None:
    assert log.find("subjek_berulang", people=often(log, REPEATED)) == []


def test_a_register_that_repeats_everyone_alike_is_not(log: Log) -> None:
    people = {log.sent(at(back(20 - n))): crowd(*range(50)) for n in range(20)}
    assert log.find("subjek_berulang", people=people) == []


# --- refusals
def test_more_refusals_within_an_hour_than_the_limit_are_told(log: Log) -> None:
    for n in range(BURST + 1):
        log.refused(at(LAST, 10) + timedelta(minutes=5 * n))
    log.refused(at(LAST, 15))
    (found,) = log.find("ditolak_beruntun")
    assert (found.who, dict(found.figures), len(found.entries)) == (SIJOKER, {"observed": 11, "limit": 10}, 11)


def test_as_many_over_a_little_more_than_an_hour_are_not(log: Log) -> None:
    for n in range(BURST + 1):
        log.refused(at(LAST, 10) + timedelta(minutes=6 * n))
    assert log.find("ditolak_beruntun") == []


def test_refusals_of_two_callers_are_no_burst(log: Log) -> None:
    for n in range(BURST + 1):
        log.refused(at(LAST, 10, n), sender=(SIJOKER, SIAPKERJA)[n % 2])
    assert log.find("ditolak_beruntun") == []


# --- clear columns
def test_more_clear_columns_than_ever_in_eight_weeks_are_told(log: Log) -> None:
    name = log.sent(at(LAST), levels="0550")
    (found,) = log.find("jelas_naik")
    assert (found.who, found.what, found.exchanges) == (SIAPKERJA, "pencari_kerja (perencanaan)", (name,))
    assert found.figures == {"observed": 2, "all": 4, "median": 1, "limit": 1}


def test_another_column_in_clear_in_place_of_one_is_not(log: Log) -> None:
    log.sent(at(LAST), levels="0520")
    assert log.find("jelas_naik") == []


# --- after the end
@pytest.mark.parametrize("past", [0, 1])
def test_what_is_released_or_fetched_after_the_last_day_is_told(log: Log, past: int) -> None:
    ends = LAST - timedelta(days=past)
    name = log.sent(at(LAST, 0, 0))
    log.add(at(LAST, 9), "outcome", outcome="delivered", exchange=name, system=SIAPKERJA)
    log.add(at(LAST, 9), "outcome", outcome="receipted", exchange=name, system=SIAPKERJA)
    found = log.find("setelah_berakhir", ends=ends)
    assert len(found) == past
    if found:
        assert (found[0].what, found[0].figures["observed"], found[0].exchanges, found[0].entries) == ("19-11-2026", 2, (name,), (9, 10))


# --- witnesses
def test_a_checkpoint_without_its_quorum_for_more_than_half_the_limit_is_told(log: Log) -> None:
    limit = timedelta(hours=4)
    (found,) = log.find("saksi_tertinggal", unwitnessed=[("nk-sijunjung-2025", timedelta(minutes=121), limit)])
    assert (found.day, found.who, dict(found.figures)) == (LAST, "nk-sijunjung-2025", {"observed": 121, "limit": 120, "stop": 240})
    assert log.find("saksi_tertinggal", unwitnessed=[("nk-sijunjung-2025", timedelta(minutes=120), limit)]) == []


# --- days
def test_days_are_those_of_wib_also_at_a_months_end() -> None:
    log = Log()
    for n in range(5):
        log.sent(at(date(2026, 10, 19 + n)), 10)
    log.sent(datetime(2026, 10, 31, 16, 59, 59, tzinfo=UTC), 1000)  # 23.59 on the 31st, WIB: a Saturday
    log.sent(datetime(2026, 10, 31, 17, 0, 0, tzinfo=UTC), 2000)  # the 1st: a Sunday
    assert [(one.day, one.figures["observed"]) for one in log.find("volume", last=date(2026, 11, 1), days=2)] == [(date(2026, 11, 1), 2000), (date(2026, 10, 31), 1000)]
    assert [one.day.day for one in log.find("volume", last=date(2026, 10, 31), days=1)] == [31], "what comes after the last day is not known"
    assert [one.day.day for one in log.find("volume", last=date(2026, 11, 1), days=1)] == [1]


def test_the_same_log_gives_the_same_findings_newest_first(log: Log) -> None:
    log.sent(at(back(1)), 9_000, levels="5555", key="K2", purpose="layanan")
    log.sent(at(LAST, 3), 9_000)
    first = log.find()
    assert first == log.find()
    assert [one.day for one in first] == sorted((one.day for one in first), reverse=True)
    assert len({one.kind for one in first}) >= 5


def test_every_kind_has_its_sentence_in_both_languages_and_its_row_in_the_docs() -> None:
    page = (Path(__file__).parents[2] / "docs/formats/unusual.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", page.partition("## Kinds")[2], re.MULTILINE) == list(KINDS)
    for indonesian, english in KINDS.values():
        assert set(re.findall(r"{\w+}", indonesian)) == set(re.findall(r"{\w+}", english))


# --- asked of a broker
def test_who_reads_the_log_is_told_and_the_asking_is_recorded(bureau: Bureau) -> None:
    town = bureau.town
    name = town.exchange(town.csv(town.rows(n=30)))[0]
    auditor = bureau.auditor()
    found = auditor.unusual(SIJUNJUNG, 30)
    assert (found["agreement"], found["from"], found["to"], found["unjudged"]) == (SIJUNJUNG, "2026-10-23", "2026-11-21", 0)
    late = next(one for one in found["findings"] if one["kind"] == "luar_jam" and one["who"] == SIJOKER)
    assert (late["exchanges"], late["day"]) == ([name], "2026-11-21"), "a Saturday"
    assert "di luar jam kerja" in late["id"]
    assert "outside working hours" in late["en"]
    last = town.entries(SIJUNJUNG)[-1]
    said = {"act": "unusual", "days": 30, "found": len(found["findings"]), "person": auditor.person, "size": found["size"], "type": "sinergi/query/v1"}
    assert {k: v for k, v in last.items() if k != "time"} == said


def test_the_same_people_over_and_over_are_found_in_what_the_ledger_keeps(bureau: Bureau) -> None:
    town = bureau.town
    rows, names = town.rows(n=12), []
    for n in range(REPEATED + 1):
        town.now += timedelta(minutes=1)
        names.append(town.exchange(town.csv([*rows[:1], *town.rows(n=8, seed=50 + n)]))[0])
    (found,) = [one for one in bureau.auditor().unusual(SIJUNJUNG, 7)["findings"] if one["kind"] == "subjek_berulang"]
    assert (found["exchanges"], found["figures"]) == (names, {"people": 1, "observed": 6, "median": 1, "limit": 5})
    nik = rows[0][town.office.contracts["pencari_kerja"].names.index("nik")]
    assert nik not in json.dumps(found)


def test_a_record_whose_person_the_vault_has_not_is_nobodys(bureau: Bureau) -> None:
    town = bureau.town
    names = [town.exchange(town.csv(town.rows(n=6, seed=seed)))[0] for seed in (1, 2)]
    with town.office.ledger.database.read() as tx:
        ids = np.unique(np.concatenate(list(_people(town.office, tx, SIJUNJUNG, names).values())))
        assert set(ids.tolist()) == {one[i + 16 : i + 32].rstrip(b"\0") for one in tx.vault_ids(SIJUNJUNG) for i in range(0, len(one), 32)}
        gone = ids[:1]
        pages = list(tx.vault_ids(SIJUNJUNG))
    with town.office.ledger.database.write() as tx:
        for page in pages:
            tx._c.exec_driver_sql("UPDATE vault SET people = ? WHERE people = ?", (page.replace(gone[0], b"\xff" * len(gone[0])), page))
    with town.office.ledger.database.read() as tx:
        left = np.unique(np.concatenate(list(_people(town.office, tx, SIJUNJUNG, names).values())))
    assert left.tolist() == ids[1:].tolist()


@pytest.mark.parametrize(("party", "role", "agreement"), [("sijunjung", "operator", SIJUNJUNG), ("binjai", "auditor", SIJUNJUNG), ("sijunjung", "auditor", BINJAI)])
def test_who_may_not_read_the_log_is_told_nothing_and_nothing_is_recorded(bureau: Bureau, party: str, role: str, agreement: str) -> None:
    auditor, before = bureau.auditor(party, role), bureau.town.office.ledger.size(agreement)
    with pytest.raises(ClientError, match="baca_log"):
        auditor.unusual(agreement, 30)
    assert bureau.town.office.ledger.size(agreement) == before


def test_an_agreement_that_is_not_is_answered_as_one_that_is_not_ones_own(bureau: Bureau) -> None:
    auditor, said = bureau.auditor(), []
    for agreement in (BINJAI, "nk-tidak-ada"):
        with pytest.raises(ClientError) as refused:
            auditor.unusual(agreement, 30)
        said.append(str(refused.value))
    assert said[0] == said[1]


@pytest.mark.parametrize("days", [0, 367])
def test_days_have_bounds(bureau: Bureau, days: int) -> None:
    with pytest.raises(ClientError):
        bureau.auditor().unusual(SIJUNJUNG, days)
