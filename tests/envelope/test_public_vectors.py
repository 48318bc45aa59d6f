"""Public vectors of what envelopes and receipts are made of, as `cryptography-vectors` carries them. Each test prints how many it judged.

RFC 9180, draft-ietf-hpke-pq, C2SP chunked-encryption, RFC 7748, NIST's ML-KEM-768 and ML-DSA-65; with `--reference-vectors DIR` also Wycheproof's X25519.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cryptography_vectors
import pytest
from cryptography.cobblestone import Cobblestone256Encryptor
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.bindings._rust import openssl
from cryptography.hazmat.primitives.asymmetric import ec, mldsa, mlkem
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM1024P384PrivateKey, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from broker.keys import KemKey, KemX25519Key
from tests.envelope.forged import LOW_ORDER

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.hashes import HashAlgorithm

FOLDER = Path(cryptography_vectors.__file__).parent
KDFS = {1: KDF.HKDF_SHA256, 2: KDF.HKDF_SHA384, 3: KDF.HKDF_SHA512, 16: KDF.SHAKE128, 17: KDF.SHAKE256}
AEADS = {1: AEAD.AES_128_GCM, 2: AEAD.AES_256_GCM, 3: AEAD.CHACHA20_POLY1305}


def lattice_and_curve(secret: bytes) -> MLKEM1024P384PrivateKey:
    wide = hashlib.shake_256(secret).digest(64 + 48)
    return MLKEM1024P384PrivateKey(mlkem.MLKEM1024PrivateKey.from_seed_bytes(wide[:64]), ec.derive_private_key(int.from_bytes(wide[64:], "big"), ec.SECP384R1()))


# Those that we use are made by our own key types.
KEMS: dict[int, tuple[KEM, Callable[[bytes], Any]]] = {
    0x10: (KEM.P256, lambda s: ec.derive_private_key(int.from_bytes(s, "big"), ec.SECP256R1())),
    0x11: (KEM.P384, lambda s: ec.derive_private_key(int.from_bytes(s, "big"), ec.SECP384R1())),
    0x12: (KEM.P521, lambda s: ec.derive_private_key(int.from_bytes(s, "big"), ec.SECP521R1())),
    0x20: (KEM.X25519, lambda s: KemX25519Key(s).private),
    0x41: (KEM.MLKEM768, mlkem.MLKEM768PrivateKey.from_seed_bytes),
    0x42: (KEM.MLKEM1024, mlkem.MLKEM1024PrivateKey.from_seed_bytes),
    0x51: (KEM.MLKEM1024_P384, lattice_and_curve),
    0x647A: (KEM.MLKEM768_X25519, lambda s: KemKey(s).private),
}


@pytest.mark.parametrize(("file", "count", "ours"), [("test-vectors", 18, 6), ("hpke-pq-test-vectors", 7, 2)])
def test_hpke_opens_the_first_message_of_every_base_set(file: str, count: int, ours: int) -> None:
    judged = []
    for case in json.loads((FOLDER / "HPKE" / f"{file}.json").read_text()):
        if case["mode"] != 0 or case["kem_id"] not in KEMS or case["kdf_id"] not in KDFS or case["aead_id"] not in AEADS:
            continue
        kem, private = KEMS[case["kem_id"]]
        first = case["encryptions"][0]
        suite = Suite(kem, KDFS[case["kdf_id"]], AEADS[case["aead_id"]])
        sealed = bytes.fromhex(case["enc"]) + bytes.fromhex(first["ct"])
        key, info, aad = private(bytes.fromhex(case["skRm"])), bytes.fromhex(case["info"]), bytes.fromhex(first["aad"])
        assert openssl.hpke._decrypt_with_aad(suite, sealed, key, info=info, aad=aad) == bytes.fromhex(first["pt"])
        for wrong in (sealed[:-1] + bytes([sealed[-1] ^ 1]), bytes([sealed[0] ^ 1]) + sealed[1:]):
            with pytest.raises(InvalidTag):
                openssl.hpke._decrypt_with_aad(suite, wrong, key, info=info, aad=aad)
        judged.append(case["kem_id"])
    print(f"{file}: {len(judged)} base sets")
    assert (len(judged), sum(kem in (0x20, 0x647A) for kem in judged)) == (count, ours)


def test_our_keys_are_those_of_the_vectors() -> None:
    """Public key from private: X25519 of RFC 9180, the hybrid of draft-ietf-hpke-pq."""
    judged = 0
    for file in ("test-vectors", "hpke-pq-test-vectors"):
        for case in json.loads((FOLDER / "HPKE" / f"{file}.json").read_text()):
            if case["kem_id"] in (0x20, 0x647A):
                kind = KemX25519Key if case["kem_id"] == 0x20 else KemKey
                assert kind(bytes.fromhex(case["skRm"])).public.raw.hex() == case["pkRm"]
                judged += 1
    print(f"public keys: {judged}")
    assert judged == 35


# --- the stream
def chunked(key: bytes, context: bytes, sealed: bytes, aead: str, algorithm: HashAlgorithm) -> bytes:
    """C2SP chunked-encryption, opened. ValueError or InvalidTag if it does not."""
    size = 16 if aead == "AEAD_AES_128_GCM" else 32
    if len(key) != size or len(sealed) < 24 + 32 + 16:
        raise ValueError
    info = f"c2sp.org/chunked-encryption@v1+{aead}".encode() + b"\0" + sealed[:24] + context
    derived = HKDFExpand(algorithm, size + 12 + 32, info).derive(key)
    if derived[size + 12 :] != sealed[24:56]:
        raise ValueError
    opener: AESGCM | ChaCha20Poly1305 = ChaCha20Poly1305(derived[:size]) if aead == "AEAD_CHACHA20_POLY1305" else AESGCM(derived[:size])
    nonce = int.from_bytes(derived[size : size + 12], "big")
    found, at, number, last = b"", 56, 0, 16_384
    while last == 16_384:
        chunk = opener.decrypt((nonce ^ number).to_bytes(12, "big"), sealed[at : at + 16_400], None)
        found, at, number, last = found + chunk, at + 16_400, number + 1, len(chunk)
    if at - 16_400 + last + 16 != len(sealed):
        raise ValueError
    return found


def test_chunked_encryption_is_as_its_authors_say() -> None:
    """The vectors are of HKDF-SHA-256; Cobblestone has SHA-512. So a decoder of our own is held to them, and Cobblestone to the decoder."""
    judged = {"success": 0, "failure": 0}
    for case in json.loads((FOLDER / "chunked-encryption" / "vectors.json").read_text())["vectors"]:
        sealed = base64.b64decode(case["ciphertext"] or "")
        sealed = zlib.decompress(sealed) if case.get("compressed") else sealed
        try:
            found = chunked(bytes.fromhex(case["key"]), case["context"].encode(), sealed, case["aead"], SHA256())
        except (InvalidTag, ValueError):
            assert case["expect"] == "failure", case["name"]
        else:
            assert (case["expect"], hashlib.sha256(found).hexdigest()) == ("success", case["payload_sha256"]), case["name"]
        judged[case["expect"]] += 1
    print(f"chunked-encryption: {judged}")
    assert judged == {"success": 27, "failure": 75}


@pytest.mark.parametrize("size", [0, 1, 16_383, 16_384, 16_385, 32_767, 32_768, 32_769, 100_000])
def test_cobblestone_is_chunked_encryption_with_sha512(size: int) -> None:
    data, key = bytes(i % 253 for i in range(size)), bytes(range(32))
    stream = Cobblestone256Encryptor(key, b"konteks")
    sealed = stream.update(data) + stream.finalize()
    assert chunked(key, b"konteks", sealed, "AEAD_AES_256_GCM", SHA512()) == data
    with pytest.raises((InvalidTag, ValueError)):
        chunked(key, b"lain", sealed, "AEAD_AES_256_GCM", SHA512())


# --- what keys are made of
def known(file: str) -> list[dict[str, str]]:
    """The cases of a NIST response file."""
    cases: list[dict[str, str]] = []
    for line in (FOLDER / "asymmetric" / file).read_text().splitlines():
        name, _, value = line.partition(" = ")
        if name == "count":
            cases.append({})
        elif value:
            cases[-1][name] = value
    return cases


def test_ml_kem_768_gives_the_known_answers() -> None:
    cases = known("MLKEM/kat_MLKEM_768.rsp")
    for case in cases:
        key = mlkem.MLKEM768PrivateKey.from_seed_bytes(bytes.fromhex(case["d"] + case["z"]))
        assert key.public_key().public_bytes_raw().hex() == case["pk"]
        assert key.decapsulate(bytes.fromhex(case["ct"])).hex() == case["ss"]
        assert key.decapsulate(bytes.fromhex(case["ct_n"])).hex() == case["ss_n"]  # a wrong one is answered with another secret
    print(f"ML-KEM-768: {len(cases)}")
    assert len(cases) >= 100


def test_ml_dsa_65_accepts_the_known_signatures() -> None:
    cases = known("MLDSA/kat_MLDSA_65_det_pure.rsp")
    for case in cases:
        key = mldsa.MLDSA65PrivateKey.from_seed_bytes(bytes.fromhex(case["xi"])).public_key()
        assert key.public_bytes_raw().hex() == case["pk"]
        signature = bytes.fromhex(case["sm"])[: 3_309]
        key.verify(signature, bytes.fromhex(case["msg"]), bytes.fromhex(case.get("ctx", "")))
    print(f"ML-DSA-65: {len(cases)}")
    assert len(cases) >= 100


def test_no_point_of_low_order_is_agreed_with() -> None:
    for point in LOW_ORDER:
        with pytest.raises(ValueError):  # noqa: PT011 - the library's words
            X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(point))


def test_wycheproofs_x25519(request: pytest.FixtureRequest) -> None:
    folder = request.config.getoption("--reference-vectors", default=None)
    if folder is None:
        pytest.skip("no --reference-vectors DIR")
    judged = zeros = 0
    for group in json.loads((Path(str(folder)) / "x25519.json").read_text())["testGroups"]:
        for case in group["tests"]:
            private, public = X25519PrivateKey.from_private_bytes(bytes.fromhex(case["private"])), X25519PublicKey.from_public_bytes(bytes.fromhex(case["public"]))
            if case["shared"] == "00" * 32:
                with pytest.raises(ValueError):  # noqa: PT011 - the library's words
                    private.exchange(public)
                zeros += 1
            else:
                assert private.exchange(public).hex() == case["shared"], case["tcId"]
            judged += 1
    print(f"X25519: {judged}, of which {zeros} of low order")
    assert judged == 518
    assert zeros > 10
