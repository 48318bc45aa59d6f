"""What the API says of exchanges and agreements, as JSON values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from broker.errors import Refusal
from broker.web.problems import stored

if TYPE_CHECKING:
    from broker.door import Caller
    from broker.office import Office
    from broker.store import ExchangeRow


def recorded(row: ExchangeRow) -> None:
    if row.manifest is None:
        raise Refusal("belum_siap", keadaan=row.state)


def state(row: ExchangeRow, caller: Caller) -> dict[str, object]:
    answer: dict[str, object] = {
        "exchange": row.id, "state": row.state, "agreement": row.agreement, "dataset": row.dataset, "purpose": row.purpose,
        "sender": row.sender, "recipient": row.recipient, "accepted": row.accepted, "changed": row.changed,
    }  # fmt: skip
    if row.log is not None:
        answer["log"], answer["entry"] = row.log, row.entry
    if row.problem and caller.system == row.sender:
        refusal = stored(row)
        answer["problem"] = {"reason": refusal.reason, "pasal": refusal.pasal, "title": refusal.indonesian, "detail": refusal.english}
    if row.report and caller.system == row.sender:
        answer["report"] = json.loads(row.report)
    return answer


def agreement(office: Office, name: str) -> dict[str, object]:
    a = office.agreements[name]
    return {
        "agreement": a.id,
        "nama": a.nama,
        "starts": a.starts.isoformat(),
        "ends": a.ends.isoformat(),
        "systems": dict(a.systems),
        "enrolled": sorted(set(a.systems.values()) & set(office.peers)),
        "datasets": {d: {"clause": c, "directions": [list(p) for p in a.directions.get(d, ())], "template": office.contracts[d].template} for d, c in a.scope.items()},
        "purposes": [{"code": p.code, "nama": p.nama, "clause": p.clause, "recipients": sorted(p.recipients), "datasets": sorted(p.datasets), "needs_basis": p.needs_basis} for p in a.purposes],
    }
