// Bitstring Status Lists (W3C): one bit for each certificate and purpose, signed by the issuer for an hour.

import { fromBase64url, joined, refuse } from "./bytes.js";
import { parseObject } from "./json.js";
import { checkProof, splitProof } from "./proof.js";
import { parseTime, timeText } from "./times.js";

export const LIST_LENGTH = 131_072;
// LCAL 8.4
export const SKEW = 300_000;
const BYTES = LIST_LENGTH / 8;
const PURPOSES = ["revocation", "suspension"];

// The entries of a certificate, revocation first.
export function statusEntriesOf({ credentialStatus }) {
  const entries = [credentialStatus].flat().map(({ type, statusListCredential: url, statusPurpose: purpose, statusListIndex: index }) => {
    const fits = type === "BitstringStatusListEntry" && typeof index === "string" && /^https?:\/\/[!-~]{1,250}\/status\/[a-z]{1,20}\/[1-9][0-9]{0,5}$/.test(url);
    return fits && /^(0|[1-9][0-9]{0,5})$/.test(index) && index < LIST_LENGTH ? { url, purpose, index: +index } : refuse();
  });
  return PURPOSES.map((name) => entries.find(({ purpose }) => entries.length === 2 && purpose === name) ?? refuse());
}

// The entries of places counted through all lists of each purpose, at the service under an address.
export const entriesAt = (base, places) =>
  PURPOSES.map((purpose, which) => ({
    url: `${base}/status/${purpose}/${Math.floor(places[which] / LIST_LENGTH) + 1}`,
    purpose,
    index: places[which] % LIST_LENGTH,
  }));

// Whether the bit of a certificate is set, by a list that its own issuer signed with a key in force.
export async function isBitSet(raw, entry, issuer, trust, now) {
  const [list, proof] = splitProof(parseObject(raw ?? refuse("not at hand")));
  const key = trust.keys.find(({ id }) => id === proof.verificationMethod);
  const from = parseTime(list.validFrom), until = parseTime(list.validUntil), subject = list.credentialSubject ?? {};
  if (!/^(issuer|status)$/.test(key?.role) || key.issuer !== list.issuer || key.lastGood || from < key.from - SKEW || from > key.until) {
    refuse("its key may not sign it");
  }
  await checkProof(list, proof, key.key);
  const isList = Array.isArray(list.type) && list.type.includes("BitstringStatusListCredential") && subject.type === "BitstringStatusList";
  if (!isList || list.id !== entry.url || subject.statusPurpose !== entry.purpose || list.issuer !== issuer) refuse("another list");
  const bits = await unpacked(subject.encodedList).catch(() => []), isSet = Boolean(bits[entry.index >> 3] & (128 >> (entry.index & 7)));
  if (bits.length !== BYTES) refuse();
  // A revocation is final: a list that once said so says so for ever.
  if (now < from - SKEW || (now > until && !(isSet && entry.purpose === PURPOSES[0]))) {
    refuse(`out of its dates: ${timeText(from)} to ${timeText(until)}`);
  }
  return isSet;
}

// Bounded, so that a small list cannot unpack to gigabytes.
async function unpacked(encoded) {
  const packed = fromBase64url(/^u(.*)$/.exec(encoded)[1]), [a, b, c, d] = packed.slice(-4);
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  let bits = [];
  for (let part = await reader.read(); !part.done && bits.length <= BYTES; part = await reader.read()) bits = joined(bits, part.value);
  // The last four bytes tell the length (RFC 1952); engines differ on what may stand behind them.
  return (a | (b << 8) | (c << 16) | (d << 24)) === BYTES ? bits : [];
}
