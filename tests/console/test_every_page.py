"""Every page that a link leads to, for each role, in both languages, wide and narrow, with the scripts and without: usable by everyone, said in one language."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
from starlette.routing import Route
from starlette.testclient import TestClient

from broker.errors import Refusal
from broker.lifecycle import propose, stop
from broker.web.console.shell import PATH
from broker.web.console.words import english
from tests.authenticator import Authenticator
from tests.console import test_auditor as auditing
from tests.console import test_drafts as drafting
from tests.console import test_outgoing as sending
from tests.console import test_passkeys as passkeys
from tests.console import test_unmasking as unmasking
from tests.console.conftest import AXE, PASSWORD, Visitor
from tests.peers.conftest import Keys

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.console.conftest import House, Screen
    from tests.people.conftest import Officer

NK, NOWHERE = "nk-sijunjung-2025", "/tidak-ada"
UNLINKED = {"/", f"{PATH}/statis/{{name}}", f"{PATH}/kunci/{{agreement}}/sertifikat", f"{PATH}/kunci/{{agreement}}/pemusnahan"}  # where a visit begins; what pages are made of; of an agreement that has ended
WORDS = "yang dan atau tidak untuk dengan dari pada oleh adalah belum sudah telah dapat harus ini itu anda bila hanya semua dalam kepada baris kolom hari sampai bukan jika karena akan menurut"
INDONESIAN = re.compile(rf"(?<![\w.])(?:{WORDS.replace(' ', '|')})(?!\w|\.\w)", re.IGNORECASE)  # not as part of the name of a rule
ALIKE = """() => { for (const body of document.querySelectorAll('tbody')) { const met = {}; for (const row of [...body.rows]) {
  const kind = row.innerHTML.replace(/>[^<]*</g, '><').replace(/ (href|title|datetime|aria-label)="[^"]*"/g, '');
  if ((met[kind] = (met[kind] ?? 0) + 1) > 2) row.remove();
} } }"""  # leaves two rows of those that differ in their words alone: axe-core takes seconds for a thousand cells
VOID = frozenset({"area", "base", "br", "hr", "img", "input", "link", "meta", "line", "rect"})


class Seen(HTMLParser):
    """What a page says and is made of. texts: those of its own language, of no code and no quotation in another; shape: which elements stand in which."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.lang, self.title, self.heads, self.here, self.menu = "", "", 0, 0, False
        self.links: list[str] = []
        self.texts: list[str] = []
        self.scripts: list[str] = []
        self.shape: set[str] = set()
        self._open: list[tuple[str, bool]] = []  # tag, whether its text is the page's own words
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = {name: value or "" for name, value in attrs}
        outside, said = self._open[-1] if self._open else ("", True)
        self.lang = self.lang or own.get("lang", "")
        said = said and tag not in {"code", "pre", "textarea", "script", "title"} and own.get("lang", self.lang) == self.lang
        self.shape.add(f"{outside} {tag} {own.get('class')} {own.get('type')} {' '.join(sorted(own))}")
        self.heads += tag == "h1"
        self.menu |= own.get("class") == "menu"
        self.here += own.get("aria-current") == "page"
        self.links += [own["href"]] if tag == "a" and "bahasa=" not in own["href"] else []
        self.scripts += [own["src"]] if tag == "script" else []
        self.texts += [own[name] for name in ("aria-label", "title", "alt", "placeholder") if said and own.get(name)]
        if tag not in VOID:
            self._open.append((tag, said))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass  # elements whose end may be left out

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if text and self._open and self._open[-1][0] == "title":
            self.title += text
        elif text and self._open and self._open[-1][1]:
            self.texts.append(text)

    def untranslated(self) -> list[str]:
        return [text for text in self.texts if INDONESIAN.search(text) or english().get(text, text) != text]


@pytest.fixture
def url() -> str:
    """A name: browsers make no passkey for an address in numbers."""
    return passkeys.HOST


@pytest.fixture(autouse=True)
def _no_random_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broker.lifecycle.drafts.CHECK_SECONDS", 0.0)


def populated(house: House) -> dict[str, Officer]:
    """A town with something of every kind, and who looks at it, by the name of their role."""
    town = house.town
    Keys(town).propose(Keys(town).made("baru")[0])
    people = {role: house.officer(role) for role in ("operator", "admin_pihak", "auditor", "petugas_keamanan", "pembuka_samaran")}
    people |= {"ppdp": house.officer("ppdp", ends=town.now.date() + timedelta(days=20)), "administrator": house.registry.active(role="administrator", party=""), "operator_kemnaker": house.officer("operator", "kemnaker")}
    theirs, second = house.officer("pembuka_samaran", "kemnaker"), house.officer("auditor", ends=town.now.date() + timedelta(days=20))
    house.registry.invite(role="operator")
    with town.http() as http:
        received, tokens, _ = unmasking.received(town, http, 12)
    with TestClient(town.app(house.url), base_url=house.url, raise_server_exceptions=False) as http:

        def visit(officer: Officer) -> Visitor:
            return Visitor(http, house.url, house.token(officer))

        operator, asker, auditor, officer = (visit(people[role]) for role in ("operator", "operator_kemnaker", "auditor", "petugas_keamanan"))
        rows = town.rows(n=21, text=True)
        rows[20][town.office.contracts["pencari_kerja"].names.index("nik")] = "1234"
        sending.through(house, sending.sent(operator, town.csv(rows)))
        sending.drafted(operator, town.csv(rows))
        for wrong in ("jahat", "penempatan"):
            with pytest.raises(Refusal):
                auditing.sent(house, purpose=wrong)
        asked = [asker.post("/samaran/ajukan", unmasking.asked(asker, received, token)).headers["location"].removeprefix(PATH) for token in tokens[:3]]
        for path in asked[:2]:
            unmasking.approve(house, visit, path, people["pembuka_samaran"], theirs)
        unmasking.approve(house, visit, asked[2], theirs)
        assert asker.post(f"{asked[0]}/jawaban", {}).status_code == 200
        auditor.post("/cari-orang", auditing.question(*auditing.crowd()))
        visit(second).post("/cari-orang", auditing.question(*auditing.crowd()))
        auditor.post("/pertukaran/tampilan", {"q": "keadaan=refused", "nama": "Yang ditolak bulan ini"})
        assert passkeys.make(house, visit(people["ppdp"]), people["ppdp"], Authenticator(house.url)).status_code == 303
        published = passkeys.proposed(house, people["petugas_keamanan"])
        drafting.approve(house, people["ppdp"], published)
        answer = officer.post(f"/kebijakan/draf/{published}/terbitkan", {"kode": drafting.code(house, people["petugas_keamanan"])})
        assert answer.status_code == 303, answer.text
        waiting = drafting.begun(house, people["petugas_keamanan"], drafting.CAP.replace("K.uji", "K.lain").replace("pendidikan_tertinggi", "agama"))
        propose(town.office, house.registry.get(people["petugas_keamanan"].id), waiting, town.now)
        drafting.begun(house, people["petugas_keamanan"], drafting.CAP.replace("K.uji", "<b>x"))
    return people


def address(path: str) -> str:
    """What stays of an address without what it names: `/konsol/kiriman/{}`, `/konsol/pertukaran?q`."""
    parts = urlsplit(path)
    bare = "/".join("{}" if any(letter.isdigit() for letter in part) else part for part in parts.path.split("/"))
    return f"{bare}?{'&'.join(sorted(name for name, _ in parse_qsl(parts.query)))}".rstrip("?")


@dataclass
class Walk:
    """All pages that links lead an officer to. met: where links lead. looked_at: what pages of a kind were made of that the browser has looked at; one with nothing else is not looked at."""

    screen: Screen
    http: TestClient
    page: Page
    wrong: list[str] = field(default_factory=list)
    looked_at: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    titles: dict[str, str] = field(default_factory=dict)
    met: set[str] = field(default_factory=set)

    def all(self, role: str, token: str, *starts: str) -> None:
        """Follows every link from `starts`: of one kind of address three at most that name something, and one that does not."""
        if token:
            self.screen.context.add_cookies([{"name": "sinergi", "value": token, "url": self.screen.house.url}])
        visitor, ahead, followed = Visitor(self.http, self.screen.house.url, token), list(starts), Counter[str]()
        for path in ahead:
            kind = address(path)
            followed[kind] += 1
            self.met.add(path.partition("?")[0])
            if path.startswith(PATH) and followed[kind] <= (3 if "{}" in kind.partition("?")[0] else 1):
                ahead += [urljoin(path, link) for link in self.one(role, visitor, path.removeprefix(PATH)) if not link.startswith("#")]

    def one(self, role: str, visitor: Visitor, path: str) -> list[str]:
        """The links of a page; what is wrong with it, in either language, is kept."""
        links: list[str] = []
        for language in ("id", "en"):
            asked = f"{path}{'&' if '?' in path else '?'}bahasa={language}"
            answer = visitor.get(asked)
            if not answer.headers.get("content-type", "").startswith("text/html"):
                return []  # a file
            seen, kind = Seen(answer.text), address(path).partition("?")[0]
            wrong = {
                f"answers {answer.status_code}": answer.status_code != (404 if path == NOWHERE else 200), f"is in {seen.lang}": seen.lang != language, f"has {seen.heads} h1": seen.heads != 1,
                f"has the title of {self.titles.setdefault(seen.title, kind)}": self.titles[seen.title] != kind, "has no title": seen.title.startswith("·"),
                f"is at {seen.here} places of the menu": seen.menu and path != NOWHERE and seen.here < 1,
            }  # fmt: skip
            self.wrong += [f"{role} {asked} {what}" for what, so in wrong.items() if so] + [f"{role} {asked} says: {text}" for text in seen.untranslated() if language == "en"]
            if seen.shape - self.looked_at[language + kind]:
                self.looked_at[language + kind] |= seen.shape
                self.look(f"{role} {asked}", asked, 360 if language == "en" else 1280)
                if len(seen.scripts) > 1:
                    self.page.route("**/statis/*.js*", lambda route: route.fulfill(body="", content_type="text/javascript"))
                    self.look(f"{role} without scripts {asked}", asked, 360 if language == "id" else 1280)
                    self.page.unroute_all()
            links += seen.links
        return list(dict.fromkeys(links))

    def look(self, where: str, asked: str, width: int) -> None:
        """By axe-core, with what is folded up opened; and whether the page is wider than a telephone."""
        self.page.set_viewport_size({"width": width, "height": 900})
        self.screen.go(self.page, asked)
        self.page.evaluate("[...document.querySelectorAll('details')].slice(0, 3).forEach(one => { one.open = true; })")
        wide = self.screen.too_wide(self.page)
        self.page.evaluate(ALIKE)
        self.wrong += [f"{where} {one}" for one in (*wide, *self.screen.violations(self.page))]


def test_every_page_is_usable_and_in_one_language(screen: Screen) -> None:
    house = screen.house
    people = populated(house)
    started = {"auditor": auditing.PAGES}
    app = house.town.app(house.url)
    with TestClient(app, base_url=house.url, raise_server_exceptions=False) as http:
        walk = Walk(screen, http, screen.page())
        walk.page.add_init_script(AXE.read_text())
        for role, officer in people.items():
            walk.all(role, house.token(officer), *(PATH + path for path in ("", NOWHERE, *started.get(role, ()))))
            if role == "operator":  # whose preview would have said no more than that
                stop(house.town.office, house.registry.get(people["petugas_keamanan"].id), NK, house.town.now)
        screen.context.clear_cookies()
        walk.all("nobody", "", f"{PATH}/masuk")
    pages = [route for route in app.state.console.router.routes if isinstance(route, Route) and "GET" in (route.methods or ())]
    assert not walk.wrong, "\n".join(walk.wrong)
    assert {page.path for page in pages if not any(page.path_regex.match(path) for path in walk.met)} == UNLINKED


# --- by keyboard alone
STOPS = """() => [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]')].filter((one, _, all) => !one.disabled && one.checkVisibility()
  && (one.type !== 'radio' || one === (all.find(other => other.name === one.name && other.checked) ?? all.find(other => other.name === one.name))))"""
THERE = f"""wanted => {{ const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
  return [({STOPS})().indexOf(at), at.matches(wanted), style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 && box.right > 0 && box.bottom > 0, at.outerHTML.slice(0, 99)]; }}"""


def reach(page: Page, wanted: str) -> list[int]:
    """Presses Tab until the focus is on what is wanted; the stops before it, by their number in the page's order. Every stop is to be seen."""
    stops: list[int] = []
    while True:
        page.keyboard.press("Tab")
        number, there, visible, html = page.evaluate(THERE, wanted)
        assert number not in stops, f"{wanted} is not reached from {html}"
        assert visible or number < 0, f"the focus is not seen on {html}"
        stops.append(number)
        if there:
            return stops


def test_an_operator_signs_in_and_sends_by_keyboard_alone(screen: Screen, tmp_path: Path) -> None:
    house = screen.house
    officer, page = house.officer("operator"), screen.page()
    page.emulate_media(reduced_motion="reduce")  # a page that is still scrolling does not show its focus yet
    (tmp_path / "pencari_kerja.csv").write_bytes(house.town.csv(house.town.rows(n=21, text=True)))

    def press(wanted: str, key: str = "Enter") -> None:
        reach(page, wanted)
        page.keyboard.press(key)

    def all_stops() -> None:
        """From the top, every control of the page in its order, and out of the page again."""
        page.reload()
        assert reach(page, "body")[:-1] == list(range(page.evaluate(f"({STOPS})().length"))), page.url

    screen.go(page, "/masuk")
    for wanted, typed in (("#id", officer.id), ("#sandi", PASSWORD), ("#kode", officer.code(house.town.now))):
        reach(page, wanted)
        page.keyboard.type(typed)
    page.keyboard.press("Enter")
    page.wait_for_url(house.url + PATH)
    all_stops()
    press("a.skip")
    assert page.evaluate("document.activeElement.id") == "isi"
    page.reload()
    press("nav.menu a[href$='/kirim']")
    page.wait_for_url("**/kirim")
    press("main table a")
    page.wait_for_url("**/kirim/berkas?*")
    all_stops()
    press("input[value=perencanaan]", "Space")
    reach(page, "#berkas")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files(tmp_path / "pencari_kerja.csv")
    press("form#unggah button")
    page.wait_for_url(re.compile(r"/kiriman/[0-9a-f]{32}$"))
    all_stops()
    press("form[action$='/kirim'] button")
    page.locator("ol.steps").wait_for()
    name = page.url.rpartition("/")[2]
    sending.through(house, name)
    assert house.town.row(name).state == "recorded"
    screen.go(page, f"/kiriman/{name}")
    all_stops()
