"""The pages of docs/formats say what the code does: their tables are read and compared."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from broker.audit.reidentify import FEW, GROUNDS, QUOTA
from broker.contract.validate import RULES
from broker.detection.detect import KINDS, MAX_TEXT
from broker.envelope.dsse import ANSWER, APPROVAL, CONFIRMED, DESTRUCTION, EXPORT, MANIFEST, PASSKEY, POLICY, STATEMENT, SUCCESSION, VOUCHER
from broker.envelope.seal import CORE_FIELDS, SUITES
from broker.errors import REASONS
from broker.identity.requests import NONCE_SECONDS, WINDOW_SECONDS
from broker.keys import LABELS, create_ring
from broker.keys.material import PUBLIC_TYPES
from broker.keys.ring import STATES, to_json
from broker.keys.rotate import _MAY
from broker.ledger.leaves import LEAF, STORED
from broker.ledger.manifest import MAX_ENTRY, OUTCOMES, WITHHELD_PROFILE
from broker.model import ROW_FLAGS
from broker.selftest.columns import SERVER
from broker.submission import STATEMENT_FIELDS
from broker.treatment.clean import ENTITIES, KEPT, PLACEHOLDERS

if TYPE_CHECKING:
    from tests.formats.conftest import Kept

DOCS = Path(__file__).parents[2] / "docs"
PAGES = DOCS / "formats"


def table(page: str, first: str) -> list[list[str]]:
    """The rows of the page's table whose header begins with `first`, a cell that is one word in backticks without them."""
    lines = (PAGES / page).read_text(encoding="utf-8").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| {first} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([re.sub(r"^`([^`]*)`$", r"\1", cell.strip()) for cell in line.strip("|").split(" | ")])
    return rows


def words(page: str) -> str:
    return " ".join((PAGES / page).read_text(encoding="utf-8").split())


def test_the_label_table_is_the_codes() -> None:
    rows = table("keys.md", "name")
    assert [(name, label.encode()) for name, label, *_ in rows] == list(LABELS.items())


def test_the_public_keys_are_the_codes() -> None:
    assert {row[0] for row in table("keys.md", "purpose")} - {"`root`, `vault`"} == set(PUBLIC_TYPES)
    assert PUBLIC_TYPES["receipt"][1] == 32 + 1_952
    assert PUBLIC_TYPES["kem"][1] == 1_184 + 32


def test_the_ring_is_the_codes(tmp_path: Path) -> None:
    said = json.loads(to_json(create_ring(tmp_path / "nk", ("log",), datetime(2026, 11, 21, tzinfo=UTC))))
    assert [row[0] for row in table("keys.md", "member")] == sorted(said)
    assert [row[0] for row in table("keys.md", "key's member")] == sorted(said["keys"][0])
    rows = table("keys.md", "state")
    assert [row[0] for row in rows] == list(STATES)
    steps = {(row[0], word) for row in rows for word in re.findall(r"`([a-z]+)`", row[2])}
    assert steps == {(old, new) for new, olds in _MAY.items() for old in olds}


def test_the_self_tests_are_the_codes() -> None:
    assert [row[0] for row in table("keys.md", "self-test")] == list(SERVER)


def test_the_outcome_table_is_the_codes() -> None:
    assert [(word, int(code, 16)) for word, code, _ in table("leaf.md", "word")] == list(OUTCOMES.items())


def test_the_leaf_has_the_width_of_its_table() -> None:
    assert sum(int(size) for size, _ in table("leaf.md", "bytes")) == LEAF
    assert f"the other {STORED}" in words("leaf.md")
    assert f"{WITHHELD_PROFILE:#06X}".replace("0X", "0x") in words("leaf.md")


def test_the_statement_has_the_fields_of_its_table() -> None:
    assert {row[0] for row in table("submission.md", "field")} == STATEMENT_FIELDS


def test_the_core_header_has_the_fields_of_its_table() -> None:
    assert {row[0] for row in table("envelope.md", "core field")} == CORE_FIELDS
    assert {row[1]: row[0] for row in table("envelope.md", "suite")} == SUITES


def test_the_payload_types_are_the_codes() -> None:
    assert [row[0] for row in table("receipt.md", "payload type")] == [STATEMENT, MANIFEST, POLICY, APPROVAL, VOUCHER, PASSKEY, EXPORT, ANSWER, CONFIRMED, SUCCESSION, DESTRUCTION]


def test_the_reason_table_is_the_codes() -> None:
    assert table("problems.md", "reason") == [[name, str(r.status), r.pasal, r.id, r.en] for name, r in REASONS.items()]


def test_the_window_is_the_codes() -> None:
    assert f"more than {WINDOW_SECONDS} s" in words("request.md")
    assert f"kept {NONCE_SECONDS} s" in words("request.md")


def test_a_real_manifest_has_the_fields_of_its_tables(kept: Kept) -> None:
    manifest = json.loads(b64decode(json.loads(kept.files["proof.json"])["manifest"]))
    rows = table("manifest.md", "field")
    assert [row[0] for row in rows] == sorted(manifest)
    lines = (PAGES / "manifest.md").read_text(encoding="utf-8")
    inner = {f"{name}.{part}" for name in (row[0] for row in rows if row[1] == "see below") for part in manifest[name]}
    assert set(re.findall(r"^\| `([a-z]+\.[a-z0-9_]+)` \|", lines, re.MULTILINE)) == inner
    assert f"{MAX_ENTRY:,}" in lines
    flags = lines[lines.index("Bits from the lowest") :].split("\n")[0]
    assert tuple(re.findall(r"`([a-z_]+)`", flags)) == ROW_FLAGS
    rules = lines[lines.index("\nWords: ") :].split("\n")[1]
    assert tuple(re.findall(r"`([a-z_]+)`", rules)) == tuple(RULES)
    assert {rule.rpartition(".")[2] for rule in manifest["quality"]} <= {*RULES, "salah_tempat", "dibersihkan"}


def test_the_placeholder_table_is_the_codes() -> None:
    rows = table("text.md", "kind")
    assert {kind: mark.strip("[]") for kind, mark, *_ in rows} == PLACEHOLDERS
    assert {kind: entity for kind, _, entity, _ in rows if entity != "–"} == ENTITIES
    assert [kind for kind, *_ in rows] == [kind for kind in KINDS if kind not in KEPT]
    assert f"{MAX_TEXT:,} characters" in words("text.md")


def test_real_entries_have_the_fields_of_the_log_table(kept: Kept) -> None:
    said = {row[0]: set(re.findall(r"`([a-z_0-9]+)`", row[2])) for row in table("log.md", "type")}
    paged = {row[0] for row in table("log.md", "type") if "](" in row[2]}  # a page of their own says their fields
    assert {entry["type"] for entry in kept.entries} | paged == set(said)
    for entry in kept.entries:
        if entry["type"] != "sinergi/exchange/v1":
            assert set(entry) - {"time", "type"} <= said[entry["type"]]
        if entry["type"] == "sinergi/outcome/v1":
            assert entry["outcome"] in said["sinergi/outcome/v1"]


def test_the_grounds_and_limits_of_asking_who_is_behind_a_token_are_the_codes() -> None:
    assert [tuple(row) for row in table("reidentify.md", "ground")] == list(GROUNDS.items())
    assert f"Up to **{FEW}** tokens" in words("reidentify.md")
    assert f"**{QUOTA}** tokens a party" in words("reidentify.md")


def test_a_real_proof_file_has_the_fields_of_its_table(kept: Kept) -> None:
    assert {row[0] for row in table("receipt.md", "field")} == set(json.loads(kept.files["proof.json"]))


def test_every_page_and_vector_file_is_listed() -> None:
    page = (PAGES / "README.md").read_text(encoding="utf-8")
    vectors = Path(__file__).parents[1] / "vectors"
    assert set(re.findall(r"\(([a-z]+\.md)\)", page)) == {p.name for p in PAGES.glob("*.md")} - {"README.md"}
    assert set(re.findall(r"`([a-z/]+\.json)`", page)) == {p.relative_to(vectors).as_posix() for p in vectors.rglob("*.json")}


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda p: p.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
