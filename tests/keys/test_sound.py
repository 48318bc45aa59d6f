"""Which public keys are refused though a library takes them: points that are not of full order, in any spelling; and what is no key at all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from broker.keys import KemPublic, LogPublic, ReceiptPublic, RequestPublic
from broker.keys.material import KemX25519Public, from_seed
from broker.keys.sound import sound

if TYPE_CHECKING:
    from broker.keys.material import AnyPublic

P = 2**255 - 19
LOW = [  # every point of order 1, 2, 4 or 8, RFC 8032's spelling first, then the ones that only a lenient reader takes (a sign on 0; y of P or more)
    "01" + "00" * 31, "ec" + "ff" * 30 + "7f", "00" * 32, "00" * 31 + "80",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "01" + "00" * 30 + "80", "ec" + "ff" * 31, "ee" + "ff" * 30 + "7f", "ee" + "ff" * 31, "ed" + "ff" * 30 + "7f", "ed" + "ff" * 31,
]  # fmt: skip
LOW_MONTGOMERY = [bytes(32), b"\x01" + bytes(31), (P - 1).to_bytes(32, "little"), P.to_bytes(32, "little"), (P + 1).to_bytes(32, "little")]


def made(purpose: str, n: int) -> AnyPublic:
    public = from_seed(purpose, bytes([n]) * 32).public
    assert public is not None
    return public


def turned(raw: bytes) -> bytes:
    """The same point with the one of order 2 added, (x, y) → (-x, -y): on the curve, of order 2L."""
    number = int.from_bytes(raw, "little")
    y, sign = number % 2**255, number >> 255
    return (P - y + (1 - sign) * 2**255).to_bytes(32, "little")


def test_keys_that_somebody_has_are_sound() -> None:
    signing = [made("request", n) for n in range(16)]
    assert {key.raw[31] >> 7 for key in signing} == {0, 1}
    assert all(sound((key,)) for key in signing)
    assert sound((made("request", 1), made("receipt", 2), made("kem", 3), made("kem-x25519", 4)))


@pytest.mark.parametrize("raw", LOW, ids=lambda raw: raw[:2] + raw[-2:])
def test_a_signing_key_of_small_order_is_not_sound_in_any_spelling(raw: str) -> None:
    assert not sound((RequestPublic(bytes.fromhex(raw)),))
    assert not sound((ReceiptPublic(bytes.fromhex(raw) + made("receipt", 1).raw[32:]),))


@pytest.mark.parametrize("n", range(4))
def test_a_signing_key_with_a_part_of_small_order_is_not_sound(n: int) -> None:
    raw = made("request", n).raw
    assert turned(turned(raw)) == raw
    assert not sound((RequestPublic(turned(raw)),))


def test_what_is_no_point_of_the_curve_is_not_sound() -> None:
    """Of y from 2 to 18 some are on the curve, and none of those is of full order."""
    assert not any(sound((RequestPublic(bytes([y]) + bytes(30) + sign),)) for y in range(19) for sign in (b"\0", b"\x80"))


@pytest.mark.parametrize("raw", LOW_MONTGOMERY, ids=lambda raw: raw[:1].hex() + raw[-1:].hex())
def test_a_sealing_key_of_small_order_is_not_sound_in_either_suite(raw: bytes) -> None:
    assert not sound((KemX25519Public(raw),))
    assert not sound((KemPublic(made("kem", 1).raw[:1184] + raw),))


def test_a_key_of_another_length_is_not_sound() -> None:
    for key in (made("receipt", 1), made("kem", 1), made("kem-x25519", 1)):
        assert not sound((replace(key, raw=key.raw[:-1]),))
        assert not sound((replace(key, raw=key.raw + b"\0"),))


def test_a_lattice_half_out_of_range_is_not_sound() -> None:
    kem = made("kem", 1)
    assert not sound((KemPublic(b"\xff" * 3 + kem.raw[3:]),))


def test_a_key_of_a_kind_that_no_system_has_is_not_sound() -> None:
    for purpose in ("log", "witness"):
        assert not sound((made(purpose, 1),))
        assert not sound((made("request", 1), made(purpose, 2)))


def test_no_point_serves_two_keys() -> None:
    request, receipt = made("request", 1), made("receipt", 2)
    assert not sound((request, request))
    assert not sound((request, ReceiptPublic(request.raw + receipt.raw[32:])))
    assert not sound((RequestPublic(receipt.raw[:32]), receipt))
    assert not sound((receipt, LogPublic(request.raw)))


def test_one_bad_key_among_good_ones_is_enough() -> None:
    good = (made("request", 1), made("receipt", 2), made("kem", 3))
    assert sound(good)
    for at in range(3):
        bad = replace(good[at], raw=b"\x01" + bytes(31) + good[at].raw[32:] if at < 2 else good[at].raw[:-32] + bytes(32))
        assert not sound((*good[:at], bad, *good[at + 1 :]))
