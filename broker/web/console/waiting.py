"""What waits for a person, what is wrong and what is due, each as a sentence with the page where one acts. Read only, by small queries; no rule lives here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from broker import ending, enrolment
from broker.agreement import LAST_DAYS
from broker.audit import reidentify
from broker.audit.subject import SEARCH
from broker.errors import Held, Refusal
from broker.gates import not_held
from broker.lifecycle.officers import APPROVE, READ, STOP
from broker.model import utc_text, wib_date
from broker.people import CONFIRM
from broker.record import BROKER_LOG
from broker.roles import BODIES
from broker.vouching import systems_of, vouched
from broker.web.console import words
from broker.web.console.officers import ends_soon
from broker.web.console.words import N_

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from broker.office import Office
    from broker.store import Transaction
    from broker.web.console.shell import Visit

LATELY: Final = timedelta(days=7)  # that refusals, and what may have been a breach, are told of
NOTICE: Final = timedelta(hours=72)  # UU 27/2022 Pasal 46 ayat (1)
LEAKED: Final = ("bocor", "hilang")  # why a key was revoked, if someone else may have it


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence in the visitor's language. path: of the console, where one acts or reads more; empty if nowhere."""

    text: Markup
    path: str = ""


@dataclass(frozen=True, slots=True)
class _Look:
    """One look at the first page."""

    office: Office
    visit: Visit
    tx: Transaction
    agreements: Sequence[str]  # of the person
    systems: Sequence[str]  # of their party
    vouched: bool

    def say(self, text: str, path: str = "", **facts: object) -> Notice:
        return Notice(Markup(self.visit._(text)).format(**facts), path)  # noqa: S704 - a text of ours; the facts are escaped

    def time(self, at: str) -> Markup:
        return words.time_tag(self.visit.language, at)

    def day(self, day: date) -> Markup:
        return words.day_tag(self.visit.language, day)

    def where(self, act: str) -> list[str]:
        """The agreements in which the person may do the act."""
        return [name for name in self.agreements if self.visit.may(act, name)]


@dataclass(frozen=True, slots=True)
class Told:
    """What waits for a person, what is wrong, what is due. known: whether someone vouches for them; of who is only an account, nothing of exchanges is told."""

    waiting: tuple[Notice, ...]
    wrong: tuple[Notice, ...]
    due: tuple[Notice, ...]
    known: bool


def notices(office: Office, visit: Visit, tx: Transaction) -> Told:
    agreements = [name for name in sorted(visit.person.agreements) if name in office.agreements]
    look = _Look(office, visit, tx, agreements, sorted(systems_of(office, visit.person.party)), vouched(office, visit.person))
    if not look.vouched and visit.person.party not in (*BODIES, ""):
        return Told(tuple(_keys(look)), (look.say(N_("Sistem pihak Anda belum menjamin Anda, jadi tidak ada pertukaran yang diperlihatkan. Mintakan jaminan kepada pemegang kunci sistem pihak Anda.")),), (), False)
    return Told((*_requests(look), *_policies(look), *_keys(look), *_exchanges(look)), tuple(_wrong(look)), tuple(_due(look)), True)


# --- waiting for this person
def _requests(look: _Look) -> Iterator[Notice]:
    me, now = look.visit.person.id, utc_text(look.visit.now)
    for name in look.where(SEARCH):
        found = [row for row in look.tx.audit.open(name) if row.until > now]
        if look.vouched and (others := [row for row in found if row.state == "pending" and row.person != me]):
            yield look.say(N_("{n} permintaan pencarian orang atas {agreement} menunggu orang kedua."), "/cari-orang", n=len(others), agreement=name)
        if mine := [row for row in found if row.state == "approved" and row.person == me]:
            yield look.say(N_("{n} pencarian orang Anda atas {agreement} disetujui; jawabannya dapat dibaca."), "/cari-orang", n=len(mine), agreement=name)
    approves, asks = look.where(reidentify.APPROVE), look.where(reidentify.ASK)
    for name in sorted({*approves, *asks}) if look.vouched else ():
        for row in look.tx.identities.open(name):
            if row.until <= now:
                continue
            if row.state == "pending" and name in approves and me not in look.tx.identities.approvers(row.id):
                yield look.say(N_("{who} menanyakan siapa di balik {n} samaran; menunggu keputusan Anda sampai {until}."), f"/samaran/{row.id}", who=row.person, n=row.subjects, until=look.time(row.until))
            if row.state == "approved" and row.person == me:
                yield look.say(N_("Permintaan Anda atas {n} samaran disetujui; ambil jawabannya sebelum {until}."), f"/samaran/{row.id}", n=row.subjects, until=look.time(row.until))


def _policies(look: _Look) -> Iterator[Notice]:
    approves = look.where(APPROVE)
    drafts = look.tx.versions.unapproved(look.visit.person.id) if approves and look.vouched else []
    if not drafts:
        return
    since = min(changed for _, _, changed in drafts)
    mine = set().union(*(look.tx.audit.proposed(log, since) for log in (*approves, BROKER_LOG)))  # the broker's own log: it changes nothing of anyone's
    for draft, author, _ in drafts:
        if draft not in mine:
            continue
        yield look.say(N_("Draf kebijakan {draft} dari {author} menunggu persetujuan."), f"/kebijakan/{draft}/setujui", draft=draft, author=author)


def _keys(look: _Look) -> Iterator[Notice]:
    confirms, now = look.where(CONFIRM), look.visit.now
    for system in look.systems if confirms else ():
        if row := enrolment.proposed(look.office, system, now):
            yield look.say(N_("Kunci baru {system} menunggu pengesahan sampai {until}."), "/kunci", system=system, until=look.time(enrolment.lapses(row)))
    for name in confirms:
        if ending.awaited(look.office, name, now) and look.visit.person.party not in ending.approved(look.office, name, now):
            yield look.say(N_("{agreement} sudah berakhir; pemusnahan kuncinya menunggu persetujuan pihak Anda."), "/kunci", agreement=name)


def _exchanges(look: _Look) -> Iterator[Notice]:
    if not look.where("baca_data"):
        return
    for system in look.systems:
        inbox, unsigned, unreceipted, refused = look.tx.exchanges_waiting(system, utc_text(look.visit.now - LATELY))
        if inbox:
            yield look.say(N_("{n} kiriman menunggu diambil {system}."), "/kotak-masuk", n=inbox, system=system)
        if unsigned:
            yield look.say(N_("{n} kiriman sudah diambil {system}, tetapi tanda terimanya belum ditandatangani."), "/kotak-masuk", n=unsigned, system=system)
        if unreceipted:
            yield look.say(N_("{n} kiriman {system} sudah diambil penerimanya dan menunggu tanda terimanya."), "/kiriman", n=unreceipted, system=system)
        if refused:
            yield look.say(N_("{n} kiriman {system} ditolak dalam 7 hari terakhir."), "/kiriman", n=refused, system=system)


# --- wrong
def _wrong(look: _Look) -> Iterator[Notice]:
    office, read = look.office, look.where(READ)
    parties = {party for name in look.agreements for party in office.agreements[name].parties}
    for stop in look.tx.versions.stops():
        if stop.target in look.agreements or stop.target in parties:
            yield look.say(N_("Pelepasan {target} dihentikan {who} sejak {at}."), "/kebijakan" if read else "", target=stop.target, who=stop.person, at=look.time(stop.at))
    for name in look.agreements:
        yield from _witnesses(look, name, "/keutuhan" if name in read else "")
        for system in sorted(set(office.agreements[name].systems.values()) - set(office.peers)):
            yield look.say(N_("{system} tidak mempunyai kunci yang berlaku; tidak dapat mengirim atau menerima."), "/kunci" if read or look.where(CONFIRM) else "", system=system)


def _witnesses(look: _Look, name: str, path: str) -> Iterator[Notice]:
    quorum = look.office.quorums.get(name)
    if quorum is None:
        if path:
            yield look.say(N_("Log {agreement} tidak mempunyai saksi: tidak ada pihak lain yang akan melihat bila log itu ditulis ulang."), path, agreement=name)
        return
    try:
        not_held(look.office, look.tx, look.visit.now, name)
    except Held as held:
        yield Notice(Markup("{}").format(held.said(look.visit.language)), path)
        return
    for witness in quorum.policy.witnesses:
        if not quorum.latest(witness.name):
            yield look.say(N_("Saksi {witness} atas log {agreement} belum terdengar sejak broker dinyalakan."), path, witness=witness.name, agreement=name)


# --- due
def _due(look: _Look) -> Iterator[Notice]:
    office, visit, today = look.office, look.visit, wib_date(look.visit.now)
    for name in look.agreements:
        last = office.agreements[name].work_plan_ends
        if last - LAST_DAYS < today <= last:
            yield look.say(N_("Rencana Kerja {agreement} berakhir {day}; mintakan yang baru atau adendum."), agreement=name, day=look.day(last))
    yield from _breaches(look)
    mine = {system for name in look.agreements for system in office.agreements[name].systems.values()}
    keys = "/kunci" if look.where(CONFIRM) or look.where(READ) else ""
    for system, until in office.peers.expiring():
        if system in mine:
            text = N_("Kunci {system} kedaluwarsa {until}.") if until <= utc_text(visit.now) else N_("Kunci {system} berakhir {until}; daftarkan kunci baru sebelum itu.")
            yield look.say(text, keys, system=system, until=look.time(until))
    if visit.person.ends is not None and ends_soon(visit.person, today):
        yield look.say(N_("Penunjukan Anda berakhir {day}."), day=look.day(visit.person.ends))
    if look.where(CONFIRM) and look.vouched:
        soon = [one for one in look.tx.people.list(visit.person.party) if one.id != visit.person.id and ends_soon(one, today)]
        if soon:
            yield look.say(N_("Penunjukan {n} petugas pihak Anda segera berakhir."), "/petugas", n=len(soon))


def _breaches(look: _Look) -> Iterator[Notice]:
    """Until when a personal-data breach is to be told of in writing, to the people and the authority, if a stop or a key in other hands is one: to who may stop, as its party must tell.

    Counted from when the broker was told; whoever knew earlier counts from then. Source: UU 27/2022 Pasal 46 ayat (1), 3×24 hours.
    """
    office, now = look.office, look.visit.now
    of = [office.agreements[name] for name in look.where(STOP)]
    targets = {name for agreement in of for name in (agreement.id, *agreement.parties)}
    told = [(stop.at, N_("penghentian {what} ({at})"), stop.target) for stop in look.tx.versions.stops_since(utc_text(now - LATELY)) if stop.target in targets]
    systems = sorted({system for agreement in of for system in agreement.systems.values()})
    told += [(row.revoked, N_("pencabutan kunci {what} ({at})"), system) for system in systems for row in look.tx.peers.of(system) if row.revoked and row.revoked > utc_text(now - LATELY) and row.reason in LEAKED]
    for at, what, target in sorted(set(told)):
        due = datetime.fromisoformat(at) + NOTICE
        text = N_("Bila {what} karena kegagalan pelindungan data pribadi: beri tahu subjek data dan lembaga secara tertulis paling lambat {until} (UU 27/2022 Pasal 46).")
        late = N_("Bila {what} karena kegagalan pelindungan data pribadi: pemberitahuan tertulis kepada subjek data dan lembaga sudah jatuh tempo {until} (UU 27/2022 Pasal 46).")
        yield look.say(late if now >= due else text, what=Markup(look.visit._(what)).format(what=target, at=look.time(at)), until=look.time(utc_text(due)))  # noqa: S704 - a text of ours; the facts are escaped


# --- refused lately
def refusals(office: Office, visit: Visit, tx: Transaction) -> list[dict[str, Any]]:
    """Of the last 7 days, by clause and reason, the most frequent first: `pasal`, `text` of the latest, `n`. Of others' exchanges only to who reads the agreement's log."""
    found, since = [], utc_text(visit.now - LATELY)
    systems = systems_of(office, visit.person.party)
    for name in sorted(visit.person.agreements & office.agreements.keys()):
        for problem, n in tx.refusals_since(name, since, () if visit.may(READ, name) else tuple(systems)):
            said = json.loads(problem)
            refusal = Refusal(said["reason"], said["pasal"], **said["facts"])
            found.append({"pasal": refusal.pasal, "text": refusal.said(visit.language), "n": n, "agreement": name})
    return sorted(found, key=lambda one: -one["n"])
