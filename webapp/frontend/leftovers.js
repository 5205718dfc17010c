// Texts that stayed in this browser after their task was over.

import { typedHere } from "./typed.js";
import { element, moment, offer } from "./words.js";

export function tidyLeftovers() {
  const typed = typedHere();
  typed.sweep(Date.now());
  for (const { dataset } of document.querySelectorAll("[data-completed-task]")) typed.dropAll(dataset.completedTask);
  for (const place of document.querySelectorAll("[data-closed-task]")) showCopies(typed, place);
}

/** Somebody else has finished the task: what this person had typed is shown to be copied, until they put it away. */
function showCopies(typed, { dataset: { closedTask: task, leftover, forget }, parentElement: around }) {
  for (const copy of typed.of(task)) {
    const written = copy.pairs.map(([, text]) => text).filter((text) => text.trim());
    const boxes = written.map((textContent) => element("pre", { className: "typed", textContent }));
    const putAway = () => {
      typed.drop(task, copy.page);
      notice.remove();
    };
    const notice = offer(leftover.replace("{time}", moment(copy.at)), [[forget, putAway]], ...boxes);
    around.append(notice);
  }
}
