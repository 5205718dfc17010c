// The fields as the server sees them now, brought into the page without disturbing who is writing.
//
// The control with the focus is never moved or replaced: that would end a Japanese input in mid-word and close a
// phone's keyboard. So the old tree is changed where it differs, and nodes that mean the same stay.

const CONTROLS = "input, select, textarea";
const ONE_OF_MANY = "[type=radio], [type=checkbox], button"; // share their name with others
const ENTERED = new Set(["value", "checked"]); // attributes that are a person's business

/** What a person sees in the control, as a text that can be compared. */
export function stateOf(control) {
  if (control.type === "checkbox" || control.type === "radio") return String(control.checked);
  return control.multiple ? JSON.stringify([...control.selectedOptions].map((option) => option.value)) : control.value;
}

/** Whether somebody changed the control since the page came: this script comes later than the fields. */
export function wasChanged(control) {
  if (control.type === "checkbox" || control.type === "radio") return control.checked !== control.defaultChecked;
  if (!control.options) return control.value !== control.defaultValue;
  const options = [...control.options];
  const chosen = options.filter((option) => option.defaultSelected);
  const first = chosen.length || control.multiple ? chosen : options.slice(0, 1);
  return options.some((option) => option.selected !== first.includes(option));
}

/** The states of all controls now, by control. */
export function statesOf(container) {
  return new Map([...container.querySelectorAll(CONTROLS)].map((control) => [control, stateOf(control)]));
}

/**
 * `old` looks as `fresh` does, which is used up. `keeps(control)` says whose text is newer than the server's;
 * `stays(old, fresh)` which part of the page is left as it is.
 */
export function merge(old, fresh, { keeps, stays }) {
  if (stays(old, fresh)) return;
  takeAttributes(old, fresh);
  if (old.matches(CONTROLS)) takeState(old, fresh, keeps(old));
  else if (old.querySelector(`${CONTROLS}, button`)) mergeChildren(old, fresh, { keeps, stays });
  else if (old.innerHTML !== fresh.innerHTML) old.replaceChildren(...fresh.childNodes);
}

function mergeChildren(old, fresh, rules) {
  let cursor = old.firstElementChild;
  for (const next of [...fresh.children]) {
    const match = following(cursor).find((child) => alike(child, next));
    if (!match) {
      old.insertBefore(next, cursor);
      continue;
    }
    while (cursor !== match) cursor = removed(cursor);
    merge(match, next, rules);
    cursor = match.nextElementSibling;
  }
  while (cursor) cursor = removed(cursor);
}

function following(element) {
  const found = [];
  for (let each = element; each; each = each.nextElementSibling) found.push(each);
  return found;
}

function removed(element) {
  const next = element.nextElementSibling;
  element.remove();
  return next;
}

/** Whether both are the same thing at two moments: the same id, or a control in common; plain text by its class. */
function alike(old, fresh) {
  if (old.tagName !== fresh.tagName || old.type !== fresh.type) return false;
  if (old.id || fresh.id) return old.id === fresh.id;
  const names = controlNames(old);
  const freshNames = controlNames(fresh);
  if (!names.size && !freshNames.size) return old.className === fresh.className;
  return [...names].some((name) => freshNames.has(name));
}

function controlNames(element) {
  const controls = [element, ...element.querySelectorAll("[name]")].filter((each) => each.name);
  return new Set(controls.map((each) => (each.matches(ONE_OF_MANY) ? `${each.name}=${each.value}` : each.name)));
}

function takeAttributes(old, fresh) {
  const taken = ({ name }) => !(old.matches(CONTROLS) && ENTERED.has(name));
  for (const { name } of [...old.attributes].filter(taken)) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of [...fresh.attributes].filter(taken)) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
}

function takeState(old, fresh, kept) {
  const state = kept ? stateOf(old) : stateOf(fresh);
  if (old.matches("select") && old.innerHTML !== fresh.innerHTML) old.innerHTML = fresh.innerHTML;
  if (stateOf(old) === state) return;
  if (old.type === "checkbox" || old.type === "radio") old.checked = state === "true";
  else old.value = state;
}
