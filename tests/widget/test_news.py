"""What is new while somebody reads: told once, and shown when they wish."""

from __future__ import annotations

from typing import Any

import pytest

from tests.processes import until

from .elsewhere import FAR, tag
from .reader import Reader
from .talk import Talk

pytestmark = pytest.mark.browser


def test_new_comments_are_announced_and_nothing_jumps(reader: Reader, talk: Talk) -> None:
    first = talk.say_many(10)[0]
    reader.window.clock.install()
    reader.opens(FAR, tag(reader.service, reader.page, loading="eager", sort="newest"))
    reader.hears("greenroom:new")
    reader.comment(first).scroll_into_view_if_needed()
    before = reader.comment(first).bounding_box()
    talk.say("This is new.")

    reader.window.clock.fast_forward(120_000)
    button = reader.does("new").first
    button.wait_for(state="attached")
    reader.window.clock.run_for(100)

    assert reader.told("greenroom:new")["count"] == 1
    assert "1 new comment" in button.inner_text()
    assert abs(reader.comment(first).bounding_box()["y"] - before["y"]) < 1
    live = button.evaluate("one => !!one.closest('[role=status], [aria-live]')")
    assert live, "nobody who listens is told"
    button.evaluate("one => one.click()")
    reader.part("comment").locator("text=This is new.").wait_for()


def counting(reader: Reader, meanwhile: dict[str, int]) -> None:
    """Let the server count so many more comments than there are."""

    def count(route: Any) -> None:
        told = (answer := route.fetch()).json()
        told["counts"][0]["comment_count"] += meanwhile["more"]
        route.fulfill(response=answer, json=told)

    reader.window.context.route("**/counts?*", count)


def test_new_comments_are_announced_once(reader: Reader, talk: Talk) -> None:
    """The button that tells of them stays the same, with the focus on it, and goes when they are gone."""
    talk.say("First.")
    meanwhile = {"more": 1}
    counting(reader, meanwhile)
    reader.window.clock.install()
    reader.opens()
    reader.hears("greenroom:new")

    reader.window.clock.fast_forward(31_000)
    button = reader.does("new").first
    button.wait_for(state="attached")
    button.focus()
    button.evaluate("one => { one.first = true }")
    for _ in range(3):
        asked = len(reader.asked)
        reader.window.clock.fast_forward(31_000)
        until(lambda asked=asked: reader.window.evaluate("1") and len(reader.asked) > asked)
    assert reader.window.evaluate("heard.length") == 1

    meanwhile["more"] = 2
    reader.window.clock.fast_forward(31_000)
    reader.told("greenroom:new", times=2)
    until(lambda: "2 new comments" in button.inner_text())
    assert button.evaluate("one => one.first") is True
    assert reader.active()["doing"] == "new"

    meanwhile["more"] = 0
    reader.window.clock.fast_forward(31_000)
    button.wait_for(state="detached")


def test_news_of_a_long_thread_are_shown(reader: Reader, talk: Talk) -> None:
    """The newest stand beyond what is loaded; then the order is the newest first, and the list of orders says so."""
    talk.say_many(60)
    reader.window.clock.install()
    reader.opens()
    talk.say("This is new.")

    reader.window.clock.fast_forward(31_000)
    reader.does("new").first.evaluate("one => one.click()")

    new = reader.part("comment").filter(has_text="This is new.")
    new.wait_for()
    assert reader.does("sort").input_value() == "newest"
    until(lambda: reader.sees(new.get_attribute("data-id")))


def test_nothing_is_asked_for_while_nobody_looks(reader: Reader, talk: Talk) -> None:
    talk.say("First.")
    reader.window.clock.install()
    reader.opens()
    reader.window.evaluate(
        "() => { Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' });"
        " Object.defineProperty(document, 'hidden', { get: () => true });"
        " document.dispatchEvent(new Event('visibilitychange')) }"
    )
    before = len(reader.asked)

    reader.window.clock.run_for(3_600_000)

    assert len(reader.asked) == before
