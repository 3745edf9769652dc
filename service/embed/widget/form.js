/** The form: what it asks, and what is typed into it. What sends it comes with the first letter (sending.js). */

import { call, door } from "./api.js";
import { button, h, own } from "./dom.js";
import { brief, draftOf, kept, shelf } from "./store.js";

export const FIELDS = ["rating", "body", "name", "email", "website"];
export const NEEDED = ["body", "name", "email"];
const MOST_STEPS = 10;
const STALE = 3_600_000;
const NO_TERMS = { token: null, scale: null, privacy: null };

export class Form {
  /** @param {import("./thread.js").Thread} thread */
  static async open(thread) {
    const form = new Form(thread, await ask(thread.place));
    thread.below.replaceChildren(form.node);
    form.#recall();
    form.sendKept();
    return form;
  }

  /**
   * @param {import("./thread.js").Thread} thread
   * @param {any} terms what the site asks for
   */
  constructor(thread, terms) {
    this.thread = thread;
    this.words = thread.words;
    this.terms = terms;
    /** When the site was asked last, and answered. */
    this.drawn = since(terms);
    /** @type {string | null} the comment that is answered */
    this.parent = null;
    /** Who wrote that comment: it may not be shown here. */
    this.to = "";
    /** @type {import("./sending.js").Parcel | null} what was sent last, and not answered yet */
    this.parcel = null;
    /** @type {any} the field that has the focus while the form moves */
    this.active = null;
    this.sending = this.outgoing = false;
    /** Until when the server wants to hear nothing of what was put aside. */
    this.rests = 0;
    /** What of it stands above the form, and which of its buttons had the focus. */
    this.standing = "";
    /** @type {string | null} */
    this.reached = null;
    /** @type {string | null} the better address that the writer was shown */
    this.warned = null;
    this.shelf = draftOf(thread);
    this.node = this.#draw();
  }

  // -- Drawing

  #draw() {
    const { say } = this.words;
    this.title = h("h2", { id: "form-title", class: "title" }, say("leave"));
    this.back = h("p", { hidden: true }, button("plain", "alone", () => this.answer(null), say("alone")));
    this.alert = h("div", { class: "alert error", role: "alert", hidden: true });
    this.shown = h("div", { class: "preview", role: "status", hidden: true });
    this.button = h("button", { type: "submit", class: "button submit" }, say("post"));
    this.hint = h("span", { class: "hint", id: "email-hint" });
    const note = h("p", { class: "hint" }, say("required"));
    return h("form", { class: "form", "aria-labelledby": "form-title", novalidate: true, onsubmit: (/** @type {Event} */ event) => [event.preventDefault(), this.#do("submit")], oninput: () => this.#typed(), onfocusin: () => this.drawn + STALE < Date.now() && this.renew() },
      this.title, this.back, note, this.alert, this.#rating(),
      this.#field("body", h("textarea", { class: "input", rows: 6 }), h("span", { class: "hint", id: "body-hint" }, say("markdown"))),
      h("div", { class: "person" },
        this.#field("name", h("input", { class: "input", autocomplete: "name" })),
        this.#field("email", h("input", { class: "input", type: "email", autocomplete: "email", autocapitalize: "none", spellcheck: "false", onchange: () => import("./sending.js").then(({ suggest }) => suggest(this), () => {}) }), this.hint),
        this.#field("website", h("input", { class: "input", type: "url", autocomplete: "url", autocapitalize: "none", spellcheck: "false" }))),
      h("p", { class: "trap", "aria-hidden": "true" }, h("label", { for: "topic" }, "Topic"), h("input", { id: "topic", name: "topic", tabindex: -1, autocomplete: "off" })),
      h("p", {}, h("label", { class: "check" }, h("input", { type: "checkbox", name: "remember" }), " ", say("remember"))),
      this.#privacy(),
      h("p", { class: "buttons" }, this.button, button("quiet", "preview", () => this.#do("preview"), say("preview"))),
      this.shown);
  }

  /**
   * @param {string} name
   * @param {HTMLElement} input
   * @param {...Node} after
   */
  #field(name, input, ...after) {
    const needed = NEEDED.includes(name);
    input.id = name;
    input.setAttribute("name", name);
    input.setAttribute("aria-describedby", `${name}-error ${name}-hint`);
    if (needed) input.setAttribute("required", "");
    return h("p", { class: "field" },
      h("label", { for: name }, this.words.say(/** @type {any} */ (name)), needed && h("span", { class: "needed", "aria-hidden": "true" }, " *")),
      input, h("span", { class: "error", id: `${name}-error`, hidden: true }), ...after);
  }

  #rating() {
    const { scale } = this.terms;
    if (!scale) return "";
    const { say, number } = this.words;
    const steps = Math.round(scale.maximum / scale.step);
    const best = h("span", { class: "hint", id: "rating-hint" }, say("best", { n: scale.maximum }));
    if (steps > MOST_STEPS) {
      return (this.rated = this.#field("rating", h("input", { class: "input", type: "number", min: scale.step, max: scale.maximum, step: scale.step, inputmode: "decimal" }), best));
    }
    const choice = (/** @type {string} */ value, /** @type {string} */ text) => h("label", {}, h("input", { type: "radio", name: "rating", value, checked: !value }), h("span", {}, text));
    const values = Array.from({ length: steps }, (_, n) => (n + 1) * scale.step);
    return (this.rated = h("fieldset", { class: "field", id: "rating", role: "radiogroup", "aria-describedby": "rating-error rating-hint" }, h("legend", {}, say("rating")),
      h("div", { class: "steps" }, choice("", say("none")), ...values.map((value) => choice(String(value), number(value)))),
      h("span", { class: "error", id: "rating-error", hidden: true }), best));
  }

  #privacy() {
    const { privacy } = this.terms;
    if (!privacy) return "";
    return h("p", { class: "hint privacy" }, privacy.own ? privacy.text : this.words.say("privacy", { n: privacy.days }),
      privacy.url && " ", privacy.url && h("a", { href: privacy.url }, this.words.say("policy")));
  }

  // -- What was typed

  /** @returns {any} */
  get values() {
    const data = new FormData(this.node);
    return Object.fromEntries(FIELDS.map((name) => [name, String(data.get(name) ?? "")]));
  }

  /** @param {any} values */
  set values(values) {
    for (const name of FIELDS) {
      const field = this.node.elements.namedItem(name);
      const value = own(values, name);
      if (field && value !== undefined) field.value = value;
    }
  }

  /** Keep what is typed over a reload of the tab, and no longer; what was sent without an answer too, so that it keeps its key. */
  save() {
    brief.set(this.shelf, { ...this.values, parent: this.parent, to: this.to, parcel: this.parcel });
  }

  #recall() {
    const me = kept.get(shelf("me", this.thread.place));
    this.values = me;
    this.node.elements.namedItem("remember").checked = Boolean(me);
    const draft = brief.get(this.shelf);
    this.values = draft;
    this.parcel = own(draft, "parcel") ?? null;
    const parent = own(draft, "parent");
    if (parent) this.answer(parent, this.thread.names.get(parent) ?? own(draft, "to"), false);
  }

  /** Keep it, and have at hand what sends it, also where the connection breaks meanwhile. */
  #typed() {
    this.save();
    import("./sending.js").catch(() => {});
  }

  /** Ask anew what the site asks for: an old time token is none. What was not known before is drawn now. */
  async renew() {
    this.drawn = Date.now();
    this.terms = await ask(this.thread.place);
    this.drawn = since(this.terms);
    if (!this.rated) this.alert.after(this.#rating());
    if (this.rated) this.rated.hidden = Boolean(this.parent);
    if (!this.node.querySelector(".privacy")) this.button.parentElement.before(this.#privacy());
  }

  /** @param {"submit" | "preview"} what */
  async #do(what) {
    const sending = await import("./sending.js").catch(() => null);
    if (sending) return sending[what](this);
    this.alert.textContent = this.words.say("trouble");
    this.alert.hidden = false;
  }

  /** Send what an earlier time had to keep. */
  async sendKept() {
    if (kept.get(shelf("outbox", this.thread.place))) await import("./outbox.js").then(({ send }) => send(this)).catch((error) => this.thread.lost(error));
  }

  // -- Replies

  /**
   * Answer a comment where it stands; null: write one of its own.
   * @param {string | null} id
   * @param {string} [name]
   * @param {boolean} [focus]
   */
  answer(id, name = "", focus = true) {
    const { say } = this.words;
    this.parent = id;
    this.to = name;
    this.title.textContent = id ? say("replyto", { name }) : say("leave");
    this.button.textContent = say(id ? "postreply" : "post");
    this.back.hidden = !id;
    if (this.rated) this.rated.hidden = Boolean(id);
    this.settle();
    this.save();
    if (focus) this.focus();
  }

  /** Stand where the list is not: it is about to be drawn anew. */
  rescue() {
    if (!this.parent) return;
    const { activeElement } = this.thread.shadow;
    this.active = this.node.contains(activeElement) && activeElement;
    this.thread.below.append(this.node);
  }

  /** Stand below what is answered, or at the end. */
  settle() {
    const answered = this.parent && this.thread.at(this.parent);
    if (answered) answered.after(this.node);
    else if (this.node.parentElement !== this.thread.below) this.thread.below.append(this.node);
    if (this.active) this.active.focus({ preventScroll: true });
    this.active = null;
  }

  focus() {
    this.node.elements.namedItem("body").focus();
  }
}

/** @param {any} terms none are asked for again soon */
const since = (terms) => (terms === NO_TERMS ? 0 : Date.now());

/**
 * What the site asks of who writes here.
 * @param {import("./thread.js").Place} place
 */
const ask = (place) => call(door(place, "form", { page: place.page })).catch(() => NO_TERMS);
