import assert from "node:assert/strict";
import { test } from "node:test";

import { find, fold, traceAt } from "../fold.js";

function step(moves, more = {}) {
  return { place: "1 request", instance: 1, moves, stopped: [], resolved: [], values: [], words: "", ...more };
}

const STARTED = step([["e", "1 request", 2, "start", null], ["l", "1 request", 2, "start", null], ["e", "1 request", 3, "ask", "to_ask"]]);
const ASKED = step([["l", "1 request", 3, "ask", null], ["e", "1 request", 4, "check", "to_check"]]);

test("a process stands where its tokens are and came by what they left", () => {
  const folded = fold([STARTED, ASKED], 2);

  assert.deepEqual(traceAt(folded, "1 request"), {
    open: ["check"],
    completed: ["start", "ask"],
    flows: ["to_ask", "to_check"],
    failed: [],
  });
});

test("an earlier moment knows nothing of what came after", () => {
  assert.deepEqual(traceAt(fold([STARTED, ASKED], 1), "1 request").open, ["ask"]);
  assert.equal(fold([STARTED, ASKED], 0).place, null);
});

test("what was cancelled is neither open nor on the way", () => {
  const cancelled = step([["c", "1 request", 3, "ask", null]]);

  const trace = traceAt(fold([STARTED, cancelled], 2), "1 request");

  assert.deepEqual([trace.open, trace.completed], [[], ["start"]]);
});

test("a called process has its own place, and what belongs to none leaves the place as it was", () => {
  const called = step([["e", "1 other", 5, "begin", null]], { place: "1 other" });
  const comment = step([], { place: null, instance: null });

  const folded = fold([STARTED, called, comment], 3);

  assert.equal(folded.place, "1 other");
  assert.deepEqual(traceAt(folded, "1 request").open, ["ask"]);
  assert.deepEqual(traceAt(folded, "1 other").open, ["begin"]);
});

test("an element has failed until its token goes on", () => {
  const stopped = step([], { stopped: [3] });
  const resolved = step([], { resolved: [3] });

  assert.deepEqual(traceAt(fold([STARTED, stopped], 2), "1 request").failed, ["ask"]);
  assert.deepEqual(traceAt(fold([STARTED, stopped, resolved], 3), "1 request").failed, []);
});

test("tokens of two instances with the same number are two", () => {
  const other = step([["e", "2 request", 3, "ask", null]], { place: "2 request", instance: 2 });

  const folded = fold([STARTED, other, step([], { stopped: [3] })], 3);

  assert.deepEqual([traceAt(folded, "1 request").failed, traceAt(folded, "2 request").failed], [["ask"], []]);
});

test("values are those last written, with what the last step wrote over", () => {
  const wrote = (...values) => step([], { values });
  const steps = [wrote(["a", "A", "one"], ["b", "B", "one"]), wrote(["a", "A", "two"]), wrote(["b", "B", "two"], ["c", "C", "new"])];

  const texts = (count) => [...fold(steps, count).values.get(1).values()].map(([, , text]) => text);
  const before = (count) => [...fold(steps, count).before].map(([key, value]) => [key, value?.[2]]);

  assert.deepEqual([texts(2), before(2)], [["two", "one"], [["a", "one"]]]);
  assert.deepEqual([texts(3), before(3)], [["two", "two", "new"], [["b", "one"], ["c", undefined]]]);
});

test("a value written twice in one step shows what stood before the step", () => {
  const steps = [step([], { values: [["a", "A", "one"]] }), step([], { values: [["a", "A", "two"], ["a", "A", "three"]] })];

  const folded = fold(steps, 2);

  assert.deepEqual([folded.values.get(1).get("a")[2], folded.before.get("a")[2]], ["three", "one"]);
});

test("values of two instances with the same name are two", () => {
  const steps = [step([], { values: [["a", "A", "one"]] }), step([], { instance: 2, values: [["a", "A", "two"]] })];

  const folded = fold(steps, 2);

  assert.deepEqual([folded.values.get(1).get("a")[2], folded.before.get("a")], ["one", undefined]);
});

test("a search wants every word, in any order, whatever the case of the letters", () => {
  const steps = [step([], { words: "anna asked" }), step([], { words: "berta checked ask" }), undefined];

  assert.deepEqual(find(steps, "ASK", 9), [1, 2]);
  assert.deepEqual(find(steps, "ask berta", 9), [2]);
  assert.deepEqual(find(steps, "ask", 1), [1]);
  assert.deepEqual(find(steps, "  ", 9), []);
});
