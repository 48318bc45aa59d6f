"""E-mail addresses in a folded, lower-cased text, as they are or told: "budi (at) example dot com". Pure, linear: looked for from the sign or the word for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from broker.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

# What may stand around a word said for a sign: budi (at) x, budi *at* x, budi -at- x.
_OPEN: Final = r"""[ \t\n\r\x7f\[({<#*|/_"'.\-]"""
_CLOSE: Final = r"""[ \t\n\r\x7f\])}>#*|/_"'.\-]"""
AT_WORDS: Final = frozenset(["at", "et", "ad", "com", "co", "org", "net", "go", "ac", "sch", "keong", "akeong"])
"""Words without one of which no sign of an e-mail address is written otherwise than as "@" or "%40"."""


def _signs(blanks: str) -> re.Pattern[str]:
    return re.compile(
        rf"""[@%&\[({{<#*|/_"'.\-{blanks}](?:(?<=@)@*|(?<=%)40|(?<=&)#64;"""
        rf"""|(?<=[^@%&]) ?(?:(?P<word>[ae]t)|(?P<odd>add?|a?[ -]?keong|(?:(?<=[\[({{<])|(?<=[\[({{<] ))a)) ?(?={_CLOSE}))"""
    )


# misplaced.py's prefilter has the same signs. Blanks are many: they are looked at only where a word stands between two.
_AT: Final = _signs(r" \t\n\r\x7f")
_AT_BRACKETED: Final = _signs("")
_AT_SAID: Final = (" at ", " at\n", "\nat ", "\x7fat", "at\x7f", " et ", " et\n", "\net ", " ad ", " add ", "keong")
_AT_SIGN: Final = re.compile("@+")
_TOP: Final = r"(?:com|co|id|org|net|go|ac|sch|info|biz)(?![^\W_])"
_SAID_DOT: Final = r"(?:dot|titik|d0t|ttk|point|d o t|t i t i k)"
_LABEL: Final = r"(?:\w(?: \w){2,40}(?!\w)|[\w-]{1,63})"
_DOT: Final = (
    rf"(?:(?: ?(?:\.{{1,2}}|[\[({{<] ?(?:{_SAID_DOT}|\.) ?[\])}}>])[ \n]?|\n\.)| {{0,1}}{_OPEN}{_SAID_DOT}{_CLOSE} {{0,1}}|,(?={_TOP})|[ \n](?=(?:com|co|org|net)\b))"
)
_DOMAIN: Final = re.compile(rf"""[ \n]?(?:[\])}}>#*|/_"'.\-] ?)?({_LABEL}(?:{_DOT}{_LABEL}){{1,6}}|[\w-]{{1,40}}\n[\w-]{{1,40}}\.{_TOP}(?:\.{_TOP})?)""")
_TLD: Final = re.compile(r"(?:[^\W\d_]{2,24}|\b(?:c o m|c o|o r g|n e t|i d))$")
# "a@b.com. Besok": a sentence's end, not another part.
_SPACED: Final = re.compile(rf"(?<![\])}}>])\.[ \n](?=\w)(?!{_TOP})|(?<=com)\.[ \n]|(?<=org)\.[ \n]|(?<=net)\.[ \n]|(?<=id)\.[ \n]|(?<=\w) \.(?! ?{_TOP})")
_DOTTED: Final = re.compile(rf"[.,]|{_SAID_DOT}|[ \n](?:com|co|org|net)\b")
_LETTERS: Final = re.compile(r"[^\W\d_]{2,24}")
_TRAILING: Final = re.compile(r"[\s.\])}>({\[<,]*(?:dot|titik)?[\s.]*$")
_TOPPED: Final = re.compile(rf"(?<![^\W_]){_TOP}|c o m\b")
_PROVIDERS: Final = re.compile(r" ?(?:gmail|gmai|gmal|gmial|yahoo|yaho|ymail|hotmail|outlook|icloud|rocketmail)(?![\w.-])")
_HOST: Final = re.compile(r"(?!rp|domain(?![a-z]))[a-z][a-z\d-]{2,30}(?![\w@])")
_CALLED: Final = re.compile(r"(?:e-?mail|surel|imel|e-?mel)(?![\w@.])|(?:e-?mail|surel|imel|e-?mel)(?:nya|nyo|ku|na|e)(?![\w@.])")
# The words of a name, told one by one behind the word for the address.
_TOLD_NAME: Final = re.compile(r"(?:e-?mail|surel|imel)(?:nya|ku)?(?: [a-z]{2,14}){0,2}[ :=?]{1,3}(?:[a-z]: )?((?!saya|sy|ambo|ini|itu|adalah|yg|yang|ke|di|ter|ada|dan)[a-z]{2,20} )\Z")


def _turned(*words: str) -> str:
    return "|".join(word[::-1] for word in words)


_DIGIT_WORDS: Final = _turned("nol", "kosong", "satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "delapan", "lapan", "sembilan")
_JOIN_WORDS: Final = _turned(
    "dot", "titik", "d0t", "ttk", "t i t i k", "d o t", "tanda strip", "tanda minus", "strip", "dash", "min", "minus", "garis bawah", "garis datar", "underscore", "underskor", "under score", "plus"
)
# The part before the sign, read backwards: digits told in words or apart, then letters, parted by signs or by words for signs.
_LOCAL_BACK: Final = re.compile(
    rf""" ?\n?(?:[\[({{<#*|/_"'-](?: |(?=\w)))?((?:(?:\d{{1,4}}|{_DIGIT_WORDS}) (?:(?:akgna|{_JOIN_WORDS}) )?){{0,8}}(?:(?<!\w)\w(?: \w){{1,30}}(?!\w)|[\w+%'-]"""
    rf"""|(?:\.| ?[._+] |\n(?=[_-])| ?[)\]}}>] ?(?:{_JOIN_WORDS}) ?[(\[{{<] ?| (?:{_JOIN_WORDS}) )(?=[\w+%'-])){{1,64}})"""
)


def find_emails(low: str, *, spelled: bool) -> Iterator[Finding]:
    """spelled: whether the sign may be written otherwise than "@"."""
    signs = _AT_SIGN if not spelled else _AT if any(said in low for said in _AT_SAID) else _AT_BRACKETED
    for m in signs.finditer(low):
        word, odd = (m["word"], m["odd"]) if spelled else (None, None)
        domain = _DOMAIN.match(low, m.end())
        end = _domain_end(low, domain) if domain else 0
        if not end:
            provider = _PROVIDERS.match(low, m.end())
            end = provider.end() if provider else 0
        if odd and not _TOPPED.search(low, m.end(), end):
            continue
        if word and m.group()[0] == " " and domain and (domain.group(1).count(" ") > 8 or (word == "et" and ". " in domain.group(1))):
            continue
        if not end and not word and not odd and (host := _HOST.match(low, m.end())) and _CALLED.search(low, max(0, m.start() - 48), m.start()) and low[m.start() - 1].isalnum():
            end = host.end()
        local = _LOCAL_BACK.match(low[max(0, m.start() - 68) : m.start()][::-1]) if end else None
        if local:
            start = m.start() - local.end(1)
            if ((word and " " in local.group(1)) or low[m.start() - 1 : m.start() + 1] == " @") and (told := _TOLD_NAME.search(low, max(0, start - 48), start)):
                start = told.start(1)
            yield Finding(start, end, "email", "valid" if m.group() in ("@", "@@") else "plausible", "address form")


def _domain_end(low: str, domain: re.Match[str]) -> int:
    """Where the domain ends: at the last part that can be a top-level domain, at most one word after a dot with a space."""
    start, end = domain.span(1)
    text = low[start:end]
    spaced = _SPACED.search(text)  # "a@b.com. Besok": a sentence's end, not another part
    if spaced and _DOTTED.search(text, 0, spaced.start()):
        text = text[: spaced.start()]
    while text:
        if _TLD.search(text) and _DOTTED.search(text):
            return start + len(text)
        cut = max(text.rfind(sign) for sign in (".", " ", ",", "]", ")"))
        tail = _LETTERS.match(text, cut + 1)
        if cut > 0 and tail and "." in text[: cut + 1]:  # "b.com_x": the letters are the domain
            return start + tail.end()
        text = _TRAILING.sub("", text[:cut]) if cut > 0 else ""
    return 0
