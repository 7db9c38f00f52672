// SHA-256 and SHA-512 (FIPS 180-4) of short texts, also where a page without https has no crypto.subtle.

import { bytesOfHex, hexOf, joined } from "./bytes.js";

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

export async function sha256(...parts) {
  const subtle = globalThis.crypto?.subtle;
  if (subtle) return new Uint8Array(await subtle.digest("SHA-256", joined(...parts)));
  return sha2(4, [[7n, 18n, 3n], [17n, 19n, 10n], [6n, 11n, 25n], [2n, 13n, 22n]], parts);
}

export const sha512 = (...parts) => sha2(8, [[1n, 8n, 7n], [19n, 61n, 6n], [14n, 18n, 41n], [28n, 34n, 39n]], parts);
