/** What keeps a thread alive after it is first seen: the page around it, the server behind it, and its form where somebody comes near. */

import { call, door } from "./api.js";
import { button, h } from "./dom.js";
import { above, adapt } from "./looks.js";
import { brief, draftOf, kept, postedHere, shelf, voted } from "./store.js";

const FRESH = 30_000;
const LINK = /^#comment-([0-9a-f-]{36})$/;
const NEAR = "600px";
const TRANSITION = 400;
const SHEETS = ["href", "media", "disabled", "rel"];
const STYLE = ""; // the server puts print.css here
const printed = new CSSStyleSheet();
printed.replaceSync(STYLE);

/** @typedef {import("./thread.js").Thread} Thread */

/**
 * Bring whatever is to come to a thread that is drawn.
 * @param {Thread} thread
 */
export async function live(thread) {
  if (thread.over) return;
  const worn = thread.shadow.adoptedStyleSheets;
  if (!worn.includes(printed)) worn.push(printed);
  watch(thread);
  mark(thread);
  follow(thread);
  await Promise.all([approach(thread), showMine(thread)]);
}

/**
 * The sentences and looks of all that is not read at first sight.
 * @param {Thread} thread
 */
export async function equip(thread) {
  await Promise.all([dress(thread).catch(() => {}), thread.words.learn()]);
}

/** @param {Thread} thread */
async function dress({ shadow }) {
  const { style } = await import("./dress.js");
  if (!shadow.adoptedStyleSheets.includes(style)) shadow.adoptedStyleSheets.push(style);
}

/**
 * Bring the form when somebody comes near to its place; at once where a draft or a comment that could not be sent waits for it.
 * @param {Thread} thread
 */
async function approach(thread) {
  if (brief.get(draftOf(thread)) || kept.get(shelf("outbox", thread.place))) return void (await bring(thread));
  const near = new IntersectionObserver((seen) => {
    if (!seen.some((one) => one.isIntersecting)) return;
    near.disconnect();
    bring(thread).catch((error) => thread.lost(error));
  }, { rootMargin: NEAR });
  near.observe(thread.below);
}

/**
 * What stands below the comments: the form, or that there is none (null). It comes once, however many ask for it.
 * @param {Thread} thread
 * @returns {Promise<import("./form.js").Form | null>}
 */
export function bring(thread) {
  thread.coming ??= form(thread).catch((error) => {
    thread.coming = null;
    throw error;
  });
  return thread.coming;
}

/** @param {Thread} thread */
async function form(thread) {
  if (thread.found.page.state !== "open") {
    await equip(thread);
    thread.below.replaceChildren(h("p", { class: "notice" }, thread.words.say("closed")));
    return null;
  }
  const [{ Form }] = await Promise.all([import("./form.js"), thread.words.learn(), import("./dress.js").catch(() => {})]);
  thread.form = await Form.open(thread);
  await dress(thread).catch(() => {}); // no sooner than the form: for either of them the browser counts all looks anew
  return thread.form;
}

/**
 * What this device wrote here; looked for only where there is something.
 * @param {Thread} thread
 */
export async function showMine(thread) {
  if (!postedHere(thread).length) return;
  const [{ Mine }] = await Promise.all([import("./mine.js"), equip(thread)]);
  thread.mine ??= new Mine(thread);
  await thread.mine.show();
}

/**
 * Show what this device voted for.
 * @param {Thread} thread
 */
export function mark(thread) {
  for (const id of voted(thread.place)) thread.at(id)?.querySelector("[data-do=vote]")?.setAttribute("aria-pressed", "true");
}

/** @param {Thread} thread */
function follow(thread) {
  const id = LINK.exec(location.hash)?.[1];
  if (id) thread.act("goTo", id);
}

/**
 * Tell of new comments, once for each that comes, and let nothing jump; and try again what waits to be sent.
 * @param {Thread} thread
 */
async function look(thread) {
  if (document.hidden) return;
  adapt(thread.box, thread.host); // the page may have changed its looks by what nobody tells of
  thread.form?.sendKept();
  for (const one of thread.box.querySelectorAll("time:not([data-edited])")) one.textContent = thread.words.ago(one.dateTime);
  const counted = await call(door(thread.place, "counts", { page: thread.place.page })).catch(() => null);
  if (!counted) return;
  const n = Math.max(0, counted.counts[0].comment_count - thread.found.page.comment_count);
  if (n === thread.unseen) return;
  thread.unseen = n;
  if (!n) return void thread.news.replaceChildren();
  thread.tell("new", { count: n });
  await equip(thread);
  if (n !== thread.unseen) return;
  const there = thread.news.querySelector("button") ?? button("quiet", "new", () => thread.act("showNews"));
  there.textContent = thread.words.say("fresh", { n });
  if (!there.parentNode) thread.news.replaceChildren(there);
}

/**
 * The exact time, as soon as somebody points at a time.
 * @param {any} time
 * @param {string} lang
 */
function tellTime(time, lang) {
  if (time.dateTime) time.title ||= new Date(time.dateTime).toLocaleString(lang, { dateStyle: "long", timeStyle: "short" });
}

/**
 * Keep up with the page and with the server for as long as the element is in the page.
 * @param {Thread} thread
 */
export function watch(thread) {
  thread.leave.abort();
  if (!thread.host.isConnected || thread.over) return;
  thread.leave = new AbortController();
  const { signal } = thread.leave;
  const timer = setInterval(() => look(thread), FRESH);
  const paint = () => adapt(thread.box, thread.host);
  /** @type {Map<number, number>} */
  const due = new Map();
  const repaint = () => [0, TRANSITION].forEach((wait) => {
    if (wait) clearTimeout(due.get(wait)); // the last change counts; of many at once the first one is enough
    else if (due.has(wait)) return;
    due.set(wait, setTimeout(() => [due.delete(wait), paint()], wait));
  });
  const changes = new MutationObserver(repaint);
  for (let node = /** @type {Element | null} */ (thread.host); node; node = above(node)) changes.observe(node, { attributes: true }); // every framework has its own for dark
  // A page may have a form called "head", which then is `document.head`.
  for (const node of document.querySelectorAll("head")) changes.observe(node, { subtree: true, childList: true, characterData: true, attributeFilter: SHEETS });
  document.addEventListener("load", ({ target }) => /** @type {any} */ (target).sheet && repaint(), { capture: true, signal });
  document.addEventListener("transitionend", ({ propertyName }) => /color|background/.test(propertyName) && repaint(), { signal });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint, { signal });
  addEventListener("hashchange", () => follow(thread), { signal });
  thread.box.addEventListener("click", (/** @type {any} */ { target }) => target.closest("a")?.hash === location.hash && follow(thread), { signal }); // the same link once more
  addEventListener("online", () => thread.form?.sendKept(), { signal });
  document.addEventListener("visibilitychange", () => look(thread), { signal });
  thread.box.addEventListener("pointerover", (/** @type {Event} */ { target }) => tellTime(target, thread.words.lang), { signal });
  signal.addEventListener("abort", () => [clearInterval(timer), changes.disconnect()]);
  paint();
}
