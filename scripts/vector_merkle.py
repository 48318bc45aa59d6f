"""Vectors of Merkle roots and proofs: the same kinds of cases as the public transparency-dev/merkle set, over entries of our own."""

from __future__ import annotations

import random
from typing import Any

from vector_keys import b64, sha


# --- Merkle, the recursion of RFC 6962 section 2.1 word for word
def mth(entries: list[bytes]) -> bytes:
    if len(entries) < 2:
        return sha(b"\0" + entries[0]) if entries else sha(b"")
    k = 1 << (len(entries) - 1).bit_length() - 1
    return sha(b"\1" + mth(entries[:k]) + mth(entries[k:]))


def path(m: int, entries: list[bytes]) -> list[bytes]:
    if len(entries) == 1:
        return []
    k = 1 << (len(entries) - 1).bit_length() - 1
    return [*path(m, entries[:k]), mth(entries[k:])] if m < k else [*path(m - k, entries[k:]), mth(entries[:k])]


def subproof(m: int, entries: list[bytes], whole: bool = True) -> list[bytes]:
    if m == len(entries):
        return [] if whole else [mth(entries)]
    k = 1 << (len(entries) - 1).bit_length() - 1
    if m <= k:
        return [*subproof(m, entries[:k], whole), mth(entries[k:])]
    return [*subproof(m - k, entries[k:], False), mth(entries[:k])]


def flipped(h: bytes) -> bytes:
    return bytes([h[0] ^ 8]) + h[1:]


def cut(proof: list[bytes]) -> list[tuple[str, str, list[bytes]]]:
    """Every way of losing or changing one hash of a proof."""
    changed = [(f"proof[{i}] bit flipped", "a hash of the proof is not the tree's", [*proof[:i], flipped(proof[i]), *proof[i + 1 :]]) for i in range(len(proof))]
    return changed + [(f"proof[{i}] left out", "the proof is too short", proof[:i] + proof[i + 1 :]) for i in range(len(proof))]


def grown(proof: list[bytes], **extra: bytes) -> list[tuple[str, str, list[bytes]]]:
    after = [(f"{word} appended", "the proof is too long", [*proof, h]) for word, h in extra.items()]
    return after + [(f"{word} prepended", "the proof does not begin so", [h, *proof]) for word, h in extra.items()]


def put_in(proof: list[bytes]) -> list[tuple[str, str, list[bytes]]]:
    """A hash, or bytes that are none, in every gap of a proof."""
    more = {"zeros": bytes(32), "garbage": b"garbage", "the hash before": b""}
    return [
        (f"{word} after proof[{i}]", "the proof is too long", [*proof[: i + 1], proof[i] if word.startswith("the") else h, *proof[i + 1 :]])
        for i in range(len(proof) - 1)
        for word, h in more.items()
    ]


def resized(old: int, new: int, length: int) -> list[tuple[int, int]]:
    """Other sizes whose proof has another length than `length`."""
    others = [(m, new) for m in (old - 1, old + 1, old ^ 2, old * 2, old // 2)] + [(old, n) for n in (new - 1, new + 1, new ^ 2, new * 2, new // 2)]
    return [(m, n) for m, n in dict.fromkeys(others) if 0 < m <= n and (m, n) != (old, new) and len(subproof(m, [b""] * n)) != length]


def inclusion_case(name: str, why: str | None, index: int, size: int, leaf: bytes, proof: list[bytes], root: bytes) -> dict[str, Any]:
    case = {"name": name, "index": index, "size": size, "leaf": b64(leaf), "proof": [b64(p) for p in proof], "root": b64(root)}
    return case if why is None else {**case, "why": why}


def consistency_case(name: str, why: str | None, old: int, new: int, old_root: bytes, new_root: bytes, proof: list[bytes]) -> dict[str, Any]:
    case = {"name": name, "old": old, "new": new, "old_root": b64(old_root), "new_root": b64(new_root), "proof": [b64(p) for p in proof]}
    return case if why is None else {**case, "why": why}


def inclusion_vectors(entries: list[bytes]) -> list[dict[str, Any]]:
    cases = []
    for index, size in ((0, 1), (0, 8), (5, 8), (2, 3), (1, 5), (4, 5), (6, 7), (0, 2), (255, 256), (256, 257), (130, 300), (299, 300)):
        leaf, proof, root = sha(b"\0" + entries[index]), path(index, entries[:size]), mth(entries[:size])
        of = f"{index} of {size}"
        cases.append(inclusion_case(of, None, index, size, leaf, proof, root))
        for what, why, bad in cut(proof) + grown(proof, empty=b"", root=root, leaf=leaf, zeros=bytes(32), garbage=b"garbage") + put_in(proof):
            cases.append(inclusion_case(f"{of}, {what}", why, index, size, leaf, bad, root))
        cases += [inclusion_case(f"{of}, index {wrong}", "the entry is elsewhere", wrong, size, leaf, proof, root) for wrong in sorted({index - 1, index ^ 1, index ^ 2, index + size, size} - {index})]
        other = [n for n in (index, -size, size + 1, 2 * size) if n <= index or len(path(index, [b""] * n)) != len(proof)]
        cases += [inclusion_case(f"{of}, size {wrong}", "the tree has another size", index, wrong, leaf, proof, root) for wrong in other]
        cases += [
            inclusion_case(f"{of}, leaf bit flipped", "another entry", index, size, flipped(leaf), proof, root),
            inclusion_case(f"{of}, root bit flipped", "another tree", index, size, leaf, proof, flipped(root)),
            inclusion_case(f"{of}, empty leaf hash", "a hash has 32 bytes", index, size, b"", proof, root),
            inclusion_case(f"{of}, short leaf hash", "a hash has 32 bytes", index, size, leaf[:31], proof, root),
            inclusion_case(f"{of}, short root", "a hash has 32 bytes", index, size, leaf, proof, root[:16]),
            inclusion_case(f"{of}, empty root", "a hash has 32 bytes", index, size, leaf, proof, b""),
        ]
    empty, leaf = sha(b""), sha(b"\0" + entries[0])
    return [
        *cases,
        inclusion_case("empty tree", "size 0 holds no entry", 0, 0, leaf, [], empty),
        inclusion_case("1 of 1, the same short leaf and root", "a hash has 32 bytes", 0, 1, leaf[:31], [], leaf[:31]),
        inclusion_case("empty tree, everything empty", "size 0 holds no entry", 0, 0, b"", [], empty),
    ]


def consistency_vectors(entries: list[bytes]) -> list[dict[str, Any]]:
    cases = []
    for old, new in ((1, 1), (1, 2), (1, 8), (2, 5), (3, 7), (4, 8), (6, 8), (7, 8), (8, 9), (128, 256), (130, 257), (255, 300), (300, 300)):
        proof, a, b = subproof(old, entries[:new]), mth(entries[:old]), mth(entries[:new])
        of = f"{old} to {new}"
        cases.append(consistency_case(of, None, old, new, a, b, proof))
        for what, why, bad in cut(proof) + grown(proof, empty=b"", old_root=a, new_root=b, zeros=bytes(32), garbage=b"garbage") + put_in(proof):
            cases.append(consistency_case(f"{of}, {what}", why, old, new, a, b, bad))
        cases += [consistency_case(f"{of}, as {m} to {n}", "the logs have other sizes", m, n, a, b, proof) for m, n in resized(old, new, len(proof))]
        if proof:
            cases.append(consistency_case(f"{of}, no proof", "a longer log needs a proof", old, new, a, b, []))
            cases.append(consistency_case(f"{of}, roots exchanged", "the logs are the other way round", old, new, b, a, proof))
        cases += [
            consistency_case(f"{of}, old root bit flipped", "the old log was another", old, new, flipped(a), b, proof),
            consistency_case(f"{of}, new root bit flipped", "the new log is another", old, new, a, flipped(b), proof),
            consistency_case(f"{of}, old size 0", "every log contains the empty one: that proves nothing", 0, new, a, b, proof),
            consistency_case(f"{of}, old size {new + 1}", "the log has shrunk", new + 1, new, a, b, proof),
            consistency_case(f"{of}, short old root", "a hash has 32 bytes", old, new, a[:31], b, proof),
            consistency_case(f"{of}, empty new root", "a hash has 32 bytes", old, new, a, b"", proof),
        ]
    empty = sha(b"")
    return [
        *cases,
        consistency_case("equal sizes, unequal roots", "the log was rewritten", 8, 8, mth(entries[:8]), mth(entries[1:9]), []),
        consistency_case("equal sizes, the same short roots", "a hash has 32 bytes", 8, 8, empty[:12], empty[:12], []),
        consistency_case("0 to 0", "size 0 proves nothing", 0, 0, empty, empty, []),
        consistency_case("0 to 0, unequal roots", "size 0 proves nothing", 0, 0, empty, mth(entries[:1]), []),
        consistency_case("0 to 0, a proof", "size 0 proves nothing", 0, 0, empty, empty, [empty]),
        consistency_case("0 to 8 from the empty root", "size 0 proves nothing", 0, 8, empty, mth(entries[:8]), []),
    ]


def merkle_vectors() -> dict[str, Any]:
    rng = random.Random(6962)
    entries = [rng.randbytes(rng.randrange(40)) for _ in range(300)]
    return {
        "what": "log.md: a case with `why` is refused",
        "entries": [b64(e) for e in entries],
        "roots": [{"size": n, "root": b64(mth(entries[:n]))} for n in (0, 1, 2, 3, 4, 5, 7, 8, 255, 256, 257, 300)],
        "inclusion": inclusion_vectors(entries),
        "consistency": consistency_vectors(entries),
    }
