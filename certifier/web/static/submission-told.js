// What the service answered to a submission or a check, in words for people. Texts only, never markup.

import { questionOf } from "./answers.js";
import { say } from "./say.js";
import { element, facts, linkTo } from "./telling.js";

const SHOWN_RULES = 6, TEN_GRAMS = 10;
// What the service calls a place, and the question that it was answered in.
const QUESTIONS = {
  "/track/title": "q-title", "/track/artist": "q-artist", "/track/isrc": "q-isrc", "/track/created_at": "q-finished",
  "/models/0/name": "q-model", "/models/0/version": "q-version", "/generation/takes": "q-takes", "/generation/generated_minutes": "q-minutes",
  "/activities/0/tool/name": "q-reader", "/activities/0/energy_kwh": "q-kwh", "/activities/0/duration_s": "q-run",
};
const FILES = { audio: "audio", report: "report", logs: "logs", contact: "contact", "/track/audio_sha256": "audio" };

const paragraph = (text, className) => element("p", text, className);

// A decision that was not kept: the outcome first, then what stands in the way, then where the figure comes from.
export function toldCheck(view, words, isDeclared, earlier) {
  const [headline] = words.decisions[view.outcome], isRefused = view.outcome === "none", isStatement = view.outcome === "disclosed";
  const parts = [paragraph(say("checked-only"), "kicker"), element("h2", isRefused ? say("would-refuse") : isStatement ? say("would-state") : say("would-be", { outcome: headline }))];
  if (view.assessed_g_per_min) {
    const figure = element("p", "", "figure");
    figure.append(element("span", say("at-most"), "atmost"), " ", element("b", view.assessed_g_per_min), " ", element("span", say("unit"), "unit"));
    parts.push(figure, paragraph(say("estimate", { g: view.central_g_per_min }), "estimate"));
  }
  const failed = view.findings.filter(({ outcome, level }) => outcome === "fail" && level === "must");
  const blocking = failed.filter(({ gates }) => gates === "all");
  if (isRefused) parts.push(paragraph(say("limits", words.limits)), element("h3", say("why-refused")), rules(blocking, earlier), ...changes(view.levers));
  if (isStatement) parts.push(paragraph(say("statement-means"), "lead"), ...label(words));
  if (!isRefused && !isStatement) parts.push(paragraph(words.decisions[view.outcome][1], "lead"));
  if (view.footprint) parts.push(stages(view.footprint, words));
  const better = failed.filter(({ gates }) => gates !== "all");
  if (!isRefused && !isDeclared && better.length) parts.push(folded(say("better-needs"), rules(better)));
  return parts;
}

function label(words) {
  const more = paragraph("");
  more.append(linkTo("/scheme", say("who-does")));
  const steps = element("ul");
  steps.append(element("li", say("label-measured", words.limits)), element("li", say("label-class-1", words.limits)));
  return [element("h3", say("label-needs")), steps, more];
}

// `earlier` links to the certificate that a file has already.
function rules(findings, earlier) {
  const list = element("ul", "", "rules");
  for (const { rule, title, found, advice } of findings) {
    const item = element("li", "", "rule rule-fail rule-must"), head = element("p", "", "rule-head");
    head.append(element("b", title), " ", element("code", rule));
    item.append(head, facts([["found", found], ["to-do", advice]]));
    if (earlier && rule === "INT-09") item.append(earlier());
    list.append(item);
  }
  return list;
}

// Which changes would lift it: several together, else each that would do alone.
function changes(levers) {
  if (!levers) return [];
  const alone = levers.levers.filter(({ reaches }) => reaches).map(({ sentence }) => sentence).slice(0, SHOWN_RULES);
  const together = (levers.path?.steps ?? []).map(({ sentence }) => sentence);
  const sentences = alone.length ? alone : together;
  if (!sentences.length) return [];
  const list = element("ul");
  list.append(...sentences.map((sentence) => element("li", sentence)));
  return [element("h3", say(alone.length ? "any-would-do" : "together-would-do")), list];
}

function stages({ stages: parts }, words) {
  const table = element("table", "", "numbers"), body = element("tbody"), head = element("tr");
  head.append(column(say("stage")), column(say("grams"), "num"));
  const shown = parts.filter(({ assessed_g_per_min: most }) => Number(most) > 0).sort((a, b) => b.assessed_g_per_min - a.assessed_g_per_min);
  for (const { stage, assessed_g_per_min: most } of shown) {
    const row = element("tr"), name = element("th", words.stages[stage] ?? stage);
    name.scope = "row";
    row.append(name, element("td", Number(most).toFixed(Number(most) < TEN_GRAMS ? 2 : 1), "num"));
    body.append(row);
  }
  const top = element("thead");
  top.append(head);
  table.append(top, body);
  return folded(say("comes-from"), table, true);
}

function column(text, className = "") {
  const cell = element("th", text, className);
  cell.scope = "col";
  return cell;
}

function folded(words, content, isOpen = false) {
  const box = element("details");
  box.open = isOpen;
  box.append(element("summary", words), content);
  return box;
}

// A problem (RFC 9457): what, and each place with what was found, what is expected, what to do.
export function toldProblem(problem, isDeclared) {
  const parts = [element("h2", problem.title), paragraph(problem.detail)];
  for (const { pointer, found, expected, hint } of problem.errors ?? []) {
    parts.push(facts([["where", pointedAt(pointer, isDeclared)], ["found", found], ["expected", expected], ["to-do", hint]]));
  }
  if (problem.request_id) parts.push(paragraph(say("request", { id: problem.request_id }), "soft"));
  return parts;
}

function pointedAt(pointer, isDeclared) {
  if (!pointer) return "";
  const id = (isDeclared && QUESTIONS[pointer]) || FILES[pointer];
  return id && document.getElementById(id) ? linkTo(`#${id}`, questionOf(id)) : pointer;
}

// What is wrong before anything is sent, each with a link to its place.
export function toldWrong(wrong) {
  const list = element("ul");
  for (const [id, words] of wrong) {
    const item = element("li");
    item.append(linkTo(`#${id}`, questionOf(id)), ` – ${words}`);
    list.append(item);
  }
  return [element("h2", say(wrong.length === 1 ? "one-to-mend" : "some-to-mend", { n: wrong.length })), list];
}
