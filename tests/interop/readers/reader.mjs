// A stranger's reader of a proof: @sigstore/verify alone. One JSON case a line in, "ok" or an error a line out. It knows no tiles.
import { createHash, createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(`${process.argv[2]}/node_modules/`);
const { verifyCheckpoint } = require("@sigstore/verify/dist/tlog/checkpoint.js");
const { verifyMerkleInclusion } = require("@sigstore/verify/dist/tlog/merkle.js");
const ED25519 = Buffer.from("302a300506032b6570032100", "hex"); // the DER before the 32 bytes of a public key

function log(vkey) {
  const [name, , key] = vkey.split("+", 2).concat(vkey.split("+").slice(2).join("+"));
  const raw = Buffer.from(key, "base64");
  const id = createHash("sha256").update(Buffer.concat([Buffer.from(`${name}\n`), raw])).digest();
  const publicKey = createPublicKey({ key: Buffer.concat([ED25519, raw.subarray(1)]), format: "der", type: "spki" });
  return { baseURL: name, logID: id, publicKey };
}

function check(one) {
  const note = readFileSync(`${one.Folder}/checkpoint`, "utf8");
  for (const record of one.Records) {
    const entry = {
      canonicalizedBody: Buffer.from(record.Entry, "base64"),
      inclusionProof: { logIndex: String(record.Index), hashes: record.Path.map((h) => Buffer.from(h, "base64")), checkpoint: { envelope: note } },
    };
    const checkpoint = verifyCheckpoint(entry, [log(one.Vkey)]);
    if (checkpoint.origin !== one.Vkey.split("+")[0]) throw new Error("not a checkpoint of this log");
    verifyMerkleInclusion(entry, checkpoint);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  try {
    check(JSON.parse(line));
    console.log("ok");
  } catch (error) {
    console.log(JSON.stringify(error.message));
  }
}
