// What of a file an editor would not give back: told before the first change is saved over it.

const SHORT = 80; // characters of what is told
const OWN = ["schemaVersion", "exporter"]; // written by each editor anew

/** What of the XML `before` is not in `after`: elements, texts and comments. Attributes are kept but for defaults. */
export function lostOfXml(before, after) {
  const kept = new Map();
  for (const said of sayings(after)) kept.set(said, (kept.get(said) ?? 0) + 1);
  const lost = [];
  for (const said of sayings(before)) {
    if (kept.get(said)) kept.set(said, kept.get(said) - 1);
    else lost.push(said);
  }
  return lost;
}

function* sayings(xml) {
  const tree = new DOMParser().parseFromString(xml.replace(/^\ufeff/, ""), "application/xml");
  const nodes = document.createNodeIterator(tree, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_COMMENT | NodeFilter.SHOW_PROCESSING_INSTRUCTION);
  for (let node = nodes.nextNode(); node; node = nodes.nextNode()) {
    if (node.nodeType === Node.COMMENT_NODE) yield short(`<!-- ${node.data.trim()} -->`);
    else if (node.nodeType === Node.PROCESSING_INSTRUCTION_NODE) yield short(`<?${node.target} ${node.data}?>`);
    else yield short(`<${node.localName}${node.id ? ` id="${node.id}"` : ""}> ${own(node)}`.trim());
  }
}

/** The text that stands in the element itself. */
function own(element) {
  return [...element.childNodes].filter(({ nodeType }) => nodeType === Node.TEXT_NODE || nodeType === Node.CDATA_SECTION_NODE).map(({ data }) => data).join("").trim();
}

/** The places of the JSON `before` that are not, or not the same, in `after`. */
export function lostOfJson(before, after) {
  return [...differing(JSON.parse(before), JSON.parse(after), "")].map(short);
}

function* differing(before, after, place) {
  if (before === null || typeof before !== "object") {
    if (before !== after) yield `${place}: ${JSON.stringify(before)}`;
    return;
  }
  for (const [key, value] of Object.entries(before)) {
    if (!place && OWN.includes(key)) continue;
    const name = (Array.isArray(before) && value?.label) || value?.key || key;
    yield* differing(value, after?.[key], place ? `${place} / ${name}` : name);
  }
}

function short(text) {
  return text.length > SHORT ? `${text.slice(0, SHORT)}…` : text;
}
