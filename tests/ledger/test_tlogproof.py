"""C2SP tlog-proof: what we write is read, and nothing else is."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from broker.errors import NotVerified
from broker.keys.material import from_seed
from broker.ledger.tlogproof import TlogProof, read_tlog_proof, tlog_proof, verify_tlog_proof
from tests.ledger.conftest import ORIGIN

if TYPE_CHECKING:
    from tests.ledger.conftest import Signed

SIZE, INDEX = 300, 130


def proof(signed: Signed, index: int = INDEX, size: int = SIZE) -> str:
    return tlog_proof(index, signed.tree(size).inclusion(index, size), signed.note(size))


@pytest.mark.parametrize(("index", "size"), [(0, 1), (0, 2), (130, 300), (299, 300), (255, 256)])
def test_a_proof_holds(signed: Signed, index: int, size: int) -> None:
    text = proof(signed, index, size)
    assert text.startswith("c2sp.org/tlog-proof@v1\nindex ")
    found = verify_tlog_proof(text, signed.entries[index], ORIGIN, signed.key.public)
    assert (found.size, found.root) == (size, signed.tree(size).root())
    assert read_tlog_proof(text) == TlogProof(index, tuple(signed.tree(size).inclusion(index, size)), signed.note(size), b"")


def test_it_passes_over_extra_data_and_other_signers(signed: Signed) -> None:
    line = f"— saksi.example {b64encode(bytes(76)).decode()}\n"
    text = proof(signed).replace("\nindex", f"\nextra {b64encode(b'apa saja').decode()}\nindex", 1) + line
    assert verify_tlog_proof(text, signed.entries[INDEX], ORIGIN, signed.key.public).size == SIZE
    assert read_tlog_proof(text).extra == b"apa saja"


def test_what_is_another_proof_is_refused(signed: Signed) -> None:
    text, entry, key = proof(signed), signed.entries[INDEX], signed.key.public
    other = from_seed("log", bytes(32)).public
    lines = text.split("\n")
    for bad, what, origin in (
        (text, signed.entries[INDEX + 1], ORIGIN),
        (text, b"", ORIGIN),
        (text, entry, "sinergi/nk-lain-2025"),
        (text.replace(f"index {INDEX}\n", f"index {INDEX + 1}\n"), entry, ORIGIN),
        (text.replace(f"\n{SIZE}\n", f"\n{SIZE + 1}\n"), entry, ORIGIN),
        ("\n".join(lines[:2] + lines[3:]), entry, ORIGIN),
        ("\n".join([*lines[:2], lines[2], *lines[2:]]), entry, ORIGIN),
        (proof(signed, INDEX, SIZE).replace(signed.note(SIZE), signed.note(SIZE + 1)), entry, ORIGIN),
    ):
        with pytest.raises(NotVerified):
            verify_tlog_proof(bad, what, origin, key)
    with pytest.raises(NotVerified):
        verify_tlog_proof(text, entry, ORIGIN, other)  # type: ignore[arg-type]


def test_no_other_form_is_read(signed: Signed) -> None:
    text = proof(signed)
    hash_line = text.split("\n")[2]
    for old, new in (
        ("@v1\n", "@v2\n"), ("@v1\n", "@v1\r\n"), (f"index {INDEX}", f"index 0{INDEX}"), (f"index {INDEX}", f"index +{INDEX}"), (f"index {INDEX}", "index ١"), (f"index {INDEX}", "index"),
        (f"index {INDEX}", "index 99999999999999999999"), (f"index {INDEX}", f"Index {INDEX}"), (f"index {INDEX}", f"extra \nindex {INDEX}"), (f"index {INDEX}", f"extra AB==\nindex {INDEX}"),
        (f"index {INDEX}", f"extra YQ==\nextra YQ==\nindex {INDEX}"), (f"index {INDEX}\n", f"index {INDEX}\n\n"), (hash_line, hash_line[:-2] + "=="), (hash_line, b64encode(bytes(31)).decode()),
        (hash_line, b64encode(bytes(33)).decode()), (hash_line, " " + hash_line), (hash_line, hash_line + "\r"), (hash_line, "\n".join([hash_line] * 64)), ("c2sp", "\nc2sp"),
    ):  # fmt: skip
        bad = text.replace(old, new, 1)
        assert bad != text
        with pytest.raises(NotVerified):
            verify_tlog_proof(bad, signed.entries[INDEX], ORIGIN, signed.key.public)
    for bad in ("", "c2sp.org/tlog-proof@v1\n", text.split("\n\n")[0], text.split("\n\n")[0] + "\n\n"):
        with pytest.raises(NotVerified):
            read_tlog_proof(bad)
