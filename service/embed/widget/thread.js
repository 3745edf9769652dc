/**
 * The comments of a page as they are first seen. What keeps them alive is in living.js, what somebody does with them in deeds.js.
 * One file, though it is a long one: each file more is a request more before anything can be read.
 */

import { Failed, call, door } from "./api.js";
import { avatar, stars, summary } from "./avatar.js";
import { button, h, own, parsed, prepare, svg } from "./dom.js";
import { adapt } from "./looks.js";
import { breathe, speak } from "./words.js";

const SLICE = 8; // milliseconds of drawing before the page may breathe
const ARROW = "M8 3l5 6H10v4H6V9H3z";
const STYLE = ""; // the server puts thread.css here
/** Constructed, it needs nothing of a page's policy for styles. */
const sheet = new CSSStyleSheet();
sheet.replaceSync(STYLE);

/** @typedef {{base: string, site: string, page: string, lang: string, sort: string}} Place */

export class Thread {
  /**
   * Read what is to be shown.
   * @param {HTMLElement} host
   * @param {ShadowRoot} shadow
   * @param {Place} place
   * @param {Promise<Response | null>} early the thread, asked for before this file was there
   */
  static async open(host, shadow, place, early) {
    const { page, sort } = place;
    const url = door(place, "thread", { page, sort });
    const [words, found] = await Promise.all([speak(host, place.lang), call(url, { early }).catch((error) => error), prepare()]);
    return new Thread({ host, shadow, place, words }, found);
  }

  /**
   * @param {{host: HTMLElement, shadow: ShadowRoot, place: Place, words: import("./words.js").Words}} given
   * @param {any} found the document, or what went wrong
   */
  constructor(given, found) {
    this.host = given.host;
    this.shadow = given.shadow;
    this.place = given.place;
    this.words = given.words;
    this.sort = given.place.sort;
    this.found = found;
    this.pages = 1;
    /** @type {Map<string, number>} under which comments more replies were asked for, and how often */
    this.opened = new Map();
    /** How many new comments the reader was told of. */
    this.unseen = 0;
    /** When all that was read is drawn, and drawn anew. */
    this.drawn = this.renewed = Promise.resolve();
    /** @type {Map<string, any>} */
    this.names = new Map();
    /** @type {any} */
    this.form = null;
    /** @type {Promise<any> | null} the form, on its way */
    this.coming = null;
    /** @type {any} */
    this.mine = null;
    this.list = h("ol", { class: "thread list" });
    this.head = h("div", { class: "head" });
    this.news = h("div", { class: "news", role: "status" });
    this.notice = h("div", { class: "notices", role: "status" });
    this.below = h("div", { class: "below" });
    this.box = h("div", { class: "root", lang: this.words.lang, dir: this.words.dir });
    this.leave = new AbortController();
    /** Whether another thread, or none, stands in its place: what comes for it now comes too late. */
    this.over = false;
    const worn = this.shadow.adoptedStyleSheets;
    if (!worn.includes(sheet)) worn.push(sheet);
  }

  /** Put everything into the page, or say why that cannot be. */
  async show() {
    if (this.over) return;
    try {
      if (this.found instanceof Error) throw this.found;
      await (this.drawn = this.draw());
      this.#ready();
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
      await (await import("./failing.js")).fail(this, error);
    }
  }

  /** Each of the three steps keeps a browser busy for a while: finding the colours, the head, the list. */
  async draw() {
    this.box.replaceChildren();
    this.shadow.replaceChildren(this.box);
    adapt(this.box, this.host);
    await breathe();
    this.box.replaceChildren(this.head, this.news, this.list, this.notice, this.below);
    this.drawHead();
    await breathe();
    await this.fill(this.found.comments);
  }

  /** What comes after the comments; where it does not, they can be read all the same. */
  async #ready() {
    if (this.over) return;
    this.host.setAttribute("state", "ready");
    this.tell("ready", { count: this.found.page.comment_count });
    await import("./living.js").then(({ live }) => live(this)).catch((error) => this.lost(error));
  }

  /**
   * Something that goes with the comments has not come: lead to where all of it is.
   * @param {unknown} error
   */
  lost(error) {
    return import("./lost.js").then(({ lost }) => lost(this, error)).catch(() => this.notice.replaceChildren(h("slot")));
  }

  /**
   * An event for the page: `greenroom:<name>`.
   * @param {string} name
   * @param {any} detail
   */
  tell(name, detail) {
    this.host.dispatchEvent(new CustomEvent(`greenroom:${name}`, { bubbles: true, composed: true, detail }));
  }

  // -- Head: how many, in which order, and how they rated

  drawHead() {
    const { say } = this.words;
    const { page } = this.found;
    const n = page.comment_count;
    const choice = h("select", { "data-do": "sort", class: "sort", "aria-label": say("order"), onchange: () => this.act("sortBy", choice.value) },
      ...["oldest", "newest", "top"].map((one) => h("option", { value: one, selected: one === this.sort }, say(/** @type {any} */ (one)))));
    this.head.replaceChildren(...(page.rating ? [summary(page.rating, this.words)] : []),
      h("div", { class: "bar" }, h("h2", { class: "title" }, n ? say("comments", { n }) : say("title")), n > 1 && choice));
    this.empty?.remove();
    this.empty = this.found.comments.length || page.state !== "open" ? null : h("p", { class: "empty" }, say("empty"));
    if (this.empty) this.list.before(this.empty);
  }

  // -- The list

  /**
   * @param {string | null} [cursor]
   * @param {string} [sort]
   */
  url(cursor, sort = this.sort) {
    return door(this.place, "thread", { page: this.place.page, sort, cursor });
  }

  /**
   * Draw comments into the list (or another), a slice of time at once, and a button where they go on. Each with its replies
   * before the next, so that nothing is put in above what the browser has laid out.
   * @param {any[]} comments
   * @param {HTMLElement} [list]
   * @param {string | null} [home] under which comment they stand
   */
  async fill(comments, list = this.list, home = null) {
    this.#learn(comments);
    /** @type {{comment: any, into: HTMLElement, home: string | null}[]} */
    const left = comments.map((comment) => ({ comment, into: list, home })).reverse();
    let began = performance.now();
    for (let next; (next = left.pop()); ) {
      const { comment, into, home } = next;
      const { item, below } = this.#item(comment, home);
      into.append(item);
      left.push(...comment.replies.map((/** @type {any} */ reply) => ({ comment: reply, into: below, home: comment.id })).reverse());
      if (performance.now() - began < SLICE) continue;
      await breathe();
      began = performance.now();
    }
    if (list === this.list) this.#offerMore(this.found.next);
  }

  /** @param {any[]} comments */
  #learn(comments) {
    for (const one of comments) {
      if (!own(one, "removed")) this.names.set(one.id, one.author.name);
      this.#learn(one.replies);
    }
  }

  /** @param {string | null} cursor */
  #offerMore(cursor) {
    this.moreButton?.remove();
    this.moreButton = cursor && h("p", { class: "more" }, button("quiet", "more", () => this.act("more"), this.words.say("more")));
    if (this.moreButton) this.list.after(this.moreButton);
  }

  /**
   * What somebody does is loaded when they first do something.
   * @param {"more" | "replies" | "sortBy" | "refresh" | "showNews" | "goTo" | "reply" | "vote" | "report" | "focusForm"} what
   * @param {...any} given
   */
  act(what, ...given) {
    return import("./deeds.js").then((deeds) => /** @type {Record<string, Function>} */ (deeds)[what](this, ...given)).catch((error) => this.lost(error));
  }

  /**
   * @param {any} comment
   * @param {HTMLElement} list
   */
  offerReplies(comment, list) {
    if (!own(comment, "replies_next")) return;
    list.after(h("p", { class: "more" }, button("plain", "replies", () => this.act("replies", comment, list), this.words.say("replies"))));
  }

  /**
   * One comment in its place, and the list for its replies.
   * @param {any} comment
   * @param {string | null} home under which comment it stands
   */
  #item(comment, home) {
    const below = h("ol", { class: "replies" });
    const item = h("li", {}, own(comment, "removed") ? this.#gone(comment) : this.article(comment, home), below);
    this.offerReplies(comment, below);
    return { item, below };
  }

  /** @param {any} comment */
  #gone(comment) {
    return h("article", { class: "comment removed", id: `comment-${comment.id}`, "data-id": comment.id }, h("p", {}, this.words.say("removed")));
  }

  /**
   * @param {any} comment
   * @param {string | null} home
   * @returns {HTMLElement}
   */
  article(comment, home) {
    const { say, number } = this.words;
    const best = this.found.page.rating?.best;
    const body = h("div", { class: "body", dir: "auto" });
    body.append(parsed(comment.html));
    return h("article", { class: "comment", id: `comment-${comment.id}`, "data-id": comment.id, tabindex: -1 },
      this.#byline(comment, home),
      comment.rating != null && best && h("p", { class: "score" }, stars(comment.rating, best), " ", say("rated", { value: number(comment.rating), best: number(best) })),
      body,
      this.#actions(comment));
  }

  /**
   * @param {any} comment
   * @param {string | null} home
   */
  #byline({ id, parent_id, author, created_at, edited_at, pinned }, home) {
    const { say, ago } = this.words;
    const site = /^https?:/i.test(author.website ?? "") && author.website;
    const answered = parent_id !== home && this.names.get(parent_id);
    return h("header", { class: "byline" }, avatar(author.avatar), h("p", {},
      h("b", { class: "name" }, site ? h("a", { href: site, rel: "nofollow ugc noopener noreferrer" }, author.name) : h("bdi", {}, author.name)),
      pinned && h("span", { class: "mark" }, say("pinned")),
      author.is_moderator && h("span", { class: "mark" }, say("moderator")),
      answered && h("span", { class: "to" }, h("a", { href: this.#link(parent_id) }, say("answers", { name: answered }))),
      h("span", { class: "when" },
        h("a", { href: this.#link(id), "data-do": "link" }, h("time", { class: "time", datetime: created_at }, ago(created_at))),
        edited_at && h("time", { class: "time", datetime: edited_at, "data-edited": "" }, " ", say("edited")))));
  }

  /**
   * A link to a comment on this page: `#…` alone would lead below the page's <base>, if it has one.
   * @param {string} id
   */
  #link(id) {
    const [page] = location.href.split("#");
    return `${this.box.baseURI.split("#")[0] === page ? "" : page}#comment-${id}`;
  }

  /** @param {any} comment */
  #actions(comment) {
    const { say, number } = this.words;
    const name = comment.author.name;
    const deed = (/** @type {"reply" | "vote" | "report"} */ what, /** @type {string} */ label, /** @type {(Node | string)[]} */ ...shown) => {
      const made = button("plain", what, (event) => this.act(what, comment, event.currentTarget), ...shown);
      made.setAttribute("aria-label", label);
      return made;
    };
    const vote = deed("vote", `${say("vote", { name })}: ${number(comment.votes)}`, svg("svg", { viewBox: "0 0 16 16", width: 16, height: 16 }, svg("path", { d: ARROW, fill: "currentColor" })),
      h("span", { class: "votes" }, number(comment.votes)));
    vote.setAttribute("aria-pressed", "false");
    return h("p", { class: "actions" }, vote, this.found.page.state === "open" && deed("reply", say("replyto", { name }), say("reply")), deed("report", say("reportof", { name }), say("report")));
  }

  /**
   * The comment of an id, where it is shown.
   * @param {string} [id]
   * @returns {HTMLElement | null}
   */
  at(id) {
    return id ? this.box.querySelector(`#comment-${CSS.escape(id)}`) : null;
  }

  /** The element is in a page again. */
  resume() {
    if (!(this.found instanceof Error)) import("./living.js").then(({ watch }) => watch(this), () => {});
  }

  /**
   * The element was taken out; it may come back.
   * @param {boolean} [over] not with this thread
   */
  pause(over = false) {
    this.over = over;
    this.leave.abort();
  }
}
