// The editor of processes: bpmn-js with the stock Camunda 8 panel, in Japanese, with the server's findings on the shapes.

import "./nonce.js";

import BpmnModeler from "bpmn-js/lib/Modeler";
import {
  BpmnPropertiesPanelModule,
  BpmnPropertiesProviderModule,
  ZeebePropertiesProviderModule,
} from "bpmn-js-properties-panel";
import ZeebeBehaviorsModule from "camunda-bpmn-js-behaviors/lib/camunda-cloud";
import TokenSimulationModule from "bpmn-js-token-simulation";
import zeebe from "zeebe-bpmn-moddle/resources/zeebe.json";
import japanese from "bpmn-js-i18n/translations/ja";

import { Framing } from "../framing.js";
import { element } from "../words.js";
import { Editing, place, refuse, settings, source, speaking, texts, warn } from "./editing.js";
import { lostOfXml } from "./losses.js";
import { Offers } from "./offers.js";
import { speakIn } from "./spoken.js";
import { PANEL, PARTS, PARTS_COUNTED, SIMULATED, SIMULATION, TYPES } from "./words_ja.js";

const words = settings.language === "ja" ? { ...japanese, ...PANEL } : {};
const MARK = "has-finding";
const SIMULATING = ".editor-canvas [class^='bts-']:not([class^='bts-'] *), .djs-overlay-container";
let framing;

const modeler = new BpmnModeler({
  container: place.querySelector(".editor-canvas"),
  propertiesPanel: { parent: place.querySelector(".editor-panel") },
  moddleExtensions: { zeebe },
  additionalModules: [
    BpmnPropertiesPanelModule,
    BpmnPropertiesProviderModule,
    ZeebePropertiesProviderModule,
    ZeebeBehaviorsModule,
    TokenSimulationModule,
    speaking(words),
    { __init__: ["offers"], offers: ["type", Offers] },
  ],
});

open();

async function open() {
  try {
    await modeler.importXML(source.value);
  } catch (fault) {
    refuse(fault);
    return;
  }
  frame();
  if (settings.language === "ja") {
    place.querySelectorAll(SIMULATING).forEach((part) => speakIn(part, SIMULATION, SIMULATED));
    speakIn(place.querySelector(".editor-panel"), { ...TYPES, ...PARTS }, PARTS_COUNTED);
  }
  const content = async () => (await modeler.saveXML({ format: true })).xml;
  const editing = new Editing(content, mark);
  warn(lostOfXml(source.value, await content()));
  editing.onshow = show;
  modeler.on("commandStack.changed", () => editing.changed());
}

/** What is asked for in the address can be read, else where the process starts. */
function frame() {
  framing = new Framing(modeler);
  framing.begin();
  // The panel begins to listen to what is chosen only after it is drawn.
  if (settings.element) requestAnimationFrame(() => setTimeout(() => show({ element: settings.element })));
  const row = element("span", { className: "diagram-buttons" });
  for (const [textContent, onclick] of [[texts.larger, framing.larger], [texts.smaller, framing.smaller], [texts.whole, framing.whole]]) {
    row.append(element("button", { type: "button", className: "small", textContent, onclick }));
  }
  document.querySelector(".editor-head").prepend(row);
}

function mark(findings) {
  const registry = modeler.get("elementRegistry");
  const canvas = modeler.get("canvas");
  for (const each of registry.getAll()) canvas.removeMarker(each, MARK);
  for (const { element } of findings) if (registry.get(element)) canvas.addMarker(element, MARK);
}

function show(asked) {
  const found = modeler.get("elementRegistry").get(asked.element);
  if (!found) return;
  framing.lookAt(found);
  modeler.get("selection").select(found);
  modeler.get("canvas").focus();
}
