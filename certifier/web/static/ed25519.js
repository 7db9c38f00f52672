// Ed25519 signatures (RFC 8032), by WebCrypto where it has them, else by plain arithmetic.
//
// Strict, as libsodium is: S below the group order, R and the key in their one spelling and not of small order.

import { bytesOfHex, hexOf, refuse } from "./bytes.js";

export const P = 2n ** 255n - 19n, ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

export const numberOf = (bytes) => BigInt(`0x${hexOf([...bytes].reverse())}`);
export const yOf = (bytes) => BigInt.asUintN(255, numberOf(bytes));

// The y of the points whose order divides 8, and the second spellings of two of them.
const ORDER_8 = numberOf(bytesOfHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"));
const isSmall = (y) => [0n, 1n, P - 1n, P, P + 1n, ORDER_8, P - ORDER_8].includes(y);

// The key itself, when no signature under it can be made without a private key.
export function screenedKey(key) {
  const y = yOf(key);
  return key.length === 32 && y < P && !isSmall(y) ? key : refuse("this is no safe Ed25519 key");
}

// Whether the signature was made over the message with the private half of the screened key.
export async function isSigned(key, message, signature) {
  if (signature.length !== 64) return false;
  // WebCrypto leaves this open, and engines differ.
  if (isSmall(yOf(signature.slice(0, 32))) || numberOf(signature.slice(32)) >= ORDER) return false;
  try {
    const { subtle } = crypto, imported = await subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
    return await subtle.verify("Ed25519", imported, signature, message);
  } catch {
    // no https, or an engine without Ed25519
    const { isSignedPlainly } = await import("./plain.js");
    return isSignedPlainly(key, message, signature);
  }
}

export async function checkSigned(key, message, signature) {
  if (!(await isSigned(key, message, signature))) refuse("a signature does not fit its key and content");
}
