// A certificate as it comes: the record, a JWT or the compact form of a print, read and not yet believed; and what it claims.

import { bytesOf, fromBase64, fromBase64url, hexOf, refuse, textOf, utf8 } from "./bytes.js";
import { displayCode, parseCode } from "./code.js";
import { checkSigned } from "./ed25519.js";
import { canonicalBytes, canonicalText, parseObject } from "./json.js";
import { checkProof, splitProof } from "./proof.js";
import { sha256 } from "./sha2.js";
import { statusEntriesOf } from "./status.js";
import { parseTime } from "./times.js";

const JWT_HEADER = '{"alg":"EdDSA","cty":"vc","typ":"vc+jwt"}';
// Signed over RDF, which is not checked here.
const RDFC = "eddsa-rdfc-2022";
// What every certificate has beside the members that are read here.
const FURTHER = ["consumer", "provider", "data-quality", "post-production", "tables-sha256", "assessor-kind", "assessor-id"];
const noCertificate = () => refuse("this is no certificate");

// Any form that is checked here. `prove` returns when the signature fits a key, and is refused otherwise.
export async function openCertificate(given) {
  const raw = bytesOf(given);
  if (raw[0] === 0xd2) return openCompact(raw);
  const [, text] = /^[ \t-\r]*({|[!-~]+(?=[ \t-\r]*$))/.exec(textOf(raw)) ?? noCertificate();
  if (text[0] === "{") return openJson(raw);
  const [, address, digits] = /^https?:\/\/([!-~]+)#([0-9]+)$/i.exec(text) ?? [];
  return digits ? openCompact(digits, address) : openJwt(text);
}

function openJson(raw) {
  const document = parseObject(raw), { proof: rdf, ...rest } = document;
  if (rdf?.cryptosuite === RDFC) return opened(rest, rdf.verificationMethod, rdf.created);
  const [unsigned, proof] = splitProof(document);
  return opened(unsigned, proof.verificationMethod, proof.created, (key) => checkProof(unsigned, proof, key));
}

// VC-JOSE-COSE: the credential with the registered claims beside it, which must say the same.
function openJwt(text) {
  const [header, payload, signature, ...more] = text.split(".");
  if (!signature || more.length) noCertificate();
  const { kid, ...rest } = parseObject(fromBase64url(header)), bytes = fromBase64url(signature);
  const whole = parseObject(fromBase64url(payload)), { iss, sub, jti, nbf, exp, aud, iat, ...unsigned } = whole, { id, validFrom, validUntil, credentialSubject: subject } = unsigned;
  const told = { ...unsigned, iss: issuerOf(unsigned), sub: subject?.id, jti: id, nbf: parseTime(validFrom) / 1000, exp: parseTime(validUntil) / 1000 };
  if (canonicalText(rest) !== JWT_HEADER || typeof kid !== "string" || !kid || typeof iss !== "string" || canonicalText(told) !== canonicalText(whole)) {
    refuse("the JWT contradicts itself");
  }
  return opened(unsigned, kid, validFrom, (key) => checkSigned(key, utf8(`${header}.${payload}`), bytes));
}

// The bytes, or the digits of a QR.
async function openCompact(given, address) {
  const { bytesOfDigits, parseCompact } = await import("./compact.js");
  const { compact, signature, signed } = parseCompact(address ? bytesOfDigits(given) : given);
  if (address && address.toLowerCase() !== `${compact.address}/v/${compact.code}`.toLowerCase()) refuse("the address leads to another certificate");
  return { ...compact, signedAt: compact.issuedAt, compact, prove: (key) => checkSigned(key, signed, signature) };
}

function opened(unsigned, method, created, prove) {
  // Without a time the key was not in force.
  let signedAt = NaN;
  try {
    if (created === unsigned.validFrom) signedAt = parseTime(created);
  } finally {
    return { unsigned, method, issuer: issuerOf(unsigned), signedAt, prove };
  }
}

const issuerOf = ({ issuer }) => issuer?.id ?? issuer;

export const digestOf = async (unsigned) => hexOf(await sha256(canonicalBytes(unsigned)));

// What a payload claims. Refused when a member that every certificate has is missing or of another form.
export function claimsOf(unsigned) {
  try {
    return readClaims(unsigned);
  } catch (error) {
    return refuse(`no certificate of this label: ${error.message}`);
  }
}

function readClaims(unsigned) {
  const { issuer, credentialSubject: subject, evidence, validFrom, validUntil } = unsigned, { achievement, source } = subject;
  const table = (entries, name, value) => Object.fromEntries(entries.map((entry) => [entry[name].replace(/.*#|^ext:/, ""), entry[value]]));
  const values = table(subject.result, "resultDescription", "value");
  const { title, artist, ISRC: isrc = "", "audio-sha256": audio, "audio-essence-v1-sha256": essence = "" } = table(subject.identifier, "identityType", "identityHash");
  const other = table([...achievement.otherIdentifier, ...source.otherIdentifier], "identifierType", "identifier");
  const digests = table(evidence, "genre", "digestSRI"), code = parseCode(unsigned.id.split("/v/").pop());
  const [report] = [digests.report, digests.decision].map((digest) => hexOf(fromBase64(digest.replace(/^sha256-/, ""))));
  const shown = {
    code: displayCode(code),
    title,
    artist,
    outcome: values.outcome,
    assessed_g_per_min: values.assessed,
    central_g_per_min: values.central,
    evidence_level: values.assurance,
    standard: achievement.name.split(":")[0],
    issued_at: validFrom,
    expires_at: validUntil,
  };
  const { "standard-sha256": standardSha256, ...further } = other;
  const texts = [...Object.values(shown), ...Object.values(further), ...FURTHER.map((name) => values[name] ?? further[name]), isrc, audio, essence, standardSha256, issuer.name, source.name];
  if (!texts.every((value) => typeof value === "string")) refuse("a member is no text");
  const claims = { shown, code, isrc, audio, essence, report, standard: shown.standard, standardSha256 };
  return { ...claims, issuedAt: parseTime(validFrom), expiresAt: parseTime(validUntil), status: statusEntriesOf(unsigned) };
}
