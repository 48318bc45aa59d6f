"""Files of the ledger on an auditor's machine: fetched, held against their signed statement, checked again later without the broker."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from broker.client.account import Account
from broker.client.bundle import WHOSE, WHOSE_FILE
from broker.client.connection import answered, problem_text
from broker.client.standing import signed
from broker.envelope import read_dsse
from broker.envelope.dsse import EXPORT
from broker.errors import ClientError, NotVerified, SinergiError
from broker.jcs import canonical, strict_object
from broker.keys import PublicSet, write_private

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date
    from pathlib import Path

    from broker.jcs import Json

_LINK: Final = re.compile(r'<(/v1/audit/files/[0-9a-f]{32})>; rel="describedby"')


class Reports(Account):
    """Exports and reports as the person whose home it is."""

    def export(self, agreement: str, form: str, expression: str, target: str, path: Path) -> dict[str, Any]:
        asked = urlencode({"format": form, "q": expression, "target": target})
        self._ready(path)
        return self._fetch(f"/v1/audit/export/{quote(agreement, safe='')}?{asked}", path, agreement)

    def report(self, agreement: str, year: int, form: str, size: int | None, path: Path) -> dict[str, Any]:
        asked = urlencode({"format": form} | ({} if size is None else {"size": size}))
        self._ready(path)
        return self._fetch(f"/v1/audit/report/{quote(agreement, safe='')}/{year}?{asked}", path, agreement)

    def subject_report(self, question: Mapping[str, Json], path: Path) -> dict[str, Any]:
        """What the statement says; or, with `state`, the request that waits for a second person. question: as docs/formats/reports.md has it."""
        self._ready(path)
        body = canonical(dict(question))
        response = self._to.request("POST", "/v1/audit/subject-report", {"content-type": "application/json"}, hashlib.sha256(body).digest(), iter([body]))
        if response.status_code != 200:
            waiting = answered(response)
            if response.status_code == 202:
                return waiting
            raise ClientError(problem_text(waiting))

        def save() -> str:
            write_private(path, response.content)
            return response.headers.get("link", "")

        return self._keep(save, path, str(question["agreement"]) if "agreement" in question else None)

    def bundle(self, agreement: str, starts: date, ends: date, path: Path) -> dict[str, Any]:
        """What the statement over a bundle of these days, both inclusive, says."""
        self._ready(path)
        return self._fetch(f"/v1/audit/bundle/{quote(agreement, safe='')}?{urlencode({'from': starts.isoformat(), 'to': ends.isoformat()})}", path, agreement)

    def bundle_about(self, question: Mapping[str, Json], path: Path) -> dict[str, Any]:
        """As `bundle`, with an answer about people; or, with `state`, the request that waits for a second person. question: as docs/formats/bundle.md has it."""
        self._ready(path)
        headers = self._to.download("/v1/audit/bundle", path, lambda _: None, canonical(dict(question)))
        if "link" not in headers:
            waiting: dict[str, Any] = json.loads(path.read_bytes())
            path.unlink()
            return waiting
        said = self._keep(lambda: headers["link"], path, str(question["agreement"]) if "agreement" in question else None)
        write_private(path.with_name(path.name + WHOSE_FILE), bytes.fromhex(headers[WHOSE]))
        return said

    def _fetch(self, target: str, path: Path, agreement: str) -> dict[str, Any]:
        return self._keep(lambda: self._to.download(target, path, lambda _: None).get("link", ""), path, agreement)

    def _keep(self, save: Callable[[], str], path: Path, agreement: str | None) -> dict[str, Any]:
        """Writes `path` by `save`, and `path.dsse`; what the statement says once it holds. ClientError or NotVerified otherwise, and nothing is kept.

        save: gives the answer's Link.
        """
        try:
            link = _LINK.search(save())
            if link is None:
                raise ClientError("the broker named no statement over the file; nothing was kept")
            write_private(statement_of(path), self._to.text(link.group(1)).encode())
            said = check_file(path, self._pinned())
            if agreement is not None and said["agreement"] != agreement:
                raise NotVerified("the file is of another agreement")
        except SinergiError:
            path.unlink(missing_ok=True)
            statement_of(path).unlink(missing_ok=True)
            raise
        return said

    def _ready(self, path: Path) -> None:
        """ClientError unless the file can be kept and checked: asked before the broker is, which records the taking."""
        self._pinned()
        if path.exists() or statement_of(path).exists():
            raise ClientError(f"{path} or its statement exists already")

    def _pinned(self) -> PublicSet:
        if self._broker is None:
            raise ClientError("the broker's keys are not pinned; run `broker keys trust public.json` with the file its administrator gave you")
        return self._broker


def statement_of(path: Path) -> Path:
    return path.with_name(path.name + ".dsse")


def check_file(path: Path, broker: PublicSet) -> dict[str, Any]:
    """What the statement beside `path` says, once the pinned broker's signature holds and the file is the one it names. NotVerified otherwise.

    Reads nothing but the two files.
    """
    dsse = read_dsse(statement_of(path).read_bytes())
    try:
        said = strict_object(dsse.payload)
        agreement = said["agreement"]
        if said["type"] != "sinergi/export/v1" or not isinstance(agreement, str) or (agreement, "receipt") not in broker.keys:
            raise ValueError
    except (ValueError, KeyError):
        raise NotVerified("not a statement over a file of this broker") from None
    signed(dsse, EXPORT, broker, agreement)
    with path.open("rb") as f:
        digest = hashlib.file_digest(f, "sha256").hexdigest()
    if (said["sha256"], said["bytes"]) != (digest, path.stat().st_size):
        raise NotVerified("the file is not the one that was signed")
    return said
