"""README.md and the guides are true: every command they show is run, in order, against a real broker, and prints what they say."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

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


def test_scripts_run_once_shows_a_whole_exchange(tmp_path: Path) -> None:
    (shown,) = [c for c in commands(TEXTS) if c.text == "scripts/run --once"]
    done = subprocess.run([ROOT / "scripts/run", "--once", "--folder", tmp_path / "demo"], capture_output=True, text=True, timeout=300, check=False, env=environment())
    assert done.returncode == 0, done.stdout + done.stderr
    assert differs(shown.printed, done.stdout.splitlines()) == ""


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
