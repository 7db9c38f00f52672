// Reads a QR out of a picture or a camera's frame: with the browser's own reader where it has one, else with jsQR, which is
// loaded only then.

// A symbol may be small in a large photograph, or larger than a reader likes.
const SIDES = [800, 1400, 500, 2200, 300];
const FRAME_SIDE = [640];
const MARGIN = 0.06; // a quiet zone, where the picture was cut at the symbol's edge

let reader;

// The reader of this browser: a function of a canvas that answers with a text or nothing. `address` is where jsQR lies.
export function qrReader(address) {
  reader ??= nativeReader().then((native) => native ?? vendoredReader(address));
  reader.catch(() => { reader = null; });
  return reader;
}

async function nativeReader() {
  if (!("BarcodeDetector" in globalThis)) return null;
  try {
    if (!(await BarcodeDetector.getSupportedFormats()).includes("qr_code")) return null;
    const detector = new BarcodeDetector({ formats: ["qr_code"] });
    return async (canvas) => (await detector.detect(canvas))[0]?.rawValue;
  } catch {
    return null;
  }
}

async function vendoredReader(address) {
  await new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.addEventListener("load", resolve);
    script.addEventListener("error", () => reject(new Error("jsQR did not come")));
    document.head.append(script);
  });
  return async (canvas) => {
    const { width, height } = canvas, { data } = canvas.getContext("2d", { willReadFrequently: true }).getImageData(0, 0, width, height);
    return globalThis.jsQR(data, width, height)?.data;
  };
}

// The text of a QR in a picture (a Blob), or nothing. Throws when the picture cannot be opened.
export async function textInPicture(blob, read) {
  const drawn = blob.type.startsWith("image/svg") ? await imageOf(blob) : await createImageBitmap(blob);
  return textInFrame(drawn, drawn.width, drawn.height, read, SIDES);
}

// Drawings come as an image: it runs none of their scripts and asks nobody for anything.
async function imageOf(blob) {
  const image = new Image(), address = URL.createObjectURL(blob);
  try {
    image.src = address;
    await image.decode();
    // A drawing that has no size of its own gets one.
    return Object.assign(image, { width: image.naturalWidth || 1000, height: image.naturalHeight || 1000 });
  } finally {
    URL.revokeObjectURL(address);
  }
}

export async function textInFrame(source, width, height, read, sides = FRAME_SIDE) {
  for (const side of sides) {
    const scale = side / Math.max(width, height), canvas = document.createElement("canvas"), rim = Math.round(side * MARGIN);
    const [w, h] = [width, height].map((length) => Math.max(1, Math.round(length * scale)));
    [canvas.width, canvas.height] = [w + 2 * rim, h + 2 * rim];
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(source, rim, rim, w, h);
    const text = await read(canvas);
    if (text) return text;
    await new Promise((resolve) => { setTimeout(resolve); });
  }
  return null;
}
