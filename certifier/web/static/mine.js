// Shows what was submitted with a key: the key signs the challenge of this minute here, and only the signature leaves the browser.
// Without this module the page names the command that does the same.

import { canSign, keptKey, keyOfPem, signatureOf } from "./applicant-key.js";
import { hexOf } from "./bytes.js";
import { learn, say } from "./say.js";
import { element, linkTo } from "./telling.js";

const FORM = "lcal-key-challenge/1\npurpose: my-tracks\n";
const { says, outcomes, states } = JSON.parse(document.getElementById("brought").textContent);
const at = (id) => document.getElementById(id);
const file = at("key-file"), told = at("key-said"), use = at("use-kept");

learn(says);
start();

async function start() {
  at("needs-script").hidden = true;
  at("own").hidden = false;
  if (!(await canSign())) {
    file.disabled = true;
    at("kept").textContent = say("cannot");
    return;
  }
  const kept = await keptKey();
  at("kept").textContent = kept ? say("kept", { did: kept.did }) : say("no_key");
  use.hidden = !kept;
  use.addEventListener("click", () => show(kept));
  file.addEventListener("change", async () => {
    if (!file.files[0]) return;
    try {
      await show(await keyOfPem(await file.files[0].text()));
    } catch (error) {
      told.textContent = say(error.message === "encrypted" ? "encrypted" : "unreadable");
    }
  });
}

async function show(key) {
  at("tracks").hidden = true;
  told.textContent = say("asking");
  try {
    const answer = await asked(key);
    told.textContent = "";
    list(answer);
  } catch (error) {
    told.textContent = error instanceof Told ? error.message : say("lost");
  }
}

class Told extends Error {}

async function asked(key) {
  const { challenge } = await answerTo(fetch("/api/v1/key-challenges", { cache: "no-store" }));
  // Nothing else is signed here, such as a report. The challenge says for which host it counts, and the service checks that.
  if (!challenge.startsWith(FORM)) throw new Told(say("strange"));
  const signature = hexOf(await signatureOf(key, new TextEncoder().encode(challenge)));
  const body = JSON.stringify({ key: key.did, challenge, signature });
  return answerTo(fetch("/api/v1/my-tracks", { method: "POST", headers: { "Content-Type": "application/json" }, body }));
}

async function answerTo(request) {
  const response = await request, body = await response.json();
  if (!response.ok) throw new Told([body.detail, body.errors?.[0]?.hint].filter(Boolean).join(" "));
  return body;
}

function list({ key, items, more }) {
  const head = at("tracks-head"), place = at("tracks-list");
  at("tracks").hidden = false;
  at("first-steps").hidden = items.length > 0;
  head.textContent = say(items.length === 0 ? "none" : items.length === 1 ? "one" : "several", { n: items.length });
  place.replaceChildren(element("p", say("whose", { did: key }), "soft hash"), ...(items.length ? [table(items)] : []), ...(more ? [element("p", say("more"), "soft")] : []));
  head.focus();
}

function table(items) {
  const whole = element("table", "", "stacked mine-tracks"), row = element("tr", "");
  for (const name of ["track", "outcome", "standing", "expires", "next"]) {
    const cell = element("th", say(name));
    cell.scope = "col";
    row.append(cell);
  }
  const top = element("thead", ""), body = element("tbody", "");
  top.append(row);
  body.append(...items.map(rowOf));
  whole.append(top, body);
  return whole;
}

function rowOf(item) {
  const { links } = item, row = element("tr", ""), named = element("th", "");
  named.scope = "row";
  named.append(linkTo(links.certificate ?? links.decision, item.title), element("span", item.artist, "soft by-line"));
  const reached = element("td", outcomes[item.outcome] ?? item.outcome);
  if (item.assessed_g_per_min) reached.append(element("span", say("figure", { g: item.assessed_g_per_min }), "soft by-line"));
  const standing = item.certificate_state ? states[item.certificate_state] : say(item.state);
  const ways = [[links.kit, item.outcome === "disclosed" ? "statement-kit" : "kit"], [links.renewal, "renewal"], [links.decision, "decision"]].filter(([path]) => path);
  const next = element("td", "");
  for (const [path, name] of ways) next.append(linkTo(path, say(name)), " ");
  if (item.renewal_window) next.append(element("span", say("renew", { day: item.renewal_window.start.slice(0, 10) }), "soft by-line"));
  const state = element("td", "");
  state.append(element("span", standing, item.certificate_state === "active" ? "tag tag-reached" : "tag tag-ended"));
  if (item.code) state.append(element("code", item.code, "by-line"));
  const expires = element("td", item.expires_at?.slice(0, 10) ?? "–");
  if (item.expires_at) expires.dataset.label = say("expires");
  row.append(named, reached, state, expires, next);
  return row;
}
