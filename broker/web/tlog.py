"""A log as the static files of C2SP tlog-tiles, under a path that stays, and an exchange's place in it as a tlog-proof.

For the systems of the agreement's parties and for officers who read its log. The broker's own log names systems of every party: of it
only the checkpoint is served here.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response

from broker import door
from broker.errors import Refusal
from broker.ledger.tiles import WIDTH, read_tile
from broker.ledger.tlogproof import tlog_proof
from broker.lifecycle.officers import readable
from broker.record import BROKER_LOG
from broker.web.answers import recorded
from broker.web.officers import OfficerApi, as_signed
from broker.web.problems import RESPONSES

TEXT: Final = "text/plain; charset=utf-8"
_KEYID = re.compile(r'keyid="([^"]*)"')
Name = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="Exchange id, 32 hex digits")]
Log = Annotated[str, Path(max_length=80, description="The agreement's id")]
TilePath = Annotated[str, Path(max_length=80, description="`L/N`, `L/N.p/W`, `entries/N` or `entries/N.p/W`; N as 067 or x001/x234/067")]


class TlogApi(OfficerApi):
    """Checkpoint, tiles, entry bundles and tlog-proofs."""

    def router(self) -> APIRouter:
        router = APIRouter(tags=["bukti"], responses=RESPONSES)
        text: dict[int | str, Any] = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}
        octets: dict[int | str, Any] = {200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}}
        router.get("/tlog/{log}/checkpoint", summary="The log's latest checkpoint (C2SP tlog-tiles)", response_class=Response, responses=text)(self.checkpoint)
        router.get("/tlog/{log}/tile/{tile:path}", summary="A hash tile or an entry bundle (C2SP tlog-tiles)", response_class=Response, responses=octets)(self.tile)
        router.get("/v1/exchanges/{name}/tlog-proof", summary="The manifest's place in the log (C2SP tlog-proof)", response_class=Response, responses=text)(self.proof)
        return router

    def checkpoint(self, request: Request, log: Log) -> Response:
        known = self._readable(request, log)
        return Response(self._note(known), media_type=TEXT, headers={"Cache-Control": "no-store"})

    def tile(self, request: Request, log: Log, tile: TilePath) -> Response:
        """404 for a partial tile of a size that the log has not reached, and for the broker's own log."""
        known = self._readable(request, log)
        try:
            asked = read_tile(f"tile/{tile}")
        except ValueError:
            raise Refusal("tidak_ada") from None
        data = None if known == BROKER_LOG else self._office.ledger.tile(known, asked)
        if data is None:
            raise Refusal("tidak_ada")
        cached = "private, max-age=31536000, immutable" if asked.width == WIDTH else "no-store"
        return Response(data, media_type="application/octet-stream", headers={"Cache-Control": cached})

    def proof(self, request: Request, name: Name) -> Response:
        """The entry it proves is the `manifest` of the exchange's proof file, byte for byte."""
        row = door.visible(self._office, self._system(request), name)
        recorded(row)
        assert row.log is not None and row.entry is not None
        note = self._note(row.log)
        path = self._office.ledger.inclusion(row.log, row.entry, int(note.split("\n")[1]))
        return Response(tlog_proof(row.entry, path, note), media_type=TEXT, headers={"Cache-Control": "no-store"})

    # --- who asks
    def _readable(self, request: Request, log: str) -> str:
        """`log`, if the caller may read it; otherwise it does not exist for them. Whose key is named decides whose it must then be."""
        named = _KEYID.search(request.headers.get("signature-input", ""))
        if named is not None and self._office.peers.signer(named.group(1)) is not None:
            return door.log_of(self._office, self._system(request), log)
        if log not in readable(self._office, self._person(request), self._clock()):
            raise Refusal("tidak_ada")
        return log

    def _system(self, request: Request) -> door.Caller:
        target, headers = as_signed(request, self._url)
        caller = door.authenticate(self._office, request.method, target, headers, self._clock(), body=False)
        door.spend_nonce(self._office, caller, self._clock())
        return caller

    def _note(self, log: str) -> str:
        note = self._office.ledger.note(log)
        if note is None:
            raise Refusal("tidak_ada")
        return note
