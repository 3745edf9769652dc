/** When something cannot be had or done: what is said of it, and where. */

import { Failed, call } from "./api.js";
import { button, h, own } from "./dom.js";
import { adapt } from "./looks.js";
import { overrides } from "./words.js";

/** What the server calls a mistake or a problem, and what we call it where we do not speak the server's language, or the site has its own words. */
const MISTAKES = new Map([["required", "missing"], ["blank", "missing"], ["email", "bademail"], ["website", "badwebsite"], ["too-long", "toolong"], ["parent", "gone"],
  ...["control", "direction", "line-break", "marks", "not-a-character", "private-use"].map((code) => /** @type {const} */ ([code, "oddtext"]))]);
const PROBLEMS = new Map([["thread-closed", "closed"], ["duplicate", "twice"], ["too-many-requests", "toomuch"], ["not-found", "gone"], ["stale-version", "changed"], ["invalid", "marked"]]);

/** @typedef {import("./thread.js").Thread} Thread */
/** @typedef {"trouble" | "noanswer" | "failed"} Silence the sentence for where no answer came */

/**
 * Say that the comments could not be had, and lead to where they can be read.
 * @param {Thread} thread
 * @param {Error} error
 */
export async function fail(thread, error) {
  await thread.words.learn();
  if (thread.over) return;
  const { say } = thread.words;
  const link = thread.host.querySelector("a");
  const page = new URL(`embed/${encodeURIComponent(thread.place.site)}`, thread.place.base);
  page.searchParams.set("page", thread.place.page);
  thread.shadow.replaceChildren(thread.box);
  thread.box.replaceChildren(h("p", { class: "notice", role: "alert" }, error instanceof Failed && error.problem ? error.message : say("failed"), " ",
    button("plain", "again", () => again(thread), say("again")), " ", h("a", { href: link?.href ?? page.href }, say("elsewhere"))));
  adapt(thread.box, thread.host);
  thread.host.setAttribute("state", "failed");
  thread.tell("failed", { problem: own(error, "problem") ?? null });
  const { origin } = page;
  if (error instanceof Failed && error.status) console.error(`Greenroom: ${error.message}`);
  else console.error(`Greenroom: no answer from ${origin}. Is ${location.origin} one of the site's origins? A Content-Security-Policy of this page would need: connect-src ${origin}`);
}

/**
 * Ask once more.
 * @param {Thread} thread
 */
export async function retry(thread) {
  thread.found = await call(thread.url()).catch((error) => error);
  await thread.show();
}

/**
 * The same by the button, which goes then; who had the focus on it finds it where the answer is.
 * @param {Thread} thread
 */
async function again(thread) {
  await retry(thread);
  focus(thread.box.querySelector("[data-do=again], h2"));
}

/**
 * Put the focus on what is no field and no button.
 * @param {HTMLElement | null} there
 */
export function focus(there) {
  if (there?.matches("p, h2, article, div")) there.tabIndex = -1;
  there?.focus({ preventScroll: true });
}

/**
 * A sentence above the form, read aloud.
 * @param {Thread} thread
 * @param {string} text
 */
export const note = ({ notice }, text) => notice.replaceChildren(h("p", { class: "notice" }, text));

/**
 * What an action answers; null, and a sentence behind what it is about, where it fails.
 * @param {Thread} thread
 * @param {Element} about
 * @param {() => Promise<any>} action
 * @param {Silence} silence
 */
export async function attempt(thread, about, action, silence) {
  const clear = () => about.nextElementSibling?.matches(".aside") && about.nextElementSibling.remove();
  clear();
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    await import("./living.js").then(({ equip }) => equip(thread)).catch(() => {}); // without a connection no words come, too
    const { errors, sentence } = told(thread, error, silence);
    clear(); // it may have been pressed twice
    about.after(h("p", { class: "error aside", role: "alert" }, [...errors.values()].join(" ") || sentence));
    return null;
  }
}

/**
 * What went wrong: by fields, and as a whole. The page is told, too.
 * @param {Thread} thread
 * @param {Failed} failed
 * @param {Silence} silence
 */
export function told(thread, failed, silence) {
  const { say, lang } = thread.words;
  const theirs = overrides(thread.host);
  const { problem } = failed;
  thread.tell("failed", { problem });
  const ours = (/** @type {any} */ word, /** @type {string} */ detail) => (word && (!lang.startsWith("en") || own(theirs, word)) && say(word)) || detail;
  const errors = new Map(Object.entries(own(problem, "errors") ?? {}).map(([name, list]) =>
    [name, list.map((/** @type {any} */ one) => ours(MISTAKES.get(one.code), one.detail)).join(" ")]));
  const detail = own(problem, "detail");
  const name = PROBLEMS.get(`${own(problem, "type")}`.split("/").pop() ?? "") ?? (failed.status >= 500 && silence);
  const sentence = detail ? ours(name, detail) : say(silence) || failed.message;
  return { errors, sentence: failed.wait ? `${sentence} ${say("wait", { time: span(lang, Number(failed.wait)) })}` : sentence };
}

/**
 * @param {string} lang
 * @param {number} seconds
 */
function span(lang, seconds) {
  const [unit, size] = seconds < 120 ? ["second", 1] : ["minute", 60];
  return new Intl.NumberFormat(lang, { style: "unit", unit: String(unit), unitDisplay: "long" }).format(Math.ceil(seconds / Number(size)));
}
