"""Officers at the console: by plain requests, as an attacker would send them, and in a real browser on Debian's chromium."""

from __future__ import annotations

import os
import re
import shutil
import socket
import threading
import time
from dataclasses import dataclass, field
from functools import cache
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import pytest
import uvicorn
from starlette.testclient import TestClient

from broker.people import token_sha256
from broker.store import Session
from broker.web.app import create_app
from broker.web.console.shell import PATH
from tests.people.conftest import PASSWORD, Officer, Registry, _quick
from tests.people.provider import issuer, oidc
from tests.simulator import URL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx2 as httpx
    from playwright.sync_api import Browser, BrowserContext, Page

    from broker.settings import Oidc
    from tests.simulator import Town

AXE = Path(__file__).parents[2] / ".venv" / "node-console" / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
CI = os.environ.get("CI") == "true"
__all__ = ["PASSWORD", "_quick", "issuer", "oidc"]


@cache
def _axe() -> str:
    return AXE.read_text()


def _needed(there: object, what: str) -> None:
    """A tool that a test needs: without it the test is skipped on a user's machine, and fails where everything must run."""
    if not there:
        (pytest.fail if CI else pytest.skip)(f"{what} is not here: see .ci/run")


@dataclass
class House:
    """A town with a console. `officer` makes an account with password, second factor and vouched keys; `token` signs it in."""

    town: Town
    url: str
    registry: Registry
    officers: dict[str, Officer] = field(default_factory=dict)

    def officer(self, role: str, party: str = "sijunjung", **changed: Any) -> Officer:
        found = self.registry.enrolled(role=role, party=party, **changed)
        self.officers[found.id] = found
        return found

    def token(self, officer: Officer) -> str:
        """A session that a sign-in begun just now would have."""
        token, at = f"token-of-{officer.id}-{len(self.registry.tokens)}", int(self.town.now.timestamp())
        self.registry.tokens.append(token)
        with self.town.office.ledger.database.write() as tx:
            tx.people.add_session(token_sha256(token), Session(officer.id, at, at, at + 12 * 3600, True))
        return token


class Visitor:
    """One officer's requests, each as a browser would send it; `post` takes a form's fields from the page that has it."""

    def __init__(self, http: TestClient, url: str, token: str = "") -> None:
        self.http, self.url = http, url
        self.headers = {"Cookie": f"sinergi={token}"} if token else {}

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.http.get(PATH + path, headers=self.headers, follow_redirects=False, **more)

    def csrf(self, path: str = "") -> str:
        found = re.search(r'name="csrf" value="([^"]*)"', self.get(path).text)
        assert found
        return unescape(found[1])

    def post(self, path: str, fields: dict[str, str] | list[tuple[str, str]], *, csrf: str | None = None, **headers: str) -> httpx.Response:
        """csrf: what stands in for the page's own. headers: besides, or in place of, those of a browser."""
        pairs = [*(fields.items() if isinstance(fields, dict) else fields), ("csrf", self.csrf() if csrf is None else csrf)]
        sent = {**self.headers, "Content-Type": "application/x-www-form-urlencoded", "Origin": self.url, "Sec-Fetch-Site": "same-origin", **headers}
        return self.http.post(PATH + path, content=urlencode(pairs), headers=sent, follow_redirects=False)


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page waits for its preview however slow the machine is."""
    monkeypatch.setattr("broker.web.console.outgoing.LOOK", 60)


@pytest.fixture
def url() -> str:
    """The console's address; a browser test keeps its host and takes a free port."""
    return URL


@pytest.fixture
def house(town: Town, url: str) -> House:
    return House(town, url, Registry(town))


@pytest.fixture
def http(house: House) -> Iterator[TestClient]:
    with TestClient(house.town.app(house.url), base_url=house.url, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def visitor(house: House, http: TestClient) -> Any:
    """Signs an officer in: `visitor(officer)`."""
    return lambda officer=None: Visitor(http, house.url, house.token(officer) if officer else "")


# --- a real browser
@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    _needed(CHROMIUM, "chromium")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - a browser is for those tests alone that ask for one

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Screen:
    """A browser of one officer on a broker that really serves. Whatever asks another host, breaks the policy or fails in a script is kept, and fails the test at its end."""

    house: House
    context: BrowserContext
    trouble: list[str] = field(default_factory=list)
    scripts: bool = True
    pictures: int = 0

    def sign_in(self, officer: Officer) -> Page:
        self.context.add_cookies([{"name": "sinergi", "value": self.house.token(officer), "url": self.house.url}])
        return self.page()

    def page(self) -> Page:
        page = self.context.new_page()
        page.on("console", lambda message: self.trouble.append(f"console: {message.text}") if message.type == "error" and "status of" not in message.text else None)
        page.on("pageerror", lambda error: self.trouble.append(f"script: {error}"))
        page.on("request", lambda request: None if request.url.startswith((self.house.url, "data:", "blob:")) else self.trouble.append(f"another host: {request.url}"))
        return page

    def go(self, page: Page, path: str) -> None:
        page.goto(self.house.url + PATH + path)

    def check(self, page: Page) -> None:
        """No violation that axe-core finds; nothing wider than the screen at 360 px."""
        assert self.violations(page) + self.too_wide(page) == [], page.url

    def violations(self, page: Page) -> list[str]:
        """What axe-core finds; nothing in a browser without JavaScript, which axe-core is."""
        _needed(AXE.exists(), "axe-core")
        self.picture(page)
        if not self.scripts:
            return []
        if page.evaluate("typeof axe === 'undefined'"):
            page.evaluate(_axe())  # by the debugger: the page's own policy would refuse a script element
        found: list[str] = page.evaluate("axe.run(document, {preload: false}).then(r => r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html).slice(0, 3).join(' ')))")
        return found

    def too_wide(self, page: Page) -> list[str]:
        before = page.viewport_size
        page.set_viewport_size({"width": 360, "height": 800})
        self.picture(page)
        wide: int = page.evaluate("document.documentElement.scrollWidth")
        if before:
            page.set_viewport_size(before)
        return [f"{wide} px wide at 360"] if wide > 360 else []

    def picture(self, page: Page) -> None:
        """For who wants to look at what the tests look at."""
        if folder := os.environ.get("SINERGI_SCREENS"):
            self.pictures += 1
            page.screenshot(path=f"{folder}/{re.sub(r'[^a-z0-9]+', '-', page.url.partition(PATH)[2])[:80].strip('-')}-{self.pictures}.png", full_page=True)


@pytest.fixture
def oidc_at() -> Callable[[str], Oidc | None]:
    """The provider of a broker that really serves, by the broker's address: none, unless a test says otherwise."""
    return lambda _: None


@pytest.fixture
def served(town: Town, url: str, oidc_at: Callable[[str], Oidc | None]) -> Iterator[House]:
    """The town's broker on a port of this machine."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
    url = f"http://{urlsplit(url).hostname}:{port}"
    app = create_app(town.office, url, 64 << 20, lambda: town.now, oidc_at(url))
    town._workers.append(app.state.worker)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield House(town, url, Registry(town))
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def screen(chromium: Browser, served: House) -> Iterator[Screen]:
    with chromium.new_context(locale="id-ID", viewport={"width": 1280, "height": 900}) as context:
        screen = Screen(served, context)
        yield screen
        assert screen.trouble == []


@pytest.fixture
def plain_screen(chromium: Browser, served: House) -> Iterator[Screen]:
    """The same without JavaScript."""
    with chromium.new_context(locale="id-ID", java_script_enabled=False) as context:
        screen = Screen(served, context, scripts=False)
        yield screen
        assert screen.trouble == []


