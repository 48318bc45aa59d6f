"""The judge of wages and debts. An amount counts beside a word of either, unless that is a minimum wage, a budget or an offer of work. Pure."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from broker.detection.extents import rightward, widened
from broker.detection.sayings import HARD, PLAIN, SOFT, Span, before, saying
from broker.detection.whose import alone, blocked, denied, known, one_person, person, policy, public, someone, sure

if TYPE_CHECKING:
    from broker.detection.lexicon import Term
    from broker.detection.sayings import Note

_CURRENCIES: Final = frozenset({"rp", "idr", "rm", "usd"})
_OFFERED: Final = frozenset({"lowongan", "loker", "ditawarkan", "dibutuhkan", "dicari", "formasi", "anggaran", "pagu", "permenaker", "pasal", "denda"})
_SERIAL_FROM: Final = 9  # digits without dots of a bare number: longer ones are numbers of things
_PRICED: Final = frozenset({"menaikkan", "menyerap", "padat", "order", "pesanan", "invoice", "faktur", "kwitansi", "kuitansi", "resi", "ongkir", "ump", "umk"})
_AMOUNT_FROM: Final = 50_000  # a bare number below this beside a wage is a count, not rupiah


def finance(note: Note, k: int, term: Term, floor: int) -> Span | None:
    span = _finance(note, k, term, floor)
    return None if span is None or public(note, k, k + len(term.words)) else widened(note, span, "finance", floor)


# Words of need, and of whom or what, that tell only together: "motor ditarik leasing".
_TOGETHER: Final = MappingProxyType({"pawn": "finance.asset", "seized": "finance.lender", "chased": "finance.chaser", "stuck": "finance.stuckof", "able": "finance.pays"})


def _together(note: Note, k: int, last: int, term: Term, floor: int) -> Span | None:
    others = note.sets[_TOGETHER.get(term.role, "finance.lender")]
    left = [i for i in before(note, k, 5) if i >= floor and (note.raw[i] in others or note.words[i] in others)]
    right = [i for i in range(last, min(note.size, last + 4)) if max(note.breaks[last : i + 1]) == PLAIN and (note.raw[i] in others or note.words[i] in others)]
    first, end = left[-1] if left else k, right[-1] + 1 if right else last
    if not (left or right) or not (person(note, first, end) or known(note, first, end)) or policy(note, k, last):
        return None
    return Span(first, _owed_to(note, end - 1, end), "plausible", "means or debt said of a person")


def _finance(note: Note, k: int, term: Term, floor: int) -> Span | None:
    last = k + len(term.words)
    if term.role in _TOGETHER or (term.role == "debt" and term.words[0] in note.sets["finance.seized"]):
        return _together(note, k, last, term, floor)
    if not note.sets["words.institution"].isdisjoint(note.raw[last : last + 1]) and not _own_money(note, k, last) and term.role != "debt":
        return None
    amount = _amount_after(note, last)
    barred = blocked(note, k, last, "finance", 2)
    if amount is not None:
        if (term.role == "wage" and not _wage_of_one(note, k, last, term, amount)) or (barred and not _own_money(note, k, last)) or _offer(note, k, last):
            return None
        return Span(_owed(note, k, floor), amount, "valid", "amount of a wage or a debt")
    behind = _amount_before(note, k, floor)
    if behind is not None and not barred and (term.role != "wage" or known(note, k, last)):
        return Span(behind, last, "plausible", "amount of a wage or a debt")
    if barred or policy(note, k, last):
        return None
    if term.role == "state":
        return _state(note, k, last, term, floor)
    return _wage(note, k, last) if term.role == "wage" else _debt(note, k, last, floor)


def _wage_of_one(note: Note, k: int, last: int, term: Term, amount: int) -> bool:
    """An amount is one person's wage: not of a trade, and a person is spoken of; overtime unpaid to a whole shift is a dispute."""
    if _of_a_trade(note, k, last, amount):
        return False
    if ":" in note.seps[last] and not _LATELY.isdisjoint(term.words):
        return True
    if "lembur" in term.words or denied(note, k):
        return sure(note, k, last) or someone(note)
    return known(note, k, last)


def _state(note: Note, k: int, last: int, term: Term, floor: int) -> Span | None:
    first = term.words[0]
    if _none(note, k) or (first.startswith("kole") and _owed_to(note, k, last) == last and not person(note, k, last)):
        return None
    last = _owed_to(note, k, last)
    lent = first in _LENT and _OWN_WORDS.isdisjoint(term.words)
    anyones = (first in _WAGES or lent) and _CUT.isdisjoint(term.words)
    if anyones and not (sure(note, k, last) or someone(note) or (lent and alone(note, k, last))):
        return None
    verdict = "shaped" if anyones and not lent else "plausible"  # "upah di bawah UMK": of a workplace as often as of a person
    return Span(_owed(note, k, floor), rightward(note, last), verdict, "means or debt said of a person")


def _wage(note: Note, k: int, last: int) -> Span | None:
    """A wage without an amount: eaten up by what is owed, or low."""
    left, right = saying(note, k, last)
    if not _CUT.isdisjoint(right[:4]) and (lenders := [i for i, word in enumerate(right[:8]) if word in _CUT_FOR]):
        return Span(k, last + lenders[-1] + 1, "plausible", "means or debt said of a person")
    if not note.sets["finance.policy"].isdisjoint(right[:4]) and not _own_money(note, k, last):
        return None
    if note.sets["words.low"].isdisjoint(right[:3]) or not one_person(note, k, last, left, right):
        return None
    return Span(k, _owed_to(note, k, _lowered(note, last, right)), "shaped", "means or debt said of a person")


def _debt(note: Note, k: int, last: int, floor: int) -> Span | None:
    """A debt without an amount: to whom, or whose."""
    left, right = saying(note, k, last)
    lenders = [i for i, word in enumerate(right[:4]) if word in note.sets["finance.owed_for"] and max(note.breaks[last : last + i + 1]) == PLAIN]
    if lenders:
        return Span(_owed(note, k, floor), last + lenders[-1] + 1, "plausible", "means or debt said of a person")
    if denied(note, k):
        return None
    if not note.sets["words.owing"].isdisjoint(left[-3:]) or not note.sets["words.low"].isdisjoint(right[:3]):
        return Span(_owed(note, k, floor), _owed_to(note, k, _lowered(note, last, right)), "shaped", "means or debt said of a person")
    return Span(k, last, "shaped", "means or debt said of a person") if one_person(note, k, last, left, right) or person(note, k, last) else None


def _lowered(note: Note, last: int, right: list[str]) -> int:
    """Takes how little or much it is: "gajinya kecil", "utang menumpuk"."""
    return next((last + i + 1 for i, word in enumerate(right[:3]) if word in note.sets["words.low"] and note.breaks[last + i] == PLAIN), last)


_LATELY: Final = frozenset({"lama", "terakhir", "sebelumnya", "sekarang"})  # whose wage that is, is plain
_WAGES: Final = frozenset({"gaji", "upah", "gajinya", "upahnya", "digaji"})
_OWN_WORDS: Final = frozenset({"uang", "duit", "sini", "kamari", "pinjol", "rentenir", "kas"})  # nobody lends a chair so
_LENT: Final = frozenset({"pinjam", "minjam", "meminjam"})
_CUT: Final = frozenset({"dipotong", "kepotong", "terpotong", "potong", "habis", "abis", "kapotong", "disunat"})
_CUT_FOR: Final = frozenset({"cicilan", "angsuran", "utang", "hutang", "pinjaman", "bank", "koperasi", "kasbon", "kredit", "pinjol", "rentenir", "leasing", "paylater"})


def _none(note: Note, k: int) -> bool:
    """Nothing is owed: "tidak ada tunggakan"."""
    clear = note.sets["words.negation"]
    left = [note.raw[i] for i in before(note, k, 2)]
    return bool(left) and (left[0] in clear or (left[0] in {"ada", "punya", "memiliki", "mempunyai", "terdapat", "dari"} and left[-1] in clear))


def _owed_to(note: Note, k: int, last: int) -> int:
    """Takes what is owed for and to whom: "macet di bank", "kolektibilitas 5"."""
    owed = note.sets["finance.owed_for"]
    stop = min(note.size, k + 8)
    if last < stop and note.raw[last - 1].startswith("kole") and note.raw[last].isdigit() and note.breaks[last] <= SOFT:
        return last + 1
    while last < stop and note.breaks[last] == PLAIN:
        if note.raw[last] in owed:
            last += 1
        elif note.raw[last] in {"di", "ke", "dari", "untuk", "utk", "pada"} and last + 1 < stop and note.raw[last + 1] in owed and note.breaks[last + 1] == PLAIN:
            last += 2
        else:
            break
    return last


def _of_a_trade(note: Note, k: int, last: int, amount: int) -> bool:
    """A wage of whoever does the work, or by the piece, or a price: no one person is spoken of."""
    left, right = saying(note, k, last)
    if one_person(note, k, last, left, right):
        return False
    if right and right[0] in note.sets["words.generic"] and not someone(note):
        return True
    if not note.sets["finance.trades"].isdisjoint(note.raw[last : min(last + 2, amount)]) and not {"jadi", "menjadi", "rp", "sebesar", "naik"}.isdisjoint(note.raw[last:amount]):
        return True
    if {"per", "tiap"} & set(note.raw[amount - 2 : amount + 1]) and not note.sets["finance.goods"].isdisjoint(note.raw[amount - 1 : amount + 2]):
        return True
    return not _PRICED.isdisjoint(left) or not {"atk", "konsumsi", "ongkir"}.isdisjoint(note.raw[amount : amount + 3])


def _own_money(note: Note, k: int, last: int) -> bool:
    left, right = saying(note, k, last)
    return one_person(note, k, last, left, right)


def _offer(note: Note, k: int, last: int) -> bool:
    left, right = saying(note, k, last)
    if _OFFERED.isdisjoint(left) and _OFFERED.isdisjoint(right[:5]):
        return False
    return not one_person(note, k, last, left, right)


def _owed(note: Note, k: int, floor: int) -> int:
    first = k
    for i in before(note, k, 3):
        if i < floor or note.raw[i] not in note.sets["words.owing"] | {"tidak", "tdk", "belum"} or note.raw[i] in {"karena", "untuk", "dari", "akibat"}:
            break
        first = i
    return first


def paid(note: Note, k: int) -> Span | None:
    """Money that a person receives by the period: "menerima Rp 2 juta per bulan"."""
    for i in range(k + 1, min(note.size, k + 4)):
        if note.breaks[i] == HARD:
            return None
        end = _amount(note, i)
        if end:
            periodic = note.raw[end - 1] in note.sets["words.period"]
            return Span(k, end, "plausible", "money received by the period") if periodic and not _offer(note, k, end) else None
    return None


_STRANGE: Final = 2  # words we do not know between the wage and its amount: whose it is, or from what


def _amount_after(note: Note, last: int) -> int | None:
    """The end of the amount within eight joining words from `last`, with its period."""
    joins, public = note.sets["finance.joins"], note.sets["finance.policy"]
    strange = 0
    for i in range(last, min(note.size, last + 9)):
        if note.breaks[i] == HARD or (note.breaks[i] == SOFT and not _links(note.seps[i])):
            return None
        end = _amount(note, i)
        if end:
            return end
        word = note.raw[i]
        if word in public:
            return None
        if word[0].isdigit():
            if i + 1 < note.size and note.raw[i + 1] in note.sets["words.time"]:
                continue
            return None
        if word not in joins and note.words[i] not in joins and word not in note.sets["words.time"]:
            strange += 1
            if strange > _STRANGE or word in {"dan", "atau", "denda", "biaya", "harga", "serta", "anggaran", "sanksi"}:
                return None
    return None


def _links(sep: str) -> bool:
    return set(sep) <= set(" \t:=(,~±<>/-+\"“”'") and len(sep) <= 6


def _amount(note: Note, i: int) -> int | None:
    """The end of an amount of money at word i with its period: "Rp 3.500.000", "2,7 jt/bulan", "dua juta"."""
    if note.raw[i] not in _CURRENCIES and not note.raw[i][0].isdigit() and note.raw[i] not in note.sets["words.number"]:
        return None
    at = i + 1 if note.raw[i] in _CURRENCIES else i
    if at >= note.size or (at > i and note.breaks[at] == HARD and note.seps[at].strip() != "."):
        return None
    units = note.sets["words.unit"]
    number = note.raw[at]
    end = at + 1
    if number[0].isdigit():
        has_unit = end < note.size and note.breaks[end] == PLAIN and note.raw[end] in units and not (note.raw[end] in {"m", "k"} and note.seps[end])
        if not has_unit and at == i and not _AMOUNT_FROM <= _value(number) <= 10**12:
            return _ranged(note, i, end) if end < note.size else None
        end += has_unit
    elif number in note.sets["words.number"] and at == i:
        while end < note.size and note.breaks[end] == PLAIN and note.raw[end] in note.sets["words.number"]:
            end += 1
        if not {"juta", "ribu", "ratus", "sejuta", "seribu"} & set(note.raw[at:end]):
            return None
        end += end < note.size and note.raw[end] in units and note.breaks[end] == PLAIN
    else:
        return None
    while end < note.size and note.breaks[end] == PLAIN and (note.raw[end] in units or note.raw[end] in note.sets["words.number"]):
        end += 1
    return _period(note, _ranged(note, i, end) or end)


def _value(number: str) -> int:
    if number.isdigit():
        return int(number[:15])
    grouped = re.split("[.,]", number)
    if len(grouped) > 1 and len(grouped[-1]) <= 2:
        grouped = grouped[:-1]
    return int("".join(grouped)[:15])


def _ranged(note: Note, first: int, end: int) -> int | None:
    """The end of the upper bound after "-" or "sampai", if there is one."""
    if end >= note.size or end - first > 6:
        return None
    if note.raw[end] in {"sampai", "hingga", "sd", "s", "ke"} and end + 1 < note.size:
        return _single(note, end + 1)
    return _single(note, end) if note.seps[end].strip() in {"-", "–", "~", "/"} and note.raw[end][0].isdigit() else _single(note, end) if note.seps[end].strip() in {"-", "–"} else None


def _single(note: Note, i: int) -> int | None:
    units = note.sets["words.unit"]
    at = i + 1 if note.raw[i] == "rp" else i
    if at >= note.size or not note.raw[at][0].isdigit():
        return None
    end = at + 1
    if end < note.size and note.raw[end] in units:
        return end + 1
    return end if _value(note.raw[at]) >= _AMOUNT_FROM else None


def _period(note: Note, end: int) -> int:
    periods = note.sets["words.period"]
    if end < note.size and note.breaks[end] <= SOFT:
        if note.raw[end] in {"per", "tiap", "setiap"} and end + 1 < note.size and note.raw[end + 1] in periods:
            return end + 2
        if (note.seps[end].strip() in {"/", ",-/", "-/"} and note.raw[end] in periods) or note.raw[end] in {"sebulan", "sehari", "seminggu", "setahun", "perbulan", "perhari", "perminggu", "pertahun", "sabulan", "saari"}:
            return end + 1
    return end


def _amount_before(note: Note, k: int, floor: int) -> int | None:
    """Where an amount that ends at word k begins: "12 juta utang"."""
    for i in reversed(before(note, k, 5)):
        if i >= floor and (note.raw[i] == "rp" or (note.raw[i][0].isdigit() and not (note.raw[i].isdigit() and (len(note.raw[i]) > _SERIAL_FROM or i + 1 == k)))) and _amount(note, i) == k:
            return i
    return None
