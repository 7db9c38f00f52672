// The verification of the service, in the hands of whoever reads: seven axes, and a verdict that is a pure table of them.
//
// What was not brought is unchecked, never guessed. When integrity is broken, nothing of the document is shown.

import { wordsOf } from "./bytes.js";
import { claimsOf, digestOf, openCertificate } from "./certificate.js";
import { canonicalText } from "./json.js";
import { UNKNOWN_LOG, issueEntry, parseProof, verifyProof } from "./log.js";
import { SKEW, isBitSet } from "./status.js";
import { timeText } from "./times.js";
import { parseTrust } from "./trust.js";
import { AXES, verdictOf } from "./verdict.js";

// A certificate that expires sooner is valid with a warning.
const ENDING = 30 * 86_400_000;

// Checks a certificate (bytes or text) at a time in milliseconds. `material` holds what was brought: `trust` and `proof` as bytes
// or text, `lists` by URL, `audio` with `sha256`, `essence_sha256`, `isrc` or `unreadable`; what is absent could not be had.
// Throws Refused when it is no certificate at all, or the trust file cannot be read.
//
// Each check below answers with the value of its axis, what was found, and what was expected.
export async function check(raw, material, now) {
  const opened = await openCertificate(raw), trust = material.trust ? await parseTrust(material.trust) : null;
  const key = trust?.keys.find(({ id, issuer, role }) => id === opened.method && issuer === opened.issuer && role === "issuer");
  const issuer_trust = checkIssuer(opened, key, trust), integrity = await checkIntegrity(opened, key);
  if (integrity[0] === "broken") return concluded({ issuer_trust, integrity }, now, null);
  if (integrity[0] !== "ok") {
    // A key that nobody knows may be a new one, or a changed byte in its name. The log tells them apart.
    return concluded({ issuer_trust, integrity, inclusion: await unsignedInclusion(opened, material, trust) }, now, null);
  }
  const claims = opened.compact ?? claimsOf(opened.unsigned), read = checkLifecycle(opened, claims, material, trust, now);
  const [inclusion, lifecycle] = await Promise.all([checkInclusion(opened, claims, material, trust), read]);
  const checks = {
    issuer_trust: beforeTheft(issuer_trust, key, inclusion.place, trust),
    integrity,
    inclusion,
    lifecycle,
    validity: checkValidity(claims, now),
    standard_state: checkStandard(claims, trust),
    binding: checkBinding(claims, material.audio),
  };
  return concluded(checks, now, claims.shown);
}

// Checks the compact certificate of a print together with the record that its code leads to: the two must say the same.
export async function checkPrint(print, record, material, now) {
  const printed = await check(print, material, now), answer = await check(record, material, now);
  if (printed.axes.integrity !== "ok") return printed;
  if (answer.axes.integrity !== "ok" || (await isPrintOf(await openCertificate(print), await openCertificate(record)))) return answer;
  return concluded({ integrity: ["broken", "the print carries another certificate", "the certificate of this code"] }, now, null);
}

// Whether the record says all that its print says, and names the same key. Where its bits stand is asked of the record alone.
async function isPrintOf(print, { unsigned, method }) {
  const { shown, audio, essence } = claimsOf(unsigned), payload = await digestOf(unsigned);
  const isSame = print.method === method && payload.startsWith(print.payload) && audio.startsWith(print.audio) && essence.startsWith(print.essence || "");
  return isSame && canonicalText({ ...shown, ...print.shown }) === canonicalText(shown);
}

function concluded(known, now, certificate) {
  const axes = {};
  const checks = Object.entries(AXES).map(([axis, outcomes]) => {
    const [value, found = "", expected = ""] = known[axis] ?? ["unchecked"];
    axes[axis] = value;
    return { axis, outcome: outcomes[value] ?? "unchecked", value, found, expected, hint: "" };
  });
  const { verdict, reason, because } = verdictOf(axes);
  return { verdict, reason, because, checked_at: timeText(now), axes, checks, certificate };
}

function checkIssuer({ method, signedAt }, key, trust) {
  if (!trust) return ["unchecked", "no trusted keys", "a trust file"];
  if (!key) return ["unknown", method, "a key of the trust file"];
  const isInForce = signedAt >= key.from - SKEW && signedAt <= key.until;
  return isInForce ? ["trusted", method] : ["withdrawn", "", `signed between ${timeText(key.from)} and ${timeText(key.until)}`];
}

async function checkIntegrity({ prove }, key) {
  if (!key) return ["unchecked", "no key"];
  const expected = `a signature by ${key.id}`;
  if (!prove) return ["unchecked", "a signature over RDF", expected];
  try {
    await prove(key.key);
  } catch (error) {
    return ["broken", wordsOf(error), expected];
  }
  return ["ok", expected];
}

async function checkInclusion({ unsigned, method }, claims, { proof }, trust) {
  const expected = "a proof of the log";
  // A print has no room for a proof.
  if (!unsigned || proof == null || !trust?.logs.length) return ["unchecked", "no proof", expected];
  try {
    const { code, standard } = claims, [payload, report, audio] = [await digestOf(unsigned), claims.report, claims.audio].map((hex) => `sha256:${hex}`);
    const entry = issueEntry(timeText(claims.issuedAt), { code, payload, kid: method, standard, report, audio });
    const place = await verifyProof(parseProof(proof), entry, trust.logs);
    return Object.assign(["included", `${place.origin} at size ${place.size}`], { place });
  } catch (error) {
    return [error.message === UNKNOWN_LOG ? "unchecked" : "broken", wordsOf(error), expected];
  }
}

async function unsignedInclusion(opened, material, trust) {
  try {
    // What has no canonical form is in no log, and nothing is known of it.
    return await checkInclusion(opened, opened.unsigned && canonicalText(opened.unsigned) && claimsOf(opened.unsigned), material, trust);
  } catch (error) {
    return ["unchecked", wordsOf(error)];
  }
}

// The log's order decides and not the certificate's own date: whoever has a stolen key can write any date.
function beforeTheft(issuer, { lastGood }, place, { logs }) {
  if (issuer[0] !== "trusted" || !lastGood) return issuer;
  const { origin, index } = lastGood, expected = `at most entry ${index} of ${origin}`;
  if (!place) return ["unchecked", "a stolen key, and no proof", expected];
  const [last, own] = [origin, place.origin].map((name) => logs.findIndex((log) => log.name === name));
  const isBefore = own === last ? place.index <= index : own < last;
  return [isBefore ? "trusted" : "compromised", `entry ${place.index} of ${place.origin}`, expected];
}

// Both lists are read; a bit that is set counts even where the other list is missing.
async function checkLifecycle({ issuer }, { status }, { lists = {} }, trust, now) {
  const read = async (entry) => {
    try {
      const isSet = await isBitSet(lists[entry.url], entry, issuer, trust, now);
      return [!isSet ? "active" : entry.purpose === "revocation" ? "revoked" : "suspended", `${entry.purpose} list`];
    } catch (error) {
      return ["unchecked", `${entry.purpose} list: ${wordsOf(error)}`];
    }
  };
  const told = await Promise.all(status.map(read)), first = (form) => told.find(([value]) => form.test(value));
  return first(/^[rs]/) ?? first(/^u/) ?? told[0];
}

function checkValidity({ issuedAt, expiresAt }, now) {
  const value = now < issuedAt - SKEW ? "not_yet" : now > expiresAt ? "expired" : now > expiresAt - ENDING ? "ending" : "current";
  return [value, timeText(now), `${timeText(issuedAt)} to ${timeText(expiresAt)}`];
}

// A print names no files of its standard: two versions of one name leave it open which.
function checkStandard({ standard, standardSha256 }, { standards }) {
  const [known, ...more] = standards.filter(({ id, sha256 }) => id === standard && (standardSha256 ?? sha256) === sha256);
  return [known && !more.length ? known.state : "unknown", standard, "a standard of the trust file"];
}

// A print holds the first half of each digest.
function checkBinding({ audio, essence, isrc }, given) {
  const expected = `sha256 ${audio}`;
  if (!given) return ["not_checked", "no audio file was given"];
  if (given.unreadable) return ["unchecked", given.unreadable, expected];
  if (!given.sha256) return [!isrc ? "unchecked" : given.isrc === isrc ? "isrc_only" : "mismatch", `ISRC ${given.isrc}`, `ISRC ${isrc}`];
  const isEssence = essence && given.essence_sha256?.startsWith(essence);
  return [given.sha256.startsWith(audio) ? "sha256_match" : isEssence ? "essence_match" : "mismatch", `sha256 ${given.sha256}`, expected];
}
