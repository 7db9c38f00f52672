// Bytes and the spellings in which they travel; each value has one spelling, and every other is refused.
//
// All modules share one scope when they are joined into one script, so each name at their top level is used once.

// Known by its name: a module that is loaded later brings a class of its own.
export class Refused extends Error {}

export function refuse(message = "it cannot be read") {
  throw new Refused(message);
}

// What was refused, in words; any other error is a fault of ours and goes on.
export function wordsOf(error) {
  if (error.constructor.name === "Refused") return error.message;
  throw error;
}

export const utf8 = (text) => new TextEncoder().encode(text);

export const bytesOf = (given) => (typeof given === "string" ? utf8(given) : given);

// The text in UTF-8 bytes; a byte order mark stays in it.
export function textOf(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse();
  }
}

export const hexOf = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

export const bytesOfHex = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));

export const isSame = (a, b) => hexOf(a) === hexOf(b);

export const joined = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));

// A number as bytes, the highest first, without leading zeros.
export function bytesOfNumber(number) {
  const hex = number ? number.toString(16) : "";
  return bytesOfHex(hex.length % 2 ? `0${hex}` : hex);
}

// RFC 4648 section 4, with padding.
export function fromBase64(text) {
  try {
    const plain = atob(text);
    if (btoa(plain) === text) return Uint8Array.from(plain, (sign) => sign.charCodeAt(0));
  } catch {
    // other signs than those of base64
  }
  return refuse();
}

// RFC 4648 section 5, without padding.
export function fromBase64url(text) {
  if (!/^[\w-]*$/.test(text)) refuse();
  return fromBase64(text.replace(/-/g, "+").replace(/_/g, "/") + "=".repeat(-text.length & 3));
}

export const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

// Multibase base58btc: z and at most 128 signs.
export function fromMultibase(text) {
  if (!/^z.{0,128}$/.test(text)) refuse();
  let number = 0n;
  for (const sign of text.slice(1)) {
    const digit = BASE58.indexOf(sign);
    number = number * 58n + BigInt(digit < 0 ? refuse() : digit);
  }
  return joined(new Uint8Array(/^z(1*)/.exec(text)[1].length), bytesOfNumber(number));
}
