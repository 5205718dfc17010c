// The editor of forms: form-js, with the page that people will really see beside it, made by the server.

import "./nonce.js";

import { FormEditor } from "@bpmn-io/form-js-editor";

import { element } from "../words.js";
import { Editing, place, refuse, settings, source, warn } from "./editing.js";
import { lostOfJson } from "./losses.js";
import { speakIn } from "./spoken.js";
import { FORM, FORM_SENTENCES } from "./words_form_ja.js";

const PAUSE = 500; // ms
const ABOVE = 16; // pixels between the edge of the preview and the field that it shows
const preview = document.getElementById("editor-preview");
const container = place.querySelector(".editor-canvas");
let waiting;
let chosen; // the name of the field that is worked on
let asked = 0;

offerWhatCanBeUsed();
open();

async function open() {
  const editor = new FormEditor({ container });
  try {
    await editor.importSchema(JSON.parse(source.value));
  } catch (fault) {
    refuse(fault);
    return;
  }
  if (settings.language === "ja") {
    speakIn(container, FORM, FORM_SENTENCES);
    editor.on("commandStack.formField.add.preExecute", speakInNew);
  }
  const content = () => `${JSON.stringify(editor.saveSchema(), null, 2)}\n`;
  warn(lostOfJson(source.value, content()));
  const editing = new Editing(content, () => {});
  editing.onshow = (found) => editor.get("selection").set(editor.get("formFieldRegistry").get(found.element));
  editor.on("selection.changed", ({ selection }) => lead((chosen = selection?.key || selection?.path)));
  preview.addEventListener("change", () => show(content()));
  editor.on("commandStack.changed", () => {
    editing.changed();
    clearTimeout(waiting);
    waiting = setTimeout(() => show(content()), PAUSE);
  });
  show(source.value);
}

/** The palette without what would be refused. */
function offerWhatCanBeUsed() {
  const usable = settings.components.map((type) => `[data-field-type="${type}"]`).join(", ");
  const textContent = `#editor :is(.fjs-palette-field:not(${usable}), .fjs-palette-group:not(:has(${usable}))) { display: none; }`;
  document.head.append(element("style", { textContent }));
}

/** A new component begins with the words of the reader's language, as far as it begins with the editor's own. */
function speakInNew({ context: { formField } }) {
  for (const each of [formField, ...(formField.values ?? [])]) each.label = FORM[each.label] ?? each.label;
  if (formField.text === "# Text") formField.text = FORM.Text;
}

/** The field that is worked on can be seen in the preview too. */
function lead(name) {
  preview.querySelectorAll(".chosen").forEach((each) => each.classList.remove("chosen"));
  const found = name && preview.querySelector(`[name="${CSS.escape(name)}"]`)?.closest(".field, fieldset");
  if (!found) return;
  found.classList.add("chosen");
  const [inner, outer] = [found.getBoundingClientRect(), preview.getBoundingClientRect()];
  if (inner.top < outer.top || inner.bottom > outer.bottom) preview.scrollTop += inner.top - outer.top - ABOVE;
}

/** What was typed into the preview, so that the conditions take it into account. */
function typed() {
  const controls = [...preview.querySelectorAll("input, select, textarea")];
  const given = controls.filter(({ name, type, checked }) => name && (!["radio", "checkbox"].includes(type) || checked));
  return given.map(({ name, value }) => [`typed.${name}`, value]);
}

/** The control that stands where this one stood before. */
function same({ name, type, value }) {
  const named = [...preview.querySelectorAll("[name]")].filter((each) => each.name === name && each.type !== "hidden");
  return named.find((each) => !["radio", "checkbox"].includes(type) || each.value === value);
}

/** The newest answer stays, whichever comes last. */
async function show(content) {
  const number = ++asked;
  const body = new URLSearchParams([["csrf_token", settings.token], ["content", content], ...typed()]);
  const answer = await fetch(settings.preview, { method: "POST", body }).catch(() => null);
  const told = await answer?.text();
  if (!told || number !== asked) return;
  const focused = preview.contains(document.activeElement) && document.activeElement;
  preview.innerHTML = told;
  if (focused) same(focused)?.focus();
  lead(chosen);
}
