// What WebCrypto does, in plain arithmetic: SHA-2 (FIPS 180-4) of short texts and Ed25519 (RFC 8032), for pages without https and
// for engines without Ed25519. It is loaded when it is needed.

import { bytesOfHex, hexOf, isSame, joined } from "./bytes.js";
import { ORDER, P, numberOf, yOf } from "./ed25519.js";

// Sections 4.2.2 to 5.3.5: the first 64 bits of the fractional parts of roots of the first primes.
function rootsOfPrimes(count, degree) {
  const roots = [], primes = [];
  for (let number = 2n; roots.length < count; number += 1n) {
    if (primes.some((prime) => number % prime === 0n)) continue;
    primes.push(number);
    let root = 0n;
    for (let bit = 2n ** 68n; bit; bit >>= 1n) {
      if ((root + bit) ** degree <= number << (64n * degree)) root += bit;
    }
    roots.push(BigInt.asUintN(64, root));
  }
  return roots;
}

let ROUND, START;

// Words of `size` bytes; `turns` are the distances of sections 4.1.2 and 4.1.3, in the order of their use below.
function sha2(size, turns, parts) {
  const width = BigInt(8 * size), word = (number) => BigInt.asUintN(8 * size, number);
  const begun = (roots) => roots.map((root) => root >> (64n - width)), round = begun((ROUND ??= rootsOfPrimes(80, 3n)));
  const twice = (number) => (number << width) | number;
  const mixed = (number, [a, b, c], last = number) => word((twice(number) >> a) ^ (twice(number) >> b) ^ (last >> c));
  const bytes = joined(...parts), tail = ((-bytes.length - 1 - 2 * size) & (16 * size - 1)) + 2 * size;
  const hex = `${hexOf(bytes)}80${(8 * bytes.length).toString(16).padStart(2 * tail, "0")}`;
  let state = begun((START ??= rootsOfPrimes(8, 2n)));
  for (let at = 0; at < hex.length; at += 32 * size) {
    const words = [];
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 48 + 4 * size; i += 1) {
      const from = at + 2 * size * i;
      words[i] = i < 16
        ? BigInt(`0x${hex.slice(from, from + 2 * size)}`)
        : word(words[i - 16] + mixed(words[i - 15], turns[0]) + words[i - 7] + mixed(words[i - 2], turns[1]));
      const one = h + mixed(e, turns[2], twice(e)) + ((e & f) ^ (~e & g)) + round[i] + words[i];
      const two = mixed(a, turns[3], twice(a)) + ((a & b) ^ (a & c) ^ (b & c));
      h = g; g = f; f = e; e = word(d + one); d = c; c = b; b = a; a = word(one + two);
    }
    state = [a, b, c, d, e, f, g, h].map((sum, i) => word(sum + state[i]));
  }
  return bytesOfHex(state.map((sum) => sum.toString(16).padStart(2 * size, "0")).join(""));
}

export const plainSha256 = (...parts) => sha2(4, [[7n, 18n, 3n], [17n, 19n, 10n], [6n, 11n, 25n], [2n, 13n, 22n]], parts);
const sha512 = (...parts) => sha2(8, [[1n, 8n, 7n], [19n, 61n, 6n], [14n, 18n, 41n], [28n, 34n, 39n]], parts);

const mod = (number) => ((number % P) + P) % P;

// RFC 8032 section 5.1.7, comparing bytes: R = S·B - k·A.
export function isSignedPlainly(key, message, signature) {
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
