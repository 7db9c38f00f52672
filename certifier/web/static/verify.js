// Checks files and codes that somebody drops here, on their own machine, and hashes audio so that it never leaves it. Without
// this script the forms below work as they are.

import { bytesOf } from "./bytes.js";
import { openCertificate } from "./certificate.js";
import { check, checkPrint } from "./check.js";
import { displayCode } from "./code.js";
import { Sha256 } from "./sha256.js";
import { axesOf, clock, element, lineOf } from "./telling.js";

const CHUNK = 4 * 1024 * 1024, MOST = 1024 * 1024, PATIENCE = 8000;
const { host, trust, words } = JSON.parse(document.getElementById("brought").textContent);
const byId = (id) => document.getElementById(id);
const form = byId("by-audio"), file = byId("v-audio"), progress = byId("hashed"), button = form.querySelector("button");
const own = byId("own"), files = byId("own-files"), pasted = byId("own-text"), place = byId("own-result"), go = byId("own-go");

byId("hashing").hidden = own.hidden = false;

file.addEventListener("change", async () => {
  const [chosen] = file.files;
  if (!chosen) return;
  button.disabled = true;
  progress.hidden = false;
  try {
    const value = await hashOf(chosen, (share) => { progress.value = share; });
    if (chosen === file.files[0]) byId("sha256").value = value;
  } catch {
    file.setCustomValidity("The file cannot be read.");
    file.reportValidity();
  }
  button.disabled = false;
});

async function hashOf(blob, tell = () => {}) {
  const hash = new Sha256();
  for (let at = 0; at < blob.size; at += CHUNK) {
    hash.update(new Uint8Array(await blob.slice(at, at + CHUNK).arrayBuffer()));
    tell(Math.min(1, (at + CHUNK) / blob.size));
  }
  return hash.hex();
}

for (const kind of ["dragover", "dragleave", "drop"]) {
  own.addEventListener(kind, (event) => {
    event.preventDefault();
    own.classList.toggle("over", kind === "dragover");
    if (kind !== "drop") return;
    files.files = event.dataTransfer.files;
    run();
  });
}
files.addEventListener("change", run);
go.addEventListener("click", run);

let running = 0;

async function run() {
  const turn = (running += 1);
  place.replaceChildren(element("p", "Reading …", "soft"));
  let shown;
  try {
    shown = await answerTo(await sorted([...files.files]));
  } catch (error) {
    shown = [element("p", `This cannot be checked: ${error.message}.`, "is-bad")];
  }
  if (turn === running) place.replaceChildren(...shown);
}

// Which file is what, by what is in it.
async function sorted(chosen) {
  const brought = { lists: {} };
  for (const each of chosen) {
    const bytes = each.size <= MOST ? new Uint8Array(await each.arrayBuffer()) : new Uint8Array(), start = new TextDecoder().decode(bytes).trimStart();
    const document = start.startsWith("{") ? parsed(start) : {};
    if (start.startsWith("c2sp.org/tlog-proof")) brought.proof = bytes;
    else if (document.form === "lcal-trust/1") brought.trust = bytes;
    else if (document.form === "lcal-pack/1") throw new Error("a pack is read by certifier verify --pack");
    else if ([document.type].flat().includes("BitstringStatusListCredential")) brought.lists[document.id] = bytes;
    else if (start.startsWith("<")) brought.image = each;
    else if (document.proof || bytes[0] === 0xd2 || /^[\w-]+\.[\w-]+\.[\w-]+\s*$/.test(start)) [brought.certificate, brought.file] = [bytes, each];
    else if (start.startsWith("{")) throw new Error(`${each.name} is no certificate, proof, list or trust file`);
    else brought.audio = { sha256: await hashOf(each), name: each.name };
  }
  if (pasted.value.trim()) brought.certificate ??= bytesOf(pasted.value.trim());
  return brought;
}

function parsed(start) {
  try {
    return JSON.parse(start) ?? {};
  } catch {
    return { proof: "to be refused with a reason" };
  }
}

async function answerTo(brought) {
  if (brought.image) return handedOver(brought.image, "A certificate inside a picture is read by the service.");
  if (!brought.certificate) return [element("p", brought.audio ? "An audio file alone: use the form for audio below, or add its certificate." : "Choose a certificate, or paste the text of a QR.", "is-open")];
  const opened = openCertificate(brought.certificate);
  if (opened.unsigned && !opened.prove) return handedOver(brought.file, "An Open Badge is signed in a way that only the service checks. The .vc file of the same certificate can be checked here.");
  const asked = await completed(brought, opened), now = Date.now();
  const result = opened.compact && asked.record ? await checkPrint(brought.certificate, asked.record, asked, now) : await check(brought.certificate, asked, now);
  return told(result, asked, brought);
}

// What was not brought is asked for at this site, by the code alone.
async function completed(brought, opened) {
  const own = { ...brought, trust: brought.trust ?? trust, asked: false };
  const code = opened.compact?.code ?? /\/v\/([0-9A-Z]{10})$/.exec(opened.unsigned?.id ?? "")?.[1];
  const lacks = !Object.keys(brought.lists).length || (!brought.proof && !opened.compact);
  if (!code || !lacks || opened.issuer !== host) return own;
  try {
    const answer = await fetch(`/v/${code}.check.json`, { cache: "no-cache", signal: AbortSignal.timeout(PATIENCE) });
    if (!answer.ok) return { ...own, failure: `This site knows no certificate ${displayCode(code)}.` };
    const known = await answer.json();
    return { ...own, record: known.certificate, proof: brought.proof ?? known.proof, lists: { ...brought.lists, ...known.lists }, asked: true };
  } catch {
    return { ...own, failure: "The service did not answer, so what you did not bring is missing." };
  }
}

function told(result, asked, brought) {
  const { verdict, because } = result, box = element("section", "", `verdict verdict-${verdict}`);
  box.append(element("h2", `Checked by your own browser: ${words.verdicts[verdict]}`), element("p", because, "lead"));
  if (result.certificate) box.append(lineOf(result, words));
  box.append(axesOf(result, words));
  if (asked.failure) box.append(element("p", asked.failure, "is-open"));
  const source = brought.trust ? "with the trust file that you gave" : "with the keys of this site: whose they are is its own word";
  box.append(element("p", `At ${clock(Date.now())}, ${source}. ${asked.asked ? "Proof and status lists that you did not give came from this site." : ""}`, "soft"));
  return [box];
}

function handedOver(chosen, reason) {
  const paragraph = element("p", `${reason} `), send = element("button", "Send it to the service");
  send.type = "button";
  send.addEventListener("click", () => {
    const transfer = new DataTransfer();
    transfer.items.add(chosen);
    byId("certificate").files = transfer.files;
    byId("certificate").form.requestSubmit();
  });
  return [paragraph, send];
}
