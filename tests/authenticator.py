"""An authenticator in software: makes passkeys and answers with them as WebAuthn level 3 says, and otherwise where a test asks for it."""

from __future__ import annotations

import hashlib
import json
import secrets
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from broker.envelope import Assertion, Passkey
from broker.envelope.passkey import b64url, spki

PRESENT, VERIFIED, CREDENTIAL = 0x01, 0x04, 0x40


@dataclass
class Authenticator:
    """One passkey. counter: what it tells next; it goes up with every answer unless that is 0."""

    origin: str
    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    counter: int = 1

    def cose(self) -> bytes:
        public = self.key.public_key()
        if isinstance(public, ed25519.Ed25519PublicKey):
            return bytes.fromhex("a4010103272006215820") + public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return bytes.fromhex("a5010203262001215820") + point[1:33] + bytes.fromhex("225820") + point[33:]

    def passkey(self, person: str) -> Passkey:
        return Passkey(b64url(self.credential), self.origin, person, b64encode(spki(self.key.public_key())).decode())

    def client(self, kind: str, challenge: bytes, **changed: Any) -> bytes:
        said = {"type": kind, "challenge": b64url(challenge), "origin": self.origin, "crossOrigin": False, **changed}
        return json.dumps({name: value for name, value in said.items() if value is not None}).encode()

    def data(self, flags: int, rp: str = "") -> bytes:
        told = self.counter
        self.counter += bool(told)
        return hashlib.sha256((rp or urlsplit(self.origin).hostname or "").encode()).digest() + bytes([flags]) + told.to_bytes(4)

    def made(self, challenge: bytes, flags: int = PRESENT | VERIFIED | CREDENTIAL, rp: str = "", kind: str = "webauthn.create", tail: bytes = b"", **client: Any) -> tuple[bytes, bytes]:
        """Client data and authenticator data of a new passkey."""
        credential = len(self.credential).to_bytes(2) + self.credential + self.cose() + tail
        return self.client(kind, challenge, **client), self.data(flags, rp) + bytes(16) + credential

    def answer(self, statement: bytes, flags: int = PRESENT | VERIFIED, rp: str = "", kind: str = "webauthn.get", challenge: bytes | None = None, **client: Any) -> dict[str, str]:
        """What the form of the approval carries. challenge: what is signed in place of the statement's."""
        said = self.client(kind, hashlib.sha256(statement).digest() if challenge is None else challenge, **client)
        data = self.data(flags, rp)
        message = data + hashlib.sha256(said).digest()
        signature = self.key.sign(message) if isinstance(self.key, ed25519.Ed25519PrivateKey) else self.key.sign(message, ec.ECDSA(SHA256()))
        return {"kunci": b64url(self.credential), "klien": b64url(said), "autentikator": b64url(data), "tanda": b64url(signature), "pernyataan": b64url(statement)}

    def assertion(self, person: str, voucher: bytes, answer: dict[str, str]) -> Assertion:
        return Assertion(answer["autentikator"], answer["klien"], self.passkey(person).to_json().decode(), answer["tanda"], answer["pernyataan"], voucher.decode())
