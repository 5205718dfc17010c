// Keys pressed one after the other, as `g i`, found among those that mean something.

const TOGETHER = 1500; // ms between the keys of one shortcut

export class Chords {
  #begun = "";
  #at = 0;

  /** The shortcut that `key` completes at time `at` (ms) among `known`, or null. */
  press(key, at, known) {
    const longer = at - this.#at < TOGETHER && this.#begun ? `${this.#begun} ${key}` : key;
    const typed = known.some((each) => begins(each, longer)) ? longer : key;
    this.#at = at;
    this.#begun = known.includes(typed) ? "" : typed;
    return known.includes(typed) ? typed : null;
  }
}

function begins(shortcut, typed) {
  return shortcut === typed || shortcut.startsWith(`${typed} `);
}
