// Says what is wrong with the rules while they are typed; saving judges the same again.
"use strict";

const box = document.querySelector("textarea[data-check]");
if (box) {
  const said = document.getElementById(box.dataset.said);
  let waiting = 0;
  let asked = 0;
  const check = async () => {
    const mine = ++asked;
    const form = new FormData(box.form);
    const answer = await fetch(box.dataset.check, { method: "POST", body: new URLSearchParams(form) }).catch(() => null);
    if (mine !== asked || !answer || !answer.ok) return;
    const { salah } = await answer.json();
    box.setAttribute("aria-invalid", salah.length > 0);
    said.replaceChildren(...salah.map((one) => {
      const line = document.createElement("li");
      line.textContent = `${one.box ? box.dataset.line + " " + one.box : box.dataset.outside + " " + one.line}${one.field ? ", " + one.field : ""}: ${one.said}`;
      return line;
    }));
    if (!salah.length) {
      const line = document.createElement("li");
      line.textContent = box.dataset.good;
      said.append(line);
    }
  };
  box.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(check, 400); });
}
