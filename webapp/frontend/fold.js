// The steps of a case folded one after another: where its processes stand, the way they came, and their values.

/**
 * The case after its first `count` steps, as the server tells them.
 *
 * `place`: the last one where something happened, "instance process". `ways`: place → {open: token → element, completed
 * and flows: in the order of the way}. `values`: instance → key → [key, label, text] as it was last written; `before`:
 * the same of what the last step wrote over, or undefined where nothing stood, by the keys that it wrote.
 */
export function fold(steps, count) {
  const folded = { place: null, ways: new Map(), stopped: new Set(), values: new Map(), before: new Map() };
  for (let number = 1; number < count; number += 1) follow(folded, steps[number - 1]);
  if (count > 0) {
    const { instance, values } = steps[count - 1];
    const known = folded.values.get(instance);
    for (const [key] of values) folded.before.set(key, known?.get(key));
    follow(folded, steps[count - 1]);
  }
  return folded;
}

function follow(folded, step) {
  const { ways, stopped, values } = folded;
  const { instance } = step;
  folded.place = step.place ?? folded.place;
  if (step.place) wayOf(ways, step.place);
  for (const [kind, place, token, element, flow] of step.moves) {
    const way = wayOf(ways, place);
    if (flow !== null) way.flows.add(flow);
    if (kind === "e") way.open.set(token, element);
    else way.open.delete(token);
    if (kind === "l") way.completed.add(element);
  }
  for (const token of step.stopped) stopped.add(`${instance} ${token}`);
  for (const token of step.resolved) stopped.delete(`${instance} ${token}`);
  if (!step.values.length) return;
  let known = values.get(instance);
  if (!known) values.set(instance, (known = new Map()));
  for (const value of step.values) known.set(value[0], value);
}

function wayOf(ways, place) {
  if (!ways.has(place)) ways.set(place, { open: new Map(), completed: new Set(), flows: new Set() });
  return ways.get(place);
}

/** The lists of element ids at a place, as `marks` of trace.js takes them. */
export function traceAt({ ways, stopped }, place) {
  const way = ways.get(place);
  if (!way) return {};
  const [instance] = place.split(" ", 1);
  const failed = [...way.open].filter(([token]) => stopped.has(`${instance} ${token}`)).map(([, element]) => element);
  return { open: [...way.open.values()], completed: [...way.completed], flows: [...way.flows], failed };
}

/** The numbers of the first `limit` steps in whose words every word of the query stands. */
export function find(steps, query, limit) {
  const wanted = query.toLowerCase().split(/\s+/).filter(Boolean);
  const found = [];
  for (let number = 1; number <= steps.length && found.length < limit; number += 1) {
    if (wanted.length && wanted.every((word) => steps[number - 1]?.words.includes(word))) found.push(number);
  }
  return found;
}
