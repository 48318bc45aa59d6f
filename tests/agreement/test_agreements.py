"""The shipped agreements hold what was signed, and a file that is not exactly an agreement is refused with its line."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import FrozenInstanceError
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from broker.agreement import clause_exists, load_agreements, paragraphs, quotes
from broker.agreement.fields import SPEC, Each, Spec
from broker.envelope.seal import SUITE_X25519
from broker.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from broker.model import Agreement

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "policies" / "agreements"
AGREEMENTS = load_agreements(FOLDER)
SIJUNJUNG, BINJAI = AGREEMENTS["nk-sijunjung-2025"], AGREEMENTS["nk-binjai-2025"]
SHARED = {"pencari_kerja", "lowongan", "pemberi_kerja", "penduduk_bekerja", "pelatihan", "penempatan"}

# Read from the signed agreements: (what, how to find it, Sijunjung, Binjai).
FACTS: list[tuple[str, Callable[[Agreement], object], object, object]] = [
    ("numbers", lambda a: a.numbers, ("039/01/NK/Pem-2025", "7/394/KS.02/III/2025"), ("100.3.7.1-256/NK/III/2025", "7/397/KS.02/III/2025")),
    ("title", lambda a: a.clauses["document"]["title"], "Sinergitas Data Ketenagakerjaan", "Sinergitas Data Ketenagakerjaan"),
    ("signed", lambda a: a.clauses["document"]["signed"], date(2025, 3, 20), date(2025, 3, 20)),
    ("place", lambda a: a.clauses["document"].get("place"), None, "Jakarta"),
    ("term", lambda a: (a.starts, a.ends), (date(2025, 3, 20), date(2028, 3, 19)), (date(2025, 3, 20), date(2028, 3, 19))),
    ("parties", lambda a: a.parties, ("sijunjung", "kemnaker"), ("binjai", "kemnaker")),
    ("regions", lambda a: dict(a.regions), {"sijunjung": "13.03"}, {"binjai": "12.75"}),
    (
        "systems",
        lambda a: dict(a.systems),
        {"sijunjung": "sijoker@sijunjung", "kemnaker": "siapkerja@kemnaker"},
        {"binjai": "sibuser@binjai", "kemnaker": "siapkerja@kemnaker"},
    ),
    ("scope", lambda a: set(a.scope), SHARED | {"perselisihan_hi"}, SHARED | {"wlkp", "jkp"}),
    ("seventh dataset", lambda a: [d for d, clause in a.scope.items() if clause.endswith("angka 7")], ["perselisihan_hi"], ["wlkp"]),
    ("'antara lain'", lambda a: "antara lain" in str(a.clauses["scope"]["wording"]), False, True),
    ("the list is closed all the same", lambda a: a.clauses["scope"]["closed_list"], True, True),
    ("definitions", lambda a: len(a.clauses["definitions"]), 0, 3),
    ("Pasal 6 ayat (3)", lambda a: clause_exists(a, "Pasal 6 ayat (3)"), False, True),
    ("Pasal 6 ayat (2) huruf d", lambda a: clause_exists(a, "Pasal 6 ayat (2) huruf d"), True, False),
    ("Lampiran 2c", lambda a: clause_exists(a, "Lampiran 2c"), False, True),
    ("security", lambda a: a.security_clause, "Pasal 6 ayat (1) huruf b", "Pasal 6 ayat (3) huruf c"),
    ("quality", lambda a: a.quality_clause, "Pasal 6 ayat (1) huruf c", "Pasal 6 ayat (1) huruf c"),
    ("duties", lambda a: len(a.clauses["duties"]), 11, 9),
    ("other funding", lambda a: a.clauses["funding"]["other_sources"], True, False),
    ("years", lambda a: a.clauses["term"]["years"], 3, 3),
    ("8(3) months", lambda a: (a.clauses["change"]["notice_calendar_months"], a.clauses["change"]["counted"]), (1, "before"), (1, "before")),
    ("9(2) consent", lambda a: a.clauses["confidentiality"]["third_party_consent_of"], "other_party", "other_party"),
    ("9(3) survival", lambda a: a.clauses["confidentiality"]["survives_end"], True, True),
    ("10 monitoring", lambda a: a.clauses["monitoring"]["times_per_year"], 1, 1),
    ("11(2) language", lambda a: (a.clauses["notices"]["form"], a.clauses["notices"]["language"]), ("written", "id"), ("written", "id")),
    (
        "11(3) working days",
        lambda a: (a.clauses["correspondence_change"]["notice_working_days"], a.clauses["correspondence_change"]["counted"]),
        (7, "before"),
        (7, "since"),
    ),
    ("12 disputes", lambda a: a.clauses["disputes"]["covers"], ("perselisihan", "pertentangan", "perbedaan penafsiran"), ("perbedaan penafsiran",)),
    ("13(3) days", lambda a: (a.clauses["force_majeure"]["notice_calendar_days"], a.clauses["force_majeure"]["counted"]), (14, "after"), (14, "after")),
    ("15(1) originals", lambda a: a.clauses["originals"]["count"], 2, 2),
    ("work plan", lambda a: (a.clauses["work_plan"]["years"], a.work_plan_ends), (1, date(2026, 3, 19)), (3, date(2028, 3, 19))),
    ("pass rate", lambda a: a.pass_rate, 900, 900),
    ("disputes flow", lambda a: a.directions.get("perselisihan_hi"), (("sijunjung", "kemnaker"),), None),
    ("benefits flow", lambda a: a.directions.get("jkp"), None, (("kemnaker", "binjai"),)),
    ("directions", lambda a: (a.direction_clause, a.clauses["directions"]["evidence"]), ("Lampiran 2a; Lampiran 2b", "inferred"), ("Lampiran 2a; Lampiran 2b", "inferred")),
    ("purposes", lambda a: len(a.purposes), 10, 11),
    ("stated purposes", lambda a: sorted(p.code for p in a.purposes if p.stated), ["evaluasi_program", "konsolidasi_data", "perencanaan", "perumusan_kebijakan"], ["konsolidasi_data"]),
    ("service for the ministry", lambda a: any(p.parent == "layanan" and "kemnaker" in p.recipients for p in a.purposes), False, True),
]


@pytest.mark.parametrize(("fact", "find", "sijunjung", "binjai"), FACTS, ids=[f[0] for f in FACTS])
def test_each_agreement_holds_what_was_signed(fact: str, find: Callable[[Agreement], object], sijunjung: object, binjai: object) -> None:
    assert find(SIJUNJUNG) == sijunjung
    assert find(BINJAI) == binjai


def test_no_file_holds_a_mobile_number() -> None:
    assert not [file.name for file in FOLDER.glob("*.toml") if re.search(r"(\b0|\+?62[ -]?)8[\d -]{7,}", file.read_text())]


def test_only_the_office_whose_landline_is_stated_has_a_phone() -> None:
    offices = SIJUNJUNG.clauses["liaison"]["offices"], BINJAI.clauses["liaison"]["offices"]
    phones = [office.get("phone") for group in offices if hasattr(group, "values") for office in group.values()]
    assert sorted(filter(None, phones)) == ["(021) 5273609"]
    assert len(phones) == 4


@pytest.mark.parametrize("agreement", AGREEMENTS.values(), ids=AGREEMENTS)
@pytest.mark.parametrize(
    ("clause", "there"),
    [
        ("Pasal 4", True),
        ("Pasal 4 huruf a", True),
        ("Pasal 4 huruf a angka 7", True),
        ("Pasal 9 ayat (3)", True),
        ("Pasal 15 ayat (2)", True),
        ("Pasal 6 ayat (1) huruf c; Lampiran 2b", True),
        ("Pasal 6 ayat (1) huruf c; Lampiran 3a", False),
        ("Pasal", False),
        ("Pasal 4 huruf", False),
        ("Lampiran", False),
        ("Pasal 16", False),
        ("Pasal 9 ayat (4)", False),
        ("pasal 4", False),
        ("Pasal  4", False),
        ("", False),
    ],
)
def test_only_clauses_of_the_agreement_exist(agreement: Agreement, clause: str, there: bool) -> None:
    assert clause_exists(agreement, clause) is there


def test_a_loaded_agreement_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        SIJUNJUNG.pass_rate = 1  # type: ignore[misc]
    with pytest.raises(TypeError):
        SIJUNJUNG.clauses["term"]["years"] = 9  # type: ignore[index]


def _fields(spec: Spec, path: str = "") -> Iterator[str]:
    if callable(spec):
        yield path
    elif isinstance(spec, Each):
        yield from _fields(spec.value, f"{path}.*")
    else:
        for key, inner in spec.items():
            yield from _fields(inner, f"{path}.{key}" if path else key)


def test_the_format_page_has_one_line_for_every_field() -> None:
    page = (ROOT / "docs" / "formats" / "agreement.md").read_text()
    table = page.partition("| field | holds |")[2].partition("\n## ")[0]
    documented = [line.split("`")[1] for line in table.splitlines() if line.startswith("| `")]
    assert sorted(documented) == sorted(_fields(SPEC))


X25519 = 'clause = "Pasal 14"\nsuite = "X25519/HKDF-SHA256/AES-256-GCM"\nuntil = 2027-06-30\n\n'

# One edit of the Sijunjung file that must be refused: (what, old text, new text, message, line's text after the edit).
BROKEN = [
    ("unknown key", "count = 2\n", "count = 2\ncolour = 1\n", "originals.colour: unknown key", "colour = 1"),
    ("unknown table", "[originals]", "[sanctions]\nx = 1\n\n[originals]", "sanctions: unknown key", "[sanctions]"),
    ("missing key", 'counted = "after"\n', "", "force_majeure: lacks counted", "[force_majeure]"),
    ("missing table", "[templates]", "[liaison.offices.sijunjung.x]", ": lacks templates", None),
    ("wrong type", "notice_working_days = 7", 'notice_working_days = "7"', "must be a whole number above 0", 'notice_working_days = "7"'),
    ("a bool is no number", "times_per_year = 1", "times_per_year = true", "must be a whole number above 0", "times_per_year = true"),
    ("a time is no date", "signed = 2025-03-20 ", "signed = 2025-03-20T00:00:00Z ", "must be a date", "signed = 2025-03-20T00:00:00Z"),
    ("30 February", "ends = 2028-03-19", "ends = 2028-02-30", "is not TOML", "ends = 2028-02-30"),
    ("ends before it starts", "ends = 2028-03-19", "ends = 2025-03-19", "term.ends: is before the start", "ends = 2025-03-19"),
    ("ends a year late", "ends = 2028-03-19", "ends = 2029-03-19", "term.ends: is beyond 3 years", "ends = 2029-03-19"),
    ("starts before the signing", "starts = 2025-03-20", "starts = 2025-03-01", "term.starts: is before the signing", "starts = 2025-03-01"),
    ("is not TOML", "[originals]", "[originals", "not TOML", "[originals"),
    ("a key twice", "count = 2\n", "count = 2\ncount = 3\n", "is not TOML", "count = 3"),
    (
        "a purpose cites a clause of the other agreement",
        'clause = "Pasal 1 ayat (2) huruf b"',
        'clause = "Pasal 6 ayat (3) huruf d"',
        "purposes.satu_data_daerah.clause: this agreement has no such clause",
        'clause = "Pasal 6 ayat (3) huruf d"',
    ),
    (
        "one of two clauses does not exist",
        'clause = "Pasal 1 ayat (2) huruf c; Pasal 6 ayat (2) huruf b"',
        'clause = "Pasal 1 ayat (2) huruf c; Pasal 6 ayat (2) huruf z"',
        "this agreement has no such clause",
        'clause = "Pasal 1 ayat (2) huruf c; Pasal 6 ayat (2) huruf z"',
    ),
    (
        "a direction to a stranger",
        'penempatan = ["sijunjung>kemnaker"]',
        'penempatan = ["sijunjung>binjai"]',
        "directions.pairs.penempatan: item 1 must be sender>recipient between the two parties",
        'penempatan = ["sijunjung>binjai"]',
    ),
    ("a direction to oneself", 'penempatan = ["sijunjung>kemnaker"]', 'penempatan = ["kemnaker>kemnaker"]', "between the two parties", "penempatan = ["),
    (
        "a direction outside the scope",
        'penempatan = ["sijunjung>kemnaker"]\n',
        'penempatan = ["sijunjung>kemnaker"]\nwlkp = ["kemnaker>sijunjung"]\n',
        "directions.pairs.wlkp: is not in the scope of this agreement",
        "wlkp = [",
    ),
    ("a dataset without directions", 'penempatan = ["sijunjung>kemnaker"]\n', "", "directions.pairs: lacks penempatan", "[directions.pairs]"),
    (
        "a purpose for a stranger",
        'recipients = ["sijunjung"]',
        'recipients = ["binjai"]',
        "purposes.satu_data_daerah.recipients: item 1 is no party",
        'recipients = ["binjai"]',
    ),
    (
        "a purpose for a dataset outside the scope",
        'datasets = ["pencari_kerja", "pelatihan"]',
        'datasets = ["pencari_kerja", "jkp"]',
        "purposes.layanan_pelatihan.datasets: item 2 is not in the scope",
        'datasets = ["pencari_kerja", "jkp"]',
    ),
    ("a purpose for nobody", 'recipients = ["sijunjung"]', "recipients = []", "must be a list, not empty", "recipients = []"),
    (
        "a direction twice",
        'penempatan = ["sijunjung>kemnaker"]',
        'penempatan = ["sijunjung>kemnaker", "sijunjung>kemnaker"]',
        "directions.pairs.penempatan: names one item twice",
        "penempatan = [",
    ),
    ("no region", 'region = "13.03"\n', "", "parties: must have a region", None),
    ("an unknown kind of evidence", 'evidence = "stated"', 'evidence = "certain"', "must be one of stated, inferred", 'evidence = "certain"'),
    ("two first parties", "capacity = 2", "capacity = 1", "parties: must be two, of capacity 1 and 2", None),
    (
        "a system of another party",
        'system = "sijoker@sijunjung"',
        'system = "sijoker@binjai"',
        "parties.sijunjung.system: belongs to another party",
        'system = "sijoker@binjai"',
    ),
    ("more rows than there are", "pass_rate = 900", "pass_rate = 1001", "pass_rate: is more than 1000", "pass_rate = 1001"),
    ("another file's id", 'id = "nk-sijunjung-2025"', 'id = "nk-binjai-2025"', "id: is not the file's name", 'id = "nk-binjai-2025"'),
    (
        "a paragraph nobody speaks of",
        '  "Pasal 7",\n',
        '  "Pasal 7", "Pasal 7 ayat (9)",\n',
        "nothing is said of Pasal 7 ayat (9)",
        '  "Pasal 7", "Pasal 7 ayat (9)",',
    ),
    ("X25519 for a stranger", "[templates]", f"[sealing.binjai]\n{X25519}[templates]", "sealing.binjai: is no party", "[sealing.binjai]"),
    ("X25519 without an end", "[templates]", f'[sealing.kemnaker]\n{X25519.replace("until", "#")}[templates]', "sealing.kemnaker: lacks until", "[sealing.kemnaker]"),
    ("a suite of its own", "[templates]", f'[sealing.kemnaker]\n{X25519.replace("X25519/", "P256/")}[templates]', "sealing.kemnaker.suite: must be one of", 'suite = "P256/'),
    ("an empty text", 'form = "written"', 'form = ""', "notices.form: must be one of written", 'form = ""'),
]


@pytest.mark.parametrize(("what", "old", "new", "message", "line"), BROKEN, ids=[case[0] for case in BROKEN])
def test_a_broken_file_is_refused_with_its_line(tmp_path: Path, what: str, old: str, new: str, message: str, line: str | None) -> None:
    source = (FOLDER / "nk-sijunjung-2025.toml").read_text()
    assert old in source
    file = tmp_path / "nk-sijunjung-2025.toml"
    file.write_text(source.replace(old, new, 1))
    with pytest.raises(ConfigError) as caught:
        load_agreements(tmp_path)
    assert message in caught.value.message
    assert caught.value.file == str(file)
    if line:
        assert file.read_text().splitlines()[caught.value.line - 1].lstrip().startswith(line.lstrip())


def test_an_agreement_may_name_x25519_for_a_party(tmp_path: Path) -> None:
    source = (FOLDER / "nk-sijunjung-2025.toml").read_text()
    (tmp_path / "nk-sijunjung-2025.toml").write_text(source.replace("[templates]", f"[sealing.kemnaker]\n{X25519}[templates]", 1))
    sealing = load_agreements(tmp_path)["nk-sijunjung-2025"].clauses["sealing"]
    assert sealing == {"kemnaker": {"clause": "Pasal 14", "suite": SUITE_X25519, "until": date(2027, 6, 30)}}


@pytest.mark.parametrize("source", sorted(FOLDER.glob("*.toml")), ids=lambda file: file.stem)
def test_no_line_of_a_file_can_be_lost_unseen(tmp_path: Path, source: Path) -> None:
    lines = source.read_text().splitlines(keepends=True)
    optional = re.compile(r"#|\s*$|place =|phone =")
    listed = {text for table, key in (("document", "legal_basis"), ("confidentiality", "exceptions")) for text in _texts(source.stem, table, key)}
    survivors = []
    for i, line in enumerate(lines):
        if optional.match(line) or line.strip().strip('",') in listed:
            continue
        (tmp_path / source.name).write_text("".join(lines[:i] + lines[i + 1 :]))
        with suppress(ConfigError):
            load_agreements(tmp_path)
            survivors.append(line)
    assert survivors == []


def _texts(agreement: str, table: str, key: str) -> tuple[str, ...]:
    texts = AGREEMENTS[agreement].clauses[table][key]
    assert isinstance(texts, tuple)
    return texts


def test_a_file_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "nk-sijunjung-2025.toml").write_bytes(b'id = "nk-sijunjung-2025"\nnama = "\xff"\n')
    with pytest.raises(ConfigError, match=r"nk-sijunjung-2025\.toml:2: is not UTF-8"):
        load_agreements(tmp_path)


def test_one_broken_file_loads_none(tmp_path: Path) -> None:
    for file in FOLDER.glob("*.toml"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "nk-lain-2026.toml").write_text('id = "nk-lain-2026"\n')
    with pytest.raises(ConfigError, match="nk-lain-2026"):
        load_agreements(tmp_path)


def test_a_folder_without_agreements_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no agreement here"):
        load_agreements(tmp_path)


def test_a_quote_is_in_the_agreements_own_file_and_of_a_clause_that_it_has() -> None:
    for agreement in load_agreements(FOLDER).values():
        text = (FOLDER / f"{agreement.id}.toml").read_text(encoding="utf-8")
        found = quotes(agreement)
        assert found["Pasal 4 huruf a angka 1"] == ("pencari kerja",)
        assert "Pasal 9 ayat (2)" not in found
        assert "data Jaminan Kehilangan Pekerjaan (JKP)" not in found.get("Pasal 2 ayat (2) huruf a", ())  # of three clauses together
        for clause, words in found.items():
            assert any(one.startswith(clause) for one in paragraphs(agreement)), clause
            assert all(one in text for one in words)
