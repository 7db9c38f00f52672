// What the tests ask of our modules, the same in Node and in a browser: a list of cases in, a list of answers out.

import { hexOf, fromBase64, fromMultibase } from "../../certifier/web/static/bytes.js";
import { check, checkPrint } from "../../certifier/web/static/check.js";
import { isSigned, screenedKey } from "../../certifier/web/static/ed25519.js";
import { canonicalText, parseJson } from "../../certifier/web/static/json.js";
import { checkPath, openCheckpoint, parseProof, parseVerifierKey } from "../../certifier/web/static/log.js";
import { bytesOfDigits, parseCompact } from "../../certifier/web/static/compact.js";
import { AXES, verdictOf } from "../../certifier/web/static/verdict.js";
import { Sha256 } from "../../certifier/web/static/sha256.js";

const bytes = (text) => (typeof text === "string" ? fromBase64(text) : text);
const hex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));

function everyVerdict() {
  const axes = Object.entries(AXES).map(([axis, values]) => [axis, Object.keys(values)]);
  const hash = new Sha256();
  let count = 0;
  const visit = (at, chosen) => {
    if (at === axes.length) {
      const { verdict, reason, because } = verdictOf(chosen);
      count += 1;
      hash.update(new TextEncoder().encode(`${JSON.stringify([...Object.values(chosen), verdict, reason, because])}\n`));
      return;
    }
    for (const value of axes[at][1]) visit(at + 1, { ...chosen, [axes[at][0]]: value });
  };
  visit(0, {});
  return { count, sha256: hash.hex() };
}

function material(given) {
  const lists = Object.fromEntries(Object.entries(given.lists ?? {}).map(([url, raw]) => [url, bytes(raw)]));
  return { trust: bytes(given.trust), proof: bytes(given.proof), lists, audio: given.audio };
}

const KINDS = {
  signature: ({ key, message, signature }) => isSigned(screenedKey(hex(key)), hex(message), hex(signature)),
  json: ({ raw }) => canonicalText(parseJson(bytes(raw))),
  read: ({ raw }) => void parseJson(bytes(raw)),
  multibase: ({ text }) => hexOf(fromMultibase(text)),
  inclusion: ({ index, size, leaf, proof, root }) =>
    checkPath(BigInt(index), BigInt(size), hex(leaf), proof.map(hex), hex(root)),
  checkpoint: async ({ note, keys }) => {
    const { origin, size, root } = await openCheckpoint(bytes(note), await Promise.all(keys.map(parseVerifierKey)));
    return [origin, String(size), hexOf(root)];
  },
  proof: ({ raw }) => {
    const { index, hashes } = parseProof(bytes(raw));
    return [String(index), ...hashes.map(hexOf)];
  },
  compact: ({ raw }) => {
    const { method, code, shown } = parseCompact(bytes(raw)).compact, { outcome, assessed_g_per_min: assessed, standard } = shown;
    return { method, code, outcome, assessed, standard };
  },
  digits: ({ text }) => hexOf(bytesOfDigits(text)),
  verdicts: everyVerdict,
  check: (given) => check(bytes(given.certificate), material(given), Date.parse(given.now)),
  print: (given) => checkPrint(bytes(given.print), bytes(given.certificate), material(given), Date.parse(given.now)),
};

export async function answersTo(cases) {
  const answers = [];
  for (const { kind, ...given } of cases) {
    try {
      answers.push({ answer: (await KINDS[kind](given)) ?? null });
    } catch (error) {
      if (error.constructor.name !== "Refused") throw error;
      answers.push({ refused: error.message });
    }
  }
  return answers;
}
globalThis.answersTo = answersTo;
