// A task's form that saves while somebody writes and shows the fields that matter now, without leaving the page.
//
// One exchange does both: the form is posted to its `data-draft` address, the server keeps it as a draft and answers
// with the fields as they are then (#fields) and a sentence about the draft (#draft). Without this script the same
// buttons post the form and the page comes back whole.

import { Autosave, NotSaved } from "./autosave.js";
import { narrowAll } from "./choices.js";
import { merge, stateOf, statesOf, wasChanged } from "./merge.js";
import { pairsOf, same, typedHere } from "./typed.js";
import { clock, element, moment, offer } from "./words.js";

const PAUSE_TYPED = 1000; // ms without a key
const PAUSE_CHOSEN = 100;
const PAUSE_LEFT = 300; // fields that moved under a click would swallow it
const WRITTEN = "textarea, input:not([type=radio], [type=checkbox], [type=date], [type=time], [type=datetime-local])";
const ENTERED = "input:not([type=hidden]), select, textarea";
const IN_PLACE = /^(save|refresh|add:.*|remove:.*)$/; // buttons that need not leave the page
const CHANGES_ROWS = /^(add|remove):([^[]*)/;
const KEEPALIVE = 60_000; // bytes; more may not outlive the page

const form = document.querySelector("form[data-draft]");
if (form) begin(form);

function begin(form) {
  const texts = JSON.parse(document.getElementById("form-texts").textContent);
  const typed = typedHere();
  const fields = document.getElementById("fields");
  const draft = document.getElementById("draft");
  const task = form.dataset.task;
  const page = String(Date.now());
  const edited = new Set(); // names of controls touched since the page came
  const autosave = new Autosave(send, tell);
  let kept = true; // whether this browser holds what the server lacks
  let composing = false; // amid a Japanese word that is not settled
  let waiting = null; // fields that came meanwhile

  document.querySelectorAll("[data-without-script]").forEach((each) => each.remove());
  begun();

  form.addEventListener("input", (event) => {
    if (event.target.form !== form) return; // asks for some of many choices, answers nothing
    edited.add(event.target.name);
    keep();
    autosave.changed(event.target.matches(WRITTEN) ? PAUSE_TYPED : PAUSE_CHOSEN);
  });
  form.addEventListener("focusout", () => autosave.unsaved && !autosave.failure && autosave.later(PAUSE_LEFT));
  form.addEventListener("compositionstart", () => (composing = true));
  form.addEventListener("compositionend", () => {
    composing = false;
    waiting?.();
    waiting = null;
  });
  form.addEventListener("submit", submit);
  document.addEventListener("visibilitychange", () => document.hidden && autosave.unsaved && autosave.now());
  window.addEventListener("online", () => autosave.unsaved && autosave.now());
  window.addEventListener("beforeunload", (event) => {
    if (!autosave.unsaved) return;
    if (autosave.failure || !kept) event.preventDefault();
    else autosave.now();
  });

  function current() {
    return pairsOf(new FormData(form));
  }

  function keep() {
    kept = typed.keep(task, page, current(), Date.now());
  }

  function submit(event) {
    const action = event.submitter?.value ?? "";
    if (IN_PLACE.test(action)) {
      event.preventDefault();
      act(action);
      return;
    }
    if (!navigator.onLine) {
      event.preventDefault();
      keep();
      say(texts.not_sent, true);
      return;
    }
    autosave.stop();
    if (action === "discard") typed.drop(task, page);
    else keep();
  }

  async function act(action) {
    const [, verb, path] = CHANGES_ROWS.exec(action) ?? [];
    if (!verb) return autosave.now(action);
    fields.inert = true; // row numbers are about to change: nobody may write into one meanwhile
    await autosave.now(action);
    fields.inert = false;
    if (!autosave.failure) goToRows(verb, path);
  }

  /** The keyboard stands where the person will go on: in the new row, or at the list that lost one. */
  function goToRows(verb, path) {
    const add = [...form.elements].find((each) => each.value === `add:${path}`);
    const row = add?.previousElementSibling;
    (verb === "add" ? row?.querySelector("input:not([type=hidden]), select, textarea") : add)?.focus();
  }

  async function send(action, pairs = null) {
    const data = new FormData(form);
    const sent = statesOf(form);
    const body = new URLSearchParams(pairs ? [["csrf_token", data.get("csrf_token")], ...pairs] : [...data]);
    body.set("_do", action || "save");
    const answer = await post(body);
    const fresh = new DOMParser().parseFromString(answer, "text/html");
    const newer = (control) => control === document.activeElement || stateOf(control) !== sent.get(control);
    const take = () => show(fresh, pairs ? () => false : newer, pairs || CHANGES_ROWS.test(action));
    if (composing) waiting = take;
    else take();
  }

  async function post(body) {
    const keepalive = body.toString().length < KEEPALIVE;
    const headers = { "HX-Request": "true" };
    const request = { method: "POST", body, headers, keepalive, redirect: "error", credentials: "same-origin" };
    const answer = await fetch(form.dataset.draft, request).catch(() => ({ ok: false, status: 0 }));
    if (!answer.ok) throw new NotSaved(answer.status);
    return answer.text();
  }

  function show(fresh, keeps, rowsMove) {
    const before = visible();
    const focused = document.activeElement;
    const filled = (old, now) => !rowsMove && old.matches(".rows") && rows(old) !== rows(now);
    const stays = (old, now) => old.matches(".narrow") || standing(old, now) || filled(old, now);
    merge(fields, fresh.getElementById("fields"), { keeps, stays });
    narrowAll(fields);
    if (!focused.isConnected) fields.focus(); // its field is hidden now
    const changed = visible() !== before;
    const saved = fresh.getElementById("draft").textContent.trim();
    say(changed ? `${texts.changed} ${saved}` : saved, changed);
  }

  /** Whether the element shows a fault of the last sending that nobody has worked on since. */
  function standing(old, now) {
    const touched = () => [...old.querySelectorAll("[name]")].some((each) => edited.has(each.name));
    return old.matches(".wrong") && !now.matches(".wrong") && !touched();
  }

  /** The server closes the gap of an empty row. Here it stays until a button moves rows: somebody may fill it. */
  function rows(list) {
    return list.querySelectorAll(":scope > .row").length;
  }

  function visible() {
    return [...fields.querySelectorAll("[name]:not([type=hidden], button)")].map((each) => each.name).join();
  }

  function tell(state, outcome) {
    if (state === "saving") say(texts.saving);
    else if (state === "failed") fail(outcome);
    else if (outcome) typed.drop(task, page);
  }

  function fail({ status, passing }) {
    const signedOut = status === 400 || status === 401; // the token of the page, or the session, has ended
    const reason = passing ? texts.kept : signedOut ? texts.signed_out : texts.refused;
    say(kept ? reason.replace("{time}", clock(Date.now())) : texts.not_kept, true);
    if (signedOut) draft.append(" ", element("a", { href: location.pathname, textContent: texts.sign_in }));
  }

  /** The state of the draft in words; a screen reader interrupts nobody for "saved". */
  function say(sentence, matters = false) {
    draft.ariaLive = matters ? "polite" : "off";
    draft.textContent = sentence;
  }

  /** What an earlier page could not save is offered; what this page shows again is saved. */
  function begun() {
    const copies = typed.of(task).filter((copy) => copy.page !== page);
    const shown = current();
    const again = copies.filter((copy) => same(copy.pairs, shown));
    const early = [...form.elements].filter((each) => each.matches(ENTERED) && wasChanged(each));
    for (const { name } of early) edited.add(name);
    if (early.length || again.length || form.querySelector(".wrong")) {
      keep();
      autosave.changed(0);
    }
    for (const copy of again) typed.drop(task, copy.page);
    const found = copies.find((copy) => !again.includes(copy));
    if (found) ask(found);
  }

  function ask(copy) {
    const done = () => {
      typed.drop(task, copy.page);
      notice.remove();
      begun();
    };
    const use = () => {
      if (edited.size) typed.keep(task, `${page}-before`, current(), Date.now()); // is offered in its turn
      edited.clear();
      send("save", copy.pairs).then(done, fail);
    };
    const notice = offer(texts.offer.replace("{time}", moment(copy.at)), [
      [texts.use, use],
      [texts.leave, done],
    ]);
    form.before(notice);
  }
}
