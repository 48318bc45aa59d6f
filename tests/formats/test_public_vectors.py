"""The public vectors, where their folder is given: pytest tests/formats --reference-vectors DIR."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest

from broker.keys import ff1
from broker.keys.cmac import cmac
from broker.ledger import verify_consistency, verify_inclusion
from tests.formats.test_vectors import holds

STRICTER = "consistency/additional/sizes-are-equal-one-and-proof-is-empty.json"  # accepts equal "roots" of 12 bytes; ours have 32


@pytest.fixture
def reference(request: pytest.FixtureRequest) -> Path:
    folder = request.config.getoption("--reference-vectors", default=None)
    if folder is None:
        pytest.skip("no --reference-vectors DIR")
    return Path(str(folder))


def test_the_public_merkle_vectors_agree(reference: Path) -> None:
    cases = json.loads((reference / "merkle.json").read_text())
    judged = 0
    for name, case in cases.items():
        proof = [b64decode(h) for h in case.get("proof") or []]
        if name.startswith("inclusion/"):
            held = holds(verify_inclusion, case["leafIdx"], case["treeSize"], b64decode(case["leafHash"] or ""), proof, b64decode(case["root"] or ""))
        elif name.startswith("consistency/"):
            held = holds(verify_consistency, case["size1"], case["size2"], b64decode(case["root1"] or ""), b64decode(case["root2"] or ""), proof)
        else:
            continue
        assert held is (not case["wantErr"] and name != STRICTER), name
        judged += 1
    assert judged == 196


def test_the_public_cmac_vectors_agree(reference: Path) -> None:
    judged = 0
    for group in json.loads((reference / "aes_cmac.json").read_text())["testGroups"]:
        if (group["keySize"], group["tagSize"]) != (256, 128):
            continue
        for case in group["tests"]:
            message = bytes.fromhex(case["msg"])
            data = np.frombuffer(message.ljust(16, b"\0"), np.uint8)[None]
            assert (cmac(bytes.fromhex(case["key"]), data, np.array([len(message)])).tobytes().hex() == case["tag"]) is (case["result"] == "valid"), case["tcId"]
            judged += 1
    assert judged


def test_the_public_ff1_vectors_agree(reference: Path) -> None:
    """Those of radix 10 and 6 to 18 digits, both ways and as one column; other lengths and keys are refused; a sign that is no digit is no number."""
    for name in ("aes_ff1_radix10.json", "aes_ff1_base10.json"):
        judged = refused = 0
        for group in json.loads((reference / name).read_text())["testGroups"]:
            for case in group["tests"]:
                given = (bytes.fromhex(case["key"]), bytes.fromhex(case["tweak"]), len(case["msg"]))
                if len(case["msg"]) in ff1.DIGITS and "InvalidKeySize" in case["flags"]:
                    with pytest.raises(ValueError, match=r"[Kk]ey"):
                        ff1.encrypt(*given, np.zeros(1, np.uint64))
                    refused += 1
                elif len(case["msg"]) not in ff1.DIGITS:
                    with pytest.raises(ValueError, match="6 to 18"):
                        ff1.encrypt(*given, np.zeros(1, np.uint64))
                    refused += 1
                elif case["result"] == "valid":
                    plain, sealed = (np.array([int("".join(map(str, case[field])))], np.uint64) for field in ("msg", "ct"))
                    assert (ff1.encrypt(*given, plain), ff1.decrypt(*given, sealed)) == (sealed, plain), case["tcId"]
                    judged += 1
        print(f"{name}: {judged} agree, {refused} refused: their length or key")
        assert judged == 1_480
