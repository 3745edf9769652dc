"""Parts of the widget that do not come, or break: what is there stays, and the way to all of it is shown."""

from __future__ import annotations

import re
from typing import Any

import pytest

from .reader import THREAD, TYPED, Reader
from .talk import Talk

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("missing", ["living.js", "form.js", "write/en.js"])
def test_what_does_not_come_later_leaves_a_way_to_write(reader: Reader, talk: Talk, watch: Any, missing: str) -> None:
    """As where Greenroom was updated since the page was opened: the comments stay, and below them is the link."""
    talk.say("First.")
    reader.window.context.route(f"**/{missing}", lambda route: route.fulfill(status=404))
    reader.window.goto(reader.publish())
    reader.window.wait_for_selector(f"{THREAD}[state=ready]")
    reader.link().wait_for()

    assert reader.bodies() == ["First."]
    if missing != "write/en.js":
        assert "Not everything could be loaded." in reader.says("below")
    reader.link().click()
    reader.window.wait_for_url(f"{reader.service}/embed/demo?page=**")
    assert watch.errors == []


def test_a_reply_that_has_no_form_leads_to_one(reader: Reader, talk: Talk) -> None:
    said = talk.say_many(30)
    reader.window.context.route("**/form.js", lambda route: route.fulfill(status=404))
    reader.opens()
    assert reader.link().count() == 0

    reader.does("reply", reader.comment(said[0])).click()

    reader.part("below").locator("a[href*='/embed/']").wait_for(state="attached")


def test_parts_of_another_release_leave_the_link(reader: Reader, talk: Talk, watch: Any) -> None:
    """An entry whose parts are gone does not take others for them."""
    talk.say("First.")

    def old(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=re.sub(r"widget/[0-9a-f]{16}/", "widget/0123456789abcdef/", answer.text()))

    reader.window.context.route("**/widget.js", old)
    reader.window.goto(reader.publish())
    reader.window.wait_for_selector(f"{THREAD}[state=failed]")

    reader.link().click()
    reader.window.wait_for_url(f"{reader.service}/embed/demo?page=**")


def test_a_thread_that_breaks_while_it_is_drawn_leaves_the_link(reader: Reader, talk: Talk, watch: Any) -> None:
    talk.say("First.")
    reader.window.add_init_script(
        "const real = ShadowRoot.prototype.replaceChildren; ShadowRoot.prototype.replaceChildren = function (one) {"
        " if (one.localName === 'div') throw new Error('broken'); real.call(this, one); }"
    )
    reader.window.goto(reader.publish())
    reader.window.wait_for_selector(f"{THREAD}[state=failed]")

    assert reader.link().is_visible()
    assert [text for text in watch.console if text.startswith("Greenroom")] == ["Greenroom: Error: broken"]


def test_looks_that_do_not_come_show_no_trap(reader: Reader, talk: Talk) -> None:
    reader.window.context.route("**/dress.js", lambda route: route.fulfill(status=404))
    reader.opens()

    trap = reader.window.locator(f"{THREAD} form .trap")
    assert reader.field("body").is_visible()
    assert trap.bounding_box()["width"] <= 1 and trap.bounding_box()["height"] <= 1


def test_who_posts_is_thanked_whatever_is_gone(reader: Reader, talk: Talk) -> None:
    """What shows people their own comments does not come; the comment is there all the same."""
    reader.window.context.route("**/mine.js", lambda route: route.fulfill(status=404))
    reader.opens()

    reader.posts()

    reader.part("notice").filter(has_text="Thank you. Your comment is published.").wait_for()
    assert len(talk.said()) == 1


@pytest.mark.parametrize("missing", ["deeds.js", "outbox.js"])
def test_what_needs_a_part_that_is_gone_cannot_be_sent(reader: Reader, talk: Talk, missing: str) -> None:
    """Nothing that was typed is lost."""
    reader.window.context.route(f"**/{missing}", lambda route: route.fulfill(status=404))
    reader.opens()
    reader.types(**TYPED)
    reader.sends()

    reader.part("alert").filter(has_text="This could not be sent.").wait_for()
    assert reader.field("body").input_value() == TYPED["body"]
    assert talk.said() == []


def test_what_is_kept_and_cannot_be_sent_leaves_a_way(reader: Reader) -> None:
    """A comment from an earlier time waits, and what sends it does not come."""
    reader.window.add_init_script(
        f"localStorage.setItem('greenroom:outbox:{reader.service}/:demo', JSON.stringify([{{ at: Date.now() }}]))"
    )
    reader.window.context.route("**/outbox.js", lambda route: route.fulfill(status=404))
    reader.opens()

    reader.link().wait_for()
    assert "Not everything could be loaded." in reader.says("notices")


def test_reading_again_brings_what_could_not_be_had(reader: Reader, talk: Talk) -> None:
    talk.say("First.")
    reader.window.context.route("**/thread?*", lambda route: route.abort())
    reader.window.goto(reader.publish())
    reader.window.wait_for_selector(f"{THREAD}[state=failed]")
    reader.window.context.unroute("**/thread?*")

    reader.window.evaluate("document.querySelector('greenroom-thread').refresh()")

    reader.window.wait_for_selector(f"{THREAD}[state=ready]")
    assert reader.bodies() == ["First."]


def test_what_a_form_needs_is_asked_for_again(reader: Reader, talk: Talk) -> None:
    """No answer came at first: somebody who begins to write has the rating and the privacy line, once."""
    asked: list[str] = []

    def fail_once(route: Any) -> None:
        asked.append(route.request.url)
        if len(asked) == 1:
            route.abort()
        else:
            route.continue_()

    reader.window.context.route("**/v1/sites/demo/form?*", fail_once)
    reader.opens()
    reader.part("form").wait_for()
    assert reader.window.locator(f"{THREAD} form [name=rating]").count() == 0
    reader.field("body").focus()
    reader.part("steps").wait_for()
    reader.field("name").focus()

    assert (len(asked), reader.part("steps").count(), reader.part("privacy").count()) == (2, 1, 1)
    reader.rates(8)
    reader.posts()
    assert [one["rating"] for one in talk.said()] == [8.0]
