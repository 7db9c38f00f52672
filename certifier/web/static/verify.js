// The page Verify: whatever somebody gives is told apart by what it is and checked on their own machine. What only the service can
// do is offered, and nothing is sent before somebody says so. Without this script the forms of the page do the same over there.

import { cameraFault, cameraHindrance, watchCamera } from "./camera.js";
import { openCertificate } from "./certificate.js";
import { check, checkPrint } from "./check.js";
import { displayCode } from "./code.js";
import { essenceOf, hashOf } from "./essence.js";
import { kindOfBytes, kindOfText } from "./kinds.js";
import { qrReader, textInPicture } from "./qr.js";
import { answerOf, actionsOf, buttonFor, noticeOf, paragraph } from "./results.js";
import { learn, say } from "./say.js";
import { element, linkTo } from "./telling.js";

const MOST = 1024 * 1024, PATIENCE = 8000;
const MAGIC_NAMES = /^(pdf|zip|gzip|midi|caf|mp4)$/; // formats that the first bytes tell
const SENDING = 300_000; // milliseconds for an audio file that the service is to read
const { host, places, trust, words, says, reader: jsQrAddress } = JSON.parse(document.getElementById("brought").textContent);
const byId = (id) => document.getElementById(id);
const textForm = byId("by-text"), fileForm = byId("by-files"), field = byId("given"), files = byId("files");
const status = byId("status"), results = byId("results"), video = byId("video");

learn({ ...words.says, ...says });

// -- what is given ----------------------------------------------------------------------------------------------------

textForm.addEventListener("submit", (event) => {
  event.preventDefault();
  if (field.value.trim()) run(async () => [{ title: say("pasted"), ...kindOfText(field.value) }]);
});
fileForm.addEventListener("submit", (event) => {
  event.preventDefault();
  takeFiles(files.files);
});
files.addEventListener("change", () => takeFiles(files.files));
document.addEventListener("paste", (event) => takeFiles(event.clipboardData.files));
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    fileForm.classList.toggle("over", kind === "dragover");
    if (kind === "drop") takeFiles(event.dataTransfer.files);
  });
}

function takeFiles(given) {
  const chosen = [...given];
  files.value = ""; // so that the same file can be chosen again
  if (chosen.length) run(() => Promise.all(chosen.map(openedFile)));
}

async function openedFile(file) {
  try {
    const bytes = new Uint8Array(await file.slice(0, file.size > MOST ? 64 : MOST).arrayBuffer()), told = kindOfBytes(bytes);
    const isRead = file.size <= MOST || told.kind === "audio" || told.kind === "image" || MAGIC_NAMES.test(told.format);
    return { title: file.name, file, ...(isRead ? told : { kind: "stranger", format: "large" }) };
  } catch {
    return { title: file.name, kind: "stranger", format: "unreadable" };
  }
}

let running = 0;

// Answers one by one, each in its own box; what is given meanwhile takes over.
async function run(open) {
  const turn = (running += 1), isLate = () => turn !== running;
  results.replaceChildren();
  status.textContent = say("reading");
  const given = await open();
  let first = null;
  for await (const box of answersTo(given, (told) => isLate() || (status.textContent = told))) {
    if (isLate()) return;
    results.append(box);
    first ??= box;
  }
  if (isLate()) return;
  status.textContent = "";
  first?.focus();
}

// -- answers ----------------------------------------------------------------------------------------------------------

async function* answersTo(all, tell) {
  const of = (kind) => all.filter((each) => each.kind === kind);
  const certificates = of("certificate"), sounds = of("audio"), lists = Object.fromEntries(of("list").map(({ url, bytes }) => [url, bytes]));
  const beside = { trust: of("trust")[0]?.bytes, proofs: of("proof").map(({ bytes }) => bytes), lists };
  beside.isShort = !beside.proofs.length || certificates.length > beside.proofs.length;
  for (const sound of sounds) sound.sha256 = await hashOf(sound.file, (share) => tell(say("hashing", { name: sound.title, percent: Math.round(100 * share) })));
  const isCompared = certificates.length > 0;
  for (const each of all) {
    const answer = { audio: isCompared ? null : answerToAudio, certificate: answerToCertificate, baked: answerToBadge, image: answerToPicture, scan: answerToScan, code: answerToCode, digest: answerToDigest, mistyped: mistypedOf, stranger: strangerOf }[each.kind];
    if (answer) yield await guarded(each, async () => answer(each, { ...beside, sounds, tell }));
  }
  if (all.length && all.every(({ kind }) => ["proof", "list", "trust"].includes(kind))) {
    yield noticeOf(all.map(({ title }) => title).join(", "), say("only_beside"), [paragraph(say("only_beside_more"))]);
  }
}

async function guarded({ title }, answer) {
  try {
    return await answer();
  } catch (error) {
    return noticeOf(title, say("cannot_check"), [paragraph(say("because", { why: error.message }))]);
  }
}

const mistypedOf = ({ title }) => noticeOf(title, say("mistyped"), [paragraph(say("mistyped_more"))]);

const strangerOf = ({ title, format }) => noticeOf(title, say("stranger"), [paragraph(say(`is_${format}`)), paragraph(say("taken"), "soft")]);

const pageOf = (code) => linkTo(`/v/${code.replace(/-/g, "")}`, say("its_page"));

const keysOf = (given) => say(given ? "keys_given" : "keys_own");

async function answerToCode({ title, code, place }) {
  if (place && !places.includes(place) && place !== location.host) {
    return noticeOf(title, say("elsewhere"), [paragraph(say("elsewhere_more", { place }))]);
  }
  const material = await knownOf(code);
  if (!material.certificate) return noticeOf(title, say(material.failure), [paragraph(say(`${material.failure}_more`, { code: displayCode(code) }))]);
  const result = await check(material.certificate, material, Date.now());
  return answerOf(title, result, words, { by: `${say("by_browser")} ${keysOf()}`, more: [pageOf(code)] });
}

// What this site has for a code.
async function knownOf(code) {
  try {
    const answer = await fetch(`/v/${code}.check.json`, { cache: "no-cache", signal: AbortSignal.timeout(PATIENCE) });
    return answer.ok ? await answer.json() : { failure: answer.status === 404 ? "unknown_code" : "no_answer" };
  } catch {
    return { failure: "no_answer" };
  }
}

// `isShort`: there are fewer proofs than certificates, so the proof of this one may be none of them.
async function answerToCertificate({ title, bytes }, { proofs, isShort, lists, trust: given, sounds }) {
  const opened = await openCertificate(bytes), code = opened.compact?.code ?? /\/v\/([0-9A-Z]{10})$/.exec(opened.unsigned?.id ?? "")?.[1];
  if (opened.unsigned && !opened.prove) return offerOf(title, say("rdf"), say("rdf_more"), bytes, proofs[0], code);
  const lacks = !Object.keys(lists).length || (isShort && !opened.compact);
  const known = code && lacks && opened.issuer === host ? await knownOf(code) : {}, now = Date.now();
  const results = [];
  for (const proof of isShort ? [known.proof, ...proofs] : proofs) {
    for (const audio of sounds.length ? sounds.map(({ sha256 }) => ({ sha256 })) : [undefined]) {
      const material = { trust: given ?? trust, lists: { ...known.lists, ...lists }, proof, audio };
      results.push(opened.compact && known.certificate ? await checkPrint(bytes, known.certificate, material, now) : await check(bytes, material, now));
    }
  }
  // Of several proofs and recordings, those that belong to it.
  const fits = ({ axes }) => (axes.inclusion === "included") + (axes.binding === "sha256_match");
  const best = results.reduce((one, other) => (fits(other) > fits(one) ? other : one));
  const result = await withEssence(best, sounds, (audio) => check(bytes, { trust: given ?? trust, lists: { ...known.lists, ...lists }, proof: proofs[0] ?? known.proof, audio }, now));
  const notes = known.failure ? [paragraph(say(`${known.failure}_beside`), "is-open")] : [];
  const by = [say("by_browser"), keysOf(given), known.certificate ? say("rest_from_here") : ""].filter(Boolean).join(" ");
  return answerOf(title, result, words, { by, notes, more: code && opened.issuer === host && result.certificate ? [pageOf(code)] : [] });
}

// A file that is another one may hold the same samples.
async function withEssence(result, sounds, again) {
  if (result.axes.binding !== "mismatch" || sounds.length !== 1) return result;
  try {
    return await again({ sha256: sounds[0].sha256, essence_sha256: await essenceOf(sounds[0].file) });
  } catch {
    return result;
  }
}

async function answerToBadge({ title, bytes }, { proofs }) {
  return offerOf(title, say("badge"), say("badge_more"), bytes, proofs[0]);
}

// What only the service checks: it is sent when somebody says so.
function offerOf(title, headline, more, bytes, proof, code) {
  const send = buttonFor(say("send"), async () => {
    send.disabled = true;
    const decode = (raw) => (raw ? new TextDecoder().decode(raw) : undefined);
    const question = JSON.stringify({ credential: decode(bytes), proof: decode(proof) });
    box.replaceWith(await guarded({ title }, async () => {
      const result = await asked("/api/v1/verifications", question, { "Content-Type": "application/json" }, PATIENCE);
      return answerOf(title, result, words, { by: say("by_service"), more: result.certificate ? [pageOf(result.certificate.code)] : [] });
    }));
    results.querySelector(".answer")?.focus();
  });
  const box = noticeOf(title, headline, [paragraph(more), actionsOf(send, ...(code ? [pageOf(code)] : []))]);
  return box;
}

async function asked(address, body, headers, patience) {
  let answer;
  try {
    answer = await fetch(address, { method: "POST", body, headers: { Accept: "application/json", ...headers }, signal: AbortSignal.timeout(patience) });
  } catch {
    throw new Error(say("no_answer"));
  }
  const told = await answer.json();
  if (!answer.ok) throw new Error([told.detail, ...(told.errors ?? []).flatMap(({ found, expected, hint }) => [found, expected, hint])].filter(Boolean).join(" · "));
  return told;
}

async function answerToPicture({ title, file, bytes }, context) {
  const picture = file && file.type ? file : new Blob([bytes ?? file], { type: bytes ? "image/svg+xml" : "" });
  let read, text;
  try {
    read = await qrReader(jsQrAddress);
  } catch {
    return noticeOf(title, say("no_reader"), [paragraph(say("no_reader_more"))]);
  }
  try {
    text = await textInPicture(picture, read);
  } catch {
    return noticeOf(title, say("no_picture"), [paragraph(say("no_picture_more"))]);
  }
  return text ? answerToScan({ title, text }, context) : noticeOf(title, say("no_qr"), [paragraph(say("no_qr_more"))]);
}

// What a QR holds, handled as if it had been pasted.
async function answerToScan({ title, text }, context) {
  const told = { ...kindOfText(text), title: say("scanned", { name: title }) };
  if (told.kind === "code") return answerToCode(told);
  if (told.kind === "certificate") return answerToCertificate(told, context);
  const held = paragraph(`${say("qr_holds")} `);
  held.append(element("code", text.slice(0, 200)));
  return noticeOf(told.title, say("qr_other"), [held, paragraph(say("qr_other_more"))]);
}

// -- audio ------------------------------------------------------------------------------------------------------------

async function answerToDigest({ title, digest }) {
  const codes = await codesFor("sha256", digest);
  return codes.length ? boundTo(title, codes, { sha256: digest }) : noticeOf(title, say("no_sound"), [paragraph(say("no_digest_more", { digest }), "hash")]);
}

async function answerToAudio({ title, file, format, sha256 }, { tell }) {
  const codes = await codesFor("sha256", sha256);
  if (codes.length) return boundTo(title, codes, { sha256 });
  try {
    const essence = await essenceOf(file, (share) => tell(say("decoding", { name: title, percent: Math.round(100 * share) })));
    const others = await codesFor("essence_sha256", essence);
    if (others.length) return boundTo(title, others, { sha256, essence_sha256: essence });
    return noticeOf(title, say("no_sound"), [paragraph(say("no_samples")), paragraph(say("digests", { sha256, essence }), "soft hash")]);
  } catch {
    return listeningOf(title, file, format, sha256);
  }
}

async function codesFor(name, digest) {
  const answer = await fetch(`/api/v1/certificates?${name}=${digest}`, { cache: "no-cache", signal: AbortSignal.timeout(PATIENCE) }).catch(() => null);
  if (!answer?.ok) throw new Error(say("no_answer"));
  return (await answer.json()).items.map(({ code }) => code.replace(/-/g, ""));
}

// The newest certificate for a recording, and links to the others.
async function boundTo(title, [code, ...others], audio) {
  const material = await knownOf(code);
  if (!material.certificate) return noticeOf(title, say("no_answer"), [paragraph(say("no_answer_more"))]);
  const result = await check(material.certificate, { ...material, audio }, Date.now());
  const more = [pageOf(code), ...others.map((other) => linkTo(`/v/${other}`, displayCode(other)))];
  return answerOf(title, result, words, { by: `${say("by_browser")} ${keysOf()}`, more });
}

// A file whose samples this browser does not read: the service can, when somebody says so.
function listeningOf(title, file, format, sha256) {
  const send = buttonFor(say("listen"), async () => {
    send.disabled = true;
    status.textContent = say("listening", { name: title });
    const form = new FormData();
    form.append("file", file);
    box.replaceWith(await guarded({ title }, async () => heardOf(title, await asked("/verify", form, {}, SENDING))));
    status.textContent = "";
    results.querySelector(".answer")?.focus();
  });
  const size = (file.size / 1e6).toFixed(1);
  const box = noticeOf(title, say("no_bytes"), [paragraph(say("listen_more", { format, size })), paragraph(say("digest", { sha256 }), "soft hash"), actionsOf(send)]);
  return box;
}

function heardOf(title, { audio, results: [result] }) {
  if (result) return answerOf(title, result, words, { by: say("by_service"), more: [pageOf(result.certificate.code)] });
  const said = audio.essence_sha256 ? [paragraph(say("no_samples")), paragraph(say("digests", { sha256: audio.sha256, essence: audio.essence_sha256 }), "soft hash")] : [paragraph(say("no_essence"))];
  return noticeOf(title, say("no_sound"), said);
}

// -- the camera -------------------------------------------------------------------------------------------------------

const start = byId("camera-start"), stopper = byId("camera-stop"), told = byId("camera-said"), stage = byId("camera");
let stopCamera = null, opening = 0;

byId("camera-way").hidden = byId("files-where").hidden = false;
byId("files-sent").hidden = true;
start.addEventListener("click", openCamera);
stopper.addEventListener("click", () => {
  closeCamera("");
  start.focus();
});
document.addEventListener("visibilitychange", () => document.hidden && !stage.hidden && closeCamera(""));

function closeCamera(said) {
  opening += 1;
  stopCamera?.();
  stopCamera = null;
  stage.hidden = true;
  start.hidden = false;
  told.textContent = said;
}

async function openCamera() {
  const hindrance = cameraHindrance(), turn = (opening += 1);
  if (hindrance) return closeCamera(say(`camera_${hindrance}`));
  start.hidden = true;
  stage.hidden = false;
  told.textContent = say("camera_asked");
  stopper.focus();
  try {
    const read = await qrReader(jsQrAddress).catch(() => null);
    if (!read) return closeCamera(say("no_reader"));
    const stop = await watchCamera(video, read, (text) => {
      closeCamera(say("camera_found"));
      run(async () => [{ kind: "scan", title: say("camera_name"), text }]);
    }, () => turn === opening);
    if (turn !== opening) return stop?.();
    stopCamera = stop;
    told.textContent = say("camera_on");
  } catch (error) {
    if (turn === opening) closeCamera(say(`camera_${cameraFault(error)}`));
  }
  return null;
}
