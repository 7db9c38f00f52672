// A page that was kept: checks the certificate inside it with the keys and lists of the day it was saved, and asks nobody.

import { check } from "./check.js";
import { axesOf, clock, element, isOnlyAged } from "./telling.js";

const { address, saved_at, material, words } = JSON.parse(document.getElementById("brought").textContent);
const place = document.getElementById("result"), day = (text) => text.replace("T", " ").replace(/:\d\dZ$/, " UTC");

// Everything that is shown comes out of the signed certificate, and nothing where it cannot be believed.
async function tell(result) {
  const { certificate: shown, verdict, because } = result, then = await check(material.certificate, material, Date.parse(saved_at));
  const isAged = isOnlyAged(result) && then.axes.lifecycle === "active";
  const headline = isAged ? "Genuine. Whether it was withdrawn since cannot be told here." : words.verdicts[verdict];
  const box = element("section", "", `verdict verdict-${verdict}`);
  box.append(element("h2", headline));
  box.append(element("p", isAged ? `It was neither withdrawn nor suspended when this page was saved, at ${day(saved_at)}. That was more than an hour ago, so ask again where you can.` : because));
  place.replaceChildren();
  if (shown) {
    const title = element("h1"), by = element("p", "", "by"), facts = element("dl", "", "facts");
    title.append(element("bdi", shown.title));
    by.append(element("bdi", shown.artist));
    for (const [name, value] of [
      ["Figure", `at most ${shown.assessed_g_per_min} g CO2e per minute of finished music`],
      ["Outcome", words.outcomes[shown.outcome] ?? shown.outcome],
      ["Evidence", shown.evidence_level],
      ["Standard", shown.standard],
      ["Issued", shown.issued_at.slice(0, 10)],
      ["Valid until", shown.expires_at.slice(0, 10)],
      ["Code", shown.code],
    ]) {
      const row = element("div");
      row.append(element("dt", name), element("dd", value));
      facts.append(row);
    }
    place.append(title, by, box, facts);
  } else {
    place.append(element("h1", "A saved certificate"), box);
  }
  const ask = element("p", "How it stands today: "), link = element("a", address);
  link.href = address;
  ask.append(link);
  box.append(ask);
  place.append(
    element("h2", "The checks"),
    axesOf(result, words),
    element("p", `Checked by your own browser at ${clock(Date.now())}, without a network. The keys and status lists are those of ${day(saved_at)}, from whoever gave you this page: where that matters, compare them or check with certifier verify.`, "soft"),
  );
}

check(material.certificate, material, Date.now()).then(tell).catch((error) => {
  place.replaceChildren(element("h1", "A saved certificate"), element("p", `This browser could not check it: ${error.message}.`, "is-open"));
});
