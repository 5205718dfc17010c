import assert from "node:assert/strict";
import { test } from "node:test";

import { marks } from "../trace.js";

test("an element has one mark: failed before here before the way", () => {
  const trace = { completed: ["a", "b", "c"], flows: ["f"], open: ["b", "c"], failed: ["c"] };

  assert.deepEqual([...marks(trace)], [["a", "way"], ["b", "here"], ["c", "failed"], ["f", "way"]]);
});

test("what was never reached is marked, elements and flows alike", () => {
  assert.deepEqual([...marks({ unreached: ["a", "f"] })], [["a", "unreached"], ["f", "unreached"]]);
});

test("a process of which nothing is known has no marks", () => {
  assert.equal(marks({}).size, 0);
});
