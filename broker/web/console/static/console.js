// Makes pages quicker; none needs it but a passkey. Nothing here leaves for another host.
"use strict";

// A form that was sent once is not sent again while its answer is on the way.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  addEventListener("pageshow", () => { delete form.dataset.sent; }, { once: true });
});
