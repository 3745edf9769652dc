/** What this device keeps. A page without storage (or a full one) forgets, and nothing else happens. */

import { own } from "./dom.js";

/** @typedef {{found: any, place: import("./thread.js").Place}} Spot */

/** For good, until it is taken away. */
export const kept = on(() => localStorage);
/** As long as the tab is open. */
export const brief = on(() => sessionStorage);

/** @param {() => Storage} area */
function on(area) {
  return {
    /**
     * @param {string} name
     * @returns {any}
     */
    get(name) {
      try {
        return JSON.parse(area().getItem(`greenroom:${name}`) ?? "null");
      } catch {
        return null;
      }
    },
    /**
     * @param {string} name
     * @param {any} value null takes it away
     */
    set(name, value) {
      try {
        if (value === null) area().removeItem(`greenroom:${name}`);
        else area().setItem(`greenroom:${name}`, written(value));
        return true;
      } catch {
        return false;
      }
    },
  };
}

/**
 * JSON, also where an old library of the page has given all arrays a `toJSON` that makes a text of them.
 * @param {any} value
 */
const written = (value) => JSON.stringify(Array.isArray(value) ? Object.assign([...value], { toJSON: undefined }) : value);

/** @returns {string} 22 characters and more, made at random */
export function random() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The token by which the server tells this device's votes from others. */
export function device() {
  const known = kept.get("device") ?? random();
  kept.set("device", known);
  return String(known);
}

/**
 * What this device posted to a site: the private token of each comment.
 * @param {{base: string, site: string}} place
 * @returns {{id: string, token: string, page: string}[]}
 */
export function posted(place) {
  const found = kept.get(shelf("mine", place));
  return Array.isArray(found) ? found.filter((one) => own(one, "id") && own(one, "token")) : [];
}

/**
 * @param {{base: string, site: string}} place
 * @param {{id: string, token: string, page: string}} entry
 */
export function remember(place, entry) {
  kept.set(shelf("mine", place), [...posted(place).filter((one) => one.id !== entry.id), entry].slice(-200));
}

/**
 * @param {{base: string, site: string}} place
 * @param {string} id
 */
export function forget(place, id) {
  const left = posted(place).filter((one) => one.id !== id);
  kept.set(shelf("mine", place), left.length ? left : null);
}

/**
 * The page of a thread as the server knows it, however its address is spelled here: `?utm_source=…` is no other page.
 * @param {Spot} thread
 * @returns {string}
 */
export function spot({ found, place }) {
  return (/^(https?:\/)?\//i.test(place.page) && own(found.page, "url")) || place.page;
}

/**
 * Whether what was noted about a page is about this one; its address may have changed since.
 * @param {Spot} thread
 * @param {string} page
 */
export const isHere = (thread, page) => page === spot(thread) || page === thread.place.page;

/**
 * What this device posted to the page of a thread.
 * @param {Spot} thread
 */
export const postedHere = (thread) => posted(thread.place).filter((one) => isHere(thread, one.page));

/**
 * Where the draft for a page is kept.
 * @param {Spot} thread
 */
export const draftOf = (thread) => `${shelf("draft", thread.place)}:${spot(thread)}`;

/**
 * The comments that this device has voted for.
 * @param {{base: string, site: string}} place
 * @returns {string[]}
 */
export function voted(place) {
  const found = kept.get(shelf("votes", place));
  return Array.isArray(found) ? found : [];
}

/**
 * The name of what is kept for a site.
 * @param {string} what
 * @param {{base: string, site: string}} place
 */
export function shelf(what, place) {
  return `${what}:${place.base}:${place.site}`;
}
