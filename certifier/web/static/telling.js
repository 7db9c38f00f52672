// A verification in words for people. Texts only, never markup: what a certificate says is foreign.

import { say } from "./say.js";

export function element(kind, text = "", className = "") {
  return Object.assign(document.createElement(kind), { textContent: text, className });
}

export const linkTo = (address, text) => Object.assign(element("a", text), { href: address });

// Names and what stands beside them; a name without any is left out.
export function facts(rows) {
  const list = element("dl", "", "facts");
  for (const [name, text] of rows) {
    if (!text) continue;
    const row = element("div"), value = element("dd");
    value.append(text);
    row.append(element("dt", say(name)), value);
    list.append(row);
  }
  return list;
}

// A time of this device, with its date and zone.
export const clock = (moment) =>
  new Date(moment).toLocaleString(document.documentElement.lang, { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" });

// Why a verdict is what it is, in the language of the page.
export const reasonOf = ({ reason, because }, words) => words.because[reason] ?? because;

export const isDone = ({ verdict }) => verdict === "valid" || verdict === "valid_with_warnings";

export const markOf = ({ verdict }) => ({ not_valid: "bad", cannot_tell: "open" })[verdict] ?? "good";

// What was checked, in one line; a print alone knows no title.
export function lineOf({ verdict, certificate }, { outcomes }) {
  const { title, artist, assessed_g_per_min: most, outcome, code } = certificate;
  const before = { not_valid: "then", cannot_tell: "now" }[verdict], line = element("p", before && `${say(before)} `);
  if (title) line.append(element("bdi", title), ` ${say("by")} `, element("bdi", artist), " · ");
  line.append(`${say("figure", { g: most })} · ${outcomes[outcome] ?? outcome} · `, element("code", code));
  return line;
}

// One line for each axis: its name, what is the case, and what was found where it is not good.
export function axesOf({ checks }, { axes, values }) {
  const list = element("ul", "", "axes");
  for (const { axis, value, found, expected } of checks) {
    const [mark, said] = values[value] ?? ["open", value], line = element("li");
    line.append(element("span", `${axes[axis]}: ${said}`, `is-${mark}`));
    if (mark !== "good" && found && value !== "not_checked") {
      line.append(element("span", expected && found !== expected ? say("expected", { found, expected }) : found, "soft"));
    }
    list.append(line);
  }
  return list;
}

// Whether all is well but for the status, which was only known for a time that is over.
export const isOnlyAged = ({ verdict, reason, axes }) =>
  verdict === "cannot_tell" && reason === "status_unchecked" && axes.validity !== "unchecked" && axes.standard_state !== "unknown";
