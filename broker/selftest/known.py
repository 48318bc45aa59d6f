"""Self-tests: what `cryptography` and our own trees answer to questions whose answers are known. Before anything is opened or served.

vectors.json: the first of the known-answer tests of ML-DSA-65 and of ML-KEM-768 in cryptography-vectors. The rest: see each.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import mldsa, mlkem
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from broker.envelope import check_hpke, check_stream
from broker.errors import KeyRingError, NotVerified
from broker.ledger.merkle import LogTree, leaf_hash, root_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Tests: TypeAlias = "Mapping[str, Callable[[], None]]"  # name → raises unless the known answer is given


@cache
def vectors() -> Mapping[str, Mapping[str, str]]:
    found: Mapping[str, Mapping[str, str]] = json.loads(files("broker.selftest").joinpath("vectors.json").read_bytes())
    return found


def _must(given: bool) -> None:
    if not given:
        raise NotVerified("not the known answer")


def _refused(verify: Callable[[], None]) -> None:
    try:
        verify()
    except InvalidSignature:
        return
    raise NotVerified("a signature of something else holds")


def ed25519() -> None:
    """RFC 8032 §7.1, test 1: the empty message."""
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
    public, signature = key.public_key(), key.sign(b"")
    answer = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    _must(public.public_bytes_raw().hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a" and signature.hex() == answer)
    public.verify(signature, b"")
    _refused(lambda: public.verify(signature, b"1"))


def ml_dsa() -> None:
    v = vectors()["ml-dsa-65"]
    key = mldsa.MLDSA65PrivateKey.from_seed_bytes(bytes.fromhex(v["seed"]))
    public, signature, message, context = key.public_key(), b64decode(v["signature"]), bytes.fromhex(v["message"]), bytes.fromhex(v["context"])
    _must(hashlib.sha256(public.public_bytes_raw()).hexdigest() == v["public"])
    public.verify(signature, message, context)
    public.verify(key.sign(message), message)
    _refused(lambda: public.verify(signature, message))


def ml_kem() -> None:
    v = vectors()["ml-kem-768"]
    key = mlkem.MLKEM768PrivateKey.from_seed_bytes(bytes.fromhex(v["seed"]))
    digest = hashlib.sha256(key.public_key().public_bytes_raw()).hexdigest()
    _must(digest == v["public"] and key.decapsulate(b64decode(v["sealed"])).hex() == v["shared"])


def merkle() -> None:
    """The eight leaves of Certificate Transparency's reference tests, and roots of theirs."""
    leaves = [leaf_hash(bytes.fromhex(leaf)) for leaf in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")]
    roots = {
        0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    }
    _must(all(root_of(leaves[:size]).hex() == root == LogTree(leaves[:size]).root().hex() for size, root in roots.items()))


def hkdf() -> None:
    """RFC 5869, appendix A.1; its second step alone too."""
    info, prk = bytes(range(0xF0, 0xFA)), bytes.fromhex("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5")
    whole = HKDF(SHA256(), 42, bytes(range(13)), info).derive(b"\x0b" * 22)
    answer = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    _must(whole.hex() == answer == HKDFExpand(SHA256(), 42, info).derive(prk).hex())


def argon2id() -> None:
    """RFC 9106 §5.3."""
    stretch = Argon2id(salt=b"\2" * 16, length=32, iterations=3, lanes=4, memory_cost=32, secret=b"\3" * 8, ad=b"\4" * 12)
    _must(stretch.derive(b"\1" * 32).hex() == "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659")


CLIENT: Final[Tests] = {
    "HPKE MLKEM768-X25519": check_hpke,
    "Cobblestone-256": check_stream,
    "Ed25519": ed25519,
    "ML-DSA-65": ml_dsa,
    "ML-KEM-768": ml_kem,
    "SHA-256 tree": merkle,
    "HKDF-SHA-256": hkdf,
    "Argon2id": argon2id,
}


def failed(tests: Tests) -> list[str]:
    """The names of the self-tests that do not give their known answer, or give none."""
    return [name for name, test in tests.items() if not _passes(test)]


def _passes(test: Callable[[], None]) -> bool:
    try:
        test()
    except Exception:  # noqa: BLE001 - whatever a broken library raises: it has not given its known answer
        return False
    return True


def require(tests: Tests) -> None:
    """KeyRingError that names the self-tests that fail."""
    if names := failed(tests):
        raise KeyRingError(f"self-test failed: {', '.join(names)}; install sinergi again from its pinned packages")
