// The heat map: how long cases wait in each element of a process. The page has the same as a table.

import { element } from "./words.js";

/** `heat`: element id → {level: 0 to 4, text}. */
export function heatUp(viewer, heat) {
  const registry = viewer.get("elementRegistry");
  for (const [id, { level, text }] of Object.entries(heat)) {
    const shape = registry.get(id);
    if (!shape || shape.waypoints) continue; // it is inside something that is drawn on a page of its own
    viewer.get("canvas").addMarker(shape, shape.children?.length ? "around" : `heat-${level}`);
    const html = element("span", { className: `diagram-flag heat-${level}`, textContent: text });
    viewer.get("overlays").add(shape, { position: { top: -24, left: 0 }, scale: true, html }); // from afar colours tell
  }
}
