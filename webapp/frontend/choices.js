// A long list of choices shows those with a word in them, and those that are chosen.

/** Every list follows what is typed above it. */
export function narrowWhenTyped() {
  document.addEventListener("input", ({ target }) => target.matches(".narrow") && narrow(target));
}

/** The lists in the container show what is asked for above them: fields that came anew show all. */
export function narrowAll(container) {
  container.querySelectorAll(".narrow").forEach(narrow);
}

function narrow(asked) {
  const words = folded(asked.value).split(/\s+/);
  for (const choice of asked.nextElementSibling.querySelectorAll(".choice")) {
    const text = folded(choice.textContent);
    choice.hidden = !choice.querySelector(":checked") && !words.every((word) => text.includes(word));
  }
}

function folded(text) {
  return text.normalize("NFKC").toLowerCase().trim();
}
