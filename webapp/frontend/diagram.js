// The diagram of a process with where it stands and the way it came, or with where cases wait. The page has the same in
// words, for those who cannot see it.

import { heatUp } from "./heat.js";
import { marks } from "./trace.js";
import { control, draw, Marks } from "./viewer.js";

// This script comes with the first diagram in view (late.js); each further one is drawn when it comes into view.
const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    show(target);
  }
});
document.querySelectorAll("[data-diagram]").forEach((place) => seen.observe(place));

async function show(place) {
  const texts = JSON.parse(place.dataset.texts);
  const drawn = await draw(place, place.dataset.diagram, texts);
  if (!drawn) return;
  if (place.dataset.heat) heatUp(drawn.viewer, JSON.parse(place.dataset.heat));
  else new Marks(drawn.viewer, texts).show(marks(JSON.parse(place.dataset.trace)));
  control(drawn.viewer, place, drawn.canvas, texts);
}
