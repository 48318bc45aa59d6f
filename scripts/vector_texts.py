"""Vectors of canonical JSON, keys, pseudonyms, checkpoints, requests and treatments."""

from __future__ import annotations

import hashlib
import random
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any

from vector_keys import AGREEMENT, b64, cmac, derive, ed25519, ff1, ff1_digits, jcs, kem_key, kid, receipt_key, seed, sha, x25519_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

NOW = 1_795_230_000  # 2026-11-21T03:00:00Z


def jcs_vectors() -> dict[str, Any]:
    values: list[Any] = [{}, {"b": 1, "a": [True, False, None]}, {"a": 'é\u2028"\\\n\t\u0001/\u007f'}, {"A": 0, "a": -1, "_": 2**53}, {"x": {"z": [], "y": {}}}, ["Kab. Sijunjung", "🌾"]]
    return {
        "what": "README.md, JSON: `canonical` is the only form of `value`; each of `refused` is no canonical object",
        "canonical": [{"value": v, "canonical": jcs(v).decode()} for v in values],
        "refused": [
            {"text": t, "why": w}
            for t, w in (
                ('{"b":1,"a":2}', "keys are not sorted"),
                ('{"a": 1}', "a space"),
                ('{"a":1}\n', "a line end after it"),
                ('{"a":1,"a":1}', "a key stands twice"),
                ('{"a":1.0}', "a float"),
                ('{"a":1e2}', "an exponent"),
                ('{"a":9007199254740993}', "an integer beyond 2**53"),
                ('{"a":-0}', "minus zero"),
                ('{"a":NaN}', "not JSON"),
                ('{"a":Infinity}', "not JSON"),
                ('{"a":"\\u0041"}', "an escape that is not needed"),
                ('{"a":"\\/"}', "an escape that is not needed"),
                ('{"a":"\\ud800"}', "half a surrogate pair"),
                ('{"é":1}', "a key outside ASCII"),
                ("[1]", "not an object"),
                ("", "nothing"),
            )
        ],
    }


def key_vectors() -> dict[str, Any]:
    root, exchange = seed("root"), bytes(range(16))
    inputs: list[tuple[str, list[str | bytes]]] = [
        ("sng/pseudo/v1", [AGREEMENT, "sijunjung", "kemnaker", "orang", "perencanaan", "1"]),
        ("sng/ref/v1", [exchange]),
        ("sng/salt/v1", [exchange]),
        ("sng/ref/v1", [exchange, seed("secret")]),
        ("sng/salt/v1", [exchange, seed("secret")]),
        ("sng/tag/v1", [AGREEMENT]),
        ("sng/tag/v1", ["a", "bc"]),
        ("sng/tag/v1", ["ab", "c"]),
    ]
    public = {"request": ed25519(seed("request"))[1], "receipt": receipt_key(seed("receipt"))[2], "kem": kem_key(seed("kem"))[1], "log": ed25519(seed("log"))[1], "kem-x25519": x25519_key(seed("kem-x25519"))[1]}
    listed = [{"kid": kid(p, raw), "public": b64(raw), "purpose": p, "scope": ""} for p, raw in sorted(public.items())]
    whole = jcs({"keys": listed, "owner": "sijoker@sijunjung", "type": "sinergi/public-keys/v1"}).decode()
    return {
        "what": "keys.md: derivations; public keys and key ids of seeds; a public key file; a file of `refused` is none",
        "derive": [{"root": root.hex(), "label": label, "parts": [(p.encode() if isinstance(p, str) else p).hex() for p in parts], "key": derive(root, label, *parts).hex()} for label, parts in inputs],
        "public": [{"purpose": p, "seed": seed(p).hex(), "public": b64(raw), "kid": kid(p, raw)} for p, raw in public.items()],
        "file": {"text": whole, "sha256": sha(whole.encode()).hex()},
        "refused": [
            {"text": whole.replace("sinergi/public-keys/v1", "sinergi/public-keys/v2"), "why": "another type"},
            {"text": whole.replace(kid("log", public["log"]), kid("kem", public["log"])), "why": "a key id that is not the key's"},
            {"text": whole.replace('"purpose":"log"', '"purpose":"request"'), "why": "a key under another purpose"},
            {"text": whole.replace('"scope":""', '"scope":"","note":""', 1), "why": "an unknown field"},
            {"text": whole + "\n", "why": "not the canonical form"},
            {"text": jcs({"keys": listed[::-1], "owner": "sijoker@sijunjung", "type": "sinergi/public-keys/v1"}).decode(), "why": "keys are not sorted"},
        ],
    }


def cmac_vectors() -> dict[str, Any]:
    key = seed("cmac")
    texts = ["", "1", "1303014107959001", "1303014107959002", "x" * 15, "x" * 17, "x" * 32, "x" * 33, "paspor:C1234567", "rekaman:é–🌾", "y" * 100]
    return {
        "what": "leaf.md and pseudonym.md: AES-256-CMAC of UTF-8 text",
        "key": key.hex(),
        "tags": [{"text": t, "tag": cmac(key, t.encode()).hex()} for t in texts],
    }


def pseudonym_vectors() -> dict[str, Any]:
    root = seed("root")
    base = {"agreement": AGREEMENT, "sender": "sijunjung", "recipient": "kemnaker", "entity": "orang", "purpose": "perencanaan", "epoch": 1}
    domains = [base, *({**base, k: v} for k, v in (("agreement", "nk-binjai-2025"), ("sender", "binjai"), ("recipient", "sijunjung"), ("entity", "badan"), ("purpose", "penempatan"), ("epoch", 12)))]
    values = ["1303014107959001", "1303014107959002", "C1234567", "+6281200009001", "orang@example.com"]

    def tokens(domain: dict[str, Any]) -> list[str]:
        key = derive(root, "sng/pseudo/v1", *(str(domain[k]) for k in ("agreement", "sender", "recipient", "entity", "purpose", "epoch")))
        return [f"p{domain['epoch']}." + urlsafe_b64encode(cmac(key, v.encode())).rstrip(b"=").decode() for v in values]

    key = derive(derive(root, "sng/pseudo/v1", *map(str, base.values())), "sng/ff1/v1")
    niks = ["1303014107959001", "1303014107959002", "1101010101000001", "9999997112999999", "1000004112019001"]
    phones = ["+6281200009001", "+628123456", "+628123456789012"]
    return {
        "what": "pseudonym.md: the same values in domains that differ in one word each; no token may stand in two domains; then level 4 in the first domain, and what becomes a token there",
        "root": root.hex(),
        "values": values,
        "domains": [{**d, "tokens": tokens(d)} for d in domains],
        "marked": [{"nik": nik, "marked": "0" + ff1_digits(key, b"nik", f"{nik_rank(nik):015}")} for nik in niks],
        "marked_phones": [{"phone": phone, "marked": "+621" + ff1_digits(key, b"phone", phone[4:])} for phone in phones],
        "unmarked": ["1303014107950000", "1303013207959001", "1303010007959001", "1303014013959001", "1303010101959001 ", "+303014107959001", "0303014107959001", "130301410795900", "C1234567"],
        "unmarked_phones": ["+62812345", "+6221500900", "+14155550123", "081200009001", "+6281234567890123"],
    }


def nik_rank(nik: str) -> int:
    day = int(nik[6:8])
    return (((int(nik[:6]) * 62 + day - (1 if day <= 31 else 10)) * 12 + int(nik[8:10]) - 1) * 100 + int(nik[10:12])) * 10**4 + int(nik[12:])


# SP 800-38G, the sample file of FF1: key, tweak, radix, numerals, result. The reference that writes our vectors is held against them.
FF1_SAMPLES = [
    ("2B7E151628AED2A6ABF7158809CF4F3C", "", 10, "0123456789", "2433477484"),
    ("2B7E151628AED2A6ABF7158809CF4F3C", "39383736353433323130", 10, "0123456789", "6124200773"),
    ("2B7E151628AED2A6ABF7158809CF4F3C", "3737373770717273373737", 36, "0123456789abcdefghi", "a9tv40mll9kdu509eum"),
    ("2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F", "", 10, "0123456789", "2830668132"),
    ("2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F", "39383736353433323130", 10, "0123456789", "2496655549"),
    ("2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F", "3737373770717273373737", 36, "0123456789abcdefghi", "xbj3kv35jrawxv32ysr"),
    ("2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94", "", 10, "0123456789", "6657667009"),
    ("2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94", "39383736353433323130", 10, "0123456789", "1001623463"),
    ("2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94", "3737373770717273373737", 36, "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"),
]


def ff1_vectors() -> dict[str, Any]:
    """Samples of NIST that are of radix 10, then seeded ones: every length, keys of 256 bits, tweaks of lengths about a block's."""
    for key, tweak, radix, numerals, result in FF1_SAMPLES:
        if ff1(bytes.fromhex(key), bytes.fromhex(tweak), radix, [int(c, 36) for c in numerals]) != [int(c, 36) for c in result]:
            raise SystemExit("the reference is not FF1")
    cases = [{"key": key, "tweak": tweak, "digits": numerals, "result": result, "source": "NIST SP 800-38G"} for key, tweak, radix, numerals, result in FF1_SAMPLES if radix == 10]
    draw = random.Random("sinergi vector ff1")
    for n in range(6, 19):
        texts = ["0" * n, "9" * n, *("".join(draw.choices("0123456789", k=n)) for _ in range(5))]
        for length, digits in zip((0, 0, 0, 8, 11, 12, 27), texts, strict=True):
            secret, told = draw.randbytes(32), draw.randbytes(length)
            cases.append({"key": secret.hex(), "tweak": told.hex(), "digits": digits, "result": ff1_digits(secret, told, digits), "source": "seeded"})
    return {"what": "pseudonym.md: FF1 with AES, radix 10; `digits` enciphered give `result`, and back", "cases": cases}


def checkpoint_vectors() -> dict[str, Any]:
    private, public = ed25519(seed("log"))
    other, other_public = ed25519(seed("other log"))
    origin, root = f"sinergi/{AGREEMENT}", sha(b"root")

    def line(name: str, key: Ed25519PrivateKey, raw: bytes, body: str) -> str:
        key_id = sha(name.encode() + b"\n\1" + raw)[:4]
        return f"— {name} {b64(key_id + key.sign(body.encode()))}\n"

    def body(o: str = origin, size: str = "42", r: str = b64(root)) -> str:
        return f"{o}\n{size}\n{r}\n"

    def note(b: str) -> str:
        return b + "\n" + line(origin, private, public, b)

    good = note(body())
    witness = line("witness.example.com", other, other_public, body())
    signature = good.rpartition(" ")[2]
    bad = [
        (good.replace("42", "43"), "the size is not the one signed"),
        (good.replace(b64(root), b64(sha(b"other"))), "the root is not the one signed"),
        (note(body(o="sinergi/nk-binjai-2025")), "another log's origin"),
        (body() + "\n" + witness, "signed by a witness only"),
        (body() + "\n" + line(origin, other, other_public, body()), "signed by another key under the log's name"),
        (body() + "\n", "no signature"),
        (body(), "no blank line"),
        (good[:-1], "no line end after the signature"),
        (good.replace("— ", "- "), "a hyphen for the em dash"),
        (note(body(size="042")), "a size with a leading zero"),
        (note(body(size="-1")), "a size below zero"),
        (note(body(r=b64(root)[:-1])), "a root that is not base64 of 32 bytes"),
        (note(body() + "extension\n"), "a line after the root"),
        (good.replace("\n\n", "\n\n\n"), "an empty signature line"),
        (good.replace(signature, signature[:-6] + "\n"), "a signature that is cut short"),
        (good.replace(signature, signature[:-1] + "A=\n"), "a signature line that is not base64"),
        (good.replace(signature[-3:], chr(ord(signature[-3]) + 1) + "=\n"), "unused bits of the signature's base64 are set"),
        (good.replace("\n", "\r\n"), "CRLF"),
        ("", "nothing"),
    ]
    empty = note(body(size="0", r=b64(sha(b""))))
    return {
        "what": "log.md, checkpoints",
        "seed": seed("log").hex(), "origin": origin,
        "good": [
            {"note": good, "size": 42, "root": root.hex()},
            {"note": body() + "\n" + witness + line(origin, private, public, body()), "size": 42, "root": root.hex()},
            {"note": empty, "size": 0, "root": sha(b"").hex()},
        ],
        "refused": [{"note": n, "why": w} for n, w in bad],
    }  # fmt: skip


def request_vectors() -> dict[str, Any]:
    private, public = ed25519(seed("request"))
    url, key_id = "https://sinergi.example.org/v1/exchanges", kid("request", public)
    body = b"SNGS body"

    def signed(method: str, target: str, headers: dict[str, str], covered: list[str], *, created: int = NOW, tag: str = "sinergi", nonce: str = "bm9uY2Ugb2YgYSB2ZWN0b3I", key: str = key_id) -> dict[str, str]:
        params = f'({" ".join(f"{chr(34)}{c}{chr(34)}" for c in covered)});created={created};keyid="{key}";alg="ed25519";nonce="{nonce}";tag="{tag}"'
        value = {"@method": method, "@target-uri": target, **headers}
        base = "".join(f'"{c}": {value[c]}\n' for c in covered) + f'"@signature-params": {params}'
        return {**headers, "signature-input": f"sinergi={params}", "signature": f"sinergi=:{b64(private.sign(base.encode()))}:"}

    digest = {"content-digest": f"sha-256=:{b64(sha(body))}:", "content-type": "application/vnd.sinergi.submission", "idempotency-key": "vector-0123456789"}
    bodied = ["@method", "@target-uri", "content-digest", "content-type", "idempotency-key"]
    get, post = signed("GET", url, {}, bodied[:2]), signed("POST", url, digest, bodied)

    def case(method: str, headers: dict[str, str], why: str = "", reason: str = "", target: str = url) -> dict[str, Any]:
        found: dict[str, Any] = {"method": method, "url": target, "headers": headers}
        return {**found, "why": why, "reason": reason} if why else found

    weak = {**digest, "content-digest": f"sha-512=:{b64(hashlib.sha512(body).digest())}:"}
    who = "tanda_tangan"
    return {
        "what": "request.md: every case is judged at `now`; POST carries a body and must cover its digest, type and Idempotency-Key",
        "seed": seed("request").hex(), "kid": key_id, "now": NOW, "body": body.decode(),
        "good": [case("GET", get), case("POST", post), case("GET", signed("GET", url, {}, bodied[:2], created=NOW - 60)), case("GET", signed("GET", url + "?from=3", {}, bodied[:2]), target=url + "?from=3")],
        "refused": [
            case("DELETE", get, "another method than the one signed", who),
            case("GET", get, "another target than the one signed", who, url + "?from=3"),
            case("POST", {**post, "content-digest": f"sha-256=:{b64(sha(b'another'))}:"}, "another digest than the one signed", who),
            case("POST", {**post, "idempotency-key": "vector-9876543210"}, "another Idempotency-Key than the one signed", who),
            case("POST", signed("POST", url, digest, bodied[:2]), "the digest is not covered", who),
            case("POST", signed("POST", url, digest, bodied[:4]), "the Idempotency-Key is not covered", who),
            case("GET", signed("GET", url, {}, bodied[:1]), "the target is not covered", who),
            case("GET", signed("GET", url, {}, bodied[:2], tag="other"), "another protocol's tag", who),
            case("GET", signed("GET", url, {}, bodied[:2], nonce="short"), "a nonce under 16 characters", who),
            case("GET", signed("GET", url, {}, bodied[:2], key=kid("log", public)), "a key id that is not enrolled", who),
            case("GET", {**get, "signature": get["signature"][:-6] + "AAA==:"}, "a signature that does not hold", who),
            case("GET", {}, "no signature", who),
            case("GET", signed("GET", url, {}, bodied[:2], created=NOW - 61), "61 seconds old", "waktu"),
            case("GET", signed("GET", url, {}, bodied[:2], created=NOW + 61), "61 seconds ahead", "waktu"),
            case("POST", signed("POST", url, weak, bodied), "a digest that is not SHA-256", "isi_berubah"),
        ],
    }  # fmt: skip


def treatment_vectors() -> dict[str, Any]:
    """By hand from the tables of contract.md, on the civil date `day`; null is hidden."""
    ints: dict[str, dict[str, str | None]] = {
        "tahun_5": {"2020": "2020-2024", "2024": "2020-2024", "1999": "1995-1999"},
        "tahun_penuh": {"0": "0", "11": "0", "12": "1", "25": "2"},
        "pita_umur_5": {"0": "<15", "14": "<15", "15": "15-19", "19": "15-19", "20": "20-24", "64": "60-64", "65": "65+", "99": "65+"},
        "pita_umur_10": {"15": "15-24", "24": "15-24", "25": "25-34", "64": "55-64", "65": "65+"},
        "pita_upah": {"0": "<1 jt", "999999": "<1 jt", "1000000": "1-2 jt", "1999999": "1-2 jt", "9999999": "9-10 jt", "10000000": ">=10 jt"},
        "pita_nilai": {"9999999": "<10 jt", "10000000": "10-50 jt", "49999999": "10-50 jt", "50000000": "50-100 jt", "99999999": "50-100 jt", "100000000": "100-500 jt", "499999999": "100-500 jt", "500000000": ">=500 jt"},
        "pita_pekerja": {"0": "0", "1": "1-4", "4": "1-4", "5": "5-19", "19": "5-19", "20": "20-99", "99": "20-99", "100": "100-499", "499": "100-499", "500": ">=500"},
        "pita_jam": {"0": "0", "1": "1-14", "14": "1-14", "15": "15-34", "34": "15-34", "35": "35-48", "48": "35-48", "49": ">=49"},
        "pita_3": {"0": "0", "1": "1-3", "3": "1-3", "4": "4-6", "6": "4-6"},
    }
    dates: dict[str, dict[str, str | None]] = {
        "tahun": {"2001-11-21": "2001", "2001-11": "2001"},
        "bulan": {"2001-11-21": "2001-11"},
        "pita_umur_5": {"2011-11-22": "<15", "2011-11-21": "15-19", "2006-11-22": "15-19", "2006-11-21": "20-24", "1961-11-21": "65+", "bukan tanggal": None},
        "pita_umur_10": {"2001-11-22": "15-24", "2001-11-21": "25-34"},
    }
    codes: dict[str, dict[str, str | None]] = {
        "kecamatan": {"13.03.01.2001": "13.03.01", "13.03": "13.03"},
        "kab": {"13.03.01.2001": "13.03", "13": "13"},
        "provinsi": {"13.03.01.2001": "13"},
        "kbji_1": {"2411": "2"},
        "kbji_2": {"2411": "24"},
        "kbli_2": {"46100": "46"},
        "kbli_kategori": {"46100": "G", "99999999": None},
        "pendidikan_3": {"03": "DASAR", "04": "MENENGAH"},
        "alasan_phk_3": {"PAILIT": "PENGUSAHA", "99": None},
    }
    masks: dict[str, dict[str, str]] = {
        "nik_kab": {"1303014107959001": "1303************"},
        "akhir_3": {"+6281200009001": "**********001", "12345678": "**********678", "1234567": "**********", "": "**********"},
        "email_awal_1": {"orang@example.com": "o***@***"},
        "inisial": {"Siti": "S.", "Siti Nurhaliza Sinaga Wati": "S. N. S.", "  Siti   Sinaga ": "S. S.", "Élan": "É.", "R Siti": "R. S."},
    }
    unfit = {name: {"-1": None, "dua": None} for name in ("pita_nilai", "pita_pekerja", "pita_jam", "pita_3", "pita_upah", "pita_umur_5", "pita_umur_10")}
    return {
        "what": "contract.md, generalisers and masks: type of the column, value, what leaves (null: hidden)",
        "day": "2026-11-21",
        "generalise": [{"function": f, "type": t, "value": v, "gives": g} for t, table in (("int", ints), ("int", unfit), ("date", dates), ("code", codes)) for f, pairs in table.items() for v, g in pairs.items()],
        "mask": [{"function": f, "value": v, "gives": g} for f, pairs in masks.items() for v, g in pairs.items()],
    }
