"""Readers: threads in their order, pages of them, permalinks, times, and what is new."""

from __future__ import annotations

from typing import Any

import pytest

from tests.processes import until

from .elsewhere import FAR, tag
from .reader import THREAD, TYPED, Reader
from .talk import Talk

pytestmark = pytest.mark.browser

CLEAR = "rgba(0, 0, 0, 0)"


def left(reader: Reader, comment_id: str) -> float:
    """Where the text of a comment begins."""
    box = reader.comment(comment_id).locator("[part~=body]").first.bounding_box()
    return float(box["x"])


def ground(reader: Reader, comment_id: str) -> str:
    found: str = reader.comment(comment_id).evaluate("one => getComputedStyle(one).backgroundColor")
    return found


def test_replies_stand_under_what_they_answer(reader: Reader, talk: Talk) -> None:
    first = talk.say("First.")
    talk.say("Second.")
    reply = talk.say("An answer.", "Jo", parent_id=first)
    answered = talk.say("And one to that.", "Ana", parent_id=reply)
    reader.opens()

    assert reader.bodies() == ["First.", "An answer.", "And one to that.", "Second."]
    assert left(reader, first) < left(reader, reply) < left(reader, answered)


@pytest.mark.parametrize("number", [3, 60])
def test_a_permalink_scrolls_to_its_comment_and_marks_it(reader: Reader, talk: Talk, number: int) -> None:
    """Also to one that the first page of the thread has not got."""
    said = talk.say_many(number + 5)
    url = reader.publish(FAR, tag(reader.service, reader.page))
    reader.visits(f"{url}#comment-{said[number]}")

    reader.comment(said[number]).wait_for()
    until(lambda: reader.sees(said[number]))
    until(lambda: ground(reader, said[number]) != CLEAR)
    others = reader.part("comment").evaluate_all("all => all.map((one) => one.dataset.id)")[-2:]
    assert said[number] not in others
    assert [ground(reader, one) for one in others] == [CLEAR, CLEAR]


def test_a_permalink_does_not_wait_for_the_form(reader: Reader, talk: Talk) -> None:
    """Nor for anything else: whoever has begun to read is not carried away."""
    said = talk.say_many(30)
    reader.window.context.route("**/v1/sites/demo/form?*", lambda route: None)
    reader.window.context.route("**/write/*.js", lambda route: None)
    reader.window.goto(f"{reader.publish(FAR, tag(reader.service, reader.page))}#comment-{said[20]}")

    reader.comment(said[20]).wait_for()
    until(lambda: reader.sees(said[20]))


def test_a_permalink_of_a_page_is_followed_later_too(reader: Reader, talk: Talk) -> None:
    said = talk.say_many(30)
    reader.opens(FAR, tag(reader.service, reader.page, loading="eager"))

    reader.window.evaluate("id => { location.hash = `#comment-${id}` }", said[20])

    until(lambda: reader.sees(said[20]))


def test_the_methods_of_the_element(reader: Reader, talk: Talk) -> None:
    said = talk.say_many(30)
    reader.opens(FAR, tag(reader.service, reader.page, loading="eager"))

    reader.window.evaluate("id => document.querySelector('greenroom-thread').show(id)", said[25])
    until(lambda: reader.sees(said[25]))

    new = talk.say("One more.")
    reader.window.evaluate("document.querySelector('greenroom-thread').refresh()")
    reader.comment(new).wait_for()

    reader.window.evaluate("document.querySelector('greenroom-thread').focusForm()")
    until(lambda: reader.active()["name"] == "body")


def test_the_form_comes_when_its_place_is_near(reader: Reader, talk: Talk) -> None:
    talk.say_many(30)
    reader.opens()
    assert [one for one in reader.scripts if one.endswith(("/form.js", "/dress.js", "/write/en.js"))] == []

    reader.reaches_the_form()

    assert reader.field("body").is_visible()
    assert len([one for one in reader.scripts if one.endswith("/form.js")]) == 1


@pytest.mark.parametrize("does", ["reply", "method"])
def test_the_form_is_not_asked_in_vain(reader: Reader, talk: Talk, does: str) -> None:
    """Whoever asks for it before it is there has it as soon as it has come."""
    said = talk.say_many(30)
    held: list[Any] = []
    reader.window.context.route("**/form.js", lambda route: held.append(route))
    reader.window.goto(reader.publish())

    if does == "reply":
        reader.does("reply", reader.comment(said[3])).click()
    else:
        reader.until("() => !!customElements.get('greenroom-thread')")
        reader.window.evaluate("() => { document.querySelector('greenroom-thread').focusForm() }")
    until(lambda: reader.window.evaluate("1") and held)
    assert reader.part("form").count() == 0
    held[0].continue_()

    until(lambda: (reader.active() or {}).get("name") == "body")
    under = reader.window.locator(f"{THREAD} #comment-{said[3]} + form")
    assert under.count() == (does == "reply")


def test_times_are_told_as_people_do_and_exactly(reader: Reader, talk: Talk) -> None:
    said = talk.say("First.")
    reader.opens()

    time = reader.comment(said).locator("time").first
    assert time.get_attribute("datetime").endswith("Z")
    assert "minute" in reader.reads(time) or "now" in reader.reads(time)
    time.hover()
    exact = time.get_attribute("title")
    assert time.get_attribute("datetime")[:4] in exact and ":" in exact


def test_the_comments_of_moderators_are_marked(reader: Reader, talk: Talk) -> None:
    said = talk.say("First.")
    reader.window.context.route(
        "**/v1/sites/demo/thread?*",
        lambda route: route.fulfill(
            response=(answer := route.fetch()),
            body=answer.text()
            .replace('"is_moderator":false', '"is_moderator":true')
            .replace('"is_moderator": false', '"is_moderator": true'),
        ),
    )
    reader.opens()

    assert "Moderator" in reader.reads(reader.comment(said))


def test_what_moderators_put_first_is_marked(reader: Reader, talk: Talk) -> None:
    talk.say("First.")
    pinned = talk.say("Read this before you write.")
    talk.pin(pinned)
    reader.opens()

    assert reader.ids()[0] == pinned
    assert "Pinned" in reader.reads(reader.comment(pinned))
    assert reader.part("mark").count() == 1


def test_ratings_are_summed_up(reader: Reader, talk: Talk) -> None:
    for number, rating in enumerate((8, 8, 9, 3)):
        talk.say(f"Opinion {number}.", rating=rating)
    reader.opens()

    summary = reader.says("summary")
    assert "7" in summary and "4 ratings" in summary, summary
    rows = [row.split() for row in reader.part("histogram").locator("tr").all_inner_texts()]
    assert {row[0]: row[-1] for row in rows if row[0].isdigit()}.items() >= {"8": "2", "9": "1", "3": "1"}.items()
    assert all(
        "out of 10" in text or "/ 10" in text
        for text in reader.part("score", f"{THREAD} [part~=comment]").all_text_contents()
    )


def test_a_page_without_comments_invites(reader: Reader) -> None:
    reader.opens()

    assert "No comments yet. Be the first." in reader.says()
    assert reader.part("form").is_visible()


def test_a_clock_behind_the_servers_makes_no_future(reader: Reader, talk: Talk) -> None:
    said = talk.say("First.")
    reader.window.add_init_script("const now = Date.now; Date.now = () => now() - 300_000;")
    reader.opens()

    assert reader.reads(reader.comment(said).locator("time").first) == "this minute"


def test_a_closed_page_says_so(reader: Reader, talk: Talk) -> None:
    talk.say("First.")
    talk.close()
    reader.opens()

    assert "Comments on this page are closed." in reader.says()
    assert reader.field("body").count() == 0
    assert reader.does("reply").count() == 0
    assert not [one for one in reader.asked if "/form?" in one.url]


def test_a_page_that_closes_meanwhile_says_so_to_who_writes(reader: Reader, talk: Talk) -> None:
    talk.say("First.")
    reader.opens()
    talk.close()
    reader.hears("greenroom:failed")
    reader.types(**TYPED)
    reader.sends()

    assert reader.told("greenroom:failed")["problem"]["status"] == 403
    assert "Comments on this page closed on" in reader.part("alert").inner_text()
    assert reader.field("body").input_value() == TYPED["body"]


def test_what_fails_says_so_and_can_be_tried_again(reader: Reader, talk: Talk) -> None:
    talk.say("First.")
    broken = {"is": True}
    reader.window.context.route(
        "**/v1/sites/demo/thread?*", lambda route: route.abort() if broken["is"] else route.continue_()
    )
    reader.window.goto(reader.publish())
    reader.window.wait_for_selector(f"{THREAD}[state=failed]")

    assert "could not be loaded" in reader.says()
    assert reader.link().is_visible()
    reader.hears("greenroom:failed")
    reader.does("again").click()
    reader.told("greenroom:failed")
    reader.until("() => document.activeElement?.shadowRoot?.activeElement?.dataset.do === 'again'")
    broken["is"] = False
    reader.does("again").click()
    reader.waits()
    assert reader.bodies() == ["First."]
    assert reader.active()["tag"] == "h2"


def test_what_cannot_be_loaded_further_is_said_there(reader: Reader, talk: Talk) -> None:
    talk.say_many(51)
    reader.opens()
    broken = {"is": True}
    reader.window.context.route(
        "**/v1/sites/demo/thread?*", lambda route: route.abort() if broken["is"] else route.continue_()
    )
    said = reader.part("more").locator("+ [role=alert]")

    reader.reaches_the_form()
    reader.does("more").click()
    said.filter(has_text="The comments could not be loaded.").wait_for()
    broken["is"] = False
    reader.does("more").click()
    until(lambda: len(reader.bodies()) == 51)
    assert reader.part("aside").count() == 0
