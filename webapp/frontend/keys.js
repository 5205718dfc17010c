// Keyboard shortcuts. What a key does stands in the page: `data-key="g i"` on a link, button or field.
//
// j and k walk through the elements marked `data-item` by giving the focus to the link in them, so that Enter and a
// screen reader work as ever; o opens, and `data-item-key` marks what a letter presses in the item with the focus.
// Letters can be switched off (WCAG 2.1.4), and do nothing while somebody writes.

import { Chords } from "./chords.js";

const OFF = "mamori.keys.off";
const WRITING = "input, select, textarea, [contenteditable]";

export function listenToKeys() {
  const help = document.getElementById("keys");
  if (!help) return;
  const chords = new Chords();
  const own = {
    j: () => walk(1),
    k: () => walk(-1),
    o: () => here()?.querySelector("a")?.click(),
    "?": () => open(help),
  };
  offerHelp(help);
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest(WRITING) || document.querySelector("dialog[open]")) return;
    if (switchedOff() && event.key !== "?") return;
    const pressed = chords.press(event.key, event.timeStamp, [...Object.keys(own), ...marked()]);
    if (!pressed) return;
    event.preventDefault();
    (own[pressed] ?? (() => press(pressed)))();
  });
}

function offerHelp(help) {
  const off = help.querySelector("[data-keys-off]");
  off.checked = switchedOff();
  off.addEventListener("change", () => localStorage.setItem(OFF, off.checked ? "yes" : ""));
  for (const button of document.querySelectorAll("[data-opens-keys]")) {
    button.hidden = false;
    button.addEventListener("click", () => open(help));
  }
}

function open(help) {
  help.showModal();
  help.querySelector("form button").focus(); // not in the box: after closing, keys would still seem to be written there
}

function switchedOff() {
  try {
    return Boolean(localStorage.getItem(OFF));
  } catch {
    return false; // the browser forbids storage: the letters work, and ? still explains them
  }
}

/** The keys that the page and the item with the focus give a meaning. */
function marked() {
  const found = [...document.querySelectorAll("[data-key]")].map((each) => each.dataset.key);
  const inItem = [...(here()?.querySelectorAll("[data-item-key]") ?? [])].map((each) => each.dataset.itemKey);
  return [...found, ...inItem];
}

function press(key) {
  const target = here()?.querySelector(`[data-item-key="${key}"]`) ?? document.querySelector(`[data-key="${key}"]`);
  if (target.matches(WRITING) || "keyFocus" in target.dataset) target.focus();
  else target.click();
}

function here() {
  return document.activeElement.closest("[data-item]");
}

function walk(step) {
  const items = [...document.querySelectorAll("[data-item]")].filter((each) => each.querySelector("a"));
  const now = items.indexOf(here());
  const next = now < 0 ? (step > 0 ? 0 : items.length - 1) : now + step;
  items[next]?.querySelector("a").focus();
}
