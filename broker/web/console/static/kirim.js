// Shows how far an upload is. Without this file the form is sent as any other.
"use strict";

const form = document.getElementById("unggah");
const shown = document.getElementById("jalan");
const [bar, said] = [shown.querySelector("progress"), shown.querySelector("p")];
const button = form.querySelector("button");

function tell(text, running) {
  shown.hidden = false;
  said.textContent = text;
  bar.hidden = !running;
  button.disabled = running;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  event.stopPropagation(); // console.js would take it for sent
  const file = form.elements.berkas.files[0];
  if (file.size > Number(form.dataset.limit)) { tell(shown.dataset.large, false); return; }
  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "application/json");
  request.responseType = "json";
  request.upload.addEventListener("progress", (at) => { if (at.lengthComputable) bar.value = (100 * at.loaded) / at.total; });
  request.upload.addEventListener("load", () => tell(shown.dataset.looking, true));
  request.addEventListener("error", () => tell(shown.dataset.down, false));
  request.addEventListener("load", () => {
    const answer = request.response;
    if (request.status === 201) { location.assign(answer.ke); return; }
    if (answer && answer.alasan === "sesi") { form.submit(); return; } // the page that asks to sign in, with what was typed
    tell(answer && answer.pesan ? answer.pesan : shown.dataset.down, false);
  });
  bar.value = 0;
  tell(shown.dataset.sending, true);
  request.send(new FormData(form));
});
addEventListener("pageshow", () => { shown.hidden = true; button.disabled = false; });
