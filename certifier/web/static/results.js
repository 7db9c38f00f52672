// Answers on the page Verify, in words. Texts only, never markup: what a certificate says is foreign.

import { say } from "./say.js";
import { axesOf, clock, element, markOf, reasonOf } from "./telling.js";

// A sentence whose places are filled with elements.
const piecesOf = (sentence, parts) => sentence.split(/\{(\w+)\}/).map((piece, at) => (at % 2 ? parts[piece] : piece));

export function paragraph(text, className = "") {
  return element("p", text, className);
}

export function buttonFor(text, act) {
  const button = element("button", text, "quiet");
  button.type = "button";
  button.addEventListener("click", act);
  return button;
}

export function actionsOf(...parts) {
  const line = element("p", "", "actions");
  line.append(...parts);
  return line;
}

// A box with what was given, a headline, and whatever follows.
export function noticeOf(name, headline, parts, verdict = "") {
  const box = element("article", "", verdict ? `verdict verdict-${verdict} answer` : "verdict verdict-cannot_tell answer notice-box"), kicker = element("p", "", "kicker"), title = element("h2", headline, verdict && `is-${markOf({ verdict })}`);
  box.tabIndex = -1;
  kicker.append(element("bdi", name));
  box.append(kicker, title, ...parts);
  return box;
}

// The whole answer to a certificate: verdict, reason, what it says, every check, and where to read more.
export function answerOf(name, result, words, { by, notes = [], more = [] }) {
  const { verdict, certificate } = result, parts = [paragraph(reasonOf(result, words), "lead")];
  if (certificate) parts.push(...claimOf(certificate, verdict, words));
  parts.push(axesOf(result, words), ...notes, paragraph(`${by} ${say("at", { time: clock(Date.now()) })}`, "soft"));
  if (more.length) parts.push(actionsOf(...more));
  return noticeOf(name, words.verdicts[verdict], parts, verdict);
}

function claimOf({ title, artist, assessed_g_per_min: most, outcome, code }, verdict, words) {
  const line = element("p", "", "claim"), named = words.outcomes[outcome] ?? outcome;
  const opening = { not_valid: "said_then", cannot_tell: "says_so" }[verdict];
  if (opening) line.append(`${say(opening)} `);
  const parts = { title: element("b"), artist: element("bdi", artist), most: element("b", most), outcome: named, code: element("code", code) };
  parts.title.append(element("bdi", title));
  line.append(...piecesOf(say(title ? "claim" : "claim_of_print"), parts));
  return [line];
}
