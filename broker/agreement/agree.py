"""Step 2 of the flow: is this request inside an agreement in force, today? Unknown is denied.

Pure: it reads no file and no clock, and does not know who signed the request (step 1) or what is in the rows (steps 4–6).
A refusal's facts are ids of ours; what the caller wrote is compared, never repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from broker.errors import Refusal
from broker.model import Agreement, Purpose, Request, System, Terms, wib_date

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

# What a release may carry along; none of these blocks. Code → Indonesian, English.
WARNINGS: Final[Mapping[str, tuple[str, str]]] = {
    "rencana_kerja_lewat": (
        "Masa Rencana Kerja (Lampiran) sudah lewat; mintakan Rencana Kerja baru atau adendum.",
        "The work plan (Lampiran) has lapsed; ask for a new one or an addendum.",
    ),
    "arah_disimpulkan": (
        "Arah aliran data disimpulkan dari Lampiran, tidak tertulis dalam pasal.",
        "The direction of the flow is inferred from the Lampiran; no article states it.",
    ),
    "tujuan_disimpulkan": (
        "Tujuan penggunaan disimpulkan; pasalnya tidak menyebut tujuan ini bagi penerima.",
        "The purpose is inferred; its clause does not state it for this recipient.",
    ),
    "segel_x25519": (
        "Penerima masih memakai segel X25519 tanpa perlindungan pasca-kuantum, menurut Nota Kesepakatan dan sampai tanggalnya.",
        "The recipient is still sealed to with X25519, without post-quantum protection, as the agreement says and until its date.",
    ),
    "masa_berlaku_segera_habis": (
        "Nota Kesepakatan berakhir dalam 30 hari atau kurang.",
        "The agreement ends in 30 days or fewer.",
    ),
}
LAST_DAYS: Final = timedelta(days=30)


def agree(request: Request, agreements: Mapping[str, Agreement], templates: Mapping[str, str], now: datetime) -> Terms:
    """The terms this request is under. Raises Refusal with the clause of the agreement at hand.

    templates: dataset → current template version. Source: Pasal 4, 5, 8, 9, Lampiran.
    """
    agreement = agreements.get(request.agreement)
    if agreement is None:
        raise Refusal("kesepakatan")
    day = wib_date(now)
    in_force(agreement, day)
    sender, recipient = _between(agreement, request)
    direction_clause = _in_scope(agreement, request.dataset, templates, sender.party, recipient.party)
    purpose = _for_purpose(agreement, request, recipient.party)
    template = templates[request.dataset]
    if request.template != template:
        raise Refusal("templat", _clause(agreement, "templates"), templat=template)
    cited = "; ".join([_clause(agreement, "term"), agreement.scope[request.dataset], direction_clause, purpose.clause])
    return Terms(
        agreement=agreement,
        dataset=request.dataset,
        template=template,
        sender=sender,
        recipient=recipient,
        purpose=purpose,
        basis=request.basis,
        day=day,
        clauses=tuple(dict.fromkeys(cited.split("; "))),
        warnings=tuple(_warnings(agreement, purpose, recipient.party, day)),
    )


def in_force(agreement: Agreement, day: date) -> None:
    """Refusal belum_berlaku or berakhir unless the agreement's term holds on `day` (WIB). The last day belongs to it: it ends at 24:00."""
    if day < agreement.starts:
        raise Refusal("belum_berlaku", _clause(agreement, "term", "in_force_clause"), kesepakatan=agreement.id, mulai=str(agreement.starts))
    if has_ended(agreement, day):
        raise Refusal("berakhir", _clause(agreement, "term"), kesepakatan=agreement.id, akhir=str(agreement.ends))


def has_ended(agreement: Agreement, day: date) -> bool:
    """Whether its last day is over on `day` (WIB)."""
    return day > agreement.ends


def _between(agreement: Agreement, request: Request) -> tuple[System, System]:
    """Sender and recipient: the registered systems of two different parties. Anyone else is another party (Pasal 9)."""
    clause = _clause(agreement, "confidentiality", "third_party_clause")
    for role, system in (("pengirim", request.sender), ("penerima", request.recipient)):
        if system not in agreement.systems.values():
            raise Refusal("bukan_pihak", clause, peran=role, kesepakatan=agreement.id)
    if request.sender == request.recipient:
        raise Refusal("pengirim_penerima", clause)
    return System(request.sender), System(request.recipient)


def _in_scope(agreement: Agreement, dataset: str, templates: Mapping[str, str], sender: str, recipient: str) -> str:
    """The clause behind this dataset's flow from sender to recipient."""
    if dataset not in templates:
        raise Refusal("dataset", _clause(agreement, "scope"))
    if dataset not in agreement.scope:
        raise Refusal("ruang_lingkup", _clause(agreement, "scope"), dataset=dataset, kesepakatan=agreement.id)
    clause = _clause(agreement, "directions", "clause_by_sender", sender)
    if (sender, recipient) not in agreement.directions[dataset]:
        raise Refusal("arah", clause, dataset=dataset, pengirim=sender, penerima=recipient)
    return clause


def _for_purpose(agreement: Agreement, request: Request, recipient: str) -> Purpose:
    use = _clause(agreement, "use", recipient)
    if not request.purpose.strip():
        raise Refusal("tujuan_kosong", use)
    purpose = next((p for p in agreement.purposes if p.code == request.purpose), None)
    if purpose is None or recipient not in purpose.recipients or request.dataset not in purpose.datasets:
        raise Refusal("tujuan", use, penerima=recipient, dataset=request.dataset)
    if purpose.needs_basis and not (request.basis or "").strip():
        raise Refusal("dasar", purpose.clause, tujuan=purpose.code)
    return purpose


def sealed_in_x25519(agreement: Agreement, recipient: str, day: date) -> bool:
    """Whether the agreement names X25519 for this recipient party, and the day is not past the one it names. Nothing else is sealed without post-quantum."""
    named = agreement.clauses.get("sealing", {}).get(recipient)
    return isinstance(named, Mapping) and day <= named["until"]


def _warnings(agreement: Agreement, purpose: Purpose, recipient: str, day: date) -> Iterator[str]:
    if day > agreement.work_plan_ends:
        yield "rencana_kerja_lewat"
    if agreement.clauses["directions"]["evidence"] == "inferred":
        yield "arah_disimpulkan"
    if not purpose.stated:
        yield "tujuan_disimpulkan"
    if sealed_in_x25519(agreement, recipient, day):
        yield "segel_x25519"
    if day > agreement.ends - LAST_DAYS:
        yield "masa_berlaku_segera_habis"


def _clause(agreement: Agreement, noun: str, *keys: str) -> str:
    """The clause the agreement's data gives for this noun."""
    value: object = agreement.clauses[noun]
    for key in keys or ("clause",):
        assert hasattr(value, "__getitem__")
        value = value[key]
    assert isinstance(value, str)
    return value
