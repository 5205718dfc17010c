// A form is sent once, however often its button is pressed.

const STUCK = 10_000; // ms; then the person may try again (the server knows a repeated post by its key)

export function sendOnce() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method === "dialog") return;
    if (form.ariaBusy === "true") return event.preventDefault();
    form.ariaBusy = "true";
    setTimeout(() => release(form), STUCK);
  });
  window.addEventListener("pageshow", () => document.querySelectorAll("form[aria-busy]").forEach(release));
}

function release(form) {
  form.ariaBusy = null;
}
