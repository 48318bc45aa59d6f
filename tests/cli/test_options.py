"""What is asked for by one name has that name in every command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer.main

from broker.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Iterator


def parameters(command: object, path: str = "broker") -> Iterator[tuple[str, str, list[str]]]:
    """Command, parameter and how it is spelt, of every command."""
    for parameter in getattr(command, "params", []):
        yield path, parameter.name, [*parameter.opts]
    for name, inner in getattr(command, "commands", {}).items():
        yield from parameters(inner, f"{path} {name}")


def test_the_agreement_and_the_file_to_write_are_spelt_alike_everywhere() -> None:
    found = list(parameters(typer.main.get_command(app)))
    agreements = {path: opts for path, name, opts in found if name == "agreement"}
    assert len(agreements) >= 12
    assert {path: opts for path, opts in agreements.items() if opts != ["--agreement", "-k"]} == {}
    outputs = {path: opts for path, name, opts in found if name in ("output", "out")}
    assert len(outputs) >= 6
    assert {path: opts for path, opts in outputs.items() if opts != ["--output", "-o"]} == {}
