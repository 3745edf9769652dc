/** What somebody does with a thread: go on, sort, answer, look for one comment, see what is new. */

import { call, door } from "./api.js";
import { h, own } from "./dom.js";
import { attempt, retry } from "./failing.js";
import { bring, equip, mark, showMine } from "./living.js";

const MOST_KEPT = 20;

/** @typedef {import("./thread.js").Thread} Thread */

/**
 * The next page. What is read anew meanwhile is waited for, or brings that page along.
 * @param {Thread} thread
 */
export async function more(thread) {
  await thread.renewed.catch(() => {});
  const { next } = thread.found;
  if (!next) return;
  thread.pages++;
  const found = await attempt(thread, thread.moreButton, () => call(thread.url(next)), "failed");
  if (next !== thread.found.next) return;
  if (!found) return void thread.pages--;
  const last = thread.list.lastElementChild;
  thread.found.next = found.next;
  const linked = thread.box.querySelector(".linked article");
  await thread.fill(found.comments);
  if (linked && thread.list.querySelector(`[id="${linked.id}"]`)) unlink(thread);
  await goOn(thread, last);
}

/**
 * Take away the comment that was followed; whoever answers it there goes on where it stands now, or at the end.
 * @param {Thread} thread
 */
function unlink({ box, form }) {
  form?.rescue();
  box.querySelector(".linked")?.remove();
  form?.settle();
}

/**
 * @param {Thread} thread
 * @param {any} comment
 * @param {HTMLElement} list
 */
export async function replies(thread, comment, list) {
  const cursor = comment.replies_next;
  const offer = /** @type {Element} */ (list.nextElementSibling);
  const found = await attempt(thread, offer, () => branch(thread, comment), "failed");
  if (!found || cursor !== comment.replies_next) return;
  const last = list.lastElementChild;
  thread.opened.set(comment.id, (thread.opened.get(comment.id) ?? 0) + 1);
  comment.replies_next = found.next;
  offer.remove();
  await thread.fill(found.comment.replies, list, comment.id);
  thread.offerReplies(comment, list);
  await goOn(thread, last);
}

/**
 * Behind what was the last comment there are more now; one of them may be the reader's own, drawn at the end until it came.
 * @param {Thread} thread
 * @param {Element | null} last
 */
async function goOn(thread, last) {
  const first = last?.nextElementSibling?.querySelector("article");
  mark(thread);
  await thread.mine?.show();
  first?.focus();
}

/**
 * @param {Thread} thread
 * @param {any} comment
 */
const branch = (thread, comment) => call(door(thread.place, `comments/${comment.id}`, { cursor: comment.replies_next }));

/**
 * @param {Thread} thread
 * @param {string} sort
 */
export const sortBy = (thread, sort) => refresh(thread, sort, 1);

/**
 * @param {Thread} thread
 * @param {any} comment
 */
export async function reply(thread, comment) {
  (await bring(thread))?.answer(comment.id, thread.names.get(comment.id));
}

/**
 * @param {Thread} thread
 * @param {any} comment
 * @param {HTMLElement} button
 */
export const vote = async (thread, comment, button) => (await react(thread)).vote(thread, comment, button);

/**
 * @param {Thread} thread
 * @param {any} comment
 * @param {HTMLElement} button
 */
export const report = async (thread, comment, button) => (await react(thread)).report(thread, comment, button);

/** @param {Thread} thread */
const react = async (thread) => (await Promise.all([import("./react.js"), equip(thread)]))[0];

/** @param {Thread} thread */
export async function focusForm(thread) {
  (await bring(thread))?.focus();
}

/**
 * Read everything again that is shown; what somebody reads stays where it is on their screen. Asked for again before it is done,
 * it is done when the last of all is.
 * @param {Thread} thread
 * @param {string} [sort]
 * @param {number} [pages]
 * @returns {Promise<void>}
 */
export function refresh(thread, sort, pages) {
  if (thread.found instanceof Error) return retry(thread);
  /** @type {Promise<void>} */
  const turn = renew(thread, () => thread.renewed === turn, sort, pages).then(() => (thread.renewed === turn ? undefined : thread.renewed));
  return (thread.renewed = turn);
}

/**
 * @param {Thread} thread
 * @param {() => boolean} last whether nobody has asked again
 * @param {string} [sort]
 * @param {number} [pages]
 */
async function renew(thread, last, sort = thread.sort, pages = thread.pages) {
  const found = await attempt(thread, thread.head, () => read(thread, sort, pages), "failed");
  if (!last()) return;
  const choice = /** @type {HTMLSelectElement | null} */ (thread.head.querySelector("select"));
  const chooses = thread.shadow.activeElement === choice;
  if (!found) {
    if (choice) choice.value = thread.sort; // which is what the list still has
    return;
  }
  const restore = places(thread);
  Object.assign(thread, { found, sort, pages, unseen: 0 });
  thread.news.replaceChildren();
  const active = /** @type {HTMLElement | null} */ (thread.shadow.activeElement);
  const back = () => thread.shadow.activeElement ?? active?.focus({ preventScroll: true });
  unlink(thread);
  thread.form?.rescue();
  const reports = [...thread.list.querySelectorAll("form.report")].map((form) => /** @type {const} */ ([form.closest("article")?.dataset.id, form]));
  const list = h("ol", { class: "thread list" });
  thread.list.replaceWith(list);
  thread.list = list;
  thread.names.clear();
  thread.drawHead();
  if (chooses) thread.head.querySelector("select")?.focus();
  await thread.fill(found.comments);
  if (thread.list !== list) return;
  for (const [id, form] of reports) thread.at(id)?.querySelector(".actions")?.after(form);
  back();
  restore();
  thread.form?.settle();
  mark(thread);
  await showMine(thread);
  back(); // into the box of an edit, where that was
}

/**
 * So many pages of the thread, with the replies that were opened.
 * @param {Thread} thread
 * @param {string} sort
 * @param {number} pages
 */
async function read(thread, sort, pages) {
  const found = await call(thread.url(null, sort));
  for (let n = 1; n < pages && found.next; n++) {
    const next = await call(thread.url(found.next, sort));
    found.comments.push(...next.comments);
    found.next = next.next;
  }
  await reopen(thread, found.comments);
  return found;
}

/**
 * @param {Thread} thread
 * @param {any[]} comments
 */
async function reopen(thread, comments) {
  for (const one of comments) {
    for (let n = thread.opened.get(one.id) ?? 0; n > 0 && own(one, "replies_next"); n--) {
      const found = await branch(thread, one);
      one.replies.push(...found.comment.replies);
      one.replies_next = found.next;
    }
    await reopen(thread, one.replies);
  }
}

/**
 * Note what somebody reads; the answer puts it back to where it was on their screen, once all is drawn anew.
 * @param {Thread} thread
 */
function places(thread) {
  const box = scroller(thread.host);
  const edge = box === document.scrollingElement ? 0 : box.getBoundingClientRect().top;
  const all = [...thread.list.querySelectorAll("article")];
  const first = all.findIndex((one) => one.getBoundingClientRect().bottom > edge);
  const read = first < 0 ? [] : all.slice(first, first + MOST_KEPT).map((one) => ({ id: one.dataset.id, top: one.getBoundingClientRect().top }));
  return () => {
    const left = read.find(({ id }) => thread.at(id));
    const now = left && thread.at(left.id);
    if (!now || read[0].top >= edge) return;
    // It stands anywhere as long as the comments that it answers are not drawn, and a guess is as high as they.
    const { style } = /** @type {HTMLElement} */ (now.closest(".thread > li"));
    style.contentVisibility = "visible";
    box.scrollBy({ top: now.getBoundingClientRect().top - left.top, behavior: "instant" });
    requestAnimationFrame(() => requestAnimationFrame(() => (style.contentVisibility = "")));
  };
}

/**
 * What an element is scrolled in.
 * @param {Element} start
 * @returns {Element}
 */
function scroller(start) {
  for (let node = /** @type {any} */ (start); node; node = node.assignedSlot ?? node.parentNode ?? node.host) {
    if (node.localName === "body" && getComputedStyle(node.parentNode).overflowY === "visible") break; // it gives its bars to the window
    if (node instanceof Element && /auto|scroll/.test(getComputedStyle(node).overflowY) && node.scrollHeight > node.clientHeight) return node;
  }
  return document.scrollingElement ?? document.documentElement;
}

/**
 * Scroll to a comment and mark it; one that is further down than what is loaded is shown above the others.
 * @param {Thread} thread
 * @param {string} id
 */
export async function goTo(thread, id) {
  await thread.drawn;
  equip(thread).catch(() => {}); // what marks it may come a little later
  const here = thread.at(id) ?? (await fetchOne(thread, id));
  if (!here) return;
  for (const one of thread.box.querySelectorAll(".here")) one.classList.remove("here");
  here.classList.add("here");
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  here.scrollIntoView({ block: "center", behavior: calm ? "auto" : "smooth" });
  here.focus({ preventScroll: true });
}

/**
 * @param {Thread} thread
 * @param {string} id
 */
async function fetchOne(thread, id) {
  const [found] = await Promise.all([call(door(thread.place, `comments/${encodeURIComponent(id)}`)).catch(() => null), equip(thread)]);
  if (!found || found.page.id !== thread.found.page.id) return null;
  const list = h("ol", { class: "thread" });
  unlink(thread);
  thread.news.after(h("section", { class: "linked" }, h("p", { class: "hint" }, thread.words.say("linked")), list));
  await thread.fill([found.comment], list);
  mark(thread);
  return thread.at(id);
}

/**
 * Show what came meanwhile. In an order that has it further down than what is shown, the order becomes the newest first.
 * @param {Thread} thread
 */
export async function showNews(thread) {
  const articles = () => [...thread.list.querySelectorAll("article")];
  const known = new Set(articles().map((one) => one.dataset.id));
  const fresh = () => articles().find((one) => !known.has(one.dataset.id));
  await refresh(thread);
  if (!fresh()) await sortBy(thread, "newest");
  const id = fresh()?.dataset.id;
  if (id) await goTo(thread, id);
}
