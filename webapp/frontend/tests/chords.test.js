import assert from "node:assert/strict";
import { test } from "node:test";

import { Chords } from "../chords.js";

const KNOWN = ["j", "g i", "g c", "?"];

function pressed(...keys) {
  const chords = new Chords();
  return keys.map(([key, at]) => chords.press(key, at, KNOWN));
}

test("a single key is a shortcut at once", () => {
  assert.deepEqual(pressed(["j", 0], ["?", 10]), ["j", "?"]);
});

test("two keys shortly after each other are one shortcut", () => {
  assert.deepEqual(pressed(["g", 0], ["c", 900], ["g", 2000], ["i", 2100]), [null, "g c", null, "g i"]);
});

test("a key that comes too late begins anew", () => {
  assert.deepEqual(pressed(["g", 0], ["i", 1600]), [null, null]);
});

test("a begun shortcut that another key breaks leaves that key its own meaning", () => {
  assert.deepEqual(pressed(["g", 0], ["j", 100], ["i", 200]), [null, "j", null]);
});

test("an unknown key does nothing and ends what was begun", () => {
  assert.deepEqual(pressed(["g", 0], ["x", 100], ["i", 200]), [null, null, null]);
});
