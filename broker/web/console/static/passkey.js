// Asks the authenticator, and sends its answer with the form. Nothing else of the console needs a script.
"use strict";

const form = document.querySelector("form[data-passkey]");
const trouble = document.querySelector("[data-trouble]");
const encode = (data) => btoa(String.fromCharCode(...new Uint8Array(data))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const decode = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
const told = (words) => { trouble.textContent = words; trouble.hidden = !words; };

function known() {
  return form.dataset.credentials.split(" ").filter(Boolean).map((id) => ({ type: "public-key", id: decode(id) }));
}

async function made() {
  const { response } = await navigator.credentials.create({ publicKey: {
    challenge: decode(form.dataset.challenge), rp: { id: form.dataset.rp, name: "Sinergi" },
    user: { id: decode(form.dataset.user), name: form.dataset.name, displayName: form.dataset.name },
    pubKeyCredParams: [{ type: "public-key", alg: -7 }, { type: "public-key", alg: -8 }], excludeCredentials: known(),
    authenticatorSelection: { userVerification: "required", residentKey: "discouraged" }, attestation: "none",
  } });
  return { klien: response.clientDataJSON, autentikator: response.getAuthenticatorData() };
}

async function approved() {
  const { rawId, response } = await navigator.credentials.get({ publicKey: {
    challenge: decode(form.dataset.challenge), rpId: form.dataset.rp, allowCredentials: known(), userVerification: "required",
  } });
  return { kunci: rawId, klien: response.clientDataJSON, autentikator: response.authenticatorData, tanda: response.signature };
}

for (const note of document.querySelectorAll("[data-without-script]")) { note.hidden = true; }

if (form) {
  const button = form.querySelector("[data-needs-script]");
  if (window.PublicKeyCredential) { button.disabled = false; } else { told(trouble.dataset.missing); }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    event.stopPropagation();  // it is not sent yet, and may be tried again
    if (button.disabled) { return; }
    button.disabled = true;
    told("");
    try {
      const answer = await (form.dataset.passkey === "create" ? made() : approved());
      for (const [name, data] of Object.entries(answer)) { form.elements[name].value = encode(data); }
      form.submit();
    } catch (error) {
      told(error.name === "InvalidStateError" ? trouble.dataset.known : trouble.dataset.cancelled);
      button.disabled = false;
    }
  });
  addEventListener("pageshow", (event) => { if (event.persisted) { location.reload(); } });  // its challenge may be used up
}

// A voucher's file is read here and never sent as one.
for (const input of document.querySelectorAll("input[type=file][data-into]")) {
  input.hidden = false;
  input.labels[0].hidden = false;
  input.addEventListener("change", async () => { if (input.files[0]) { document.getElementById(input.dataset.into).value = await input.files[0].text(); } });
}
