"""Our TOML files: strictly read, and able to name the line of what is refused."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from broker.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

T = TypeVar("T")

TYPE_NAMES: Final[Mapping[type, str]] = MappingProxyType({str: "a text", int: "a whole number", bool: "true or false", list: "a list", dict: "a table"})
_HEADER: Final = re.compile(r"\s*\[{1,2}\s*([^\[\]]+?)\s*\]{1,2}\s*(?:#.*)?$")


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a TOML file: the nth under `header`, counted from 0; '' is the top. Reading from it never gives a default."""

    file: str
    source: str = field(repr=False)
    header: str
    nth: int
    data: Mapping[str, object]

    def line(self, key: str) -> int:
        """1-based line of `key` in this table, or of its header where the key is not there: tomllib tells neither."""
        lines = self.source.splitlines()
        headers = [(at, match[1]) for at, line in enumerate(lines) if (match := _HEADER.match(line))]
        begins = [at for at, name in headers if name == self.header]
        begin = begins[self.nth] if self.nth < len(begins) else -1
        end = next((at for at, _ in headers if at > begin), len(lines))
        assigned = [at for at in range(begin + 1, end) if re.match(rf'\s*"?{re.escape(key)}"?\s*=', lines[at])]
        tables = [at for at, name in headers if not self.header and name == key]
        return [*assigned, *tables, max(begin, 0)][0] + 1

    def wrong(self, key: str, message: str) -> ConfigError:
        return ConfigError(self.file, self.line(key), message)

    def only(self, known: Collection[str]) -> None:
        for key in self.data:
            if key not in known:
                raise self.wrong(key, f"unknown key {key}")

    def value(self, key: str, kind: type[T]) -> T:
        if key not in self.data:
            raise self.wrong(key, f"missing key {key}")
        found = self.data[key]
        if not isinstance(found, kind) or isinstance(found, bool) is not (kind is bool):
            raise self.wrong(key, f"{key} must be {TYPE_NAMES[kind]}")
        return found

    def text(self, key: str) -> str:
        found = self.value(key, str)
        if not found.strip():
            raise self.wrong(key, f"{key} is empty; leave it out instead")
        return found

    def maybe(self, key: str) -> str | None:
        return self.text(key) if key in self.data else None

    def word(self, key: str, words: Collection[str]) -> str:
        found = self.text(key)
        if found not in words:
            raise self.wrong(key, f"unknown {key} {found}")
        return found

    def items(self, key: str, kind: type[T]) -> tuple[T, ...]:
        found = self.value(key, list)
        if not all(isinstance(item, kind) and not isinstance(item, bool) for item in found):
            raise self.wrong(key, f"every item of {key} must be {TYPE_NAMES[kind]}")
        return tuple(found)

    def table(self, key: str) -> Table:
        return Table(self.file, self.source, key, 0, self.value(key, dict))

    def tables(self, key: str) -> list[Table]:
        found = self.items(key, dict)
        if not found:
            raise self.wrong(key, f"there is no {key}")
        return [Table(self.file, self.source, key, nth, data) for nth, data in enumerate(found)]


def read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(str(path), 1, f"cannot be read: {error.strerror}") from error


def decoded(path: Path, data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), data.count(b"\n", 0, error.start) + 1, "is not UTF-8") from error


def read_toml(path: Path, data: bytes) -> tuple[str, dict[str, Any]]:
    """The text of a TOML file's bytes and what it says. Raises ConfigError with the line of the fault."""
    source = decoded(path, data)
    try:
        return source, tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line ([0-9]+)", str(error))
        raise ConfigError(str(path), int(line[1]) if line else source.count("\n") + 1, f"is not TOML: {error}") from error


def top_table(path: Path, data: bytes) -> Table:
    """The top table of a TOML file's bytes. Raises ConfigError."""
    source, values = read_toml(path, data)
    return Table(str(path), source, "", 0, values)
