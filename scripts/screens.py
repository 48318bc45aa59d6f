"""The console's main pages as pictures in docs/screens: the demonstration is started, each of its officers signs in by their link, pages are looked at in chromium.

    .venv/bin/python scripts/screens.py            about three minutes; needs chromium
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT: Final = Path(__file__).parents[1]
LINK: Final = re.compile(r"(\w+)-1@sijunjung +(http://127\.0\.0\.1:\d+/konsol)(/tautan/\S+)")


def main() -> int:
    chromium, folder = shutil.which("chromium"), ROOT / "docs" / "screens"
    if chromium is None:
        print("chromium is not here", file=sys.stderr)
        return 2
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as work, sync_playwright() as playwright:
        demo = subprocess.Popen([str(ROOT / "scripts" / "run"), "--folder", f"{work}/demo"], stdout=subprocess.PIPE, text=True, cwd=work)
        try:
            links = _links(demo)
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            for role, look in (("operator", _operator), ("auditor", _auditor), ("petugas", _officer)):
                context = browser.new_context(locale="id-ID", viewport={"width": 1280, "height": 860})
                page = context.new_page()
                home, link = links[role]
                page.goto(home + link)
                look(page, home, Path(work), folder)
                context.close()
            browser.close()
        finally:
            demo.terminate()
            demo.wait(30)
    return 0


def _links(demo: subprocess.Popen[str]) -> dict[str, tuple[str, str]]:
    """Role's word → the console's address and the path of its link, once the demonstration has printed all three."""
    found: dict[str, tuple[str, str]] = {}
    assert demo.stdout is not None
    for line in demo.stdout:
        if told := LINK.search(line):
            found[told[1]] = (told[2], told[3])
        if len(found) == 3:
            return found
    raise SystemExit("the demonstration ended before it printed its links")


def _operator(page: Page, home: str, work: Path, folder: Path) -> None:
    page.screenshot(path=folder / "beranda.png")
    page.goto(f"{home}/kirim/berkas?kesepakatan=nk-sijunjung-2025&himpunan=pencari_kerja")
    page.locator("input[name=tujuan][value=perencanaan]").check()
    page.locator("#berkas").set_input_files(work / "demo" / "berkas" / "pencari_kerja.xlsx")
    page.get_by_role("button", name="Unggah").click()
    page.wait_for_url(re.compile(r"/kiriman/[0-9a-f]{32}"), timeout=60_000)
    page.screenshot(path=folder / "pratinjau.png")


def _auditor(page: Page, home: str, _: Path, folder: Path) -> None:
    page.goto(f"{home}/pertukaran")
    page.screenshot(path=folder / "pertukaran.png")
    page.locator("main a[href*='/pertukaran/']").last.click()
    page.screenshot(path=folder / "pertukaran-satu.png")
    page.goto(f"{home}/keutuhan")
    page.screenshot(path=folder / "keutuhan.png")


def _officer(page: Page, home: str, _: Path, folder: Path) -> None:
    page.goto(f"{home}/kebijakan")
    page.screenshot(path=folder / "kebijakan.png")


if __name__ == "__main__":
    sys.exit(main())
