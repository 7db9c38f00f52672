// How long an audio file is, told by a browser before it is sent.
//
// Headers of WAV, FLAC and AIFF are read, to the sample; other kinds are decoded. What the service measures is what counts.

const MOST_DECODED = 64 * 1024 * 1024, HEADER = 256 * 1024;

// The length in seconds as decimal text, or null where this browser cannot tell it.
export async function secondsIn(file) {
  const head = new DataView(await file.slice(0, HEADER).arrayBuffer());
  try {
    const read = { RIFF: wavLength, fLaC: flacLength, FORM: aiffLength }[fourSigns(head, 0)];
    const known = read?.(head, file.size);
    if (known) return decimal(...known);
  } catch {
    // a header that ends too early: the decoder has its turn
  }
  return decodedSeconds(file);
}

const fourSigns = (view, at) => String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3));

function wavLength(view, size) {
  let perSecond = 0, blockSize = 0;
  for (let at = 12; ; at += 8 + view.getUint32(at + 4, true) + (view.getUint32(at + 4, true) & 1)) {
    const kind = fourSigns(view, at);
    if (kind === "fmt ") [perSecond, blockSize] = [view.getUint32(at + 12, true), view.getUint16(at + 20, true)];
    if (kind === "data") return [Math.floor(Math.min(view.getUint32(at + 4, true), size - at - 8) / blockSize), perSecond];
  }
}

// RFC 9639 section 8.2: 20 bits of sample rate, and 36 bits of samples, in the first block.
function flacLength(view) {
  const rate = view.getUint32(18) >>> 12, samples = (view.getUint8(21) & 15) * 2 ** 32 + view.getUint32(22);
  return samples ? [samples, rate] : null;
}

// The rate is an 80-bit float; those of audio are whole numbers.
function aiffLength(view) {
  for (let at = 12; ; at += 8 + view.getUint32(at + 4) + (view.getUint32(at + 4) & 1)) {
    if (fourSigns(view, at) !== "COMM") continue;
    return [view.getUint32(at + 10), view.getUint32(at + 18) / 2 ** (31 + 16383 - view.getUint16(at + 16))];
  }
}

async function decodedSeconds(file) {
  if (file.size > MOST_DECODED) return null;
  try {
    const context = new OfflineAudioContext(1, 1, 44100);
    const { length, sampleRate } = await context.decodeAudioData(await file.arrayBuffer());
    return decimal(length, sampleRate);
  } catch {
    return null;
  }
}

// Samples at a rate as seconds with six places.
function decimal(samples, rate) {
  const micro = Math.round((samples * 1_000_000) / rate);
  return Number.isSafeInteger(micro) && micro > 0 ? String(micro / 1_000_000) : null;
}
