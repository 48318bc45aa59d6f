// On a page that waits: asks again, and shows the page anew once it has something else to say. A page left alone rests after ten minutes.
"use strict";

async function look() {
  try {
    const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
    if (!page.querySelector("script[src*='tunggu.js']")) { location.reload(); return; }
    const [said, now] = [document, page].map((one) => one.querySelector("[role=status]"));
    if (said && now && said.textContent !== now.textContent) said.textContent = now.textContent;
  } catch { /* the broker does not answer now; the next look may find it */ }
  if (performance.now() < 600_000) setTimeout(look, 2_000);
}
setTimeout(look, 1_000);
