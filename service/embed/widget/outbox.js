/** Comments that found no connection: kept on this device and shown to who wrote them, until they go out or are thrown away. */

import { Failed } from "./api.js";
import { button, h, own } from "./dom.js";
import { focus, told } from "./failing.js";
import { FIELDS } from "./form.js";
import { deliver, introduce, refused, same, sent } from "./sending.js";
import { isHere, kept, shelf } from "./store.js";

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
  if (!due(form).length) return show(form);
  form.outgoing = true;
  show(form);
  try {
    await alone(shelf("outbox", form.thread.place), async () => {
      for (const parcel of due(form)) if (!(await goesOut(form, parcel))) break;
    });
  } finally {
    form.outgoing = false;
    show(form);
  }
}

/**
 * What one window of the browser does, no other does at the same time.
 * @param {string} name
 * @param {() => Promise<void>} act
 */
const alone = (name, act) =>
  navigator.locks ? navigator.locks.request(`greenroom:${name}`, /** @type {any} */ ({ __proto__: null, ifAvailable: true }), (lock) => lock && act()) : act();

/**
 * Whether the server surely knows it again.
 * @param {Parcel} parcel
 */
export const isKnown = (parcel) => Date.now() - parcel.at < KNOWN;

/**
 * What may go out now. One that is old or was refused waits for its author.
 * @param {Form} form
 */
const due = (form) => (navigator.onLine && form.rests < Date.now() ? onThisPage(form).filter((one) => !own(one, "refused") && isKnown(one)) : []);

/** @param {Form} form */
const onThisPage = ({ thread }) => inside(thread.place).filter((one) => isHere(thread, one.page));

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
    if (error.status < 400 || error.status >= 500 || error.status === 429) {
      form.rests = Date.now() + 1000 * (Number(error.wait) || 0);
      return false;
    }
    if (isUntouched(form)) {
      takeBack(form, parcel, false);
      refused(form, error, false);
    } else {
      const { errors, sentence } = told(thread, error, "trouble");
      put(place, [...others(place, parcel), { ...parcel, refused: [...errors.values()].join(" ") || sentence }]);
    }
  }
  return true;
}

/**
 * Whether nobody has begun to write: what comes into the form takes nothing away.
 * @param {Form} form
 */
function isUntouched({ values, node, parent, thread: { place, shadow } }) {
  const me = kept.get(shelf("me", place));
  return !parent && !node.contains(shadow.activeElement) && FIELDS.every((name) => values[name] === (own(me, name) ?? ""));
}

/**
 * Into the form again, below what stands there.
 * @param {Form} form
 * @param {Parcel} parcel
 * @param {boolean} [focus]
 */
function takeBack(form, parcel, focus = true) {
  const { thread: { names, place } } = form;
  const { name, email, website, rating, body, parent_id } = parcel.payload;
  put(place, others(place, parcel));
  form.values = { name, email, website: website ?? "", rating: String(rating ?? ""), body: [form.values.body, body].filter((text) => text.trim()).join("\n\n") };
  form.node.elements.namedItem("remember").checked = parcel.remember;
  form.parcel = { ...parcel, refused: undefined }; // unchanged it has the same key: an earlier try may have come through
  form.answer(parent_id, names.get(parent_id) ?? parcel.to, focus);
  show(form);
}

/**
 * Let who wrote it see what is kept, and decide about it while it is not on its way.
 * @param {Form} form
 */
function show(form) {
  const { thread: { below, place, shadow }, words: { say } } = form;
  const stands = [form.outgoing, ...onThisPage(form).map((one) => one.key + own(one, "refused"))].join();
  if (form.standing === stands) return; // a button there may have the focus
  form.standing = stands;
  form.reached ??= at(shadow.activeElement);
  for (const old of below.querySelectorAll(".kept")) old.remove();
  const discard = (/** @type {Parcel} */ parcel) => [put(place, others(place, parcel)), show(form), focus(form.title)];
  below.prepend(...onThisPage(form).map((parcel) => h("div", { class: "notice kept", "data-key": parcel.key },
    h("p", { class: "hint" }, own(parcel, "refused") ?? say("unsent", { n: DAYS })),
    h("p", { dir: "auto" }, parcel.payload.body),
    !form.outgoing && h("p", { class: "buttons" }, button("quiet", "takeback", () => takeBack(form, parcel), say("edit")), button("quiet", "discard", () => discard(parcel), say("discard"))))));
  if (form.outgoing || !form.reached) return;
  if (document.activeElement === document.body) focus([...below.querySelectorAll(".kept button")].find((one) => at(one) === form.reached) ?? form.title);
  form.reached = null;
}

/**
 * Which of the buttons it is, if it is one, also when it is drawn anew.
 * @param {any} button
 */
const at = (button) => button?.closest(".kept") && button.closest(".kept").dataset.key + button.dataset.do;
