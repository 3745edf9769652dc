"""Parts of the widget that do not come, or break: what is there stays, and the way to all of it is shown."""

from __future__ import annotations

import re
from typing import Any

import pytest

from .reader import THREAD, Reader
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
