// A part of the page that is under way (`data-under-way`, with an id) is brought up to date until it is done; without
// this script the page comes again as a whole.

const PAUSE = 1000; // ms

export async function followProgress() {
  let part = document.querySelector("[data-under-way]");
  while (part) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
    const answer = await fetch(location.pathname, { credentials: "same-origin" }).catch(() => null);
    if (!answer?.ok) continue;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const newer = page.getElementById(part.id);
    if (!newer) return;
    part.replaceWith(newer);
    part = newer.hasAttribute("data-under-way") ? newer : null;
    const typed = [...document.querySelectorAll("main textarea")].some((each) => each.value !== each.defaultValue);
    if (!part && !typed) location.reload(); // what can be done next may have changed
  }
}
