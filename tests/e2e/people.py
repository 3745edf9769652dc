"""A visitor and a moderator, as what they do at their windows; nothing here needs JavaScript."""

from __future__ import annotations

from typing import Any

from tests.e2e.conftest import Demo

NOTE = "Your email address will not be published. Required fields are marked *"


class Visitor:
    """Somebody who reads the review, and may leave a reply."""

    def __init__(self, window: Any, demo: Demo) -> None:
        self.window, self.home = window, f"{demo.url}/"

    def visit(self) -> None:
        self.window.goto(self.home)

    def write(self, *, rating: int | None = None, **typed: str) -> None:
        """Fill in these fields of the form, leave the others, and post."""
        for name, value in typed.items():
            self.window.fill(f"#gr-{name}", value)
        if rating:
            self.window.check(f"input[name=rating][value='{rating}']")
        self.window.click("#greenroom-form button:not([name])")

    def typed(self, *names: str) -> list[str]:
        return [self.window.input_value(f"#gr-{name}") for name in names]

    def reads(self, selector: str = "#greenroom") -> str:
        return " ".join(self.window.inner_text(selector).split())


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
