/** What a reader does about a comment without writing one: votes for it, or reports it. */

import { call, door } from "./api.js";
import { button, h } from "./dom.js";
import { attempt, focus } from "./failing.js";
import { device, kept, shelf, voted } from "./store.js";

const REASONS = [["spam", "spam"], ["abuse", "abuse"], ["private", "private"], ["off-topic", "offtopic"], ["other", "other"]];
const MOST_KEPT = 500;

/**
 * Vote, or take the vote back.
 * @param {import("./thread.js").Thread} thread
 * @param {any} comment
 * @param {HTMLElement} button
 */
export async function vote(thread, comment, button) {
  const up = !voted(thread.place).includes(comment.id);
  const actions = /** @type {HTMLElement} */ (button.closest(".actions"));
  const done = await attempt(thread, actions, () => call(door(thread.place, `comments/${comment.id}/vote`), { body: { device: device(), up } }), "noanswer");
  if (!done) return;
  const others = voted(thread.place).filter((id) => id !== comment.id);
  kept.set(shelf("votes", thread.place), (done.voted ? [...others, comment.id] : others).slice(-MOST_KEPT));
  comment.votes = done.votes;
  button.setAttribute("aria-pressed", String(done.voted));
  const shown = button.querySelector(".votes");
  if (shown) shown.textContent = thread.words.number(done.votes);
  button.setAttribute("aria-label", `${thread.words.say("vote", { name: comment.author.name })}: ${thread.words.number(done.votes)}`);
  thread.tell("voted", { id: comment.id, votes: done.votes, voted: done.voted });
}

/**
 * Ask what is wrong, and tell the moderators.
 * @param {import("./thread.js").Thread} thread
 * @param {any} comment
 * @param {HTMLElement} pressed
 */
export async function report(thread, comment, pressed) {
  const { say } = thread.words;
  const article = /** @type {HTMLElement} */ (pressed.closest("article"));
  const open = article.querySelector(".report");
  if (open) return open.remove();
  const reason = h("select", { class: "input", "aria-label": say("wrong") }, ...REASONS.map(([value, key]) => h("option", { value }, say(/** @type {any} */ (key)))));
  const note = h("input", { class: "input", "aria-label": say("tell"), placeholder: say("tell") });
  const close = () => {
    const button = form.closest("article").querySelector("[data-do=report]"); // another one, if the list was drawn anew
    form.remove();
    button.focus();
  };
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const body = { device: device(), reason: reason.value, note: note.value.trim() || null };
    const done = await attempt(thread, note, () => call(door(thread.place, `comments/${comment.id}/report`), { body }), "trouble");
    if (!done) return;
    const thanks = h("p", { class: "notice report", role: "status" }, say("reported"));
    form.replaceWith(thanks);
    focus(thanks);
  };
  const form = h("form", { class: "report form", onsubmit: send }, h("p", {}, say("wrong")), reason, note,
    h("p", { class: "buttons" }, h("button", { class: "button submit" }, say("report")), button("quiet", "cancel", close, say("cancel"))));
  pressed.closest(".actions")?.after(form);
  reason.focus();
}
