"""Readers of envelopes in other languages open ours and refuse what is tampered with: PHP in X25519, Node in the post-quantum suite.

Each was written from docs/formats/envelope.md and streams. Each runs once, over every case. Without its tool or library a user's run
skips; under CI=true it fails.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from base64 import b64decode
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from broker.keys import AnyKemKey, KemKey, KemX25519Key
from broker.keys.material import from_seed
from tests.envelope.forged import LOW_ORDER
from tests.envelope.sealing import CHUNK, CORE, SALT_KEY, joined, sealed, split
from tests.envelope.tampered import DATA, HEADER_BYTES, MALFORMED, MOVED, STREAMS, bound, changed, forged, respelled
from tests.envelope.test_suites import CURVE, disclosed, enrol, name_x25519
from tests.interop.test_readers import NODE, READERS, absent
from tests.simulator import SIAPKERJA

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulator import Town

KEYS: dict[str, AnyKemKey] = {"node": KemKey(b"\1" * 32), "php": KemX25519Key(b"\2" * 32)}  # those of the tables
ALL = sorted(KEYS)
VECTORS = Path(__file__).parents[1] / "vectors"
REFUSED = "refused"


@pytest.fixture(scope="session")
def command_of() -> Callable[[str], list[str]]:
    def command(name: str) -> list[str]:
        tool = shutil.which(name)
        if name == "node":
            if tool is None or not (NODE / "node_modules" / "@panva" / "hpke-noble").is_dir():
                absent("needs node, and hpke with @panva/hpke-noble as .ci/run installs them")
            return [str(tool), str(READERS / "opener.mjs"), str(NODE)]
        if tool is None or not {"openssl", "sodium"} <= set(subprocess.run([tool, "-m"], capture_output=True, check=True, text=True).stdout.split()):
            absent("needs php with sodium and openssl as .ci/run installs it")
        return [str(tool), str(READERS / "opener.php")]

    return command


def judged(command: list[str], folder: Path, key: AnyKemKey, envelopes: list[bytes]) -> list[Any]:
    asked = []
    for number, envelope in enumerate(envelopes):
        (folder / f"{number}.sng").write_bytes(envelope)
        asked.append({"path": str(folder / f"{number}.sng"), "key": key.seed.hex(), "kid": key.public.kid})
    answers = subprocess.run(command, input="".join(json.dumps(one) + "\n" for one in asked), capture_output=True, check=True, text=True).stdout.splitlines()
    assert len(answers) == len(envelopes)
    return [json.loads(answer) for answer in answers]


def found(data: bytes, extra: bytes = SALT_KEY) -> dict[str, Any]:
    return {"bytes": len(data), "extra": extra.hex(), "lines_sha256": hashlib.sha256(data).hexdigest()}


@pytest.mark.parametrize("name", ALL)
def test_a_reader_opens_ours_whatever_the_size(name: str, command_of: Callable[[str], list[str]], tmp_path: Path) -> None:
    key = KEYS[name]
    sizes = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, len(DATA))
    assert judged(command_of(name), tmp_path, key, [sealed(DATA[:size], key.public) for size in sizes]) == [found(DATA[:size]) for size in sizes]


@pytest.mark.parametrize("name", ALL)
def test_a_reader_opens_a_submission_and_what_is_sealed_to_several_keys(name: str, command_of: Callable[[str], list[str]], tmp_path: Path) -> None:
    key = KEYS[name]
    others = [type(key)(bytes([n]) * 32).public for n in range(20, 24)]
    both = [sealed(DATA, key.public, kind="kiriman"), sealed(DATA, *others[:2], key.public, *others[2:])]
    assert judged(command_of(name), tmp_path, key, both) == [found(DATA, b""), found(DATA)]


@pytest.mark.parametrize("name", ALL)
def test_a_reader_refuses_every_tampered_one(name: str, command_of: Callable[[str], list[str]], tmp_path: Path) -> None:
    key = KEYS[name]
    good = sealed(DATA, key.public)
    header, stream = split(good)
    cases = {f"stream: {why}": joined(header, change(stream)) for why, change in STREAMS.items()}
    cases |= {f"header: {why}": changed(good, change) for why, change in (MOVED | MALFORMED).items()}
    cases |= {f"bound: {why}": bound(key, change) for why, change in MALFORMED.items()}
    cases |= {f"spelled: {why}": bound(key, lambda _: None, change) for why, change in HEADER_BYTES.items()}
    cases |= {f"low order: {point.hex()}": forged(key, point) for point in LOW_ORDER}
    cases |= {"base64 in another spelling": bound(key, lambda _: None, respelled, "kiriman")}
    cases |= {"another key": sealed(DATA, type(key)(b"\7" * 32).public), "another suite": sealed(DATA, KEYS["php" if name == "node" else "node"].public)}
    cases |= {f"cut at {at}": good[:at] for at in (0, 3, 7, 8, 100, len(good) - len(stream))}
    answers = dict(zip(["", "as forged", *cases], judged(command_of(name), tmp_path, key, [good, bound(key, lambda _: None), *cases.values()]), strict=True))
    assert (answers.pop(""), answers.pop("as forged")) == (found(DATA), found(DATA))
    assert [why for why, answer in answers.items() if answer != REFUSED] == []
    assert len(answers) > 120


@pytest.mark.parametrize(("name", "file"), [("node", "envelope"), ("php", "suites")])
def test_a_reader_judges_the_recorded_vectors_as_they_say(name: str, file: str, command_of: Callable[[str], list[str]], tmp_path: Path) -> None:
    vectors = json.loads((VECTORS / "recorded" / f"{file}.json").read_text())
    key = from_seed(KEYS[name].purpose, bytes.fromhex(vectors["seed"]))
    assert isinstance(key, AnyKemKey)
    good = [case for case in vectors["good"] if case.get("seed", vectors["seed"]) == vectors["seed"]]
    answers = judged(command_of(name), tmp_path, key, [b64decode(case["envelope"]) for case in good + vectors["refused"]])
    assert answers[: len(good)] == [{"bytes": case["bytes"], "extra": case["extra"], "lines_sha256": case["sha256"]} for case in good]
    assert [case["why"] for case, answer in zip(vectors["refused"], answers[len(good) :], strict=True) if answer != REFUSED] == []
    assert len(good) >= 3


@pytest.mark.parametrize("name", ALL)
def test_a_reader_opens_what_a_broker_disclosed(name: str, command_of: Callable[[str], list[str]], town: Town, tmp_path: Path) -> None:
    key: AnyKemKey = town.province.ring(SIAPKERJA).get(KemKey, "kem")
    if name == "php":
        key = CURVE
        name_x25519(town)
        enrol(town, SIAPKERJA, kem_x25519=key.public)
    envelope = disclosed(town)
    whole, cut = judged(command_of(name), tmp_path, key, [envelope, envelope[:-1]])
    assert whole["bytes"] > CHUNK
    assert len(whole["extra"]) == 64
    assert cut == REFUSED
    assert set(CORE) < set(json.loads(split(envelope)[0]))
