"""RFC 8785 JSON for what we sign and hash: strings, integers, booleans, null, lists and objects with ASCII keys; no floats."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Json: TypeAlias = "str | int | bool | Sequence[Json] | Mapping[str, Json] | None"

_EXACT = 2**53  # integers beyond are not interoperable JSON numbers (RFC 8785 section 3.2.2.3)


def canonical(value: Json) -> bytes:
    """The one byte string of a value. Raises TypeError or ValueError for what RFC 8785 would leave open."""
    _check(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def strict_object(data: bytes) -> dict[str, object]:
    """The object `data` holds, refused unless it is the canonical form: no second reading, no duplicate keys."""
    try:
        value = json.loads(data)
        canonical_form = isinstance(value, dict) and canonical(value) == data
    except (TypeError, RecursionError):
        raise ValueError("not a canonical JSON object") from None
    if not canonical_form:
        raise ValueError("not a canonical JSON object")
    found: dict[str, object] = value
    return found


def read_base64(text: object) -> bytes:
    """The bytes of base64 (RFC 4648 section 4, padded) in its one spelling: it leaves bits to spare at its end. ValueError otherwise."""
    if not isinstance(text, str) or b64encode(data := b64decode(text, validate=True)).decode() != text:
        raise ValueError("not base64 in its one spelling")
    return data


def _check(value: object) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str) or not key.isascii():
                raise TypeError("keys must be ASCII strings")
            _check(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check(inner)
    elif isinstance(value, int):
        if abs(value) > _EXACT:
            raise ValueError("integer beyond 2**53")
    elif value is not None and not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} has no canonical form here")
