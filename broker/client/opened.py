"""Released rows as a file for people: NDJSON as it came, or CSV that a spreadsheet cannot be tricked with."""

from __future__ import annotations

import csv
import json
import os
from typing import IO, TYPE_CHECKING, Final

from broker.client.verify import Verified, verify_exchange
from broker.errors import ClientError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from broker.keys import AnyKemKey, PublicSet

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet reads a cell that begins so as a formula


def write_rows(folder: Path, broker: PublicSet, keys: Sequence[AnyKemKey], path: Path, form: str, exchange: str) -> Verified:
    """Writes `path` 0600, whole, once every line verified; on any failure nothing is left. ClientError: path exists, unknown form."""
    if form not in ("csv", "ndjson"):
        raise ClientError("--to is csv or ndjson")
    if path.exists():
        raise ClientError(f"{path} exists already")
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    fd = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(fd, "w+b") as f:
            verified = verify_exchange(folder, broker, keys, f, exchange=exchange)
            if form == "csv":
                _to_csv(f, partial.with_suffix(".csv"))
        if form == "csv":
            partial.unlink()
            partial.with_suffix(".csv").rename(path)
        else:
            partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)
        partial.with_suffix(".csv").unlink(missing_ok=True)
    return verified


def _to_csv(lines: IO[bytes], path: Path) -> None:
    lines.seek(0)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        for number, line in enumerate(lines):
            row = json.loads(line)
            if number == 0:
                writer.writerow(row)
            writer.writerow([spreadsheet_safe(value) for value in row.values()])


def spreadsheet_safe(value: str | None) -> str:
    """The cell as text that no spreadsheet takes for a formula; null is empty."""
    if value is None:
        return ""
    return f"'{value}" if value.startswith(_FORMULA) else value
