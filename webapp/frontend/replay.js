// The replay of a case without page loads: the steps come in parts, and each moment is folded from the first on. What the
// page shows is what the server shows for the same moment; without this script the server does it all.

import { find, fold, traceAt } from "./fold.js";
import { marks } from "./trace.js";
import { control, draw, Marks } from "./viewer.js";
import { element } from "./words.js";

const PACE = 1200; // ms for a step while it plays
const SETTLED = 250; // ms on a moment until its address and its form are worth asking for
const FOUND = 100;
const AT_ONCE = 2; // parts that are asked for at the same time
const BUSY = "input, select, textarea, button, a, summary, [contenteditable]";
const SCROLLS = ".wide, .diagram-canvas";

const around = document.getElementById("replay");
if (around?.dataset.steps) replay(around);

function replay(around) {
  const { ids, chunk, places } = JSON.parse(around.dataset.setting);
  const texts = JSON.parse(around.dataset.texts);
  const place = (name) => around.querySelector(`[data-${name}]`);
  const slider = document.getElementById("step");
  const output = around.querySelector("output");
  const steps = [];
  const tables = new Map();
  const pictures = new Map();
  const asked = new Map();
  let number = Number(slider.value);
  let playing = 0;
  let settling = 0;
  let shown = null; // the place on the diagram

  document.querySelectorAll("[data-without-script]").forEach((each) => each.remove());
  around.querySelectorAll("[data-step] details").forEach((details) => {
    details.addEventListener("toggle", () => reveal(details));
    if (details.open) reveal(details);
  });
  listen();
  picture(fallback());
  load();

  function listen() {
    slider.form.addEventListener("submit", (event) => event.preventDefault());
    slider.addEventListener("input", () => go(Number(slider.value)));
    slider.addEventListener("change", () => has(number) || location.assign(address(number)));
    const play = place("play");
    play.hidden = place("keys-told").hidden = false;
    play.addEventListener("click", toggle);
    for (const link of around.querySelectorAll("[data-to]")) {
      link.addEventListener("click", (event) => {
        const to = target(link.dataset.to);
        if (event.ctrlKey || event.metaKey || event.shiftKey || !has(to)) return;
        event.preventDefault();
        go(to);
      });
    }
    document.addEventListener("keydown", pressed);
    const search = document.getElementById("q");
    search.addEventListener("input", () => list(search.value));
    search.form.addEventListener("submit", (event) => {
      event.preventDefault();
      list(search.value);
    });
    place("found").addEventListener("click", (event) => {
      const link = event.target.closest("[data-number]");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      go(Number(link.dataset.number));
      slider.focus({ preventScroll: true });
      around.scrollIntoView();
    });
  }

  function target(name) {
    return { first: 1, back: number - 1, on: number + 1, last: ids.length }[name];
  }

  function pressed(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (document.querySelector("dialog[open]") || event.target.closest(SCROLLS)) return;
    const to = { ArrowLeft: "back", ArrowRight: "on", Home: "first", End: "last" }[event.key];
    const onControl = event.target.closest(BUSY);
    if (to && (!onControl || !onControl.matches("input, select, textarea"))) {
      event.preventDefault();
      if (has(target(to))) go(target(to));
      else location.assign(address(target(to)));
    } else if (event.key === " " && (!onControl || onControl === slider)) {
      event.preventDefault();
      toggle();
    }
  }

  function toggle() {
    if (playing) return pause();
    if (number === ids.length) go(1);
    playing = setInterval(() => (number < ids.length ? go(number + 1) : pause()), PACE);
    place("play").textContent = place("play").dataset.pause;
  }

  function pause() {
    clearInterval(playing);
    playing = 0;
    place("play").textContent = place("play").dataset.play;
  }

  // Steps ------------------------------------------------------------------------------------------------

  /** Every step is here, part by part from the first on. */
  async function load() {
    around.setAttribute("aria-busy", "true");
    const starts = Array.from({ length: Math.ceil(ids.length / chunk) }, (_, part) => part * chunk + 1);
    const worker = async () => {
      for (let first = starts.shift(); first; first = starts.shift()) await part(first);
    };
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
    } catch (fault) {
      console.warn(fault);
      location.assign(address(number)); // the server shows it
    }
    around.removeAttribute("aria-busy");
  }

  async function part(first) {
    const query = new URLSearchParams({ from: first, have: [...tables.keys()].join() });
    const answer = await fetch(`${around.dataset.steps}?${query}`, { credentials: "same-origin" });
    if (!answer.ok) throw new Error(`${answer.status} for the steps`);
    const found = await answer.json();
    found.steps.forEach((step, index) => (steps[first - 1 + index] = step));
    for (const [key, html] of Object.entries(found.tables)) tables.set(key, html);
    Object.assign(places, found.places);
    if (has(number)) show();
  }

  /** Whether the steps are here that lead to this moment; until then the server shows it. */
  function has(count) {
    if (count < 1 || count > ids.length) return true;
    for (let index = 0; index < count; index += chunk) if (!steps[index]) return false;
    return Boolean(steps[count - 1]);
  }

  function go(to) {
    number = Math.min(Math.max(to, 1), ids.length);
    slider.value = String(number);
    output.replaceChildren(element("strong", { textContent: String(number) }));
    if (has(number)) show();
  }

  /** The page shows the moment; what takes longer than a step waits until somebody stays. */
  function show() {
    const folded = fold(steps, number);
    const step = steps[number - 1];
    picture(folded.place, folded, step);
    stand(folded);
    tell(step);
    value(folded);
    links();
    clearTimeout(settling);
    settling = setTimeout(settle, SETTLED);
  }

  function settle() {
    history.replaceState(null, "", address(number));
    place("spoken").textContent = steps[number - 1].said;
    const form = place("step").querySelector("[data-form]");
    if (form) fill(form);
  }

  function address(to) {
    return `${around.dataset.address}?at=${ids[to - 1]}`;
  }

  function links() {
    for (const link of around.querySelectorAll("[data-to]")) {
      const to = target(link.dataset.to);
      const leads = to !== number && to >= 1 && to <= ids.length;
      link.ariaDisabled = leads ? null : "true";
      if (leads) link.setAttribute("href", address(to));
      else link.removeAttribute("href");
    }
    place("here").setAttribute("href", address(number));
  }

  // What happened ----------------------------------------------------------------------------------------

  function tell(step) {
    const told = place("step");
    place("head").innerHTML = step.head; // both of our own server, escaped there
    told.innerHTML = step.html;
    for (const details of told.querySelectorAll("details")) {
      if (details.open) open(details);
      else details.addEventListener("toggle", () => open(details), { once: true });
    }
  }

  /** The table that the decision went by, with the rows that held. */
  function open(details) {
    const spot = details.querySelector("[data-table]");
    if (!spot) return;
    spot.innerHTML = tables.get(spot.dataset.table);
    const rows = spot.querySelectorAll("tbody tr");
    for (const row of spot.dataset.fired.split(" ").filter(Boolean)) {
      const fired = rows[Number(row) - 1];
      fired.className = "fired";
      fired.querySelector(".mark").hidden = false;
    }
    reveal(spot);
  }

  /** The first row that held is in sight, under the heads of the table, however far down it stands. */
  function reveal(table) {
    const fired = table.querySelector(".fired");
    const [box, head] = [table.querySelector(".wide"), table.querySelector("thead")];
    if (!fired || !box) return;
    box.scrollTop += fired.getBoundingClientRect().top - box.getBoundingClientRect().top - head.offsetHeight;
  }

  async function fill(form) {
    const source = form.dataset.form;
    if (!asked.has(source)) {
      const answer = await fetch(source, { credentials: "same-origin" });
      if (!answer.ok) return; // the answers stand there already
      asked.set(source, await answer.text());
    }
    if (form.isConnected) form.innerHTML = asked.get(source);
  }

  function value({ place: at, values, before }) {
    const instance = Number(at?.split(" ", 1)[0]);
    const written = steps[number - 1].instance === instance ? before : new Map();
    const known = [...(values.get(instance)?.values() ?? [])];
    const changed = ([key, , text]) => written.has(key) && written.get(key)?.[2] !== text;
    const rows = [
      ...known.filter(changed).map((each) => line(each, true, written.get(each[0])?.[2])),
      ...known.filter((each) => !changed(each)).map((each) => line(each, false)),
    ];
    const none = () => {
      const cell = element("td", { colSpan: 2, className: "empty", textContent: texts.nothing_yet });
      const row = element("tr");
      row.append(cell);
      return row;
    };
    place("values").querySelector("tbody").replaceChildren(...(rows.length ? rows : [none()]));
  }

  function line([, label, text], changed, before) {
    const row = element("tr", { className: changed ? "changed" : "" });
    const head = element("th", { scope: "row", textContent: label });
    if (changed) head.append(" ", element("span", { className: "badge", textContent: texts.changed }));
    const cell = element("td");
    cell.append(element("div", { className: "said", textContent: text }));
    if (before) cell.append(element("div", { className: "facts said", textContent: `${texts.before}: ${before}` }));
    row.append(head, cell);
    return row;
  }

  // Where it stood ---------------------------------------------------------------------------------------

  function stand(folded) {
    const opened = new Set([...place("stands").querySelectorAll("details[open]")].map((each) => each.dataset.place));
    const known = [...folded.ways.keys()].filter((at) => places[at]);
    known.sort((one, other) => (other === folded.place) - (one === folded.place));
    place("stands").replaceChildren(
      ...known.map((at, index) => process(at, traceAt(folded, at), index === 0 || opened.has(at))),
    );
  }

  function process(at, trace, open) {
    const { name, version, elements } = places[at];
    const box = element("details", { open });
    box.dataset.place = at;
    const head = element("summary", { textContent: `${name} ` });
    head.append(element("span", { className: "facts", textContent: version }));
    const list = element("dl", { className: "answers" });
    for (const [label, ids, joint] of [
      [texts.here, trace.open, texts.comma],
      [texts.failed, trace.failed, texts.comma],
      [texts.way, trace.completed, " → "],
    ]) {
      const words = [...new Set((ids ?? []).map((id) => elements[id]).filter(Boolean))];
      if (!words.length) continue;
      list.append(
        element("dt", { textContent: label }),
        element("dd", { textContent: words.join(joint) }),
      );
    }
    const inner = element("div");
    inner.append(list);
    box.append(head, inner);
    return box;
  }

  /** Until the steps are here: the diagram of the place that the server shows first. */
  function fallback() {
    return place("stands").querySelector("details")?.dataset.place;
  }

  /** The diagram of the place as the moment left it; each is drawn once. */
  function picture(at, folded = null, step = null) {
    if (!at || !places[at]) return;
    shown = at;
    for (const [other, { box }] of pictures) box.hidden = other !== at;
    if (!pictures.has(at)) pictures.set(at, begin(at));
    const known = pictures.get(at);
    if (!known.marks) return;
    if (!known.controlled) known.viewer.get("canvas").resized(); // it may have been drawn while it was hidden
    if (folded) known.marks.show(marks(traceAt(folded, at)));
    if (!known.controlled) {
      known.controlled = true;
      control(known.viewer, known.box, known.canvas, texts, true);
    } else if (step) follow(known.viewer, step);
  }

  function begin(at) {
    const box = element("div", { className: "diagram" });
    const known = { box };
    place("picture").append(box);
    draw(box, places[at].address, texts).then((drawn) => {
      place("picture").removeAttribute("aria-busy");
      if (!drawn) return;
      Object.assign(known, drawn, { marks: new Marks(drawn.viewer, texts) });
      if (shown === at && has(number)) picture(at, fold(steps, number), steps[number - 1]);
    });
    return known;
  }

  /** What moved is in the picture. */
  function follow(viewer, step) {
    const ids = step.moves.filter(([kind]) => kind === "e").map(([, , , id]) => id);
    const shape = ids.reverse().map((id) => viewer.get("elementRegistry").get(id)).find(Boolean);
    if (!shape) return;
    const { x, y, width, height } = viewer.get("canvas").viewbox();
    const inside = shape.x >= x && shape.y >= y && shape.x + shape.width <= x + width && shape.y + shape.height <= y + height;
    if (!inside) {
      const middle = { x: shape.x + (shape.width ?? 0) / 2 - width / 2, y: shape.y + (shape.height ?? 0) / 2 - height / 2 };
      viewer.get("canvas").viewbox({ ...middle, width, height });
    }
  }

  // Finding ----------------------------------------------------------------------------------------------

  function list(query) {
    const found = find(steps, query, FOUND);
    const lines = found.map((to) => {
      const entry = element("li");
      const link = element("a", { href: address(to), textContent: `${to}. ${steps[to - 1].said}` });
      link.dataset.number = to;
      entry.append(element("time", { textContent: steps[to - 1].when }), " ", link);
      return entry;
    });
    const none = query.trim() && !lines.length;
    place("found").replaceChildren(...(none ? [element("li", { className: "empty", textContent: texts.none_found })] : lines));
  }
}
