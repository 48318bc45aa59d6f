"""Envelopes as they must not open: tables of what is wrong and how it is made. Other readers than ours are tried with them too."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any

from cryptography.cobblestone import Cobblestone256Encryptor

from broker.envelope.seal import EXTRA, SUITE, SUITE_X25519, SUITES
from broker.jcs import canonical
from broker.keys import KemKey
from tests.envelope.forged import forged_hybrid, forged_x25519
from tests.envelope.sealing import CHUNK, CORE, KEYS, SALT_KEY, START, joined, sealed, split

if TYPE_CHECKING:
    from collections.abc import Callable

    from broker.keys import AnyKemKey

DATA = bytes(i % 251 for i in range(2 * CHUNK + 1_000))  # two whole chunks and a last one


def changed(envelope: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """The envelope with another header, canonical again, before the same stream."""
    header, stream = split(envelope)
    value = json.loads(header)
    change(value)
    return joined(canonical(value), stream)


# --- streams
CHUNK_1, CHUNK_2 = START + CHUNK + 16, START + 2 * (CHUNK + 16)


def other_stream(_: bytes) -> bytes:
    """Another envelope's, for the same key or not."""
    return split(sealed(DATA))[1]


STREAMS: dict[str, Callable[[bytes], bytes]] = {
    "cut by a byte": lambda s: s[:-1],
    "cut within its last tag": lambda s: s[:-17],
    "cut after the first chunk": lambda s: s[:CHUNK_1],
    "cut after the last whole chunk": lambda s: s[:CHUNK_2],
    "cut within its salt": lambda s: s[:20],
    "cut within its commitment": lambda s: s[:40],
    "cut before its first chunk": lambda s: s[:START],
    "nothing": lambda _: b"",
    "a byte more": lambda s: s + b"\0",
    "a tag more": lambda s: s + bytes(16),
    "its last chunk twice": lambda s: s + s[CHUNK_2:],
    "its first chunk twice": lambda s: s[:CHUNK_1] + s[START:],
    "followed by itself": lambda s: s + s,
    "two chunks in the other order": lambda s: s[:START] + s[CHUNK_1:CHUNK_2] + s[START:CHUNK_1] + s[CHUNK_2:],
    "the last chunk first": lambda s: s[:START] + s[CHUNK_2:] + s[START:CHUNK_2],
    "its first chunk missing": lambda s: s[:START] + s[CHUNK_1:],
    "its middle chunk missing": lambda s: s[:CHUNK_1] + s[CHUNK_2:],
    "the last chunk of another": lambda s: s[:CHUNK_2] + other_stream(s)[CHUNK_2:],
    "the first chunk of another": lambda s: s[:START] + other_stream(s)[START:CHUNK_1] + s[CHUNK_1:],
    "another's, whole": other_stream,
    "its salt is another's": lambda s: other_stream(s)[:24] + s[24:],
    "its commitment is another's": lambda s: s[:24] + other_stream(s)[24:START] + s[START:],
    "its salt and commitment are another's": lambda s: other_stream(s)[:START] + s[START:],
}  # fmt: skip


# --- headers
def moved(**to: str) -> Callable[[dict[str, Any]], object]:
    return lambda h: h.update(to)


def recipient(**to: Any) -> Callable[[dict[str, Any]], object]:
    return lambda h: h["recipients"][0].update(to)


def other(header: dict[str, Any]) -> str:
    """The suite that the header is not of."""
    return SUITE if header["recipients"][0]["suite"] == SUITE_X25519 else SUITE_X25519


def spare(suite: str) -> str:
    """Base64 of a sealed secret of a disclosure in size, and no more."""
    return b64encode(bytes((1_120 if suite == SUITE else 32) + 64 + 16)).decode()


def anothers(kid: str) -> str:
    (key,) = (key for key in KEYS if key.public.kid == kid)
    found: str = json.loads(split(sealed(DATA, key.public))[0])["recipients"][0]["sealed"]
    return found


SECOND = KemKey(b"\3" * 32)
MOVED: dict[str, Callable[[dict[str, Any]], object]] = {
    "another exchange": moved(exchange="11" * 16),
    "another agreement": moved(agreement="nk-binjai-2025"),
    "another recipient": moved(recipient="sibuser@binjai"),
    "another sender": moved(sender="sibuser@binjai"),
    "another purpose": moved(purpose="penempatan"),
    "another time": moved(created="2026-11-21T03:00:00.001Z"),
}
MALFORMED: dict[str, Callable[[dict[str, Any]], object]] = {
    "a time of another form": moved(created="2026-11-21"),
    "an exchange of another form": moved(exchange="ZZ" * 16),
    "a submission instead": moved(kind="kiriman"),
    "an unknown kind": moved(kind="lain"),
    "another version": lambda h: h.update(v=2),
    "true for version 1": lambda h: h.update(v=True),
    "an unknown field": moved(note="x"),
    "no sender": lambda h: h.pop("sender"),
    "a number for a text": lambda h: h.update(dataset=1),
    "nothing for a text": lambda h: h.update(dataset=None),
    "an unknown suite": recipient(suite="P-256/HKDF-SHA256/AES-256-GCM"),
    "a suite that the key is not of": lambda h: h["recipients"][0].update(suite=other(h)),
    "the other suite and a seal of its size": lambda h: h["recipients"][0].update(suite=other(h), sealed=spare(other(h))),
    "no suite": lambda h: h["recipients"][0].pop("suite"),
    "another's key id": recipient(kid=SECOND.public.kid),
    "a key id of no form": recipient(kid="x"),
    "a key id of no form besides": lambda h: h["recipients"].append(h["recipients"][0] | {"kid": "~"}),
    "a number for a key id": recipient(kid=1),
    "no key id": lambda h: h["recipients"][0].pop("kid"),
    "an unknown field of a recipient": recipient(note="x"),
    "a recipient that is a text": lambda h: h.update(recipients=["x"]),
    "recipients that are no list": lambda h: h.update(recipients=h["recipients"][0]),
    "no recipient": lambda h: h.update(recipients=[]),
    "the recipient twice": lambda h: h["recipients"].append(h["recipients"][0]),
    "the recipient once more with a seal of its own": lambda h: h["recipients"].append(h["recipients"][0] | {"sealed": spare(h["recipients"][0]["suite"])}),
    "a seal of nothing": recipient(sealed=""),
    "a seal that is no base64": recipient(sealed="%%%"),
    "a seal cut by a byte": lambda h: h["recipients"][0].update(sealed=b64encode(b64decode(h["recipients"][0]["sealed"])[:-1]).decode()),
    "a seal with a byte more": lambda h: h["recipients"][0].update(sealed=b64encode(b64decode(h["recipients"][0]["sealed"]) + b"\0").decode()),
    "another envelope's seal": lambda h: h["recipients"][0].update(sealed=anothers(h["recipients"][0]["kid"])),
    "a recipient of the other suite besides": lambda h: h["recipients"].append({"kid": "z" * 22, "sealed": spare(other(h)), "suite": other(h)}),
}  # fmt: skip


HEADER_BYTES: dict[str, Callable[[bytes], bytes]] = {
    "a key twice": lambda h: h.replace(b'"v":1', b'"v":1,"v":1'),
    "the recipient first and a second recipient after it": lambda h: h.replace(b'"recipient":', b'"recipient":"sibuser@binjai","recipient":'),
    "another order": lambda h: json.dumps(dict(reversed(json.loads(h).items())), separators=(",", ":")).encode(),
    "spaces": lambda h: json.dumps(json.loads(h), sort_keys=True).encode(),
    "an escape": lambda h: h.replace(b"pencari", b"\\u0070encari"),
    "true for a number": lambda h: h.replace(b'"v":1', b'"v":true'),
    "a fraction": lambda h: h.replace(b'"v":1', b'"v":1.0'),
    "a byte that is no UTF-8": lambda h: h.replace(b"pencari", b"\xffencari"),
    "half of a surrogate pair": lambda h: h.replace(b"pencari", b"\\ud800encari"),
    "a list": lambda h: b"[" + h + b"]",
    "nothing": lambda _: b"",
    "a deep one": lambda _: b"[" * 60_000,
    "an endless number": lambda h: h.replace(b'"v":1', b'"v":' + b"1" * 20_000),
    "cut by a byte": lambda h: h[:-1],
    "a line feed more": lambda h: h + b"\n",
}  # fmt: skip


def bound(key: AnyKemKey, change: Callable[[dict[str, Any]], object], spelled: Callable[[bytes], bytes] = lambda h: h, kind: str = "pengungkapan") -> bytes:
    """An envelope whose sender sealed and bound everything to a header that no envelope may have."""
    content_key = Cobblestone256Encryptor.generate_key()

    def header(secret: bytes) -> dict[str, Any]:
        value = {**CORE, "kind": kind, "recipients": [{"kid": key.public.kid, "sealed": b64encode(secret).decode(), "suite": SUITES[key.purpose]}]}
        change(value)
        return value

    core = {name: item for name, item in header(b"").items() if name != "recipients"}
    info = b"sng/cek/v1\0" + hashlib.sha256(canonical(core)).digest()
    seal_it = forged_hybrid if isinstance(key, KemKey) else forged_x25519
    raw = spelled(canonical(header(seal_it(key.public.raw, info, content_key + SALT_KEY[: EXTRA[kind]], None))))
    stream = Cobblestone256Encryptor(content_key, hashlib.sha256(raw).digest())
    return joined(raw, stream.update(DATA) + stream.finalize())


def respelled(header: bytes) -> bytes:
    """The header with a seal in base64 that decodes to the same and is spelled otherwise: what padding leaves to spare is not zero."""
    at = header.index(b"=")
    return header[: at - 1] + bytes([header[at - 1] + 1]) + header[at:]


def forged(key: AnyKemKey, point: bytes | None) -> bytes:
    """An envelope by someone who never made a key agreement with the recipient, unless `point` is None."""
    content_key = Cobblestone256Encryptor.generate_key()
    info = b"sng/cek/v1\0" + hashlib.sha256(canonical(CORE)).digest()
    seal_it = forged_hybrid if isinstance(key, KemKey) else forged_x25519
    entry = {"kid": key.public.kid, "sealed": b64encode(seal_it(key.public.raw, info, content_key + SALT_KEY, point)).decode(), "suite": SUITES[key.purpose]}
    header = canonical({**CORE, "recipients": [entry]})
    stream = Cobblestone256Encryptor(content_key, hashlib.sha256(header).digest())
    return joined(header, stream.update(b"{}\n") + stream.finalize())
