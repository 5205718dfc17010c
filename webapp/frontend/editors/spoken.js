// An editor that knows no other language is made to speak ours: words it shows are replaced as they appear.

const WRITTEN = ".fjs-form, .bio-properties-panel-header-label, [contenteditable]"; // by people, to be left as it is
const ATTRIBUTES = ["title", "placeholder", "aria-label", "data-placeholder"];

export function speakIn(root, words) {
  const translate = (node) => {
    if (node.parentElement?.closest(WRITTEN)) return;
    const own = node.data.trim();
    if (words[own] && words[own] !== own) node.data = node.data.replace(own, words[own]);
  };
  const walk = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return translate(node);
    if (node.nodeType !== Node.ELEMENT_NODE || node.closest(WRITTEN)) return undefined;
    for (const name of ATTRIBUTES) {
      const own = node.getAttribute(name);
      if (words[own]) node.setAttribute(name, words[own]);
    }
    node.childNodes.forEach(walk);
    return undefined;
  };
  walk(root);
  new MutationObserver((changes) => {
    for (const { type, target, addedNodes } of changes) {
      if (type === "childList") addedNodes.forEach(walk);
      else walk(target);
    }
  }).observe(root, { childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: ATTRIBUTES });
}
