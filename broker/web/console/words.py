"""What the pages say: Indonesian in the templates, English from `en.po`; times in WIB with UTC beside; the words for roles and levels."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from babel.dates import format_date
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from markupsafe import Markup, escape

from broker.model import WIB

if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGES: Final = ("id", "en")
CATALOGUE: Final = Path(__file__).parent / "en.po"


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for a text that is translated where it is shown
    return message


# Words of codes; `_()` of them where they are shown.
ROLES: Final = {
    "operator": N_("Operator"), "admin_pihak": N_("Admin pihak"), "auditor": N_("Auditor"), "petugas_keamanan": N_("Petugas keamanan"),
    "ppdp": N_("Pejabat Pelindungan Data Pribadi"), "administrator": N_("Administrator"), "pembuka_samaran": N_("Pembuka samaran"),
}  # fmt: skip
STATES: Final = {
    "accepted": N_("Sedang diproses"), "recorded": N_("Siap diambil penerima"), "delivered": N_("Sudah diambil"), "receipted": N_("Tanda terima ditandatangani"),
    "refused": N_("Ditolak"),
}  # fmt: skip


@cache
def english() -> Mapping[str, str]:
    """Every message of the console in English."""
    with CATALOGUE.open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file) if message.id and message.string}


def translated(language: str, text: str) -> str:
    return english().get(text, text) if language == "en" else text


def time_tag(language: str, time: str) -> Markup:
    """A stored UTC time as WIB, with UTC where one points: `21 Nov 2026 10.04 WIB`."""
    at = datetime.fromisoformat(time)
    local = at.astimezone(WIB)
    shown = f"{format_date(local, 'd MMM y', locale=language)} {local:%H.%M} WIB"
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(time, at.strftime("%Y-%m-%d %H:%M:%S"), shown)


def day_tag(language: str, day: date | str) -> Markup:
    """A civil date in words: `20 Maret 2028`."""
    found = date.fromisoformat(day) if isinstance(day, str) else day
    return Markup('<time datetime="{}">{}</time>').format(found.isoformat(), format_date(found, "d MMMM y", locale=language))


def number(language: str, value: int) -> str:
    """`1.234` in Indonesian, `1,234` in English."""
    return str(escape(format_decimal(value, locale=language)))
