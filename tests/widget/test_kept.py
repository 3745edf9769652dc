"""Comments that find no connection: what is kept of them, for how long, and what becomes of them later."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.e2e.conftest import Demo
from tests.processes import until

from .reader import COMMENTS, THREAD, TYPED, Reader
from .talk import Talk

pytestmark = pytest.mark.browser

DAY = 86_400_000


def keeps_one(reader: Reader, **typed: str) -> None:
    """Write a comment without a connection; the device has it."""
    reader.types(**TYPED | typed)
    until(lambda: reader.window.evaluate("1") and any(one.endswith("/sending.js") for one in reader.scripts))
    (sending, *_) = [one for one in reader.scripts if one.endswith("/sending.js")]
    reader.window.evaluate("url => import(url).then(() => null)", sending)  # until it is there with all that it needs
    reader.window.context.set_offline(True)
    reader.sends()
    reader.part("kept").filter(has_text="Not sent yet.").wait_for()


def leaves(reader: Reader) -> None:
    """Go elsewhere, and have a connection there."""
    reader.window.goto("about:blank")
    reader.window.context.set_offline(False)


def outbox(reader: Reader) -> list[dict[str, Any]]:
    (found,) = [json.loads(value) for name, value in reader.keeps().items() if "outbox" in name] or [[]]
    return list(found)


def sent(reader: Reader) -> list[Any]:
    return [one for one in reader.asked if one.method == "POST" and one.url.endswith("/comments")]


def test_what_is_written_without_a_connection_is_sent_later(reader: Reader, talk: Talk) -> None:
    reader.opens()
    reader.hears("greenroom:posted")
    keeps_one(reader)
    assert "There is no connection." in reader.says("notices")
    assert talk.said() == []
    reader.window.context.set_offline(False)

    assert reader.told("greenroom:posted")["status"] == "approved"
    assert len(talk.said()) == 1
    until(lambda: reader.window.evaluate("1") and reader.part("kept").count() == 0)
    assert "ada@" not in json.dumps(reader.keeps()), "nobody is remembered unasked"


def test_it_is_sent_when_the_page_is_opened_again(reader: Reader, talk: Talk) -> None:
    reader.opens()
    keeps_one(reader)
    leaves(reader)

    reader.visits(reader.publish())

    until(lambda: reader.window.evaluate("1") and len(talk.said()) == 1)


def test_what_is_typed_meanwhile_stays_as_it_is(reader: Reader, talk: Talk) -> None:
    """A reply is begun while a comment waits for the connection; when that goes out, nothing of the reply moves."""
    first = talk.say("First.")
    reader.opens()
    reader.hears("greenroom:posted")
    keeps_one(reader)
    reader.answers(first)
    reader.types(body="A second thought")
    reader.window.context.set_offline(False)
    reader.told("greenroom:posted")
    reader.part("notice").filter(has_text="Your comment is published.").wait_for()

    assert reader.field("body").input_value() == "A second thought"
    assert reader.window.locator(f"{THREAD} #comment-{first} + form").count() == 1
    assert reader.active()["name"] == "body"
    assert "A second thought" in reader.window.evaluate("JSON.stringify({ ...sessionStorage })")
    reader.posts(body="A second thought.")
    said = {one["html"][3:-5]: one["replies"] for one in talk.said()}
    assert [one["html"] for one in said["First."]] == ["<p>A second thought.</p>\n"]


def test_a_draft_stays_when_an_earlier_comment_goes_out_as_the_page_opens(reader: Reader, talk: Talk) -> None:
    reader.opens()
    keeps_one(reader)
    reader.types(body="A second thought")
    leaves(reader)

    reader.visits(reader.publish())

    until(lambda: reader.window.evaluate("1") and len(talk.said()) == 1)
    reader.part("notice").filter(has_text="Your comment is published.").wait_for()
    assert reader.field("body").input_value() == "A second thought"
    assert "A second thought" in reader.window.evaluate("JSON.stringify({ ...sessionStorage })")


def test_it_goes_out_as_whose_it_is(reader: Reader, talk: Talk, service: Demo) -> None:
    """Somebody else is remembered on the device before the connection is back on the page."""
    reader.opens()
    keeps_one(reader, name="Bea", email="bea@mail.example.org", body="By Bea.")
    leaves(reader)
    reader.page = f"{talk.page}/other"
    reader.opens()
    reader.window.get_by_label("Remember me on this device").check()
    reader.posts()
    reader.page = talk.page
    reader.visits(reader.publish())
    until(lambda: reader.window.evaluate("1") and len(talk.said()) == 1)
    until(lambda: reader.window.evaluate("1") and outbox(reader) == [])

    (me,) = [json.loads(value) for name, value in reader.keeps().items() if ":me:" in name]
    assert me["token"] not in sent(reader)[-1].headers["authorization"]
    assert (me["name"], me["email"]) == ("Ada", "ada@mail.example.org")
    tokens = {one["token"] for name, value in reader.keeps().items() if ":mine:" in name for one in json.loads(value)}
    assert len(tokens) == 2 and me["token"] in tokens


def test_it_is_not_kept_while_there_is_a_connection(reader: Reader) -> None:
    """No answer may also mean that something keeps the page from asking, and will do so tomorrow."""
    reader.window.context.route(COMMENTS, lambda route: route.abort())
    reader.opens()
    reader.hears("greenroom:failed")
    reader.types(**TYPED)
    reader.sends()

    assert reader.told("greenroom:failed")["problem"] is None
    reader.part("alert").filter(has_text="This could not be sent. What you wrote is kept").wait_for()
    assert reader.field("body").input_value() == TYPED["body"]
    assert outbox(reader) == []


def test_its_author_may_throw_it_away(reader: Reader, talk: Talk) -> None:
    reader.opens()
    keeps_one(reader)

    reader.does("discard").click()

    assert outbox(reader) == []
    assert "ada@" not in json.dumps(reader.keeps())
    assert reader.part("kept").count() == 0
    assert reader.active()["inside"]
    reader.window.context.set_offline(False)
    reader.window.reload()
    reader.waits()
    assert (sent(reader)[1:], talk.said()) == ([], [])


def test_its_author_may_take_it_back_into_the_form(reader: Reader, talk: Talk) -> None:
    first = talk.say("First.")
    reader.opens()
    reader.answers(first)
    keeps_one(reader, body="An answer")

    reader.does("takeback").click()

    assert (outbox(reader), reader.part("kept").count()) == ([], 0)
    assert reader.field("body").input_value() == "An answer"
    assert reader.window.locator(f"{THREAD} #comment-{first} + form").count() == 1
    reader.window.context.set_offline(False)
    reader.posts(body="An answer, and a better one.")
    (answered,) = talk.said()
    assert len(answered["replies"]) == 1


def ages(reader: Reader, by: float) -> None:
    """Let what is kept be so much older, in milliseconds."""
    (name,) = [name for name in reader.keeps() if "outbox" in name]
    reader.window.evaluate(
        """([name, age]) => {
          const [one] = JSON.parse(localStorage.getItem(name));
          localStorage.setItem(name, JSON.stringify([{ ...one, at: one.at - age }]));
        }""",
        [name, by],
    )


@pytest.mark.parametrize(("hours", "again"), [(22.9, 1), (23.1, 0)])
def test_it_is_not_sent_by_itself_once_its_key_may_be_forgotten(
    reader: Reader, talk: Talk, hours: float, again: int
) -> None:
    """The server had it, and only its answer was lost: a day later the same key would make a second comment."""
    reader.opens()
    keeps_one(reader)
    ages(reader, hours * 3_600_000)
    leaves(reader)
    reader.visits(reader.publish())
    until(lambda: reader.window.evaluate("1") and len(talk.said()) == again)
    reader.window.wait_for_load_state("networkidle")

    assert len(sent(reader)) == 1 + again
    assert reader.part("kept").count() == reader.does("takeback").count() == 1 - again


def test_its_age_is_that_of_the_first_try(reader: Reader) -> None:
    """Also where that one had a connection, and no answer."""
    reader.window.context.route(COMMENTS, lambda route: route.abort())
    reader.opens()
    reader.hears("greenroom:failed")
    reader.types(**TYPED)
    reader.sends()
    reader.told("greenroom:failed")
    reader.part("form").locator("button[type=submit]:not([aria-disabled])").wait_for()
    tried = reader.window.evaluate("Date.now()")
    keeps_one(reader)

    assert [one["at"] < tried for one in outbox(reader)] == [True]


def test_nobody_decides_about_what_is_on_its_way(reader: Reader, talk: Talk) -> None:
    """It could be posted all the same."""
    held: list[Any] = []
    reader.opens()
    keeps_one(reader)
    reader.window.context.route(COMMENTS, lambda route: held.append(route))
    reader.window.context.set_offline(False)
    until(lambda: reader.window.evaluate("1") and held)

    assert reader.part("kept").count() == 1
    assert reader.does("takeback").count() == reader.does("discard").count() == 0
    reader.window.context.unroute(COMMENTS)
    held[0].continue_()
    until(lambda: reader.window.evaluate("1") and len(talk.said()) == 1)


def test_what_is_taken_back_unchanged_keeps_its_key(reader: Reader, talk: Talk) -> None:
    """A try of it may have come through."""
    reader.opens()
    keeps_one(reader)
    (kept,) = outbox(reader)
    reader.does("takeback").click()
    reader.window.context.set_offline(False)
    reader.hears("greenroom:posted")
    reader.sends()
    reader.told("greenroom:posted")

    assert sent(reader)[-1].headers["idempotency-key"] == kept["key"]


@pytest.mark.parametrize(("age", "left"), [(6, 1), (8, 0)])
def test_it_is_kept_for_a_week(reader: Reader, talk: Talk, age: int, left: int) -> None:
    """On whichever page of the site the widget is next."""
    reader.opens()
    keeps_one(reader)
    ages(reader, age * DAY)
    leaves(reader)
    reader.page = f"{talk.page}/other"
    reader.visits(reader.publish())
    reader.window.wait_for_load_state("networkidle")

    assert len(outbox(reader)) == left
    assert sent(reader)[1:] == []


def test_a_reply_that_is_refused_later_is_still_a_reply(reader: Reader, talk: Talk) -> None:
    first = talk.say("First.")
    reader.opens()
    reader.answers(first)
    keeps_one(reader, body="An answer.")
    leaves(reader)
    reader.refuses(name="This name cannot be written.")
    reader.visits(reader.publish())

    reader.part("error").filter(has_text="This name cannot be written.").wait_for()
    assert "Reply to Wren" in reader.part("form").inner_text()
    assert reader.field("body").input_value() == "An answer."
    assert reader.window.locator(f"{THREAD} #comment-{first} + form").count() == 1
    reader.window.context.unroute(COMMENTS)
    reader.posts(body="An answer.")
    (answered,) = talk.said()
    assert len(answered["replies"]) == 1


def test_what_is_refused_later_does_not_mix_with_what_is_typed(reader: Reader) -> None:
    """It waits beside the form, with the reason, until its author decides about it; and is not sent again by itself."""
    reader.opens()
    reader.hears("greenroom:failed")
    keeps_one(reader)
    reader.types(body="A second thought")
    reader.refuses(name="This name cannot be written.")
    reader.window.context.set_offline(False)

    reader.told("greenroom:failed")
    reader.part("kept").filter(has_text="This name cannot be written.").wait_for()
    assert reader.field("body").input_value() == "A second thought"
    tried = len(sent(reader))
    reader.window.reload()
    reader.waits()
    reader.part("kept").filter(has_text="This name cannot be written.").wait_for()
    assert len(sent(reader)) == tried
