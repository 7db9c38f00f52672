// The applicant's own key: made by WebCrypto, kept in this browser, and saved as the file that the command line reads.
//
// The key is the account: whoever has it is the applicant, and nobody can bring it back. So it can be taken out.

import { BASE58, bytesOfNumber, fromBase64, fromBase64url, hexOf, joined, refuse } from "./bytes.js";

const KEY_STORE = "lcal-applicant", PLACE = "key";

// Whether this browser can sign here: it needs a secure page, and Ed25519 in WebCrypto.
export async function canSign() {
  try {
    await crypto.subtle.generateKey("Ed25519", false, ["sign"]);
    return true;
  } catch {
    return false;
  }
}

export async function newKey() {
  const { privateKey } = await crypto.subtle.generateKey("Ed25519", true, ["sign"]);
  return keyOf(privateKey);
}

// The key in a PKCS #8 file as "certifier keys new" writes it. Refuses an encrypted one, and every other kind of file.
export async function keyOfPem(text) {
  const match = /-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----/.exec(text);
  if (!match) refuse(text.includes("ENCRYPTED PRIVATE KEY") ? "encrypted" : "unreadable");
  let privateKey;
  try {
    privateKey = await crypto.subtle.importKey("pkcs8", fromBase64(match[1].replace(/\s/g, "")), "Ed25519", true, ["sign"]);
  } catch {
    refuse("unreadable");
  }
  return keyOf(privateKey);
}

// RFC 7468: PKCS #8 in lines of 64 signs.
export async function pemOf(key) {
  const text = base64Of(new Uint8Array(await crypto.subtle.exportKey("pkcs8", key.privateKey)));
  return `-----BEGIN PRIVATE KEY-----\n${text.replace(/.{1,64}/g, "$&\n")}-----END PRIVATE KEY-----\n`;
}

export async function signatureOf(key, message) {
  return new Uint8Array(await crypto.subtle.sign("Ed25519", key.privateKey, message));
}

async function keyOf(privateKey) {
  const { x } = await crypto.subtle.exportKey("jwk", privateKey);
  return { did: `did:key:${multibaseOf(joined([0xed, 0x01], fromBase64url(x)))}`, privateKey };
}

export const base64Of = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));

// Multibase base58btc, as bytes.js reads it.
export function multibaseOf(bytes) {
  let number = BigInt(`0x${hexOf(bytes)}`), text = "";
  for (; number; number /= 58n) text = BASE58[Number(number % 58n)] + text;
  const zeros = bytes.length - bytesOfNumber(BigInt(`0x${hexOf(bytes)}`)).length;
  return `z${"1".repeat(zeros)}${text}`;
}

// The key that this browser keeps, or null. A browser that keeps nothing (a private window) has none.
export async function keptKey() {
  try {
    return (await inStore("readonly", (store) => store.get(PLACE))) ?? null;
  } catch {
    return null;
  }
}

// Whether the browser keeps the key from now on.
export async function keepKey(key) {
  try {
    await inStore("readwrite", (store) => store.put(key, PLACE));
    return true;
  } catch {
    return false;
  }
}

export async function forgetKey() {
  await inStore("readwrite", (store) => store.delete(PLACE));
}

async function inStore(mode, ask) {
  const opening = indexedDB.open(KEY_STORE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(PLACE);
  const base = await answered(opening);
  try {
    return await answered(ask(base.transaction(PLACE, mode).objectStore(PLACE)));
  } finally {
    base.close();
  }
}

function answered(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
