"""A reader of received exchanges written from docs/formats alone: `cryptography` and the standard library, nothing of the broker."""

from __future__ import annotations

import hashlib
import json
import struct
from base64 import b64decode
from typing import TYPE_CHECKING

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import mlkem, x25519
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

if TYPE_CHECKING:
    from tests.formats.conftest import Kept


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def open_envelope(envelope: bytes, seed: bytes) -> tuple[bytes, bytes]:
    """envelope.md: the released lines and the salt key."""
    assert envelope[:4] == b"SNG1"
    (size,) = struct.unpack(">I", envelope[4:8])
    raw, stream = envelope[8 : 8 + size], envelope[8 + size :]
    core = json.loads(raw)
    (recipient,) = core.pop("recipients")
    canonical = json.dumps(core, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    wide = hashlib.shake_256(seed).digest(96)
    key = MLKEM768X25519PrivateKey(mlkem.MLKEM768PrivateKey.from_seed_bytes(wide[:64]), x25519.X25519PrivateKey.from_private_bytes(wide[64:]))
    suite = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    secret = suite.decrypt(b64decode(recipient["sealed"]), key, info=b"sng/cek/v1\0" + sha(canonical))
    info = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0" + stream[:24] + sha(raw)
    derived = HKDFExpand(SHA512(), 76, info).derive(secret[:32])
    assert derived[44:] == stream[24:56]  # the commitment
    lines, number, at = b"", 0, 56
    while True:
        nonce = (int.from_bytes(derived[32:44], "big") ^ number).to_bytes(12, "big")
        chunk = AESGCM(derived[:32]).decrypt(nonce, stream[at : at + 16_400], None)
        lines, number, at = lines + chunk, number + 1, at + 16_400
        if len(chunk) < 16_384:
            assert at - 16_400 + len(chunk) + 16 == len(stream)
            return lines, secret[32:]


def root(hashes: list[bytes]) -> bytes:
    if len(hashes) == 1:
        return hashes[0]
    k = 1 << (len(hashes) - 1).bit_length() - 1
    return sha(b"\1" + root(hashes[:k]) + root(hashes[k:]))


def recomputed(exchange: bytes, rows: int, leaves: bytes, lines: bytes, salt_key: bytes) -> bytes:
    """leaf.md: the exchange root, from leaves whose commitments are made anew from the lines."""
    salts = Cipher(algorithms.AES(salt_key), modes.CTR(bytes(16))).encryptor().update(bytes(16 * rows))
    stored = [leaves[i : i + 55] for i in range(0, len(leaves), 55)]
    outcome = {int.from_bytes(leaf[51:], "big"): leaf[50] for leaf in stored}
    line = iter(lines.splitlines(keepends=True))
    commitments = [sha(salts[16 * i : 16 * i + 16] + (next(line) if outcome[i] == 0 else b"")) for i in range(rows)]
    assert next(line, None) is None
    return root([sha(b"\0\1" + exchange + leaf[:16] + commitments[int.from_bytes(leaf[51:], "big")] + leaf[48:]) for leaf in stored])


def test_a_reader_made_from_the_pages_opens_an_exchange_and_finds_its_root(kept: Kept) -> None:
    lines, salt_key = open_envelope(kept.files["envelope.sng"], kept.key.seed)
    assert lines == kept.lines
    manifest = json.loads(b64decode(json.loads(kept.files["proof.json"])["manifest"]))
    assert sha(kept.files["envelope.sng"]).hex() == manifest["envelope"]["sha256"]
    found = recomputed(bytes.fromhex(manifest["exchange"]), manifest["records"]["rows"], kept.files["leaves.bin"], lines, salt_key)
    assert found.hex() == manifest["records"]["root"]


def test_the_reader_sees_a_changed_line_and_a_changed_stream(kept: Kept) -> None:
    lines, salt_key = open_envelope(kept.files["envelope.sng"], kept.key.seed)
    manifest = json.loads(b64decode(json.loads(kept.files["proof.json"])["manifest"]))
    changed = lines[:30] + bytes([lines[30] ^ 1]) + lines[31:]
    exchange = bytes.fromhex(manifest["exchange"])
    assert recomputed(exchange, manifest["records"]["rows"], kept.files["leaves.bin"], changed, salt_key).hex() != manifest["records"]["root"]
    with pytest.raises(InvalidTag):
        open_envelope(kept.files["envelope.sng"][:-1] + b"\0", kept.key.seed)
