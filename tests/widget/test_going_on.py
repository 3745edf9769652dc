"""Readers who go on: the order of a thread, more of it, and what is read again."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.processes import until

from .elsewhere import FAR, tag
from .reader import THREAD, Reader
from .talk import Talk

pytestmark = pytest.mark.browser


def open_all(reader: Reader) -> None:
    """Press "More replies" until there are none."""
    while reader.does("replies").count():
        reader.goes_on("replies")


def test_it_is_in_the_order_that_is_chosen(reader: Reader, talk: Talk) -> None:
    for body in ("First.", "Second.", "Third."):
        talk.say(body)
    reader.opens()

    reader.does("sort").select_option("newest")

    until(lambda: reader.bodies() == ["Third.", "Second.", "First."])


def test_the_tag_can_choose_the_order(reader: Reader, talk: Talk) -> None:
    talk.say("First.")
    talk.say("Second.")
    reader.opens(sort="newest")

    assert reader.bodies() == ["Second.", "First."]
    assert reader.does("sort").input_value() == "newest"


def test_more_comments_come_by_cursor_and_none_twice(reader: Reader, talk: Talk) -> None:
    said = talk.say_many(110)
    reader.opens()

    while reader.does("more").count():
        reader.goes_on("more")

    ids = reader.part("comment").evaluate_all("all => all.map((one) => one.dataset.id)")
    assert ids == said
    cursors = [parse_qs(urlsplit(one.url).query).get("cursor", [""])[0] for one in reader.asked if "/thread" in one.url]
    assert len(cursors) == len(set(cursors)) > 1


def test_pressing_twice_brings_no_comment_twice(reader: Reader, talk: Talk) -> None:
    said = talk.say_many(60)
    replies = [talk.say(f"Answer {n}.", parent_id=said[0]) for n in range(45)]
    reader.opens()
    twice = "one => { one.click(); one.click(); }"

    reader.goes_on("more", twice)
    while reader.does("replies").count():
        reader.goes_on("replies", twice)

    reader.window.wait_for_load_state("networkidle")
    assert reader.ids() == [said[0], *replies, *said[1:]]
    assert reader.does("more").count() == 0


def test_more_replies_do_not_say_what_they_stand_under(reader: Reader, talk: Talk) -> None:
    first = talk.say("First.")
    replies = [talk.say(f"Answer {n}.", parent_id=first) for n in range(45)]
    reader.opens()

    open_all(reader)

    assert reader.ids() == [first, *replies]
    assert reader.part("to").count() == 0
    assert reader.active()["tag"] == "article"


def test_opened_replies_stay_open_and_in_their_place(reader: Reader, talk: Talk) -> None:
    first = talk.say("First.")
    replies = [talk.say(f"Answer {n}.", parent_id=first) for n in range(45)]
    reader.opens()
    open_all(reader)
    reader.reaches_the_form()  # it comes when somebody is near, and is not as high as the room that is kept for it
    place = "one => { one.scrollIntoView({ behavior: 'instant' }); scrollBy({ top: 30, behavior: 'instant' }) }"
    reader.comment(replies[-2]).evaluate(place)
    before = reader.comment(replies[-2]).bounding_box()["y"]

    reader.window.evaluate("document.querySelector('greenroom-thread').refresh()")

    assert reader.ids() == [first, *replies]
    assert abs(reader.comment(replies[-2]).bounding_box()["y"] - before) < 2


def test_a_box_that_scrolls_is_scrolled_and_not_the_window(reader: Reader, talk: Talk) -> None:
    said = talk.say_many(20)
    thread = tag(reader.service, reader.page, sort="newest", loading="eager")
    reader.opens(f'<div id=box style="height: 500px; overflow-y: auto">{thread}</div>', FAR)
    reader.window.evaluate("scrollTo(0, 100)")
    reader.comment(said[5]).evaluate(
        "one => { const top = (it) => it.getBoundingClientRect().top; box.scrollTop = top(one) - top(box) + 30 }"
    )
    before = reader.comment(said[5]).bounding_box()["y"]
    talk.say("One more.")

    reader.window.evaluate("document.querySelector('greenroom-thread').refresh()")

    assert reader.part("comment").count() == 21
    assert abs(reader.comment(said[5]).bounding_box()["y"] - before) < 2
    assert reader.window.evaluate("scrollY") == 100


def test_the_order_is_the_one_chosen_last(reader: Reader, talk: Talk) -> None:
    """Although the answer to an earlier choice comes later."""
    for body in ("First.", "Second.", "Third."):
        talk.say(body)
    held: list[Any] = []
    reader.opens()
    reader.window.context.route("**/thread?*sort=top*", lambda route: held.append(route))

    reader.does("sort").select_option("top")
    until(lambda: reader.window.evaluate("1") and held)
    reader.does("sort").select_option("newest")
    until(lambda: reader.bodies() == ["Third.", "Second.", "First."])
    held[0].continue_()
    reader.window.wait_for_load_state("networkidle")
    reader.window.evaluate("new Promise((done) => setTimeout(done, 100))")

    assert reader.bodies() == ["Third.", "Second.", "First."]
    assert reader.does("sort").input_value() == "newest"


def test_an_order_that_cannot_be_had_is_not_shown(reader: Reader, talk: Talk) -> None:
    for body in ("First.", "Second."):
        talk.say(body)
    reader.opens()
    reader.hears("greenroom:failed")
    reader.window.context.route("**/thread?*", lambda route: route.abort())

    reader.does("sort").select_option("newest")
    reader.told("greenroom:failed")

    until(lambda: reader.does("sort").input_value() == "oldest")
    assert reader.bodies() == ["First.", "Second."]


def test_the_focus_stays_on_the_order(reader: Reader, talk: Talk) -> None:
    for body in ("First.", "Second."):
        talk.say(body)
    reader.opens()

    reader.does("sort").focus()
    reader.does("sort").select_option("newest")

    until(lambda: reader.bodies() == ["Second.", "First."])
    until(lambda: reader.active()["doing"] == "sort")


def test_the_focus_stays_where_more_comments_come(reader: Reader, talk: Talk) -> None:
    talk.say_many(60)
    reader.opens()
    before = reader.ids()

    reader.does("more").first.focus()
    reader.window.keyboard.press("Enter")

    reader.comes_to_another(before)


@pytest.mark.parametrize("then", ["more", "refresh", "show"])
def test_a_reply_to_the_comment_that_was_followed_stays(reader: Reader, talk: Talk, then: str) -> None:
    """That stands above the others while it is further down, and goes when it has its place, or another is followed."""
    said = talk.say_many(60)
    reader.visits(f"{reader.publish()}#comment-{said[55]}")
    reader.comment(said[55]).wait_for()
    reader.answers(said[55])
    reader.types(body="Half an answer")

    if then == "more":
        reader.goes_on("more")
    elif then == "refresh":
        reader.window.evaluate("document.querySelector('greenroom-thread').refresh()")
    else:
        reader.window.evaluate("id => document.querySelector('greenroom-thread').show(id)", said[57])

    assert reader.part("linked").count() == (then == "show")
    assert reader.field("body").input_value() == "Half an answer"
    assert reader.window.locator(f"{THREAD} #comment-{said[55]} + form").count() == (then == "more")


def test_more_is_not_forgotten_by_a_list_that_is_read_again(reader: Reader, talk: Talk) -> None:
    said = talk.say_many(60)
    held: list[Any] = []
    reader.opens()
    first = re.compile(r"/thread\?(?!.*cursor=)")
    reader.window.context.route(first, lambda route: held.append(route))
    reader.window.evaluate("() => { document.querySelector('greenroom-thread').refresh() }")
    until(lambda: reader.window.evaluate("1") and held)

    reader.does("more").first.evaluate("one => one.click()")
    reader.window.evaluate("new Promise((done) => setTimeout(done, 300))")
    held[0].continue_()
    reader.window.evaluate("new Promise((done) => setTimeout(done, 300))")

    until(lambda: reader.ids() == said)


@pytest.mark.parametrize(("box", "field"), [("edit", "textarea"), ("report", "input")])
def test_the_focus_stays_in_a_box_that_is_open(reader: Reader, talk: Talk, box: str, field: str) -> None:
    talk.say("First.")
    reader.opens()
    told = reader.posts(body="One of mine.")
    reader.does(box, reader.comment(told["id"])).first.click()
    reader.comment(told["id"]).locator(field).fill("Half a thought")
    reader.comment(told["id"]).locator(field).evaluate("one => { one.drawnOnce = true }")

    reader.window.evaluate("document.querySelector('greenroom-thread').refresh()")

    assert reader.active()["tag"] == field
    assert reader.comment(told["id"]).locator(field).evaluate("one => one.drawnOnce")


def test_long_branches_are_opened_by_their_button(reader: Reader, talk: Talk) -> None:
    first = talk.say("First.")
    replies = [talk.say(f"Answer {n}.", parent_id=first) for n in range(45)]
    reader.opens()

    open_all(reader)

    ids = reader.part("comment").evaluate_all("all => all.map((one) => one.dataset.id)")
    assert ids == [first, *replies]
