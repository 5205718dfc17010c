// What draws diagrams is many times larger than a page: it is fetched when the first diagram comes into view.

export function drawWhenSeen() {
  const places = document.querySelectorAll("[data-diagram]");
  const seen = new IntersectionObserver((entries) => {
    const shown = entries.find((entry) => entry.isIntersecting);
    if (!shown) return;
    seen.disconnect();
    const { script, style } = shown.target.dataset;
    document.head.append(
      Object.assign(document.createElement("link"), { rel: "stylesheet", href: style }),
      Object.assign(document.createElement("script"), { src: script }),
    );
  });
  places.forEach((place) => seen.observe(place));
}
