// The certificate code: nine symbols and a check symbol over GF(32), in Crockford's base 32.

import { refuse } from "./bytes.js";

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

// The ten symbols of a code as signed documents write it.
export function parseCode(text) {
  const values = [...text].map((symbol) => ALPHABET.indexOf(symbol));
  const doubled = (total) => (total << 1) ^ (total & 16 && 0b100101);
  const isCode = values.length === 10 && !values.includes(-1) && values.reduce((total, value, at) => (at < 9 ? doubled(total ^ value) : total ^ value), 0) === 0;
  return isCode ? text : refuse();
}

export const displayCode = (code) => code.replace(/^(.{4})(.{4})/, "$1-$2-");
