// Checks the certificate of this page in the reader's own browser, with what came along in the page; a status that has aged
// since is asked for again. Without this script the service's own answer stands as it is.

import { wordsOf } from "./bytes.js";
import { check, checkPrint } from "./check.js";
import { bytesOfDigits } from "./compact.js";
import { axesOf, clock, element, isDone, lineOf, markOf } from "./telling.js";

const PATIENCE = 8000; // milliseconds
const { code, material, words } = JSON.parse(document.getElementById("brought").textContent);
const line = document.getElementById("own-line"), place = document.getElementById("own-check");
// The word of the service on top of the page, where that is Valid.
const pill = document.querySelector(".pill-active"), said = pill?.textContent.trim();
const digits = /^#([0-9]{20,})$/.exec(location.hash)?.[1];

let brought = material;

performance.mark("begun");

// The first answer rests on what the page brought; where that is no longer in force, on what the service says now.
async function start() {
  const result = await check(brought.certificate, brought, Date.now());
  return result.reason === "status_unchecked" ? again() : tell(result, "");
}

async function again() {
  let failure = "";
  try {
    const answer = await fetch(`/v/${code}.check.json`, { cache: "no-cache", signal: AbortSignal.timeout(PATIENCE) });
    if (!answer.ok) throw new Error(`it answers ${answer.status}`);
    // The certificate stays the one that this page shows.
    brought = { ...(await answer.json()), certificate: material.certificate };
  } catch {
    failure = "The service did not answer";
  }
  return tell(await check(brought.certificate, brought, Date.now()), failure);
}

// What the digits behind # in the address say, where the page was opened from a print.
async function printed() {
  try {
    const compact = bytesOfDigits(digits), own = await check(compact, brought, Date.now()), { axes } = await checkPrint(compact, brought.certificate, brought, Date.now());
    if (own.axes.integrity !== "ok") return ["bad", "The code on the print is not signed by a key that is known here. Do not rely on that print."];
    if (axes.integrity !== "ok") return ["bad", "The print carries another certificate than this page. Do not rely on that print."];
    return ["good", "The print carries this very certificate: its own signature fits, and so does the digest in it."];
  } catch (error) {
    return ["bad", `The code on the print cannot be read: ${wordsOf(error)}. Scan it again.`];
  }
}

async function tell(result, failure) {
  const print = digits ? await printed() : null, verdict = words.verdicts[result.verdict], at = clock(Date.now());
  const isWrong = print?.[0] === "bad", mark = isWrong ? "bad" : failure && isDone(result) ? "open" : markOf(result);
  const plain = isDone(result) ? "Checked by your own browser" : `Checked by your own browser: ${verdict.toLowerCase()}. ${result.because}`;
  // Green only while this browser finds the same.
  pill?.classList.toggle("pill-active", isDone(result));
  if (pill) pill.lastChild.textContent = isDone(result) ? said : `This site says: ${said.toLowerCase()}`;
  line.className = `own is-${mark}`;
  line.textContent = isWrong ? print[1] : failure && isDone(result) ? "Your own browser could not check this again just now" : plain;

  const box = element("div", "", `verdict verdict-${failure ? "cannot_tell" : result.verdict}`);
  if (failure) {
    box.append(
      element("h3", `Your own browser could not check this again: ${failure.toLowerCase()}`),
      element("p", `With the keys and lists that came before, by the clock of this device at ${at}: ${verdict.toLowerCase()}. ${result.because}`),
    );
  } else {
    box.append(element("h3", `Checked by your own browser: ${verdict}`), element("p", result.because));
  }
  if (result.certificate) box.append(lineOf(result, words));
  box.append(axesOf(result, words));
  if (print) box.append(element("p", print[1], `is-${print[0]}`));
  const isLate = !failure && result.reason === "status_unchecked";
  box.append(
    element("p", `${isLate ? `Is the clock of this device right? It says ${new Date().toLocaleString()}. ` : `At ${at} by the clock of this device. `}The keys came with this page, so whose they are is the word of this site. With keys that you have from elsewhere, check a copy under Verify, or with certifier verify.`, "soft"),
    actions(),
  );
  show(box);
}

function actions() {
  const button = element("button", "Check again now"), paragraph = element("p", "", "actions");
  button.type = "button";
  button.addEventListener("click", () => {
    button.disabled = true;
    again().catch(giveUp);
  });
  paragraph.append(button);
  return paragraph;
}

function show(box) {
  place.replaceChildren(box);
  line.hidden = place.hidden = false;
  performance.measure("checked", "begun");
}

function giveUp(error) {
  line.className = "own is-open";
  line.textContent = "Your own browser could not check this certificate";
  show(element("p", `Your own browser could not check this certificate: ${error.message}. What stands above is the answer of the service.`, "is-open"));
}

start().catch(giveUp);
