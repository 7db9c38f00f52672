// The questions of the form for a self-declared report: what is asked now, what was answered, what is missing.

import { localTime, secondsOf } from "./declared-report.js";
import { say } from "./say.js";

const MEMORY = "lcal-submit-answers", CHOICES = new Set(["radio", "checkbox"]);
const asked = (root) => [...root.querySelectorAll("[data-answer]")];
const DECIMAL = /^\d{1,9}([.,]\d{1,9})?$/, WHOLE = /^\d{1,6}$/;

// Shows the questions that follow from the answers so far; hidden ones are not asked.
export function askWhatFollows(root) {
  for (const part of root.querySelectorAll("[data-when]")) {
    part.hidden = !part.dataset.is.split(" ").includes(valueOf(root, part.dataset.when)) || part.parentElement.closest("[data-when][hidden]") !== null;
  }
}

function valueOf(root, name) {
  const fields = asked(root).filter((field) => field.dataset.answer === name);
  return (fields.find((field) => field.type !== "radio" || field.checked) ?? { value: "" }).value.trim();
}

// Whether a question stands open: nothing inside the form's part hides it, whatever step is on the screen.
export function isAsked(field) {
  const root = field.closest("#make"), hider = field.closest("[hidden]");
  return hider === null || hider === root || !root.contains(hider);
}

// Every answer by its name, numbers with a point; a question that is not asked has none.
export function answersIn(root) {
  const answers = { parts: [], watts: chosen(root, "device").dataset.watts };
  for (const field of asked(root).filter((field) => isAsked(field))) {
    const { answer } = field.dataset;
    if (field.type === "checkbox") {
      if (field.checked) answers[answer].push(field.value);
    } else if (field.type !== "radio" || field.checked) {
      answers[answer] = field.inputMode === "decimal" ? plainNumber(field.value) : field.value.trim();
    }
  }
  answers.country = chosen(root, "region").dataset.country ?? answers.country;
  return answers;
}

const plainNumber = (text) => text.trim().replace(",", ".");

function chosen(root, name) {
  const select = root.querySelector(`select[data-answer="${name}"]`);
  return isAsked(select) ? select.selectedOptions[0] ?? select : select.options[0];
}

// What is wrong with the answers: [id of the question, what to do]; in the order of the form.
export function wrongAnswers(root, now) {
  const wrong = [];
  for (const field of root.querySelectorAll("[data-needed]")) {
    if (isAsked(field) && !field.value.trim()) wrong.push([field.id, say(field.validity.badInput ? "needs-date" : "needs-answer")]);
  }
  for (const group of root.querySelectorAll("[data-group], [data-several]")) {
    if (isAsked(group) && !group.querySelector(":checked")) wrong.push([group.id, say(group.dataset.several ? "needs-tick" : "needs-choice")]);
  }
  const a = answersIn(root), bad = (name, text) => wrong.push([`q-${name}`, say(text)]);
  const isGiven = (name) => a[name] !== undefined && a[name] !== "";
  if (isGiven("takes") && !(WHOLE.test(a.takes) && Number(a.takes) > 0)) bad("takes", "needs-whole");
  if (isGiven("count") && !(WHOLE.test(a.count) && Number(a.count) > 0)) bad("count", "needs-whole");
  for (const name of ["minutes", "kwh"]) {
    if (isGiven(name) && !(DECIMAL.test(a[name]) && Number(a[name]) > 0)) bad(name, "needs-number");
  }
  for (const [name, first, second] of [["audible-length", "audible-min", "audible-s"], ["run", "hours", "run-min"]]) {
    if (a[first] !== undefined && !isLength(a[first], a[second])) bad(name, "needs-length");
  }
  if (a.parts.length === 1 && a.parts[0] === "lyrics") bad("parts", "lyrics-alone");
  if (a.trained === "own") bad("trained", "own-model");
  for (const name of ["finished", "first-day", "last-day"]) {
    if (isGiven(name) && localTime(`${a[name]}T00:00`) > now) bad(name, "in-future");
  }
  if (a["first-day"] > a["last-day"] && isGiven("last-day")) bad("last-day", "before-first");
  if (isGiven("started") && isLength(a.hours, a["run-min"]) && localTime(a.started) + 1000 * secondsOf(a) > now) bad("started", "ends-in-future");
  const order = [...root.querySelectorAll("[id^=q-]")].map((each) => each.id);
  return wrong.sort(([one], [two]) => order.indexOf(one) - order.indexOf(two));
}

// Two whole numbers, one of which may be left out, that are more than nothing.
export const isLength = (first, second) => /^\d{0,5}$/.test(first) && /^\d{0,5}$/.test(second) && Number(first) + Number(second) > 0;

// Marks the questions that are wrong, each beside its own field, and takes marks away that are not true any more.
export function mark(root, wrong) {
  const said = new Map(wrong);
  for (const place of root.querySelectorAll(".q-error")) {
    const id = place.id.replace(/-error$/, ""), field = document.getElementById(id);
    place.textContent = said.get(id) ?? "";
    place.hidden = !said.has(id);
    if (field?.matches("input, select")) field.setAttribute("aria-invalid", String(said.has(id)));
  }
}

// The words of a question, for a link that leads to it.
export function questionOf(id) {
  const field = document.getElementById(id), label = field.querySelector("legend") ?? document.querySelector(`label[for="${id}"]`);
  return label.firstChild.textContent.trim() || label.textContent.trim();
}

// Answers outlast a reload of the page, and end with the tab.
export function remember(root) {
  const kept = asked(root).map((field) => (CHOICES.has(field.type) ? field.checked : field.value));
  try {
    sessionStorage.setItem(MEMORY, JSON.stringify(kept));
  } catch {
    // a browser that keeps nothing
  }
}

// Puts remembered answers back; whether there were any.
export function recall(root) {
  const fields = asked(root);
  let kept;
  try {
    kept = JSON.parse(sessionStorage.getItem(MEMORY));
  } catch {
    return false;
  }
  if (kept?.length !== fields.length) return false;
  fields.forEach((field, place) => { field[CHOICES.has(field.type) ? "checked" : "value"] = kept[place]; });
  return true;
}
