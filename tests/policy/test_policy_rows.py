"""Everything that Casbin's own parser drops, ignores or misreads in silence stops the broker here."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from broker.agreement import clause_exists, load_agreements
from broker.contract import load_contracts
from broker.errors import ConfigError
from broker.lifecycle.faults import in_indonesian
from broker.policy import compile_policy, load_policy, rule_faults
from broker.policy.universe import universe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from broker.model import Agreement, Contract
    from broker.policy import Policy

ROOT = Path(__file__).resolve().parents[2]
HEADER = "id,sub,dom,obj,act,pur,row,lv,dari,sampai,pasal,eft,kunci"
ALLOW = (
    "A.1,penerima,nk-sijunjung-2025,pencari_kerja.nik,terima,evaluasi_program,*,3,2025-03-20,2028-03-20,"
    "nk-sijunjung-2025: Pasal 4 huruf a angka 1,allow,tidak"
)
CAP = "K.1,*,nk-*,kelas:umum,*,*,anak,3,2025-03-20,9999-12-31,UU 27/2022 Pasal 25,deny,ya"
LOCAL = "K.2,sijoker@sijunjung,nk-sijunjung-2025,*,terima,evaluasi_program,*,0,2025-03-20,9999-12-31,nk-sijunjung-2025: Pasal 6 ayat (2) huruf d,deny,ya"


@pytest.fixture(scope="module")
def agreements() -> Mapping[str, Agreement]:
    return load_agreements(ROOT / "policies/agreements")


@pytest.fixture(scope="module")
def contracts() -> Mapping[str, Contract]:
    return load_contracts(ROOT / "policies/datasets")


@pytest.fixture
def load(tmp_path: Path, contracts: Mapping[str, Contract], agreements: Mapping[str, Agreement]) -> Callable[..., Policy]:
    def load_lines(*lines: str, model: bytes | None = None, data: bytes | None = None) -> Policy:
        (tmp_path / "model.conf").write_bytes(model or (ROOT / "policies/model.conf").read_bytes())
        (tmp_path / "rules.csv").write_bytes(data or ("\n".join((HEADER, *lines)) + "\n").encode())
        return load_policy(tmp_path, contracts, agreements, clause_exists)

    return load_lines


def test_a_good_file_loads(load: Callable[..., Policy]) -> None:
    policy = load(ALLOW, CAP, LOCAL)
    assert [row.id for row in policy.rows] == ["A.1", "K.1", "K.2"]
    assert [row.line for row in policy.rows] == [2, 3, 4]


BOTH = "nk-sijunjung-2025: {0}; nk-binjai-2025: {0}"
FAULTS = {
    "an effect in capitals": (CAP, "deny", "Deny", "eft: not a word"),
    "a quoted effect": (CAP, "deny", '"deny"', "a quote"),
    "a quoted comma": (CAP, "UU 27/2022 Pasal 25", '"Pasal 4, 5"', "a quote"),
    "an unclosed quote": (CAP, "K.1", '"K.1', "a quote"),
    "a comment in a row": (CAP, "deny", "deny # sementara", "a comment"),
    "a comment as a row": (CAP, "K.1,", "# K.1,", "a comment"),
    "a missing column": (CAP, ",ya", "", "12 columns, 13 expected"),
    "a column too many": (CAP, ",ya", ",ya,ya", "14 columns, 13 expected"),
    "a row type in front, as Casbin writes it": (CAP, "K.1", "p, K.1", "14 columns, 13 expected"),
    "a comma in a value": (CAP, "Pasal 25", "Pasal 25, 26", "14 columns, 13 expected"),
    "a blank line": (CAP, CAP, "", "0 columns, 13 expected"),
    "a carriage return": (CAP, ",ya", ",ya\r", "a carriage return"),
    "a tab": (CAP, "K.1,", "K.1\t,", "a tab"),
    "NUL": (CAP, "K.1,", "K.1\0,", "NUL"),
    "a byte order mark inside": (CAP, "anak", "\ufeffanak", "a byte order mark"),
    "a blank that does not break": (CAP, "27/2022 P", "27/2022\u00a0P", "a character that cannot be seen"),
    "a line separator": (CAP, "anak", "anak\u2028", "a character that cannot be seen"),
    "a character of no width": (CAP, "deny", "de\u200bny", "a character that cannot be seen"),
    "a blank after a value": (CAP, "Pasal 25", "Pasal 25 ", "pasal: a blank"),
    "a blank at the end of the line": (CAP, ",ya", ",ya ", "kunci: a blank"),
    "nothing but a blank": (CAP, "anak", " ", "row: a blank"),
    "a letter of another script": (CAP, "deny", "dеny", "eft: not a word"),
    "an action in capitals": (ALLOW, "terima", "Terima", "act: not a word"),
    "a lock in capitals": (CAP, ",ya", ",Ya", "kunci: not a word"),
    "an id of 101 letters": (CAP, "K.1", "K" * 101, "id: letters"),
    "an id that begins with a digit": (CAP, "K.1", "1.K", "id: letters"),
    "a quote in the middle": (CAP, "Pasal 25", 'Pasal "25"', "a quote"),
    "a bracket too many": (ALLOW, "huruf a angka 1", "huruf a) angka 1", "pasal: nk-sijunjung-2025 has no such clause"),
    "a citation of an agreement by a wrong name": (ALLOW, "nk-sijunjung-2025: P", "nk-Sijunjung-2025: P", "pasal: cites an agreement"),
    "two blanks in a clause": (ALLOW, "Pasal 4 huruf", "Pasal 4  huruf", "pasal: nk-sijunjung-2025 has no such clause"),
    "a space before a value": (CAP, ",nk-*", ", nk-*", "dom: a blank"),
    "an empty value": (CAP, "anak", "", "row: empty"),
    "an empty id": (CAP, "K.1", "", "id: empty"),
    "an id with a space": (CAP, "K.1", "K 1", "id: letters"),
    "an unknown subject": (ALLOW, "penerima", "operator", "sub: not a word"),
    "a role in capitals": (ALLOW, "penerima", "Penerima", "sub: not a word"),
    "the synthetic unknown": (ALLOW, "penerima", "?", "sub: not a word"),
    "an unknown agreement": (ALLOW, ",nk-sijunjung-2025,", ",nk-medan-2025,", "dom: not a word"),
    "a wildcard of one's own": (ALLOW, ",nk-sijunjung-2025,", ",*,", "dom: not a word"),
    "an unknown column": (ALLOW, "pencari_kerja.nik", "pencari_kerja.nikk", "obj: not a word"),
    "a column pattern": (ALLOW, "pencari_kerja.nik", "pencari_kerja.*_wilayah", "obj: not a word"),
    "an unknown class": (CAP, "kelas:umum", "kelas:rahasia", "obj: not a word"),
    "a class that a dataset lacks": (CAP, "kelas:umum", "wlkp/kelas:spesifik", "obj: not a word"),
    "an unknown action": (ALLOW, "terima", "tarik", "act: not a word"),
    "an unknown purpose": (ALLOW, "evaluasi_program", "pemasaran", "pur: not a word"),
    "a parent without its prefix": (ALLOW, "evaluasi_program", "layanan", "pur: not a word"),
    "an unknown row class": (CAP, "anak", "dewasa", "row: not a word"),
    "flags out of order": (CAP, "anak", "spesifik+anak", "row: not a word"),
    "a level above five": (CAP, ",3,", ",6,", "lv: not a word"),
    "a level of two digits": (CAP, ",3,", ",03,", "lv: not a word"),
    "a level in another script": (CAP, ",3,", ",٣,", "lv: not a word"),
    "an allow of nothing": (ALLOW, ",3,", ",0,", "lv: an allow of 0"),
    "a cap of nothing": (CAP, ",3,", ",5,", "lv: a cap of 5"),
    "a date in another form": (ALLOW, "2025-03-20", "20-03-2025", "dari: not a date"),
    "a week date": (ALLOW, "2025-03-20", "2025-W12-4", "dari: not a date"),
    "a day that is not": (ALLOW, "2025-03-20", "2025-02-30", "dari: not a date"),
    "an end that is no day": (CAP, "9999-12-31", "9999-12-32", "sampai: not a date"),
    "a date in other digits": (ALLOW, "2025-03-20", "２025-03-20", "dari: not a date"),
    "an end on its start": (ALLOW, "2028-03-20", "2025-03-20", "sampai: not after dari"),
    "an allow after the agreement": (ALLOW, "2028-03-20", "2028-03-21", "sampai: after the term of nk-sijunjung-2025"),
    "an allow before the agreement": (ALLOW, "2025-03-20", "2025-03-19", "dari: before the term of nk-sijunjung-2025"),
    "a locked cap that ends": (CAP, "9999-12-31", "2028-03-20", "sampai: a locked cap"),
    "an unknown lock": (CAP, ",ya", ",yes", "kunci: not a word"),
    "a locked allow": (ALLOW, ",tidak", ",ya", "kunci: only a cap"),
    "an allow for everyone": (ALLOW, "penerima", "*", "sub: an allow says who"),
    "an allow of everything": (ALLOW, "pencari_kerja.nik", "*", "obj: an allow says who"),
    "an allow of every action": (ALLOW, "terima", "*", "act: an allow says who"),
    "a clause that Sijunjung has not": (ALLOW, "Pasal 4 huruf a angka 1", "Pasal 6 ayat (3)", "pasal: nk-sijunjung-2025 has no such clause"),
    "a clause that only Binjai has, cited for both": (CAP, "UU 27/2022 Pasal 25", BOTH.format("Pasal 6 ayat (3)"), "pasal: nk-sijunjung-2025 has no such clause"),
    "a citation missing for one agreement": (CAP, "UU 27/2022 Pasal 25", "nk-binjai-2025: Pasal 9 ayat (1)", "pasal: a citation is needed for each agreement"),
    "a citation of a foreign agreement": (ALLOW, "nk-sijunjung-2025: P", "nk-binjai-2025: P", "pasal: cites an agreement that the rule does not cover"),
    "a bare clause": (ALLOW, "nk-sijunjung-2025: P", "P", "pasal: neither"),
    "an allow that rests on a law": (ALLOW, "nk-sijunjung-2025: Pasal 4 huruf a angka 1", "UU 27/2022 Pasal 25", "pasal: neither"),
    "a law that nobody listed": (CAP, "UU 27/2022 Pasal 25", "UU 1/1945 Pasal 1", "pasal: neither"),
    "the same citation twice": (CAP, "UU 27/2022 Pasal 25", "UU 27/2022 Pasal 25; UU 27/2022 Pasal 25", "pasal: the same citation twice"),
}  # fmt: skip


@pytest.mark.parametrize(("line", "old", "new", "message"), FAULTS.values(), ids=FAULTS)
def test_a_row_with_a_fault_is_refused_with_its_line_and_column(
    load: Callable[..., Policy], line: str, old: str, new: str, message: str
) -> None:
    assert old in line
    wrong = line.replace(old, new, 1)
    with pytest.raises(ConfigError) as refused:
        load(LOCAL, wrong)
    error = refused.value
    assert message in error.message
    assert (error.line, error.column) == (3, column_at_fault(wrong, message))
    assert error.file.endswith("rules.csv")
    assert str(error) == f"{error.file}:3:{error.column}: {error.message}"
    assert in_indonesian(error.message) not in (error.message, "")


def column_at_fault(line: str, message: str) -> int:
    """Where the value that the message names begins; the sign itself where it is a sign."""
    name = message.partition(":")[0]
    if name in HEADER.split(","):
        return 1 + sum(len(value) + 1 for value in line.split(",")[: HEADER.split(",").index(name)])
    if "columns" in message:
        return 1 + len(",".join(line.split(",")[:13]))
    signs = {"a quote": '"', "a comment": "#"}
    return 1 + next(n for n, sign in enumerate(line) if (sign == signs[message] if message in signs else not sign.isprintable()))


def test_places_of_faults_written_out(load: Callable[..., Policy]) -> None:
    for line, column in ((CAP.replace("deny", "Deny"), 76), (CAP.replace("K.1", "K 1"), 1), (CAP.replace(",ya", ""), 80), (CAP + ",ya", 83)):
        with pytest.raises(ConfigError) as refused:
            load(LOCAL, line)
        assert (refused.value.line, refused.value.column) == (3, column)


def test_an_id_may_be_used_once(load: Callable[..., Policy]) -> None:
    with pytest.raises(ConfigError, match=r"rules\.csv:4:1: id: the same id twice"):
        load(ALLOW, LOCAL, CAP.replace("K.1", "A.1"))


def test_the_bounds_of_an_allow_and_of_a_cap_are_in_bounds(load: Callable[..., Policy]) -> None:
    low = ALLOW.replace("A.1", "A" * 100).replace("evaluasi_program", "tata_kelola_data").replace(",3,", ",1,")
    high = ALLOW.replace("A.1", "A.5").replace("evaluasi_program", "tata_kelola_data").replace(",3,", ",5,")
    rows = load(low, high, CAP.replace(",3,", ",0,"), CAP.replace("K.1", "K.4").replace(",3,", ",4,")).rows
    assert [row.lv for row in rows] == ["1", "5", "0", "4"]


def test_a_cap_that_is_not_locked_may_end(load: Callable[..., Policy]) -> None:
    assert load(CAP.replace("9999-12-31,", "2025-03-21,").replace(",ya", ",tidak")).rows[0].sampai == "2025-03-21"


def test_brackets_and_semicolons_in_a_citation_reach_casbin_as_one_value(load: Callable[..., Policy]) -> None:
    pasal = "nk-sijunjung-2025: Pasal 9 ayat (2); nk-binjai-2025: Pasal 9 ayat (2)"
    (row,) = load(CAP.replace("UU 27/2022 Pasal 25", pasal)).rows
    assert row.values[10] == row.pasal == pasal


def test_a_citation_that_bears_out_one_rule_is_judged_again_for_another(load: Callable[..., Policy]) -> None:
    with pytest.raises(ConfigError, match=r":3:\d+: pasal: neither"):
        load(CAP, ALLOW.replace("nk-sijunjung-2025: Pasal 4 huruf a angka 1", "UU 27/2022 Pasal 25"))
    with pytest.raises(ConfigError, match=r":3:\d+: pasal: cites an agreement"):
        load(LOCAL, LOCAL.replace("K.2", "K.3").replace("sijoker@sijunjung,nk-sijunjung-2025", "sibuser@binjai,nk-binjai-2025"))


def test_ten_thousand_rules_load(load: Callable[..., Policy]) -> None:
    assert len(load(*(LOCAL.replace("K.2", f"K.{n}") for n in range(10_000))).rows) == 10_000


def test_rules_of_so_many_days_that_their_tables_would_fill_the_memory_are_refused(load: Callable[..., Policy]) -> None:
    governance = ALLOW.replace("evaluasi_program", "tata_kelola_data")
    days = [(date(2025, 3, 20) + timedelta(days=n)).isoformat() for n in range(1096)]
    with pytest.raises(ConfigError, match="too many different days"):
        load(*(governance.replace("A.1", f"A.{n}").replace("2025-03-20", day) for n, day in enumerate(days)))


@pytest.mark.parametrize(
    ("data", "line", "column", "message"),
    [
        (HEADER.encode() + b"\n\xff\n", 2, 1, "not UTF-8"),
        (f"{HEADER}\n{LOCAL}\n{CAP[:40]}é".encode() + b"\xff,\n", 3, 42, "not UTF-8"),
        (b"\xef\xbb\xbf" + f"{HEADER}\n{CAP}\n".encode(), 1, 1, "a byte order mark"),
        (f"{HEADER}\r\n{CAP}\r\n".encode(), 1, len(HEADER) + 1, "a carriage return"),
        (f"{HEADER}\n{LOCAL}\n{CAP}".encode(), 3, 0, "cut short"),
        (f"{HEADER}\n{LOCAL}\n\n".encode(), 3, 1, "0 columns"),
        (f"{HEADER},\n{LOCAL}\n".encode(), 1, 1, "the first line must be"),
        (f"{HEADER}\n".encode(), 1, 0, "holds no rule"),
        (b"\n", 1, 1, "the first line must be"),
    ],
    ids=["not UTF-8", "not UTF-8 after more than ASCII", "a byte order mark", "CRLF", "no LF at the end", "a blank line at the end", "a header too long", "no rule", "a blank line"],
)  # fmt: skip
def test_a_file_at_fault_is_refused_where_it_is_at_fault(load: Callable[..., Policy], data: bytes, line: int, column: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as refused:
        load(data=data)
    assert (refused.value.line, refused.value.column) == (line, column)
    assert in_indonesian(refused.value.message) != refused.value.message


def test_no_bytes_are_no_rules(contracts: Mapping[str, Contract], agreements: Mapping[str, Agreement]) -> None:
    model = (ROOT / "policies/model.conf").read_bytes()
    with pytest.raises(ConfigError, match=r"^rules\.csv:1: is empty"):
        compile_policy(b"", model, contracts, agreements, clause_exists, 1)
    with pytest.raises(ConfigError, match=r"^model\.conf:1: is empty"):
        compile_policy(f"{HEADER}\n{LOCAL}\n".encode(), b"", contracts, agreements, clause_exists, 1)


def test_bytes_and_a_folder_of_them_are_one_policy(contracts: Mapping[str, Contract], agreements: Mapping[str, Agreement]) -> None:
    rules, model = ((ROOT / "policies" / name).read_bytes() for name in ("rules.csv", "model.conf"))
    here, there = compile_policy(rules, model, contracts, agreements, clause_exists, 4), load_policy(ROOT / "policies", contracts, agreements, clause_exists, 4)
    assert (here.version, here.sha256, here.rows, here.model) == (there.version, there.sha256, there.rows, there.model)
    assert here.version == 4


@pytest.mark.parametrize(
    "data",
    [b"", HEADER.encode(), HEADER.replace("eft", "efek").encode(), b"\xef\xbb\xbf" + HEADER.encode(), HEADER.encode() + b"\n\xff\n"],
    ids=["empty", "no rule", "another header", "a byte order mark", "not UTF-8"],
)
def test_a_file_that_is_no_rules_file_is_refused(load: Callable[..., Policy], data: bytes) -> None:
    with pytest.raises(ConfigError, match=r"rules\.csv"):
        load(data=data or b"\n")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"some(where (p.eft == allow)) && !some(where (p.eft == deny))", b"some(where (p.eft == allow))"),
        (b"[matchers]", b"e2 = some(where (p.eft == allow))\n[matchers]"),
        (b" && r.now < p.sampai", b""),
        (b"g5 = _, _\n", b""),
        (b"g5 = _, _", b"g5 = _, _, (_, _)"),
        (b"[role_definition]", b"[role_definitions]"),
        (b"[matchers]", b"[matchers] # ini"),
        (b"m = ", b"m=  "),
    ],
)
def test_a_model_with_another_meaning_is_refused(load: Callable[..., Policy], old: bytes, new: bytes) -> None:
    model = (ROOT / "policies/model.conf").read_bytes()
    assert old in model
    with pytest.raises(ConfigError, match=r"model\.conf"):
        load(ALLOW, model=model.replace(old, new))


def test_a_model_that_breaks_off_is_refused(load: Callable[..., Policy]) -> None:
    with pytest.raises(ConfigError, match="a definition is missing"):
        load(ALLOW, model=(ROOT / "policies/model.conf").read_bytes().partition(b"[matchers]")[0])


def test_a_policy_wider_than_the_purpose_table_is_refused(load: Callable[..., Policy]) -> None:
    with pytest.raises(ConfigError, match="wider than nk-sijunjung-2025 for sijoker@sijunjung, pencari_kerja, evaluasi_program") as refused:
        load(CAP, LOCAL.replace(",*,terima", ",pencari_kerja.nama_lengkap,terima"), ALLOW)
    assert (refused.value.line, refused.value.column) == (4, 32)


def test_a_policy_that_lets_a_party_send_what_it_does_not_provide_is_refused(load: Callable[..., Policy]) -> None:
    send = "A.2,sibuser@binjai,nk-binjai-2025,wlkp.*,kirim,*,*,5,2025-03-20,2028-03-20,nk-binjai-2025: Lampiran 2a,allow,tidak"
    with pytest.raises(ConfigError, match="kirim: wider than nk-binjai-2025 for sibuser@binjai, wlkp"):
        load(send)


def test_a_system_gets_nothing_under_an_agreement_it_is_no_party_to(load: Callable[..., Policy]) -> None:
    foreign = ALLOW.replace("penerima", "sibuser@binjai").replace("evaluasi_program", "*")
    with pytest.raises(ConfigError, match="wider than nk-sijunjung-2025 for sibuser@binjai"):
        load(foreign)


def test_a_purpose_added_to_an_agreement_opens_nothing_by_itself(
    contracts: Mapping[str, Contract], agreements: Mapping[str, Agreement]
) -> None:
    agreement = agreements["nk-sijunjung-2025"]
    added = replace(agreement.purposes[0], code="penyuluhan", datasets=frozenset({"lowongan"}))
    extended = {**agreements, agreement.id: replace(agreement, purposes=(*agreement.purposes, added))}
    with pytest.raises(ConfigError, match=r"terima: wider than .*, penyuluhan"):
        load_policy(ROOT / "policies", contracts, extended, clause_exists)


def test_an_agreement_added_to_the_folder_is_covered_by_no_rule_until_rules_cite_it(
    contracts: Mapping[str, Contract], agreements: Mapping[str, Agreement]
) -> None:
    third = replace(agreements["nk-binjai-2025"], id="nk-medan-2026")
    with pytest.raises(ConfigError, match="for each agreement"):
        load_policy(ROOT / "policies", contracts, {**agreements, third.id: third}, clause_exists)


def test_a_missing_file_is_refused(tmp_path: Path, contracts: Mapping[str, Contract], agreements: Mapping[str, Agreement]) -> None:
    with pytest.raises(ConfigError, match=r"model\.conf:1: cannot be read"):
        load_policy(tmp_path, contracts, agreements, clause_exists)


def test_each_byte_of_both_files_is_in_the_policys_hash(load: Callable[..., Policy]) -> None:
    model = (ROOT / "policies/model.conf").read_bytes()
    hashes = {
        load(ALLOW, LOCAL).sha256,
        load(ALLOW.replace(",3,", ",2,"), LOCAL).sha256,
        load(ALLOW, LOCAL, model=model.replace(b"# ", b"#  ", 1)).sha256,
    }
    assert len(hashes) == 3
    assert load(ALLOW, LOCAL).sha256 in hashes


def test_a_wider_rule_held_down_by_a_cap_is_not_wider(load: Callable[..., Policy]) -> None:
    assert load(ALLOW, LOCAL)


def two_parties_with_one_system(agreement: Agreement) -> Agreement:
    return replace(agreement, systems=dict.fromkeys(agreement.systems, "siapkerja@kemnaker"))


def a_system_called_as_a_role(agreement: Agreement) -> Agreement:
    return replace(agreement, systems={**agreement.systems, "kemnaker": "penerima"})


def a_system_called_as_an_outsider(agreement: Agreement) -> Agreement:
    return replace(agreement, systems={**agreement.systems, "kemnaker": "publik"})


def a_purpose_called_as_a_parent(agreement: Agreement) -> Agreement:
    return replace(agreement, purposes=(*agreement.purposes, replace(agreement.purposes[0], code="induk:layanan")))


def a_purpose_called_everything(agreement: Agreement) -> Agreement:
    return replace(agreement, purposes=(*agreement.purposes, replace(agreement.purposes[0], code="*")))


def a_purpose_called_unknown(agreement: Agreement) -> Agreement:
    return replace(agreement, purposes=(*agreement.purposes, replace(agreement.purposes[0], code="?")))


@pytest.mark.parametrize(
    "changed",
    [
        two_parties_with_one_system,
        a_system_called_as_a_role,
        a_system_called_as_an_outsider,
        a_purpose_called_as_a_parent,
        a_purpose_called_everything,
        a_purpose_called_unknown,
    ],
)
def test_one_name_for_two_things_is_refused(
    contracts: Mapping[str, Contract], agreements: Mapping[str, Agreement], changed: Callable[[Agreement], Agreement]
) -> None:
    twisted = {**agreements, "nk-binjai-2025": changed(agreements["nk-binjai-2025"])}
    with pytest.raises(ConfigError, match=r"one system of two parties|one name for two things"):
        universe(contracts, twisted)


def test_an_agreement_called_as_all_of_them_and_a_column_as_its_dataset_are_refused(
    contracts: Mapping[str, Contract], agreements: Mapping[str, Agreement]
) -> None:
    with pytest.raises(ConfigError, match="dom: one name for two things"):
        universe(contracts, {**agreements, "nk-*": replace(agreements["nk-binjai-2025"], id="nk-*")})
    jkp = contracts["jkp"]
    with pytest.raises(ConfigError, match="obj: one name for two things"):
        universe({**contracts, "jkp": replace(jkp, columns=(*jkp.columns, replace(jkp.columns[0], name="*")))}, agreements)


def test_every_wrong_line_is_told_once(agreements: Mapping[str, Agreement], contracts: Mapping[str, Contract]) -> None:
    known = universe(contracts, agreements)

    def told(*lines: str, most: int = 50, end: str = "\n") -> list[tuple[int, str]]:
        found = rule_faults(("\n".join((HEADER, *lines)) + end).encode(), known, agreements, clause_exists, most)
        return [(error.line, error.message.partition(":")[0]) for error in found]

    assert told(ALLOW, CAP) == []
    assert told(ALLOW.replace(",allow,", ",Allow,"), CAP, "x", CAP) == [(2, "eft"), (4, "1 columns, 13 expected"), (5, "id")]
    assert len(told(*["x"] * 9, most=3)) == 3
    assert [line for line, _ in told(ALLOW, end="")] == [2]
