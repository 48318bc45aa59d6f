"""RFC 9421 signatures over method, target, time, nonce and, with a body, its digest.

The signature is verified before the body is read; the caller then compares the digest while the body arrives, and stores
(key id, nonce) only after both held, so that nobody can burn another's nonce. Nothing here reads a clock or a store.
"""

from __future__ import annotations

import logging
import re
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, HTTPSignatureKeyResolver, algorithms
from http_message_signatures.exceptions import HTTPMessageSignaturesException

from broker.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from broker.keys import RequestKey, RequestPublic

WINDOW_SECONDS: Final = 60
NONCE_SECONDS: Final = 120  # a nonce is kept for both sides of the window
_TAG: Final = "sinergi"
_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")
_COVERED = ("@method", "@target-uri")
_BODY_COVERED = ("content-digest", "content-type", "idempotency-key", "if-match")
_NOBODY: Final = Ed25519PrivateKey.generate().public_key()  # judges unknown keys' signatures, so that they take as long as wrong ones
logging.getLogger("http_message_signatures").setLevel(logging.CRITICAL)  # it quotes headers


@dataclass(slots=True)
class _Message:
    method: str
    url: str
    headers: dict[str, str]


class _Keys(HTTPSignatureKeyResolver):
    def __init__(self, private: RequestKey | None = None, public: Callable[[str], RequestPublic | None] | None = None) -> None:
        self._private, self._public = private, public

    def resolve_private_key(self, key_id: str) -> object:
        assert self._private is not None and key_id == self._private.public.kid
        return self._private.private

    def resolve_public_key(self, key_id: str) -> object:
        found = self._public(key_id) if self._public else None
        return found.key if found else _NOBODY


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request whose signature held: who signed, the nonce to store, and the digest the body must have (None: no body)."""

    kid: str
    nonce: str
    created: datetime
    body_sha256: bytes | None = field(default=None)


def digest_header(sha256: bytes) -> str:
    return f"sha-256=:{b64encode(sha256).decode()}:"


def sign_request(method: str, url: str, headers: Mapping[str, str], key: RequestKey, now: datetime, body_sha256: bytes | None = None) -> dict[str, str]:
    """The headers to send, signature included. With a body, `headers` must hold content-type and idempotency-key."""
    message = _Message(method, url, {k.lower(): v for k, v in headers.items()})
    covered: tuple[str, ...] = _COVERED
    if body_sha256 is not None:
        message.headers["content-digest"] = digest_header(body_sha256)
        covered += tuple(name for name in _BODY_COVERED if name in message.headers)
    HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=_Keys(private=key)).sign(
        message, key_id=key.public.kid, created=now, nonce=secrets.token_urlsafe(16), tag=_TAG, label="sinergi", covered_component_ids=covered, use_existing_digest=body_sha256 is not None
    )
    return message.headers


def verify_request(
    method: str, url: str, headers: Mapping[str, str], keys: Callable[[str], RequestPublic | None], now: datetime, *, body: bool, also: tuple[str, ...] = ()
) -> SignedRequest:
    """The signer of a request. Refusal `tanda_tangan` for an unknown key and a bad signature alike, `waktu` outside the window.

    url: the target as the client addressed it, built from our configured public address, never from the Host header.
    body: whether the method carries one; then its digest and type must be covered, and every header named in `also`.
    Source: RFC 9421; http-message-signatures checks neither age nor replay the way we need, so both are done here and by the caller.
    """
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=_Keys(public=keys))
    verifier.max_clock_skew = timedelta(days=36_500)  # our window below decides; the library reads its own clock
    try:
        (result,) = verifier.verify(
            _Message(method, url, dict(headers)),
            max_age=None,
            expect_tag=_TAG,
            require_components=(*_COVERED, "content-digest", "content-type", *also) if body else _COVERED,
        )
    except (HTTPMessageSignaturesException, ValueError):
        raise Refusal("tanda_tangan") from None
    created, nonce, kid = (result.parameters.get(name) for name in ("created", "nonce", "keyid"))
    if not isinstance(created, int) or not isinstance(nonce, str) or not isinstance(kid, str) or not 16 <= len(nonce) <= 64:
        raise Refusal("tanda_tangan")
    at = datetime.fromtimestamp(created, UTC)
    if abs((now - at).total_seconds()) > WINDOW_SECONDS:
        raise Refusal("waktu", detik=WINDOW_SECONDS)
    digest = None
    if body:
        found = _DIGEST.fullmatch(headers.get("content-digest", ""))
        if found is None:
            raise Refusal("isi_berubah")
        digest = b64decode(found.group(1))
    return SignedRequest(kid, nonce, at, digest)
