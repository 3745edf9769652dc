/** What is typed goes out once and only once, is looked at before, or comes back with what is wrong. */

import { Failed, call, door } from "./api.js";
import { goTo, refresh } from "./deeds.js";
import { button, h, own, parsed } from "./dom.js";
import { note, told } from "./failing.js";
import { FIELDS, NEEDED } from "./form.js";
import { isKnown, keep } from "./outbox.js";
import { brief, kept, posted, random, remember, shelf, spot } from "./store.js";
import { meant } from "./typo.js";

const RETRIES = [1000, 3000];
const SEEN = 1000; // milliseconds after which a hint was seen

/** @typedef {import("./form.js").Form} Form */
/**
 * @typedef {{payload: any, page: string, key: string, by: string, token: string | null, to: string, remember: boolean, at: number, refused?: string}} Parcel
 * what is sent, the key by which the server knows it again, when it first was, and whose it is: the author may be another one when it goes out
 * (`by`: the name of nobody, for who has no token)
 */

// -- Before it is sent

/** @param {Form} form */
export async function suggest(form) {
  const { say } = form.words;
  const field = form.node.elements.namedItem("email");
  const better = meant(field.value);
  const use = () => {
    field.value = better;
    form.hint.replaceChildren();
    form.save();
    field.focus();
  };
  if (better) setTimeout(() => (form.warned = better), SEEN);
  form.hint.replaceChildren(...(better ? [say("meant", { email: better }), " ", button("plain", "use", use, say("use"))] : []));
}

/**
 * Do not post before a hint was seen, once: Enter in the field that it is about brings both.
 * @param {Form} form
 * @param {string} better
 */
function warn(form, better) {
  form.warned = better;
  suggest(form);
  complain(form, new Map(), form.words.say("meant", { email: better }));
  form.node.elements.namedItem("email").focus();
}

/** @param {Form} form */
export async function preview(form) {
  const { say } = form.words;
  const { body } = form.values;
  if (!body.trim()) return complain(form, new Map([["body", say("missing")]]));
  try {
    const { html } = await call(door(form.thread.place, "preview"), { body: { body } });
    const box = h("div", { class: "body", dir: "auto" });
    box.append(parsed(html));
    form.shown.replaceChildren(h("p", { class: "hint" }, say("preview")), box);
    form.shown.hidden = false;
    return complain(form, new Map());
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    return refused(form, error);
  }
}

// -- Sending

/** @param {Form} form */
export async function submit(form) {
  if (form.sending) return;
  const { thread, values, words: { say } } = form;
  const missing = NEEDED.filter((name) => !values[name].trim());
  complain(form, new Map(missing.map((name) => [name, say("missing")])), missing.length ? say("marked") : "");
  if (missing.length) return;
  const better = meant(values.email);
  if (better && better !== form.warned) return warn(form, better);
  form.sending = true;
  form.button.setAttribute("aria-disabled", "true");
  const parcel = pack(form);
  try {
    const answer = await deliver(thread, parcel);
    const goesOn = clear(form, parcel);
    introduce(thread, parcel, answer.author_token ?? parcel.token);
    await sent(thread, parcel, answer);
    if (!goesOn) await goTo(thread, answer.id);
    await form.renew();
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    // No answer may also mean that this page or something on it forbids the request: that no later time would change.
    if (error.status || navigator.onLine || !keep(form, parcel)) return refused(form, error);
    clear(form, parcel);
    introduce(thread, parcel, parcel.token);
    note(thread, say("offline"));
  } finally {
    form.sending = false;
    form.button.removeAttribute("aria-disabled");
  }
}

/**
 * @param {Form} form
 * @returns {Parcel} the same key for the same words, however often they are sent
 */
function pack(form) {
  const { host, place } = form.thread;
  const { rating, website, ...typed } = form.values;
  const payload = {
    page: place.page, page_title: (host.getAttribute("page-title") ?? document.title).slice(0, 300), ...typed,
    website: website || null,
    rating: rating && !form.parent ? Number(rating) : null,
    parent_id: form.parent,
    honeypot: form.node.elements.namedItem("topic").value,
    form_token: form.terms.token,
  };
  const url = host.getAttribute("page-url");
  if (url) payload.page_url = url;
  // Neither the title nor the address, which a page may change at any time, nor the time token is anything that somebody wrote.
  const words = (/** @type {any} */ one) => JSON.stringify({ ...one, page: null, page_title: null, form_token: null });
  const known = form.parcel && words(form.parcel.payload) === words(payload) ? form.parcel : null;
  const me = kept.get(shelf("me", place));
  const token = same(own(me, "email"), typed.email) ? own(me, "token") ?? null : null; // several people may write on one device
  form.parcel = {
    ...(known ?? { payload, page: spot(form.thread), key: random(), by: random(), token, to: form.to }),
    at: known && isKnown(known) ? known.at : Date.now(), // posted again after so long, it is as new
    remember: form.node.elements.namedItem("remember").checked,
  };
  form.save();
  return form.parcel;
}

/**
 * Whether two addresses are one.
 * @param {string | undefined} one
 * @param {string} other
 */
export const same = (one, other) => one?.trim().toLowerCase() === other.trim().toLowerCase();

/**
 * Send, and again where no answer came: the key makes one comment of all attempts. Keys are known by token, else by network, and
 * the next attempt may come by another one: who has no token sends one that nobody has, and is told a real one.
 * @param {import("./thread.js").Thread} thread
 * @param {Parcel} parcel
 */
export async function deliver({ place }, { payload, key, token, by }) {
  const headers = { "Idempotency-Key": key, Authorization: `Author ${token ?? by}` };
  const send = () => call(door(place, "comments"), { body: payload, headers });
  for (const wait of RETRIES) {
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof Failed) || error.status || !navigator.onLine) throw error;
      await new Promise((go) => setTimeout(go, wait));
    }
  }
  return send();
}

/**
 * The server has it: note whose it is, and show it. An answer that was lost on the way took the private token with it.
 * @param {import("./thread.js").Thread} thread
 * @param {Parcel} parcel
 * @param {any} answer
 */
export async function sent(thread, parcel, answer) {
  const { place, words: { say } } = thread;
  const token = answer.author_token ?? parcel.token;
  if (token) remember(place, { id: answer.id, token, page: spot(thread) });
  const isLost = !token && !posted(place).some((one) => one.id === answer.id);
  thread.tell("posted", { id: answer.id, status: answer.status });
  note(thread, [say(answer.status === "approved" ? "published" : "held"), isLost && say("lost")].filter(Boolean).join(" "));
  await refresh(thread).catch((error) => console.error("Greenroom:", error)); // it is posted, whatever may not be drawn
}

/**
 * Keep who writes here, or forget them: as they wish.
 * @param {import("./thread.js").Thread} thread
 * @param {Parcel} parcel
 * @param {string | null} token
 */
export function introduce({ place }, { payload: { name, email, website }, remember }, token) {
  kept.set(shelf("me", place), remember ? { name, email, website: website ?? "", token } : null);
}

/**
 * Make room for the next one. Whoever has typed on meanwhile keeps that.
 * @param {Form} form
 * @param {Parcel} parcel
 */
function clear(form, { payload }) {
  const { body } = form.values;
  const more = body.startsWith(payload.body) ? body.slice(payload.body.length).trimStart() : body;
  form.parcel = null;
  form.values = { body: more, rating: "" };
  form.shown.hidden = true;
  if (!more) form.answer(null, "", false);
  if (more) form.save();
  else brief.set(form.shelf, null);
  return Boolean(more);
}

// -- Mistakes

/**
 * Say what the server finds wrong.
 * @param {Form} form
 * @param {Failed} failed
 * @param {boolean} [focus]
 */
export function refused(form, failed, focus) {
  const { errors, sentence } = told(form.thread, failed, "trouble");
  complain(form, errors, errors.size ? form.words.say("marked") : sentence, focus);
}

/**
 * Say what is wrong beside each field, and go to the first.
 * @param {Form} form
 * @param {Map<string, string>} errors
 * @param {string} [sentence] above all fields
 * @param {boolean} [focus] not where nobody asked for it
 */
function complain(form, errors, sentence, focus = true) {
  for (const name of FIELDS) {
    const place = form.node.querySelector(`#${name}-error`);
    if (!place) continue;
    place.hidden = !errors.has(name);
    place.textContent = errors.get(name) ?? "";
    form.node.querySelector(`#${name}`)?.setAttribute("aria-invalid", String(errors.has(name)));
  }
  const unseen = [...errors].filter(([name]) => !FIELDS.includes(name)).map(([, text]) => text);
  const said = [sentence, ...unseen].filter(Boolean).join(" ");
  form.alert.hidden = !said;
  form.alert.textContent = said;
  const first = FIELDS.find((name) => errors.has(name));
  if (first && focus) form.node.querySelector(`[name=${first}]`)?.focus();
}
