"""What a number must be to be a NIK, NIP or NPWP: region, date, check digit. Pure.

Sources: Kemendagri region codes (regions.py); NPWP check digit: Luhn over its first nine; NIP: birth date, month of appointment, sex, serial.
"""

from __future__ import annotations

from typing import Final

from broker.detection import regions


def nik_fits(digits: str) -> bool:
    """16 digits with a region of any edition, a calendar date (day + 40 for women) and a serial: 1 in about 1,600 random numbers."""
    if len(digits) != 16 or digits[12:] == "0000" or not regions.known(digits[:6]):
        return False
    day = int(digits[6:8])
    return day_exists(day - 40 if day > 40 else day, int(digits[8:10]), 2000 + int(digits[10:12]))


def nip_fits(digits: str) -> bool:
    """18 digits: birth date, month of appointment 17 to 66 years later, sex 1 or 2 and a serial (PPPK write 21 and more for the month)."""
    if len(digits) != 18 or digits[14] not in "12" or digits[15:] == "000":
        return False
    if not day_exists(int(digits[6:8]), int(digits[4:6]), int(digits[:4])):
        return False
    return 17 <= int(digits[8:12]) - int(digits[:4]) <= 66 and (1 <= int(digits[12:14]) <= 12 or digits[12:14] == "21")


def npwp_fits(digits: str) -> bool:
    """15 digits, or 16 with a leading zero, whose ninth is the Luhn digit of the eight before; or a person's NIK."""
    if len(digits) == 16:
        return nik_fits(digits) or (digits[0] == "0" and npwp_fits(digits[1:]))
    return len(digits) == 15 and digits[:8] != "00000000" and luhn(digits[:9])


_MONTH_DAYS: Final = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def day_exists(day: int, month: int, year: int) -> bool:
    if not (1 <= month <= 12 and 1 <= day <= _MONTH_DAYS[month]):
        return False
    return (month, day) != (2, 29) or (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0))


def luhn(digits: str) -> bool:
    total = 0
    for i, d in enumerate(map(int, reversed(digits))):
        total += d if i % 2 == 0 else d * 2 - 9 * (d > 4)
    return total % 10 == 0
