// What is typed outlives a reload, and a session that ended: it is kept until its form was answered well. With it is kept
// over what it was typed. Where that reads otherwise by now, somebody else was here, and the new page's form would be taken:
// so the draft does not go over their words, but is offered beside them.

const restore = (() => {
  const UNKEPT = ["hidden", "password", "file", "radio"].map((type) => `[type=${type}]`); // the desk has no radio buttons
  const TYPED = `form[method="post"]:not(#many) :is(textarea, select, input:not(${UNKEPT}, [readonly], [autocomplete="one-time-code"]))`;
  const OF_A_COMMENT = /-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
  const OUTSIDE = "/desk/sign-"; // with what these pages begin on which nobody is signed in
  const query = new URLSearchParams(location.search);
  const isOutside = location.pathname.startsWith(OUTSIDE);

  const isBox = (field) => field.type === "checkbox";
  const fieldsOf = (form) => [...form.querySelectorAll(TYPED)];

  /** What a field says, and what it said when it came. */
  const told = (field) => (isBox(field) ? String(field.checked) : field.value);
  const drawn = (field) => (isBox(field) ? String(field.defaultChecked) : field.options ? selected(field) : field.defaultValue);
  const selected = ({ options }) => ([...options].find((one) => one.defaultSelected) ?? options[0])?.value ?? "";

  /** Where a field is kept, for who typed it: that of a comment, and one that its form tells from others, is the same on
   * every page; any other one is its page's, and its site's. What is chosen for many is for those alone, and not kept. */
  function shelf(field) {
    const name = field.id || [field.form.getAttribute("action"), field.name, isBox(field) && field.value].join(" ");
    const page = !field.id || OF_A_COMMENT.test(field.id) ? "" : location.pathname + (query.get("site") ?? "");
    return `draft:${document.body.dataset.who}:${name}:${page}`;
  }

  /** What is kept of a field: what was `typed`, `over` what (all that it said itself, or was sent), and what is `offered`. */
  const kept = (key) => ({ offered: [], ...JSON.parse(sessionStorage.getItem(key) ?? "{}") });

  function keep(key, { typed, over, offered }) {
    if (typed === undefined && !offered.length) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, JSON.stringify({ typed, over, offered }));
  }

  /** Its form was answered well. What is offered stays: nobody has said that it may go. */
  const forget = (key) => keep(key, { offered: kept(key).offered });

  function note(field) {
    const { over = [drawn(field)], offered } = kept(shelf(field));
    keep(shelf(field), told(field) === over[0] ? { offered } : { typed: told(field), over, offered });
  }

  /** What is sent may come back in the form, and is nobody else's then. */
  function noteSent(field) {
    const { typed, over, offered } = kept(shelf(field));
    if (typed !== undefined) keep(shelf(field), { typed, over: [...new Set([...over, typed])], offered });
  }

  document.addEventListener("input", ({ target }) => {
    if (!isOutside && target.matches(TYPED)) note(target);
  });

  function restore(within = document) {
    if (isOutside) return;
    for (const field of within.querySelectorAll(TYPED)) {
      const { typed, over, offered } = kept(shelf(field));
      if (typed !== undefined && typed !== drawn(field)) {
        const isHere = over.includes(drawn(field));
        if (!isHere) keep(shelf(field), { offered: [...new Set([...offered, typed])] });
        put(field, isHere ? typed : drawn(field)); // the browser may have put the draft there itself
      }
      offer(field);
    }
  }

  const takes = (field, text) => !field.options || [...field.options].some((one) => one.value === text);

  function put(field, text) {
    if (text === told(field) || !takes(field, text)) return;
    if (isBox(field)) field.checked = text === "true";
    else field.value = text;
    show(field);
  }

  function show(field) {
    const details = field.closest("details");
    if (details) details.open = true;
  }

  /** Beside a field, what was typed there over other words than it has now. */
  function offer(field) {
    while (field.nextElementSibling?.matches(".draft")) field.nextElementSibling.remove();
    const { offered } = kept(shelf(field));
    if (!offered.length) return;
    field.after(...offered.map((text) => draft(field, text)));
    show(field);
  }

  function draft(field, text) {
    const words = document.getElementById("live").dataset;
    const one = document.createElement("div");
    const quoted = document.createElement("blockquote");
    one.className = "draft";
    quoted.textContent = [...(field.options ?? [])].find((option) => option.value === text)?.text ?? text;
    one.append(words.draft, quoted);
    if (takes(field, text)) one.append(button(words.take, () => take(field, text)));
    one.append(button(words.drop, () => drop(field, text)));
    return one;
  }

  function button(words, act) {
    const one = document.createElement("button");
    Object.assign(one, { type: "button", className: "plain", textContent: words });
    one.addEventListener("click", act);
    return one;
  }

  /** Put it into the field. What was typed there meanwhile takes its place. */
  function take(field, text) {
    drop(field, text, told(field) === drawn(field) ? [] : [told(field)]);
    put(field, text);
    note(field);
  }

  function drop(field, text, instead = []) {
    const { offered, ...typed } = kept(shelf(field));
    keep(shelf(field), { ...typed, offered: [...offered.filter((one) => one !== text), ...instead] });
    offer(field);
    field.focus();
  }

  // Of what htmx sent, the answer says itself whether it is a good one. What was typed since then is not answered yet.
  document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
    const { form, body } = ctx.request;
    if (ctx.response.status >= 400 || !form) return;
    for (const field of fieldsOf(form)) {
      const sent = isBox(field) ? String(body.getAll(field.name).includes(field.value)) : body.get(field.name);
      if (sent === kept(shelf(field)).typed || (form.isConnected && sent === told(field))) forget(shelf(field));
    }
  });
  document.addEventListener("htmx:after:swap", () => restore());

  // Of what the browser itself sent, a good answer leads on to a page of the desk, or says what was done; a refusal is a
  // page itself.
  document.addEventListener("submit", ({ target }) => {
    if (target.matches(".who")) return sessionStorage.clear(); // whoever signs out leaves nothing to the next one
    const sent = fieldsOf(target);
    sent.forEach(noteSent);
    if (!target.matches("[hx-post]")) sessionStorage.setItem("sent", JSON.stringify(sent.map(shelf)));
  });

  const wasLedOn = performance.getEntriesByType("navigation")[0]?.redirectCount > 0;
  const isTold = document.querySelector("input.secret, main > .flash") !== null;
  if ((wasLedOn || isTold) && !isOutside) JSON.parse(sessionStorage.getItem("sent") ?? "[]").forEach(forget);
  sessionStorage.removeItem("sent");
  restore();
  return restore;
})();
