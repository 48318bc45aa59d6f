// A reader of bundles by someone who knows docs/formats and no code of ours: node's own zlib, crypto and JSON.
// node bundle_reader.mjs BUNDLE public.json : prints what it read, or why not. Ed25519 alone: this node has no ML-DSA.
import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";

const no = (why) => { console.log(`NO ${why}`); process.exit(1); };
const must = (held, why) => { if (!held) no(why); };
const sha = (...parts) => parts.reduce((h, p) => h.update(p), createHash("sha256")).digest();
const leafHash = (data) => sha(Buffer.from([0]), data);
const ed25519 = (raw) => createPublicKey({ key: Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), raw]), format: "der", type: "spki" });
const canonical = (v) => Array.isArray(v) ? `[${v.map(canonical).join(",")}]` : v && typeof v === "object"
  ? `{${Object.keys(v).sort().map((k) => `${JSON.stringify(k)}:${canonical(v[k])}`).join(",")}}` : JSON.stringify(v);
const strict = (data, what) => {
  let value; try { value = JSON.parse(data.toString()); } catch { no(`${what}: no JSON`); }
  must(Buffer.from(canonical(value)).equals(data), `${what}: not canonical`);
  return value;
};
const root = (hashes) => { // RFC 6962, section 2.1
  if (hashes.length < 2) return hashes.length ? hashes[0] : sha(Buffer.alloc(0));
  let k = 1; while (k * 2 < hashes.length) k *= 2;
  return sha(Buffer.from([1]), root(hashes.slice(0, k)), root(hashes.slice(k)));
};
const crcTable = Array.from({ length: 256 }, (_, n) => { for (let k = 0; k < 8; k++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1; return n >>> 0; });
const crc32 = (data) => { let c = 0xffffffff; for (const b of data) c = crcTable[(c ^ b) & 255] ^ (c >>> 8); return (c ^ 0xffffffff) >>> 0; };

// --- the archive, in its one spelling
const file = readFileSync(process.argv[2]), keys = JSON.parse(readFileSync(process.argv[3])).keys;
const names = ["bundle.json", "checkpoint", "keys.ndjson", "entries.bin", "receipts.ndjson", "leaves.bin", "subject.dsse"];
const members = {}, directory = [];
let at = 0;
const fixed = (crc, size, name) => { const b = Buffer.alloc(26); b.writeUInt16LE(10, 0); b.writeUInt16LE(0x21, 8); b.writeUInt32LE(crc, 10); b.writeUInt32LE(size, 14); b.writeUInt32LE(size, 18); b.writeUInt16LE(name.length, 22); return b; };
for (const name of names) {
  if (file.readUInt32LE(at) !== 0x04034b50) { must(name === "subject.dsse", `${name} is missing`); break; }
  must(file.length >= at + 30 + name.length, "cut short");
  const size = file.readUInt32LE(at + 18), crc = file.readUInt32LE(at + 14), start = at + 30 + name.length, data = file.subarray(start, start + size);
  must(file.subarray(at + 4, start).equals(Buffer.concat([fixed(crc, size, name), Buffer.from(name)])), `${name}: header`);
  must(data.length === size && crc32(data) === crc, `${name}: damaged`);
  const listed = Buffer.concat([Buffer.from("504b01020a00", "hex"), fixed(crc, size, name), Buffer.alloc(14), Buffer.from(name)]);
  listed.writeUInt32LE(at, 42);
  directory.push(listed);
  members[name] = data;
  at = start + size;
}
const end = Buffer.alloc(22), listing = Buffer.concat(directory);
end.writeUInt32LE(0x06054b50, 0); end.writeUInt16LE(directory.length, 8); end.writeUInt16LE(directory.length, 10); end.writeUInt32LE(listing.length, 12); end.writeUInt32LE(at, 16);
must(file.subarray(at).equals(Buffer.concat([listing, end])), "the archive's end");

// --- checkpoint
const head = strict(members["bundle.json"], "bundle.json"), origin = `sinergi/${head.agreement}`;
const raw = (purpose) => Buffer.from(keys.find((k) => k.purpose === purpose && k.scope === head.agreement).public, "base64");
const [body, lines] = members.checkpoint.toString().split("\n\n"), [claimed, size, noted] = body.split("\n");
const keyId = sha(Buffer.from(`${origin}\n`), Buffer.from([1]), raw("log")).subarray(0, 4);
const signature = lines.split("\n").filter((l) => l.startsWith(`— ${origin} `)).map((l) => Buffer.from(l.split(" ")[2], "base64")).find((s) => s.subarray(0, 4).equals(keyId));
must(signature && verify(null, Buffer.from(`${body}\n`), ed25519(raw("log")), signature.subarray(4)), "the checkpoint's signature");
must(claimed === origin && Number(size) === head.size, "the checkpoint's origin or size");

// --- entries
const entries = [];
for (let i = 0; i < members["entries.bin"].length;) {
  const length = members["entries.bin"].readUInt16BE(i);
  entries.push(members["entries.bin"].subarray(i + 2, i + 2 + length));
  i += 2 + length;
}
must(entries.length === head.size && root(entries.map(leafHash)).toString("base64") === noted, "the log's root");
const wib = (time) => new Date(Date.parse(time) + 7 * 3600e3).toISOString().slice(0, 10);
const log = entries.map((e, i) => strict(e, `entry ${i}`));
const exchanges = log.map((m, i) => [m, entries[i]]).filter(([m]) => m.type === "sinergi/exchange/v1" && head.from <= wib(m.time) && wib(m.time) <= head.to);
const told = new Set(log.filter((e) => e.receipt_sha256).map((e) => `${e.exchange} ${e.system} ${e.receipt_sha256}`));

// --- receipts and leaves
const receipts = members["receipts.ndjson"].toString().split("\n").slice(0, -1).map((l) => strict(Buffer.from(l), "receipts"));
must(receipts.length === exchanges.length, "a receipt line is missing, or there is one too many");
let place = 0, leaves = 0;
exchanges.forEach(([m, entry], n) => {
  const { exchange, receipts: by } = receipts[n], { broker, ...parties } = by;
  must(exchange === m.exchange && broker, `${m.exchange}: receipts`);
  const payload = Buffer.from(broker.payload, "base64"), pae = Buffer.concat([Buffer.from(`DSSEv1 ${broker.payloadType.length} ${broker.payloadType} ${payload.length} `), payload]);
  const signed = broker.signatures.find((s) => s.keyid === m.keys.broker);
  must(payload.equals(entry) && signed && verify(null, pae, ed25519(raw("receipt").subarray(0, 32)), Buffer.from(signed.sig, "base64")), `${m.exchange}: the broker's receipt`);
  const here = Object.entries(parties).map(([system, dsse]) => `${exchange} ${system} ${sha(Buffer.from(canonical(dsse))).toString("hex")}`);
  must(here.every((r) => told.has(r)) && [...told].filter((r) => r.startsWith(exchange)).length === here.length, `${m.exchange}: the parties' receipts`);
  if (head.dropped.includes(exchange)) return;
  const prefix = Buffer.concat([Buffer.from([1]), Buffer.from(exchange, "hex")]), own = [];
  for (let i = 0; i < m.records.leaves; i++, place += 55) own.push(members["leaves.bin"].subarray(place, place + 55));
  must(own.every((leaf, i) => leaf.length === 55 && (!i || Buffer.compare(own[i - 1].subarray(0, 16), leaf.subarray(0, 16)) <= 0)), `${m.exchange}: leaves out of order`);
  must(root(own.map((leaf) => leafHash(Buffer.concat([prefix, leaf])))).toString("hex") === m.records.root, `${m.exchange}: leaves`);
  leaves += own.length;
});
must(place === members["leaves.bin"].length, "leaves too many");
console.log(`OK ${head.agreement} ${head.size} ${exchanges.length} ${leaves}`);
