// The public log: its entries, inclusion in its Merkle tree, signed checkpoints and .tlog-proof files.
//
// Sources: RFC 9162 section 2.1, c2sp.org signed-note, tlog-checkpoint and tlog-proof.

import { bytesOf, fromBase64, hexOf, isSame, refuse, textOf, utf8 } from "./bytes.js";
import { checkSigned, screenedKey } from "./ed25519.js";
import { canonicalBytes } from "./json.js";
import { sha256 } from "./sha2.js";

const MAX_NOTE_BYTES = 256 * 1024, MAX_SIGNATURES = 64;
const NAME = "([^\\p{White_Space}+\\0-\\x1f]+)", BASE64 = "([A-Za-z0-9+/]+={0,2})";
const VERIFIER_KEY = new RegExp(`^${NAME}\\+([0-9a-f]{8})\\+${BASE64}$`, "u");
const SIGNATURE = new RegExp(`^— ${NAME} ${BASE64}$`, "u");

const DIGEST = /^sha256:[0-9a-f]{64}$/, ID = /^[!-~]{1,400}$/;
const ENTRY = { code: /^[0-9A-HJKMNP-TV-Z]{10}$/, payload: DIGEST, kid: ID, standard: ID, report: DIGEST, audio: DIGEST };

// A log that nobody named proves nothing, and contradicts nothing.
export const UNKNOWN_LOG = "no key of the log";

const noNote = () => refuse("this is not a signed note");
const noProof = () => refuse("this is not a proof from a log");

function decimal(text) {
  const number = /^(0|[1-9][0-9]{0,18})$/.test(text) ? BigInt(text) : noProof();
  return number >> 63n ? noProof() : number;
}

function hash(text) {
  const bytes = fromBase64(text);
  return bytes.length === 32 ? bytes : noProof();
}

// The entry that commits to a certificate's payload, as the log holds it.
export function issueEntry(at, members) {
  for (const name in ENTRY) {
    if (!ENTRY[name].test(members[name])) noProof();
  }
  return canonicalBytes({ v: "lcal-log/1", type: "issue", at, ...members });
}

// The tree of `size` leaves under `root` holds the leaf hash at `index` (RFC 9162 section 2.1.3.2).
export async function checkPath(index, size, leaf, proof, root) {
  if (index >= size) noProof();
  const hashes = proof.slice();
  let computed = leaf;
  for (let last = size - 1n; last; index >>= 1n, last >>= 1n) {
    if (index === last && !(index & 1n)) continue;
    const sibling = hashes.shift() ?? noProof();
    computed = index & 1n ? await sha256([1], sibling, computed) : await sha256([1], computed, sibling);
  }
  if (hashes.length || !isSame(computed, root)) refuse("the log does not hold this certificate");
}

// A log's key in the form name+id+base64.
export async function parseVerifierKey(text) {
  const [, name, id, packed] = VERIFIER_KEY.exec(text) ?? noNote(), bytes = fromBase64(packed);
  const isOwn = bytes[0] === 1 && hexOf(await sha256(utf8(`${name}\n`), bytes)).startsWith(id);
  return isOwn ? { name, id, key: screenedKey(bytes.slice(1)) } : noNote();
}

// The checkpoint in a note that a known log signed; every known key's signature must fit.
export async function openCheckpoint(raw, keys) {
  const note = textOf(raw), end = note.lastIndexOf("\n\n"), text = note.slice(0, end + 1);
  if (raw.length > MAX_NOTE_BYTES || /[\0-\t\v-\x1f]/.test(note) || end < 0 || !note.endsWith("\n")) noNote();
  const lines = note.slice(end + 2, -1).split("\n").map((line) => SIGNATURE.exec(line) ?? noNote());
  const [origin, size, root, rest, ...more] = text.split("\n");
  if (lines.length > MAX_SIGNATURES || !origin || rest !== "" || more.length) noNote();
  const checkpoint = { origin, size: decimal(size), root: hash(root) };
  let signer = null;
  for (const [, name, packed] of lines) {
    const value = fromBase64(packed), id = hexOf(value.slice(0, 4));
    if (value.length <= 4) noNote();
    const known = keys.find((key) => key.name === name && key.id === id);
    if (known) await checkSigned(known.key, utf8(text), value.slice(4));
    if (known && name === origin) signer = known;
  }
  return signer ? checkpoint : keys.some(({ name }) => name === origin) ? noProof() : refuse(UNKNOWN_LOG);
}

// The parts of a .tlog-proof file; nothing is verified yet.
export function parseProof(given) {
  const raw = bytesOf(given), end = raw.findIndex((byte, at) => byte === 10 && raw[at + 1] === 10);
  const [head, ...lines] = textOf(raw.slice(0, end)).split("\n");
  if (raw.length > 2 * MAX_NOTE_BYTES || end < 0 || head !== "c2sp.org/tlog-proof@v1") noProof();
  if (lines[0]?.startsWith("extra ")) fromBase64(lines.shift().slice(6));
  const index = lines.shift() ?? "";
  return { index: index.startsWith("index ") ? decimal(index.slice(6)) : noProof(), hashes: lines.map(hash), checkpoint: raw.slice(end + 2) };
}

// The place of the entry in a known log.
export async function verifyProof({ index, hashes, checkpoint }, entry, keys) {
  const { origin, size, root } = await openCheckpoint(checkpoint, keys);
  await checkPath(index, size, await sha256([0], entry), hashes, root);
  return { origin, size, index };
}
