// SHA-256 (FIPS 180-4) of short texts, also where a page without https has no crypto.subtle.

import { joined } from "./bytes.js";

export async function sha256(...parts) {
  const subtle = globalThis.crypto?.subtle;
  if (subtle) return new Uint8Array(await subtle.digest("SHA-256", joined(...parts)));
  const { plainSha256 } = await import("./plain.js");
  return plainSha256(...parts);
}
