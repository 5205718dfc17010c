// The diagram of a process with where it stands and the way it came. The page has the same as a list, for those who
// cannot see it; the picture can be moved and enlarged by mouse, finger and keyboard.

import NavigatedViewer from "bpmn-js/lib/NavigatedViewer";

import { marks } from "./trace.js";
import { element } from "./words.js";

const STEP = 1.25; // of enlargement
const LARGEST = 4;
const SMALLEST = 0.05;
const READABLE = 0.8;
const COLOURS = {
  defaultFillColor: "var(--ground)",
  defaultStrokeColor: "var(--text)",
  defaultLabelColor: "var(--text)",
};

// This script comes with the first diagram in view (late.js); each further one is drawn when it comes into view.
const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    draw(target);
  }
});
document.querySelectorAll("[data-diagram]").forEach((place) => seen.observe(place));

async function draw(place) {
  const texts = JSON.parse(place.dataset.texts);
  const canvas = element("div", { className: "diagram-canvas" });
  const look = { bpmnRenderer: COLOURS, textRenderer: font(), zoomScroll: { enabled: false } };
  const viewer = new NavigatedViewer({ container: canvas, ...look });
  place.append(canvas);
  try {
    const answer = await fetch(place.dataset.diagram, { credentials: "same-origin" });
    if (!answer.ok) throw new Error(`${answer.status} for the diagram`);
    await viewer.importXML(await answer.text());
  } catch (fault) {
    place.replaceChildren(element("p", { className: "empty", textContent: texts.missing }));
    console.warn(fault);
    return;
  }
  mark(viewer, marks(JSON.parse(place.dataset.trace)), texts);
  Object.assign(canvas.querySelector("svg"), { role: "img", ariaLabel: texts.label });
  control(viewer, place, canvas, texts);
}

function font() {
  const fontFamily = getComputedStyle(document.body).fontFamily;
  return { defaultStyle: { fontFamily }, externalStyle: { fontFamily } };
}

function mark(viewer, marked, texts) {
  const canvas = viewer.get("canvas");
  const registry = viewer.get("elementRegistry");
  for (const [id, name] of marked) {
    const shape = registry.get(id);
    if (!shape) continue; // it is inside something that is drawn on a page of its own
    const around = name !== "failed" && shape.children?.length; // what is inside tells more
    canvas.addMarker(shape, around ? "around" : name);
    if (name !== "way" && !around && !shape.waypoints) viewer.get("overlays").add(shape, flag(name, texts[name]));
  }
}

/** The mark in words, for those who do not tell colours apart. */
function flag(name, textContent) {
  const html = element("span", { className: `diagram-flag ${name}`, textContent });
  return { position: { top: -14, left: 4 }, scale: { min: READABLE }, html };
}

function control(viewer, place, around, texts) {
  const canvas = viewer.get("canvas");
  const zoom = (factor) => canvas.zoom(Math.min(Math.max(canvas.zoom() * factor, SMALLEST), LARGEST), "auto");
  const whole = () => canvas.zoom("fit-viewport", "auto");
  const moves = { "+": () => zoom(STEP), "-": () => zoom(1 / STEP), 0: whole };
  const buttons = [[texts.larger, moves["+"]], [texts.smaller, moves["-"]], [texts.whole, whole]];
  const now = place.querySelector(".djs-element.here") ?? place.querySelector(".djs-element.failed");
  const look = now && (() => lookAt(canvas, viewer.get("elementRegistry").get(now)));
  if (look) buttons.push([texts.here, look]);
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
  moveByFinger(canvas, around);
  (look ?? whole)();
}

/** The element is in the middle, large enough to read; a whole process is far wider than a page. */
function lookAt(canvas, shape) {
  const { outer } = canvas.viewbox();
  const [width, height] = [outer.width / READABLE, outer.height / READABLE];
  canvas.viewbox({ x: shape.x + (shape.width - width) / 2, y: shape.y + (shape.height - height) / 2, width, height });
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
