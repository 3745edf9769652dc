/**
 * Greenroom: comments below any page.
 *
 *   <script type="module" src="https://comments.example.org/widget.js"></script>
 *   <greenroom-thread site="demo" page="/reviews/blacksmith"></greenroom-thread>
 *
 * This file defines the elements and waits until one is near; what it needs then is loaded from where it came from.
 */

const BASE = new URL(".", import.meta.url).href;
const PARTS = "./"; // the server puts the address of this release here
const NEAR = "600px";
const LANGUAGES = "ar cs da de en es fa fi fr he it ja ko nl pl pt ru sv tr uk zh".split(" ");
const SHEET = new CSSStyleSheet();
SHEET.replaceSync(":host{display:block}:host([hidden]){display:none}:host([state=loading]){min-height:100vh}");

/** The page that an element is about: what it says, else the document's canonical address.
 * @param {HTMLElement} host */
function pageOf(host) {
  const canonical = /** @type {HTMLLinkElement | null} */ (document.querySelector("link[rel=canonical]"));
  return host.getAttribute("page") || canonical?.href || location.href.split("#")[0];
}

/**
 * @param {any} node
 * @returns {HTMLElement | null} what says its language, also around the shadow root that it stands in
 */
const above = (node) => node && (node.closest("[lang]") ?? above(node.getRootNode().host));

/**
 * The language of an element: its own, its nearest ancestor's, the browser's; the first of these that the widget speaks.
 * @param {HTMLElement} host
 */
function languageOf(host) {
  for (const tag of [above(host)?.lang ?? "", ...navigator.languages]) {
    const [code] = tag.toLowerCase().split("-");
    if (LANGUAGES.includes(code)) return tag.toLowerCase();
  }
  return "en";
}

/** A part of the widget, as the server joins them. What that part will import is asked for in the same breath.
 * @param {string} name
 * @param {string[]} along
 * @returns {Promise<any>} */
async function load(name, along) {
  for (const one of along) import(`${PARTS}${one}.js`).catch(() => {});
  return import(`${PARTS}${name}.js`);
}

/** Say what went wrong; and what a page's policy would need, in case it is what keeps a file out.
 * @param {unknown} error */
function complain(error) {
  const { origin } = new URL(BASE);
  const needs = /import/i.test(`${error}`) ? `. A CSP needs: script-src ${origin}; connect-src ${origin}` : "";
  console.error(`Greenroom: ${error}${needs}`);
}

/** @param {HTMLElement} host */
const placeOf = (host) => ({
  base: BASE, site: host.getAttribute("site") ?? "", page: pageOf(host), lang: languageOf(host),
  sort: /^(newest|top)$/.exec(`${host.getAttribute("sort")}`)?.[0] ?? "oldest",
});

/** The thread, on its way while the files that draw it are.
 * @param {ReturnType<typeof placeOf>} place */
function ask({ base, site, page, sort }) {
  const url = new URL(`v1/sites/${encodeURIComponent(site)}/thread?${new URLSearchParams({ page, sort })}`, base);
  return fetch(url, /** @type {any} */ ({ __proto__: null, credentials: "omit", cache: "no-cache", redirect: "error", signal: AbortSignal.timeout(3e4) })).catch(() => null);
}

/** Comments, and the form to write one. */
class GreenroomThread extends HTMLElement {
  static observedAttributes = ["site", "page", "lang", "words", "sort"];
  #root = this.attachShadow({ mode: "open" });
  /** @type {import("./thread.js").Thread | null} */
  #thread = null;
  /** @type {IntersectionObserver | null} */
  #near = null;
  /** @type {Promise<void> | null} */
  #begun = null;
  #turn = 0;

  constructor() {
    super();
    this.#root.adoptedStyleSheets = [SHEET];
  }

  connectedCallback() {
    const { page, lang } = placeOf(this); // these may be what the page around it says, which is another one by now
    const shown = this.#thread?.place;
    if (shown?.page === page && shown.lang === lang) this.#thread?.resume();
    else if (!this.#near) this.#wait();
  }

  disconnectedCallback() {
    this.#near?.disconnect();
    this.#near = null;
    this.#thread?.pause();
  }

  /**
   * @param {string} _
   * @param {string | null} old
   * @param {string | null} now
   */
  attributeChangedCallback(_, old, now) {
    if (old === now || this.getAttribute("state") === null) return; // it may be out of the page meanwhile
    const turn = ++this.#turn;
    queueMicrotask(() => turn === this.#turn && this.#wait());
  }

  /** Show the page's own content, as before the comments are there or where they cannot be.
   * @param {string} state */
  #clear(state) {
    this.#turn++;
    this.#thread?.pause(true);
    this.#thread = this.#begun = null;
    this.#root.replaceChildren(document.createElement("slot"));
    this.setAttribute("state", state);
  }

  /** Back to the beginning. */
  #wait() {
    this.#near?.disconnect();
    this.#near = null;
    this.#clear("waiting");
    if (this.getAttribute("loading") === "eager" || location.hash.startsWith("#comment-")) return void this.#start();
    this.#near = new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && this.#start(), { rootMargin: NEAR });
    this.#near.observe(this);
  }

  /** The thread, once it is drawn; begun once, whoever asks for it. */
  async #start() {
    await (this.#begun ??= this.#begin());
    return this.#thread;
  }

  async #begin() {
    this.#near?.disconnect();
    const turn = ++this.#turn;
    this.setAttribute("state", "loading");
    try {
      const place = placeOf(this);
      const early = ask(place);
      setTimeout(Intl.NumberFormat); // the first one takes a browser long, whichever it is: now, while files come
      const { Thread } = await load("thread", ["kit", `lang/read/${place.lang.split("-")[0]}`]);
      const thread = await Thread.open(this, this.#root, place, early);
      if (turn !== this.#turn) return;
      if (!this.isConnected) this.#near = this.#begun = null;
      else await (this.#thread = thread).show();
    } catch (error) {
      if (turn !== this.#turn) return;
      complain(error);
      this.#clear("failed");
      this.dispatchEvent(new CustomEvent("greenroom:failed", { bubbles: true, composed: true, detail: { problem: null } }));
    }
  }

  /** Read the comments again. */
  async refresh() {
    await this.#thread?.act("refresh");
  }

  /** Scroll to a comment and mark it.
   * @param {string} id */
  async show(id) {
    await (await this.#start())?.act("goTo", id);
  }

  /** Put the cursor into the form. */
  async focusForm() {
    await (await this.#start())?.act("focusForm");
  }
}

/** How many comments a page has, or how it is rated. All of a document that come at once are asked for at once. */
class Small extends HTMLElement {
  static observedAttributes = ["site", "page", "lang", "words", "look"];

  connectedCallback() {
    if (!this.shadowRoot) this.attachShadow({ mode: "open" }).append(document.createElement("slot"));
    load("small", []).then(({ fill }) => fill(this, placeOf(this))).catch(complain);
  }

  /**
   * @param {string} _
   * @param {string | null} old
   * @param {string | null} now
   */
  attributeChangedCallback(_, old, now) {
    if (old !== now && this.isConnected && this.shadowRoot) this.connectedCallback();
  }
}

for (const [name, element] of /** @type {[string, CustomElementConstructor][]} */ ([
  ["greenroom-thread", GreenroomThread],
  ["greenroom-count", class extends Small {}],
  ["greenroom-rating", class extends Small {}],
])) if (!customElements.get(name)) customElements.define(name, element);
