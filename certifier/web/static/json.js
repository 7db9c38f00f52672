// JSON from outside, read so that no two readers see two documents (RFC 7493), and its canonical bytes (RFC 8785).

import { bytesOf, refuse, textOf, utf8 } from "./bytes.js";

const MAX_BYTES = 256 * 1024, MAX_DEPTH = 32, MAX_NODES = 20_000, MAX_SIZE = 40;
// A string that never ends is one token too: looked for again at each of its quotes, it would hold a browser up for minutes.
const TOKEN = /"(?:[^"\\]|\\.)*"?|[[{,:]|-?[0-9][-+.\w]*/g;
const unfit = () => refuse("the JSON text holds more than a signed document may");
const NUMBER = /^-?((?:0|[1-9][0-9]*)(\.[0-9]+)?)(?:e([-+]?[0-9]+))?$/i;

// The value in UTF-8 bytes or in text. A fraction, or an integer beyond 2^53 - 1, becomes a half, which has no canonical form.
export function parseJson(raw) {
  const bytes = bytesOf(raw), count = { ":": 0, ",": 0, "[": 0, "{": 0 };
  if (bytes.length > MAX_BYTES) unfit();
  // JSON.parse rounds numbers, and keeps the last of two members of one name: so numbers are looked at, and colons counted, before.
  const text = textOf(bytes).replace(TOKEN, (token) => {
    if (token in count) count[token] += 1;
    return NUMBER.test(token) ? roundedNumber(token) : token;
  });
  if (count[","] + count["["] + count["{"] >= MAX_NODES) unfit();
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    refuse("this is not JSON");
  }
  return membersIn(value, 0) === count[":"] ? value : refuse("an object has two members of one name");
}

function roundedNumber(token) {
  const [, significand, fraction, exponent = ""] = NUMBER.exec(token), isInteger = !fraction && !exponent;
  if (significand.length > MAX_SIZE + !isInteger || exponent.length > 4 || Math.abs(exponent) > MAX_SIZE) {
    unfit();
  }
  return isInteger && Number.isSafeInteger(+token) ? token : "0.5";
}

function membersIn(value, depth) {
  if (typeof value === "string") wellFormed(value);
  if (typeof value !== "object" || value === null) return 0;
  if (depth === MAX_DEPTH) unfit();
  const names = Array.isArray(value) ? [] : Object.keys(value);
  return Object.values(value).concat(names).reduce((sum, each) => sum + membersIn(each, depth + 1), names.length);
}

export const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

export function parseObject(raw) {
  const value = parseJson(raw);
  return isObject(value) ? value : refuse("this is not JSON");
}

const wellFormed = (text) => (/\p{Cs}/u.test(text) ? unfit() : text);

// The only text that stands for a value. Refuses what signed documents never hold.
export function canonicalText(value) {
  if (typeof value === "string") return JSON.stringify(wellFormed(value));
  if (value === null || typeof value === "boolean" || Number.isSafeInteger(value)) return String(value);
  if (Array.isArray(value)) return `[${value.map(canonicalText)}]`;
  if (!isObject(value)) unfit();
  // RFC 8785 section 3.2.3: by UTF-16 code units, which is how sort() compares.
  return `{${Object.keys(value).sort().map((name) => `${canonicalText(name)}:${canonicalText(value[name])}`)}}`;
}

export const canonicalBytes = (value) => utf8(canonicalText(value));
