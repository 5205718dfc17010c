// A diagram of a process in the page: drawn from its file, marked, moved and enlarged by mouse, finger and keyboard.

import NavigatedViewer from "bpmn-js/lib/NavigatedViewer";

import { Framing, READABLE } from "./framing.js";
import { element } from "./words.js";

const COLOURS = {
  defaultFillColor: "var(--ground)",
  defaultStrokeColor: "var(--text)",
  defaultLabelColor: "var(--text)",
};

/** The drawing of the file at `address`, in a canvas at the end of `place`; null, and said so, where there is none. */
export async function draw(place, address, texts) {
  const canvas = element("div", { className: "diagram-canvas" });
  const look = { bpmnRenderer: COLOURS, textRenderer: font(), zoomScroll: { enabled: false } };
  const viewer = new NavigatedViewer({ container: canvas, ...look });
  place.append(canvas);
  try {
    const answer = await fetch(address, { credentials: "same-origin" });
    if (!answer.ok) throw new Error(`${answer.status} for the diagram`);
    await viewer.importXML(await answer.text());
  } catch (fault) {
    place.replaceChildren(element("p", { className: "empty", textContent: texts.missing }));
    console.warn(fault);
    return null;
  }
  Object.assign(canvas.querySelector("svg"), { role: "img", ariaLabel: texts.label });
  return { viewer, canvas };
}

function font() {
  const fontFamily = getComputedStyle(document.body).fontFamily;
  return { defaultStyle: { fontFamily }, externalStyle: { fontFamily } };
}

/** The marks on the elements of a drawing; showing others touches only those that differ. */
export class Marks {
  #viewer;
  #texts;
  #shown = new Map();

  constructor(viewer, texts) {
    this.#viewer = viewer;
    this.#texts = texts;
  }

  /** `marked`: element id → its mark. */
  show(marked) {
    for (const [id, name] of this.#shown) if (marked.get(id) !== name) this.#take(id, name);
    for (const [id, name] of marked) if (this.#shown.get(id) !== name) this.#put(id, name);
    this.#shown = new Map(marked);
  }

  #put(id, name) {
    const shape = this.#viewer.get("elementRegistry").get(id);
    if (!shape) return; // it is inside something that is drawn on a page of its own
    const mark = around(shape, name) ? "around" : name;
    this.#viewer.get("canvas").addMarker(shape, mark);
    if (mark === name && name !== "way" && !shape.waypoints) {
      this.#viewer.get("overlays").add(shape, "mark", flag(name, this.#texts[name]));
    }
  }

  #take(id, name) {
    const shape = this.#viewer.get("elementRegistry").get(id);
    if (!shape) return;
    this.#viewer.get("canvas").removeMarker(shape, around(shape, name) ? "around" : name);
    this.#viewer.get("overlays").remove({ element: shape, type: "mark" });
  }
}

/** What is inside a shape tells more than the shape, unless something is amiss with the shape itself. */
function around(shape, name) {
  return name !== "failed" && name !== "unreached" && Boolean(shape.children?.length);
}

/** The mark in words, for those who do not tell colours apart. */
function flag(name, textContent) {
  const html = element("span", { className: `diagram-flag ${name}`, textContent });
  const scale = name === "unreached" || { min: READABLE }; // of these there may be many: from afar colours tell
  return { position: { top: -14, left: 4 }, scale, html };
}

/**
 * Buttons and keys for the drawing; it shows where the process stands, or the first that differs, or all of it. With
 * `moving` it may stand nowhere now and somewhere later.
 */
export function control(viewer, place, around, texts, moving = false) {
  const framing = new Framing(viewer);
  const { larger, smaller, whole } = framing;
  const moves = { "+": larger, "-": smaller, 0: whole };
  const buttons = [[texts.larger, larger], [texts.smaller, smaller], [texts.whole, whole]];
  const now = () => place.querySelector(".djs-element.here") ?? place.querySelector(".djs-element.failed");
  const look = () => now() && framing.lookAt(viewer.get("elementRegistry").get(now()));
  if (moving || now()) buttons.push([texts.here, look]);
  const row = element("div", { className: "diagram-buttons" });
  for (const [textContent, onclick] of buttons) {
    row.append(element("button", { type: "button", className: "small", textContent, onclick }));
  }
  place.prepend(row);
  around.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !moves[event.key]) return;
    event.preventDefault();
    moves[event.key]();
  });
  // The wheel moves the page until somebody is in the picture.
  around.addEventListener("focusin", () => viewer.get("zoomScroll").toggle(true));
  around.addEventListener("focusout", () => viewer.get("zoomScroll").toggle(false));
  moveByFinger(viewer.get("canvas"), around);
  const differs = place.querySelector(".djs-element:is(.changed, .added, .moved)");
  if (whole() < READABLE && differs) framing.lookAt(viewer.get("elementRegistry").get(differs));
  look();
}

/** A finger that begins sideways moves the picture; up and down it moves the page (`touch-action` in the sheet). */
function moveByFinger(canvas, around) {
  let from = null;
  around.addEventListener("pointerdown", (event) => {
    from = event.pointerType === "touch" && event.isPrimary ? event : null;
  });
  around.addEventListener("pointermove", (event) => {
    if (event.pointerId !== from?.pointerId) return;
    canvas.scroll({ dx: event.clientX - from.clientX, dy: event.clientY - from.clientY });
    from = event;
  });
  for (const end of ["pointerup", "pointercancel"]) around.addEventListener(end, () => (from = null));
}
