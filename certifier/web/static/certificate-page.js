// Checks the certificate of this page in the reader's own browser, with what came along in the page; a status that has aged
// since is asked for again. Without this script the service's own answer stands as it is.

import { wordsOf } from "./bytes.js";
import { check, checkPrint } from "./check.js";
import { learn, say } from "./say.js";
import { axesOf, clock, element, isDone, lineOf, markOf, reasonOf } from "./telling.js";

const PATIENCE = 8000; // milliseconds
const { code, state, material, words, says } = JSON.parse(document.getElementById("brought").textContent);
learn(words.says);
learn(says);
const line = document.getElementById("own-line"), place = document.getElementById("own-check");
// The word of the service on top of the page, where that is Valid.
const pill = document.querySelector(".pill-active"), siteSays = pill?.textContent.trim();
const digits = /^#([0-9]{20,})$/.exec(location.hash)?.[1];

let brought = material;

performance.mark("begun");

// The first answer rests on what the page brought; where that is no longer in force, on what the service says now.
async function start() {
  const result = await check(brought.certificate, brought, Date.now());
  return result.reason === "status_unchecked" ? again() : tell(result);
}

async function again() {
  let isSilent = false;
  try {
    const answer = await fetch(`/v/${code}.check.json`, { cache: "no-cache", signal: AbortSignal.timeout(PATIENCE) });
    if (!answer.ok) throw new Error(`it answers ${answer.status}`);
    // The certificate stays the one that this page shows.
    brought = { ...(await answer.json()), certificate: material.certificate };
  } catch {
    isSilent = true;
  }
  return tell(await check(brought.certificate, brought, Date.now()), isSilent);
}

// What the digits behind # in the address say, where the page was opened from a print.
async function printed() {
  try {
    const { bytesOfDigits } = await import("./compact.js");
    const compact = bytesOfDigits(digits), own = await check(compact, brought, Date.now()), { axes } = await checkPrint(compact, brought.certificate, brought, Date.now());
    if (own.axes.integrity !== "ok") return ["bad", say("print_unsigned")];
    return axes.integrity === "ok" ? ["good", say("print_same")] : ["bad", say("print_other")];
  } catch (error) {
    return ["bad", say("print_unread", { why: wordsOf(error) })];
  }
}

async function tell(result, isSilent) {
  const print = digits ? await printed() : null, verdict = words.verdicts[result.verdict], because = reasonOf(result, words), at = clock(Date.now());
  const isWrong = print?.[0] === "bad", isGood = isDone(result), isReplaced = state === "superseded" && result.reason === "revoked", mark = isWrong ? "bad" : isSilent && isGood ? "open" : markOf(result);
  // Green only while this browser finds the same.
  pill?.classList.toggle("pill-active", isGood);
  if (pill) pill.lastChild.textContent = isGood ? siteSays : say("site", { state: siteSays.toLowerCase() });
  line.className = `own is-${mark}`;
  line.textContent = isWrong ? print[1] : isReplaced ? say("replaced") : !isGood ? `${say("told", { verdict: verdict.toLowerCase() })}. ${because}` : say(isSilent ? "again" : "done");

  const box = element("div", "", `verdict verdict-${isSilent ? "cannot_tell" : result.verdict}`);
  box.append(
    element("h3", isSilent ? say("again_why") : say("told", { verdict })),
    element("p", isSilent ? say("before", { at, verdict: verdict.toLowerCase(), because }) : because),
  );
  if (result.certificate) box.append(lineOf(result, words));
  box.append(axesOf(result, words));
  if (print) box.append(element("p", print[1], `is-${print[0]}`));
  const isLate = !isSilent && result.reason === "status_unchecked";
  box.append(element("p", `${say(isLate ? "clock" : "at", { at })} ${say("whose")}`, "soft"), actions());
  // What does not agree with the page is shown in full.
  if (mark !== "good" && (state === "active" || isWrong)) place.parentNode.open = true;
  show(box);
}

function actions() {
  const button = element("button", say("button")), paragraph = element("p", "", "actions");
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
  line.textContent = say("failed");
  show(element("p", say("failed_why", { why: error.message }), "is-open"));
}

start().catch(giveUp);
