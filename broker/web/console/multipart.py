"""A form with a file, read as it comes in: fields first, then one file, whose bytes are handed on and kept nowhere.

Source: RFC 7578, and RFC 2046 5.1.1 for the delimiters; of both, what browsers send and no more. What is malformed, doubled, too long or behind the file is
refused. Nothing here touches a disk.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from broker.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_FIELDS: Final = 16
MAX_FIELD: Final = 4_096  # bytes
MAX_HEADERS: Final = 2_048  # bytes of a part's
_BOUNDARY: Final = re.compile(r"multipart/form-data *; *boundary=(?:\"([0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-])\"|([0-9A-Za-z'+_.-]{1,70}))", re.IGNORECASE)
_PART: Final = re.compile(r'form-data; *name="([A-Za-z0-9_.-]{1,64})"(; *filename="([^"\r\n]*)")?', re.IGNORECASE)
_HEADER: Final = re.compile(r"([A-Za-z0-9-]{1,40}):[ \t]*(.*)")


class Multipart:
    """fields: what came before the file. began: the file has; ended: and is whole, with the form's end behind it."""

    def __init__(self, content_type: str) -> None:
        """Refusal parameter unless it is of a form with a boundary."""
        found = _BOUNDARY.fullmatch(content_type.strip())
        if found is None:
            raise _malformed()
        self._delimiter = b"\r\n--" + (found[1] or found[2]).encode()
        self._buffer = bytearray(b"\r\n")  # so that the first delimiter is one like the others
        self._name = ""
        self._step: Callable[[], bytes | None] = self._first
        self.fields: dict[str, str] = {}
        self.began = self.ended = False

    def feed(self, data: bytes) -> bytes:
        """The bytes of the file in the next bytes of the body. Refusal parameter."""
        self._buffer += data
        out = bytearray()
        while (piece := self._step()) is not None:
            out += piece
        return bytes(out)

    def finish(self) -> None:
        """Refusal terputus unless the form is whole."""
        if not self.ended:
            raise Refusal("terputus")

    # Each step takes what it can from the buffer: bytes of the file, or None when it needs more.
    def _first(self) -> bytes | None:
        if len(self._buffer) < len(self._delimiter):
            return None
        if not self._buffer.startswith(self._delimiter):
            raise _malformed()
        return self._cut(len(self._delimiter), self._delimited)

    def _delimited(self) -> bytes | None:
        if len(self._buffer) < 2:
            return None
        if self._buffer.startswith(b"--"):
            if not self.began:  # a form without its file
                raise _malformed()
            self.ended = True
            return self._cut(2, self._after)
        if self.began or not self._buffer.startswith(b"\r\n"):
            raise _malformed()
        return self._cut(2, self._headers)

    def _headers(self) -> bytes | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0 or end > MAX_HEADERS:
            if len(self._buffer) > MAX_HEADERS:
                raise _malformed()
            return None
        self._name, is_file = _part(bytes(self._buffer[:end]))
        if self._name in self.fields or len(self.fields) >= MAX_FIELDS:
            raise _malformed()
        self.began = is_file
        return self._cut(end + 4, self._content if is_file else self._field)

    def _field(self) -> bytes | None:
        end = self._buffer.find(self._delimiter)
        if end < 0:
            if len(self._buffer) > MAX_FIELD + len(self._delimiter):
                raise _malformed()
            return None
        if end > MAX_FIELD:
            raise _malformed()
        try:
            self.fields[self._name] = bytes(self._buffer[:end]).decode()
        except UnicodeDecodeError:
            raise _malformed() from None
        return self._cut(end + len(self._delimiter), self._delimited)

    def _content(self) -> bytes | None:
        end = self._buffer.find(self._delimiter)
        if end >= 0:
            piece = bytes(self._buffer[:end])
            self._cut(end + len(self._delimiter), self._delimited)
            return piece
        keep = len(self._delimiter) - 1  # what could be the start of one
        if len(self._buffer) <= keep:
            return None
        piece = bytes(self._buffer[:-keep])
        del self._buffer[:-keep]
        return piece

    def _after(self) -> bytes | None:
        if len(self._buffer) > 2 or not b"\r\n".startswith(self._buffer):
            raise _malformed()
        return None

    def _cut(self, length: int, step: Callable[[], bytes | None]) -> bytes:
        del self._buffer[:length]
        self._step = step
        return b""


def _part(headers: bytes) -> tuple[str, bool]:
    """The part's name, and whether it is the file."""
    try:
        lines = [_HEADER.fullmatch(line) for line in headers.decode().split("\r\n")]
    except UnicodeDecodeError:
        raise _malformed() from None
    said = {line[1].lower(): line[2] for line in lines if line}
    found = _PART.fullmatch(said.get("content-disposition", ""))
    if len(said) != len(lines) or found is None or not said.keys() <= {"content-disposition", "content-type"}:
        raise _malformed()
    return found[1], found[2] is not None


def _malformed() -> Refusal:
    return Refusal("parameter", parameter="multipart")
