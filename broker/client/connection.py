"""Signed HTTP to one broker: answers as values, problems as ClientError, downloads whole or not at all."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import httpx2

from broker.errors import ClientError
from broker.identity import sign_request
from broker.keys import write_private

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from broker.keys import RequestKey

PIECE: Final = 256 << 10


class Connection:
    """Requests to the broker at `url`, signed by `key`. Owns an HTTP connection pool."""

    def __init__(self, url: str, key: RequestKey, clock: Callable[[], datetime], http: httpx2.Client | None = None) -> None:
        self._url, self._key, self._clock = url, key, clock
        self._http = http or httpx2.Client(timeout=httpx2.Timeout(90, connect=10))

    def sign_with(self, key: RequestKey) -> None:
        self._key = key

    def close(self) -> None:
        self._http.close()

    def health(self) -> dict[str, Any]:
        return answered(self._http.get(f"{self._url}/v1/health"))

    def known_keys(self) -> dict[str, Any]:
        """What the broker says of its own public keys and of those it holds for the parties' systems (docs/formats/keys.md)."""
        return _ok(self._http.get(f"{self._url}/.well-known/sinergi-keys.json"))

    def successions(self, fingerprint: str) -> list[str] | None:
        """What leads from the public set of this fingerprint (64 hex digits) to the one in use; None if the broker says that it knows no way."""
        response = self._http.get(f"{self._url}/v1/keys/successions/{fingerprint}")
        return None if response.status_code == 404 else list(_ok(response)["successions"])

    def confirmed(self, fingerprint: str) -> bytes | None:
        """The broker's signed word that the public set of this fingerprint (64 hex digits) is active; None if it gives none."""
        response = self._http.get(f"{self._url}/v1/keys/confirmed/{fingerprint}")
        if response.status_code == 404:
            return None
        if response.status_code >= 400:
            raise ClientError(problem_text(answered(response)))
        return response.content

    def request(self, method: str, path: str, headers: dict[str, str] | None = None, sha256: bytes | None = None, content: Iterator[bytes] | None = None) -> httpx2.Response:
        """The broker's response, whatever it is. sha256: of `content`, which the signature covers."""
        url = self._url + path
        signed = sign_request(method, url, headers or {}, self._key, self._clock(), sha256)
        return self._http.request(method, url, headers=signed, content=content)

    def get(self, path: str) -> dict[str, Any]:
        return _ok(self.request("GET", path))

    def act(self, method: str, path: str) -> dict[str, Any]:
        """A request without a body; the JSON answer, empty where there is none."""
        return _done(self.request(method, path))

    def send(self, method: str, path: str, data: bytes, kind: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """A request with a small body of the media type `kind`."""
        return _done(self.request(method, path, {"content-type": kind, **(headers or {})}, hashlib.sha256(data).digest(), iter([data])))

    def text(self, path: str) -> str:
        response = self.request("GET", path)
        if response.status_code >= 400:
            raise ClientError(problem_text(answered(response)))
        return response.text

    def save(self, path: Path, target: str) -> None:
        """Keeps a JSON answer as it came."""
        response = self.request("GET", target)
        _ok(response)
        write_private(path, response.content)

    def download(self, target: str, path: Path, progress: Callable[[int], None], question: bytes | None = None) -> httpx2.Headers:
        """Keeps a file as it came, 0600; the answer's headers. question: a JSON body to ask with."""
        url, method = self._url + target, "GET" if question is None else "POST"
        kind = {} if question is None else {"content-type": "application/json"}
        headers = sign_request(method, url, kind, self._key, self._clock(), None if question is None else hashlib.sha256(question).digest())
        partial, done = path.with_name(f".{path.name}"), 0
        with self._http.stream(method, url, headers=headers, content=question) as response:
            if response.status_code >= 400:
                response.read()
                raise ClientError(problem_text(answered(response)))
            with partial.open("wb") as out:
                partial.chmod(0o600)
                for data in response.iter_bytes(PIECE):
                    out.write(data)
                    done += len(data)
                    progress(done)
        partial.replace(path)
        return response.headers


def answered(response: httpx2.Response) -> dict[str, Any]:
    """The JSON object of a response. ClientError if whoever answered is no broker."""
    try:
        value: dict[str, Any] = response.json()
    except ValueError:
        raise ClientError(f"{urlsplit(str(response.url)).netloc} does not answer like a broker (status {response.status_code})") from None
    return value


def _done(response: httpx2.Response) -> dict[str, Any]:
    return {} if response.status_code == 204 else _ok(response)


def _ok(response: httpx2.Response) -> dict[str, Any]:
    value = answered(response)
    if response.status_code >= 400:
        raise ClientError(problem_text(value))
    return value


def problem_text(problem: dict[str, Any]) -> str:
    return f"{problem.get('title', '')} ({problem.get('pasal', '')}) · {problem.get('detail', '')}"
