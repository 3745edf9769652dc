// What is typed outlives a reload, and a session that ended: it is kept until its form was answered well.

const TYPED = 'form[method="post"] :is(textarea, input:not([type], [readonly], [autocomplete="one-time-code"]))[id]';
const OF_A_COMMENT = /-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const OUTSIDE = "/desk/sign-"; // with what these pages begin on which nobody is signed in

/** Where a field is kept, for who typed it. That of a comment is the same on every page, any other one is its page's. */
const shelf = (field) => `typed:${document.body.dataset.who}:${field.id}:${OF_A_COMMENT.test(field.id) ? "" : location.pathname}`;
const isOutside = location.pathname.startsWith(OUTSIDE);

document.addEventListener("input", ({ target }) => {
  if (!isOutside && target.matches(TYPED)) sessionStorage.setItem(shelf(target), target.value);
});

function restore(within = document) {
  if (isOutside) return;
  for (const field of within.querySelectorAll(TYPED)) {
    const typed = sessionStorage.getItem(shelf(field));
    if (typed === null || typed === field.value) continue;
    field.value = typed;
    const details = field.closest("details");
    if (details) details.open = true;
  }
}

// Of what htmx sent, the answer says itself whether it is a good one. What was typed since then is not answered yet.
document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
  if (ctx.response.status >= 400 || !ctx.request.form) return;
  for (const field of ctx.request.form.querySelectorAll(TYPED)) {
    if (ctx.request.body.get(field.name) === sessionStorage.getItem(shelf(field))) sessionStorage.removeItem(shelf(field));
  }
});
document.addEventListener("htmx:after:swap", () => restore());

// Of what the browser itself sent, a good answer leads on to a page of the desk, or shows a secret that is shown once;
// a refusal is a page itself.
document.addEventListener("submit", ({ target }) => {
  if (target.matches(".who")) return sessionStorage.clear(); // whoever signs out leaves nothing to the next one
  if (target.matches("[hx-post]")) return;
  const sent = [...target.querySelectorAll(TYPED)].map(shelf);
  sessionStorage.setItem("sent", JSON.stringify(sent));
});

const wasLedOn = performance.getEntriesByType("navigation")[0]?.redirectCount > 0;
const isTold = document.querySelector("input.secret") !== null;
if ((wasLedOn || isTold) && !isOutside) {
  for (const one of JSON.parse(sessionStorage.getItem("sent") ?? "[]")) sessionStorage.removeItem(one);
}
sessionStorage.removeItem("sent");
restore();
