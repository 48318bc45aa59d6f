"""A real OpenID Connect provider (npm oidc-provider) on loopback, in a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest

from broker.settings import Oidc
from broker.web.oidc import CALLBACK
from tests.simulator import URL

if TYPE_CHECKING:
    from collections.abc import Iterator

MODULES = Path(sys.prefix) / "node"
SECRET = "rahasia-klien-uji-sinergi-1234"
BROWSER = httpx2.Client(trust_env=False)


@contextmanager
def provider(url: str) -> Iterator[str]:
    """Its address; it sends back to the broker at `url`. Without node or the package a user's run skips; CI fails."""
    node = shutil.which("node")
    if node is None or not (MODULES / "node_modules" / "oidc-provider").is_dir():
        reason = "needs node, and oidc-provider as .ci/run installs it"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    command = [node, str(Path(__file__).parent / "oidc" / "provider.mjs"), str(MODULES), url + CALLBACK]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        assert process.stdin
        try:
            address = process.stdout.readline().strip()
            assert address.startswith("http://127.0.0.1:")
            yield address
        finally:
            process.stdin.close()
            process.wait(20)


def settings(issuer: str, folder: Path) -> Oidc:
    (folder / "rahasia").write_text(SECRET + "\n")
    return Oidc(issuer, "sinergi", folder / "rahasia", "petugas", ("otp", "kuat"))


@pytest.fixture(scope="session")
def issuer() -> Iterator[str]:
    with provider(URL) as address:
        yield address


@pytest.fixture
def oidc(issuer: str, tmp_path: Path) -> Oidc:
    return settings(issuer, tmp_path)


def control(issuer: str, **said: str) -> None:
    BROWSER.get(f"{issuer}/control", params=said).raise_for_status()


def at_the_provider(url: str) -> str:
    """Follows the provider's own pages as a browser does, until it sends us back: that address."""
    BROWSER.cookies.clear()
    for _ in range(10):
        response = BROWSER.get(url)
        assert response.next_request, response.text
        url = str(response.next_request.url)
        if url.startswith(URL):
            return url
    raise AssertionError("the provider did not send us back")
