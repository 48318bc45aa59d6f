"""Everything that Casbin's own parser drops, ignores or misreads in silence stops the broker here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from broker.agreement import clause_exists, load_agreements
from broker.contract import load_contracts
from broker.errors import ConfigError
from broker.policy import load_policy

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
    "a space before a value": (CAP, ",nk-*", ", nk-*", "dom: not a word"),
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
    "a date in another form": (ALLOW, "2025-03-20", "20-03-2025", "dari, sampai: two dates"),
    "a week date": (ALLOW, "2025-03-20", "2025-W12-4", "dari, sampai: two dates"),
    "a day that is not": (ALLOW, "2025-03-20", "2025-02-30", "dari, sampai: two dates"),
    "an end before its start": (ALLOW, "2028-03-20", "2025-03-20", "dari, sampai: two dates"),
    "an allow after the agreement": (ALLOW, "2028-03-20", "2028-03-21", "outside the term of nk-sijunjung-2025"),
    "an allow before the agreement": (ALLOW, "2025-03-20", "2025-03-19", "outside the term of nk-sijunjung-2025"),
    "a locked cap that ends": (CAP, "9999-12-31", "2028-03-20", "sampai: a locked cap"),
    "an unknown lock": (CAP, ",ya", ",yes", "kunci: not a word"),
    "a locked allow": (ALLOW, ",tidak", ",ya", "kunci: only a cap"),
    "an allow for everyone": (ALLOW, "penerima", "*", "an allow says who"),
    "an allow of everything": (ALLOW, "pencari_kerja.nik", "*", "an allow says who"),
    "an allow of every action": (ALLOW, "terima", "*", "an allow says who"),
    "a clause that Sijunjung has not": (ALLOW, "Pasal 4 huruf a angka 1", "Pasal 6 ayat (3)", "has no such clause"),
    "a clause that only Binjai has, cited for both": (CAP, "UU 27/2022 Pasal 25", BOTH.format("Pasal 6 ayat (3)"), "has no such clause"),
    "a citation missing for one agreement": (CAP, "UU 27/2022 Pasal 25", "nk-binjai-2025: Pasal 9 ayat (1)", "for each agreement"),
    "a citation of a foreign agreement": (ALLOW, "nk-sijunjung-2025: P", "nk-binjai-2025: P", "does not cover"),
    "a bare clause": (ALLOW, "nk-sijunjung-2025: P", "P", "neither"),
    "an allow that rests on a law": (ALLOW, "nk-sijunjung-2025: Pasal 4 huruf a angka 1", "UU 27/2022 Pasal 25", "neither"),
    "a law that nobody listed": (CAP, "UU 27/2022 Pasal 25", "UU 1/1945 Pasal 1", "neither"),
    "the same citation twice": (CAP, "UU 27/2022 Pasal 25", "UU 27/2022 Pasal 25; UU 27/2022 Pasal 25", "twice"),
}  # fmt: skip


@pytest.mark.parametrize(("line", "old", "new", "message"), FAULTS.values(), ids=FAULTS)
def test_a_row_with_a_fault_is_refused_with_its_line(load: Callable[..., Policy], line: str, old: str, new: str, message: str) -> None:
    assert old in line
    with pytest.raises(ConfigError) as refused:
        load(LOCAL, line.replace(old, new, 1))
    assert message in refused.value.message
    assert refused.value.line == 3
    assert refused.value.file.endswith("rules.csv")


def test_an_id_may_be_used_once(load: Callable[..., Policy]) -> None:
    with pytest.raises(ConfigError, match=r"rules\.csv:4: id: the same id twice"):
        load(ALLOW, LOCAL, CAP.replace("K.1", "A.1"))


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
    with pytest.raises(ConfigError, match="wider than nk-sijunjung-2025 for sijoker@sijunjung, pencari_kerja, evaluasi_program"):
        load(ALLOW, CAP)


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
