"""Visitors, with the widget and without JavaScript, and a moderator: what they do at their windows."""

from __future__ import annotations

from typing import Any

from tests.e2e.conftest import Demo

NOTE = "Your email address will not be published. Required fields are marked *"


class Visitor:
    """Somebody who reads the review and its comments, as the widget shows them, and may leave a reply."""

    inside = "greenroom-thread "
    root, form, title, comment, average, email = ".root", ".below form", "#form-title", ".comment", ".average", "#email"
    field_id, reply, error, send = "#{}", "[data-do=reply]", ".field .error:visible", "[type=submit]"

    def __init__(self, window: Any, demo: Demo) -> None:
        self.window, self.home = window, f"{demo.url}/"

    def visit(self) -> None:
        """The review, scrolled down to a thread that is all there."""
        self.window.goto(self.home)
        self.window.locator("greenroom-thread").scroll_into_view_if_needed()
        self.window.wait_for_selector("greenroom-thread[state=ready]")
        self.window.locator(f"{self.inside}.below").evaluate("one => one.scrollIntoView({ behavior: 'instant' })")
        self.window.wait_for_selector(f"{self.inside}form")

    def write(self, *, rating: int | None = None, **typed: str) -> None:
        """Fill in these fields of the form, leave the others, and post."""
        for name, value in typed.items():
            self.window.fill(self.inside + self.field_id.format(name), value)
        if rating:
            self.window.check(f"{self.inside}input[name=rating][value='{rating}']", force=True)
        self.window.click(self.inside + self.send)

    def answer_first(self) -> None:
        self.window.locator(self.inside + self.reply).first.click()
        self.window.locator(self.inside + self.title, has_text="Reply to").wait_for()

    def is_told(self, words: str) -> None:
        """Wait until the page says so."""
        self.window.locator(self.inside + self.root, has_text=words).wait_for()

    def typed(self, *names: str) -> list[str]:
        return [self.window.input_value(self.inside + self.field_id.format(name)) for name in names]

    def reads(self, selector: str | None = None) -> str:
        """The words of an element: `innerText` has none of what the browser has not laid out yet."""
        found = self.window.locator(self.inside + (selector or self.root)).first.text_content()
        return " ".join((found or "").split())


class PlainVisitor(Visitor):
    """The same without JavaScript: the link that the tag holds leads to the comments."""

    inside = ""
    root, form, title, comment, average = (
        "#greenroom",
        "#greenroom-form",
        "#gr-form-title",
        ".gr-comment",
        ".gr-average",
    )
    field_id, reply, email = "#gr-{}", ".gr-actions a", "#gr-email"
    error, send = ".gr-field .gr-error", "#greenroom-form button:not([name])"

    def visit(self) -> None:
        self.window.goto(self.home)
        self.window.click("greenroom-thread a")
        self.window.wait_for_selector("#greenroom")


class Moderator:
    """Somebody who signs in at the desk."""

    def __init__(self, window: Any, demo: Demo) -> None:
        self.window, self.demo = window, demo

    def sign_in(self) -> None:
        self.window.goto(f"{self.demo.url}/desk")
        self.window.fill("#email", self.demo.email)
        self.window.fill("#password", self.demo.password)
        self.window.click("main button")
        self.window.wait_for_selector(".tabs")

    def the_item(self, words: str) -> Any:
        """The one comment in the queue that says these words."""
        self.window.goto(f"{self.demo.url}/desk")
        item = self.window.locator("article.item", has_text=words)
        item.wait_for()
        assert item.count() == 1
        return item

    def sign_out(self) -> None:
        self.window.click("text=Sign out")
        self.window.wait_for_url("**/desk/sign-in*")
