// The editor of decisions: dmn-js in Japanese, with what the engine finds in a table marked at its cells.

import "./nonce.js";

import DmnModeler from "dmn-js/lib/Modeler";
import { HIT_POLICIES } from "dmn-js-decision-table/lib/features/hit-policy/HitPolicies";

import { Editing, place, refuse, settings, source, speaking, warn } from "./editing.js";
import { lostOfXml } from "./losses.js";
import { speakIn } from "./spoken.js";
import { DRILL, POLICIES, TABLE } from "./words_dmn_ja.js";

const MARK = "has-finding";
const speak = { additionalModules: [speaking(settings.language === "ja" ? TABLE : {})] };
const canvas = place.querySelector(".editor-canvas");
const listened = new WeakSet();
let findings = [];
let editing;

const modeler = new DmnModeler({
  container: canvas,
  drd: speak,
  decisionTable: speak,
  literalExpression: speak,
  boxedExpression: speak,
});

if (settings.language === "ja") {
  // Of these alone the editor asks no translation; each is known by its value, and shown by its label.
  for (const policy of HIT_POLICIES) [policy.label, policy.explanation] = POLICIES[policy.label] ?? [policy.label, policy.explanation];
}
open();

async function open() {
  try {
    await modeler.importXML(source.value);
  } catch (fault) {
    refuse(fault);
    return;
  }
  const content = async () => (await modeler.saveXML({ format: true })).xml;
  warn(lostOfXml(source.value, await content()));
  editing = new Editing(content, hear);
  editing.onshow = ({ element }) => view(element);
  if (settings.language === "ja") speakIn(canvas, DRILL);
  modeler.on("views.changed", listen);
  listen();
  tabs();
  document.addEventListener("click", (event) => canvas.contains(event.target) || leave());
  new MutationObserver(mark).observe(canvas, { childList: true, subtree: true });
  if (settings.element) await view(settings.element);
}

/** Every view has its own command stack. */
function listen() {
  const viewer = modeler.getActiveViewer();
  if (!viewer || listened.has(viewer)) return;
  listened.add(viewer);
  viewer.get("eventBus").on("commandStack.changed", () => editing.changed());
}

/** A cell that stays chosen after a click elsewhere would not take the next click to write in it. */
function leave() {
  modeler.getActiveViewer()?.get("selection", false)?.deselect();
}

async function view(id) {
  const found = modeler.getViews().find(({ element }) => element.id === id || cellsOf(element).includes(id));
  if (!found) return;
  await modeler.open(found);
  document.getElementById("editor-views").value = found.element.id;
  mark();
  canvas.querySelector(`td[data-element-id="${CSS.escape(id)}"]`)?.scrollIntoView({ block: "center" });
}

function rulesOf(decision) {
  return decision?.decisionLogic?.rule ?? [];
}

function cells(rule) {
  return [...(rule.inputEntry ?? []), ...(rule.outputEntry ?? [])];
}

function cellsOf(decision) {
  return rulesOf(decision).flatMap(cells).map(({ id }) => id);
}

/** Which decision is shown, chosen by name. */
function tabs() {
  const chosen = document.getElementById("editor-views");
  for (const { element, type } of modeler.getViews()) {
    const name = type === "drd" ? settings.texts.overview : element.name || element.id;
    chosen.append(new Option(name, element.id));
  }
  chosen.hidden = false;
  chosen.addEventListener("change", () => view(chosen.value));
  modeler.on("views.changed", ({ activeView }) => activeView && (chosen.value = activeView.element.id));
  chosen.value = modeler.getActiveView().element.id;
}

function hear(told) {
  findings = told;
  mark();
}

/** The cells that a finding speaks of. Drawing the table anew takes the mark away, so it is put back each time. */
function mark() {
  const shown = modeler.getActiveView()?.element;
  const rules = rulesOf(shown);
  const marked = new Map();
  for (const { element, rules: numbers, column, message } of findings) {
    marked.set(element, message); // of a cell itself, or of the decision around it, which is no cell
    if (element !== shown?.id) continue;
    for (const number of numbers) {
      const found = rules[number - 1] ? cells(rules[number - 1]) : [];
      for (const { id } of column ? found.slice(column - 1, column) : found) marked.set(id, message);
    }
  }
  for (const cell of canvas.querySelectorAll("td[data-element-id]")) {
    const message = marked.get(cell.dataset.elementId);
    if (cell.classList.contains(MARK) !== Boolean(message)) cell.classList.toggle(MARK, Boolean(message));
    if (message && cell.title !== message) cell.title = message;
  }
}
