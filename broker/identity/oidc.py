"""Sign-in with an OpenID Connect provider: authorization code, PKCE (S256), state, nonce. Server only (Authlib).

What a provider says is believed only of an ID token that it signed for us, in answer to this sign-in. It names an account that exists
already; it makes none. Source: OpenID Connect Core 1.0, RFC 7636, RFC 9207.
"""

from __future__ import annotations

import secrets
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from broker.errors import ConfigError, NotVerified

if TYPE_CHECKING:
    from datetime import datetime

    from broker.settings import Oidc

_ALGORITHMS: Final = ["RS256", "PS256", "ES256", "Ed25519"]  # a provider that signs with a shared secret, or not at all, is not believed
_LEEWAY: Final = 60  # seconds
_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in under way: kept with the browser, sealed, until it comes back."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Vouched:
    """Whom the provider vouches for, and whether it asked for a second factor that we accept."""

    person: str
    second_factor: bool


class Provider:
    """The provider of `[oidc]`. redirect: our callback's public address. Every step has a client of its own: one keeps the token it fetched."""

    def __init__(self, settings: Oidc, redirect: str) -> None:
        self._settings, self._redirect = settings, redirect
        self._trusted = ssl.create_default_context()  # the system's authorities, read once
        try:
            self._secret = settings.client_secret_file.read_text().strip()
        except OSError:
            raise ConfigError(str(settings.client_secret_file), 0, "cannot be read; [oidc] needs its client secret") from None

    def begin(self) -> tuple[str, Begun]:
        """The address to send the browser to, and what to keep. NotVerified if the provider cannot be asked."""
        begun = Begun(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48))
        with self._client() as client:
            url, _ = client.create_authorization_url(self._metadata(client)["authorization_endpoint"], state=begun.state, code_verifier=begun.verifier, nonce=begun.nonce)
        return str(url), begun

    def finish(self, code: str, issuer: str | None, begun: Begun, now: datetime) -> Vouched:
        """Whom the provider vouches for. issuer: the answer's `iss`. NotVerified for every failure, with nothing of the answer in it."""
        with self._client() as client:
            metadata = self._metadata(client)
            if issuer != metadata["issuer"] and (issuer is not None or metadata.get("authorization_response_iss_parameter_supported")):
                raise NotVerified("the provider's answer is not of the provider that was asked")
            claims = self._claims(client, metadata, code, begun, now)
        person, methods = claims.get(self._settings.claim), claims.get("amr", [])
        if not isinstance(person, str):
            raise NotVerified("the provider's answer names no account")
        said = {claims.get("acr"), *(m for m in methods if isinstance(m, str))} if isinstance(claims.get("acr"), str | None) else set()
        return Vouched(person, not said.isdisjoint(self._settings.second_factor))

    def _client(self) -> OAuth2Client:
        return OAuth2Client(
            self._settings.client_id, self._secret, scope="openid", redirect_uri=self._redirect, code_challenge_method="S256",
            timeout=httpx2.Timeout(10), follow_redirects=False, trust_env=False, verify=self._trusted,
        )  # fmt: skip

    def _claims(self, client: OAuth2Client, metadata: dict[str, Any], code: str, begun: Begun, now: datetime) -> CodeIDToken:
        try:
            token = client.fetch_token(metadata["token_endpoint"], grant_type="authorization_code", code=code, code_verifier=begun.verifier)
            keys = KeySet.import_key_set(_json(client, metadata["jwks_uri"]))  # type: ignore[arg-type] # checked by the import
            decoded = jwt.decode(token["id_token"], keys, registry=JWSRegistry(algorithms=_ALGORITHMS, strict_check_header=False))
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                {"iss": {"essential": True, "value": metadata["issuer"]}, "aud": {"essential": True, "value": self._settings.client_id}},
                {"nonce": begun.nonce, "client_id": self._settings.client_id, "access_token": token.get("access_token")},
            )
            claims.validate(now=int(now.timestamp()), leeway=_LEEWAY)
        except (AuthlibBaseError, JoseError, httpx2.HTTPError, ValueError, KeyError, TypeError):
            raise NotVerified("the provider's answer does not hold") from None
        return claims

    def _metadata(self, client: OAuth2Client) -> dict[str, Any]:
        """The provider's own description of itself. NotVerified unless it is of our issuer and its addresses are as safe as ours."""
        found = _json(client, f"{self._settings.issuer}/.well-known/openid-configuration")
        if str(found.get("issuer", "")).rstrip("/") != self._settings.issuer:
            raise NotVerified("the provider says it is another")
        scheme = urlsplit(self._settings.issuer).scheme
        if not all(isinstance(found.get(name), str) and urlsplit(found[name]).scheme in ("https", scheme) for name in _ENDPOINTS):
            raise NotVerified("the provider's description is not complete")
        return found


def _json(client: OAuth2Client, url: str) -> dict[str, Any]:
    try:
        response = client.request("GET", url, withhold_token=True)
        value = response.json() if response.status_code == 200 else None
    except (httpx2.HTTPError, ValueError):
        raise NotVerified("the provider does not answer") from None
    if not isinstance(value, dict):
        raise NotVerified("the provider does not answer")
    return value
