"""Forms of Indonesian phone numbers, as digits or as written. Source: the national numbering plan (FTP Nasional 2000)."""

from __future__ import annotations

import re
from typing import Final

MOBILE: Final = re.compile(r"(?:0|(?:00)?620?)(8[1-9]\d{7,10})$")
MOBILE_START: Final = re.compile(r"(?:0|(?:00)?620?)8[1-9]")
OPERATOR: Final = re.compile(r"8(?:1[1-9]|2[1-38]|3[1-358]|5[1-35-9]|68|7[6-9]|8[1-9]|9[1-9])")
_AREA: Final = (
    r"(?:2[1-4]|31|61|2(?:3[1-4]|5[1-7]|6\d|7[1-6]|8\d|9[1-8])|3(?:2[1-8]|3[1-8]|4[1-3]|5[1-8]|6[1-8]|7\d|8\d)|4(?:0\d|1\d|2\d|3[0-8]|5[0-8]|6[1-5]|7[1-5]"
    r"|8[1-5])|5(?:1[1-9]|2[2-8]|3\d|4\d|5[1-6]|6[1-8])|6(?:2\d|3\d|4[1-6]|5\d)|7(?:0\d|1\d|2\d|3\d|4\d|5\d|6\d|7\d)|9(?:0[1-2]|1\d|2\d|5[1-7]|6\d|7[1-5]|8\d))"
)
LANDLINE_FORM: Final = re.compile(rf"(?:0|\(0|(?:62|\(62\)) ?0?){_AREA}\)?(?:[ -]|\) ?|(?<=\))| - )\d{{2,8}}(?:[ -]\d{{2,4}}){{0,2}}$")
LANDLINE: Final = re.compile(rf"(?:0|(?:00)?620?){_AREA}\d{{5,8}}$")
LANDLINE_START: Final = re.compile(rf"0{_AREA}")
BEGIN: Final = re.compile(rf"(?=(?:0|(?:00)?620?)8[1-9]|0{_AREA})")
