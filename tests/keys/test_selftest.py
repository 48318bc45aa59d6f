"""Self-tests: their vectors are the public ones, each notices when its library breaks, and nothing is served then."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import cryptography_vectors
import numpy as np
import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import mldsa, mlkem
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA512

from broker.envelope import selftest
from broker.errors import KeyRingError
from broker.keys import cmac, ff1
from broker.selftest import CLIENT, failed, known, require
from broker.selftest.columns import SERVER
from broker.selftest.known import vectors
from broker.wiring import open_office

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulator import Town

PUBLIC = Path(cryptography_vectors.__file__).parent


def kat(name: str) -> dict[str, bytes]:
    """The first case of a file of known-answer tests."""
    text = (PUBLIC / "asymmetric" / name).read_text().split("\n\n")[0]
    pairs = (line.split(" = ") for line in text.splitlines() if " = " in line and not line.startswith(("count", "mlen", "smlen")))
    return {key: bytes.fromhex(value) for key, value in pairs}


def test_the_vectors_are_the_public_ones() -> None:
    v, public = vectors()["ml-dsa-65"], kat("MLDSA/kat_MLDSA_65_det_pure.rsp")
    assert [v["seed"], v["message"], v["context"]] == [public[name].hex() for name in ("xi", "msg", "ctx")]
    assert (v["public"], b64decode(v["signature"])) == (hashlib.sha256(public["pk"]).hexdigest(), public["sm"][:3_309])
    v, public = vectors()["ml-kem-768"], kat("MLKEM/kat_MLKEM_768.rsp")
    assert (v["seed"], v["shared"]) == ((public["d"] + public["z"]).hex(), public["ss"].hex())
    assert (v["public"], b64decode(v["sealed"])) == (hashlib.sha256(public["pk"]).hexdigest(), public["ct"])


def test_all_hold() -> None:
    assert failed(SERVER) == []
    require(SERVER)
    assert set(CLIENT) < set(SERVER)


class Broken:
    """Stands for anything of a library that no longer works."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __getattr__(self, _: str) -> Callable[..., bytes]:
        return lambda *_, **__: bytes(32)


class Unsupported:
    def __getattr__(self, name: str) -> Any:
        raise UnsupportedAlgorithm(name)


# What each self-test stands on, and what it looks like broken.
BROKEN: dict[str, list[tuple[object, str, object]]] = {
    "HPKE MLKEM768-X25519": [(selftest, "HPKE", Broken()), (selftest, "KemKey", Unsupported())],
    "Cobblestone-256": [(selftest, "Cobblestone256Decryptor", Broken)],
    "Ed25519": [(known, "Ed25519PrivateKey", Broken)],
    "ML-DSA-65": [(known, "mldsa", Unsupported()), (known, "mldsa", SimpleNamespace(MLDSA65PrivateKey=mldsa.MLDSA44PrivateKey))],
    "ML-KEM-768": [(known, "mlkem", Unsupported()), (known, "mlkem", SimpleNamespace(MLKEM768PrivateKey=mlkem.MLKEM1024PrivateKey))],
    "SHA-256 tree": [(known, "leaf_hash", lambda entry: hashlib.sha256(entry).digest()), (known, "root_of", lambda _: bytes(32))],
    "HKDF-SHA-256": [(known, "HKDF", Broken), (known, "HKDFExpand", Broken), (known, "SHA256", SHA512)],
    "Argon2id": [(known, "Argon2id", Broken)],
    "AES-256-CMAC": [(cmac, "cmac", lambda *_: np.zeros((1, 16), np.uint8))],
    "FF1": [(ff1, "encrypt", lambda *_: np.zeros(1, np.uint64)), (ff1, "decrypt", lambda *_: np.zeros(1, np.uint64))],
}


def test_each_self_test_is_broken_once() -> None:
    assert list(BROKEN) == list(SERVER)


@pytest.mark.parametrize(("name", "at"), [(name, at) for name, ones in BROKEN.items() for at in range(len(ones))])
def test_what_is_broken_is_named(monkeypatch: pytest.MonkeyPatch, name: str, at: int) -> None:
    monkeypatch.setattr(*BROKEN[name][at])
    assert failed(SERVER) == [name]
    with pytest.raises(KeyRingError, match=f"self-test failed: {name};"):
        require(SERVER)


def test_what_verifies_anything_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Lenient:
        """A private key whose public key finds every signature good."""

        def __init__(self, key: Any) -> None:
            self.key = key

        def sign(self, message: bytes) -> bytes:
            return bytes(self.key.sign(message))

        def public_key(self) -> Any:
            raw = self.key.public_key().public_bytes_raw()
            return SimpleNamespace(public_bytes_raw=lambda: raw, verify=lambda *_: None)

    monkeypatch.setattr(known, "Ed25519PrivateKey", SimpleNamespace(from_private_bytes=lambda seed: Lenient(Ed25519PrivateKey.from_private_bytes(seed))))
    monkeypatch.setattr(known, "mldsa", SimpleNamespace(MLDSA65PrivateKey=SimpleNamespace(from_seed_bytes=lambda seed: Lenient(mldsa.MLDSA65PrivateKey.from_seed_bytes(seed)))))
    assert failed(SERVER) == ["Ed25519", "ML-DSA-65"]


@pytest.mark.parametrize(("test", "member"), [
    *((known.ml_dsa, member) for member in ("seed", "public", "message", "context", "signature")), *((known.ml_kem, member) for member in ("seed", "public", "sealed", "shared")),
])  # fmt: skip
def test_another_answer_is_not_the_known_one(monkeypatch: pytest.MonkeyPatch, test: Callable[[], None], member: str) -> None:
    def changed(of: dict[str, str]) -> dict[str, str]:
        return {name: ("f" if value[0] != "f" else "0") + value[1:] if name == member else value for name, value in of.items()}

    others = {name: changed(dict(of)) for name, of in vectors().items()}
    monkeypatch.setattr(known, "vectors", lambda: others)
    assert failed({"uji": test}) == ["uji"]


def test_a_broker_whose_self_test_fails_does_not_open(monkeypatch: pytest.MonkeyPatch, town: Town) -> None:
    monkeypatch.setattr(known, "mldsa", Unsupported())  # a `cryptography` without post-quantum

    def opened(*_: object, **__: object) -> None:
        pytest.fail("something was opened first")

    for name in ("load_agreements", "Database", "open_ring", "Folders"):
        monkeypatch.setattr(f"broker.wiring.{name}", opened)
    with pytest.raises(KeyRingError, match="ML-DSA-65"):
        open_office(town.province.home, town.now)
