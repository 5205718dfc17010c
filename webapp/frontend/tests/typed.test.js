import assert from "node:assert/strict";
import { test } from "node:test";

import { Typed, pairsOf, same } from "../typed.js";

const DAY = 24 * 60 * 60 * 1000;

class Storage extends Map {
  get length() { return this.size; }
  key(index) { return [...this.keys()][index]; }
  getItem(key) { return this.get(key) ?? null; }
  setItem(key, text) { this.set(key, text); }
  removeItem(key) { this.delete(key); }
}

test("each page keeps its own copy and the newest is first", () => {
  const typed = new Typed(new Storage(), "handler1");
  typed.keep("7", "a", [["text", "old"]], 1);
  typed.keep("7", "b", [["text", "new"]], 2);
  typed.keep("8", "c", [["text", "another task"]], 3);

  const [newest, oldest] = typed.of("7");
  assert.deepEqual(newest, { page: "b", at: 2, pairs: [["text", "new"]] });
  assert.deepEqual(oldest, { page: "a", at: 1, pairs: [["text", "old"]] });

  typed.dropAll("7");
  assert.deepEqual(typed.of("7"), []);
  assert.equal(typed.of("8").length, 1);
});

test("a person never sees the copy of another on the same computer", () => {
  const storage = new Storage();
  new Typed(storage, "handler1").keep("7", "a", [["text", "mine"]], 1);

  assert.deepEqual(new Typed(storage, "handler2").of("7"), []);
  assert.deepEqual(new Typed(storage, "handler").of("7"), []);
});

test("a copy goes after a week, whoever it belongs to", () => {
  const storage = new Storage([["another program", "stays"]]);
  const typed = new Typed(storage, "handler1");
  typed.keep("7", "a", [], 1);
  typed.keep("7", "b", [], 2 * DAY);
  typed.sweep(8 * DAY);

  assert.deepEqual(typed.of("7").map(({ page }) => page), ["b"]);
  assert.equal(storage.get("another program"), "stays");
});

test("a browser without storage, or with a full one, keeps nothing and says so", () => {
  const full = new Storage();
  full.setItem = () => { throw new Error("quota"); };

  for (const storage of [null, full]) {
    const typed = new Typed(storage, "handler1");
    assert.equal(typed.keep("7", "a", [], 1), false);
    assert.deepEqual(typed.of("7"), []);
    typed.drop("7", "a");
    typed.sweep(DAY);
  }
});

test("what cannot be read is no copy", () => {
  const storage = new Storage([["mamori.typed:handler1:7:a", "{"], ["mamori.typed:handler1:7:b", '{"at": 1}']]);

  assert.deepEqual(new Typed(storage, "handler1").of("7"), []);
});

test("two forms say the same whatever the order, the empty fields and the line ends", () => {
  assert.ok(same([["a", "1"], ["b", " "], ["c", "x\r\ny"]], [["c", "x\ny"], ["a", "1"]]));
  assert.ok(same([["a", "1\n"]], [["a", "1"]])); // the server takes the space away
  assert.ok(!same([["a", "1"]], [["a", "2"]]));
  assert.ok(!same([["a", "1"], ["a", "2"]], [["a", "1"]]));
});

test("the page's own fields are not what was typed", () => {
  assert.deepEqual(pairsOf([["csrf_token", "t"], ["_key", "k"], ["_do", "save"], ["text", "x"]]), [["text", "x"]]);
});
