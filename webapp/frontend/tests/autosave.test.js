import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { Autosave, NotSaved } from "../autosave.js";

let sent, told, answer;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  sent = [];
  told = [];
  answer = async () => {};
});

function autosave() {
  const send = (action) => (sent.push(action), answer());
  return new Autosave(send, (state, outcome) => told.push([state, outcome?.status ?? outcome]));
}

async function pass(ms) {
  mock.timers.tick(ms);
  for (let turn = 0; turn < 10; turn += 1) await null; // what was due has been done
}

function fail(status) {
  answer = () => Promise.reject(new NotSaved(status));
}

test("many keys are one save after the pause", async () => {
  const saving = autosave();
  for (let key = 0; key < 5; key += 1) {
    saving.changed(1000);
    await pass(300);
  }
  assert.deepEqual(sent, []);
  assert.ok(saving.unsaved);

  await pass(700);
  assert.deepEqual(sent, [""]);
  assert.deepEqual(told, [["saving", undefined], ["saved", true]]);
  assert.ok(!saving.unsaved);
});

test("nothing is sent where nothing was entered", async () => {
  await autosave().now();

  assert.deepEqual(sent, []);
});

test("what is entered during a save is saved after it, and the first does not count as all", async () => {
  const saving = autosave();
  let arrived;
  answer = () => new Promise((resolve) => (arrived = resolve));
  saving.changed(0);
  await pass(0);
  saving.changed(0);
  await pass(0);
  assert.equal(sent.length, 1);

  answer = async () => {};
  arrived();
  await pass(0);
  assert.equal(sent.length, 2);
  assert.deepEqual(told.filter(([state]) => state === "saved"), [["saved", false], ["saved", true]]);
});

test("a lost connection is tried again, less and less often, until it is there", async () => {
  const saving = autosave();
  fail(0);
  saving.changed(0);
  await pass(0);
  await pass(5_000);
  await pass(9_999);
  assert.equal(sent.length, 2);

  answer = async () => {};
  await pass(1);
  assert.equal(sent.length, 3);
  assert.ok(!saving.unsaved);
  assert.equal(saving.failure, null);
});

test("a refusal is not repeated by itself, but after the next change", async () => {
  const saving = autosave();
  fail(409);
  saving.changed(0);
  await pass(0);
  await pass(600_000);
  assert.deepEqual(told.at(-1), ["failed", 409]);
  assert.equal(sent.length, 1);

  saving.changed(0);
  await pass(0);
  assert.equal(sent.length, 2);
});

test("a form on its way sends no draft after it, until somebody writes again", async () => {
  const saving = autosave();
  saving.changed(1000);
  saving.stop();
  await saving.now();
  await pass(5000);
  assert.deepEqual(sent, []);
  assert.ok(!saving.unsaved);

  saving.changed(1000);
  await pass(1000);
  assert.deepEqual(sent, [""]);
});

test("a button's action is sent though nothing was entered", async () => {
  await autosave().now("add:rows");

  assert.deepEqual(sent, ["add:rows"]);
});
