/** Comments that found no connection: kept on this device and shown to who wrote them, until they go out or are thrown away. */

import { Failed } from "./api.js";
import { button, h, own } from "./dom.js";
import { focus, told } from "./failing.js";
import { deliver, introduce, refused, same, sent } from "./sending.js";
import { kept, shelf } from "./store.js";

const DAYS = 7;
const DAY = 86_400_000;
const KNOWN = 23 * 3_600_000; // the server knows a key again for 24 hours: later it might make a second comment of the same words

/** @typedef {import("./form.js").Form} Form */
/** @typedef {import("./sending.js").Parcel} Parcel */
/** @typedef {import("./thread.js").Place} Place */

/**
 * What is kept of a site. What is too old goes, wherever on the site it was written.
 * @param {Place} place
 * @returns {Parcel[]}
 */
function inside(place) {
  const found = kept.get(shelf("outbox", place));
  const all = Array.isArray(found) ? found : [];
  const fresh = all.filter((one) => Date.now() - own(one, "at") < DAYS * DAY);
  if (fresh.length < all.length) put(place, fresh);
  return fresh;
}

/**
 * @param {Place} place
 * @param {Parcel[]} parcels
 */
const put = (place, parcels) => kept.set(shelf("outbox", place), parcels.length ? parcels : null);

/**
 * All that is kept but one of them.
 * @param {Place} place
 * @param {Parcel} parcel
 */
const others = (place, parcel) => inside(place).filter((one) => one.key !== parcel.key);

/**
 * Put a comment aside; whether this device could.
 * @param {Form} form
 * @param {Parcel} parcel
 */
export function keep(form, parcel) {
  const { place } = form.thread;
  const could = put(place, [...others(place, parcel), parcel]);
  if (could) show(form);
  return could;
}

/**
 * Send what was put aside on this page. What is typed meanwhile stays as it is.
 * @param {Form} form
 */
export async function send(form) {
  if (form.outgoing) return;
  form.outgoing = true;
  show(form);
  try {
    for (const parcel of onThisPage(form)) if (mayGo(parcel) && !(await goesOut(form, parcel))) break;
  } finally {
    form.outgoing = false;
    show(form);
  }
}

/** @param {Parcel} parcel one that is old or was refused waits for its author */
const mayGo = (parcel) => !own(parcel, "refused") && Date.now() - parcel.at < KNOWN;

/** @param {Form} form */
const onThisPage = ({ thread: { place } }) => inside(place).filter((one) => one.payload.page === place.page);

/**
 * Whether the server has looked at it: then the next may follow.
 * @param {Form} form
 * @param {Parcel} parcel
 */
async function goesOut(form, parcel) {
  const { thread } = form;
  const { place } = thread;
  try {
    const answer = await deliver(thread, parcel);
    put(place, others(place, parcel));
    const me = kept.get(shelf("me", place));
    if (parcel.remember && same(own(me, "email"), parcel.payload.email) && !own(me, "token")) introduce(thread, parcel, answer.author_token);
    await sent(thread, parcel, answer);
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    if (error.status < 400 || error.status >= 500 || error.status === 429) return false;
    if (form.values.body.trim()) {
      const { errors, sentence } = told(thread, error, "trouble");
      put(place, [...others(place, parcel), { ...parcel, refused: [...errors.values()].join(" ") || sentence }]);
    } else {
      takeBack(form, parcel);
      refused(form, error);
    }
  }
  return true;
}

/**
 * Into the form again, below what stands there.
 * @param {Form} form
 * @param {Parcel} parcel
 */
function takeBack(form, parcel) {
  const { thread: { names, place } } = form;
  const { name, email, website, rating, body, parent_id } = parcel.payload;
  put(place, others(place, parcel));
  form.values = { name, email, website: website ?? "", rating: String(rating ?? ""), body: [form.values.body, body].filter((text) => text.trim()).join("\n\n") };
  form.node.elements.namedItem("remember").checked = parcel.remember;
  form.parcel = parcel; // unchanged it has the same key: an earlier try may have come through
  form.answer(parent_id, names.get(parent_id) ?? parcel.to);
  show(form);
}

/**
 * Let who wrote it see what is kept, and decide about it while it is not on its way.
 * @param {Form} form
 */
function show(form) {
  const { thread: { below, place }, words: { say } } = form;
  for (const old of below.querySelectorAll(".kept")) old.remove();
  const discard = (/** @type {Parcel} */ parcel) => [put(place, others(place, parcel)), show(form), focus(form.title)];
  below.prepend(...onThisPage(form).map((parcel) => h("div", { class: "notice kept" },
    h("p", { class: "hint" }, own(parcel, "refused") ?? say("unsent", { n: DAYS })),
    h("p", { dir: "auto" }, parcel.payload.body),
    !form.outgoing && h("p", { class: "buttons" }, button("quiet", "takeback", () => takeBack(form, parcel), say("edit")), button("quiet", "discard", () => discard(parcel), say("discard"))))));
}
