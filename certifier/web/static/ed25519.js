// Ed25519 signatures (RFC 8032), by WebCrypto where it has them, else by plain arithmetic.
//
// Strict, as libsodium is: S below the group order, R and the key in their one spelling and not of small order.

import { bytesOfHex, hexOf, isSame, refuse } from "./bytes.js";
import { sha512 } from "./sha2.js";

const P = 2n ** 255n - 19n;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

const mod = (number) => ((number % P) + P) % P;
const numberOf = (bytes) => BigInt(`0x${hexOf([...bytes].reverse())}`);
const yOf = (bytes) => BigInt.asUintN(255, numberOf(bytes));

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
    return isSignedPlainly(key, message, signature);
  }
}

export async function checkSigned(key, message, signature) {
  if (!(await isSigned(key, message, signature))) refuse("a signature does not fit its key and content");
}

// RFC 8032 section 5.1.7, comparing bytes: R = S·B - k·A.
function isSignedPlainly(key, message, signature) {
  const r = signature.slice(0, 32), k = numberOf(sha512(r, key, message));
  const point = pointOf(key), base = pointOf(inBytes(4n * power(5n, P - 2n)));
  return point !== null && isSame(r, encoded(sumOfProducts(numberOf(signature.slice(32)), base, k % ORDER, minus(point))));
}

function power(base, exponent) {
  let result = 1n;
  for (; exponent; exponent >>= 1n, base = mod(base * base)) {
    if (exponent & 1n) result = mod(result * base);
  }
  return result;
}

const inBytes = (number) => bytesOfHex(mod(number).toString(16).padStart(64, "0")).reverse();

// Section 5.1.3; null when the bytes are no point.
function pointOf(bytes) {
  const d = mod(-121665n * power(121666n, P - 2n));
  const y = yOf(bytes), u = mod(y * y - 1n), v = mod(d * y * y + 1n);
  let x = mod(u * v ** 3n * power(mod(u * v ** 7n), (P - 5n) / 8n));
  if (mod(v * x * x) !== u) x = mod(x * power(2n, (P - 1n) / 4n));
  if (mod(v * x * x) !== u) return null;
  if ((x & 1n) !== BigInt(bytes[31] >> 7)) x = P - x;
  return [x, y, 1n, mod(x * y), 2n * d];
}

const minus = ([x, y, z, t, d]) => [-x, y, z, -t, d];

// Section 5.1.4, for doubling too: the formula is complete.
function sum([x1, y1, z1, t1, d], [x2, y2, z2, t2]) {
  const a = mod((y1 - x1) * (y2 - x2)), b = mod((y1 + x1) * (y2 + x2)), c = mod(d * t1 * t2), e = 2n * z1 * z2;
  return [mod((b - a) * (e - c)), mod((e + c) * (b + a)), mod((e - c) * (e + c)), mod((b - a) * (b + a)), d];
}

function sumOfProducts(m, p, n, q) {
  const both = sum(p, q);
  let result = [0n, 1n, 1n, 0n, p[4]];
  for (let bit = 252n; bit >= 0n; bit -= 1n) {
    result = sum(result, result);
    const one = (m >> bit) & 1n, other = (n >> bit) & 1n;
    if (one | other) result = sum(result, one & other ? both : one ? p : q);
  }
  return result;
}

function encoded([x, y, z]) {
  const one = power(z, P - 2n), bytes = inBytes(y * one);
  bytes[31] |= Number(mod(x * one) & 1n) << 7;
  return bytes;
}
