// The camera, while somebody holds a label before it: pictures stay in this page, and the camera goes off when a QR was read.

import { textInFrame } from "./qr.js";

const PAUSE = 120; // milliseconds between two looks
// What getUserMedia refuses with -> how this page calls it.
const REASONS = { NotAllowedError: "refused", SecurityError: "refused", NotFoundError: "none", OverconstrainedError: "none", NotReadableError: "busy", AbortError: "busy" };

// Why there can be no camera here; nothing where there can.
export function cameraHindrance() {
  if (!globalThis.isSecureContext) return "insecure";
  return navigator.mediaDevices?.getUserMedia ? "" : "none";
}

export const cameraFault = (error) => REASONS[error.name] ?? "busy";

// Shows the camera in a video and hands over the text of the first QR. Answers with a function that stops it. `isWanted` is asked
// once the browser has allowed it: somebody may have changed their mind meanwhile.
export async function watchCamera(video, read, found, isWanted) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: "environment", width: { ideal: 1280 } } });
  let isOn = true;
  const stop = () => {
    isOn = false;
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
  const look = async () => {
    while (isOn) {
      const text = video.readyState >= 2 ? await textInFrame(video, video.videoWidth, video.videoHeight, read) : null;
      if (text && isOn) {
        stop();
        found(text);
      }
      await new Promise((resolve) => { setTimeout(resolve, PAUSE); });
    }
  };
  if (!isWanted()) return stop();
  video.srcObject = stream;
  try {
    await video.play();
  } catch (error) {
    stop();
    throw error;
  }
  look();
  return stop;
}
