"""Passkeys: what an authenticator signs for an officer (WebAuthn, level 3), verified with `cryptography` alone.

No attestation is asked for: that an authenticator is the officer's is what their own key, or their party's, vouches for. So nothing of CBOR is read beyond the two
shapes that a key of ours has (CTAP 2.1, section 6: canonical form). The format is in docs/formats/people.md and docs/formats/lifecycle.md.
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict, dataclass
from typing import Final
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from broker.envelope.approvals import read_exactly
from broker.errors import NotVerified
from broker.jcs import canonical, read_base64

_TYPE: Final = "sinergi/passkey/v1"
_KIND: Final = "webauthn"
_PRESENT, _VERIFIED, _CREDENTIAL, _EXTENSIONS = 0x01, 0x04, 0x40, 0x80  # flags of authenticator data, WebAuthn section 6.1
_ID_AT: Final = 55  # of the credential id: after rpIdHash 32, flags 1, counter 4, aaguid 16, length 2
_MAX_ID: Final = 1023  # bytes, WebAuthn section 4
_ES256: Final = re.compile(rb"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20(.{32})\x22\x58\x20(.{32})", re.DOTALL)  # {1: 2, 3: -7, -1: 1, -2: x, -3: y}
_EDDSA: Final = re.compile(rb"\xa4\x01\x01\x03\x27\x20\x06\x21\x58\x20(.{32})", re.DOTALL)  # {1: 1, 3: -8, -1: 6, -2: x}
_CREDENTIAL_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,1364}")
_ORIGIN: Final = re.compile(r"(https://([a-z0-9-]+\.)*[a-z-][a-z0-9-]*|http://localhost)(:[0-9]{1,5})?")  # an address in numbers is nobody's name
PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey


def b64url(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def from_b64url(text: str) -> bytes:
    """The bytes of base64url without padding, in its one spelling; NotVerified otherwise."""
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise NotVerified("not base64url") from None
    if b64url(data) != text:
        raise NotVerified("not base64url")
    return data


def takes_passkeys(origin: str) -> bool:
    """Whether a browser makes passkeys for this origin: a host by name over TLS, or this machine."""
    return bool(_ORIGIN.fullmatch(origin))


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey as it is vouched for. credential: its id, base64url. origin: the broker's, whose host is the rp id. person: whose it is. public: base64 of DER SubjectPublicKeyInfo."""

    credential: str
    origin: str
    person: str
    public: str

    def to_json(self) -> bytes:
        return canonical({**asdict(self), "type": _TYPE})

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.to_json()).hexdigest()

    @property
    def fingerprint(self) -> str:
        """The digest of the file, as that of a public key file is written."""
        return " ".join(self.sha256[i : i + 4] for i in range(0, 64, 4))

    @property
    def rp(self) -> str:
        return urlsplit(self.origin).hostname or ""

    @property
    def key(self) -> PublicKey:
        """NotVerified unless ES256 or Ed25519, in its one encoding."""
        try:
            der = read_base64(self.public)
            key = load_der_public_key(der)
        except (ValueError, UnsupportedAlgorithm):
            raise NotVerified("no public key") from None
        known = isinstance(key, ed25519.Ed25519PublicKey) or (isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1))
        if not known or spki(key) != der:
            raise NotVerified("no public key of a passkey")
        assert isinstance(key, PublicKey)
        return key


def read_passkey(data: bytes) -> Passkey:
    """NotVerified unless it is exactly the file of a passkey."""
    found = read_exactly(Passkey, data)
    if not (_CREDENTIAL_ID.fullmatch(found.credential) and takes_passkeys(found.origin) and found.key):
        raise NotVerified("no passkey")
    return found


def spki(key: object) -> bytes:
    """DER SubjectPublicKeyInfo with an uncompressed point: the one encoding that we keep."""
    assert isinstance(key, PublicKey)
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@dataclass(frozen=True, slots=True)
class Assertion:
    """What an authenticator answered, as it is kept with what it approved. All base64url but `passkey` and `voucher`, which are texts: the file, and the DSSE over its digest.

    statement: what was approved, whose SHA-256 is the challenge.
    """

    authenticator_data: str
    client_data: str
    passkey: str
    signature: str
    statement: str
    voucher: str

    def to_json(self) -> bytes:
        return canonical({**asdict(self), "kind": _KIND})


def is_assertion(data: bytes) -> bool:
    """Whether it is of this kind: a DSSE names no kind."""
    return b'"kind":"webauthn"' in data


def read_assertion(data: bytes) -> Assertion:
    """NotVerified unless it is exactly what `to_json` writes. Proves nothing yet."""
    return read_exactly(Assertion, data)


def verify_assertion(said: Assertion) -> tuple[Passkey, bytes, int]:
    """The passkey, what it signed, and the authenticator's counter. NotVerified otherwise. That the passkey is the officer's is another question: its voucher's."""
    passkey, statement = read_passkey(said.passkey.encode()), from_b64url(said.statement)
    authenticator, client, signature = map(from_b64url, (said.authenticator_data, said.client_data, said.signature))
    _check_client(client, "webauthn.get", hashlib.sha256(statement).digest(), passkey.origin)
    counter = _counter(authenticator, passkey.rp)
    message, key = authenticator + hashlib.sha256(client).digest(), passkey.key
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, message)
        else:
            key.verify(signature, message, ec.ECDSA(SHA256()))
    except InvalidSignature:
        raise NotVerified("signature does not hold") from None
    return passkey, statement, counter


def registered(person: str, origin: str, challenge: bytes, client: bytes, authenticator: bytes) -> tuple[Passkey, int]:
    """The passkey that an authenticator made, and its counter. NotVerified: another challenge, origin or kind of key, or a user who was not verified."""
    if not takes_passkeys(origin):
        raise NotVerified("no passkeys at this origin")
    _check_client(client, "webauthn.create", challenge, origin)
    counter = _counter(authenticator, urlsplit(origin).hostname or "")
    length = int.from_bytes(authenticator[_ID_AT - 2 : _ID_AT])
    credential, cose = authenticator[_ID_AT : _ID_AT + length], authenticator[_ID_AT + length :]
    if not authenticator[32] & _CREDENTIAL or not 1 <= length <= _MAX_ID or len(credential) != length:
        raise NotVerified("no credential")
    key, rest = _key(cose)
    if rest and not authenticator[32] & _EXTENSIONS:
        raise NotVerified("more than a credential")
    passkey = Passkey(b64url(credential), origin, person, b64encode(spki(key)).decode())
    return read_passkey(passkey.to_json()), counter


def _key(cose: bytes) -> tuple[PublicKey, bytes]:
    """The public key at the beginning of a COSE_Key in canonical form, and what is behind it."""
    try:
        if found := _ES256.match(cose):
            x, y = (int.from_bytes(part) for part in found.groups())
            return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key(), cose[found.end() :]
        if found := _EDDSA.match(cose):
            return ed25519.Ed25519PublicKey.from_public_bytes(found[1]), cose[found.end() :]
    except ValueError:
        raise NotVerified("no point of the curve") from None
    raise NotVerified("neither ES256 nor Ed25519")


def _check_client(data: bytes, kind: str, challenge: bytes, origin: str) -> None:
    """NotVerified unless the browser says that this challenge was answered, for this act, on a page of this very origin."""
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        raise NotVerified("no client data") from None
    wanted = {"type": kind, "challenge": b64url(challenge), "origin": origin}
    if not isinstance(said, dict) or any(said.get(name) != value for name, value in wanted.items()) or said.get("crossOrigin", False) is not False or "topOrigin" in said:
        raise NotVerified("client data of something else")


def _counter(authenticator: bytes, rp: str) -> int:
    """NotVerified unless it is for this host, and the authenticator verified who was there."""
    if len(authenticator) < 37 or authenticator[:32] != hashlib.sha256(rp.encode()).digest():
        raise NotVerified("authenticator data of another host")
    if not (authenticator[32] & _PRESENT and authenticator[32] & _VERIFIED):
        raise NotVerified("the user was not verified")
    return int.from_bytes(authenticator[33:37])
