// What was typed and is not yet known to be on the server, kept in this browser.
//
// Each open page keeps its own copy, so that two tabs on one task never overwrite each other, and each person has
// their own, because a shop's computer is shared. A copy goes as soon as the server has it, or after a week.

const PREFIX = "mamori.typed";
const KEPT_FOR = 7 * 24 * 60 * 60 * 1000; // ms
const OWN_NAMES = new Set(["csrf_token", "_key", "_do"]); // of the page, not of the form

/** The form's pairs of name and text, without the page's own. */
export function pairsOf(data) {
  return [...data].filter(([name, value]) => !OWN_NAMES.has(name) && typeof value === "string");
}

/** Whether both say the same; an empty text says nothing, space around one neither, and the order does not matter. */
export function same(pairs, others) {
  return digest(pairs) === digest(others);
}

function digest(pairs) {
  const said = pairs.filter(([, text]) => text.trim()).map(([name, text]) => [name, text.trim().replaceAll("\r\n", "\n")]);
  return JSON.stringify(said.map((pair) => JSON.stringify(pair)).sort());
}

/** The copies of one person; `storage` is a Web Storage, or null where the browser offers none. */
export class Typed {
  #storage;
  #prefix;

  constructor(storage, person) {
    this.#storage = storage;
    this.#prefix = `${PREFIX}:${encodeURIComponent(person)}:`;
  }

  /** The copy of this page is `pairs` now; false where the browser would not keep it. */
  keep(task, page, pairs, at) {
    try {
      this.#storage.setItem(this.#key(task, page), JSON.stringify({ at, pairs }));
      return true;
    } catch {
      return false; // no storage, or it is full
    }
  }

  drop(task, page) {
    this.#storage?.removeItem(this.#key(task, page));
  }

  dropAll(task) {
    for (const { page } of this.of(task)) this.drop(task, page);
  }

  /** The copies of a task, newest first: {page, at, pairs}. */
  of(task) {
    const prefix = this.#key(task, "");
    const found = this.#keys(prefix).map((key) => ({ page: key.slice(prefix.length), ...this.#read(key) }));
    return found.filter(({ at }) => at).sort((one, other) => other.at - one.at);
  }

  /** Nobody's copy is older than a week. */
  sweep(now) {
    for (const key of this.#keys(`${PREFIX}:`)) {
      if (!(this.#read(key).at > now - KEPT_FOR)) this.#storage.removeItem(key);
    }
  }

  #key(task, page) {
    return `${this.#prefix}${task}:${page}`;
  }

  #keys(prefix) {
    const all = Array.from({ length: this.#storage?.length ?? 0 }, (_, index) => this.#storage.key(index));
    return all.filter((key) => key.startsWith(prefix));
  }

  #read(key) {
    try {
      const { at, pairs } = JSON.parse(this.#storage.getItem(key));
      return Number.isFinite(at) && Array.isArray(pairs) ? { at, pairs } : {};
    } catch {
      return {}; // somebody else's text under our name
    }
  }
}

/** The copies of who is signed in on this page. */
export function typedHere() {
  const person = document.body.dataset.person ?? "";
  try {
    return new Typed(window.localStorage, person);
  } catch {
    return new Typed(null, person); // the browser forbids storage
  }
}
