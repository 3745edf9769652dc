/** The doors of the server, as the widget calls them: no cookies, no foreign host. */

import { own } from "./dom.js";

/** What went wrong: the server's problem (RFC 9457), or null when no answer came. */
export class Failed extends Error {
  /**
   * @param {any} problem
   * @param {number} status
   * @param {string | null} wait seconds of `Retry-After`
   */
  constructor(problem, status, wait) {
    super(own(problem, "detail") ?? "No answer.");
    this.problem = problem;
    this.status = status;
    this.wait = wait;
  }
}

/**
 * The JSON of an answer. Throws Failed.
 * @param {string} url
 * @param {{method?: string, body?: any, headers?: Record<string, string>, early?: Promise<Response | null>}} [asked] `early`: what was asked for already
 * @returns {Promise<any>}
 */
export async function call(url, asked = {}) {
  const body = own(asked, "body");
  const headers = new Headers(own(asked, "headers"));
  if (body) headers.set("Content-Type", "application/json");
  /** @type {RequestInit} */
  const sent = { method: own(asked, "method") ?? (body ? "POST" : "GET"), headers, body: body && JSON.stringify(body) };
  const safe = { mode: "cors", credentials: "omit", cache: "no-cache", redirect: "error", referrerPolicy: "strict-origin-when-cross-origin", signal: AbortSignal.timeout(3e4) };
  const answer = await (own(asked, "early") ?? fetch(url, /** @type {any} */ ({ __proto__: null, ...sent, ...safe })).catch(() => null));
  if (answer?.status === 204) return {};
  const told = answer && (await answer.json().catch(() => null));
  if (!answer?.ok || told === null) throw new Failed(told, answer?.status ?? 0, answer?.headers.get("Retry-After") ?? null);
  return told;
}

/**
 * Where a site's door is.
 * @param {{base: string, site: string}} place
 * @param {string} door
 * @param {Record<string, string | null | undefined>} [query]
 */
export function door(place, door, query = {}) {
  const url = new URL(`v1/sites/${encodeURIComponent(place.site)}/${door}`, place.base);
  for (const [name, value] of Object.entries(query)) if (value) url.searchParams.set(name, value);
  return url.href;
}
