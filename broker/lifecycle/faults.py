"""What is wrong with a draft's rules, in Indonesian: the loader says it in English, for whoever runs the broker."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from broker.agreement import clause_exists
from broker.policy import RULE_COLUMNS, rule_faults

if TYPE_CHECKING:
    from broker.errors import ConfigError
    from broker.office import Office

MOST: Final = 50  # wrong lines told at once

# The loader's message, its column's name apart → in Indonesian. docs/formats/policy.md says what a rule may be.
_WORDS: Final = tuple(
    (re.compile(english), indonesian)
    for english, indonesian in (
        (r"empty", "kosong"),
        (r"is empty", "berkasnya kosong"),
        (r"holds no rule", "tidak memuat satu aturan pun"),
        (r"not UTF-8", "bukan UTF-8"),
        (r"the first line must be (.*)", r"baris pertama harus \1"),
        (r"a character that cannot be seen: a byte order mark", "tanda yang tidak terlihat: tanda urutan byte (BOM)"),
        (r"a character that cannot be seen: a carriage return", "tanda yang tidak terlihat: CR (simpan dengan akhir baris LF)"),
        (r"a character that cannot be seen: a tab", "tanda yang tidak terlihat: tab"),
        (r"a character that cannot be seen: .*", "tanda yang tidak terlihat: hapuslah"),
        (r"the last line does not end with LF.*", "baris terakhir tidak berakhir dengan LF: berkasnya mungkin terpotong"),
        (r"a quote: no value needs one", "tanda kutip: tidak ada nilai yang memerlukannya"),
        (r"a comment: every line is a rule", "komentar: setiap baris adalah aturan"),
        (r"(\d+) columns, (\d+) expected", r"\1 kolom, seharusnya \2"),
        (r"the same id twice", "id yang sama dua kali"),
        (r"a blank before or after the value", "spasi di depan atau di belakang nilai"),
        (r"not a word that this column knows", "bukan kata yang dikenal kolom ini"),
        (r"letters, digits and _\.:/\*- only, a letter first, at most 100", "hanya huruf, angka, dan _.:/*-, diawali huruf, paling banyak 100"),
        (r"not a date YYYY-MM-DD", "bukan tanggal TTTT-BB-HH"),
        (r"not after dari", "tidak sesudah dari"),
        (r"a cap of 5 caps nothing", "batas 5 tidak membatasi apa pun"),
        (r"a locked cap outlives the agreement (.*)", r"batas terkunci berlaku melampaui kesepakatan \1"),
        (r"an allow of 0 allows nothing", "izin 0 tidak mengizinkan apa pun"),
        (r"only a cap can be locked", "hanya batas yang dapat dikunci"),
        (r"an allow says who, what and which action", "izin menyebut siapa, apa, dan tindakannya"),
        (r"before the term of (\S+)", r"sebelum masa berlaku \1"),
        (r"after the term of (\S+)", r"sesudah masa berlaku \1"),
        (r"the same citation twice", "kutipan yang sama dua kali"),
        (r"cites an agreement that the rule does not cover", "mengutip kesepakatan yang tidak diliputi aturan ini"),
        (r"(\S+) has no such clause", r"\1 tidak mempunyai pasal itu"),
        (r"neither `agreement: clause` nor.*", "bukan `kesepakatan: pasal` dan bukan, untuk batas, undang-undang yang dikenal broker"),
        (r"a citation is needed for each agreement that the rule covers", "setiap kesepakatan yang diliputi aturan perlu dikutip"),
        (r"wider than (\S+) for (.*)", r"lebih luas dari \1 untuk \2"),
        (r"too many different days in dari and sampai.*", "terlalu banyak hari yang berlainan dalam dari dan sampai"),
    )
)


class Wrong(NamedTuple):
    """A fault of a draft's rules. line, column: from 1, 0 for none. field: the rule's column, or empty. said: Indonesian, English, without the field."""

    line: int
    column: int
    field: str
    said: tuple[str, str]


def wrongs(office: Office, rules: bytes) -> tuple[Wrong, ...]:
    """What is wrong with the lines of a rules.csv, at most one fault a line and MOST in all. Reads only: what the rules mean, `judge` says."""
    return tuple(_wrong(error) for error in rule_faults(rules, office.policy.known, office.agreements, clause_exists, MOST))


def _wrong(error: ConfigError) -> Wrong:
    field, colon, said = error.message.partition(": ")
    if not (colon and field in RULE_COLUMNS):
        field, said = "", error.message
    return Wrong(error.line, error.column, field, (in_indonesian(said), said))


def in_indonesian(message: str) -> str:
    """A loader's message in Indonesian; one that is not in the table as it stands. The column's name before it stays."""
    column, colon, said = message.partition(": ")
    head, rest = (f"{column}: ", said) if colon and re.fullmatch("[a-z]+", column) else ("", message)
    return head + next((re.sub(f"^(?:{one.pattern})$", words, rest) for one, words in _WORDS if one.fullmatch(rest)), rest)
