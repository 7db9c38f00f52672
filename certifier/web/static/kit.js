// Copy buttons beside the texts of the badge kit. Without this module each text can be selected as it is.

import { learn, say } from "./say.js";

learn(JSON.parse(document.getElementById("brought").textContent).says);

for (const text of document.querySelectorAll(".copy-text")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "second copy-button";
  button.textContent = say("copy");
  button.setAttribute("aria-describedby", text.id);
  const told = document.createElement("span");
  told.className = "soft";
  told.setAttribute("role", "status");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      told.textContent = say("copied");
    } catch {
      getSelection().selectAllChildren(text); // an address without https has no clipboard
      told.textContent = say("select");
    }
  });
  const line = document.createElement("p");
  line.className = "actions";
  line.append(button, told);
  text.after(line);
}
