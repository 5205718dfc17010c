// The emergency card without a connection: the service worker keeps it, and a page says when it stands in for another.

const ASKED = "mamori.card.asked";

export function prepareOffline() {
  for (const notice of document.querySelectorAll("[data-when-offline]")) watch(notice);
  navigator.serviceWorker?.register("/service-worker.js").then(renew, () => {}); // a browser may forbid workers
}

/** Once per visit the card is fetched anew: the numbers on it may have changed. */
function renew(registration) {
  if (!registration?.active || sessionStorage.getItem(ASKED)) return;
  registration.active.postMessage("renew");
  sessionStorage.setItem(ASKED, "yes");
}

/** The notice is shown while there is no connection, and where this page came in place of the one asked for. */
function watch(notice) {
  const instead = location.pathname !== notice.dataset.whenOffline;
  for (const words of notice.querySelectorAll("[data-instead]")) words.hidden = !instead;
  const update = () => (notice.hidden = navigator.onLine && !instead);
  window.addEventListener("online", update);
  window.addEventListener("offline", update);
  update();
}
