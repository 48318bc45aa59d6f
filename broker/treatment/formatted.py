"""Level 4: identifiers as numbers of the same form, enciphered with FF1, that can never be anyone's. Only where the agreement has opted in.

**NIK**: its parts are ranked (6 digits of region, day 01–31 or 41–71, month, yy, serial), the rank below 7.44·10^14 is enciphered on 15 digits and
"0" is put before: no province's code begins with 0. Enciphering all 16 digits would give other people's NIKs by the hundred.
**Phone**: `+628` and 6 to 12 digits, an Indonesian mobile number, become `+621` and as many digits. Mobile numbers begin with 8 and those of an area
with 2 to 7 or 9 (FTP Nasional 2000); 1 begins short numbers, which no country code goes before.
Whatever else stands in such a column leaves as an opaque token. docs/formats/pseudonym.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from broker.keys import ff1
from broker.treatment.pseudonym import pseudonym_tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from broker.treatment.pseudonym import DomainKey

NIK_TWEAK, PHONE_TWEAK = b"nik", b"phone"
_NIK_DIGITS, _RANK_DIGITS = 16, 15
_DAYS: Final = 62  # 01–31, and 41–71 for women
_DAY_CODES: Final = np.array([*range(1, 32), *range(41, 72)], np.uint64)
_DAY_RANKS: Final = np.full(100, _DAYS, np.uint64)
_DAY_RANKS[_DAY_CODES] = np.arange(_DAYS, dtype=np.uint64)
_WITHIN_MONTH: Final = 10**6  # yy and serial
_MOBILE: Final = r"^\+628[0-9]{6,12}$"
_MARK: Final = "+621"
_TAIL: Final = len(_MARK)


def marked_niks(values: pl.Series, key: DomainKey) -> pl.Series:
    """16 digits beginning with 0 for every number with a NIK's structure, the opaque token for any other text; nulls stay null.

    values: String. Step 5 withholds a row whose NIK is none; a number that has no rank could not be enciphered here either.
    """
    ranks, good = ranked(values)
    marked = _digits(ff1.encrypt(key.ff1_key, NIK_TWEAK, _RANK_DIGITS, ranks), _NIK_DIGITS)
    if good.all():
        return marked.alias(values.name)
    mask = pl.Series(good)
    return marked.zip_with(mask, pseudonym_tokens(_others(values, mask), key)).alias(values.name)


def original_niks(marked: pl.Series, key: DomainKey) -> pl.Series:
    """The NIKs behind what `marked_niks` gave under the same key. ValueError for any value that it did not."""
    if not marked.str.contains(r"^0[0-9]{15}$").fill_null(value=False).all():
        raise ValueError("not a marked NIK")
    ranks = ff1.decrypt(key.ff1_key, NIK_TWEAK, _RANK_DIGITS, _numbers(marked))
    rest, within = _parts(ranks, _WITHIN_MONTH)
    rest, month = _parts(rest, 12)
    region, day = _parts(rest, _DAYS)
    niks = _digits(((region * 100 + _DAY_CODES[day]) * 100 + month + 1) * _WITHIN_MONTH + within, _NIK_DIGITS)
    if not ranked(niks)[1].all():
        raise ValueError("not a marked NIK of this domain")
    return niks.alias(marked.name)


def marked_phones(values: pl.Series, key: DomainKey) -> pl.Series:
    """`+621` and as many digits as follow `+628` for every Indonesian mobile number, the opaque token for any other text; nulls stay null.

    values: String, E.164. Everything behind the mark is enciphered, so that no operator shows, and never fewer than six digits.
    """
    mobile = values.str.contains(_MOBILE).fill_null(value=False)
    marked = pseudonym_tokens(_others(values, mobile).str.strip_prefix("+").str.strip_prefix("62"), key)  # as the token of the same number in a text
    lengths = values.str.len_bytes().cast(pl.Int64) - _TAIL
    for length in lengths.filter(mobile).unique():
        at = (mobile & (lengths == length)).arg_true()
        numbers = values.gather(at).str.slice(_TAIL).cast(pl.UInt64).to_numpy()
        marked = marked.scatter(at, _MARK + _digits(ff1.encrypt(key.ff1_key, PHONE_TWEAK, length, numbers), length))
    return marked.alias(values.name)


FORMATTED: Final[Mapping[str, Callable[[pl.Series, DomainKey], pl.Series]]] = {"nik": marked_niks, "phone": marked_phones}
"""By a column's kind; the only kinds that can do level 4."""


def _others(values: pl.Series, done: pl.Series) -> pl.Series:
    return values.zip_with(~done, pl.Series([None], dtype=pl.String).new_from_index(0, len(values)))


def _numbers(values: pl.Series) -> NDArray[np.uint64]:
    """What the texts say as whole numbers; 0 for any that is none, and for null."""
    return values.cast(pl.UInt64, strict=False).fill_null(0).to_numpy()


def _parts(numbers: NDArray[np.uint64], by: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Quotient and remainder; numpy's divmod is several times slower."""
    quotient = numbers // np.uint64(by)
    return quotient, numbers - quotient * np.uint64(by)


def ranked(values: pl.Series) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Rank of each NIK in 0 … 10^6·62·12·10^6 - 1, and whether it has one: no leading 0, day and month that can be, serial not 0000."""
    numbers = _numbers(values)
    rest, within = _parts(numbers, _WITHIN_MONTH)
    rest, month = _parts(rest, 100)
    region, day = _parts(rest, 100)
    month -= np.uint64(1)  # 00 becomes the largest there is
    # 16 bytes that make so high a number are 16 digits: a sign would leave 15.
    good = (values.str.len_bytes() == _NIK_DIGITS).fill_null(value=False).to_numpy() & (region >= 10**5) & (month < 12) & (within % np.uint64(10**4) > 0)
    rank = _DAY_RANKS[day]
    good &= rank < _DAYS
    return np.where(good, ((region * np.uint64(_DAYS) + rank) * np.uint64(12) + month) * np.uint64(_WITHIN_MONTH) + within, np.uint64(0)), good


def _digits(numbers: NDArray[np.uint64], length: int) -> pl.Series:
    return pl.Series(numbers).cast(pl.String).str.zfill(length)
