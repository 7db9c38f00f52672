// Reads QR codes with jsqr, a decoder that others wrote: a JSON array of grey images on stdin, a JSON array of texts on stdout
// (null where it found none).
import { readFileSync } from "node:fs";
import jsqr from "jsqr";

const read = (jsqr.default ?? jsqr);
const images = JSON.parse(readFileSync(0, "utf8"));
const texts = images.map(({ width, height, grey }) => {
  const bytes = Buffer.from(grey, "base64");
  const pixels = new Uint8ClampedArray(4 * bytes.length);
  bytes.forEach((level, place) => pixels.set([level, level, level, 255], 4 * place));
  return read(pixels, width, height)?.data ?? null;
});
process.stdout.write(JSON.stringify(texts));
