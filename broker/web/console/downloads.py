"""A file of the ledger as a browser takes it: one ZIP with the file and, beside it, the signed statement over it, under the names that `broker log check` expects."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Final

from fastapi.responses import StreamingResponse

from broker.audit.handout import statement
from broker.web.console.shell import HEADERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from broker.audit.handout import File
    from broker.model import Person
    from broker.office import Office

LARGE: Final = 1 << 31  # bytes from which a member needs the format's 64-bit sizes


class _Written:
    """What a ZIP writer wrote and nobody took yet; it cannot seek."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None: ...

    def close(self) -> None: ...

    def taken(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        return data


def packed(office: Office, person: Person, file: File, name: str, now: datetime, more: Mapping[str, bytes] | None = None) -> StreamingResponse:
    """The answer with the file as `name`, its statement as `name.dsse`, and what else belongs to it by the ending of its name. Never kept by anyone on the way."""
    beside = {".dsse": statement(office, person, file.name, now), **(more or {})}
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="sinergi-{name.rpartition(".")[0]}.zip"'}
    return StreamingResponse(_zipped(file, name, beside), headers=headers, media_type="application/zip")


def _zipped(file: File, name: str, beside: Mapping[str, bytes]) -> Iterator[bytes]:
    out = _Written()
    with zipfile.ZipFile(out, "w") as archive:
        for ending, data in beside.items():
            archive.writestr(zipfile.ZipInfo(name + ending), data)
        with archive.open(zipfile.ZipInfo(name), "w", force_zip64=file.size >= LARGE) as member:
            for piece in file.pieces:
                member.write(piece)
                yield out.taken()
    yield out.taken()
