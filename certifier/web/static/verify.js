// Hashes an audio file here, so that it never leaves the machine. Without this module people paste a SHA-256.

import { Sha256 } from "/static/sha256.js";

const CHUNK = 4 * 1024 * 1024;
const form = document.getElementById("by-audio");
const file = document.getElementById("v-audio");
const digest = document.getElementById("sha256");
const progress = document.getElementById("hashed");
const button = form.querySelector("button");

document.getElementById("hashing").hidden = false;
file.addEventListener("change", async () => {
  const chosen = file.files[0];
  if (!chosen) return;
  button.disabled = true;
  progress.hidden = false;
  try {
    const value = await sha256Of(chosen);
    if (chosen === file.files[0]) digest.value = value;
  } catch {
    file.setCustomValidity("The file cannot be read.");
    file.reportValidity();
  }
  button.disabled = false;
});

async function sha256Of(blob) {
  const hash = new Sha256();
  for (let at = 0; at < blob.size; at += CHUNK) {
    hash.update(new Uint8Array(await blob.slice(at, at + CHUNK).arrayBuffer()));
    progress.value = Math.min(1, (at + CHUNK) / blob.size);
  }
  return hash.hex();
}
