// A stranger's reader of envelopes, made from docs/formats/envelope.md alone: npm's hpke with its noble plug-in for the post-quantum KEM.
// One JSON case a line in: {"path", "key", "kid"} (hex seed of a kem key, and its key id). Out, a line each: {"bytes", "extra", "lines_sha256"}, or "refused".
import { createDecipheriv, createHash, createHmac, timingSafeEqual } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const modules = pathToFileURL(`${process.argv[2]}/node_modules/`);
const HPKE = await import(new URL("hpke/index.js", modules));
const noble = await import(new URL("@panva/hpke-noble/index.js", modules));
const suite = new HPKE.CipherSuite(noble.KEM_MLKEM768_X25519, HPKE.KDF_HKDF_SHA256, HPKE.AEAD_AES_256_GCM);

const SUITE = "MLKEM768-X25519/HKDF-SHA256/AES-256-GCM";
const CORE = ["agreement", "content_type", "created", "dataset", "exchange", "kind", "purpose", "recipient", "sender", "template", "v"];
const EXTRA = { kiriman: 0, pengungkapan: 32 };
const [CHUNK, ENC] = [16384, 1120];

function hold(good) {
  if (!good) throw new Error("refused");
}

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();
const same = (a, b) => a.length === b.length && a.every((item, i) => item === b[i]);

function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
}

function exactly(value, names) {
  hold(value !== null && typeof value === "object" && !Array.isArray(value) && same(Object.keys(value).sort(), names));
}

function base64(text) {
  const data = Buffer.from(text, "base64");
  hold(data.toString("base64") === text);
  return data;
}

function parsed(raw) {
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw);
  const header = JSON.parse(text);
  hold(canonical(header) === text);
  const { recipients, ...core } = header;
  exactly(core, CORE);
  for (const [name, value] of Object.entries(core)) hold(name === "v" ? value === 1 : typeof value === "string");
  hold(/^[0-9a-f]{32}$/.test(core.exchange) && Object.hasOwn(EXTRA, core.kind));
  hold(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(core.created));
  hold(Array.isArray(recipients) && recipients.length > 0);
  const sealed = new Map();
  let before = "";
  for (const one of recipients) {
    exactly(one, ["kid", "sealed", "suite"]);
    hold(one.suite === SUITE && typeof one.kid === "string" && /^[A-Za-z0-9_-]{22}$/.test(one.kid) && typeof one.sealed === "string");
    hold(before < one.kid);
    before = one.kid;
    sealed.set(before, base64(one.sealed));
    hold(sealed.get(before).length === ENC + 32 + EXTRA[core.kind] + 16);
  }
  return [core, sealed];
}

function expand(prk, info, size) {
  let [found, last] = [Buffer.alloc(0), Buffer.alloc(0)];
  for (let n = 1; found.length < size; n++) {
    last = createHmac("sha512", prk).update(last).update(info).update(Buffer.of(n)).digest();
    found = Buffer.concat([found, last]);
  }
  return found.subarray(0, size);
}

function some(file, size) {
  const data = Buffer.alloc(size);
  let at = 0;
  for (let read = -1; read !== 0 && at < size; at += read) read = readSync(file, data, at, size - at, null);
  return data.subarray(0, at);
}

function whole(file, size) {
  const data = some(file, size);
  hold(data.length === size);
  return data;
}

function decrypted(key, nonce, sealed) {
  hold(sealed.length >= 16);
  const cipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: 16 });
  cipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([cipher.update(sealed.subarray(0, -16)), cipher.final()]);
}

async function opened(file, seed, kid) {
  const privateKey = await suite.DeserializePrivateKey(seed, true);
  hold(whole(file, 4).toString("latin1") === "SNG1");
  const size = whole(file, 4).readUInt32BE();
  hold(size >= 1 && size <= 65535);
  const raw = whole(file, size);
  const [core, seals] = parsed(raw);
  hold(seals.has(kid));
  const sealed = seals.get(kid);
  const info = Buffer.concat([Buffer.from("sng/cek/v1\0"), sha256(canonical(core))]);
  const secret = Buffer.from(await suite.Open(privateKey, sealed.subarray(0, ENC), sealed.subarray(ENC), { info }));
  const salt = whole(file, 24);
  const label = Buffer.from("c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0");
  const derived = expand(secret.subarray(0, 32), Buffer.concat([label, salt, sha256(raw)]), 76);
  hold(timingSafeEqual(derived.subarray(44), whole(file, 32)));
  const digest = createHash("sha256");
  let bytes = 0;
  for (let [i, length] = [0n, CHUNK]; length === CHUNK; i++) {
    const nonce = Buffer.from(derived.subarray(32, 44));
    nonce.writeBigUInt64BE(nonce.readBigUInt64BE(4) ^ i, 4);
    const text = decrypted(derived.subarray(0, 32), nonce, some(file, CHUNK + 16));
    digest.update(text);
    length = text.length;
    bytes += length;
  }
  return { bytes, extra: secret.subarray(32).toString("hex"), lines_sha256: digest.digest("hex") };
}

for await (const line of createInterface({ input: process.stdin })) {
  const { path, key, kid } = JSON.parse(line);
  const file = openSync(path, "r");
  try {
    console.log(JSON.stringify(await opened(file, Buffer.from(key, "hex"), kid)));
  } catch {
    console.log('"refused"');
  } finally {
    closeSync(file);
  }
}
