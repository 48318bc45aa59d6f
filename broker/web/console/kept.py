"""What was typed into a form when the session ended: sealed into the sign-in page, to be opened for that officer alone, as long as a session may last.

Nobody is signed in to that page: what it carries says nothing, not even whose it is.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlencode

from broker.errors import NotOpened
from broker.identity.sealed import seal_secret, unseal_secret
from broker.keys import derive
from broker.record import BROKER_LOG
from broker.signin import LONGEST

if TYPE_CHECKING:
    from datetime import datetime

    from broker.office import Office

SECRET_FIELDS: Final = frozenset({"csrf", "kode", "sandi"})  # never brought back
_WHAT: Final = b"kept"


@dataclass(frozen=True, slots=True)
class Kept:
    """A form that was not taken. person: who had typed it. to: its own page. pairs: its fields."""

    person: str
    to: str
    pairs: tuple[tuple[str, str], ...]


def sealed(office: Office, kept: Kept, now: datetime) -> str:
    """The form without its secret fields, as text that only this broker opens."""
    typed = urlencode([(name, value) for name, value in kept.pairs if name not in SECRET_FIELDS])
    said = {"person": kept.person, "to": kept.to, "typed": typed, "until": int(now.timestamp()) + LONGEST}
    return urlsafe_b64encode(seal_secret(derive(office.rings[BROKER_LOG].secret("root"), "kept"), json.dumps(said).encode(), _WHAT)).decode()


def opened(office: Office, text: str, now: datetime) -> Kept | None:
    """The form, or None if this broker did not seal it, or too long ago."""
    keys = [derive(root, "kept") for root in office.rings[BROKER_LOG].secrets("root").values()]
    try:
        said = json.loads(unseal_secret(urlsafe_b64decode(text), _WHAT, *keys))
    except (NotOpened, ValueError):
        return None
    if said["until"] <= now.timestamp():
        return None
    return Kept(said["person"], said["to"], tuple(parse_qsl(said["typed"], keep_blank_values=True)))
