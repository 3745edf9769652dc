"""Somebody who reads a page elsewhere with the widget on it, and writes there."""

from __future__ import annotations

import json
from typing import Any

from tests.processes import until

from .elsewhere import Elsewhere, article, script, tag

THREAD = "greenroom-thread"
NOTE = "Your email address will not be published. Required fields are marked *"
COMMENTS = "**/v1/sites/*/comments"
"""The door for new comments, of whatever site."""
TYPED = {"name": "Ada", "email": "ada@mail.example.org", "body": "What a *fine* series."}

_ACTIVE = """() => {
  let one = document.activeElement;
  while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
  return one && { tag: one.localName, name: one.getAttribute("name"), doing: one.dataset.do ?? null,
    type: one.getAttribute("type"), inside: one.getRootNode() !== document };
}"""
_IS_AT_ANOTHER = """before => {
  const id = document.activeElement?.shadowRoot?.activeElement?.dataset.id;
  return id && !before.includes(id);
}"""
_BELOW = """() => {
  const { shadowRoot } = document.querySelector("greenroom-thread");
  const below = shadowRoot.querySelector("[part~=below]");
  const far = below.getBoundingClientRect().top > innerHeight + 600;
  return far || !!below.firstChild || !!shadowRoot.querySelector("form[part~=form]");
}"""
_HEARD = """names => {
  window.heard = [];
  window.ears ??= new Set();
  for (const name of names.filter((one) => !window.ears.has(one))) {
    window.ears.add(name);
    addEventListener(name, (event) => window.heard.push([name, event.detail]));
  }
}"""


class Reader:
    """A window and the address of the page in it."""

    def __init__(self, window: Any, service: str, theirs: Elsewhere, page: str) -> None:
        self.window, self.service, self.theirs, self.page = window, service, theirs, page
        self.asked: list[Any] = []
        """Every request to a door of the API."""
        self.scripts: list[str] = []
        """The addresses of all other requests to Greenroom."""
        self._earlier = 0
        window.on("request", self._note)
        window.on("domcontentloaded", self._turn)

    def _note(self, request: Any) -> None:
        if request.url.startswith(f"{self.service}/v1/") and request.method != "OPTIONS":
            self.asked.append(request)
        elif request.url.startswith(f"{self.service}/"):
            self.scripts.append(request.url)

    def _turn(self, _: Any) -> None:
        self._earlier = len(self.scripts)

    def publish(self, *parts: str, head: str = "", root: str = 'lang="en"', **attributes: str) -> str:
        """Put a page with the tag, or with these parts instead, on the web site; its address."""
        shown = parts or (tag(self.service, self.page, **attributes),)
        return self.theirs.put(self.page, article(*shown, head=script(self.service) + head, root=root))

    def opens(self, *parts: str, **more: str) -> None:
        """Publish the page and read it."""
        self.visits(self.publish(*parts, **more))

    def visits(self, url: str) -> None:
        self.window.goto(url)
        self.waits()

    def waits(self) -> None:
        """Until the first thread is there and alive; and where its end is near, the form, or why there is none."""
        self.window.wait_for_selector(f"{THREAD}[state=ready]")
        until(lambda: self.window.evaluate("1") and self._living())
        self.window.evaluate("address => import(address).then(() => true)", self._living())
        self.until(_BELOW)

    def _living(self) -> str | None:
        """The address of what keeps the thread of this page alive, once it was asked for."""
        return next((one for one in self.scripts[self._earlier :] if one.endswith("/living.js")), None)

    def reaches_the_form(self) -> None:
        """Go down until the form is there: comments that come near take their real height, and push it away again."""

        def nearer() -> object:
            self.part("below").evaluate("one => one.scrollIntoView({ behavior: 'instant' })")
            return self.part("form").count()

        until(nearer)

    def part(self, name: str, within: str = THREAD) -> Any:
        """The elements of a part."""
        return self.window.locator(f"{within} [part~={name}]")

    def comment(self, comment_id: str) -> Any:
        return self.window.locator(f"{THREAD} #comment-{comment_id}")

    def reads(self, within: Any) -> str:
        """The words in a comment: `innerText` has none of what the browser has not laid out yet."""
        return " ".join((within.text_content() or "").split())

    def bodies(self, within: str = THREAD) -> list[str]:
        """The texts of the comments in the order in which they stand."""
        return [text.strip() for text in self.part("body", f"{within} [part~=comment]").all_text_contents()]

    def ids(self) -> list[str]:
        """The comments in the order in which they stand."""
        found: list[str] = self.part("comment").evaluate_all("all => all.map((one) => one.dataset.id)")
        return found

    def sees(self, comment_id: str) -> bool:
        """Whether the beginning of a comment is on the screen."""
        found: bool = self.comment(comment_id).evaluate(
            "one => { const { top } = one.getBoundingClientRect(); return top >= -1 && top < innerHeight; }"
        )
        return found

    def does(self, what: str, within: Any = None) -> Any:
        """The buttons, or the list, that do this."""
        return (within or self.window.locator(THREAD)).locator(f"[data-do={what}]")

    def goes_on(self, what: str, press: str = "one => one.click()") -> None:
        """Press the button that brings more comments, until the first of them has the focus: all are there then."""
        before = self.ids()
        self.does(what).first.evaluate(press)
        self.comes_to_another(before)

    def comes_to_another(self, before: list[str]) -> None:
        """Wait until a comment has the focus that is none of these."""
        self.until(_IS_AT_ANOTHER, before)

    def answers(self, comment_id: str) -> None:
        """Reply to a comment, until the form has come to it and has the focus."""
        self.does("reply", self.comment(comment_id)).first.click()
        self.window.locator(f"{THREAD} #comment-{comment_id} + form").wait_for()
        self.until("() => document.activeElement?.shadowRoot?.activeElement?.name === 'body'")

    def field(self, name: str) -> Any:
        return self.window.locator(f"{THREAD} form[part~=form] [name={name}]")

    def types(self, **typed: str) -> None:
        for name, value in typed.items():
            self.field(name).fill(value)

    def sends(self) -> None:
        self.window.click(f"{THREAD} form[part~=form] button[type=submit]")

    def refuses(self, **errors: str) -> None:
        """Have the server refuse every comment from now on, for what is wrong with these fields."""
        told = {name: [{"code": "odd", "detail": detail}] for name, detail in errors.items()}
        problem = {"title": "Invalid", "status": 422, "detail": "Look at the fields.", "errors": told}
        self.window.context.route(
            COMMENTS,
            lambda route: route.fulfill(
                status=422,
                content_type="application/problem+json",
                headers={"Access-Control-Allow-Origin": self.theirs.origin},
                body=json.dumps(problem),
            ),
        )

    def posts(self, **typed: str) -> dict[str, Any]:
        """Fill the form in and send it; what `greenroom:posted` tells. The comment and the form are there again."""
        self.hears("greenroom:posted")
        self.types(**TYPED | typed)
        self.sends()
        told: dict[str, Any] = self.told("greenroom:posted")
        self.comment(told["id"]).wait_for(state="attached")
        self.part("form").locator("button[type=submit]:not([aria-disabled])").wait_for()
        return told

    def hears(self, *names: str) -> None:
        """Listen to these events from now on, as if there had been none."""
        self.window.evaluate(_HEARD, list(names))

    def told(self, name: str, times: int = 1) -> Any:
        """What an event told the last time, as soon as it has come so often."""
        self.until("([name, times]) => window.heard.filter(([one]) => one === name).length >= times", [name, times])
        return self.window.evaluate("name => window.heard.findLast(([one]) => one === name)[1]", name)

    def until(self, expression: str, given: Any = None) -> None:
        """Wait for a condition. Playwright's own way to wait for one is no match for a page's policy."""
        until(lambda: self.window.evaluate(expression, given))

    def link(self) -> Any:
        """The link to the comments, where it can be seen."""
        return self.window.locator(f"{THREAD} a[href*='/embed/']").filter(visible=True).first

    def rates(self, value: int) -> None:
        self.window.locator(f"{THREAD} form [name=rating][value='{value}']").check(force=True)

    def says(self, part: str = "root") -> str:
        """The words of a part."""
        return " ".join(" ".join(self.part(part).all_inner_texts()).split())

    def style(self, selector: str, name: str) -> str:
        """A computed style of the first element that a selector finds in the widget."""
        found: str = self.window.locator(f"{THREAD} {selector}").first.evaluate(
            "(one, name) => getComputedStyle(one).getPropertyValue(name)", name
        )
        return found

    def active(self) -> dict[str, Any]:
        """The element with the focus: its tag, name, what it does, its type, and whether it stands in the widget."""
        found: dict[str, Any] = self.window.evaluate(_ACTIVE)
        return found

    def keeps(self) -> dict[str, str]:
        """All that the browser keeps for the page."""
        found: dict[str, str] = json.loads(self.window.evaluate("JSON.stringify({ ...localStorage })"))
        return found
