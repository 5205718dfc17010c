// When to save: after a pause, at once when told to, again when it failed; one save at a time, the newest text last.

const RETRY_FIRST = 5_000; // ms
const RETRY_LAST = 60_000;

/** What a save that did not work throws; `status` is the HTTP status, 0 where no answer came. */
export class NotSaved extends Error {
  constructor(status) {
    super(`not saved: ${status}`);
    this.status = status;
  }

  /** Whether the same save may work later by itself. */
  get passing() {
    return this.status === 0 || this.status >= 500 || this.status === 429;
  }
}

export class Autosave {
  #send;
  #tell;
  #made = 0; // changes so far
  #saved = 0; // the last change that the server has
  #stopped = false;
  #timer;
  #retry = RETRY_FIRST;
  #queue = Promise.resolve();

  /**
   * `send(action)` saves the form as it is when called, or throws NotSaved; `tell` hears ("saving"), ("saved", whether
   * nothing was entered since) or ("failed", NotSaved).
   */
  constructor(send, tell) {
    this.#send = send;
    this.#tell = tell;
    this.failure = null;
  }

  /** Whether something was entered that the server may lack and that is still ours to save. */
  get unsaved() {
    return !this.#stopped && this.#made > this.#saved;
  }

  /** Something was entered: it is saved after `pause` ms without another change. */
  changed(pause) {
    this.#stopped = false;
    this.#made += 1;
    this.later(pause);
  }

  /** All that was entered is saved, and the server has done `action` (a button's value) with the form. */
  now(action = "") {
    clearTimeout(this.#timer);
    this.#queue = this.#queue.then(() => this.#save(action));
    return this.#queue;
  }

  /** Nothing is sent by itself until something is entered again: the form itself is on its way. */
  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #save(action) {
    if (!this.unsaved && !action) return;
    const upTo = this.#made;
    this.#tell("saving");
    try {
      await this.#send(action);
    } catch (failure) {
      if (!(failure instanceof NotSaved)) throw failure;
      this.#failed(failure);
      return;
    }
    this.#saved = upTo;
    this.#retry = RETRY_FIRST;
    this.failure = null;
    this.#tell("saved", this.#made === upTo);
  }

  #failed(failure) {
    this.failure = failure;
    this.#tell("failed", failure);
    if (!failure.passing || !this.unsaved) return;
    this.later(this.#retry);
    this.#retry = Math.min(this.#retry * 2, RETRY_LAST);
  }

  /** What is not saved yet is saved after `pause` ms, unless something else is entered before. */
  later(pause) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.now(), pause);
  }
}
