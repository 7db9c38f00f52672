// The digests of an audio file, read in blocks on the machine where it lies: SHA-256 of its bytes, and of its samples.
//
// The second is the essence digest (essence/1): rate, channels and the samples as little-endian int32. Here it is worked out for
// plain WAV alone, strictly: whatever is odd about a file is refused, and a real decoder may look at it.

import { refuse } from "./bytes.js";
import { Sha256 } from "./sha256.js";

const BLOCK = 4 * 1024 * 1024;
const MOST_CHUNKS = 1000, MOST_CHANNELS = 8, RATES = [8_000, 384_000];
// The rest of a GUID whose first two bytes are a format tag (Microsoft, KSDATAFORMAT_SUBTYPE_WAVEFORMATEX).
const SUBTYPE = "000000001000800000aa00389b71";
const PCM = 1, EXTENSIBLE = 0xfffe;

export async function hashOf(blob, tell = () => {}) {
  const hash = new Sha256();
  await inBlocks(blob, BLOCK, (bytes) => hash.update(bytes), tell);
  return hash.hex();
}

// The essence digest of a WAV file. Throws Refused for any other file, and for one that is not plainly whole.
export async function essenceOf(blob, tell = () => {}) {
  const { rate, channels, size, from, length } = await layoutOf(blob), hash = new Sha256();
  hash.update(new TextEncoder().encode(`essence/1\n${rate}\n${channels}\n`));
  await inBlocks(blob.slice(from, from + length), BLOCK - (BLOCK % size), (bytes) => hash.update(widened(bytes, size)), tell);
  return hash.hex();
}

async function inBlocks(blob, step, use, tell) {
  for (let at = 0; at < blob.size; at += step) {
    use(new Uint8Array(await blob.slice(at, at + step).arrayBuffer()));
    tell(Math.min(1, (at + step) / blob.size));
  }
}

// Samples of `size` bytes as int32, their highest bits first in line; eight bits are unsigned in WAV.
function widened(bytes, size) {
  if (size === 4) return bytes;
  const wide = new Uint8Array((bytes.length / size) * 4), low = 4 - size;
  for (let at = 0, to = 0; at < bytes.length; at += size, to += 4) {
    for (let byte = 0; byte < size; byte += 1) wide[to + low + byte] = bytes[at + byte];
    if (size === 1) wide[to + 3] ^= 0x80;
  }
  return wide;
}

// Where the samples lie, and how they are laid out (Microsoft RIFF, EBU Tech 3285).
async function layoutOf(blob) {
  const read = async (from, count) => new DataView(await blob.slice(from, from + count).arrayBuffer());
  const name = (view, at) => String.fromCharCode(...[0, 1, 2, 3].map((step) => view.getUint8(at + step)));
  const head = blob.size >= 12 ? await read(0, 12) : refuse("it ends within its header");
  if (name(head, 0) !== "RIFF" || name(head, 8) !== "WAVE") refuse("it is no WAV file");
  if (head.getUint32(4, true) + 8 !== blob.size) refuse("its size is not the one that it tells");
  let format = null, found = null, at = 12;
  for (let count = 0; at + 8 <= blob.size; count += 1) {
    const chunk = await read(at, 8), length = chunk.getUint32(4, true), from = at + 8;
    if (from + length > blob.size || count > MOST_CHUNKS) refuse("its parts do not fit into it");
    if (name(chunk, 0) === "fmt ") format = format ? refuse("it has two formats") : formatOf(await read(from, length <= 40 ? length : refuse("its format is not plain")));
    if (name(chunk, 0) === "data") found = found || !format ? refuse("its sound is not in one place") : { from, length };
    at = from + length + (length % 2);
  }
  const { length } = found ?? refuse("it holds no sound");
  if (!length || length % format.frame) refuse("it ends within a sample");
  return { ...format, ...found };
}

function formatOf(view) {
  const size = view.byteLength, at = (place) => view.getUint16(place, true);
  if (size !== 16 && size !== 18 && size !== 40) refuse("its format is not plain");
  const [tag, channels, frame, bits] = [0, 2, 12, 14].map(at), rate = view.getUint32(4, true);
  if (tag === EXTENSIBLE) {
    const guid = Array.from({ length: 14 }, (_, place) => view.getUint8(size === 40 ? 26 + place : refuse("its format is not plain")).toString(16).padStart(2, "0")).join("");
    if (at(16) !== 22 || at(18) !== bits || at(24) !== PCM || guid !== SUBTYPE) refuse("its samples are not whole numbers of plain size");
  } else if (tag !== PCM || (size > 16 && at(16) !== 0)) {
    refuse("its samples are not whole numbers of plain size");
  }
  const isPlain = [8, 16, 24, 32].includes(bits) && channels >= 1 && channels <= MOST_CHANNELS && rate >= RATES[0] && rate <= RATES[1];
  if (!isPlain || frame !== (channels * bits) / 8) refuse("its format is not plain");
  return { rate, channels, frame, size: bits / 8 };
}
