// What the three editors share: the file is in the page (with the digest it is saved upon), every change is saved into
// the revision by itself, a second writer is told, and the server's findings stand beside the drawing.

import { Autosave, NotSaved } from "../autosave.js";
import { clock, element, offer } from "../words.js";

const PAUSE = 800; // ms without a change

export const place = document.getElementById("editor");
export const settings = JSON.parse(document.getElementById("editor-settings").textContent);
export const source = document.getElementById("content");
export const texts = settings.texts;

document.querySelectorAll("[data-with-script]").forEach((each) => (each.hidden = false));

/**
 * Saves what `content()` gives after each `changed()`; `found(findings)` hears what the server has to say of the file,
 * at the beginning and after each save.
 */
export class Editing {
  #content;
  #found;
  #seen = settings.seen;
  #status = document.getElementById("editor-status");

  constructor(content, found) {
    this.#content = content;
    this.#found = found;
    this.autosave = new Autosave(() => this.#send(), (...told) => this.#tell(...told));
    document.querySelectorAll("[data-without-script]").forEach((each) => (each.hidden = true));
    document.addEventListener("visibilitychange", () => document.hidden && this.autosave.unsaved && this.autosave.now());
    window.addEventListener("online", () => this.autosave.unsaved && this.autosave.now());
    window.addEventListener("beforeunload", (event) => this.autosave.unsaved && event.preventDefault());
    this.#hear(settings.findings);
  }

  changed() {
    if (!settings.writable) return;
    this.#tell("saving");
    this.autosave.changed(PAUSE);
  }

  async #send() {
    const content = await this.#content();
    const body = new URLSearchParams({ csrf_token: settings.token, seen: this.#seen, content });
    const headers = { Accept: "application/json" };
    const answer = await fetch(settings.save, { method: "POST", body, headers }).catch(() => {
      throw new NotSaved(0);
    });
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw Object.assign(new NotSaved(answer.status), { reason: told.reason });
    this.#seen = told.seen;
    source.value = content;
    this.#inspect();
  }

  async #inspect() {
    const answer = await fetch(settings.inspect, { headers: { Accept: "application/json" } }).catch(() => null);
    if (answer?.ok) this.#hear((await answer.json()).findings);
  }

  #tell(what, told) {
    if (what === "saving") this.#status.textContent = texts.saving;
    if (what === "saved" && told) this.#status.textContent = texts.saved.replace("{time}", clock(new Date()));
    if (what !== "failed") return;
    if (told.status === 409) {
      this.autosave.stop();
      this.#status.replaceChildren(offer(told.reason || texts.refused, [[texts.look, () => location.reload()]]));
    } else {
      this.#status.textContent = told.reason || (told.passing ? texts.offline : texts.refused);
    }
  }

  #hear(findings) {
    const list = document.getElementById("editor-findings");
    const items = findings.map((one) => {
      const item = element("li", { className: one.kind });
      item.append(element("span", { className: "badge", textContent: one.label }), " ");
      if (one.name) item.append(element("strong", { textContent: one.name }), " ");
      item.append(one.message);
      if (one.element) {
        item.append(" ", element("button", { type: "button", className: "plain", textContent: texts.show, onclick: () => this.onshow?.(one) }));
      }
      return item;
    });
    list.replaceChildren(...(items.length ? items : [element("li", { className: "empty", textContent: texts.clean })]));
    this.#found(findings);
  }
}

/** The editor could not open the file: it says why, and the text below can still be mended. */
export function refuse(fault) {
  place.replaceChildren(element("p", { className: "notice warning", textContent: `${texts.unopened} ${fault.message ?? fault}` }));
  document.querySelectorAll("[data-without-script]").forEach((each) => (each.hidden = false));
}

/** A module of diagram-js that speaks the words; with the replacements that a template names. */
export function speaking(words) {
  const translate = (template, replacements = {}) =>
    (words[template] ?? template).replace(/{([^}]+)}/g, (whole, name) => replacements[name] ?? whole);
  return { translate: ["value", translate] };
}
