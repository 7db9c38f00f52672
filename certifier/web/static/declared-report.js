// A self-declared report out of plain answers (LCAL section 15), and the envelope that it is signed in.
//
// What was not measured is set high: a machine counts at its full nameplate power, as read at the chip alone; what is not said is
// left out, and the standard then takes the highest value. Quantities are decimal text, times are UTC.

import { base64Of, signatureOf } from "./applicant-key.js";
import { hexOf, joined, utf8 } from "./bytes.js";
import { canonicalBytes } from "./json.js";

const STATEMENT = "https://in-toto.io/Statement/v1", PREDICATE = "https://lcal.example/emission-report/v1";
const PAYLOAD_TYPE = "application/vnd.in-toto+json", UNKNOWN_DEVICE = "UNKNOWN ACCELERATOR", UNKNOWN_PLACE = "ZZZ";
const UNSAID = "not stated";

// The report about a track { sha256, seconds } with the answers of the form, issued by a key at a moment (ms since 1970).
export function declaredReport(answers, track, { did, id, standard, now }) {
  const a = answers, minutes = a.minutes;
  return {
    report_version: "1.0",
    report_id: `rep_${id}`,
    standard,
    issuer: { id: did, key_id: did },
    issued_at: utcText(now),
    raw_log_sha256: [],
    track: {
      title: a.title,
      artist: a.artist,
      ...(a.isrc && { isrc: a.isrc }),
      audio_sha256: track.sha256,
      duration_s: track.seconds,
      created_at: utcText(Math.min(now, localTime(`${a.finished}T12:00`))),
      ai_contribution: a.parts,
      ai_audible_s: a.audible === "all" ? track.seconds : String(60 * Number(a["audible-min"] || 0) + Number(a["audible-s"] || 0)),
    },
    models: [{
      id: a.model,
      name: a.model,
      version: a.version || UNSAID,
      class: a.kind,
      ...(a.size && { parameters_b: a.size }),
      trained_by: "other",
      generated_minutes: minutes,
      training: { source: "default" },
    }],
    generation: { takes: Number(a.takes), generated_minutes: minutes },
    activities: [{ id: "generating", run_id: `declared-${id}`, model: a.model, stage: "inference", allocation_share: "1", allocation_method: "whole", ...(a.where === "service" ? serviceUse(a, now) : machineRun(a)) }],
    stages_not_performed: ["fine_tuning"],
    process: a.retention ? { take_retention_days: a.retention } : {},
  };
}

function serviceUse(a, now) {
  return {
    started_at: utcText(localTime(`${a["first-day"]}T00:00`)),
    ended_at: utcText(Math.min(now, localTime(`${a["last-day"]}T23:59:59`))),
    method: "service_default",
    minutes: a.minutes,
    job_ids: [],
  };
}

function machineRun(a) {
  const seconds = secondsOf(a), isRead = a.energy !== "no", count = Number(a.count);
  return {
    started_at: utcText(localTime(a.started)),
    ended_at: utcText(localTime(a.started) + 1000 * seconds),
    method: isRead ? "modelled" : "default",
    duration_s: String(seconds),
    energy_kwh: isRead ? a.kwh : nameplateKwh(a.watts, count, seconds),
    coverage: { wall: "wall", tool: "system", no: "accelerator" }[a.energy],
    shared_service: a.where === "cloud" && a.shared !== "alone",
    ...(isRead && { tool: { name: a.reader, version: UNSAID } }),
    location: placeOf(a),
    pue_included: false,
    hardware: [{ name: a.device || UNKNOWN_DEVICE, count }],
  };
}

export const secondsOf = (a) => 3600 * Number(a.hours || 0) + 60 * Number(a["run-min"] || 0);

function placeOf(a) {
  const country = a.country || UNKNOWN_PLACE;
  if (a.where === "own") return { country, site: "local", ...(a.subdivision && { subdivision: a.subdivision }) };
  const [provider, region] = (a.region || "").split(":");
  return { country, site: "datacentre", ...(region ? { provider, region } : a.subdivision && { subdivision: a.subdivision }) };
}

// Watts × pieces × seconds as kWh with nine places, rounded up; in whole numbers, so that no digit is lost.
function nameplateKwh(watts, count, seconds) {
  const joules = BigInt(watts) * BigInt(count) * BigInt(seconds), nano = (joules * 1_000_000_000n + 3_599_999n) / 3_600_000n;
  const digits = String(nano).padStart(10, "0");
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`.replace(/\.?0+$/, "");
}

// A moment of this machine's own clock, as forms give it.
export const localTime = (text) => new Date(text).getTime();

const utcText = (moment) => `${new Date(moment).toISOString().slice(0, 19)}Z`;

export const randomId = () => hexOf(crypto.getRandomValues(new Uint8Array(8)));

// The in-toto statement about one file, as bytes: what is signed. The essence digest is that of its samples, or null.
export function payloadFor(report, fileName, essence) {
  const digest = { sha256: report.track.audio_sha256, ...(essence && { essence_v1: essence }) };
  return canonicalBytes({ _type: STATEMENT, subject: [{ name: fileName, digest }], predicateType: PREDICATE, predicate: report });
}

// The DSSE envelope around the payload, signed by one key, as text.
export async function signedEnvelope(payload, key) {
  const message = joined(utf8(`DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `), payload);
  const signature = { keyid: key.did, sig: base64Of(await signatureOf(key, message)) };
  return `${JSON.stringify({ payload: base64Of(payload), payloadType: PAYLOAD_TYPE, signatures: [signature] }, null, 2)}\n`;
}
