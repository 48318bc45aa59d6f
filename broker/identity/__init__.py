"""Who asks: RFC 9421 request signatures with pinned keys."""

from broker.identity.requests import NONCE_SECONDS, WINDOW_SECONDS, SignedRequest, sign_request, verify_request

__all__ = ["NONCE_SECONDS", "WINDOW_SECONDS", "SignedRequest", "sign_request", "verify_request"]
