// A page that was kept: checks the certificate inside it with the keys and lists of the day it was saved, and asks nobody.

import { check } from "./check.js";
import { learn, say } from "./say.js";
import { axesOf, clock, element, facts, isOnlyAged, linkTo, reasonOf } from "./telling.js";

const { address, saved_at, material, words, says } = JSON.parse(document.getElementById("brought").textContent);
const place = document.getElementById("result"), day = (text) => text.replace("T", " ").replace(/:\d\dZ$/, " UTC"), saved = day(saved_at);
learn(words.says);
learn(says);

// Everything that is shown comes out of the signed certificate, and nothing where it cannot be believed.
async function tell(result) {
  const { certificate: shown, verdict } = result, then = await check(material.certificate, material, Date.parse(saved_at));
  const isAged = isOnlyAged(result) && then.axes.lifecycle === "active";
  const box = element("section", "", `verdict verdict-${verdict}`), ask = element("p", `${say("today")} `);
  ask.append(linkTo(address, address));
  box.append(element("h2", isAged ? say("genuine") : words.verdicts[verdict]), element("p", isAged ? say("aged", { saved }) : reasonOf(result, words)), ask);
  place.replaceChildren();
  if (shown) {
    const title = element("h1"), by = element("p", "", "by");
    title.append(element("bdi", shown.title));
    by.append(element("bdi", shown.artist));
    place.append(title, by, box, facts([
      ["figure_of", say("figure", { g: shown.assessed_g_per_min })],
      ["outcome", words.outcomes[shown.outcome] ?? shown.outcome],
      ["evidence", shown.evidence_level],
      ["standard", shown.standard],
      ["issued", shown.issued_at.slice(0, 10)],
      ["until", shown.expires_at.slice(0, 10)],
      ["code", shown.code],
    ]));
  } else {
    place.append(element("h1", say("title")), box);
  }
  place.append(element("h2", say("checks")), axesOf(result, words), element("p", say("source", { at: clock(Date.now()), saved }), "soft"));
}

check(material.certificate, material, Date.now()).then(tell).catch((error) => {
  place.replaceChildren(element("h1", say("title")), element("p", say("unable", { why: error.message }), "is-open"));
});
