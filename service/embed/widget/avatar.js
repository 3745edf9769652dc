/** Pictures, stars and bars, drawn here from numbers: nothing is fetched. The server's page draws the same. */

import { h, svg } from "./dom.js";

const PALETTES = ["dbe7f3 2f5d8a e08a3c", "f6e3d3 a2482b 2f6f73", "e3eddc 4a7a3a c2603f", "efe0ee 7a4a86 3d7f8f",
  "fbeecb 8a6414 5a5fa8", "d9eeec 1f7a74 b5568a", "f4dce0 a63d56 4a6fa5", "e6e3f5 5650a0 c98a1b"];
const SQUARE = "h16v16h-16z";
const DISC = "m0 8a8 8 0 0 1 16 0a8 8 0 0 1 -16 0z";
const QUARTERS = ["h16a16 16 0 0 1 -16 16z", "h16v16a16 16 0 0 1 -16 -16z", "a16 16 0 0 1 16 16h-16z", "m0 16a16 16 0 0 1 16 -16v16z"];
const LEFT = [...QUARTERS, SQUARE, DISC, "", DISC];
const RIGHT = [...[1, 0, 3, 2].map((n) => QUARTERS[n]), SQUARE, DISC, "", DISC];

/**
 * Nine tiles, mirrored, from a seed of hexadecimal digits.
 * @param {string} seed
 */
export function avatar(seed) {
  const digits = [...seed.padEnd(8, "0")].map((digit) => parseInt(digit, 16) || 0);
  const [ground, ...inks] = PALETTES[digits[0] % 8].split(" ");
  const paths = ["", ""];
  for (const row of [0, 1, 2]) {
    const [side, middle] = [digits[1 + 2 * row], digits[2 + 2 * row]];
    const ink = side >> 3;
    paths[ink] += at(LEFT[side % 8], 0, row) + at(RIGHT[side % 8], 2, row);
    paths[1 - ink] += at(middle % 2 ? DISC : SQUARE, 1, row);
  }
  return svg("svg", { viewBox: "0 0 48 48", width: 40, height: 40, class: "avatar" },
    svg("path", { d: "M0 0h48v48h-48z", fill: `#${ground}` }),
    ...inks.map((ink, n) => paths[n] && svg("path", { d: paths[n], fill: `#${ink}` })));
}

/**
 * @param {string} shape
 * @param {number} column
 * @param {number} row
 */
const at = (shape, column, row) => shape && `M${column * 16} ${row * 16}${shape}`;

const STAR = "l2.6 5.3 5.8.8-4.2 4.1 1 5.8-5.2-2.7-5.2 2.7 1-5.8-4.2-4.1 5.8-.8z";
const ROW = [0, 1, 2, 3, 4].map((n) => `M${11 + 22 * n} 1.6${STAR}`).join("");

/**
 * Five stars, filled in halves as far as a rating goes on its scale.
 * @param {number} value
 * @param {number} best
 */
export function stars(value, best) {
  const full = Math.floor((value / best) * 10 + 0.5) / 2;
  return svg("svg", { viewBox: "0 0 110 20", width: 99, height: 18, class: "stars" },
    svg("path", { d: ROW, fill: "none", stroke: "currentColor", opacity: 0.75 }),
    svg("svg", { width: 22 * full, height: 20 }, svg("path", { d: ROW, fill: "currentColor", stroke: "currentColor" })));
}

/**
 * How a page is rated, in a number, in stars and in bars.
 * @param {any} rating
 * @param {import("./words.js").Words} words
 */
export function summary(rating, { say, number }) {
  const rows = bars(rating, number).map((bar) => h("tr", {},
    h("th", { scope: "row" }, bar.label),
    h("td", {}, svg("svg", { viewBox: "0 0 100 8", preserveAspectRatio: "none" },
      svg("path", { class: "track", d: "M0 0h100v8h-100z" }), svg("path", { class: "fill", d: `M0 0h${bar.share}v8h-${bar.share}z` }))),
    h("td", {}, number(bar.count))));
  return h("div", { class: "summary" },
    h("p", { class: "average" }, h("strong", { class: "score-value" }, number(Math.round(rating.average * 10) / 10)), h("span", {}, say("outof", { best: number(rating.best) })),
      stars(rating.average, rating.best), h("span", {}, say("ratings", { n: rating.count }))),
    h("table", { class: "histogram" }, h("caption", {}, say("rating")),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, say("rating")), h("td", {}), h("th", { scope: "col" }, say("number")))),
      h("tbody", {}, ...rows)));
}

const MOST_BARS = 10;

/**
 * The histogram of a rating, best first; values share a bar where there are too many. As the server's page has it.
 * @param {any} rating
 * @param {(value: number) => string} number
 */
function bars(rating, number) {
  const step = rating.worst;
  const steps = Math.round(rating.best / step);
  const several = Math.min(steps, MOST_BARS);
  const counts = new Map(rating.histogram.map((/** @type {any} */ bar) => [Math.round(bar.value / step), bar.count]));
  const found = [];
  for (let n = several; n > 0; n--) {
    const lowest = Math.floor(((n - 1) * steps) / several) + 1;
    const highest = Math.floor((n * steps) / several);
    let count = 0;
    for (let at = lowest; at <= highest; at++) count += counts.get(at) ?? 0;
    const label = lowest === highest ? number(highest * step) : `${number(lowest * step)}–${number(highest * step)}`;
    found.push({ label, count, share: Math.round((100 * count) / rating.count) });
  }
  return found;
}
