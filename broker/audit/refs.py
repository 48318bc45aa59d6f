"""What a sender needs to see whom its rows stand for: the ref key of its own exchange, and the erasures that explain a changed id."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING

from broker import door
from broker.errors import Refusal
from broker.keys import ref_key

if TYPE_CHECKING:
    from broker.jcs import Json
    from broker.office import Office


def for_sender(office: Office, caller: door.Caller, name: str) -> dict[str, Json]:
    """As docs/formats/submission.md has it. Refusal tidak_ada for who is not the sender, belum_siap, retensi, rahasia_dihapus."""
    row = door.visible(office, caller, name)
    if row.sender != caller.system:
        raise Refusal("tidak_ada")
    if row.manifest is None or row.log is None:
        raise Refusal("belum_siap", keadaan=row.state)
    with office.ledger.database.read() as tx:
        if tx.kept.dropped(name):
            raise Refusal("retensi")
        key = ref_key(office.rings[row.agreement].secrets("root"), bytes.fromhex(name), tx.kept.secret(name))
        if key is None:
            raise Refusal("rahasia_dihapus")
        note = tx.checkpoint(row.log)
        places = sorted(tx.kept.reasons(row.agreement))
        entries = {place: next(tx.entries(row.log, place)) for place in places}
    assert note is not None
    size = int(note.split("\n")[1])
    erasures: list[Json] = [
        {"entry": b64encode(entry).decode(), "inclusion": [b64encode(h).decode() for h in office.ledger.inclusion(row.log, place, size)], "index": place}
        for place, entry in entries.items()
        if json.loads(entry)["act"] == "subject"
    ]
    return {"checkpoint": note, "erasures": erasures, "exchange": name, "ref_key": key.hex()}
