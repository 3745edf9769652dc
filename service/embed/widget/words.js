/** What the widget says, in the reader's language. */

import { own } from "./dom.js";

const RIGHT_TO_LEFT = /^(ar|fa|he)/;
/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const SPANS = [["year", 31557600], ["month", 2629800], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60]];

/** @typedef {keyof typeof import("./lang/read/en.js").default | keyof typeof import("./lang/write/en.js").default} Key */
/** @typedef {Awaited<ReturnType<typeof speak>>} Words */

/** @type {Map<string, ReturnType<typeof learnt>>} */
const known = new Map();

/** @param {string} lang */
const code = (lang) => lang.split("-")[0];

/**
 * @param {string} part
 * @param {string} lang
 */
const load = (part, lang) => import(`./lang/${part}/${code(lang)}.js`);

/**
 * The sentences for an element; in English where its language cannot be loaded.
 * @param {HTMLElement} host
 * @param {string} wished one that begins with a language that `widget.js` knows, in small letters
 */
export async function speak(host, wished) {
  let lang = valid(wished);
  let [found, formats] = await Promise.all([load("read", lang).catch(() => null), formatsOf(lang)]);
  if (!found) [found, formats] = await Promise.all([load("read", (lang = "en")), formatsOf("en")]);
  const { number, plural, ago } = formats;
  const words = { ...found.default, ...overrides(host) };
  return {
    lang,
    dir: RIGHT_TO_LEFT.test(lang) ? "rtl" : "ltr",
    /**
     * A sentence, with texts and numbers in their places.
     * @param {Key} key
     * @param {Record<string, string | number>} [given]
     * @returns {string}
     */
    say(key, given = {}) {
      const found = /** @type {any} */ (words)[key];
      const text = typeof found === "string" ? found : own(found, plural.select(Number(given.n))) ?? own(found, "other") ?? "";
      return text.replace(/\{(\w+)\}/g, (/** @type {string} */ all, /** @type {string} */ name) => {
        const value = own(given, name);
        return typeof value === "number" ? number.format(value) : value ?? all;
      });
    },
    /** Learn what is said after reading, too. */
    async learn() {
      const more = await load("write", lang).catch(() => load("write", "en"));
      Object.assign(words, more.default, overrides(host));
    },
    /** @param {string} time RFC 3339; what a slow clock takes for the future is now */
    ago(time) {
      const seconds = Math.min(0, (Date.parse(time) - Date.now()) / 1000);
      const [unit, size] = SPANS.find((span) => -seconds >= span[1]) ?? ["second", 1];
      return unit === "second" ? ago.format(0, "minute") : ago.format(Math.trunc(seconds / size), unit);
    },
    /** @param {number} value */
    number: (value) => number.format(value),
  };
}

/**
 * What a page says need be no language that a browser accepts.
 * @param {string} lang
 */
function valid(lang) {
  try {
    return Intl.getCanonicalLocales(lang) && lang;
  } catch {
    return code(lang);
  }
}

/**
 * How a language writes numbers and times: made once, since it takes a browser long.
 * @param {string} lang
 */
function formatsOf(lang) {
  const made = known.get(lang) ?? learnt(lang);
  known.set(lang, made);
  return made;
}

/**
 * Each takes a browser some time; the page may breathe between them.
 * @param {string} lang
 */
async function learnt(lang) {
  const number = new Intl.NumberFormat(lang);
  number.format(1);
  await breathe();
  const plural = new Intl.PluralRules(lang);
  const ago = new Intl.RelativeTimeFormat(lang, { numeric: "auto" });
  await breathe();
  return { number, plural, ago };
}

/** Let the browser draw and answer before going on. */
export const breathe = () => new Promise((go) => setTimeout(go));

/**
 * The site's own sentences: JSON in the attribute `words`.
 * @param {HTMLElement} host
 */
export function overrides(host) {
  try {
    const found = JSON.parse(host.getAttribute("words") ?? "{}");
    return found && typeof found === "object" ? found : {};
  } catch {
    console.warn("Greenroom: words is no JSON");
    return {};
  }
}
