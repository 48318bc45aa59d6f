"""What a manifest says, and how outcomes are coded. One field list: docs/formats/manifest.md.

RFC 8785 JSON without floats and without any text of a caller: closed words, ids of ours, numbers and digests only.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

from broker.jcs import canonical
from broker.ledger.merkle import EMPTY_ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from broker.jcs import Json
    from broker.model import Plan, Terms

MAX_ENTRY: Final = 65_535  # C2SP tlog-tiles: entries are length-prefixed by 16 bits
RELEASED: Final = 0
WITHHELD_PROFILE: Final = 0xFFFF
OUTCOMES: Final[Mapping[str, int]] = {
    "terkirim": RELEASED,
    "ditahan_asal": 0x10,  # row of another agreement or party (Pasal 9 ayat (2))
    "ditahan_aturan": 0x11,  # a contract rule failed (Pasal 6)
    "ditahan_salah_tempat": 0x12,  # reserved: such a cell leaves cleaned
    "ditahan_deteksi": 0x13,  # detection failed or timed out: fail closed
}


def outcome_code(word: str) -> int:
    return OUTCOMES[word]


def manifest_json(
    *,
    exchange: bytes,
    now: str,
    terms: Terms,
    plan: Plan,
    contract_sha256: str,
    agreement_sha256: str,
    submission: Mapping[str, str],
    envelope: Mapping[str, str | int],
    keys: Mapping[str, str],
    profiles: Sequence[tuple[str, bytes]],
    root: bytes,
    leaves: int,
    outcomes: Mapping[str, int],
    rows: int,
    quality: Mapping[str, int],
    repeated: int,
    unique_permille: int,
    warnings: Sequence[str],
    newcomers: int = 0,
    newcomers_root: bytes = EMPTY_ROOT,
) -> bytes:
    """The manifest of an exchange. profiles: (row class names, levels as bytes in column order), in order of profile id.

    newcomers: people new to the agreement's vault; their root: over the commitments to them (`newcomers`).
    """
    entry: dict[str, Json] = {
        "agreement": {"id": terms.agreement.id, "sha256": agreement_sha256},
        "basis_sha256": None if terms.basis is None else sha256(terms.basis.encode()).hexdigest(),
        "clauses": list(terms.clauses),
        "columns": list(plan.columns),
        "contract": {"dataset": terms.dataset, "sha256": contract_sha256, "template": terms.template},
        "day": terms.day.isoformat(),
        "envelope": dict(envelope),
        "exchange": exchange.hex(),
        "keys": dict(keys),
        "outcomes": {word: count for word, count in outcomes.items() if count},
        "policy": {"sha256": plan.policy_sha256, "version": plan.policy_version},
        "profiles": [{"class": name, "levels": "".join(map(str, levels))} for name, levels in profiles],
        "purpose": terms.purpose.code,
        "quality": {rule: count for rule, count in quality.items() if count},
        "recipient": terms.recipient.id,
        "records": {"leaves": leaves, "repeated": repeated, "root": root.hex(), "rows": rows, "unique_permille": unique_permille},
        "sender": terms.sender.id,
        "submission": dict(submission),
        "time": now,
        "type": "sinergi/exchange/v1",
        "vault": {"new": newcomers, "root": newcomers_root.hex()},
        "warnings": list(warnings),
    }
    data = canonical(entry)
    if len(data) > MAX_ENTRY:
        raise ValueError("manifest exceeds a log entry")
    return data
