// An editor that knows no other language is made to speak ours: words it shows are replaced as they appear.

const WRITTEN = ".fjs-form, .bio-properties-panel-header-label, [contenteditable]"; // by people, to be left as it is
const EMPTY = ".fjs-empty-component, .fjs-repeat-render-footer"; // the editor's own words amid them
const ATTRIBUTES = ["title", "placeholder", "aria-label", "data-placeholder"];

/** `sentences`: pairs of what a text looks like, and what is said around the (translated) word in it. */
export function speakIn(root, words, sentences = []) {
  const say = (text) => {
    if (Object.hasOwn(words, text)) return words[text];
    for (const [form, said] of sentences) {
      const found = form.exec(text ?? "");
      if (found) return said(words[found[1]] ?? found[1]);
    }
    return text;
  };
  const written = (node) => node.closest(WRITTEN) && !node.closest(EMPTY);
  const translate = (node) => {
    if (node.parentElement && written(node.parentElement)) return;
    const own = node.data.trim();
    const said = own && say(own);
    if (said !== own) node.data = node.data.replace(own, () => said);
  };
  const walk = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return translate(node);
    if (node.nodeType !== Node.ELEMENT_NODE) return undefined;
    if (written(node)) return node.querySelectorAll(EMPTY).forEach(walk);
    for (const name of ATTRIBUTES) {
      const own = node.getAttribute(name);
      const said = own && say(own);
      if (said !== own) node.setAttribute(name, said);
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
