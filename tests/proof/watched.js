// Looks at a document that a browser has just read, and then does to it all that a person might.
// Answers what is wrong inside what people wrote, and the shape of everything around it.
(() => {
  const WRITTEN = ".gr-body, .said, [part~='body']";
  const ELEMENTS = new Set("p br strong em b i del s code pre blockquote ul ol li a hr".split(" "));
  const ATTRIBUTES = new Set(["a href", "a rel", "ol start"]);
  const AT_THE_DESK = new Set(["u", "small", "u title", "small class"]); // in place of links
  const SCHEMES = new Set(["http:", "https:", "mailto:"]);
  const ADDRESSES = ["href", "src", "action", "formaction", "data", "poster", "srcset", "xlink:href", "background"];
  const HAPPEN = ["mouseover", "pointerover", "focus", "toggle", "error"].map((name) => new Event(name));

  const shown = (one) => one.outerHTML.slice(0, 200);

  function* written(one) {
    const name = one.localName;
    const more = one.closest(".said") ? AT_THE_DESK : new Set();
    if (one.namespaceURI !== "http://www.w3.org/1999/xhtml" || !(ELEMENTS.has(name) || more.has(name))) yield `element: ${shown(one)}`;
    for (const attribute of one.getAttributeNames()) {
      const both = `${name} ${attribute}`;
      if (!ATTRIBUTES.has(both) && !more.has(both)) yield `attribute ${attribute}: ${shown(one)}`;
    }
    if (name === "a" && one.rel !== "nofollow ugc noopener noreferrer") yield `link without its rel: ${shown(one)}`;
  }

  function* addressed(one) {
    for (const name of ADDRESSES) {
      if (!one.hasAttribute(name)) continue;
      const text = one.getAttribute(name);
      const url = URL.parse(text, one.baseURI);
      if (!url || !SCHEMES.has(url.protocol)) yield `address ${name}: ${shown(one)}`;
    }
  }

  // Every element with the names of its attributes and of all elements around it.
  function walk(parent, path, inside, found) {
    for (const one of parent.childNodes) {
      if (one.nodeType === Node.COMMENT_NODE && inside) found.wrong.push(`comment: ${one.data.slice(0, 100)}`);
      if (one.nodeType !== Node.ELEMENT_NODE) continue;
      const here = `${path}>${one.localName}${one.getAttributeNames().sort().map((name) => `[${name}]`).join("")}`;
      if (inside) found.wrong.push(...written(one));
      else found.shapes.add(here);
      found.wrong.push(...addressed(one));
      found.elements.push(one);
      const begins = !inside && one.matches(WRITTEN);
      if (begins) found.bodies.push(one);
      walk(one, here, inside || begins, found);
    }
  }

  function rereads(body) {
    const box = body.ownerDocument.createElement("div");
    box.innerHTML = body.innerHTML;
    return box.innerHTML === body.innerHTML;
  }

  // Nobody is led away and nothing is sent, but a script in an address is followed.
  function hold(view) {
    view.addEventListener("click", (event) => {
      const clicked = event.target.closest?.("[href], [formaction], button, input");
      const leads = clicked && [clicked.href, clicked.formAction, clicked.form?.getAttribute("action")];
      if (!leads?.some((url) => /^\s*javascript:/i.test(url?.baseVal ?? url))) event.preventDefault();
    }, true);
  }

  function happen(view, elements) {
    for (const one of [view, view.document, ...elements]) {
      for (const event of HAPPEN) one.dispatchEvent(event);
      one.dispatchEvent(new MouseEvent("click", { cancelable: true }));
      for (const name of one.getAttributeNames?.() ?? []) {
        if (name.startsWith("on")) one.dispatchEvent(new Event(name.slice(2)));
      }
    }
  }

  function look(view) {
    const found = { wrong: [], shapes: new Set(), elements: [], bodies: [] };
    walk(view.document, "", false, found);
    for (const body of found.bodies) if (!rereads(body)) found.wrong.push(`reads otherwise: ${shown(body)}`);
    for (const data of view.document.querySelectorAll("script[type='application/ld+json']")) {
      try { JSON.parse(data.textContent); } catch { found.wrong.push(`no JSON: ${shown(data)}`); }
    }
    hold(view);
    happen(view, found.elements);
    return { wrong: found.wrong, shapes: [...found.shapes], bodies: found.bodies.length };
  }

  // Time for what happens a little later, such as following a link or failing to load a picture.
  const later = () => new Promise((done) => setTimeout(done, 20));

  function frameForMany() {
    let frame = document.querySelector("iframe");
    if (!frame?.contentDocument) {  // none yet, or what was in it went elsewhere
      frame?.remove();
      frame = document.body.appendChild(document.createElement("iframe"));
      frame.hidden = true;
    }
    return frame;
  }

  window.watched = {
    async served() {
      const found = look(window);
      await later();
      return found;
    },

    // Documents one after another in one frame, read by the parser as if they came from a server; scripts are run.
    async written(texts) {
      const frame = frameForMany(), found = [];
      for (const text of texts) {
        const page = frame.contentDocument;
        page.open();
        page.write(text);
        page.close();
        while (page.readyState === "loading") await new Promise((read) => { page.onreadystatechange = read; });
        found.push(look(frame.contentWindow));
      }
      await later();
      return found;
    },

    async inserted(texts) {
      const bodies = texts.map((text) => {
        const body = document.createElement("div");
        body.className = "gr-body";
        body.innerHTML = text;
        return document.body.appendChild(body);
      });
      const { wrong } = look(window);
      await later();
      bodies.forEach((body, at) => {
        if (body.innerHTML !== texts[at]) wrong.push(`reads otherwise: ${texts[at].slice(0, 200)}`);
        body.remove();
      });
      return wrong;
    },

    // The widget as it has drawn itself. Its buttons are left alone: what they do is in tests/widget/test_hostile_texts.py.
    async drawn(mayParse) {
      const { shadowRoot } = document.querySelector("greenroom-thread");
      const found = { wrong: [], shapes: new Set(), elements: [], bodies: [] };
      walk(shadowRoot, "", false, found);
      if (mayParse) {
        for (const body of found.bodies) if (!rereads(body)) found.wrong.push(`reads otherwise: ${shown(body)}`);
      }
      hold(shadowRoot);
      happen(window, found.elements.filter((one) => !one.closest("button, form, select")));
      await later();
      const comments = shadowRoot.querySelectorAll("article").length; // one without words has no body
      return { wrong: found.wrong, shapes: [...found.shapes], bodies: comments };
    },

    // Whether the form is there, down where it comes: comments that are near take their real height, and push it away.
    async reached(seconds) {
      const { shadowRoot } = document.querySelector("greenroom-thread"), end = performance.now() + seconds * 1000;
      const form = () => shadowRoot.querySelector("[data-do=preview]");
      while (!form() && performance.now() < end) {
        shadowRoot.querySelector(".below").scrollIntoView();
        await new Promise((done) => setTimeout(done, 20));
      }
      return Boolean(form());
    },

    // What there is to say of a widget whose form did not come.
    async missed() {
      const host = document.querySelector("greenroom-thread"), below = host.shadowRoot.querySelector(".below");
      const frames = await new Promise((done) => {
        requestAnimationFrame(() => done("yes"));
        setTimeout(done, 2_000, "no");
      });
      const said = host.shadowRoot.querySelector(".notices").textContent, { top } = below.getBoundingClientRect();
      const files = performance.getEntriesByType("resource").map((one) => one.name.split("/").pop());
      const told = { state: host.getAttribute("state"), seen: document.visibilityState, frames, top, innerHeight, said, files };
      return JSON.stringify({ ...told, below: below.outerHTML.slice(0, 200) });
    },

    parsed(feed) {
      const parts = [...new DOMParser().parseFromString(feed, "application/xml").querySelectorAll("*")];
      const foreign = parts.filter((one) => one.namespaceURI !== "http://www.w3.org/2005/Atom");
      return foreign.map((one) => `no Atom: ${shown(one)}`);
    },
  };
})();
