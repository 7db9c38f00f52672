// Whom a verifier trusts: issuer keys, log keys and standards, from a file that the verifier chose.

import { fromMultibase, refuse } from "./bytes.js";
import { screenedKey } from "./ed25519.js";
import { parseObject } from "./json.js";
import { parseVerifierKey } from "./log.js";
import { parseTime } from "./times.js";

const wrong = () => refuse("the trust file cannot be read");
const text = (value) => (typeof value === "string" ? value : wrong());
const each = async (list, read) => (Array.isArray(list) ? Promise.all(list.map((item) => read(item ?? wrong()))) : wrong());

// The trust in a file; one that is half right is refused whole.
export async function parseTrust(raw) {
  const { form, environment, keys, logs, standards } = parseObject(raw);
  if (form !== "lcal-trust/1") wrong();
  const ids = new Set();
  return {
    environment: text(environment),
    keys: await each(keys, (key) => (ids.has(key.id) ? wrong() : ids.add(key.id) && parseKey(key))),
    logs: await each(logs, (log) => parseVerifierKey(text(log))),
    standards: await each(standards, parseStandard),
  };
}

function parseKey({ id, issuer, role, publicKeyMultibase, from, until, last_good: last }) {
  const [code, version, ...key] = fromMultibase(text(publicKeyMultibase));
  if (code !== 0xed || version !== 1 || (last !== undefined && !(Number.isSafeInteger(last?.index) && last.index >= -1))) wrong();
  return {
    id: text(id),
    issuer: text(issuer),
    role: text(role),
    key: screenedKey(Uint8Array.from(key)),
    from: parseTime(from),
    until: parseTime(until),
    lastGood: last && { origin: text(last.origin), index: last.index },
  };
}

function parseStandard({ id, sha256, state }) {
  return /^(current|superseded|withdrawn)$/.test(text(state)) ? { id: text(id), sha256: text(sha256), state } : wrong();
}
