"""An application shows another page in the same element: what comes late for the one before does not touch it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.e2e.conftest import Demo
from tests.processes import until

from .elsewhere import tag
from .reader import THREAD, Reader
from .talk import Talk

pytestmark = pytest.mark.browser

TURNS = "page => document.querySelector('greenroom-thread').setAttribute('page', page)"


@pytest.fixture
def other(service: Demo, talk: Talk) -> Talk:
    there = Talk(service, f"{talk.page}/other")
    there.say("Elsewhere.")
    return there


class Held:
    """Requests that a window waits for until the test lets them go."""

    def __init__(self, reader: Reader, door: str, wanted: Callable[[Any], bool]) -> None:
        self.reader, self.routes = reader, []  # type: ignore[var-annotated]
        reader.window.context.route(
            door, lambda route: self._hold(route) if wanted(route.request) else route.fallback()
        )

    def _hold(self, route: Any) -> None:
        self.routes.append(route)

    def come(self, number: int = 1) -> None:
        until(lambda: self.reader.window.evaluate("1") and len(self.routes) >= number)

    def go(self) -> None:
        """Answered, and whatever follows from that done."""
        for route in self.routes:
            self._answer(route)
        self.reader.window.evaluate("new Promise((done) => setTimeout(done, 300))")

    def _answer(self, route: Any) -> None:
        with self.reader.window.expect_event("requestfinished", lambda one: one.url == route.request.url):
            route.continue_()


def about(page: str) -> Callable[[Any], bool]:
    return lambda request: parse_qs(urlsplit(request.url).query).get("page") == [page]


def test_a_second_try_that_succeeds_too_late_is_not_shown(reader: Reader, talk: Talk, other: Talk) -> None:
    talk.say("First.")
    down = [True]
    reader.window.context.route(
        "**/thread?*", lambda route: route.abort() if down and about(talk.page)(route.request) else route.fallback()
    )
    reader.window.goto(reader.publish())
    reader.does("again").wait_for()
    down.clear()
    late = Held(reader, "**/thread?*", about(talk.page))
    reader.does("again").click()
    late.come()
    reader.window.evaluate(TURNS, other.page)
    reader.part("comment").locator("text=Elsewhere.").wait_for()
    late.go()

    assert reader.bodies() == ["Elsewhere."]
    reader.reaches_the_form()
    assert reader.posts(body="Here.")["status"] == "approved"
    assert (len(talk.said()), len(other.said())) == (1, 2)


def test_a_failure_that_is_told_too_late_is_not_shown(reader: Reader, talk: Talk, other: Talk) -> None:
    """The sentences for it come when another page stands there."""
    talk.say("First.")
    reader.window.context.route(
        "**/thread?*", lambda route: route.abort() if about(talk.page)(route.request) else route.fallback()
    )
    words = Held(reader, "**/lang/write/en.js", lambda _: True)
    reader.window.goto(reader.publish())
    words.come()
    reader.window.evaluate(TURNS, other.page)
    reader.part("comment").locator("text=Elsewhere.").wait_for()
    words.go()

    assert reader.bodies() == ["Elsewhere."]
    assert reader.window.locator(THREAD).get_attribute("state") == "ready"


def test_what_one_wrote_on_the_page_before_takes_nothing_away(reader: Reader, talk: Talk, other: Talk) -> None:
    """One's own comments there are looked for when those here are shown."""
    for page in (other.page, talk.page):
        reader.page = page
        reader.opens()
        reader.posts()
    late = Held(reader, "**/v1/mine?*", lambda _: not late.routes)
    reader.window.goto(reader.publish())
    late.come()
    reader.window.evaluate(TURNS, other.page)
    reader.does("withdraw").wait_for()
    late.go()

    assert reader.does("withdraw").count() == 1


def test_what_is_drawn_anew_too_late_does_not_take_the_form_along(reader: Reader, talk: Talk) -> None:
    """The same page in another order: a reply is begun in both."""
    first = talk.say("First.")
    talk.say("Second.")
    reader.opens()
    reader.answers(first)
    late = Held(reader, "**/thread?*", lambda request: "sort=top" in request.url)
    reader.does("sort").select_option("top")
    late.come()
    reader.window.evaluate("() => document.querySelector('greenroom-thread').setAttribute('sort', 'newest')")
    reader.until(f"() => document.querySelector('{THREAD}').shadowRoot.querySelector('.sort')?.value === 'newest'")
    reader.reaches_the_form()
    late.go()

    assert reader.part("form").count() == 1


NAVIGATES = """path => {
  window.taken = document.querySelector("greenroom-thread");
  taken.remove();
  history.pushState(null, "", path);
}"""


def test_put_back_on_another_page_it_shows_that(reader: Reader, talk: Talk, service: Demo) -> None:
    """No attribute says which page it is about: the document's address does."""
    for path, body in ((talk.page, "First."), (f"{talk.page}/other", "Elsewhere.")):
        Talk(service, reader.theirs.origin + path).say(body)
    bare = '<greenroom-thread site="demo"></greenroom-thread>'
    reader.opens(bare)
    assert reader.bodies() == ["First."]

    reader.window.evaluate(NAVIGATES, f"{talk.page}/other")
    reader.window.evaluate("() => { document.querySelector('main').append(taken) }")

    reader.part("comment").locator("text=Elsewhere.").wait_for()
    assert reader.bodies() == ["Elsewhere."]


def test_put_back_where_another_language_is_spoken_it_speaks_that(reader: Reader, talk: Talk) -> None:
    talk.say("First.")
    reader.opens(tag(reader.service, reader.page), '<div id="place" lang="de"></div>')

    reader.window.evaluate("() => { place.append(document.querySelector('greenroom-thread')) }")

    reader.part("title").filter(has_text="1 Kommentar").wait_for()


def test_a_page_around_a_shadow_root_says_which_language(reader: Reader, talk: Talk) -> None:
    """A component of the page has the element inside."""
    talk.say("First.")
    reader.window.goto(reader.publish('<div id="place" lang="de"></div>'))
    reader.window.evaluate(
        "html => { place.attachShadow({ mode: 'open' }).innerHTML = html }", tag(reader.service, reader.page)
    )

    reader.part("title").filter(has_text="1 Kommentar").wait_for()


def test_an_order_that_is_none_is_the_usual_one(reader: Reader, talk: Talk) -> None:
    talk.say("First.")
    talk.say("Second.")
    reader.opens(sort="newst")

    assert reader.bodies() == ["First.", "Second."]
