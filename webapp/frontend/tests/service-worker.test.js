import assert from "node:assert/strict";
import { test } from "node:test";

const heard = {};
globalThis.self = { addEventListener: (name, listener) => (heard[name] = listener), skipWaiting() {}, clients: { claim() {} } };
globalThis.caches = { match: async (path) => new Response(`kept ${path}`), open: async () => ({ addAll: async () => {} }) };
await import("../service-worker.js");

async function navigate(path, answer) {
  let answered;
  globalThis.fetch = answer;
  heard.fetch({ request: { url: `http://localhost${path}`, mode: "navigate", method: "GET" }, respondWith: (given) => (answered = given) });
  return (await answered).text();
}

const says = (status) => async () => new Response("from the server", { status });
const gone = async () => {
  throw new TypeError("no connection");
};

test("the card comes from the server while it can make it", async () => {
  assert.equal(await navigate("/emergency", says(200)), "from the server");
});

test("the kept card is there where the server cannot make it, or is gone", async () => {
  assert.equal(await navigate("/emergency", says(503)), "kept /emergency");
  assert.equal(await navigate("/emergency", gone), "kept /emergency");
  assert.equal(await navigate("/cases", gone), "kept /emergency");
});

test("another page's fault is told as it is", async () => {
  assert.equal(await navigate("/cases", says(503)), "from the server");
});
