/** Nodes of the html that our server writes, without the browser's parser: for pages that allow no policy of ours. */

import { h } from "./dom.js";

const TAGS = new Set("p br strong em b i del s code pre blockquote ul ol li a hr".split(" "));
const SHUT = new Set(["br", "hr"]);
const NAMED = new Map([["amp", "&"], ["lt", "<"], ["gt", ">"], ["quot", '"'], ["nbsp", "\u00a0"]]);
const PIECE = /<(\/?)([a-z]+)((?: [a-z]+="[^"]*")*)>|[^<]+|</g;

/**
 * Nodes of the html that our server writes (well formed, few tags), without the browser's parser.
 * @param {string} html
 */
export function built(html) {
  const whole = document.createDocumentFragment();
  /** @type {Node[]} */
  const open = [whole];
  for (const [text, end, tag, attributes] of html.matchAll(PIECE)) {
    const inside = open[open.length - 1];
    if (!tag) inside.appendChild(document.createTextNode(plain(text)));
    else if (!TAGS.has(tag)) continue;
    else if (end) open.length > 1 && open.pop();
    else {
      const node = inside.appendChild(h(tag, kept(tag, attributes)));
      if (!SHUT.has(tag)) open.push(node);
    }
  }
  return whole;
}

/**
 * @param {string} tag
 * @param {string} text
 */
function kept(tag, text) {
  const found = new Map([...text.matchAll(/ ([a-z]+)="([^"]*)"/g)].map(([, name, value]) => [name, plain(value)]));
  const href = found.get("href") ?? "";
  return {
    __proto__: null,
    href: tag === "a" && /^(https?|mailto):/i.test(href) && href,
    rel: tag === "a" && found.get("rel"),
    start: tag === "ol" && found.get("start"),
  };
}

/** @param {string} text */
function plain(text) {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (all, hex, number, name) =>
    name ? NAMED.get(name) ?? all : String.fromCodePoint(hex ? parseInt(hex, 16) : Number(number)));
}
