// Small drawings of our own: line icons and the coloured squares that stand for people.

import { el } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";

// Each icon is drawn on 24 × 24 with round strokes.
const PATHS = {
  seller: ["M4 19.5c.6-3.4 3-5.2 6-5.2s5.4 1.8 6 5.2", "M10 11.2a3.6 3.6 0 1 0 0-7.2 3.6 3.6 0 0 0 0 7.2", "M19 8v6M16 11h6"],
  supervisor: ["M4 5h16v14H4z", "M8 12.2l2.8 2.8L16.4 9.2"],
  admin: ["M12 3.5l7 2.8v5c0 4.3-2.9 7.5-7 9.2-4.1-1.7-7-4.9-7-9.2v-5z"],
  customer: ["M4 5.5h12v8H9.5L6.5 16v-2.5H4z", "M18.5 9H20v8h-1.8v2.3L15.4 17H11"],
  contacts: ["M9 11.5a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4", "M3.5 19c.5-3 2.6-4.6 5.5-4.6s5 1.6 5.5 4.6", "M16 5.4a3 3 0 0 1 0 5.8M17.2 14.6c1.9.6 3 2.1 3.3 4.4"],
  console: ["M5 7h9M18 7h1M5 12h2M11 12h8M5 17h7M16 17h3", "M16 9a2 2 0 1 0 0-4 2 2 0 0 0 0 4M9 14a2 2 0 1 0 0-4 2 2 0 0 0 0 4M14 19a2 2 0 1 0 0-4 2 2 0 0 0 0 4"],
  send: ["M4.5 12L20 4.5 15.5 20l-4-6.5z", "M11.5 13.5L20 4.5"],
  close: ["M6 6l12 12M18 6L6 18"],
  more: ["M6 12h.01M12 12h.01M18 12h.01"],
  scan: ["M4 8V5a1 1 0 0 1 1-1h3M16 4h3a1 1 0 0 1 1 1v3M20 16v3a1 1 0 0 1-1 1h-3M8 20H5a1 1 0 0 1-1-1v-3", "M4 12h16"],
  code: ["M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4z", "M14 14h2.5v2.5H14zM17.5 17.5H20V20h-2.5zM7 7h.01M17 7h.01M7 17h.01M20 14h.01M14 20h.01"],
  file: ["M6 3.5h8l4 4v13H6z", "M14 3.5v4h4M9 12.5h6M9 16h6"],
  chat: ["M4 5h16v11h-9l-4 3.5V16H4z"],
  add: ["M12 5v14M5 12h14"],
  search: ["M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13", "M15.5 15.5L20 20"],
  check: ["M5 12.5l4.5 4.5L19 7.5"],
  play: ["M8 5.5l10 6.5-10 6.5z"],
  restart: ["M5 12a7 7 0 1 0 2.2-5.1", "M5 4.5v4h4"],
  wire: ["M4 9h13M13.5 5.5L17 9l-3.5 3.5", "M20 15H7M10.5 11.5L7 15l3.5 3.5"],
  chevron: ["M7 10l5 5 5-5"],
  back: ["M14.5 6L8.5 12l6 6"],
  trash: ["M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7M10.3 10.5v5.5M13.7 10.5v5.5"],
  next: ["M5 12h13M13 7l5 5-5 5"],
};

/** Return a decorative line icon; `name` is one of the drawings above. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  for (const d of PATHS[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

/** Return the app's own picture. */
export function doorIcon(className = "avatar door") {
  return el("img", { class: className, src: "/page/icon.svg", alt: "" });
}

const TONES = 8;

function toneOf(name) {
  let sum = 0;
  for (const char of name) sum = (sum * 13 + char.codePointAt(0)) % 9973;
  return sum % TONES;
}

/** Return a person's square: a quiet colour that follows the name, and the end of it (`most` characters). */
export function avatar(name, most = 2) {
  const chars = [...(name || "?")];
  const short = /^[\x20-\x7e]+$/.test(name) ? chars.slice(0, most) : chars.slice(-most);
  return el("span", { class: `avatar tone-${toneOf(name)}`, text: short.join(""), "aria-hidden": "true" });
}
