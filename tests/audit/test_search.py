"""Search over exchanges and entries: complete, strict, of one's own agreements, and recorded."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.audit import search
from broker.audit.expression import MAX_DEPTH, parse
from broker.errors import ClientError, LedgerError, Refusal
from tests.audit.conftest import BINJAI, SIJUNJUNG
from tests.simulator import SIAPKERJA, SIBUSER

if TYPE_CHECKING:
    from tests.audit.conftest import Bureau

NIK = "1303011509909001"


def exchanges(page: dict[str, Any]) -> list[str]:
    return [one["entry"]["exchange"] for one in page["found"]]


def sent(bureau: Bureau, seed: int = 1, n: int = 4, **asked: Any) -> str:
    """An exchange, a minute after the last thing that happened."""
    bureau.town.now += timedelta(minutes=1)
    if asked.get("agreement") == BINJAI:
        return bureau.town.exchange(bureau.town.csv(bureau.town.rows(n=n, seed=seed, party="binjai", agreement=BINJAI)), sender=SIBUSER, basis="UU 13/2003", **asked)[0]
    return bureau.town.exchange(bureau.town.csv(bureau.town.rows(n=n, seed=seed)), **asked)[0]


def refused(bureau: Bureau, **asked: Any) -> str:
    bureau.town.now += timedelta(minutes=1)
    with pytest.raises(Refusal):
        bureau.town.exchange(bureau.town.csv(bureau.town.rows(n=2)), **asked)
    return bureau.town.last


# --- whose
def test_another_agreements_exchanges_are_invisible(bureau: Bureau) -> None:
    own, other = sent(bureau), sent(bureau, agreement=BINJAI)
    auditor, ministry = bureau.auditor(), bureau.auditor("kemnaker")
    assert exchanges(auditor.search()) == [own]
    assert {one["log"] for one in auditor.search(target="entri", limit=1000)["found"]} == {SIJUNJUNG}
    assert list(auditor.search()["sizes"]) == [SIJUNJUNG]
    assert auditor.search(f"pertukaran={other}")["total"] == auditor.search(f"pihak=kemnaker dan pertukaran={other}")["total"] == 0
    assert exchanges(ministry.search()) == [other, own]
    assert exchanges(ministry.search(f"kesepakatan={BINJAI}")) == [other]
    # Neither of these says that the one exists and the other does not.
    errors = []
    for name in (BINJAI, "nk-padang-2025"):
        with pytest.raises(ClientError, match="baris 1, kolom 13: nilai tidak dikenal") as error:
            auditor.search(f"kesepakatan={name}")
        errors.append(str(error.value))
    assert len(set(errors)) == 1
    with pytest.raises(ClientError, match="nilai tidak dikenal"):
        auditor.search("pihak=binjai")
    for name in (other, "0" * 32):
        with pytest.raises(ClientError, match="Tidak ada pertukaran seperti itu"):
            auditor.exchange(name)


def test_who_may_not_read_the_log_searches_nothing(bureau: Bureau) -> None:
    name = sent(bureau)
    for role in ("operator", "pembuka_samaran"):
        person = bureau.auditor("sijunjung", role)
        with pytest.raises(ClientError, match="baca_log"):
            person.search()
        with pytest.raises(ClientError, match="baca_log"):
            person.exchange(name)
    assert "searched" not in {entry.get("act") for entry in bureau.town.entries()}


def test_who_is_not_vouched_for_is_handed_no_file(bureau: Bureau) -> None:
    auditor = bureau.auditor()
    with bureau.town.office.ledger.database.write() as tx:
        tx._c.exec_driver_sql("UPDATE person SET voucher = NULL")
    before = bureau.town.entries()
    for path in (f"report/{SIJUNJUNG}/2026?format=json", f"export/{SIJUNJUNG}?format=csv", f"bundle/{SIJUNJUNG}?from=2026-01-01&to=2026-12-31"):
        with pytest.raises(ClientError):
            auditor._to.get(f"/v1/audit/{path}")
    assert bureau.town.entries() == before


def test_an_auditor_from_outside_reads_one_agreement_until_their_last_day(bureau: Bureau) -> None:
    own = sent(bureau)
    sent(bureau, agreement=BINJAI)
    auditor = bureau.auditor("bpk")
    assert exchanges(auditor.search()) == [own]
    bureau.town.now += timedelta(days=60)
    with pytest.raises(ClientError, match="tidak ditandatangani oleh kunci yang dikenal"):
        auditor.search()


# --- what
def test_every_field_finds_what_it_says(bureau: Bureau) -> None:
    plain = sent(bureau)
    based = sent(bureau, 2, 3, basis="UU 13/2003")
    bureau.town.now += timedelta(days=1)
    faulty = [list(row) for row in bureau.town.rows(n=40, seed=3)]
    faulty[0][bureau.town.office.contracts["pencari_kerja"].names.index("nik")] = "123"
    bureau.town.now += timedelta(minutes=1)
    partly = bureau.town.exchange(bureau.town.csv(faulty))[0]
    denied = refused(bureau, purpose="tujuan_yang_tidak_ada")
    with bureau.town.http() as http:
        bureau.town.client(SIAPKERJA, http).receive()
    auditor = bureau.auditor()
    every = {plain, based, partly, denied}
    basis = hashlib.sha256(b"UU 13/2003").hexdigest()
    for expression, wanted in {
        "": every,
        "dataset=pencari_kerja": every,
        "dataset!=pencari_kerja": set(),
        "tujuan=perencanaan atau tujuan!=perencanaan": every - {denied},  # a refused purpose is nobody's word: it is not kept
        "pengirim=sijunjung dan penerima=siapkerja@kemnaker": every,
        "pengirim=kemnaker": set(),
        "pihak=kemnaker": every,
        "pelaku=sijoker@sijunjung": every,
        "dasar=ada": {based},
        f"dasar={basis}": {based},
        "dasar=tidak": {plain, partly},
        'pasal="Pasal 4"': every - {denied},
        'pasal="Pasal 4 huruf a"': every - {denied},
        'pasal="Pasal 4 huruf"': every - {denied},
        'pasal="Pasal"': every,
        'pasal="Pas"': set(),
        "keputusan=dirilis": every - {denied},
        "keputusan=ditahan": {partly},
        "keputusan=ditolak": {denied},
        "decision=ditolak and reason=tujuan": {denied},
        "alasan=mutu": set(),
        "keadaan=refused": {denied},
        "keadaan=receipted": every - {denied},
        "keadaan=recorded": set(),
        "versi=1": every - {denied},
        "versi>1": set(),
        "baris>=4": {plain, partly},
        "baris>3 dan baris<40": {plain},
        "ditahan>=1": {partly},
        "dirilis=39": {partly},
        "daun<=3": {based},
        "hari=2026-11-21": {plain, based},
        "hari>2026-11-21": {partly, denied},
        "day<=2026-11-20": set(),
        "kolom.nik>=3": every - {denied},
        "kolom.nik>=4": set(),
        "column.nama_lengkap>=1": set(),
        "kolom.nama_lengkap=0": every - {denied},
        f"pertukaran={plain} atau pertukaran={denied}": {plain, denied},
        "baris=4 dan keputusan=ditolak atau dirilis=39": {partly},
        "baris=4 dan (keputusan=ditolak atau keputusan=dirilis)": {plain},
        "(((kolom.nik=3\n  dan dasar=ada)))": {based},
    }.items():
        page = auditor.search(expression)
        assert set(exchanges(page)) == wanted, expression
        assert page["total"] == len(wanted), expression


def test_entries_of_any_kind_are_found(bureau: Bureau) -> None:
    name = sent(bureau)
    with bureau.town.http() as http:
        bureau.town.client(SIAPKERJA, http).receive()
    bureau.auditor("sijunjung", "petugas_keamanan")
    auditor = bureau.auditor()
    found = auditor.search(f"pertukaran={name}", target="entri")["found"]
    assert [(one["entry"]["type"].split("/")[1], one["entry"].get("outcome")) for one in reversed(found)] == [("exchange", None), ("outcome", "delivered"), ("outcome", "receipted")]
    assert [one["entry"]["act"] for one in auditor.search("jenis=policy", target="entri")["found"]] == ["published"]
    assert auditor.search(f"pelaku={auditor.person} dan tindakan=searched", target="entri")["total"] == 2
    assert auditor.search("jenis=policy")["total"] == 0


def test_an_exchange_is_shown_with_what_became_of_it(bureau: Bureau) -> None:
    name = sent(bureau)
    with bureau.town.http() as http:
        bureau.town.client(SIAPKERJA, http).receive()
    shown = bureau.auditor().exchange(name)
    assert (shown["state"], shown["levels"]["nik"], shown["entry"]["exchange"]) == ("receipted", 3, name)
    assert [one["entry"]["outcome"] for one in shown["about"]] == ["delivered", "receipted"]
    assert bureau.town.entries()[-1] | {"time": ""} == {"act": "read", "exchange": name, "person": "auditor-1@sijunjung", "time": "", "type": "sinergi/query/v1"}


def test_a_refused_exchange_is_shown_with_its_clause(bureau: Bureau) -> None:
    name = refused(bureau, purpose="tujuan_yang_tidak_ada")
    shown = bureau.auditor().exchange(name)
    assert (shown["state"], shown["entry"]["reason"], shown["about"]) == ("refused", "tujuan", [])


# --- strict
@pytest.mark.parametrize(("expression", "row", "column", "what"), [
    ("nama=Budi", 1, 1, "bidang tidak dikenal"), ("dataset=pencari_kerja dan nik=1", 1, 27, "bidang tidak dikenal"), ("dataset", 1, 8, "diharapkan"), ("dataset=", 1, 9, "nilai diharapkan"),
    ("dataset=pencari", 1, 9, "nilai tidak dikenal"), ("dataset<pencari_kerja", 1, 8, "hanya mengenal"), ("baris>=banyak", 1, 8, "angka"), ("baris>=-1", 1, 8, "angka"), ("hari=2026-02-30", 1, 6, "tanggal"),
    ("hari=kemarin", 1, 6, "tanggal"), ("(dataset=pencari_kerja", 1, 23, "kurung tutup"), ("dataset=pencari_kerja)", 1, 22, "akhir"), ("dataset=pencari_kerja baris>1", 1, 23, "akhir"),
    ("dan baris>1", 1, 1, "bidang tidak dikenal"), ("baris>1 dan", 1, 12, "nama bidang"), ("baris>1\ndan\n  xx=1", 3, 3, "bidang tidak dikenal"), ("baris>1 dan baris$2", 1, 18, "tidak dikenal"),
    ("kolom.tidak_ada>1", 1, 1, "bidang tidak dikenal"), ("kolom.=1", 1, 1, "bidang tidak dikenal"), ("baris==1", 1, 7, "nilai diharapkan"), ('pasal="Pasal 4', 1, 7, "tidak dikenal"), ("()", 1, 2, "nama bidang"),
    ("keputusan=boleh", 1, 11, "nilai tidak dikenal"), ("pertukaran=abc", 1, 12, "tidak berbentuk"), ("pasal=1", 1, 7, "tidak berbentuk"), ("__class__=1", 1, 1, "bidang tidak dikenal"),
    ("(" * (MAX_DEPTH + 1) + "baris>1" + ")" * (MAX_DEPTH + 1), 1, MAX_DEPTH + 1, "terlalu banyak"), ("baris>1 dan " * 167, 1, 2001, "terlalu panjang"),
])  # fmt: skip
def test_what_is_not_the_language_is_refused_by_line_and_column(expression: str, row: int, column: int, what: str) -> None:
    with pytest.raises(Refusal, match=what) as refusal:
        parse(expression, {"dataset": {"pencari_kerja"}, "keputusan": {"ditolak"}}, {"nik"})
    assert (refusal.value.reason, refusal.value.facts["baris"], refusal.value.facts["kolom"]) == ("ungkapan", row, column)


def test_an_identity_number_has_no_place_in_an_expression(bureau: Bureau) -> None:
    auditor = bureau.auditor()
    before = bureau.town.entries()
    for written in (NIK, "1303 0115 0990 9001", "1303.0115.0990.9001", "1303-0115-0990-9001", NIK[:15]):
        for place in ("nik={}", "pertukaran={}", 'pasal="Pasal {}"', "baris>={}", "pelaku={}@kemnaker", "({})"):
            with pytest.raises(ClientError, match="nomor identitas") as error:
                auditor.search(place.format(written))
            assert written not in str(error.value)
    assert bureau.town.entries() == before


@pytest.mark.parametrize("written", [
    "pelaku=a{0}@kemnaker", "jenis=f{0}", "pelaku={0}f@kemnaker", "pertukaran=abc{0}", "jenis=nik_{0}", "{0:,}", "{1}:{2}:{3}:{4}", "{1},{2},{3},{4}", "{1}_{2}_{3}_{4}", "{1}; {2} /\n{3}\t{4}",
    "{1}–{2}–{3}–{4}", "3275-01-90 0990 9678", "2026-01-15-0990-9001", "hari>=1303-01-15 0990 9001", "pelaku=a{1}b{2}c{3}d{4}@kemnaker", 'pasal="Pasal {1} a {2} b {3} c {4}"', "pertukaran=" + "a" * 20 + "{0}",
    "1303０１１５０９９０９００１", "baris>={1}){2}({3}<{4}",
])  # fmt: skip
def test_an_identity_number_is_seen_however_it_is_written(written: str) -> None:
    text = written.format(int(NIK), NIK[:4], NIK[4:8], NIK[8:12], NIK[12:])
    with pytest.raises(Refusal) as refusal:
        parse(text, {}, set())
    assert refusal.value.facts["salah"] == "nomor identitas tidak boleh di sini"


def test_days_and_digests_are_no_identity_numbers() -> None:
    digest = "12345678901234561234567890123456" * 2
    parse(f"hari>=2026-01-01 dan hari<=2026-12-31 dan dasar={digest} dan pertukaran={digest[:32]}", {}, set())
    parse(f'(hari>=2026-01-01)dan(hari<2027-01-01)dan(dasar="{digest}")atau pertukaran={digest[:32]}', {}, set())
    parse('baris>=1000000000 dan dirilis>=1000000000 dan pelaku=auditor-12@sijunjung dan pasal="Pasal 4 huruf a, Pasal 6 ayat (2), UU 27/2022"', {}, set())


_ATOMS = st.sampled_from(["baris", "dirilis", "versi"]).flatmap(lambda w: st.tuples(st.just(w), st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), st.integers(0, 3)))
_TREES = st.recursive(_ATOMS, lambda inner: st.tuples(st.sampled_from(["dan", "atau"]), st.lists(inner, min_size=2, max_size=3)), max_leaves=8)


def _text(tree: Any, outer: str = "") -> str:
    if len(tree) == 3:
        return f"{tree[0]}{tree[1]}{tree[2]}"
    whole = f" {tree[0]} ".join(_text(inner, tree[0]) for inner in tree[1])
    return f"({whole})" if outer == "dan" and tree[0] == "atau" else whole  # `dan` binds closer: no parentheses are owed elsewhere


def _holds(tree: Any, entry: dict[str, tuple[int, ...]]) -> bool:
    if len(tree) == 2:
        return (all if tree[0] == "dan" else any)([_holds(inner, entry) for inner in tree[1]])
    word, sign, value = tree
    found = entry.get(word, ())
    if sign == "!=":
        return bool(found) and value not in found
    return any({"=": v == value, "<": v < value, "<=": v <= value, ">": v > value, ">=": v >= value}[sign] for v in found)


@given(_TREES, st.dictionaries(st.sampled_from(["baris", "dirilis", "versi"]), st.lists(st.integers(0, 3), max_size=2).map(tuple)))
def test_an_expression_means_what_it_says(tree: Any, entry: dict[str, tuple[int, ...]]) -> None:
    assert parse(_text(tree), {}, set())(lambda word: entry.get(word, ())) == _holds(tree, entry)


# --- pages
def test_pages_are_complete_and_disjoint_while_exchanges_come_in(bureau: Bureau) -> None:
    names = [sent(bureau, seed) for seed in range(1, 6)] + [sent(bureau, 1, agreement=BINJAI)]
    auditor, seen, after, steps = bureau.auditor("kemnaker"), [], None, iter((-3600, 5, 7200))
    while True:
        page = auditor.search(after=after, limit=2)
        assert page["total"] == len(names)
        seen += exchanges(page)
        after = page["after"]
        if after is None:
            break
        bureau.town.now += timedelta(seconds=next(steps, 0))  # a clock put back: the next one's time lies among those seen
        sent(bureau, 9)
    assert seen == names[::-1]
    assert auditor.search()["total"] == len(names) + 2
    assert [one["entry"]["exchange"] for one in auditor.every(limit=3)] == exchanges(auditor.search())


def test_a_page_says_where_it_ends_and_of_how_many(bureau: Bureau) -> None:
    for seed in range(1, 4):
        sent(bureau, seed)
    page = bureau.auditor().search(limit=3)
    assert (len(page["found"]), page["total"], page["after"]) == (3, 3, None)
    page = bureau.auditor().search(limit=2)
    assert (len(page["found"]), page["total"], page["after"] is None) == (2, 3, False)


def test_a_cursor_that_no_page_gave_is_refused(bureau: Bureau) -> None:
    for seed in range(1, 4):
        sent(bureau, seed)
    auditor = bureau.auditor()

    def made(value: object) -> str:
        return urlsafe_b64encode(json.dumps(value, separators=(",", ":"), sort_keys=True).encode()).decode().rstrip("=")

    key = ["2026-11-21T03:00:00.000Z", SIJUNJUNG, 1]
    good = {"key": key, "sizes": {SIJUNJUNG: 3}}
    assert auditor.search(after=made(good))["total"] == 2
    wrongs: list[object] = [{**good, "sizes": {SIJUNJUNG: 10**6}}, {**good, "sizes": {SIJUNJUNG: -1}}, {**good, "sizes": {BINJAI: 1}}, {**good, "sizes": {SIJUNJUNG: 1, BINJAI: 1}},
                  {**good, "sizes": {SIJUNJUNG: True}}, {**good, "sizes": {SIJUNJUNG: "3"}}, {**good, "key": key[:2]}, {"key": key}, {**good, "more": 1}, [], "x"]  # fmt: skip
    for wrong in wrongs:
        with pytest.raises(ClientError, match="after"):
            auditor.search(after=made(wrong))
    for text in ("!", "%00", "AAAA", "é", made(good) + "A"):
        with pytest.raises(ClientError, match="after"):
            auditor.search(after=text)


# --- recorded
def test_a_search_is_recorded_in_every_log_it_read_and_its_words_are_not(bureau: Bureau) -> None:
    sent(bureau)
    sent(bureau, agreement=BINJAI)
    expression = "dataset=pencari_kerja dan baris>=1"
    bureau.auditor("kemnaker").search(expression)
    for log in (SIJUNJUNG, BINJAI):
        entry = bureau.town.entries(log)[-1]
        del entry["time"], entry["size"]
        digest = hashlib.sha256(expression.encode()).hexdigest()
        assert entry == {"act": "searched", "filter_sha256": digest, "found": 1, "person": "auditor-1@kemnaker", "target": "pertukaran", "type": "sinergi/query/v1"}


def test_a_search_that_cannot_be_recorded_finds_nothing(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    sent(bureau)
    auditor = bureau.auditor()

    def full(*_: object) -> None:
        raise LedgerError("disk full")

    monkeypatch.setattr("broker.record.Book.append", full)
    with pytest.raises(ClientError, match="Penyimpanan"):
        auditor.search()


def test_what_was_decoded_at_the_start_is_not_decoded_again(bureau: Bureau) -> None:
    for seed in range(3):
        sent(bureau, seed)
    search._manifest_facts.cache_clear()
    search.read_ahead(bureau.town.office)
    before = search._manifest_facts.cache_info()
    assert before.currsize == 3
    with bureau.town.office.ledger.database.read() as tx:
        sizes = {SIJUNJUNG: bureau.town.office.ledger.size(SIJUNJUNG)}
        assert len(list(search.found(tx, sizes, lambda _: True))) == 3
    assert search._manifest_facts.cache_info().misses == before.misses
