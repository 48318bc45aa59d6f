"""The language of a search: conditions on fields, joined by `dan` and `atau`, with parentheses. Pure.

    dataset=pencari_kerja dan (penerima=kemnaker atau keputusan=ditolak) dan kolom.upah>=2

`dan` binds closer than `atau`. A field may have several values: `=` holds if one of them is the value, `!=` if there are some and none is, an
order if it holds for one. What the entry does not say meets no condition. What is not exactly this language is refused, by line and column;
a value is never repeated, and an identity number has no place here: an expression stands in addresses.
"""

from __future__ import annotations

import operator
import re
from datetime import date
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from broker.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

Value: TypeAlias = "str | int"
Test: TypeAlias = "Callable[[Callable[[str], tuple[Value, ...]]], bool]"  # field → its values in an entry

MAX_TEXT: Final = 2000  # characters
MAX_DEPTH: Final = 16  # parentheses inside one another


class Field(NamedTuple):
    """kind: kata (one of a closed list), bentuk (of a pattern), pasal (a clause or one it begins with), hari (a civil date, UTC+7), angka."""

    english: str
    kind: str
    pattern: str = ""


FIELDS: Final[Mapping[str, Field]] = {
    "kesepakatan": Field("agreement", "kata"),
    "hari": Field("day", "hari"),
    "pengirim": Field("sender", "kata"),
    "penerima": Field("recipient", "kata"),
    "pihak": Field("party", "kata"),
    "pelaku": Field("actor", "bentuk", r"[a-z][a-z0-9_.-]{0,40}@[a-z]{1,20}"),
    "dataset": Field("dataset", "kata"),
    "tujuan": Field("purpose", "kata"),
    "dasar": Field("basis", "bentuk", r"ada|tidak|[0-9a-f]{64}"),
    "pasal": Field("clause", "pasal", r"[A-Z][A-Za-z0-9()/,. ]{0,79}"),
    "keputusan": Field("decision", "kata"),
    "alasan": Field("reason", "kata"),
    "keadaan": Field("state", "kata"),
    "versi": Field("version", "angka"),
    "baris": Field("rows", "angka"),
    "dirilis": Field("released", "angka"),
    "ditahan": Field("withheld", "angka"),
    "daun": Field("leaves", "angka"),
    "pertukaran": Field("exchange", "bentuk", r"[0-9a-f]{32}"),
    "jenis": Field("type", "bentuk", r"[a-z][a-z_-]{0,40}"),
    "tindakan": Field("act", "bentuk", r"[a-z][a-z_-]{0,40}"),
}
COLUMN: Final = "kolom."  # kolom.NAME: the levels that the exchange's profiles give the column
_ENGLISH: Final = {field.english: word for word, field in FIELDS.items()}
_JOINS: Final = {"dan": "dan", "and": "dan", "atau": "atau", "or": "atau"}
_ORDER: Final = {"=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_TOKEN: Final = re.compile(r'\s*(?:([()])|(<=|>=|!=|=|<|>)|"([^"\n]{1,100})"|([A-Za-z0-9_.@:/-]+))')
_NUMBER: Final = re.compile(r"[0-9]{1,10}")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DIGITS: Final = 15  # of a NPWP; a NIK or KK has one more
_GROUPED: Final = re.compile(rf"\d(?:[\W_]*\d){{{_DIGITS - 1},}}")
_PIECE: Final = re.compile(r'"[^"\n]*"|[\w.@:/-]+')
_DIGEST: Final = re.compile(r"(?<![^\W_])(?:[0-9a-f]{32}){1,2}(?![^\W_])")  # or an id of ours: their digits are nobody's


class _Token(NamedTuple):
    kind: str  # ( ) operator quoted word end
    text: str
    at: int


def parse(text: str, words: Mapping[str, AbstractSet[str]], columns: AbstractSet[str]) -> Test:
    """The condition that `text` states; an empty one holds for everything.

    words: the closed lists, by field. columns: the names that may follow `kolom.`. Refusal ungkapan.
    """
    return _Parser(text, words, columns).whole()


class _Parser:
    def __init__(self, text: str, words: Mapping[str, AbstractSet[str]], columns: AbstractSet[str]) -> None:
        self._text, self._words, self._columns = text, words, columns
        self._at = self._depth = 0
        if len(text) > MAX_TEXT:
            raise self._wrong(MAX_TEXT, "terlalu panjang")
        if (at := identity_number(text)) is not None:
            raise self._wrong(at, "nomor identitas tidak boleh di sini")
        self._tokens = self._cut()

    def _cut(self) -> Sequence[_Token]:
        tokens, at, end = [], 0, len(self._text.rstrip())
        while at < end:
            found = _TOKEN.match(self._text, at)
            if found is None:
                blank = re.match(r"\s*", self._text[at:])
                raise self._wrong(at + (blank.end() if blank else 0), "tanda tidak dikenal")
            group = found.lastindex or 0
            kind = (found[1], "operator", "quoted", "word")[group - 1]
            tokens.append(_Token(kind, found[group], found.start(group) - (group == 3)))
            at = found.end()
        return [*tokens, _Token("end", "", end)]

    def _wrong(self, at: int, what: str) -> Refusal:
        before = self._text[:at]
        return Refusal("ungkapan", baris=before.count("\n") + 1, kolom=at - (before.rfind("\n") + 1) + 1, salah=what)

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def whole(self) -> Test:
        if self._next.kind == "end":
            return lambda _: True
        test = self._joined("atau")
        if self._next.kind != "end":
            raise self._wrong(self._next.at, "dan, atau, atau akhir ungkapan diharapkan")
        return test

    def _joined(self, join: str) -> Test:
        """Terms joined by `atau`, each of them terms joined by `dan`."""
        tests = [self._joined("dan") if join == "atau" else self._term()]
        while self._next.kind == "word" and _JOINS.get(self._next.text) == join:
            self._take()
            tests.append(self._joined("dan") if join == "atau" else self._term())
        if len(tests) == 1:
            return tests[0]
        one = any if join == "atau" else all
        return lambda get: one(test(get) for test in tests)

    def _term(self) -> Test:
        token = self._take()
        if token.kind == "(":
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise self._wrong(token.at, "terlalu banyak tanda kurung")
            test = self._joined("atau")
            if self._next.kind != ")":
                raise self._wrong(self._next.at, "tanda kurung tutup diharapkan")
            self._take()
            self._depth -= 1
            return test
        if token.kind != "word":
            raise self._wrong(token.at, "nama bidang diharapkan")
        return self._condition(token)

    def _condition(self, token: _Token) -> Test:
        word = _ENGLISH.get(token.text, token.text.replace("column.", COLUMN, 1))
        if not (word in FIELDS or (word.startswith(COLUMN) and word.removeprefix(COLUMN) in self._columns)):
            raise self._wrong(token.at, "bidang tidak dikenal")
        field = FIELDS.get(word, Field("", "angka"))
        sign = self._take()
        if sign.kind != "operator":
            raise self._wrong(sign.at, "= != < <= > atau >= diharapkan")
        if sign.text not in ("=", "!=") and field.kind not in ("angka", "hari"):
            raise self._wrong(sign.at, "bidang ini hanya mengenal = dan !=")
        given = self._take()
        if given.kind not in ("word", "quoted"):
            raise self._wrong(given.at, "nilai diharapkan")
        return _test(word, field, sign.text, self._value(word, field, given))

    def _value(self, word: str, field: Field, token: _Token) -> Value:
        text = token.text
        match field.kind:
            case "angka" if _NUMBER.fullmatch(text):
                return int(text)
            case "hari" if _DATE.fullmatch(text) and _is_date(text):
                return text
            case "kata" if text in self._words.get(word, ()):
                return text
            case "bentuk" | "pasal" if re.fullmatch(field.pattern, text):
                return text
        wanted = {"angka": "angka diharapkan", "hari": "tanggal TTTT-BB-HH diharapkan", "kata": "nilai tidak dikenal"}
        raise self._wrong(token.at, wanted.get(field.kind, "nilai tidak berbentuk seperti itu"))


def identity_number(text: str) -> int | None:
    """Where something begins that may be a NIK, KK or NPWP: so many digits with only signs between them, or within one word or quotation."""
    bare = _DIGEST.sub(lambda found: "x" * len(found[0]), text)
    if found := _GROUPED.search(bare):
        return found.start()
    return next((piece.start() for piece in _PIECE.finditer(bare) if sum(map(str.isdecimal, piece[0])) >= _DIGITS), None)


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _test(word: str, field: Field, sign: str, value: Value) -> Test:
    compare = _ORDER[sign]
    if sign == "!=":
        equal = _test(word, field, "=", value)
        return lambda get: bool(get(word)) and not equal(get)
    if field.kind == "pasal":
        return lambda get: any(f"{found} ".startswith(f"{value} ") for found in get(word))
    return lambda get: any(compare(found, value) for found in get(word))
