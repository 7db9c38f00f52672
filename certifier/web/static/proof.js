// Data Integrity proofs of the cryptosuite eddsa-jcs-2022 (W3C Data Integrity EdDSA Cryptosuites 1.0, section 3.3).

import { fromMultibase, joined, refuse } from "./bytes.js";
import { checkSigned } from "./ed25519.js";
import { canonicalBytes, canonicalText, isObject } from "./json.js";
import { sha256 } from "./sha2.js";

const MEMBERS = /^(type|cryptosuite|created|verificationMethod|proofPurpose|proofValue|@context)$/;
const KIND = '["DataIntegrityProof","eddsa-jcs-2022","assertionMethod"]';

// The document without its proof, and the one proof.
export function splitProof({ proof, ...unsigned }) {
  if (!isObject(proof) || JSON.stringify([proof.type, proof.cryptosuite, proof.proofPurpose]) !== KIND || !Object.keys(proof).every((name) => MEMBERS.test(name))) {
    refuse("no single proof of our kind");
  }
  return [unsigned, proof];
}

// Returns when the proof fits the key.
export async function checkProof(unsigned, { proofValue, ...options }, key) {
  const [own, given] = [unsigned, options].map((part) => canonicalText(part["@context"] ?? null));
  if ("@context" in options && given !== own) refuse("another @context");
  const message = joined(await sha256(canonicalBytes(options)), await sha256(canonicalBytes(unsigned)));
  await checkSigned(key, message, fromMultibase(proofValue));
}
