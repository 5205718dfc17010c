// Times in the page's language, and notices with buttons.

const language = globalThis.document?.documentElement.lang || "ja";

/** 10:32 */
export function clock(at) {
  return new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hour12: false }).format(at);
}

/** 11月24日 10:32 */
export function moment(at) {
  const day = new Intl.DateTimeFormat(language, { month: language === "ja" ? "long" : "short", day: "numeric" });
  return `${day.format(at)} ${clock(at)}`;
}

/** A notice that says `sentence` above buttons; `buttons` are pairs of label and what happens. */
export function offer(sentence, buttons, ...between) {
  const notice = element("div", { className: "notice warning", role: "status" });
  const row = element("div", { className: "actions" });
  for (const [textContent, onclick] of buttons) row.append(element("button", { type: "button", textContent, onclick }));
  notice.append(element("p", { textContent: sentence }), ...between, row);
  return notice;
}

export function element(name, properties) {
  return Object.assign(document.createElement(name), properties);
}
