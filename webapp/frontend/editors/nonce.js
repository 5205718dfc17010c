// The editors put styles into the page themselves; the content security policy lets in only those with its nonce.
// This has to be the first import of an editor.

const nonce = document.querySelector("meta[name=style-nonce]").content;
const create = Document.prototype.createElement;

Document.prototype.createElement = function (name, options) {
  const made = create.call(this, name, options);
  if (String(name).toLowerCase() === "style") made.nonce = nonce;
  return made;
};
