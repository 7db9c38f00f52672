// What somebody gave, told apart by what is in it and never by its name.

import { textOf, utf8 } from "./bytes.js";
import { parseCode } from "./code.js";

const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const PRINT = /^https?:\/\/[!-~]+#[0-9]{20,}$/i;
const HEX_DIGEST = /^[0-9a-f]{64}$/i;
// Formats by their first bytes: [place, bytes as latin-1, kind, format]. The first row that fits decides.
const MAGIC = [
  [8, "WEBP", "image"], [8, "WAVE", "audio", "WAV"], [8, "AIFF", "audio", "AIFF"], [8, "AIFC", "audio", "AIFF"],
  [0, "fLaC", "audio", "FLAC"], [0, "OggS", "audio", "OGG"], [0, "ID3", "audio", "MP3"],
  [0, "\x89PNG", "image"], [0, "\xff\xd8\xff", "image"], [0, "GIF8", "image"], [0, "BM", "image"],
  [4, "ftypavif", "image"], [4, "ftyphei", "image"], [4, "ftypmif1", "image"], [4, "ftyp", "stranger", "mp4"],
  [0, "%PDF", "stranger", "pdf"], [0, "PK\x03\x04", "stranger", "zip"], [0, "\x1f\x8b", "stranger", "gzip"],
  [0, "MThd", "stranger", "midi"], [0, "caff", "stranger", "caf"], [0, "\xd2\x84", "certificate"],
];

const fittingRow = (start) => MAGIC.find(([place, sign]) => start.startsWith(sign, place));

// What a text is: `{ kind, ... }`, where `code`, `digest`, `place` (host and path of an address) or `bytes` says the rest.
export function kindOfText(given) {
  const text = given.trim(), bytes = utf8(text);
  if (HEX_DIGEST.test(text)) return { kind: "digest", digest: text.toLowerCase() };
  if (PRINT.test(text) || JWT.test(text)) return { kind: "certificate", bytes };
  if (text.startsWith("c2sp.org/tlog-proof")) return { kind: "proof", bytes: utf8(given.trimStart()) };
  if (text.startsWith("{")) return kindOfJson(text, bytes);
  if (text.startsWith("<")) return kindOfMarkup(text, bytes);
  return kindOfAddress(text) ?? kindOfCode(text) ?? { kind: "stranger", format: "text" };
}

// What a file is, by its bytes; of a large file the beginning is enough.
export function kindOfBytes(bytes) {
  if (!bytes.length) return { kind: "stranger", format: "empty" };
  const start = Array.from(bytes.slice(0, 16), (byte) => String.fromCharCode(byte)).join("");
  const [, , kind, format] = fittingRow(start) ?? [];
  if (kind) return { kind, format, bytes };
  if (bytes[0] === 0xff && bytes[1] >= 0xe0) return { kind: "audio", format: "MP3" };
  try {
    // A byte order mark stays: what was signed has none, and the check says so.
    const told = kindOfText(textOf(bytes));
    return told.kind === "certificate" ? { ...told, bytes } : told;
  } catch {
    return { kind: "stranger", format: "bytes" };
  }
}

function kindOfJson(text, bytes) {
  let read;
  try {
    read = JSON.parse(text);
  } catch {
    return { kind: "stranger", format: "broken" };
  }
  if (read.form === "lcal-trust/1") return { kind: "trust", bytes };
  if (read.form === "lcal-pack/1") return { kind: "stranger", format: "pack" };
  if (read.payloadType && read.signatures) return { kind: "stranger", format: "report" };
  if ([read.type].flat().includes("BitstringStatusListCredential")) return { kind: "list", bytes, url: String(read.id) };
  return read.proof ? { kind: "certificate", bytes } : { kind: "stranger", format: "json" };
}

function kindOfMarkup(text, bytes) {
  if (/^<!doctype html|^<html/i.test(text)) return { kind: "stranger", format: "html" };
  if (!/<svg[\s>]/.test(text)) return { kind: "stranger", format: "xml" };
  return { kind: /<openbadges:credential[\s>]/.test(text) ? "baked" : "image", bytes };
}

// The address of a certificate's page or of one of its files.
function kindOfAddress(text) {
  const [, place, symbols] = /^(?:https?:\/\/)?([\w.:[\]-]+(?:\/[\w.-]+)*)\/v\/([\w-]{10,14})(?:[./?#][!-~]*)?$/i.exec(text) ?? [];
  return place && { ...kindOfCode(symbols), place: place.toLowerCase() };
}

// Ten symbols as people write them: any case, hyphens and spaces, O for 0, I and L for 1.
function kindOfCode(text) {
  const symbols = text.toUpperCase().replace(/[\s-]/g, "").replace(/O/g, "0").replace(/[IL]/g, "1");
  if (!/^[0-9A-Z]{8,12}$/.test(symbols)) return null;
  try {
    return { kind: "code", code: parseCode(symbols) };
  } catch {
    return { kind: "mistyped", symbols };
  }
}
