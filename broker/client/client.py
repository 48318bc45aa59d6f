"""A party's side of an exchange, over HTTP. What it keeps: its keys, the broker's pinned keys, the last checkpoint of every log, what it
received, and the sealed bytes of a submission until it has an answer. It never sends or stores plaintext.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import re
import secrets
import shutil
import time
import tomllib
from base64 import b64decode
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Self

import httpx2

from broker.client.connection import PIECE, Connection, answered, problem_text
from broker.client.known import renewed
from broker.client.ownkeys import NEXT, PARTY_KEYS, X25519, announce, open_own, taken_over
from broker.client.refs import Seen, compare, subjects_of
from broker.client.reidentify import Opened, opened
from broker.client.standing import checkpoint
from broker.client.verify import Opening, Verified, in_log, open_row, read_proof, verify_exchange, verify_leaves
from broker.envelope import Voucher, read_passkey, read_submission, seal, sign_dsse, submission_prefix
from broker.envelope.dsse import MANIFEST, PASSKEY, STATEMENT, VOUCHER
from broker.errors import ClientError, NotVerified
from broker.jcs import canonical, strict_object
from broker.keys import (
    AnyKemKey,
    KemKey,
    KemPublic,
    KemX25519Key,
    ReceiptKey,
    ReceiptPublic,
    RequestKey,
    Ring,
    Rings,
    create_ring,
    public_set,
    read_public_set,
    write_private,
)
from broker.keys.ring import DESTROYED
from broker.keys.rotate import in_state, next_set
from broker.ledger import leaf_hash, verify_consistency, verify_inclusion
from broker.model import utc_text
from broker.settings import shipped_policies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from broker.client.refs import Compared
    from broker.client.verify import Proof
    from broker.keys import PublicSet
    from broker.ledger import Checkpoint

CONTENT_TYPES: Final = {
    ".csv": "text/csv",
    ".ndjson": "application/x-ndjson",
    ".jsonl": "application/x-ndjson",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".parquet": "application/vnd.apache.parquet",
}
SUBMISSION_TYPE: Final = "application/vnd.sinergi.submission"
DSSE_TYPE: Final = "application/vnd.dsse+json"
_TRIES: Final = 3
POLL: Final = 0.5  # seconds between looks at an exchange that is not through yet
_SYSTEM: Final = re.compile(r"[a-z0-9_-]+@[a-z0-9_-]+")
_EXCHANGE: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the broker said of a submission: state, and a problem document or a quality report."""

    exchange: str
    state: str
    problem: dict[str, Any] | None
    report: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Received:
    """A fetched, verified and receipted exchange."""

    exchange: str
    folder: Path
    verified: Verified


def create_home(home: Path, system: str, url: str, now: datetime, *, x25519: bool = False) -> PublicSet:
    """A new client home for `system` with its own keys; its public keys, to be enrolled at the broker, in `SYSTEM.json`. x25519: a key of that suite beside the others."""
    if (home / "client.toml").exists():
        raise ClientError(f"{home} is a client home already")
    if not _SYSTEM.fullmatch(system) or not url.startswith(("http://", "https://")):
        raise ClientError("a system is named as sijoker@sijunjung, and an address begins with https:// (or http:// on this machine)")
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    public = public_set(system, {"": create_ring(home / "secrets", (*PARTY_KEYS, *([X25519] if x25519 else [])), now)})
    write_private(home / f"{system}.json", public.to_json())
    write_private(home / "client.toml", f'system = "{system}"\nurl = "{url}"\n'.encode())
    for name in ("outgoing", "sent", "inbox", "logs"):
        (home / name).mkdir(mode=0o700)
    return public


class Client:
    """A system's client. Owns an HTTP connection pool; use it in a `with` block."""

    def __init__(self, home: Path, system: str, url: str, ring: Ring, broker: PublicSet | None, clock: Callable[[], datetime], http: httpx2.Client | None = None) -> None:
        self.home, self.system, self.url = home, system, url.rstrip("/")
        self._ring, self._broker, self._clock = ring, broker, clock
        self._to = Connection(self.url, ring.get(RequestKey, "request"), clock, http)

    @classmethod
    def at(cls, home: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC), http: httpx2.Client | None = None) -> Client:
        """The client of a home made by `create_home`. ClientError says what is missing."""
        if not (home / "client.toml").exists():
            raise ClientError(f"{home} is no client home; make one with `broker keys new`")
        settings = tomllib.loads((home / "client.toml").read_text())
        pinned = home / "broker.json"
        broker = read_public_set(pinned.read_bytes()) if pinned.exists() else None
        return cls(home, settings["system"], settings["url"], open_own(home), broker, clock, http)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._to.close()

    @property
    def own(self) -> PublicSet:
        """Our keys in use, and those before them whose receipts hold."""
        return public_set(self.system, {"": self._ring})

    @property
    def _kems(self) -> tuple[AnyKemKey, ...]:
        """What opens what is sealed to us: which of them an envelope is for, its header says."""
        return (*self._ring.all(KemKey, "kem"), *self._ring.all(KemX25519Key, "kem-x25519"))

    @property
    def broker(self) -> PublicSet:
        if self._broker is None:
            raise ClientError("the broker's keys are not pinned; run `broker keys trust public.json` with the file its administrator gave you")
        return self._broker

    def renew(self) -> None:
        """Follows the broker's keys to those in use, if the pinned ones vouch for them. NotVerified if they do not; without an answer all stays."""
        try:
            found = renewed(self._to, self.broker)
            if next_set(self.system, self._ring) is not None or (self.home / f"{self.system}{NEXT}").exists():
                self._ring = taken_over(self.home, self.system, self._ring, found, self._to.confirmed, self._clock())
                self._to.sign_with(self._ring.get(RequestKey, "request"))
        except httpx2.TransportError:
            return
        if found != self._broker:
            write_private(self.home / "broker.json", found.to_json())
            self._broker = found

    # --- keys of our own
    def announce(self, *, x25519: bool = False) -> PublicSet:
        """The next set of our own keys, made if there is none: to be enrolled by written notice as the first was. Until it counts the present one does.

        x25519: with a key of that suite, also where the present set has none.
        """
        self._ring = announce(self.home, self.system, self._ring, self._clock(), x25519=x25519)
        found = next_set(self.system, self._ring)
        assert found is not None
        return found

    def destroy(self, kid: str) -> None:
        """Destroys a retired key of ours for good: what is sealed to it is never opened again. KeyRingError for one in use."""
        self._ring = Rings(self.home, {"secrets": self._ring}).change("secrets", lambda ring: in_state(ring, kid, DESTROYED, self._clock(), self.system))

    def trust(self, data: bytes) -> PublicSet:
        """Pins the broker's public keys. ClientError if others are pinned already: keys change by notice, not by surprise."""
        found = read_public_set(data)
        if self._broker is not None and self._broker != found:
            raise ClientError("other broker keys are pinned; remove broker.json after a written notice (Pasal 11)")
        write_private(self.home / "broker.json", data)
        self._broker = found
        return found

    def identities(self, data: bytes) -> Opened:
        """Who is behind the tokens that an operator of ours asked about. data: the fetched file. NotVerified."""
        return opened(data, self.broker, self._kems, self.system)

    def vouch(self, data: bytes, fingerprint: str) -> Path:
        """Signs that the public key file `data` is of an officer of this party, once it has the fingerprint of their notice; where the voucher is."""
        found = read_public_set(data)
        return self._vouch(VOUCHER, found.owner, found.owner, found.fingerprint, fingerprint)

    def vouch_passkey(self, data: bytes, fingerprint: str) -> Path:
        """Signs that the passkey of this file is of its officer: by their own key, or by the system of their party; where the voucher is."""
        try:
            found = read_passkey(data)
        except NotVerified:
            raise ClientError("this is no file of a passkey: take it from the officer's page") from None
        return self._vouch(PASSKEY, found.person, f"{found.person}.{found.sha256[:8]}", found.fingerprint, fingerprint)

    def _vouch(self, kind: str, person: str, name: str, found: str, noticed: str) -> Path:
        """Signs for the file with the fingerprint that was found; ClientError unless it is the one of the notice, of an officer of this party."""
        digest = found.replace(" ", "")
        if digest != noticed.replace(" ", "").lower():
            raise ClientError("the file's fingerprint is not the one given: do not use it, ask the officer")
        if person.partition("@")[2] != self.system.partition("@")[2]:
            raise ClientError(f"{person} is no officer of your party")
        voucher = Voucher(created=utc_text(self._clock()), keys_sha256=digest, person=person, system=self.system)
        path = self.home / f"{name}.jaminan"
        write_private(path, sign_dsse(kind, voucher.to_json(), self._ring.get(ReceiptKey, "receipt")).to_json())
        return path

    # --- sending
    def send(
        self,
        path: Path,
        *,
        agreement: str,
        dataset: str,
        purpose: str,
        recipient: str,
        basis: str | None = None,
        template: str = "1.0.0",
        wait: int = 60,
        progress: Callable[[int], None] = lambda _: None,
    ) -> Answer:
        """Seals `path` for the broker, signs and sends it; the broker's answer. Safe to repeat: kept bytes are sent with the same key.

        progress: called with the plaintext bytes sealed so far. wait: seconds the broker may take to give the outcome at once.
        """
        if path.suffix.lower() not in CONTENT_TYPES:
            raise ClientError(f"{path.suffix or 'this file'} is no supported type: use {', '.join(CONTENT_TYPES)}")
        for earlier in self._unanswered():
            with earlier.open("rb") as abandoned:
                if not _hold(abandoned):  # another officer is sending it now
                    continue
            raise ClientError("an earlier submission has no answer yet: run `broker send --resend` first, or it may be disclosed twice")
        self.renew()
        key = secrets.token_urlsafe(24)
        kept, held = self._seal(path, key, agreement, dataset, purpose, recipient, basis, template, progress)
        with held:
            answer = self._post(kept, key, wait)
        if answer.state == "recorded":
            self.follow(agreement)
        return answer

    def resend(self, wait: int = 60) -> list[Answer]:
        """Sends again whatever was sealed and never answered, under its own Idempotency-Key."""
        self.renew()
        answers = []
        for path in self._unanswered():
            with path.open("rb") as held:
                if _hold(held):
                    answers.append(self._post(path, path.name, wait))
        return answers

    def _unanswered(self) -> list[Path]:
        return [path for path in sorted((self.home / "outgoing").iterdir()) if not path.name.startswith(".")]

    def _seal(
        self, path: Path, key: str, agreement: str, dataset: str, purpose: str, recipient: str, basis: str | None, template: str, progress: Callable[[int], None]
    ) -> tuple[Path, BinaryIO]:
        """The kept submission and its open file, which marks it as being sent until it is closed."""
        now, content_type = utc_text(self._clock()), CONTENT_TYPES[path.suffix.lower()]
        core: dict[str, str | int] = {
            "agreement": agreement, "content_type": content_type, "created": now, "dataset": dataset, "exchange": secrets.token_hex(16),
            "kind": "kiriman", "purpose": purpose, "recipient": recipient, "sender": self.system, "template": template, "v": 1,
        }  # fmt: skip
        if (agreement, "kem") not in self.broker.keys:
            raise ClientError("the broker has no key for this agreement: check its name, or pin the broker's new public keys")
        sealer = seal(core, [self.broker.get(KemPublic, "kem", agreement)])
        sealed = self.home / "outgoing" / f".{key}"
        digest, done = hashlib.sha256(sealer.header.prefix), 0
        with path.open("rb") as source, sealed.open("xb") as out:
            sealed.chmod(0o600)
            out.write(sealer.header.prefix)
            while data := source.read(PIECE):
                piece = sealer.update(data)
                digest.update(piece)
                out.write(piece)
                done += len(data)
                progress(done)
            last = sealer.finish()
            digest.update(last)
            out.write(last)
        statement = {
            "agreement": agreement, "basis": basis, "content_type": content_type, "created": now, "dataset": dataset, "envelope_sha256": digest.hexdigest(),
            "purpose": purpose, "recipient": recipient, "sender": self.system, "template": template, "type": "sinergi/statement/v1",
        }  # fmt: skip
        prefix = submission_prefix(sign_dsse(STATEMENT, canonical(statement), self._ring.get(ReceiptKey, "receipt")))
        whole = self.home / "outgoing" / f".{key}.whole"
        with sealed.open("rb") as source, whole.open("xb") as out:
            whole.chmod(0o600)
            out.write(prefix)
            shutil.copyfileobj(source, out, PIECE)
        sealed.unlink()
        held = whole.open("rb")
        _hold(held)
        return whole.rename(self.home / "outgoing" / key), held

    def _post(self, kept: Path, key: str, wait: int) -> Answer:
        digest = hashlib.sha256()
        with kept.open("rb") as f:
            while data := f.read(PIECE):
                digest.update(data)
        headers = {"Content-Type": SUBMISSION_TYPE, "Idempotency-Key": key, "Prefer": f"wait={wait}", "Content-Length": str(kept.stat().st_size)}
        for attempt in range(1, _TRIES + 1):
            try:
                response = self._to.request("POST", "/v1/exchanges", headers, digest.digest(), _pieces(kept))
                break
            except httpx2.TransportError:
                if attempt == _TRIES:
                    raise ClientError(f"no answer from {self.url}; the sealed bytes are kept: run `broker send --resend`") from None
        answer = self._answer(response, wait)
        if answer.exchange and not _EXCHANGE.fullmatch(answer.exchange):
            raise ClientError("the broker answered with something that is no exchange id")
        if answer.state != "refused":
            self._keep_sent(answer.exchange, kept)
        if answer.exchange or response.status_code not in (401, *range(500, 600)):  # the broker has recorded an outcome: the same key would get the same again. 401: it did not know us, and recorded nothing
            kept.unlink()
        return answer

    def _keep_sent(self, exchange: str, kept: Path) -> None:
        """What we signed, by digest: a manifest is countersigned only if it names the same."""
        with kept.open("rb") as f:
            statement = read_submission(f)
        sealed = json.loads(statement.payload)["envelope_sha256"]
        (self.home / "sent").mkdir(mode=0o700, exist_ok=True)
        digests = {"sealed_sha256": sealed, "statement_sha256": hashlib.sha256(statement.to_json()).hexdigest()}
        write_private(self.home / "sent" / f"{exchange}.json", canonical(digests))

    def _answer(self, response: httpx2.Response, wait: int) -> Answer:
        value = answered(response)
        if response.status_code >= 400:
            return Answer(value.get("exchange", ""), "refused", value, value.get("report"))
        deadline = self._clock().timestamp() + wait
        while value["state"] == "accepted" and self._clock().timestamp() < deadline:
            time.sleep(POLL)
            value = self._to.get(f"/v1/exchanges/{value['exchange']}")
        return Answer(value["exchange"], value["state"], value.get("problem"), value.get("report"))

    # --- receiving
    def inbox(self) -> list[dict[str, Any]]:
        """What waits for this system."""
        found: list[dict[str, Any]] = self._to.get("/v1/inbox")["exchanges"]
        return found

    def receive(self, progress: Callable[[int], None] = lambda _: None) -> list[Received]:
        """Fetches, verifies and receipts everything that waits. NotVerified or ClientError: nothing was receipted for that exchange."""
        self.renew()  # without pinned keys nothing can be verified, so nothing is fetched
        return [self._receive(item["exchange"], progress) for item in self.inbox()]

    def _receive(self, exchange: str, progress: Callable[[int], None]) -> Received:
        if not _EXCHANGE.fullmatch(exchange):  # it becomes a folder's name here
            raise NotVerified("the broker's inbox names something that is no exchange id")
        folder = self.home / "inbox" / exchange
        folder.mkdir(mode=0o700, exist_ok=True)
        self._to.download(f"/v1/exchanges/{exchange}/envelope", folder / "envelope.sng", progress)
        self._to.download(f"/v1/exchanges/{exchange}/leaves", folder / "leaves.bin", lambda _: None)
        self._to.save(folder / "proof.json", f"/v1/exchanges/{exchange}/proof")
        verified = verify_exchange(folder, self.broker, self._kems)
        if verified.manifest["exchange"] != exchange or verified.manifest["recipient"] != self.system or verified.manifest["keys"]["recipient"] not in {key.kid for key in self.own.all(ReceiptPublic, "receipt")}:
            raise NotVerified("the manifest names another exchange, another recipient, or another key of ours")
        self._follow(verified.manifest["agreement"]["id"], verified.checkpoint)
        self.sign_receipt(exchange, verified.manifest_bytes)
        self._to.save(folder / "proof.json", f"/v1/exchanges/{exchange}/proof")  # with our receipt in it
        return Received(exchange, folder, replace(verify_exchange(folder, self.broker, (), own=self.own), lines=verified.lines))

    def sign_receipt(self, exchange: str, manifest: bytes) -> None:
        """Signs the manifest and hands the receipt to the broker: the recipient after opening, the sender as countersignature."""
        data = sign_dsse(MANIFEST, manifest, self._ring.get(ReceiptKey, "receipt")).to_json()
        headers = {"Content-Type": DSSE_TYPE, "Content-Length": str(len(data))}
        response = self._to.request("POST", f"/v1/exchanges/{exchange}/receipt", headers, hashlib.sha256(data).digest(), iter([data]))
        if response.status_code != 204:
            raise ClientError(problem_text(answered(response)))

    def countersign(self) -> list[str]:
        """As sender: countersigns the manifest of every exchange recorded since. Returns the exchanges signed."""
        self.renew()
        done = []
        for item in self._to.get("/v1/outbox")["exchanges"]:
            if not _EXCHANGE.fullmatch(item["exchange"]) or item["state"] not in ("recorded", "delivered", "receipted"):
                continue
            proof = self._to.get(f"/v1/exchanges/{item['exchange']}/proof")
            if self.system in proof["receipts"]:
                continue
            manifest = b64decode(proof["manifest"])
            if not (self.home / "sent" / f"{item['exchange']}.json").exists() and not {"entity", "person"}.isdisjoint(json.loads(manifest)["submission"]):
                continue  # a map that the broker made, or what an officer sent from the console: we signed nothing, and sign nothing now
            self._check_ours(item["exchange"], proof)
            self.sign_receipt(item["exchange"], manifest)
            done.append(item["exchange"])
        return done

    def compare(self, exchange: str, path: Path) -> Compared:
        """Holds the rows of `path`, which was sent as `exchange`, against whom the ledger says they stand for.

        NotVerified: it does not stand for them. ClientError: it cannot be told here, and why.
        """
        if not _EXCHANGE.fullmatch(exchange):
            raise ClientError("an exchange id has 32 hex digits, as `broker send` prints it")
        if not (self.home / "sent" / f"{exchange}.json").exists():
            raise ClientError("nothing was sent from here as this exchange")
        found = self._check_ours(exchange, self._to.get(f"/v1/exchanges/{exchange}/proof"))
        contract = found.manifest["contract"]
        subjects = subjects_of(_shipped_contract(contract["dataset"]), contract["sha256"])
        told = self._to.get(f"/v1/exchanges/{exchange}/refs")
        erasures = self._erasures(found.log, told)
        leaves = self.home / "sent" / f".{exchange}.leaves"
        try:
            self._to.download(f"/v1/exchanges/{exchange}/leaves", leaves, lambda _: None)
            verify_leaves(leaves, found.manifest)
            with closing(self._seen(found.log)) as seen:
                return compare(path, leaves, found.manifest, found.index, subjects, bytes.fromhex(told["ref_key"]), erasures, seen)
        finally:
            leaves.unlink(missing_ok=True)

    def _seen(self, agreement: str) -> Seen:
        folder = self.home / "people"
        folder.mkdir(mode=0o700, exist_ok=True)
        key = folder / "key"
        if not key.exists():
            write_private(key, secrets.token_bytes(32))
        return Seen(folder / f"{agreement}.db", key.read_bytes())

    def _erasures(self, log: str, told: dict[str, Any]) -> list[int]:
        """The places of the erasures of people that are proven to be in the log. NotVerified otherwise."""
        under = self._follow(log, checkpoint(told["checkpoint"], self.broker, log))
        places = []
        try:
            for one in told["erasures"]:
                entry = b64decode(one["entry"], validate=True)
                proof = [b64decode(h, validate=True) for h in one["inclusion"]]
                verify_inclusion(one["index"], under.size, leaf_hash(entry), proof, under.root)
                said = strict_object(entry)
                if said["type"] == "sinergi/erasure/v1" and said["act"] == "subject" and said["subjects"] == 1:
                    places.append(one["index"])
        except (ValueError, KeyError, TypeError):
            raise NotVerified("an erasure is malformed") from None
        return places

    def _check_ours(self, exchange: str, proof: dict[str, Any]) -> Proof:
        """NotVerified unless the broker signed this manifest, it is in the log, and it is of the very submission kept as sent."""
        found = read_proof(canonical(proof))
        self._follow(found.log, in_log(found, self.broker)[0])
        kept = self.home / "sent" / f"{exchange}.json"
        if not kept.exists() or json.loads(kept.read_bytes()) != found.manifest["submission"] or found.manifest["sender"] != self.system:
            raise NotVerified("the manifest is not of a submission this client sent")
        return found

    def verify(self, exchange: str) -> Verified:
        """Checks a received exchange again, offline."""
        return verify_exchange(self._folder(exchange), self.broker, self._kems, own=self.own, exchange=exchange)

    def refresh(self, exchange: str) -> Verified:
        """The same with a proof that is fetched anew: where the one kept is under a log key that has been distrusted since, and is refused.

        NotVerified, and the one kept stays, unless it is of the same manifest at the same place of a log that goes on from what was seen here.
        """
        folder = self._folder(exchange)
        self.renew()
        anew = folder / ".proof.json"
        try:
            self._to.save(anew, f"/v1/exchanges/{exchange}/proof")
            kept, found = read_proof((folder / "proof.json").read_bytes()), read_proof(anew.read_bytes())
            if (found.data, found.index) != (kept.data, kept.index):
                raise NotVerified("the broker now tells of another manifest, or another place in the log: keep this folder, it proves the first")
            self._follow(found.log, in_log(found, self.broker)[0])
            anew.replace(folder / "proof.json")
        finally:
            anew.unlink(missing_ok=True)
        return self.verify(exchange)

    def open(self, exchange: str, path: Path, *, form: str = "csv") -> Verified:
        """Writes the released rows to `path` as `csv` (safe against formula injection) or `ndjson`; only after everything verified."""
        from broker.client.opened import write_rows  # noqa: PLC0415 - csv is needed here alone

        return write_rows(self._folder(exchange), self.broker, self._kems, path, form, exchange)

    def open_row(self, exchange: str, row: int) -> Opening:
        """One row of a received exchange, from 0, for whoever may see that row alone; only after everything verified."""
        return open_row(self._folder(exchange), self.broker, self._kems, row, exchange)

    def _folder(self, exchange: str) -> Path:
        folder = self.home / "inbox" / exchange
        if not _EXCHANGE.fullmatch(exchange):
            raise ClientError("an exchange id has 32 hex digits, as `broker receive` prints it")
        if not (folder / "proof.json").exists():
            raise ClientError(f"no received exchange {exchange}; run `broker receive` first")
        return folder

    # --- the log
    def follow(self, log: str) -> Checkpoint:
        """The log's latest checkpoint, once it is consistent with the last one seen here. NotVerified: the log was rewritten."""
        return self._read(log, self.note(log))

    def note(self, log: str) -> str:
        """The same as its signed note, with the lines of the witnesses that cosigned it so far."""
        note = self._to.text(f"/v1/logs/{log}/checkpoint")
        self._follow(log, self._read(log, note))
        return note

    def _read(self, log: str, note: str) -> Checkpoint:
        return checkpoint(note, self.broker, log)

    def _follow(self, log: str, seen: Checkpoint) -> Checkpoint:
        """`seen`, once it is proven to contain the last checkpoint kept here; it is kept from now on. NotVerified: the log was rewritten."""
        kept = self.home / "logs" / f"{log}.json"
        if kept.exists():
            before = json.loads(kept.read_bytes())
            if before["size"] > seen.size:
                raise NotVerified(f"the log {log} has shrunk: it was rewritten or restored from an old copy")
            answer = self._to.get(f"/v1/logs/{log}/consistency?from={before['size']}&to={seen.size}")
            proof = [b64decode(h, validate=True) for h in answer["proof"]]
            verify_consistency(before["size"], seen.size, bytes.fromhex(before["root"]), seen.root, proof)
        write_private(kept, canonical({"log": log, "root": seen.root.hex(), "size": seen.size}))
        return seen

    def known_keys(self) -> dict[str, Any]:
        """What the broker believes of public keys; unsigned."""
        return self._to.known_keys()

    def health(self) -> dict[str, Any]:
        """The broker's health; unsigned."""
        return self._to.health()

    def agreements(self) -> dict[str, Any]:
        """The agreements of this party: term, datasets, directions, purposes, templates, enrolled systems."""
        return self._to.get("/v1/agreements")


def _hold(file: BinaryIO) -> bool:
    """Whether this process now holds the file; another that holds it is sending it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _shipped_contract(dataset: str) -> bytes:
    """The dataset's contract as installed here; empty if there is none."""
    found = [path for path in (shipped_policies() / "datasets").glob("*.toml") if path.stem == dataset]
    return found[0].read_bytes() if found else b""


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as f:
        while data := f.read(PIECE):
            yield data
