"""`broker policy edit` in the officer's own editor: what was saved is the draft, and an editor that failed changes nothing."""

from __future__ import annotations

import pytest

from broker.cli.policy import _edited
from broker.errors import ClientError


def test_what_the_editor_saved_is_what_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", "sed -i s/lama/baru/")
    assert _edited("id,lama\n") == b"id,baru\n"


def test_an_editor_that_fails_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", "false")
    with pytest.raises(ClientError, match="unchanged"):
        _edited("id,lama\n")


def test_without_an_editor_a_file_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)
    with pytest.raises(ClientError, match="--file"):
        _edited("id,lama\n")
