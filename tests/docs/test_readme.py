"""README.md and the guides are true: every command they show is run, in order, against a real broker, and prints what they say."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.docs.console import Machines, commands, differs

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "keys/README.md", "docs/guide/administrator.md", "docs/guide/operator.md", "docs/guide/auditor.md", "docs/guide/security-officer.md", "docs/guide/reidentify.md")
TEXTS = {page: (ROOT / page).read_text() for page in PAGES}


def environment() -> dict[str, str]:
    own = {k: v for k, v in os.environ.items() if k not in ("SINERGI_HOME", "BROKER_HOME")}
    return own | {"PATH": f"{ROOT / '.venv' / 'bin'}:{own['PATH']}", "PYTHONPATH": str(ROOT), "COLUMNS": "100", "NO_COLOR": "1"}


def test_every_command_of_readme_and_guides_does_what_they_say(tmp_path: Path) -> None:
    machines = Machines(tmp_path, environment())
    try:
        for command in commands(TEXTS):
            if command.place == "checkout":
                continue
            status, printed = machines.run(command)
            what = f"{command.page}: $ {command.text}"
            assert status == command.status, f"{what}\n" + "\n".join(printed)
            assert (said := differs(command.printed, printed)) == "", f"{what}\n{said}"
    finally:
        machines.close()


def test_scripts_run_shows_a_whole_exchange_and_what_it_then_offers_works(tmp_path: Path) -> None:
    (shown,) = [c for c in commands(TEXTS) if c.text == "scripts/run"]
    printed: list[str] = []
    with subprocess.Popen([ROOT / "scripts/run", "--folder", tmp_path / "demo"], stdout=subprocess.PIPE, text=True, env=environment()) as running:
        assert running.stdout is not None
        try:
            for line in running.stdout:
                printed.append(line.rstrip("\n"))
                if line.startswith("  xdg-open"):
                    break
            assert differs(shown.printed, printed) == ""
            links = [line.split()[1] for line in printed if "/konsol/tautan/" in line]
            offered = printed[printed.index("It serves until Ctrl-C. In another terminal:") + 1 : -1]
            other = subprocess.run(["/bin/bash", "-e"], input="\n".join(offered), capture_output=True, text=True, timeout=120, check=False, env=environment())
            assert other.returncode == 0, other.stdout + other.stderr
            links.append(other.stdout.splitlines()[-1])
            for link in links:
                with urlopen(link, timeout=10) as page:  # noqa: S310 - our own broker
                    assert page.url.endswith("/konsol/masuk?ke=/konsol")  # signed in, with a cookie that this visitor does not keep
        finally:
            running.terminate()
        assert running.wait(30) == 0
    assert len(links) == 4


def test_scripts_run_says_which_step_failed(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").touch()
    done = subprocess.run([ROOT / "scripts/run", "--once", "--folder", tmp_path], capture_output=True, text=True, timeout=60, check=False, env=environment())
    assert (done.returncode, "GAGAL" in done.stdout) == (1, True)
    assert (tmp_path / "mine.txt").exists()


def test_scripts_test_runs_pytest_with_its_arguments() -> None:
    assert [c.text for c in commands(TEXTS) if c.text.startswith("scripts/test")] == ["scripts/test"]
    done = subprocess.run([ROOT / "scripts/test", "--version"], capture_output=True, text=True, timeout=60, check=False, env=environment())
    assert (done.returncode, "pytest" in done.stdout + done.stderr) == (0, True)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_a_page_shows_is_run(page: str) -> None:
    shown = re.findall(r"^\$ ", TEXTS[page], re.MULTILINE)
    assert len(shown) == len(commands({page: TEXTS[page]}))


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", TEXTS[page]):
        assert (ROOT / page).parent.joinpath(target).exists(), target


def test_help_comes_at_once() -> None:
    """Half a second on an idle machine; CPU time, so that a busy one does not fail it."""
    before = os.times()
    done = subprocess.run([ROOT / ".venv/bin/broker", "--help"], capture_output=True, text=True, check=True, env=environment())
    after = os.times()
    assert "Party · pihak:" in done.stdout
    assert after.children_user + after.children_system - before.children_user - before.children_system < 0.5


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; from broker.cli import main\ntry: main(['--help'])\nexcept SystemExit: print(sorted({'rich', 'polars', 'casbin', 'httpx2', 'pydantic', 'cryptography', 'fastapi'} & set(sys.modules)))"
    done = subprocess.run([ROOT / ".venv/bin/python", "-c", code], capture_output=True, text=True, check=True, env=environment())
    assert done.stdout.rstrip().endswith("[]")
