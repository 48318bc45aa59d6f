"""What does not open: one answer for every cause, and nothing of it is final. What does: whatever the pieces, for each key of the recipient."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.cobblestone import Cobblestone256Encryptor

from broker.envelope import read_header, seal
from broker.envelope.seal import SUITE, SUITE_X25519, SUITES
from broker.errors import NotOpened
from broker.jcs import canonical
from broker.keys import KemKey, KemPublic, KemX25519Key, KemX25519Public
from tests.envelope.forged import LOW_ORDER, forged_hybrid
from tests.envelope.sealing import CHUNK, CORE, CURVE, HYBRID, KEYS, SALT_KEY, joined, opened, sealed, split
from tests.envelope.tampered import DATA, HEADER_BYTES, MALFORMED, MOVED, SECOND, STREAMS, bound, changed, forged, respelled

if TYPE_CHECKING:

    from broker.keys import AnyKemKey

ANSWER = "the envelope does not open"
BOTH = pytest.mark.parametrize("key", KEYS, ids=["hybrid", "x25519"])


def refused(envelope: bytes, key: AnyKemKey = HYBRID) -> None:
    for piece in (-1, 1_000):
        with pytest.raises(NotOpened) as caught:
            opened(envelope, key, piece)
        assert str(caught.value) == ANSWER
        assert caught.value.__cause__ is None


# --- what opens
@BOTH
@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, len(DATA)])
def test_an_envelope_opens_whatever_the_pieces(key: AnyKemKey, size: int) -> None:
    envelope = sealed(DATA[:size], key.public)
    assert {opened(envelope, key, piece) for piece in (-1, 7_919, CHUNK + 16)} == {DATA[:size]}


def test_each_key_of_a_recipient_opens_and_no_other() -> None:
    keys = [KemKey(bytes([i]) * 32) for i in range(10, 13)]
    envelope = sealed(DATA, *(key.public for key in keys))
    assert [opened(envelope, key) for key in keys] == [DATA] * 3
    refused(envelope)
    header = json.loads(split(envelope)[0])
    assert [r["kid"] for r in header["recipients"]] == sorted(key.public.kid for key in keys)
    assert len({r["sealed"] for r in header["recipients"]}) == 3


@BOTH
def test_the_suite_in_the_header_is_that_of_the_key(key: AnyKemKey) -> None:
    (recipient,) = json.loads(split(sealed(DATA, key.public))[0])["recipients"]
    assert recipient["suite"] == SUITES[key.purpose] == {"kem": SUITE, "kem-x25519": SUITE_X25519}[key.purpose]


# --- what is not sealed
@pytest.mark.parametrize(
    ("why", "core", "keys", "extra"),
    [
        ("no key", {}, [], 32),
        ("keys of two suites", {}, [HYBRID.public, CURVE.public], 32),
        ("a disclosure without its salt key", {}, [HYBRID.public], 0),
        ("a submission with one", {"kind": "kiriman"}, [HYBRID.public], 32),
        ("another kind", {"kind": "lain"}, [HYBRID.public], 32),
        ("another version", {"v": 2}, [HYBRID.public], 32),
        ("a number for a text", {"dataset": 1}, [HYBRID.public], 32),
        ("an unknown field", {"note": "x"}, [HYBRID.public], 32),
        ("an exchange that is none", {"exchange": "00"}, [HYBRID.public], 32),
        ("a header of over 65,535 bytes", {"dataset": "x" * 65_000}, [HYBRID.public], 32),
    ],
)
def test_what_no_reader_would_take_is_not_sealed(why: str, core: dict[str, Any], keys: list[Any], extra: int) -> None:
    with pytest.raises(ValueError, match="no header that a reader would take"):
        seal({**CORE, **core}, keys, bytes(extra))


@pytest.mark.parametrize("point", LOW_ORDER, ids=bytes.hex)
def test_nothing_is_sealed_to_a_point_of_low_order(point: bytes) -> None:
    for key in (KemX25519Public(point), KemPublic(HYBRID.public.raw[:1184] + point)):
        with pytest.raises(ValueError):  # noqa: PT011 - the library's words
            seal(CORE, [key], SALT_KEY)


# --- streams
@pytest.mark.parametrize("why", STREAMS)
@BOTH
def test_a_stream_that_is_not_whole_does_not_open(key: AnyKemKey, why: str) -> None:
    header, stream = split(sealed(DATA, key.public))
    assert opened(joined(header, stream), key) == DATA
    refused(joined(header, STREAMS[why](stream)), key)


def test_no_bit_of_a_stream_may_change() -> None:
    header, stream = split(sealed(b"{}\n"))
    for at in range(len(stream)):
        refused(joined(header, stream[:at] + bytes([stream[at] ^ (1 << at % 8)]) + stream[at + 1 :]))


def test_the_same_key_for_another_header_does_not_open() -> None:
    """The content key itself moved, by someone who has it: the stream is bound to the header's bytes, the seal to the core's."""
    key = Cobblestone256Encryptor.generate_key()
    header, _ = split(sealed(b"{}\n"))
    for context in (b"", hashlib.sha256(header + b" ").digest()):
        stream = Cobblestone256Encryptor(key, context)
        value = json.loads(header)
        core = {name: value[name] for name in CORE}
        info = b"sng/cek/v1\0" + hashlib.sha256(canonical(core)).digest()
        value["recipients"][0]["sealed"] = b64encode(forged_hybrid(HYBRID.public.raw, info, key + SALT_KEY)).decode()
        refused(joined(canonical(value), stream.update(b"{}\n") + stream.finalize()))


# --- headers
@pytest.mark.parametrize("why", [*MOVED, *MALFORMED])
@BOTH
def test_a_header_that_is_another_does_not_open(key: AnyKemKey, why: str) -> None:
    envelope = sealed(DATA, key.public)
    assert opened(changed(envelope, lambda _: None), key) == DATA
    refused(changed(envelope, (MOVED | MALFORMED)[why]), key)


@pytest.mark.parametrize("why", MALFORMED)
@BOTH
def test_a_malformed_header_does_not_open_even_if_its_sender_meant_it(key: AnyKemKey, why: str) -> None:
    assert opened(bound(key, lambda _: None), key) == DATA
    refused(bound(key, MALFORMED[why]), key)


@pytest.mark.parametrize("why", MOVED)
def test_a_header_moved_by_its_sender_is_another_envelope(why: str) -> None:
    """So `MOVED` is refused for what it is bound to, not for its form."""
    assert opened(bound(HYBRID, MOVED[why])) == DATA


def test_sealed_secrets_that_changed_places_do_not_open() -> None:
    envelope = sealed(DATA, HYBRID.public, SECOND.public)

    def swap(header: dict[str, Any]) -> None:
        one, two = header["recipients"]
        one["sealed"], two["sealed"] = two["sealed"], one["sealed"]

    for key in (HYBRID, SECOND):
        assert opened(envelope, key) == DATA
        refused(changed(envelope, swap), key)


def test_recipients_in_another_order_or_fewer_of_them_do_not_open() -> None:
    envelope = sealed(DATA, HYBRID.public, SECOND.public)
    for key in (HYBRID, SECOND):
        refused(changed(envelope, lambda h: h["recipients"].reverse()), key)
        refused(changed(envelope, lambda h: h["recipients"].pop(0)), key)
        refused(changed(envelope, lambda h: h["recipients"].pop(1)), key)


@pytest.mark.parametrize("why", HEADER_BYTES)
def test_a_header_in_other_bytes_does_not_open(why: str) -> None:
    header, stream = split(sealed(DATA))
    assert HEADER_BYTES[why](header) != header
    refused(joined(HEADER_BYTES[why](header), stream))
    refused(bound(HYBRID, lambda _: None, HEADER_BYTES[why]))


def test_base64_in_another_spelling_does_not_open() -> None:
    """A submission's: the base64 of a disclosure's 1,200 bytes leaves nothing to spare."""
    header, stream = split(sealed(DATA, kind="kiriman"))
    refused(joined(respelled(header), stream))
    assert opened(bound(HYBRID, lambda _: None, kind="kiriman")) == DATA
    refused(bound(HYBRID, lambda _: None, respelled, "kiriman"))


@pytest.mark.parametrize("start", [b"", b"SNG", b"SNG1", b"SNG1\0\0\0", b"SNG2\0\0\0\1{", b"SNG1\0\1\0\0" + bytes(65_536), b"SNG1\0\0\0\5{}", b"SNG1\xff\xff\xff\xff{}"])
def test_what_does_not_begin_as_an_envelope_does_not_open(start: bytes) -> None:
    refused(start)


def test_another_magic_does_not_open() -> None:
    refused(sealed(DATA).replace(b"SNG1", b"SNG2", 1))


def test_a_header_is_not_read_before_its_length_is_known_to_be_one() -> None:
    asked = []

    class Source(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            asked.append(size)
            return super().read(size)

    for size in (65_536, 2**32 - 1):
        with pytest.raises(NotOpened, match=ANSWER):
            read_header(Source(b"SNG1" + size.to_bytes(4, "big") + bytes(70_000)))
    assert asked == [8, 8]


def test_the_other_key_of_the_same_seed_does_not_open() -> None:
    refused(sealed(DATA, KemX25519Key(HYBRID.seed).public), HYBRID)
    refused(sealed(DATA, HYBRID.public), KemX25519Key(HYBRID.seed))


# --- points of low order
@BOTH
def test_a_point_of_low_order_does_not_open(key: AnyKemKey) -> None:
    assert opened(forged(key, None), key) == b"{}\n"  # so what follows fails for its point alone
    assert len(set(LOW_ORDER)) == 14
    for point in LOW_ORDER:
        refused(forged(key, point), key)


# --- memory
STREAMING = """
import sys
from pathlib import Path
from broker.envelope.seal import Opener, parse_header, seal
from tests.envelope.sealing import CORE, HYBRID, SALT_KEY

def peak():
    return next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))

def pass_through(mib):
    sealer = seal(CORE, [HYBRID.public], SALT_KEY)
    opener = Opener(parse_header(sealer.header.raw), HYBRID)
    piece, size = bytes(256 << 10), 0
    for _ in range(4 * mib):
        size += len(opener.update(sealer.update(piece)))
    size += len(opener.update(sealer.finish())) + len(opener.finish())
    assert size == mib << 20
    return peak()

print(pass_through(4), pass_through(160))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_forty_times_the_payload_takes_no_more_memory_in_either_direction() -> None:
    done = subprocess.run([sys.executable, "-c", STREAMING], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    small, large = map(int, done.stdout.split())
    assert large - small < 4_096  # KiB; the larger payload has 160 MiB
