"""Whether another side's public keys are ones that only a secret's owner could use. Asked once, before a set is enrolled: it takes milliseconds.

A library verifies under an Ed25519 key of small order too, and then nearly anything is signed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import mldsa, x25519

from broker.keys.material import KemPublic, KemX25519Public, ReceiptPublic, RequestPublic

if TYPE_CHECKING:
    from broker.keys.material import AnyPublic

_P: Final = 2**255 - 19  # RFC 8032, section 5.1
_L: Final = 2**252 + 27742317777372353535851937790883648493
_D: Final = -121665 * pow(121666, -1, _P) % _P
_ROOT: Final = pow(2, (_P - 1) // 4, _P)  # of -1
_CURVE: Final = 32  # bytes of a public key on the curve
_Point = tuple[int, int]


def sound(keys: tuple[AnyPublic, ...]) -> bool:
    """Whether every key of a system is well-formed, of full order, and no curve point serves two of them. Unknown kinds are not."""
    points = [key.raw[:_CURVE] for key in keys if isinstance(key, RequestPublic | ReceiptPublic)]
    return len(set(points)) == len(points) and all(map(_sound, keys))


def _sound(key: AnyPublic) -> bool:
    try:
        match key:
            case RequestPublic():
                return _full_order(key.raw)
            case ReceiptPublic():
                mldsa.MLDSA65PublicKey.from_public_bytes(key.raw[_CURVE:])
                return _full_order(key.raw[:_CURVE])
            case KemPublic() | KemX25519Public():
                _ = key.key  # ML-KEM: FIPS 203, 7.2
                # A point of small order makes every shared secret zero, which the exchange refuses (RFC 7748, 6.1).
                x25519.X25519PrivateKey.generate().exchange(x25519.X25519PublicKey.from_public_bytes(key.raw[-_CURVE:]))
                return True
    except (ValueError, UnsupportedAlgorithm):
        return False
    return False


def _full_order(encoded: bytes) -> bool:
    """Whether an Ed25519 public key is a point of order L in its one spelling (RFC 8032, 5.1.3)."""
    point = _decoded(encoded)
    return point is not None and point != (0, 1) and _times(_L, point) == (0, 1)


def _decoded(encoded: bytes) -> _Point | None:
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & (1 << 255) - 1
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if x * x % _P != square:
        x = x * _ROOT % _P
    if x * x % _P != square or (x == 0 and sign):
        return None
    return (x if x & 1 == sign else _P - x, y)


def _added(a: _Point, b: _Point) -> _Point:
    product = _D * a[0] * b[0] * a[1] * b[1] % _P
    x = (a[0] * b[1] + b[0] * a[1]) * pow(1 + product, -1, _P) % _P
    y = (a[1] * b[1] + a[0] * b[0]) * pow(1 - product, -1, _P) % _P
    return (x, y)


def _times(count: int, point: _Point) -> _Point:
    total = (0, 1)
    while count:
        if count & 1:
            total = _added(total, point)
        point, count = _added(point, point), count >> 1
    return total
