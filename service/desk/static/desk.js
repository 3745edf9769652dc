// The keys of the desk, and what keeps a moderator going: the next comment is there at once, and nothing gets lost.

const DECISIONS = { a: "approve", r: "reject", s: "spam", d: "delete" };
const AHEAD = 8; // comments that are there before they are looked at
const FAR = 10; // pages that are read at once for what is new
const EVERY = 20_000; // between two looks for new ones, in ms
const SOON = 1_000; // between two looks at how far a decision on many is, in ms
const AGAIN = 5_000; // after which what could not be sent is sent again, in ms
const AWAY = [502, 503, 504]; // what is answered when the desk is away for a while
const TYPING = 1_000; // without a letter, after which the next one is a key again, in ms

const UNASKED = { "X-Unasked": "true" }; // of a look that the script takes: an open page alone keeps no session alive

const queue = document.getElementById("queue");
const keys = document.getElementById("keys");
const undecided = () => [...document.querySelectorAll("article.item:not(.done)")];
const live = document.getElementById("live"); // also holds the sentences of this script, in the reader's language
const say = (text) => (live.textContent = text);
const decided = []; // the ids of articles, the last one last
const unanswered = new Set(); // the ids of articles that were decided on
const regretted = new Set(); // the ids of those of them that are undone as soon as their answer is there
const lost = new Map(); // where a form is sent → the form, and the button that was pressed, when no answer came
const many = () => document.getElementById("many"); // the form that decides on all that is selected

/** The comment that keys are about: the one with the focus, else the first. */
function current() {
  return document.activeElement?.closest("article.item") ?? undecided()[0];
}

function go(item) {
  if (!item) return;
  item.focus({ preventScroll: true });
  item.scrollIntoView({ block: "nearest" });
}

/** To another page, once all that was decided on this one has its answer. */
function leave(address) {
  if (unanswered.size) document.addEventListener("htmx:finally:request", () => leave(address), { once: true });
  else location.assign(address);
}

/** The undecided comment so many steps away; past the end it begins anew. */
function neighbour(item, step) {
  const all = [...document.querySelectorAll("article.item")].filter((one) => one === item || !one.classList.contains("done"));
  return all.length > 1 ? all[(all.indexOf(item) + step + all.length) % all.length] : null;
}

function open(details, selector) {
  if (!details) return;
  details.open = true;
  details.querySelector(selector)?.focus();
}

const picked = () => [...document.querySelectorAll(".pick:checked")];

/** Whether a decision is about what is selected, and not about one comment. */
const isMany = () => picked().length > 0 || Boolean(many()?.elements.all);

function pick(boxes, checked) {
  for (const box of boxes) box.checked = checked;
  count();
}

function count() {
  const told = document.getElementById("picked");
  if (told) told.value = picked().length ? told.dataset.words.replace("#", picked().length) : "";
}

const deeds = {
  x: (item) => pick(item.querySelectorAll(".pick"), !item.querySelector(".pick:checked")),
  j: async (item) => go(neighbour(item, 1) ?? (await look(), neighbour(item, 1))),
  k: (item) => go(neighbour(item, -1)),
  n: (item) => open(item.querySelector(".noting"), "textarea"),
  w: (item) => open(item.querySelector(".replying"), "textarea"),
  o: (item) => item.querySelector(".age a, .outcome a, .opens")?.click(),
  e: (item) => {
    const link = item.querySelector(".age a, .outcome a");
    if (link) leave(`${link.href}#body`);
    else open(document.getElementById("text"), "textarea");
  },
};

const FIELD = "input:not(.pick), textarea, select";
let typed = -TYPING; // when the last letter was meant for a field that was drawn anew, and lost the focus by it
document.addEventListener("pointerdown", () => (typed = -TYPING));
document.addEventListener("htmx:before:swap", ({ timeStamp, detail: { ctx } }) => {
  const field = document.activeElement;
  if (field.matches(FIELD) && ctx.target.contains(field)) typed = timeStamp;
});

document.addEventListener("keydown", (event) => {
  // Chromium would pass over the first button, since it is disabled, and press "Approve all".
  if (event.key === "Enter" && event.target.matches(".pick")) event.preventDefault();
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing || keys?.open) return;
  if (event.target.closest(FIELD)) {
    if (event.key === "Escape") go(event.target.closest("article.item"));
    return;
  }
  if (event.timeStamp - typed < TYPING) return void (typed = event.timeStamp);
  const item = current();
  if (event.key === "?") keys?.showModal();
  else if (event.key === "z") undo();
  else if (event.key === "Escape" && picked().length) pick(picked(), false);
  else if (/^[1-9]$/.test(event.key)) reject(isMany() ? many() : item, Number(event.key));
  else if (DECISIONS[event.key] && isMany()) many()?.querySelector(`[value=${DECISIONS[event.key]}]`)?.click();
  else if (item && DECISIONS[event.key]) item.querySelector(`.decide [value=${DECISIONS[event.key]}]`)?.click();
  else if (item && deeds[event.key]) deeds[event.key](item);
  else return;
  event.preventDefault();
});

/** Reject for the reason that stands at a place of the list. */
function reject(form, place) {
  const reasons = form?.querySelector(".rejection");
  if (!reasons?.options[place]) return;
  reasons.selectedIndex = place;
  form.querySelector(".choices [value=reject]")?.click();
}

/** Undo the last decision; one that has no answer yet as soon as it has one. */
function undo() {
  const last = decided.findLast((id) => unanswered.has(id) || document.querySelector(`#${id} .undo button`));
  const button = last ? document.querySelector(`#${last} .undo button`) : document.querySelector(".undo button:not(article *)");
  if (unanswered.has(last)) regretted.add(last);
  else if (button) button.click();
  else say(live.dataset.nothing);
}

// One decision, and the next comment is there: its answer may take as long as it likes.
document.addEventListener("submit", ({ target }) => {
  const item = target.closest("article.item");
  if (!target.matches(".decide[hx-post]") || !item) return;
  unanswered.add(item.id);
  if (!decided.includes(item.id) || !sending) decided.push(item.id);
  item.setAttribute("aria-busy", "true");
  if (sending) return; // again, by itself: the moderator is elsewhere
  if (item.contains(document.activeElement) || document.activeElement === document.body) go(neighbour(item, 1));
  if (queue) look();
});

document.getElementById("pick-page")?.addEventListener("click", (event) => {
  event.preventDefault();
  const boxes = [...document.querySelectorAll(".pick")];
  pick(boxes, boxes.some((box) => !box.checked));
});
document.addEventListener("change", count);

// Another form of its item may have been answered meanwhile, and drawn the item anew.
document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  if (ctx.target && !ctx.target.isConnected) ctx.target = document.getElementById(ctx.target.id) ?? ctx.target;
  if (isForeign(ctx)) {
    event.preventDefault();
    (ctx.request.form && AWAY.includes(ctx.response.status) ? keep : refused)(ctx);
  } else if (ctx.hx.redirect && ctx.response.status !== 401) {
    event.preventDefault();
    leave(ctx.hx.redirect); // where a session ended nothing is taken any more: that leads to sign in at once
  } else if (ctx.hx.redirect) unanswered.clear();
});

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const old = ctx.request.form?.closest(".item");
  if (old?.querySelector(".pick:checked")) pick(document.querySelectorAll(`#${old.id} .pick`), true);
  if (ctx.request.form?.matches(".item .decide")) answered(old.id);
  else if (old) stay(old);
  else if (document.activeElement === document.body) many()?.querySelector(`[value="${ctx.request.submitter?.value}"]`)?.focus();
  for (const id of unanswered) document.getElementById(id)?.setAttribute("aria-busy", "true");
});

/** The comment that was drawn anew keeps the focus; one that does not wait any more leads to the next. */
function stay(old) {
  const item = document.getElementById(old.id);
  const approve = ".decide [value=approve]";
  const isPublished = old.querySelector(approve) && item?.querySelector(".undo") && !item.querySelector(approve);
  if (isPublished) decided.push(old.id); // by the reply to it, which is undone with it
  if (item && document.activeElement === document.body) go((isPublished && neighbour(item, 1)) || item);
}

/** What became of a decision is there: an outcome, or a refusal beside its buttons. */
function answered(id) {
  const item = document.getElementById(id);
  const isRegretted = regretted.delete(id);
  unanswered.delete(id);
  item?.removeAttribute("aria-busy");
  if (!item?.classList.contains("done")) return;
  if (document.activeElement === document.body) go(neighbour(item, 1) ?? item);
  if (isRegretted) item.querySelector(".undo button")?.click();
}

// -- What got no answer is kept and sent again. What was seen, or a key, goes with it: it cannot count twice.

/** Where it is said what is wrong with a form. */
const beside = (form) => (form.closest("article, #many") ?? document).querySelector(".say");

document.addEventListener("submit", ({ target }) => {
  if (!target.matches("[hx-post]")) return;
  lost.delete(target.getAttribute("hx-post"));
  beside(target)?.replaceChildren();
});

document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
  if (ctx?.request.form && ctx.text === undefined) keep(ctx); // else nothing was sent, or an answer came and something else is wrong
});

/** Whether an answer is none of the desk's, but of what stands before it: nothing of it may take an item's place. */
const isForeign = ({ hx, response: { status, headers } }) =>
  AWAY.includes(status) || (status >= 500 && !hx.retarget) || !/^text\/html\b/.test(headers.get("Content-Type") ?? "");

/** Send it again later. */
function keep({ request }) {
  const id = request.form.getAttribute("hx-post");
  lost.set(id, { form: request.form, button: request.submitter, about: picked() });
  tell(lost.get(id), live.dataset.lost);
  setTimeout(() => send(id), AGAIN);
}

/** It was not taken, and nobody can say why: the moderator decides whether to send it again. */
function refused({ request }) {
  tell({ form: request.form, button: request.submitter }, live.dataset.refused);
  if (request.form?.matches(".item .decide")) answered(request.form.closest(".item").id);
}

function tell(sent, words) {
  const { form } = drawn(sent);
  if (form) beside(form)?.replaceChildren(words);
  say(words);
}

/** A form and its button as they are now, if they are: an item that was drawn anew gets back what nobody types. */
function drawn({ form, button }) {
  if (!form || form.isConnected) return { form, button };
  const now = document.querySelector(`form[hx-post="${form.getAttribute("hx-post")}"]`);
  for (const field of now?.querySelectorAll("input[type=hidden], select") ?? []) field.value = form.elements[field.name]?.value ?? field.value;
  return { form: now, button: [...(now?.querySelectorAll("button") ?? [])].find((one) => one.value === button.value) };
}

let sending = false;

function send(id) {
  if (!lost.has(id)) return;
  const { form: sent, about } = lost.get(id);
  const { form, button } = drawn(lost.get(id));
  lost.delete(id);
  if (!form) return unanswered.delete(sent.closest(".item")?.id);
  if (form.id === "many") pick(picked(), false), pick(about, true); // about those that were meant, whatever is selected by now
  if (button && form.checkValidity()) {
    sending = true;
    form.requestSubmit(button);
    sending = false;
    return;
  }
  beside(form)?.replaceChildren(); // emptied since, or there is no such choice any more
  if (form.matches(".item .decide")) answered(form.closest(".item").id);
}

addEventListener("online", () => [...lost.keys()].forEach(send));
addEventListener("beforeunload", (event) => (lost.size || unanswered.size) && event.preventDefault());

// -- The comments that come next, and those that are new, without moving what is being read.

let looking = null;
let tail = location.href; // the page of the list that was read last
const order = new URLSearchParams(location.search).get("sort") ?? "oldest";

/** Have more of the list at hand before it is needed. */
function look() {
  if (isNear()) looking ??= goOn().finally(() => (looking = null));
  return looking;
}

const isNear = () => nextOf(document) && undecided().length - undecided().indexOf(current()) <= AHEAD;

/** Read on until there is enough: a whole page may be of waves that stand in the list already. */
async function goOn() {
  for (let number = 0; number < FAR && isNear(); number++) {
    const { href } = nextOf(document);
    const page = await read(href);
    if (!page) return;
    tail = href;
    take(page, "beforeend", true);
  }
}

async function read(url) {
  const answer = await fetch(url, { headers: { Accept: "text/html", ...UNASKED } }).catch(() => null);
  if (!answer?.ok || answer.redirected) return null;
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

/** A page, and in it what is on those after it, up to the one on which something is found. */
async function readTo(isFound, url) {
  const page = await read(url);
  let last = page;
  for (let number = 1; last && !isFound(last) && number < FAR && nextOf(last); number++) {
    last = await read(nextOf(last).href);
    if (last) page.querySelector("#queue").append(...[...last.querySelectorAll("#queue article.item")].map((one) => page.adoptNode(one.cloneNode(true))));
  }
  if (!last) return null;
  const isWhole = isFound(last) || !nextOf(last);
  if (last !== page && !isWhole) nextOf(page).replaceWith(page.adoptNode(nextOf(last)));
  return { page, isWhole };
}

const nextOf = (page) => page.querySelector(".paging a[rel=next]");

/** Put the comments of a page into the list that are not in it. */
function take(page, where, isNext) {
  const fresh = [...page.querySelectorAll("#queue article.item")].filter((one) => !document.getElementById(one.id));
  const first = queue.querySelector("article.item");
  const top = first?.getBoundingClientRect().top;
  for (const one of where === "afterbegin" ? fresh.reverse() : fresh) {
    queue.insertAdjacentElement(where, document.adoptNode(one));
    htmx.process(one);
  }
  if (fresh.length) queue.querySelector(".nothing")?.remove();
  if (first) hold(first, top);
  restore(queue);
  if (!isNext) return;
  const paging = nextOf(page);
  const old = nextOf(document);
  if (paging && old) old.replaceWith(document.adoptNode(paging));
  else if (paging) queue.after(document.adoptNode(page.querySelector(".paging")));
  else old?.remove();
}

/** Scroll so that an item stays where it was, and all that is read with it. */
function hold(item, top) {
  const moved = item.getBoundingClientRect().top - top;
  if (!moved) return;
  document.body.style.minHeight = `${scrollY + moved + innerHeight}px`; // a short page has no room to scroll
  scrollBy({ top: moved, behavior: "instant" });
}

let seen = null;

/** Whether one is in the list: as itself unless it came back since it was decided, or in the line of a wave. */
function isHere({ id, since, groups }, page = document) {
  const item = page.getElementById(`c-${id}`);
  return item ? !(item.dataset.decided < since) : groups.some((group) => page.getElementById(`g-${group}`));
}

/** Whether one stands past another: what is past the last page that was read comes when the list is read on. */
function isPast({ place, risk }, other) {
  if (order === "newest") return place < other.place;
  return order === "risk" && risk !== Number(other.risk) ? risk < other.risk : place > other.place;
}

const mentioned = new Set(); // the ids of those that the notice is about

/** Whether one ought to be in the list, and is not. */
function isMissing(one) {
  const edge = nextOf(document)?.dataset;
  const isBefore = queue.dataset.place && !isPast(one, queue.dataset); // this page of the list begins after it
  return !isBefore && !(edge && isPast(one, edge)) && !isHere(one) && !mentioned.has(one.id);
}

async function news() {
  if (document.hidden) return;
  const answer = await fetch(presenceUrl(), { headers: { ...UNASKED, ...(seen && { "If-None-Match": seen }) } }).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  seen = answer.headers.get("ETag");
  const { came, waiting, looking } = await answer.json();
  presence(looking);
  const count = document.getElementById("waiting");
  if (count) count.textContent = waiting;
  const missing = came.filter(isMissing);
  if (missing.length && (await arrive(missing))) notice(missing.filter(isMissing));
}

/** Put what came at an end of the list, if one has a place for it; whether the pages with it could be read. */
async function arrive(missing) {
  const isNewest = order === "newest";
  if (!isNewest && nextOf(document)) return true;
  const isThere = (page) => missing.every((one) => isHere(one, page));
  const isKnown = (page) => !undecided().length || [...page.querySelectorAll("#queue article.item")].some((one) => document.getElementById(one.id));
  const found = await readTo(isNewest ? isKnown : isThere, isNewest || order === "risk" ? location.href : tail);
  if (found) take(found.page, isNewest ? "afterbegin" : "beforeend", !found.isWhole); // the rest when it is come to
  else seen = null;
  return Boolean(found);
}

/** What has its place among others is only said to be there. */
function notice(missing) {
  if (!missing.length) return;
  for (const { id } of missing) mentioned.add(id);
  const told = document.getElementById("changed");
  told.hidden = false;
  say(told.textContent);
}

// -- Who else looks at what. Said with the news, so that no key sends anything.

const place = document.querySelector("[data-news]"); // the queue, or the one comment of a page
let others = {}; // the id of a comment → names

/** The address of the news, with the comment that the moderator has in front of them. */
function presenceUrl() {
  const id = current()?.id.match(/^c-(.+)/)?.[1];
  return id ? `${place.dataset.news}&at=${id}` : place.dataset.news;
}

/** Beside each comment who else looks at it: to be read, but not announced, since it is new every few seconds. */
function presence(looking = others) {
  others = looking;
  for (const item of place.querySelectorAll("article.item")) {
    const text = (others[item.id.slice("c-".length)] ?? []).map((name) => place.dataset.looking.replace("#", () => name)).join(" ");
    let badge = item.querySelector(".looking");
    if (badge?.textContent === text) continue;
    badge?.remove();
    if (!text) continue;
    badge = document.createElement("p");
    badge.className = "looking";
    badge.textContent = text;
    item.prepend(badge);
  }
}

/** On the page of one comment there is no queue that asks. */
async function attend() {
  if (document.hidden) return;
  const answer = await fetch(presenceUrl(), { headers: UNASKED }).catch(() => null);
  if (answer?.ok && !answer.redirected) presence((await answer.json()).looking);
}

if (place) new MutationObserver(() => presence()).observe(place, { childList: true }); // what is drawn anew
if (place && !queue) {
  setInterval(attend, EVERY);
  document.addEventListener("visibilitychange", attend);
}

/** How far a long decision on many has come. */
async function progress() {
  const page = await read(location.href);
  const fresh = page?.getElementById("progress");
  if (fresh) document.getElementById("progress").replaceWith(document.adoptNode(fresh));
  if (document.querySelector("#progress[data-working]")) setTimeout(progress, SOON);
  else if (fresh) location.reload();
}

count();
if (document.querySelector("#progress[data-working]")) setTimeout(progress, SOON);
if (location.hash === "#body") open(document.getElementById("text"), "textarea");
if (keys) {
  const button = document.getElementById("show-keys");
  button.hidden = false;
  button.addEventListener("click", () => keys.showModal());
}
if (queue) {
  look();
  setInterval(news, EVERY);
  document.addEventListener("visibilitychange", news);
  document.addEventListener("focusin", look);
}
