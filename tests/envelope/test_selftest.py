"""The self-test of the start holds, and not if what it tests were to change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from broker.envelope import check_hpke, check_stream, selftest
from broker.envelope.seal import SUITE
from broker.errors import NotVerified

if TYPE_CHECKING:
    from collections.abc import Callable


def test_the_known_answers_are_given() -> None:
    check_hpke()
    check_stream()


def other(data: bytes) -> bytes:
    return data[:-20] + bytes([data[-20] ^ 1]) + data[-19:]


@pytest.mark.parametrize(
    ("check", "name", "value"),
    [
        (check_hpke, "_SEALED", other(selftest._SEALED)),
        (check_hpke, "_SEED", other(selftest._SEED)),
        (check_hpke, "_PUBLIC_SHA256", "00" * 32),
        (check_hpke, "_TEXT", b""),
        (check_hpke, "LABELS", {"cek": b"lain"}),
        (check_hpke, "HPKE", {SUITE: Suite(KEM.MLKEM768_X25519, KDF.SHAKE256, AEAD.AES_256_GCM)}),
        (check_stream, "_STREAM", other(selftest._STREAM)),
        (check_stream, "_STREAM", selftest._STREAM[:-1]),
        (check_stream, "_TEXT", b""),
    ],
)
def test_another_answer_is_an_error(monkeypatch: pytest.MonkeyPatch, check: Callable[[], None], name: str, value: object) -> None:
    monkeypatch.setattr(selftest, name, value)
    with pytest.raises(NotVerified, match="self-test"):
        check()
