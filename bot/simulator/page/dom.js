// Makes DOM elements and keeps lists of them in step with data. Data only ever becomes text.

/**
 * Return a new element. `props` may hold `class`, `text`, `data` (dataset), `on` (listeners);
 * anything else is an attribute (left out when null, undefined or false).
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined) continue;
    if (value === false && !name.startsWith("aria-")) continue;
    if (name === "class") node.className = value;
    else if (name === "text") node.textContent = value;
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name === "on") for (const [type, fn] of Object.entries(value)) node.addEventListener(type, fn);
    else node.setAttribute(name, value === true && !name.startsWith("aria-") ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** Return a button that cannot submit a form by accident. */
export function button(props, ...children) {
  return el("button", { type: "button", ...props }, ...children);
}

/** Set text only when it differs, so that a selection or an animation survives. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const drawn = new WeakMap(); // container → Map(key → {sign, node})

/**
 * Make the children of `container` show `items`, touching only what changed.
 * `sign(item)` is what the look depends on; an item whose sign is the same keeps its element.
 * Returns the elements that were not there before.
 */
export function keyed(container, items, { key, sign, build }) {
  const before = drawn.get(container) ?? new Map();
  const after = new Map();
  const added = [];
  for (const item of items) {
    const id = key(item);
    const mark = sign(item);
    const old = before.get(id);
    const node = old && old.sign === mark ? old.node : build(item);
    if (!old) added.push(node);
    after.set(id, { sign: mark, node });
  }
  drawn.set(container, after);
  placeInOrder(container, [...after.values()].map((entry) => entry.node));
  return added;
}

function placeInOrder(container, nodes) {
  const wanted = new Set(nodes);
  for (const child of [...container.children]) if (!wanted.has(child)) child.remove();
  nodes.forEach((node, index) => {
    if (container.children[index] !== node) container.insertBefore(node, container.children[index] ?? null);
  });
}

const SCHEMES = ["http:", "https:"];

/** Return the address when a browser may safely open it, else null. */
export function safeUrl(address) {
  try {
    const url = new URL(address, location.href);
    return SCHEMES.includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}
