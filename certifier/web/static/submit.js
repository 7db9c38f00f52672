// Leads through a submission in three steps: the track, its report, the check and the sending. Without this script the form works
// as it is, with a report that was made elsewhere.

import { canSign, forgetKey, keepKey, keptKey, keyOfPem, newKey, pemOf } from "./applicant-key.js";
import { answersIn, askWhatFollows, isAsked, isLength, mark, recall, remember, wrongAnswers } from "./answers.js";
import { secondsIn } from "./audio-file.js";
import { Refused } from "./bytes.js";
import { essenceOf, hashOf } from "./essence.js";
import { declaredReport, payloadFor, randomId, signedEnvelope } from "./declared-report.js";
import { learn, say } from "./say.js";
import { toldCheck, toldProblem, toldWrong } from "./submission-told.js";
import { element, facts, linkTo } from "./telling.js";

const SIGNED = "lcal-submit-signed", STEPS = ["step-track", "step-report", "step-send"];
const page = JSON.parse(document.getElementById("brought").textContent);
const at = (id) => document.getElementById(id);
const form = at("submit"), failed = at("failed"), told = at("told"), audio = at("audio"), make = at("make"), send = at("send"), checking = at("check");

let track = null; // { file, sha256, essence, seconds, earlier } of the chosen file, once it was read; `earlier` is a link to its certificate
let key = null, signs = false;
let signed = null; // { name, envelope, about } of the report that was made here
let reached = 0;

learn(page.says);
start();

async function start() {
  form.noValidate = true;
  history.replaceState(null, "", location.pathname);
  for (const part of document.querySelectorAll("#stops, #how, #check, .stepping")) part.hidden = false;
  at("q-how-ready").checked = true;
  recall(form);
  signs = await canSign();
  key = signs ? await keptKey() : null;
  if (!signs) {
    at("q-how-ready").checked = true;
    at("cannot-sign").hidden = false;
  } else if (!sessionStorage.getItem("lcal-submit-answers")) {
    at("q-how-make").checked = true;
  }
  follow();
  tellKey();
  show(0, false);
}

// --- steps ---

const isDeclared = () => at("q-how-make").checked && signs;

function follow() {
  make.hidden = make.disabled = !isDeclared();
  at("ready").hidden = at("q-how-make").checked;
  askWhatFollows(make);
  const region = at("q-region"), country = at("q-country").value;
  at("country-asked").hidden ||= isAsked(region) && region.value !== "";
  const parts = [...at("q-subdivision").options].filter((option) => option.dataset.country);
  for (const option of parts) option.hidden = option.disabled = option.dataset.country !== country;
  at("subdivision-asked").hidden = !parts.some((option) => !option.hidden);
  if (at("q-subdivision").selectedOptions[0]?.hidden) at("q-subdivision").value = "";
}

function show(number, takesFocus = true) {
  STEPS.forEach((id, place) => { at(id).hidden = place !== number; });
  document.querySelectorAll("#stops a").forEach((link, place) => {
    link.toggleAttribute("aria-current", place === number);
    if (place === number) link.setAttribute("aria-current", "step");
    link.parentElement.classList.toggle("over", place < number);
  });
  document.querySelector(".lead").hidden = number > 0;
  failed.hidden = told.hidden = true;
  if (!takesFocus) return;
  at(STEPS[number]).querySelector("h2").focus({ preventScroll: true });
  form.scrollIntoView();
}

// The step in the address, as far as one has come; a place within a step leads to it.
addEventListener("hashchange", () => {
  const target = at(location.hash.slice(1));
  const number = STEPS.findIndex((id) => target && at(id).contains(target));
  if (number < 0) return;
  if (number > reached) return location.replace(`#${STEPS[reached]}`);
  const isStep = STEPS.includes(target.id);
  show(number, isStep);
  if (!isStep) goTo(target);
});

failed.addEventListener("click", (event) => {
  const target = at(event.target.closest("a[href^='#']")?.hash.slice(1) ?? "");
  if (!target) return;
  event.preventDefault();
  const words = [...failed.childNodes], number = STEPS.findIndex((id) => at(id).contains(target));
  if (at(STEPS[number]).hidden) show(number, false);
  failed.replaceChildren(...words);
  failed.hidden = false;
  goTo(target);
});

function goTo(target) {
  const field = target.matches("fieldset") ? target.querySelector("input") ?? target : target;
  field.focus();
  target.scrollIntoView({ block: "center" });
}

for (const button of document.querySelectorAll("[data-next]")) {
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await goOn(button.dataset.next);
    } finally {
      button.disabled = false;
    }
  });
}

async function goOn(next) {
  const number = STEPS.indexOf(next), wrong = number === 1 ? wrongTrack() : wrongReport();
  if (refused(wrong)) return;
  if (number === 2 && isDeclared()) await makeReport();
  reached = Math.max(reached, number);
  if (number === 2) summarise();
  location.hash = next;
}

// Tells what has to be mended, all of it at once; whether there is anything.
function refused(wrong) {
  mark(form, wrong);
  if (!wrong.length) {
    failed.hidden = true;
    return false;
  }
  if (wrong.length === 1) goTo(at(wrong[0][0]));
  else fail(toldWrong(wrong));
  return true;
}

form.addEventListener("input", (event) => {
  if (event.target.matches("[data-answer]")) remember(form);
  follow();
  changed();
  const place = at(`${(event.target.closest("fieldset.q") ?? event.target).id}-error`);
  if (place) place.hidden = true;
  event.target.removeAttribute("aria-invalid");
});

// What was found about other files or answers counts no more.
function changed() {
  told.hidden = failed.hidden = true;
  sending = null;
}

// --- the track ---

audio.addEventListener("change", readTrack);

async function readTrack() {
  const [file] = audio.files, remark = at("track-remark"), list = at("track-facts"), bar = at("hashed");
  track = null;
  reached = 0;
  remark.hidden = list.hidden = at("length-asked").hidden = true;
  if (!file) return;
  mark(form, file.size > page.most_bytes ? [["audio", say("too-large", { size: inMb(file.size), most: inMb(page.most_bytes) })]] : file.size ? [] : [["audio", say("empty")]]);
  if (!file.size || file.size > page.most_bytes) return;
  bar.hidden = false;
  let sha256, essence, seconds;
  try {
    seconds = await secondsIn(file);
    sha256 = await hashOf(file, (share) => { bar.value = share / 2; });
    essence = await essenceIn(file, (share) => { bar.value = 0.5 + share / 2; });
  } catch {
    mark(form, [["audio", say("unreadable")]]);
    return;
  } finally {
    bar.hidden = true;
  }
  if (file !== audio.files[0]) return;
  track = { file, sha256, essence, seconds };
  at("length-asked").hidden = seconds !== null;
  list.replaceWith(Object.assign(facts([["file", file.name], ["length", seconds && clockOf(seconds)], ["size", say("mb", { mb: inMb(file.size) })], ["sha256", hashed(sha256)]]), { id: "track-facts", className: "facts track-facts" }));
  at("track-facts").setAttribute("aria-live", "polite");
  if (seconds !== null && Number(seconds) < 15) tellTrack(say("too-short"));
  else await tellEarlier(file, sha256);
}

// The digest of the samples, where a browser can work it out: of plain WAV.
async function essenceIn(file, tell) {
  try {
    return await essenceOf(file, tell);
  } catch (error) {
    if (error instanceof Refused) return null;
    throw error;
  }
}

const hashed = (sha256) => Object.assign(element("code", `${sha256.slice(0, 16)}…`), { title: sha256 });

const inMb = (bytes) => (bytes / 1e6).toFixed(bytes < 1e6 ? 2 : 1);

const clockOf = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

function tellTrack(...words) {
  at("track-remark").replaceChildren(...words);
  at("track-remark").hidden = false;
}

// A file that has its certificate already: said before the questions, since it gets no second one.
async function tellEarlier(file, sha256) {
  let found;
  try {
    const answer = await fetch(`/api/v1/certificates?sha256=${sha256}`, { cache: "no-cache" });
    found = answer.ok ? (await answer.json()).items[0] : null;
  } catch {
    return;
  }
  if (!found || file !== audio.files[0]) return;
  track.earlier = () => linkTo(found.links.page, say("earlier-link", { code: found.code }));
  tellTrack(`${say("earlier")} `, track.earlier());
}

function wrongTrack() {
  if (!audio.files.length) return [["audio", say(at("q-title").value ? "file-again" : "needs-file")]];
  if (!track) return [["audio", at("hashed").hidden ? at("audio-error").textContent || say("unreadable") : say("still-reading")]];
  if (track.seconds === null || !at("length-asked").hidden) {
    const [minutes, seconds] = [at("q-length-min").value.trim(), at("q-length-s").value.trim()];
    if (!isLength(minutes, seconds)) return [["q-length", say("needs-length")]];
    track.seconds = String(60 * Number(minutes) + Number(seconds));
  }
  return [];
}

// --- the report ---

function wrongReport() {
  const wrong = wrongTrack();
  if (wrong.length) return wrong;
  if (at("q-how-make").checked) return signs ? wrongAnswers(make, Date.now()) : [["q-how", say("cannot-sign")]];
  return at("report").files.length ? [] : [["report", say("needs-report")]];
}

// The report is made once for the same answers about the same file: sent again, it gets the same answer.
async function makeReport() {
  if (!key) {
    key = await newKey();
    key.isKept = await keepKey(key);
    key.isNew = true;
    tellKey();
  }
  const answers = answersIn(make), about = JSON.stringify([answers, track.sha256, track.seconds, key.did]);
  signed ??= remembered();
  if (signed?.about === about) return;
  const id = randomId(), report = declaredReport(answers, track, { did: key.did, id, standard: page.standard, now: Date.now() });
  signed = { about, envelope: await signedEnvelope(payloadFor(report, track.file.name, track.essence), key), name: id };
  sending = null;
  try {
    sessionStorage.setItem(SIGNED, JSON.stringify(signed));
  } catch {
    // a browser that keeps nothing
  }
}

function remembered() {
  try {
    return JSON.parse(sessionStorage.getItem(SIGNED));
  } catch {
    return null;
  }
}

function tellKey() {
  at("forget-key").hidden = !key;
  if (!key) at("key-said").textContent = say("no-key");
  else if (key.isKept === false) at("key-said").replaceChildren(`${say("key-unkept")} `, element("code", key.did));
  else at("key-said").replaceChildren(`${say(key.isNew ? "key-made" : "key-kept")} `, element("code", key.did));
}

at("key-file").addEventListener("change", async () => {
  const [file] = at("key-file").files;
  if (!file) return;
  try {
    key = await keyOfPem(await file.text());
    key.isKept = await keepKey(key);
    tellKey();
    mark(at("key"), []);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    mark(at("key"), [["key-file", say(error.message === "encrypted" ? "key-encrypted" : "key-unreadable")]]);
  }
});

at("forget-key").addEventListener("click", async () => {
  await forgetKey();
  key = null;
  tellKey();
});

at("save-key").addEventListener("click", async () => {
  save(await pemOf(key), "my-key.pem", "application/x-pem-file");
  at("saved").textContent = say("key-saved");
});

at("save-report").addEventListener("click", () => {
  save(signed.envelope, "report.dsse.json", "application/json");
  at("saved").textContent = say("report-saved");
});

function save(text, name, type) {
  const link = Object.assign(element("a"), { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// --- check and send ---

function summarise() {
  const list = at("summary"), report = at("report").files[0], logs = [...at("logs").files].map(({ name }) => name).join(", ");
  const rows = isDeclared()
    ? [["title", at("q-title").value], ["artist", at("q-artist").value], ["report-kind", say("self-declared")], ["key", element("code", key.did)]]
    : [["report-kind", report.name], ["logs", logs || say("no-logs")]];
  list.replaceChildren(...facts([["file", `${track.file.name} (${clockOf(track.seconds)})`], ...rows]).children);
  list.hidden = false;
  at("own-files").hidden = !isDeclared();
}

let sending = null; // the name of this submission, the same as long as its content is the same

checking.addEventListener("click", () => ask("/api/v1/report-checks"));

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask("/api/v1/submissions");
});

function content() {
  const data = new FormData();
  if (isDeclared()) data.append("report", new Blob([signed.envelope], { type: "application/json" }), "report.dsse.json");
  else data.append("report", at("report").files[0]);
  if (!isDeclared()) for (const log of at("logs").files) data.append("logs", log);
  data.append("contact", at("contact").value);
  data.append("audio", track.file);
  return data;
}

async function ask(path) {
  if (refused(wrongReport())) return;
  if (isDeclared()) await makeReport();
  const request = new XMLHttpRequest(), bar = at("bytes");
  request.open("POST", path);
  request.setRequestHeader("Accept", "application/json");
  if (path === "/api/v1/submissions") request.setRequestHeader("Idempotency-Key", (sending ??= `${randomId()}${randomId()}`));
  request.upload.addEventListener("progress", ({ loaded, total }) => {
    bar.max = total;
    bar.value = loaded;
    at("bytes-said").textContent = say("sent", { done: inMb(loaded), all: inMb(total) });
  });
  request.upload.addEventListener("load", () => going("judged"));
  request.addEventListener("load", () => finish(request, path));
  request.addEventListener("error", () => stop([element("h2", say("lost")), element("p", say(path === "/api/v1/submissions" ? "lost-means" : "lost-check")), again(path)]));
  failed.hidden = told.hidden = true;
  send.disabled = checking.disabled = true;
  bar.value = 0;
  at("bytes-said").textContent = "";
  at("progress").hidden = false;
  going("sent");
  at("progress").scrollIntoView({ block: "nearest" });
  request.send(content());
}

function going(name) {
  let state = "over";
  for (const step of document.querySelectorAll(".track li")) {
    if (step.id === `going-${name}`) state = "now";
    step.className = state;
    if (state === "now") state = "";
  }
}

function finish(request, path) {
  let answer;
  try {
    answer = JSON.parse(request.responseText);
  } catch {
    return stop([element("h2", say("no-answer")), element("p", say("no-answer-means", { status: request.status })), again(path)]);
  }
  if (request.status === 503) {
    const seconds = request.getResponseHeader("Retry-After");
    return stop([...toldProblem(answer, isDeclared()), element("p", seconds ? say("busy-until", { s: seconds }) : say("busy")), again(path)]);
  }
  if (request.status >= 400) return stop(toldProblem(answer, isDeclared()));
  going("done");
  if (path !== "/api/v1/submissions") return tellCheck(answer);
  if (!answer.duplicate) return location.assign(answer.links.page);
  const link = element("p");
  link.append(linkTo(answer.links.page, say("earlier-decision")));
  rest();
  told.replaceChildren(element("h2", say("duplicate")), element("p", say("duplicate-means")), link);
  reveal(told);
}

function tellCheck(view) {
  rest();
  told.replaceChildren(...toldCheck(view, page.words, isDeclared(), track.earlier));
  told.className = `wizard-told decision decision-${view.outcome}`;
  const buttons = element("p", "", "actions"), sure = element("button", say(view.outcome === "none" ? "submit-anyway" : "submit-now")), back = linkTo("#step-report", say("change"));
  sure.type = "submit";
  if (view.outcome === "none") sure.className = "quiet";
  buttons.append(sure, back);
  told.append(buttons);
  reveal(told);
}

function again(path) {
  const button = element("button", say("again"));
  button.type = "button";
  button.addEventListener("click", () => ask(path));
  const line = element("p", "", "actions");
  line.append(button);
  return line;
}

function rest() {
  send.disabled = checking.disabled = false;
  at("progress").hidden = true;
}

function stop(parts) {
  rest();
  fail(parts);
}

function fail(parts) {
  told.hidden = true;
  failed.replaceChildren(...parts);
  reveal(failed);
}

function reveal(box) {
  box.hidden = false;
  box.focus({ preventScroll: true });
  box.scrollIntoView({ block: "start" });
}

for (const field of document.querySelectorAll(".drop")) {
  const input = field.querySelector("input");
  for (const kind of ["dragover", "dragleave", "drop"]) {
    field.addEventListener(kind, (event) => {
      event.preventDefault();
      field.classList.toggle("over", kind === "dragover");
      if (kind !== "drop") return;
      input.files = event.dataTransfer.files;
      input.dispatchEvent(new Event("input", { bubbles: true }));
      input.dispatchEvent(new Event("change"));
    });
  }
}
