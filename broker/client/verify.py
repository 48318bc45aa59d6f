"""Offline verification of a received exchange: standard library and `cryptography` only, no network, no trust in the broker's word.

What it proves: the broker signed this manifest for this agreement; the manifest is in the agreement's log under a signed checkpoint; the
envelope is the one the manifest names; every leaf is in the manifest's tree; every released line is the one committed to, in order, and
every withheld row committed to nothing.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from broker.envelope import open_envelope, read_dsse, verify_dsse
from broker.envelope.dsse import MANIFEST
from broker.errors import NotOpened, NotVerified
from broker.jcs import strict_object
from broker.keys import LogPublic, ReceiptPublic
from broker.ledger import RELEASED, leaf_hash, read_checkpoint, root_of, verify_inclusion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from broker.envelope import Opener
    from broker.keys import KemKey, PublicSet
    from broker.ledger import Checkpoint

STORED: Final = 55  # bytes of a leaf without its constant head: ref 16 | commitment 32 | profile 2 | outcome 1 | sequence 4
_PIECE: Final = 256 << 10


@dataclass(frozen=True, slots=True)
class Verified:
    """What held. manifest: its fields. checkpoint: the signed head it is under. signers: whose receipts are there."""

    manifest: Mapping[str, Any]
    manifest_bytes: bytes
    checkpoint: Checkpoint
    index: int
    signers: tuple[str, ...]
    leaves: int
    lines: int


def verify_exchange(folder: Path, broker: PublicSet, key: KemKey | None, plaintext: IO[bytes] | None = None) -> Verified:
    """Checks the files `envelope.sng`, `leaves.bin` and `proof.json` of an exchange. NotVerified says what does not hold.

    key: the recipient's; without it the lines stay closed and only the ledger is checked. plaintext: receives the released lines; they
    are final only once this function has returned.
    """
    try:
        proof = json.loads((folder / "proof.json").read_bytes())
        data = b64decode(proof["manifest"], validate=True)
        manifest: dict[str, Any] = strict_object(data)
        index, log, note = int(proof["index"]), str(proof["log"]), str(proof["checkpoint"])
        path = [b64decode(h, validate=True) for h in proof["inclusion"]]
        receipts = {signer: json.dumps(d, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() for signer, d in proof["receipts"].items()}
        agreement = manifest["agreement"]["id"]
        if log != agreement or manifest["type"] != "sinergi/exchange/v1" or proof["exchange"] != manifest["exchange"]:
            raise NotVerified("the manifest belongs to another log or exchange")
        signed = receipts["broker"]
    except (ValueError, KeyError, TypeError):
        raise NotVerified("the proof file is malformed") from None
    if verify_dsse(read_dsse(signed), MANIFEST, broker.get(ReceiptPublic, "receipt", agreement)) != data:
        raise NotVerified("the broker signed another manifest")
    checkpoint = read_checkpoint(note, f"sinergi/{log}", broker.get(LogPublic, "log", agreement))
    verify_inclusion(index, checkpoint.size, leaf_hash(data), path, checkpoint.root)
    rows = _Rows(manifest["records"]["rows"])
    leaves = _check_leaves(folder / "leaves.bin", manifest, rows)
    _check_envelope(folder / "envelope.sng", manifest)
    lines = _check_lines(folder / "envelope.sng", manifest, rows, key, plaintext) if key is not None else 0
    return Verified(manifest, data, checkpoint, index, tuple(sorted(receipts)), leaves, lines)


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


def _check_leaves(path: Path, manifest: Mapping[str, Any], rows: _Rows) -> int:
    head = b"\1" + bytes.fromhex(manifest["exchange"])
    blocks: list[bytes] = []
    hashes: list[bytes] = []
    last, count = b"", 0
    with path.open("rb") as f:
        while data := f.read(STORED):
            if len(data) != STORED or data[:16] < last:
                raise NotVerified("the leaves are cut short or out of order")
            last = data[:16]
            rows.put(int.from_bytes(data[51:], "big"), data[16:48], data[50])
            hashes.append(leaf_hash(head + data))
            count += 1
            if len(hashes) == 16_384:
                blocks.append(root_of(hashes))
                hashes = []
    if hashes:
        blocks.append(root_of(hashes))
    records = manifest["records"]
    if count != records["leaves"] or root_of(blocks).hex() != records["root"]:
        raise NotVerified("the leaves are not the tree of the manifest")
    if rows.seen.count(0):
        raise NotVerified(f"row {rows.seen.index(0) + 1} has no leaf")
    if rows.outcomes.count(RELEASED) != manifest["outcomes"].get("terkirim", 0):
        raise NotVerified("the leaves do not add up to the manifest's outcomes")
    return count


def _check_envelope(path: Path, manifest: Mapping[str, Any]) -> None:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as f:
        while data := f.read(_PIECE):
            digest.update(data)
            size += len(data)
    if digest.hexdigest() != manifest["envelope"]["sha256"] or size != manifest["envelope"]["bytes"]:
        raise NotVerified("the envelope is not the one the manifest names")


def _check_lines(path: Path, manifest: Mapping[str, Any], rows: _Rows, key: KemKey, out: IO[bytes] | None) -> int:
    with path.open("rb") as f:
        try:
            opener = open_envelope(f, key)
            core = opener.header.core
            if hashlib.sha256(opener.header.prefix).hexdigest() != manifest["envelope"]["header_sha256"] or core["exchange"] != manifest["exchange"]:
                raise NotVerified("the envelope's header is not the one the manifest names")
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
