"""Vectors of leaves, envelopes, signatures and submissions, all of one small exchange."""

from __future__ import annotations

import json
import struct
from base64 import b64decode
from typing import TYPE_CHECKING, Any

from cryptography.cobblestone import Cobblestone256Encryptor
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from vector_keys import AGREEMENT, b64, cmac, derive, jcs, kem_key, kid, receipt_key, seed, sha, x25519_key
from vector_merkle import mth

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
    from cryptography.hazmat.primitives.hpke import MLKEM768X25519PublicKey

    Key = tuple[str, MLKEM768X25519PublicKey | X25519PublicKey, bytes]

SUITE = "MLKEM768-X25519/HKDF-SHA256/AES-256-GCM"
SUITES = {"kem": SUITE, "kem-x25519": "X25519/HKDF-SHA256/AES-256-GCM"}
KEMS = {"kem": KEM.MLKEM768_X25519, "kem-x25519": KEM.X25519}
STATEMENT = "application/vnd.sinergi.statement+json"
MANIFEST = "application/vnd.sinergi.manifest+json"
LOW_ORDER = (  # the encodings of points of small order that have no top bit
    "0000000000000000000000000000000000000000000000000000000000000000", "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800", "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
)  # fmt: skip
TIME = "2026-11-21T03:00:00.000Z"

# --- a small exchange, from which leaf.json and recorded/ are made
EXCHANGE = bytes(range(16))
LINES = [b'{"jenis_kelamin":"P","nik":"p1.abc"}\n', None, b'{"jenis_kelamin":null,"nik":"p1.def"}\n', b'{"jenis_kelamin":"L","nik":null}\n', None]
TAGGED = [(0, "1303014107959001", 0, 0), (1, "1303010101909002", 0xFFFF, 0x11), (2, "1303010101909002", 1, 0), (3, None, 0, 0), (4, None, 0xFFFF, 0x12)]


def leaf_vectors() -> dict[str, Any]:
    root = seed("root")
    salt_key, ref_key = derive(root, "sng/salt/v1", EXCHANGE), derive(root, "sng/ref/v1", EXCHANGE)
    tag_key = derive(seed("vault"), "sng/tag/v1", AGREEMENT)
    salts = Cipher(algorithms.AES(salt_key), modes.CTR(bytes(16))).encryptor().update(bytes(16 * len(LINES)))
    encrypt = Cipher(algorithms.AES(ref_key), modes.ECB()).encryptor().update  # noqa: S305 - one block, as leaf.md says
    rows, stored = [], []
    for row, nik, profile, outcome in TAGGED:
        name = nik or (f"rekaman:AK-900{row}" if row == 3 else f"baris:{row}")
        tag = cmac(tag_key, name.encode())
        vault = seed(f"vault id {nik}")[:16] if nik else tag
        salt = salts[16 * row : 16 * row + 16]
        commitment = sha(salt + (LINES[row] or b""))
        leaf = encrypt(vault) + commitment + struct.pack(">HBI", profile, outcome, row)
        stored.append(leaf)
        rows.append({"sequence": row, "named": name, "person": nik is not None, "tag": tag.hex(), "vault_id": vault.hex() if nik else None, "salt": salt.hex(), "line": (LINES[row] or b"").decode(), "profile": profile, "outcome": outcome, "commitment": commitment.hex(), "leaf": (b"\1" + EXCHANGE + leaf).hex()})
    stored.sort(key=lambda s: (s[:16], s[51:]))
    people = {str(row["tag"]): str(row["vault_id"]) for row in rows if row["person"]}
    new = sorted([(seed(f"vault salt {tag}")[:16], bytes.fromhex(tag), bytes.fromhex(people[tag])) for tag in sorted(people)], key=lambda one: sha(b"".join(one)))
    return {
        "what": "leaf.md: rows of a small exchange, their leaves, the stored form of the sorted leaves, and the root; the vault commitments to their people",
        "exchange": EXCHANGE.hex(), "salt_key": salt_key.hex(), "ref_key": ref_key.hex(), "tag_key": tag_key.hex(),
        "rows": rows, "stored": b"".join(stored).hex(), "root": mth([b"\1" + EXCHANGE + s for s in stored]).hex(),
        "vault": {"new": [{"salt": s.hex(), "tag": t.hex(), "vault_id": i.hex(), "commitment": sha(s + t + i).hex()} for s, t, i in new], "root": mth([sha(s + t + i) for s, t, i in new]).hex()},
    }  # fmt: skip


def sealed(core: dict[str, Any], public: MLKEM768X25519PublicKey, raw: bytes, data: bytes, extra: bytes = b"", *, suite: str = SUITE, form: Callable[[Any], bytes] = jcs, **changes: Any) -> bytes:
    return sealed_to(core, [("kem", public, raw)], data, extra, suite=suite, form=form, **changes)


def sealed_to(core: dict[str, Any], keys: list[Key], data: bytes, extra: bytes = b"", *, suite: str | None = None, form: Callable[[Any], bytes] = jcs, **changes: Any) -> bytes:
    key = Cobblestone256Encryptor.generate_key()
    info = b"sng/cek/v1\0" + sha(jcs(core))
    entries = [
        {"kid": kid(purpose, raw), "sealed": b64(Suite(KEMS[purpose], KDF.HKDF_SHA256, AEAD.AES_256_GCM).encrypt(key + extra, public, info=info)), "suite": suite or SUITES[purpose]}
        for purpose, public, raw in keys
    ]
    return streamed(form({**core, "recipients": sorted(entries, key=lambda e: e["kid"]), **changes}), key, data)


def streamed(header: bytes, key: bytes, data: bytes) -> bytes:
    stream = Cobblestone256Encryptor(key, sha(header))
    return b"SNG1" + struct.pack(">I", len(header)) + header + stream.update(data) + stream.finalize()


def core(kind: str) -> dict[str, Any]:
    return {"agreement": AGREEMENT, "content_type": "application/x-ndjson" if kind == "pengungkapan" else "text/csv", "created": TIME, "dataset": "pencari_kerja", "exchange": EXCHANGE.hex(), "kind": kind, "purpose": "perencanaan", "recipient": "siapkerja@kemnaker", "sender": "sijoker@sijunjung", "template": "1.0.0", "v": 1}


def envelope_vectors() -> dict[str, Any]:
    public, raw = kem_key(seed("kem"))
    data = b"".join(line for line in LINES if line)
    good = sealed(core("pengungkapan"), public, raw, data, bytes(range(32)))
    long = bytes(i % 251 for i in range(2 * 16_384))  # two whole chunks: the stream ends with an empty one
    start = 8 + struct.unpack(">I", good[4:8])[0]
    elsewhere = kem_key(seed("another kem"))

    def flip(at: int) -> bytes:
        return good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]

    bad = [
        (flip(0), "not SNG1"), (flip(7), "the header has another length"), (flip(20), "a field of the core header was changed"),
        (flip(good.index(b'"sealed":"') + 40), "the sealed key was changed"), (flip(start), "the stream's salt was changed"), (flip(start + 24), "the stream's commitment was changed"),
        (flip(start + 56), "the first chunk was changed"), (good[:-1], "the last chunk is cut short"), (good[: start + 56], "the last chunk is missing"), (good + b"\0", "a byte after the end"),
        (good[:4], "no header"), (good[:100], "the header is cut short"), (b"SNG1" + struct.pack(">I", 65_536) + bytes(65_536), "a header over 65,535 bytes"),
        (sealed(core("pengungkapan"), *elsewhere, data), "sealed to another key"),
        (sealed(core("pengungkapan"), public, raw, data, suite="X25519/HKDF-SHA256/AES-256-GCM"), "another suite"),
        (sealed(core("pengungkapan"), public, raw, data, note="x"), "an unknown header field"),
        (sealed({k: v for k, v in core("pengungkapan").items() if k != "purpose"}, public, raw, data), "a header field is missing"),
        (sealed(core("pengungkapan"), public, raw, data, form=lambda v: json.dumps(v).encode()), "the header is not canonical JSON"),
        (sealed(core("pengungkapan"), public, raw, data, recipients=[]), "no recipient"),
        (sealed(core("pengungkapan"), public, raw, data, purpose="penempatan"), "the key was sealed for another core header"),
    ]  # fmt: skip
    return {
        "what": "envelope.md, sealed to the KEM key of `seed`",
        "seed": seed("kem").hex(),
        "good": [
            {"envelope": b64(good), "core": core("pengungkapan"), "extra": bytes(range(32)).hex(), "sha256": sha(data).hex(), "bytes": len(data)},
            {"envelope": b64(sealed(core("kiriman"), public, raw, b"")), "core": core("kiriman"), "extra": "", "sha256": sha(b"").hex(), "bytes": 0},
            {"envelope": b64(sealed(core("kiriman"), public, raw, long)), "core": core("kiriman"), "extra": "", "sha256": sha(long).hex(), "bytes": len(long)},
        ],
        "refused": [{"envelope": b64(e), "why": w} for e, w in bad],
    }


def suite_vectors() -> dict[str, Any]:
    """The suite of X25519 alone, and several keys of one recipient."""
    salt_key, disclosed = bytes(range(32)), core("pengungkapan")

    def key(purpose: str, name: str) -> Key:
        return (purpose, *(kem_key if purpose == "kem" else x25519_key)(seed(name)))

    curve, second, hybrid, third = key("kem-x25519", "kem-x25519"), key("kem-x25519", "second kem-x25519"), key("kem", "kem"), key("kem", "second kem")
    long, short = bytes(i % 251 for i in range(16_384 + 500)), b"{}\n"  # two chunks, and one
    good = sealed_to(disclosed, [curve], long, salt_key)
    start = 8 + struct.unpack(">I", good[4:8])[0]
    head, first, last = good[: start + 56], good[start + 56 : start + 16_456], good[start + 16_456 :]
    plain = sealed_to(disclosed, [curve], short, salt_key)
    end = 8 + struct.unpack(">I", plain[4:8])[0]
    header = json.loads(plain[8:end])
    (entry,) = header["recipients"]
    pair = sealed_to(disclosed, [curve, second], short, salt_key)
    pair_end = 8 + struct.unpack(">I", pair[4:8])[0]
    swapped = json.loads(pair[8:pair_end])
    swapped["recipients"] = [{**a, "sealed": b["sealed"]} for a, b in zip(swapped["recipients"], swapped["recipients"][::-1], strict=True)]

    def before(stream: bytes, header: bytes) -> bytes:
        return b"SNG1" + struct.pack(">I", len(header)) + header + stream

    def moved(**to: Any) -> bytes:
        return before(plain[end:], jcs({**header, **to}))

    def with_point(point: bytes) -> bytes:
        return moved(recipients=[{**entry, "sealed": b64(point + b64decode(entry["sealed"])[32:])}])

    bad = [
        (good[:-1], "the last chunk is cut short"), (head + first, "the last chunk is missing"), (head + last, "the first chunk is missing"), (head + last + first, "the chunks changed places"),
        (good + last, "the last chunk stands twice"), (good + b"\0", "a byte after the end"), (head + first[:-1] + bytes([first[-1] ^ 1]) + last, "the first chunk was changed"),
        (plain[:end] + sealed_to(disclosed, [curve], short, salt_key)[end:], "the stream of another envelope"),
        (moved(exchange="11" * 16), "moved to another exchange"), (moved(recipient="sibuser@binjai"), "moved to another recipient"),
        (moved(recipients=[{**entry, "kid": kid("kem-x25519", second[2])}]), "another key's id"), (moved(recipients=[entry, entry]), "a key stands twice"),
        (before(plain[end:], plain[8:end].replace(b'"recipient":', b'"recipient":"sibuser@binjai","recipient":')), "a field stands twice in the header"),
        (before(pair[pair_end:], jcs(swapped)), "the sealed secrets changed places"), (before(pair[pair_end:], jcs({**swapped, "recipients": json.loads(pair[8:pair_end])["recipients"][::-1]})), "the recipients are not sorted"),
        (sealed_to(disclosed, [curve], short, salt_key, suite="P-256/HKDF-SHA256/AES-256-GCM"), "an unknown suite"), (sealed_to(disclosed, [curve], short, salt_key, suite=SUITE), "a suite the key is not of"),
        (sealed_to(disclosed, [hybrid], short, salt_key), "sealed to a key of another suite"), (sealed_to(disclosed, [curve, hybrid], short, salt_key), "keys of two suites"),
        (sealed_to(disclosed, [second], short, salt_key), "sealed to another key"), (sealed_to(disclosed, [curve], short), "a disclosure without its salt key"),
        *((with_point(bytes.fromhex(point)), f"a point of low order: {point}") for point in LOW_ORDER),
    ]  # fmt: skip
    several = sealed_to(disclosed, [hybrid, third], short, salt_key)
    cases = [
        ("kem-x25519", "kem-x25519", good, long), ("kem-x25519", "kem-x25519", sealed_to(disclosed, [curve], b"", salt_key), b""),
        ("kem-x25519", "kem-x25519", sealed_to(disclosed, [curve], long[:16_384], salt_key), long[:16_384]),
        ("kem-x25519", "kem-x25519", pair, short), ("kem-x25519", "second kem-x25519", pair, short), ("kem", "kem", several, short), ("kem", "second kem", several, short),
    ]  # fmt: skip
    return {
        "what": "envelope.md: X25519 alone, and several keys of one recipient; each of `good` opens by the key of `purpose` made of `seed`, none of `refused` by the one at the top",
        "purpose": "kem-x25519", "seed": seed("kem-x25519").hex(),
        "good": [
            {"purpose": purpose, "seed": seed(name).hex(), "envelope": b64(e), "core": disclosed, "extra": salt_key.hex(), "sha256": sha(data).hex(), "bytes": len(data)}
            for purpose, name, e, data in cases
        ],
        "refused": [{"envelope": b64(e), "why": w} for e, w in bad],
    }  # fmt: skip


def dsse(kind: str, payload: bytes, secret: bytes, *, signed_as: str | None = None, only: int | None = None) -> dict[str, Any]:
    classic, post_quantum, public = receipt_key(secret)
    name = (signed_as or kind).encode()
    message = b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)
    key_id = kid("receipt", public)
    signatures = [{"keyid": key_id, "sig": b64(classic.sign(message))}, {"keyid": f"{key_id}#ml-dsa-65", "sig": b64(post_quantum.sign(message))}]
    return {"payload": b64(payload), "payloadType": kind, "signatures": signatures if only is None else [signatures[only]]}


def dsse_vectors() -> dict[str, Any]:
    payload, secret = b'{"type":"sinergi/exchange/v1"}', seed("receipt")
    good = dsse(MANIFEST, payload, secret)
    other = dsse(MANIFEST, payload, seed("another receipt"))
    both = {**good, "signatures": [*other["signatures"], *good["signatures"]]}
    swapped = {**good, "signatures": [{**a, "sig": b["sig"]} for a, b in zip(good["signatures"], good["signatures"][::-1], strict=True)]}
    bad = [
        (jcs({**good, "payload": b64(payload + b" ")}), "the payload was changed"), (jcs({**good, "payloadType": STATEMENT}), "the type was changed"),
        (jcs(dsse(STATEMENT, payload, secret)), "a statement is no receipt"), (jcs(dsse(MANIFEST, payload, secret, signed_as=STATEMENT)), "signed as another type"),
        (jcs(dsse(MANIFEST, payload, secret, only=0)), "the ML-DSA-65 signature is missing"), (jcs(dsse(MANIFEST, payload, secret, only=1)), "the Ed25519 signature is missing"),
        (jcs(swapped), "the signatures are exchanged"), (jcs(other), "signed by another key"), (jcs({**good, "signatures": []}), "not signed"),
        (jcs({**good, "note": ""}), "an unknown field"), (json.dumps(good).encode(), "not canonical JSON"), (jcs(good)[:-1], "cut short"), (b"[]", "not an object"),
    ]  # fmt: skip
    return {
        "what": "receipt.md, signed by the receipt key of `seed`, of type `type`",
        "seed": secret.hex(), "type": MANIFEST,
        "good": [{"dsse": jcs(v).decode(), "payload": payload.decode()} for v in (good, both)],
        "refused": [{"dsse": d.decode(), "why": w} for d, w in bad],
    }  # fmt: skip


def submission_vectors() -> dict[str, Any]:
    public, raw = kem_key(seed("kem"))
    data = b"nik,nama_lengkap\n"
    envelope = sealed(core("kiriman"), public, raw, data)
    asked = {k: v for k, v in core("kiriman").items() if k not in ("exchange", "kind", "v")}
    statement = jcs({**asked, "basis": None, "envelope_sha256": sha(envelope).hex(), "type": "sinergi/statement/v1"})
    signed = jcs(dsse(STATEMENT, statement, seed("receipt")))
    good = b"SNGS" + struct.pack(">I", len(signed)) + signed + envelope
    bad = [
        (b"SNG1" + good[4:], "not SNGS"), (good[:8], "no statement"), (good[:200], "the statement is cut short"), (b"SNGS" + bytes(4) + good[8:], "a statement of no bytes"),
        (b"SNGS" + struct.pack(">I", 65_536) + bytes(65_536), "a statement over 65,535 bytes"), (b"SNGS" + struct.pack(">I", 2) + b"{}" + envelope, "the statement is no DSSE"), (b"", "nothing"),
    ]  # fmt: skip
    return {
        "what": "submission.md, signed by the receipt key of `receipt_seed`, sealed to the KEM key of `kem_seed`",
        "receipt_seed": seed("receipt").hex(), "kem_seed": seed("kem").hex(),
        "good": [{"submission": b64(good), "statement": statement.decode(), "plaintext": data.decode()}],
        "refused": [{"submission": b64(s), "why": w} for s, w in bad],
    }  # fmt: skip
