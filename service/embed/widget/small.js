/** Counts and ratings: all elements that ask at once are answered by one request for each site. */

import { Failed, call, door } from "./api.js";
import { stars } from "./avatar.js";
import { h } from "./dom.js";
import { speak } from "./words.js";

const MOST = 100;
const LONGEST_URL = 2000;
/** @typedef {import("./thread.js").Place} Place */
/** @type {Map<string, {place: Place, host: HTMLElement}[]>} */
const asked = new Map();
/** @type {WeakMap<HTMLElement, Place>} what each element is about now */
const about = new WeakMap();

/**
 * @param {HTMLElement} host
 * @param {Place} place
 */
export function fill(host, place) {
  about.set(host, place);
  if (!asked.size) setTimeout(answer);
  const list = asked.get(place.base + place.site) ?? [];
  asked.set(place.base + place.site, [...list.filter((one) => one.host !== host), { place, host }]);
}

async function answer() {
  const groups = [...asked.values()];
  asked.clear();
  for (const group of groups) {
    const pages = [...new Set(group.map(({ place }) => place.page))];
    for (let n = 0; n < pages.length; n += MOST) await ask(group, pages.slice(n, n + MOST));
  }
}

/**
 * The server refuses a list that is too long for it, or has a page that is none of the site's; then each half is asked for alone.
 * What cannot be had is not shown: not the number of the page before either.
 * @param {{place: Place, host: HTMLElement}[]} group
 * @param {string[]} pages
 * @returns {Promise<void>}
 */
async function ask(group, pages) {
  try {
    const found = await counts(group[0].place, pages);
    await Promise.all(group.map(({ place, host }) => found.has(place.page) && draw(host, place, found.get(place.page))));
  } catch (error) {
    const half = pages.length >> 1;
    if (!half || !(error instanceof Failed) || ![413, 422].includes(error.status)) {
      for (const { place, host } of group) if (pages.includes(place.page) && about.get(host) === place) host.shadowRoot?.replaceChildren(h("slot"));
      return console.error(`Greenroom: ${error} ${half ? "" : pages}`);
    }
    await ask(group, pages.slice(0, half));
    await ask(group, pages.slice(half));
  }
}

/**
 * @param {Place} place
 * @param {string[]} pages
 * @returns {Promise<Map<string, any>>}
 */
async function counts(place, pages) {
  const url = new URL(door(place, "counts"));
  for (const page of pages) url.searchParams.append("page", page);
  const found = await (url.href.length < LONGEST_URL ? call(url.href) : call(door(place, "counts"), { body: { pages: Object.assign([...pages], { toJSON: undefined }) } } /* as in store.js */));
  return new Map(found.counts.map((/** @type {any} */ one) => [one.page, one]));
}

/**
 * @param {HTMLElement} host
 * @param {Place} place
 * @param {any} count
 */
async function draw(host, place, count) {
  const words = await speak(host, place.lang);
  if (about.get(host) !== place) return; // an answer that comes late
  const { rating, comment_count: n } = count;
  if (host.localName === "greenroom-count") return host.shadowRoot?.replaceChildren(words.say("comments", { n }));
  if (!rating) return host.shadowRoot?.replaceChildren(h("slot"));
  const value = words.number(Math.round(rating.average * 10) / 10);
  const text = words.say("rated", { value, best: words.number(rating.best) });
  const many = words.say("ratings", { n: rating.count });
  const row = host.getAttribute("look") === "number" ? null : stars(rating.average, rating.best);
  if (row && getComputedStyle(host).direction === "rtl") row.style.transform = "scaleX(-1)";
  return host.shadowRoot?.replaceChildren(h("span", { class: "score", title: many }, row, row && " ", text));
}
