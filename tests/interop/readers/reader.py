"""A stranger's reader of a log: tlog-scales alone. One JSON case a line in, "ok" or an error a line out."""

from __future__ import annotations

import json
import sys
from base64 import b64decode
from importlib import import_module
from pathlib import Path
from typing import Any

backend, tiles, reading, signing, tlog = (import_module(f"tlog_scales.{name}") for name in ("backend", "tiles", "reader", "signing", "tlog"))


def check(case: dict[str, Any]) -> None:
    key = signing.Vkey.from_string(case["Vkey"])
    reader = reading.TilesReader(backend.LocalBackend(Path(case["Folder"])))
    head = reader.get_checkpoint()
    signed(head, key)
    for record in case["Records"]:
        entry = tiles.leaf_hash(reader.get_entry(record["Index"]))
        given = [b64decode(h) for h in record["Path"]]
        tlog.InclusionProof(record["Index"], head.size, given).check(entry, head.root_hash)
        same(given, reader.get_inclusion_proof(record["Index"], head.size).node_hashes)
    old = tlog.Checkpoint.from_text(case["Old"])
    signed(old, key)
    given = [b64decode(h) for h in case["Consistency"]]
    tlog.ConsistencyProof(old.size, head.size, given).check(old.root_hash, head.root_hash)
    same(given, reader.get_consistency_proof(old.size, head.size).node_hashes)


def signed(checkpoint: Any, key: Any) -> None:
    checkpoint.verify(key)
    if checkpoint.origin != key.name:
        raise ValueError("not a checkpoint of this log")


def same(given: list[bytes], proof: list[bytes]) -> None:
    if given != proof:
        raise ValueError("the proof is not the one of the tiles")


for line in sys.stdin:
    try:
        check(json.loads(line))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a refusal
        print(json.dumps(f"{type(error).__name__}: {error}"))
    else:
        print("ok")
