"""What a reader does at an awkward moment, or what the server refuses: nothing is lost, and they are told."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.processes import until

from .elsewhere import FAR, tag
from .looking import barriers
from .reader import COMMENTS, THREAD, TYPED, Reader
from .talk import Talk

pytestmark = pytest.mark.browser

_SAYS = """([part, text]) => {
  const parts = document.querySelector("greenroom-thread").shadowRoot.querySelectorAll(`[part~=${part}]`);
  return [...parts].some((one) => one.textContent.includes(text));
}"""
_HEAR_EARLY = "window.heard = []; addEventListener('greenroom:failed', ({ detail }) => heard.push(detail))"
_SHORTER = "window.whole = AbortSignal.timeout; AbortSignal.timeout = (time) => whole.call(AbortSignal, time / 30)"


def held_back(reader: Reader) -> list[Any]:
    """Comments that were sent and are not handed on yet: `continue_` them."""
    waiting: list[Any] = []
    reader.window.context.route(COMMENTS, lambda route: waiting.append(route))
    return waiting


def test_who_types_on_while_a_comment_is_sent_keeps_that(reader: Reader, talk: Talk) -> None:
    waiting = held_back(reader)
    reader.opens()
    reader.reaches_the_form()
    reader.hears("greenroom:posted")
    reader.types(**TYPED)
    reader.sends()
    until(lambda: reader.window.evaluate("1") and waiting)
    reader.field("body").press_sequentially(" And more.")
    waiting[0].continue_()

    told = reader.told("greenroom:posted")
    reader.part("form").locator("button[type=submit]:not([aria-disabled])").wait_for()
    assert reader.field("body").input_value() == "And more."
    assert reader.active()["name"] == "body"
    reader.comment(told["id"]).wait_for(state="attached")
    assert [one["html"].strip() for one in talk.said()] == ["<p>What a <em>fine</em> series.</p>"]
    reader.window.reload()
    reader.waits()
    assert reader.field("body").input_value() == "And more.", "it is a draft"


def test_too_much_is_said_to_be_too_much_and_stays_whole(reader: Reader, talk: Talk) -> None:
    """A limit of the field itself would cut what is pasted, and say nothing."""
    reader.opens()
    reader.types(**TYPED | {"body": "", "name": ""})
    for name, length in (("body", 10_001), ("name", 81)):
        reader.field(name).focus()
        reader.window.keyboard.insert_text("x" * length)
    reader.sends()
    reader.window.locator(f"{THREAD} #body-error:not([hidden])").wait_for()
    reader.window.locator(f"{THREAD} #name-error:not([hidden])").wait_for()
    assert len(reader.field("body").input_value()) == 10_001
    assert len(reader.field("name").input_value()) == 81
    assert talk.said() == []


def test_on_a_closed_page_one_can_report_and_vote(reader: Reader, talk: Talk) -> None:
    said = talk.say("First.")
    talk.close()
    reader.opens()
    assert reader.does("reply").count() == 0
    reader.hears("greenroom:voted")
    reader.does("vote", reader.comment(said)).click()
    assert reader.told("greenroom:voted")["votes"] == 1
    reader.does("report", reader.comment(said)).click()
    reader.comment(said).locator("form button:not([type=button])").click()
    reader.comment(said).locator("text=The moderators will look at it.").wait_for()
    assert len(talk.reports(said)) == 1


def test_what_is_new_takes_no_place_from_what_is_read(reader: Reader, talk: Talk) -> None:
    """With the head on the screen too, where no browser would keep the comments from moving down."""
    first = talk.say_many(3)[0]
    reader.window.clock.install()
    reader.opens(tag(reader.service, reader.page, loading="eager"))
    reader.window.locator(THREAD).evaluate("one => one.scrollIntoView({ block: 'start', behavior: 'instant' })")
    before = reader.comment(first).bounding_box()
    talk.say("This is new.")
    reader.window.clock.fast_forward(120_000)
    reader.does("new").wait_for()
    reader.window.clock.run_for(100)

    assert reader.comment(first).bounding_box() == before


def test_the_same_link_leads_there_once_more(reader: Reader, talk: Talk) -> None:
    *_, last = talk.say_many(30)
    reader.opens(FAR, tag(reader.service, reader.page, loading="eager"))
    link = reader.comment(last).locator("[data-do=link]")
    for _ in range(2):
        link.evaluate("one => one.click()")
        until(lambda: reader.window.evaluate("1") and reader.sees(last))
        reader.until("() => document.activeElement?.shadowRoot?.activeElement?.localName === 'article'")
        reader.window.evaluate("document.activeElement.blur(); scrollTo({ top: 0, behavior: 'instant' })")
        assert not reader.sees(last)


def test_a_file_that_does_not_come_is_told_to_the_page(reader: Reader, talk: Talk) -> None:
    talk.say("First.")
    reader.window.context.route("**/widget/*/thread.js", lambda route: route.abort())
    reader.window.add_init_script(_HEAR_EARLY)
    reader.window.goto(reader.publish())
    reader.until("() => window.heard.length === 1 && window.heard[0].problem === null")
    assert reader.link().is_visible()


def test_a_server_that_never_answers_is_not_waited_for_without_an_end(reader: Reader, talk: Talk) -> None:
    """The time of the browser's own clock, thirty seconds, is made a second here."""
    talk.say("First.")
    reader.window.add_init_script(_SHORTER)
    released = threading.Event()
    reader.window.context.route("**/v1/sites/demo/thread?*", lambda route: released.is_set() and route.continue_())
    reader.window.goto(reader.publish())
    reader.window.wait_for_selector(f"{THREAD}[state=failed]")
    released.set()
    reader.window.evaluate("() => { AbortSignal.timeout = window.whole; }")
    reader.does("again").click()
    reader.waits()
    assert reader.bodies() == ["First."]


def test_what_the_server_refuses_is_said_in_the_readers_language(reader: Reader, talk: Talk) -> None:
    reader.opens(root='lang="de"')
    reader.posts()
    reader.types(**TYPED)
    reader.sends()
    reader.until(_SAYS, ["alert", "Das haben Sie oder jemand in Ihrem Netzwerk schon getan."])
    reader.types(name="A\ue000da", body="Another one.")
    reader.sends()
    reader.until(_SAYS, ["error", "Darin steht ein Zeichen, das nicht angenommen wird."])
    talk.close()
    reader.types(name="Ada")
    reader.sends()
    reader.until(_SAYS, ["alert", "Die Kommentare zu dieser Seite sind geschlossen."])


def test_nothing_that_comes_while_somebody_writes_has_a_barrier(reader: Reader, talk: Talk) -> None:
    """axe-core, with an edit, a report, a preview and a comment that waits on the screen."""
    said = talk.say("First.")
    reader.opens()
    told = reader.posts(body="One of mine.")
    reader.does("edit", reader.comment(told["id"])).first.click()
    reader.does("report", reader.comment(said)).click()
    reader.comment(said).locator("form input").first.wait_for()
    reader.types(**TYPED | {"body": "Some *words*, and a [link](https://example.org)."})
    reader.does("preview").click()
    reader.part("preview").locator("em").wait_for()
    assert barriers(reader.window) == []
