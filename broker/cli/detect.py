"""`broker detect`: what personal data a note holds and how it would leave. Nothing is sent, kept or logged."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from broker.cli.reasons import indonesian
from broker.cli.say import say
from broker.errors import ClientError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from broker.model import Finding

VERDICTS = {"valid": "sah", "plausible": "mungkin", "shaped": "berbentuk"}
MAX_FILE = 10 << 20  # bytes


def detect(
    file: Annotated[str, typer.Argument(help="A text file in UTF-8, or - for standard input.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
    values: Annotated[bool, typer.Option("--values", help="Show the values found; they are masked otherwise.")] = False,
    view: Annotated[bool, typer.Option("--view", help="Show the text with its findings marked, for your eyes.")] = False,
    clean: Annotated[bool, typer.Option("--clean", help="Print the text as it would leave.")] = False,
) -> None:
    """Find personal data in a note before you send it: NIK, names, phones, illness and more."""
    try:
        from broker.detection import detect as search  # noqa: PLC0415 - loads the model
        from broker.treatment import clean as replaced  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ClientError(f"detect needs the server part of Sinergi ({error.name} is missing): pip install '.[server]'") from None

    text = _read(file)
    (findings,) = search([text])
    if as_json:
        sys.stdout.write(json.dumps(_object(text, findings, values=values), ensure_ascii=False) + "\n")
    elif clean:
        sys.stdout.write(replaced([text], [findings], [()])[0])
    elif view:
        _view(text, findings)
    else:
        _table(text, findings, values=values)


def _read(file: str) -> str:
    data = sys.stdin.buffer.read(MAX_FILE + 1) if file == "-" else _bytes(file)
    if len(data) > MAX_FILE:
        raise ClientError(f"{file}: larger than {MAX_FILE >> 20} MB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ClientError(f"{file}: no UTF-8 text at byte {error.start}") from None


def _bytes(file: str) -> bytes:
    with open(file, "rb") as source:  # noqa: PTH123 - the name may be a device
        return source.read(MAX_FILE + 1)


def _object(text: str, findings: Sequence[Finding], *, values: bool) -> dict[str, object]:
    rows = [{"start": f.start, "end": f.end, "kind": f.kind, "verdict": f.verdict, "reason": f.reason} for f in findings]
    if values:
        rows = [row | {"value": text[f.start : f.end]} for row, f in zip(rows, findings, strict=True)]
    return {"characters": len(text), "findings": rows}


def _table(text: str, findings: Sequence[Finding], *, values: bool) -> None:
    from rich.markup import escape  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from broker.treatment import placeholder  # noqa: PLC0415

    if not findings:
        say("Tidak ada data pribadi yang ditemukan. No personal data found.")
        return
    table = Table("baris", "kolom", "menjadi", "keyakinan", "alasan", "isi")
    for f in findings:
        line = text.count("\n", 0, f.start) + 1
        value = escape(" ".join(text[f.start : f.end].split())) if values else f"({f.end - f.start} karakter)"
        table.add_row(str(line), str(f.start - text.rfind("\n", 0, f.start)), escape(placeholder(f.kind) or "tetap"), VERDICTS[f.verdict], indonesian(f.reason), value)
    say(table)
    say(f"{len(findings)} temuan. Nilai disamarkan; --values menampilkannya." if not values else f"{len(findings)} temuan.")


def _view(text: str, findings: Sequence[Finding]) -> None:
    from rich.text import Text  # noqa: PLC0415

    from broker.treatment import placeholder  # noqa: PLC0415

    shown, at = Text(), 0
    for f in findings:
        mark = placeholder(f.kind)
        shown.append(text[at : f.start])
        shown.append(text[f.start : f.end], style="black on yellow" if mark else "underline")
        shown.append(mark, style="bold red")
        at = f.end
    shown.append(text[at:])
    say(shown)
