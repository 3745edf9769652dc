/** What this device wrote: shown to its author while it waits, to be changed or withdrawn. */

import { Failed, call } from "./api.js";
import { refresh } from "./deeds.js";
import { button, h, own } from "./dom.js";
import { attempt, focus, note } from "./failing.js";
import { forget, kept, posted, postedHere, shelf } from "./store.js";

const PENDING = "pending";
const AT_ONCE = 100;
const MOST = 30; // tokens that are asked about, the latest: half of what the server answers a network in a minute
const FRESH = 60_000;

/** @param {string} token */
const by = (token) => ({ Authorization: `Author ${token}` });

/** @param {any} comment the text that an edit begins with: a change that waits, else what stands */
const textOf = ({ body, revision }) => (own(revision, "state") === "held" ? revision.body : body);

export class Mine {
  /** @param {import("./thread.js").Thread} thread */
  constructor(thread) {
    this.thread = thread;
    this.words = thread.words;
    this.door = new URL("v1/mine", thread.place.base).href;
    /** @type {Map<string, {at: number, comments: Map<string, any>}>} what was told under a token, and when */
    this.known = new Map();
    /** @type {Map<string, HTMLElement>} the question that stands open at a comment, with what is typed into it */
    this.open = new Map();
    this.turn = 0;
  }

  /** Draw, and draw again, what is ours on this page. Of several that run at once the last one draws. */
  async show() {
    const { shadow, box } = this.thread;
    const turn = ++this.turn;
    const entries = postedHere(this.thread);
    const idsOf = (/** @type {string} */ token) => entries.filter((one) => one.token === token).map(({ id }) => id);
    const tokens = [...new Set(entries.map((one) => one.token))].slice(-MOST);
    const found = await Promise.all(tokens.map((token) => this.#ask(token, idsOf(token))));
    if (turn !== this.turn || this.thread.over) return;
    const active = /** @type {HTMLElement | null} */ (shadow.activeElement);
    for (const old of box.querySelectorAll(".mine, .deeds")) old.remove();
    for (const { id, token } of entries) {
      const comment = found[tokens.indexOf(token)]?.get(id);
      if (comment) this.#draw(comment, token);
    }
    if (active?.isConnected) focus(active);
  }

  /**
   * These comments of a token's author, as far as they can be had; what is gone is forgotten.
   * @param {string} token
   * @param {string[]} ids
   */
  async #ask(token, ids) {
    const { place } = this.thread;
    const before = this.known.get(token);
    if (before && Date.now() - before.at < FRESH && ids.every((id) => before.comments.has(id))) return before.comments;
    /** @type {Map<string, any>} */
    const comments = new Map();
    try {
      for (let cursor = ""; cursor != null && !ids.every((id) => comments.has(id));) {
        const found = await call(`${this.door}?limit=${AT_ONCE}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`, { headers: by(token) });
        for (const one of found.comments) comments.set(one.id, one);
        cursor = found.next;
      }
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
      if (error.status !== 401) return new Map([...(before?.comments ?? []), ...comments]);
      for (const one of posted(place)) if (one.token === token) forget(place, one.id);
      if (own(kept.get(shelf("me", place)), "token") === token) kept.set(shelf("me", place), null); // everything of theirs was erased
      return comments;
    }
    for (const id of ids.filter((one) => !comments.has(one) || comments.get(one).status === "deleted")) {
      comments.delete(id);
      forget(place, id);
    }
    this.known.set(token, { at: Date.now(), comments });
    return comments;
  }

  /**
   * What was told under a token is to be asked for again; it is shown where that fails.
   * @param {string} token
   */
  #age(token) {
    const told = this.known.get(token);
    if (told) told.at = 0;
  }

  /**
   * @param {any} comment
   * @param {string} token
   */
  #draw(comment, token) {
    const there = this.thread.at(comment.id);
    const here = there ?? this.#place(comment);
    const open = this.open.get(comment.id);
    const said = this.#state(comment, Boolean(there));
    here.append(h("div", { class: "deeds" }, ...(open ? [open] : [said && h("p", { class: "hint", role: "note" }, said), this.#deeds(comment, token, here)])));
  }

  /**
   * A place for a comment that only its author sees.
   * @param {any} comment
   */
  #place(comment) {
    const seed = comment.id.replaceAll("-", "").slice(-16);
    const shown = { ...comment, votes: 0, author: { name: comment.name, website: comment.website, avatar: own(comment, "avatar") ?? seed, is_moderator: false } };
    const above = this.thread.at(comment.parent_id ?? undefined)?.parentElement?.querySelector(":scope > .replies");
    const article = this.thread.article(shown, comment.parent_id);
    article.querySelector(".actions")?.remove();
    (above ?? this.thread.list).append(h("li", { class: "mine" }, article));
    return article;
  }

  /**
   * @param {any} comment
   * @param {boolean} isPublic it may be so since it was last asked about
   */
  #state({ status, revision }, isPublic) {
    const { say } = this.words;
    if (status === PENDING) return isPublic ? "" : say("waiting");
    if (status === "rejected") return say("refused");
    if (revision) return say(revision.state === "held" ? "heldedit" : "refusededit");
    return "";
  }

  /**
   * @param {any} comment
   * @param {string} token
   * @param {HTMLElement} here
   */
  #deeds(comment, token, here) {
    const { say } = this.words;
    const deed = (/** @type {string} */ what, /** @type {() => void} */ act) => button("plain", what, act, say(/** @type {any} */ (what)));
    const manage = new URL("mine", this.thread.place.base).href;
    // The token comes into the link when somebody reaches for it, and past what a page may have put around setAttribute.
    const lead = () => {
      link.href = `${manage}#${token}`;
    };
    const link = h("a", { href: manage, rel: "noreferrer", target: "_blank", onfocus: lead, onpointerdown: lead, onclick: lead }, say("manage"));
    return h("p", { class: "actions" },
      comment.status !== "rejected" && deed("edit", () => this.#edit(comment, token, here)),
      deed("withdraw", () => this.#withdraw(comment, token, here)), link);
  }

  /**
   * @param {any} comment
   * @param {string} token
   * @param {HTMLElement} here
   */
  #edit(comment, token, here) {
    const { say } = this.words;
    const { id } = comment;
    let seen = comment.version;
    const text = h("textarea", { rows: 6, "aria-label": say("body"), class: "input" });
    const other = h("p", { class: "hint", dir: "auto", hidden: true });
    text.value = textOf(comment);
    /** Changed elsewhere meanwhile: show how, and take the next attempt for an answer to that. */
    const look = async () => {
      this.#age(token);
      const now = (await this.#ask(token, [id])).get(id);
      if (!now || now.version === seen) return;
      seen = now.version;
      other.textContent = textOf(now);
      other.hidden = false;
    };
    const send = () => call(this.door, { method: "PATCH", body: { id, body: text.value }, headers: { ...by(token), "If-Match": `"${seen}"` } });
    const save = async (/** @type {Event} */ event) => {
      event.preventDefault();
      const done = await attempt(this.thread, text, () => send().catch(async (error) => {
        if (own(error, "status") === 412) await look();
        throw error;
      }), "trouble");
      if (!done) return;
      this.#age(token);
      await this.#close(id);
    };
    this.#question(id, here, h("form", { class: "edit", onsubmit: save }, text, other, h("p", { class: "buttons" }, h("button", { class: "button submit" }, say("save")), this.#cancel(id))));
    text.focus();
  }

  /**
   * @param {any} comment
   * @param {string} token
   * @param {HTMLElement} here
   */
  #withdraw({ id }, token, here) {
    const { thread, words: { say } } = this;
    const question = h("p", {}, say("sure"));
    const go = async () => {
      const url = new URL(this.door);
      url.searchParams.set("comment", id);
      const done = await attempt(thread, question, () => call(url.href, { method: "DELETE", headers: by(token) }), "noanswer");
      if (!done) return;
      const all = [...thread.list.querySelectorAll("article")];
      const at = all.findIndex((one) => one.dataset.id === id);
      const beside = (all[at + 1] ?? all[at - 1])?.dataset.id;
      forget(thread.place, id);
      this.open.delete(id);
      this.#age(token);
      await refresh(thread);
      note(thread, say("withdrawn"));
      focus(thread.at(id) ?? thread.at(beside) ?? thread.notice);
    };
    const sure = button("", "sure", go, say("withdraw"));
    this.#question(id, here, h("div", { class: "edit" }, question, h("p", { class: "buttons" }, sure, this.#cancel(id))));
    sure.focus();
  }

  /** @param {string} id */
  #cancel(id) {
    return button("quiet", "cancel", () => this.#close(id), this.words.say("cancel"));
  }

  /**
   * Put a question in the place of what can be done. It stays there until it is answered, whatever is drawn anew around it.
   * @param {string} id
   * @param {HTMLElement} here
   * @param {HTMLElement} question
   */
  #question(id, here, question) {
    this.open.set(id, question);
    here.querySelector(".deeds")?.replaceChildren(question);
  }

  /** @param {string} id */
  async #close(id) {
    this.open.delete(id);
    await this.show();
    focus(this.thread.at(id));
  }
}
