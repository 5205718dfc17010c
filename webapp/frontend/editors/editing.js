// What the three editors share: the file is in the page (with the digest it is saved upon), every change is saved into
// the revision by itself, a second writer is told, and the server's findings stand beside the drawing.

import { Autosave, NotSaved } from "../autosave.js";
import { clock, element, offer } from "../words.js";

const TOLD = 5; // of what would be lost
const PAUSE = 500; // ms without a change

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
  #checked = document.getElementById("editor-checked");
  #asked = 0;

  constructor(content, found) {
    this.#content = content;
    this.#found = found;
    this.autosave = new Autosave(() => this.#send(), (...told) => this.#tell(...told));
    document.querySelectorAll("[data-without-script]").forEach((each) => (each.hidden = true));
    document.addEventListener("visibilitychange", () => document.hidden && this.autosave.unsaved && this.autosave.now());
    window.addEventListener("online", () => this.autosave.unsaved && this.autosave.now());
    window.addEventListener("beforeunload", (event) => this.autosave.unsaved && event.preventDefault());
    this.#hear(settings);
  }

  changed() {
    if (!settings.writable) return;
    this.#tell("saving");
    this.#checked.textContent = texts.checking;
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
    const number = ++this.#asked;
    const answer = await fetch(settings.inspect, { headers: { Accept: "application/json" } }).catch(() => null);
    const told = answer?.ok && (await answer.json());
    if (number !== this.#asked || this.autosave.unsaved) return; // what comes of the newest is told
    if (told) this.#hear(told);
    else this.#checked.textContent = texts.unchecked;
  }

  #tell(what, told) {
    if (what === "saving") this.#status.textContent = texts.saving;
    if (what === "saved" && told) this.#status.textContent = texts.saved.replace("{time}", clock(new Date()));
    if (what !== "failed") return;
    this.#checked.textContent = texts.unchecked;
    if (told.status === 409) {
      this.autosave.stop();
      this.#status.replaceChildren(offer(told.reason || texts.refused, [[texts.look, () => location.reload()]]));
    } else {
      this.#status.textContent = told.reason || (told.passing ? texts.offline : texts.refused);
    }
  }

  #hear({ findings, elsewhere }) {
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
    const told = items.length ? texts.found.replace("{count}", items.length) : texts.clean;
    const further = texts.elsewhere.replace("{count}", elsewhere);
    this.#checked.textContent = elsewhere ? `${told} ${further}` : told;
    const other = document.getElementById("editor-elsewhere");
    other.hidden = !elsewhere;
    other.querySelector("a").textContent = further;
    this.#found(findings);
  }
}

/** What the editor would lose of the file is told before anything is saved over it; as text it can still be changed. */
export function warn(lost) {
  if (!lost.length) return;
  const notice = element("div", { className: "notice warning", id: "editor-losses" });
  const told = element("ul", {});
  const otherwise = element("p", {});
  for (const textContent of lost.slice(0, TOLD)) {
    const item = element("li", {});
    item.append(element("code", { textContent }));
    told.append(item);
  }
  otherwise.append(element("a", { href: settings.asText, textContent: texts.asText }));
  notice.append(element("p", { textContent: texts.loses.replace("{count}", lost.length) }), told, otherwise);
  document.querySelector(".editor-head").before(notice);
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
