// Keeps the emergency card readable when the connection is gone. Nothing of a case or a person is ever kept: the card
// is fetched without cookies, and only the card and what it looks like are in the cache.

const CACHE = "mamori-card";
const CARD = "/emergency";
const KEPT = [CARD, "/static/mamori.css", "/static/mamori.svg", "/static/dist/page.js"];

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(renew());
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("message", (event) => event.waitUntil(renew()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { pathname } = new URL(request.url);
  if (request.mode === "navigate") event.respondWith(networkFirst(request, CARD));
  else if (request.method === "GET" && KEPT.includes(pathname)) event.respondWith(networkFirst(request, pathname));
});

async function renew() {
  const cache = await caches.open(CACHE);
  await cache.addAll(KEPT.map((path) => new Request(path, { credentials: "omit", cache: "no-cache" })));
}

/** The answer of the server; without one, or where the card itself cannot be made, what is kept at `path`. */
async function networkFirst(request, path) {
  const kept = () => caches.match(path, { cacheName: CACHE });
  try {
    const answer = await fetch(request);
    const failed = answer.status >= 500 && new URL(request.url).pathname === path;
    return (failed && (await kept())) || answer;
  } catch (gone) {
    const card = await kept();
    if (card) return card;
    throw gone;
  }
}
