/** Readable on any page: take its colours where they can be read, else stand on a surface of our own. */

/** @typedef {number[]} Colour red, green, blue 0 to 255, and how opaque, 0 to 1 */

const NEEDED = 4.5; // WCAG 2.2, 1.4.3
const GRAPHIC = 3; // the same, 1.4.11
/** Ours, each on light and on dark. */
const TEXT = [[29, 37, 33], [232, 235, 230]];
const SURFACE = [[251, 250, 247], [20, 26, 23]];
const ACCENT = [[12, 107, 82], [116, 209, 174]];
const STAR = [[180, 105, 14], [240, 179, 79]];
const ERROR = [[179, 38, 30], [255, 180, 171]];
const WHITE = [255, 255, 255];

/** @type {WeakMap<HTMLElement, string>} what each root stood on when it was adapted */
const seen = new WeakMap();

/**
 * Set the colours of a widget's root by what it stands on. Call it again whenever the page may have changed.
 * @param {HTMLElement} root
 * @param {HTMLElement} host
 */
export function adapt(root, host) {
  const page = getComputedStyle(host);
  const theme = host.getAttribute("theme");
  const wishes = ["--greenroom-text", "--greenroom-surface", "--greenroom-accent"].map((name) => page.getPropertyValue(name).trim());
  const canvas = getComputedStyle(root).outlineColor;
  const layers = behind(host);
  const stands = [theme, page.color, canvas, ...wishes, ...(layers ?? "?")].join();
  if (seen.get(root) === stands) return;
  seen.set(root, stands);
  const [ink, tint, accent] = wishes.map((one) => (CSS.supports("color", mixed(one)) ? colour(one, root) : null));
  let under = layers && [...layers, canvas].map((one) => colour(one, root)).reduceRight((below, layer) => over(layer, below));
  if (tint && (under || tint[3] === 1)) under = over(tint, under ?? tint);
  const ground = under ?? WHITE;
  const text = over(ink ?? colour(page.color, root), ground);
  const wrong = (theme === "dark" && !isDark(ground)) || (theme === "light" && isDark(ground));
  const own = !under || wrong || !(contrast(text, ground) >= NEEDED); // also where nobody could tell
  const n = Number(theme === "dark" || (theme !== "light" && isDark(under ?? inverse(text))));
  root.toggleAttribute("data-own", own);
  paint(root.style, own ? TEXT[n] : text, own ? SURFACE[n] : ground, accent);
}

/**
 * @param {CSSStyleDeclaration} style
 * @param {Colour} text
 * @param {Colour} ground
 * @param {Colour | null} wish for the accent
 */
function paint(style, text, ground, wish) {
  const shade = mix(text, ground, 0.06);
  const faint = contrast(text, shade) < NEEDED ? ground : shade; // what notes and code stand on
  const reads = (/** @type {Colour} */ one, needed = NEEDED) => Math.min(contrast(one, faint), contrast(one, ground)) >= needed;
  const dark = isDark(ground);
  const first = (/** @type {Colour[]} */ [light, bright], needed = NEEDED) =>
    [dark ? bright : light, dark ? light : bright].find((one) => reads(one, needed)) ?? text;
  const most = (/** @type {number} */ share, needed = NEEDED) => {
    while (share < 1 && !reads(mix(text, ground, share), needed)) share += 0.04;
    return mix(text, ground, Math.min(share, 1));
  };
  const accent = wish && reads(wish) ? wish : first(ACCENT);
  const colours = { ink: text, ground, muted: most(0.68), line: mix(text, ground, 0.16), edge: most(0.56, GRAPHIC), faint, accent,
    "on-accent": contrast(WHITE, accent) < NEEDED ? [0, 0, 0] : WHITE, star: first(STAR, GRAPHIC), error: first(ERROR) };
  for (const [name, one] of Object.entries(colours)) style.setProperty(`--${name}`, `rgb(${one.slice(0, 3).map(Math.round)})`);
  style.setProperty("--scheme", dark ? "dark" : "light");
}

/**
 * What stands behind an element, nearest first, as CSS says it; null where a picture or a gradient does.
 * @param {Element} start
 */
function behind(start) {
  const layers = [];
  for (let node = /** @type {Element | null} */ (start); node; node = above(node)) {
    const { backgroundColor, backgroundImage } = getComputedStyle(node);
    if (backgroundImage !== "none") return null;
    layers.push(backgroundColor);
    if (!/rgba|\//.test(backgroundColor)) break; // nothing shines through
  }
  return layers;
}

/**
 * What an element stands in, as the browser draws it.
 * @param {Element} node
 */
export function above(node) {
  const parent = node.assignedSlot ?? node.parentNode;
  return parent instanceof ShadowRoot ? parent.host : parent instanceof Element ? parent : null;
}

/**
 * A colour as the browser counts it in red, green and blue, whatever it is written in.
 * @param {string} text
 */
const mixed = (text) => `color-mix(in srgb, ${text}, ${text})`;

/**
 * A colour of CSS as numbers. Drawing it and looking is no way: browsers that protect their readers show noise there.
 * @param {string} text
 * @param {HTMLElement} root whose column rule, which is never drawn, counts what is not written in red, green and blue
 * @returns {Colour}
 */
function colour(text, root) {
  if (text.startsWith("rgb")) return numbers(text);
  root.style.columnRuleColor = mixed(text);
  return numbers(getComputedStyle(root).columnRuleColor);
}

/**
 * The numbers of `rgb(…)`, `rgba(…)` and `color(srgb …)`, as computed styles have them.
 * @param {string} text
 * @returns {Colour}
 */
export function numbers(text) {
  const [kind, ...parts] = text.match(/[^\s,/()]+/g) ?? [];
  const scale = kind === "color" ? 255 : 1;
  const [r, g, b, a = 1] = (scale > 1 ? parts.slice(1) : parts).map((one) => Number(one) || 0); // "none" is 0
  return [...[r, g, b].map((one) => Math.min(Math.max(one * scale, 0), 255)), a];
}

/**
 * @param {Colour} top
 * @param {Colour} below
 * @returns {Colour}
 */
export function over(top, below) {
  return [...[0, 1, 2].map((n) => top[n] * top[3] + below[n] * (1 - top[3])), 1];
}

/**
 * @param {Colour} one
 * @param {Colour} other
 * @param {number} share of the first
 * @returns {Colour}
 */
export function mix(one, other, share) {
  return over([one[0], one[1], one[2], share], other);
}

/** Where a picture stands behind a text, it is most likely dark where the text is light.
 * @param {Colour} one */
const inverse = (one) => one.map((part, n) => (n < 3 ? 255 - part : part));

/** @param {Colour} one */
const isDark = (one) => luminance(one) < 0.2;

/**
 * WCAG 2.2: relative luminance, 0 to 1.
 * @param {any} one
 */
export function luminance(one) {
  const [r, g, b] = [0, 1, 2].map((n) => one[n] / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/**
 * WCAG 2.2: contrast of two opaque colours, 1 to 21.
 * @param {any} one
 * @param {any} other
 */
export function contrast(one, other) {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}
