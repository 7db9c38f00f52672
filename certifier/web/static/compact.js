// The compact certificate of a print: a COSE_Sign1 (RFC 9052) in deterministic CBOR (RFC 8949 section 4.2), as bytes or as the
// digits of a QR. There is one encoding of each content, so it is read from the front to the back.

import { bytesOfNumber, hexOf, joined, refuse, textOf, utf8 } from "./bytes.js";
import { displayCode, parseCode } from "./code.js";
import { LIST_LENGTH, entriesAt } from "./status.js";
import { parseTime, timeText } from "./times.js";

const OUTCOMES = ["disclosed", "measured", "class-2", "class-1"], LEVELS = ["A0", "A1", "A2"];
const MAX_COMPACT = 448;
const stop = () => refuse("this is no compact certificate");

// What the bytes say, the signature, and the bytes that were signed. Nothing is verified yet.
export function parseCompact(raw) {
  let at = 0;
  const taken = (count) => ((at += count) <= raw.length ? raw.slice(at - count, at) : stop());
  const expected = (...bytes) => bytes.every((byte) => raw[at++] === byte) || stop();
  // The number in the head of an item of this major type, in its shortest form.
  const head = (kind) => {
    const [first] = taken(1), info = first & 31, length = 2 ** (info - 24);
    if (first >> 5 !== kind || info > 27) stop();
    const number = info < 24 ? info : Number(`0x${hexOf(taken(length))}`);
    return info < 24 || number >= (info < 25 ? 24 : 2 ** (4 * length)) ? number : stop();
  };
  // What is read in a byte string, and its bytes with their head.
  const inside = (read) => {
    const from = at, end = head(2) + at, value = read();
    return at === end ? [value, raw.slice(from, at)] : stop();
  };
  const below = (limit) => {
    const number = head(0);
    return number < limit ? number : stop();
  };
  const text = (form) => {
    const value = textOf(taken(head(3)));
    return form.test(value) ? value : stop();
  };
  const moment = (key) => expected(key) && timeText(1000 * below(253_402_300_800));
  const digest = (key) => expected(key, 0x50) && hexOf(taken(16));
  const place = (key) => expected(key) && below(999_999 * LIST_LENGTH);

  if (raw.length > MAX_COMPACT) stop();
  expected(0xd2, 0x84);
  const [method, header] = inside(() => expected(0xa2, 1, 0x27, 4) && textOf(taken(head(2))));
  expected(0xa0);
  const [claims, contents] = inside(() => {
    const count = head(5);
    if (count !== 12 && count !== 13) stop();
    return {
      code: expected(1, 1, 2) && displayCode(parseCode(text(/./))),
      outcome: expected(3) && OUTCOMES[below(4)],
      assessed_g_per_min: expected(4) && (below(10 ** 12) / 100).toFixed(2),
      evidence_level: expected(5) && LEVELS[below(3)],
      standard: expected(6) && text(/^(?=.{1,40}$)[A-Z][A-Z0-9]*-[0-9][0-9A-Za-z.-]*$/),
      issued_at: moment(7),
      expires_at: moment(8),
      payload: digest(9),
      audio: digest(10),
      essence: count === 13 && digest(11),
      places: [place(12), place(13)],
    };
  });
  expected(0x58, 64);
  const signature = taken(64), [issuer] = method.split("#"), { payload, audio, essence, places, ...shown } = claims;
  if (at !== raw.length || method.length > 200 || !/^did:[a-z0-9]+:[!-~]+#[!-~]+$/.test(method)) stop();
  const address = issuer.replace("did:web:", "").replace(/:/g, "/").replace(/%3A/g, ":"), status = entriesAt(`https://${address}`, places);
  const times = { issuedAt: parseTime(shown.issued_at), expiresAt: parseTime(shown.expires_at) };
  const compact = { shown, code: shown.code.replace(/-/g, ""), standard: shown.standard, payload, audio, essence, method, issuer, address, status, ...times };
  return { compact, signature, signed: joined([0x84, 0x6a], utf8("Signature1"), header, [0x40], contents) };
}

// The bytes of the number after # in a print's QR, which has a byte 0x01 before them.
export function bytesOfDigits(text) {
  const bytes = /^[1-9][0-9]{0,1084}$/.test(text) ? bytesOfNumber(BigInt(text)) : [];
  return bytes[0] === 1 ? bytes.slice(1) : stop();
}
