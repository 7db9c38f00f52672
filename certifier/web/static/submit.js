// Sends the form with progress by bytes, then leads to the decision. Without this module the form works as it is.

const form = document.getElementById("submit");
const failed = document.getElementById("failed");
const bytes = document.getElementById("bytes");
const said = document.getElementById("bytes-said");
const button = form.querySelector("button");
const megabytes = (count) => (count / 1e6).toFixed(1);

for (const field of form.querySelectorAll(".drop")) {
  const input = field.querySelector("input");
  for (const kind of ["dragover", "dragleave", "drop"]) {
    field.addEventListener(kind, (event) => {
      event.preventDefault();
      field.classList.toggle("over", kind === "dragover");
      if (kind === "drop" && input.type === "file") input.files = event.dataTransfer.files;
    });
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  send(new FormData(form));
});

function send(data) {
  const request = new XMLHttpRequest();
  request.open("POST", "/api/v1/submissions");
  request.setRequestHeader("Accept", "application/json");
  request.upload.addEventListener("progress", (event) => {
    bytes.max = event.total;
    bytes.value = event.loaded;
    said.textContent = `${megabytes(event.loaded)} of ${megabytes(event.total)} MB`;
  });
  request.upload.addEventListener("load", () => showStep("judged"));
  request.addEventListener("load", () => finish(request));
  request.addEventListener("error", () =>
    fail({ title: "The connection was lost", detail: "Nothing has been decided, or the answer got lost. Send the same files again: the same report gives the same answer." }));
  failed.hidden = true;
  button.disabled = true;
  document.getElementById("progress").hidden = false;
  showStep("sent");
  request.send(data);
}

function showStep(name) {
  let state = "over";
  for (const step of document.querySelectorAll(".track li")) {
    if (step.id === `step-${name}`) state = "now";
    step.className = state;
    if (state === "now") state = "";
  }
}

function finish(request) {
  let answer;
  try {
    answer = JSON.parse(request.responseText);
  } catch {
    answer = { title: "The answer cannot be read", detail: `HTTP ${request.status}. Try again in a moment.` };
  }
  if (request.status >= 400 || !answer.links) return fail(answer);
  showStep("done");
  location.assign(answer.links.page);
}

function fail(problem) {
  button.disabled = false;
  document.getElementById("progress").hidden = true;
  failed.replaceChildren(line("h2", problem.title), line("p", problem.detail));
  for (const error of problem.errors ?? []) {
    const list = document.createElement("dl");
    list.className = "facts";
    for (const [name, words] of [["pointer", "Where"], ["found", "Found"], ["expected", "Expected"], ["hint", "What to do"]]) {
      if (!error[name]) continue;
      const row = document.createElement("div");
      row.append(line("dt", words), line("dd", error[name]));
      list.append(row);
    }
    failed.append(list);
  }
  if (problem.request_id) failed.append(line("p", `Request ${problem.request_id}`));
  failed.hidden = false;
  failed.focus();
}

function line(kind, text) {
  const element = document.createElement(kind);
  element.textContent = text ?? "";
  return element;
}
