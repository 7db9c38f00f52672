// Reads cases as JSON from stdin (a list, see suite.mjs) and prints the answers as JSON. With a folder of vectors as argument
// (tests/vectors/certificates: a folder for each case, and expected.json): prints what the modules say of each case, by name.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { answersTo } from "./suite.mjs";

const folder = process.argv.slice(2).find((word) => !word.startsWith("--"));
if (process.argv.includes("--no-webcrypto")) Object.defineProperty(globalThis, "crypto", { value: undefined });

if (folder) {
  const { cases } = JSON.parse(readFileSync(join(folder, "expected.json"), "utf-8")), names = Object.keys(cases);
  const answers = await answersTo(names.map((name) => caseIn(join(folder, name), cases[name])));
  console.log(JSON.stringify(Object.fromEntries(answers.map((answer, at) => [names[at], answer])), null, 1));
} else {
  console.log(JSON.stringify(await answersTo(JSON.parse(readFileSync(0, "utf-8")))));
}

function caseIn(path, { certificate, now, audio }) {
  const names = readdirSync(path), base64 = (name) => (names.includes(name) ? readFileSync(join(path, name)).toString("base64") : null);
  const lists = Object.fromEntries(names.filter((name) => name.startsWith("status-")).map((name) => [JSON.parse(readFileSync(join(path, name), "utf-8")).id, base64(name)]));
  return { kind: "check", certificate: base64(certificate), trust: base64("trust.json"), proof: base64("certificate.tlog-proof"), lists, audio, now };
}
