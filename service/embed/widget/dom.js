/** Nodes are made here, and here alone a string becomes html. */

const SVG = "http://www.w3.org/2000/svg";

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * An element of html: attributes by name (nothing for null and false), listeners (`onclick`) as functions, then children.
 * @param {string} tag
 * @param {Record<string, any>} [given]
 * @param {...Child} children
 * @returns {any}
 */
export function h(tag, given, ...children) {
  return filled(document.createElement(tag), given, children);
}

/**
 * A button, and what it does; pressed again while it does it, it does nothing.
 * @param {string} look plain (as a link), quiet (only its edge), or nothing
 * @param {string} what for `data-do`
 * @param {(event: any) => any} onclick
 * @param {...Child} children
 */
export function button(look, what, onclick, ...children) {
  const press = async (/** @type {any} */ event) => {
    if (made.hasAttribute("aria-disabled")) return;
    made.setAttribute("aria-disabled", "true");
    try {
      await onclick(event);
    } finally {
      made.removeAttribute("aria-disabled");
    }
  };
  const made = h("button", { type: "button", class: `button ${look}`, "data-do": what, onclick: press }, ...children);
  return made;
}

/**
 * The same for SVG: a picture beside words that say the same.
 * @param {string} tag
 * @param {Record<string, any>} [given]
 * @param {...Child} children
 * @returns {SVGElement}
 */
export function svg(tag, given, ...children) {
  return filled(document.createElementNS(SVG, tag), { "aria-hidden": "true", ...given }, children);
}

/**
 * @param {any} node
 * @param {Record<string, any> | undefined} given
 * @param {Child[]} children
 */
function filled(node, given, children) {
  for (const [name, value] of Object.entries(given ?? {})) {
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else if (value != null && value !== false) node.setAttribute(name, value === true ? "" : value);
    if (name === "class") node.setAttribute("part", value); // so that pages can style whatever we can
  }
  for (const child of children) if (child != null && child !== false) node.append(child);
  return node;
}

/** @type {(html: string) => DocumentFragment} */
let read = () => document.createDocumentFragment();

/** Find out how this page lets us read html: by a policy of our own (Trusted Types), or node by node. */
export async function prepare() {
  const rules = { createHTML: (/** @type {string} */ text) => text };
  const factory = /** @type {any} */ (window).trustedTypes;
  try {
    policy ??= factory ? factory.createPolicy("greenroom", rules) : rules;
  } catch {
    read = (await import("./build.js")).built;
    return;
  }
  read = (html) => {
    const template = document.createElement("template");
    template.innerHTML = policy.createHTML(html);
    return template.content;
  };
}

/** @type {any} */
let policy;

/**
 * The server's sanitised html as nodes.
 * @param {string} html
 */
export function parsed(html) {
  return read(html);
}

/**
 * Whether an object has a field of its own: pages may have put anything into all prototypes.
 * @param {any} object
 * @param {string} name
 */
export function own(object, name) {
  return object != null && Object.hasOwn(object, name) ? object[name] : undefined;
}
