// What of a diagram is seen: a whole process is far wider than a page, so that all of it is too small to read.

import { is } from "bpmn-js/lib/util/ModelUtil";
import { getMid } from "diagram-js/lib/layout/LayoutUtil";

const STEP = 1.25; // of enlargement
const LARGEST = 4;
const SMALLEST = 0.05;
const LEFT = 0.2; // of the width stands before the start
export const READABLE = 0.8;

export class Framing {
  #canvas;
  #registry;

  constructor(viewer) {
    this.#canvas = viewer.get("canvas");
    this.#registry = viewer.get("elementRegistry");
  }

  larger = () => this.#zoom(STEP);
  smaller = () => this.#zoom(1 / STEP);
  whole = () => this.#canvas.zoom("fit-viewport", "auto");

  /** All of it where that can be read, else where it starts. */
  begin() {
    if (this.whole() >= READABLE) return;
    const starts = this.#registry.filter((each) => is(each, "bpmn:StartEvent") && !is(each.parent, "bpmn:SubProcess"));
    const [first] = starts.sort((one, other) => one.x - other.x || one.y - other.y);
    if (first) this.lookAt(first, LEFT);
  }

  /** The element is in the middle, or at that part of the width, large enough to read. */
  lookAt(shape, across = 1 / 2) {
    const plane = this.#canvas.findRoot(shape);
    if (plane && plane !== this.#canvas.getRootElement()) this.#canvas.setRootElement(plane);
    const { outer } = this.#canvas.viewbox();
    const [width, height] = [outer.width / READABLE, outer.height / READABLE];
    const middle = getMid(shape);
    this.#canvas.viewbox({ x: middle.x - width * across, y: middle.y - height / 2, width, height });
  }

  #zoom(factor) {
    this.#canvas.zoom(Math.min(Math.max(this.#canvas.zoom() * factor, SMALLEST), LARGEST), "auto");
  }
}
