"""Offline verification of a received exchange: standard library and `cryptography` only, no network, no trust in the broker's word.

What it proves: the broker signed this manifest for this agreement; the manifest is in the agreement's log under a signed checkpoint; the
envelope is the one the manifest names; every leaf is in the manifest's tree; every released line is the one committed to, in order, and
every withheld row committed to nothing.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from broker.client.standing import checkpoint, perhaps_signed
from broker.envelope import open_envelope, read_dsse, verify_dsse
from broker.envelope.dsse import MANIFEST
from broker.envelope.seal import SUITE_X25519
from broker.errors import ClientError, KeyRingError, NotOpened, NotVerified
from broker.jcs import canonical, read_base64, strict_object
from broker.keys import ReceiptPublic
from broker.ledger import OUTCOMES, RELEASED, leaf_hash, root_of, verify_inclusion
from broker.ledger.openings import salt_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from broker.envelope import Opener
    from broker.keys import AnyKemKey, PublicSet
    from broker.ledger import Checkpoint

OPENING_TYPE: Final = "sinergi/opening/v1"
STORED: Final = 55  # bytes of a leaf without its constant head: ref 16 | commitment 32 | profile 2 | outcome 1 | sequence 4
PROOF_FIELDS: Final = frozenset({"checkpoint", "exchange", "inclusion", "index", "log", "manifest", "receipts"})
_PIECE: Final = 256 << 10
WEAKER: Final = "segel_x25519"  # the warning of a manifest whose envelope is not sealed with post-quantum
_BLOCK: Final = 16_384  # a power of two: its roots are nodes of the tree
_WITHHELD_PROFILE: Final = b"\xff\xff"


@dataclass(frozen=True, slots=True)
class Verified:
    """What held. manifest: its fields. checkpoint: the signed head it is under. signers: whose receipts were verified here.

    claimed: who else the proof file says has signed; their keys are not pinned here, so it proves nothing to us.
    doubted: since when the key of the broker's receipt is distrusted: then the log under its checkpoint is what vouches. None: it stands.
    """

    manifest: Mapping[str, Any]
    manifest_bytes: bytes
    checkpoint: Checkpoint
    index: int
    signers: tuple[str, ...]
    claimed: tuple[str, ...]
    leaves: int
    lines: int
    doubted: str | None


def verify_exchange(folder: Path, broker: PublicSet, keys: Sequence[AnyKemKey], plaintext: IO[bytes] | None = None, *, own: PublicSet | None = None, exchange: str | None = None) -> Verified:
    """Checks the files `envelope.sng`, `leaves.bin` and `proof.json` of an exchange. NotVerified says what does not hold.

    keys: the recipient's; without one the lines stay closed and only the ledger is checked. plaintext: receives the released lines; they
    are final only once this function has returned. own: the caller's own public keys; its receipt, if there is one, must then hold.
    exchange: the id that was asked for; the proof must be of that very one.
    """
    try:
        return _verify(folder, broker, keys, plaintext, own, exchange)
    except OSError as error:
        raise NotVerified(f"{Path(error.filename or folder).name} cannot be read") from None
    except KeyRingError as error:
        raise NotVerified(str(error)) from None


def _verify(folder: Path, broker: PublicSet, keys: Sequence[AnyKemKey], plaintext: IO[bytes] | None, own: PublicSet | None, exchange: str | None) -> Verified:
    proof = read_proof((folder / "proof.json").read_bytes())
    if exchange not in (None, proof.manifest["exchange"]):
        raise NotVerified("these files are of another exchange")
    manifest = proof.manifest
    under, doubted = in_log(proof, broker)
    signers = ["broker"]
    if own is not None and own.owner in proof.receipts:
        if verify_dsse(read_dsse(proof.receipts[own.owner]), MANIFEST, *own.all(ReceiptPublic, "receipt")) != proof.data:
            raise NotVerified("our own receipt is over another manifest")
        signers.append(own.owner)
    rows = verify_leaves(folder / "leaves.bin", manifest)
    leaves: int = manifest["records"]["leaves"]
    _check_envelope(folder / "envelope.sng", manifest)
    lines = _check_lines(folder / "envelope.sng", manifest, rows, keys, plaintext) if keys else 0
    claimed = tuple(sorted(set(proof.receipts) - set(signers)))
    return Verified(manifest, proof.data, under, proof.index, tuple(sorted(signers)), claimed, leaves, lines, doubted)


def in_log(proof: Proof, broker: PublicSet) -> tuple[Checkpoint, str | None]:
    """The checkpoint of a standing key that the manifest is under, and since when the key of the broker's receipt is distrusted. NotVerified otherwise."""
    payload, doubted = perhaps_signed(read_dsse(proof.receipts["broker"]), MANIFEST, broker, proof.log)
    if payload != proof.data:
        raise NotVerified("the broker signed another manifest")
    found = checkpoint(proof.checkpoint, broker, proof.log)
    verify_inclusion(proof.index, found.size, leaf_hash(proof.data), proof.inclusion, found.root)
    return found, doubted


@dataclass(frozen=True, slots=True)
class Proof:
    """A parsed proof file; nothing of it is believed yet."""

    data: bytes
    manifest: dict[str, Any]
    index: int
    log: str
    checkpoint: str
    inclusion: tuple[bytes, ...]
    receipts: Mapping[str, bytes]


def read_proof(text: bytes) -> Proof:
    """The proof in a proof file; NotVerified unless it is exactly of that form."""
    try:
        value = json.loads(text)
        if set(value) != PROOF_FIELDS or type(value["index"]) is not int or not isinstance(value["checkpoint"], str):
            raise ValueError
        data = read_base64(value["manifest"])
        manifest: dict[str, Any] = strict_object(data)
        log, receipts = value["log"], value["receipts"]
        if not isinstance(receipts, dict) or not isinstance(value["inclusion"], list):
            raise TypeError
        if manifest["agreement"]["id"] != log or manifest["type"] != "sinergi/exchange/v1" or value["exchange"] != manifest["exchange"]:
            raise NotVerified("the manifest belongs to another log or exchange")
        if type(manifest["records"]["rows"]) is not int or type(manifest["records"]["leaves"]) is not int or "broker" not in receipts:
            raise ValueError
        return Proof(data, manifest, value["index"], log, value["checkpoint"], tuple(map(read_base64, value["inclusion"])), {s: canonical(d) for s, d in receipts.items()})
    except (ValueError, KeyError, TypeError, OverflowError, AttributeError, RecursionError):
        raise NotVerified("the proof file is malformed") from None


class RunningRoot:
    """The root over hashes that come one by one, whatever their number: of every 16,384 one is kept."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []
        self._hashes: list[bytes] = []

    @property
    def size(self) -> int:
        return len(self._blocks) * _BLOCK + len(self._hashes)

    def add(self, leaf: bytes) -> None:
        self._hashes.append(leaf)
        if len(self._hashes) == _BLOCK:
            self._blocks.append(root_of(self._hashes))
            self._hashes = []

    def root(self) -> bytes:
        return root_of([*self._blocks, *([root_of(self._hashes)] if self._hashes else [])])


class _Rows:
    """Commitment and outcome of every row, gathered from the leaves: 33 bytes a row."""

    def __init__(self, rows: int) -> None:
        self.commitments = bytearray(32 * rows)
        self.outcomes = bytearray(rows)
        self.seen = bytearray(rows)
        self.rows = rows

    def put(self, sequence: int, commitment: bytes, outcome: int) -> None:
        if sequence >= self.rows:
            raise NotVerified("a leaf names a row beyond the last")
        at = 32 * sequence
        if self.seen[sequence] and (self.commitments[at : at + 32] != commitment or self.outcomes[sequence] != outcome):
            raise NotVerified(f"row {sequence + 1}: its leaves disagree")
        self.seen[sequence] = 1
        self.outcomes[sequence] = outcome
        self.commitments[at : at + 32] = commitment


def verify_leaves(path: Path, manifest: Mapping[str, Any]) -> _Rows:
    """Every row's commitment and outcome, once the leaves in the file are exactly those of the manifest. NotVerified otherwise."""
    count = manifest["records"]["leaves"]
    if path.stat().st_size != STORED * count:
        raise NotVerified("the leaves are not as many as the manifest says")
    with path.open("rb") as f:
        return check_leaves((f.read(STORED) for _ in range(count)), manifest)


def check_leaves(leaves: Iterable[bytes], manifest: Mapping[str, Any]) -> _Rows:
    """As `verify_leaves`, of the 55 stored bytes of each leaf, asked for one by one."""
    if manifest["records"]["rows"] > manifest["records"]["leaves"]:
        raise NotVerified("the leaves are not as many as the manifest says")
    rows = _Rows(manifest["records"]["rows"])
    head = b"\1" + bytes.fromhex(manifest["exchange"])
    tree = RunningRoot()
    last = b""
    for data in leaves:
        if len(data) != STORED or data[:16] < last:
            raise NotVerified("the leaves are cut short or out of order")
        last = data[:16]
        if (data[48:50] == _WITHHELD_PROFILE) is (data[50] == RELEASED) or (data[50] == RELEASED and int.from_bytes(data[48:50], "big") >= len(manifest["profiles"])):
            raise NotVerified("a leaf's profile does not fit its outcome")
        rows.put(int.from_bytes(data[51:], "big"), data[16:48], data[50])
        tree.add(leaf_hash(head + data))
    records = manifest["records"]
    if tree.size != records["leaves"] or tree.root().hex() != records["root"]:
        raise NotVerified("the leaves are not the tree of the manifest")
    if rows.seen.count(0):
        raise NotVerified(f"row {rows.seen.index(0) + 1} has no leaf")
    counted = {word: n for word, code in OUTCOMES.items() if (n := rows.outcomes.count(code))}
    if counted != manifest["outcomes"] or sum(counted.values()) != rows.rows:
        raise NotVerified("the leaves do not add up to the manifest's outcomes")
    return rows


@dataclass(frozen=True, slots=True)
class Opening:
    """One row of an exchange, opened. row: of the submission, from 0. line: the released line with its LF; of a withheld row nothing."""

    exchange: str
    row: int
    salt: bytes
    line: bytes

    @property
    def cells(self) -> dict[str, str | None]:
        """Column → what it says; nothing of a withheld row. NotVerified for a line that is no released row."""
        try:
            row = strict_object(self.line.removesuffix(b"\n")) if self.line else {}
        except ValueError:
            raise NotVerified("its line is not a row") from None
        cells = {column: value for column, value in row.items() if value is None or isinstance(value, str)}
        if len(cells) != len(row):
            raise NotVerified("its line is not a row")
        return cells

    def to_json(self) -> bytes:
        return canonical({"exchange": self.exchange, "line": b64encode(self.line).decode(), "row": self.row, "salt": b64encode(self.salt).decode(), "type": OPENING_TYPE})


def read_opening(data: bytes) -> Opening:
    """NotVerified unless it is exactly of that form. Nothing of it is believed yet."""
    try:
        value = strict_object(data)
        exchange, row = value["exchange"], value["row"]
        if not isinstance(exchange, str) or type(row) is not int or value["type"] != OPENING_TYPE or len(value) != 5:
            raise ValueError
        return Opening(exchange, row, read_base64(value["salt"]), read_base64(value["line"]))
    except (ValueError, KeyError):
        raise NotVerified("not an opened record") from None


def open_row(folder: Path, broker: PublicSet, keys: Sequence[AnyKemKey], row: int, exchange: str) -> Opening:
    """One row of a received exchange, once all of it verified. ClientError: there is no such row."""
    manifest = verify_exchange(folder, broker, keys, exchange=exchange).manifest
    rows = verify_leaves(folder / "leaves.bin", manifest)
    if not 0 <= row < rows.rows:
        raise ClientError(f"the exchange has rows 1 to {rows.rows}")
    released = rows.outcomes[row] == RELEASED
    with (folder / "envelope.sng").open("rb") as f:
        opener = open_envelope(f, *keys)
        line = next(islice(_lines(f, opener), rows.outcomes[:row].count(RELEASED), None)) if released else b""
    return Opening(exchange, row, salt_of(opener.extra, row), line)


def check_opening(opening: Opening, rows: _Rows) -> None:
    """NotVerified unless the row's leaves committed to this line."""
    if not 0 <= opening.row < rows.rows or len(opening.salt) != 16:
        raise NotVerified("there is no such row")
    if (rows.outcomes[opening.row] == RELEASED) is not opening.line.endswith(b"\n"):
        raise NotVerified("a released row has a line, a withheld one none")
    _compare(rows, opening.row, opening.salt, opening.line)
    _ = opening.cells  # what is said of it later is of a row


def _check_envelope(path: Path, manifest: Mapping[str, Any]) -> None:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as f:
        while data := f.read(_PIECE):
            digest.update(data)
            size += len(data)
    if digest.hexdigest() != manifest["envelope"]["sha256"] or size != manifest["envelope"]["bytes"]:
        raise NotVerified("the envelope is not the one the manifest names")


def _check_lines(path: Path, manifest: Mapping[str, Any], rows: _Rows, keys: Sequence[AnyKemKey], out: IO[bytes] | None) -> int:
    with path.open("rb") as f:
        try:
            opener = open_envelope(f, *keys)
            core = opener.header.core
            if hashlib.sha256(opener.header.prefix).hexdigest() != manifest["envelope"]["header_sha256"] or _asked(core) != _named(manifest):
                raise NotVerified("the envelope's header is not the one the manifest names")
            if " ".join(opener.header.recipients) != manifest["keys"]["recipient_kem"] or (opener.header.suite == SUITE_X25519) is not (WEAKER in manifest["warnings"]):
                raise NotVerified("the envelope is sealed to other keys than the manifest names, or in another suite")
            salts = Cipher(algorithms.AES(opener.extra), modes.CTR(bytes(16))).encryptor()
            sequence = lines = 0
            for line in _lines(f, opener):
                while sequence < rows.rows and rows.outcomes[sequence] != RELEASED:
                    _compare(rows, sequence, salts.update(bytes(16)), b"")
                    sequence += 1
                if sequence == rows.rows:
                    raise NotVerified("more lines than released rows")
                _compare(rows, sequence, salts.update(bytes(16)), line)
                sequence, lines = sequence + 1, lines + 1
                if out is not None:
                    out.write(line)
            while sequence < rows.rows:
                if rows.outcomes[sequence] == RELEASED:
                    raise NotVerified("fewer lines than released rows")
                _compare(rows, sequence, salts.update(bytes(16)), b"")
                sequence += 1
        except (NotOpened, ValueError):
            raise NotVerified("the envelope does not open with this key, or is damaged") from None
    return lines


def _asked(core: Mapping[str, str | int]) -> tuple[object, ...]:
    return tuple(core[k] for k in ("exchange", "agreement", "dataset", "template", "sender", "recipient", "purpose"))


def _named(manifest: Mapping[str, Any]) -> tuple[object, ...]:
    contract = manifest["contract"]
    return (
        manifest["exchange"], manifest["agreement"]["id"], contract["dataset"], contract["template"], manifest["sender"], manifest["recipient"], manifest["purpose"],
    )  # fmt: skip


def _compare(rows: _Rows, sequence: int, salt: bytes, line: bytes) -> None:
    if hashlib.sha256(salt + line).digest() != rows.commitments[32 * sequence : 32 * sequence + 32]:
        raise NotVerified(f"row {sequence + 1} is not the one committed to")


def _lines(f: IO[bytes], opener: Opener) -> Iterator[bytes]:
    rest = b""
    while True:
        data = f.read(_PIECE)
        rest += opener.update(data) if data else opener.finish()
        *whole, rest = rest.split(b"\n")
        for line in whole:
            yield line + b"\n"
        if not data:
            break
    if rest:
        raise NotVerified("the last line has no end")
