/** When the comments are there, and something of what goes with them is not: the connection broke, or Greenroom was updated meanwhile. */

import { h, own } from "./dom.js";

/**
 * Say so, and lead to where all of it is. Throws where even the words are missing.
 * @param {import("./thread.js").Thread} thread
 * @param {unknown} error
 */
export async function lost(thread, error) {
  const { words, place, host, form, notice, below } = thread;
  console.error("Greenroom:", error);
  thread.tell("failed", { problem: own(error, "problem") ?? null });
  await words.learn();
  const page = new URL(`embed/${encodeURIComponent(place.site)}`, place.base);
  page.searchParams.set("page", place.page);
  (form ? notice : below).replaceChildren(h("p", { class: "notice", role: "alert" }, words.say("partly"), " ",
    h("a", { href: host.querySelector("a")?.href ?? page.href }, words.say("elsewhere"))));
}
