"""A comment that did not come through at once: it is tried again, is one comment of all tries, and disturbs nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.e2e.conftest import Demo
from tests.processes import until

from .reader import COMMENTS, THREAD, TYPED, Reader
from .talk import Talk
from .test_kept import ages, keeps_one, leaves, outbox, sent

pytestmark = pytest.mark.browser

OLD_ARRAYS = """Array.prototype.toJSON = function () { return `[${this.join()}]`; };"""


def answers(reader: Reader, status: int, **headers: str) -> None:
    """Let every comment be answered so, from now on."""
    origin = {"Access-Control-Allow-Origin": reader.theirs.origin, "Access-Control-Expose-Headers": "*"}
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    reader.window.context.route(
        COMMENTS,
        lambda route: route.fulfill(
            status=status,
            content_type="application/problem+json",
            headers=origin | told,
            body=json.dumps({"title": "Later", "status": status, "detail": "Later."}),
        ),
    )


@pytest.mark.parametrize(("status", "wait", "again"), [(503, None, True), (429, "20", True), (429, "600", False)])
def test_what_the_server_had_no_time_for_is_tried_again(
    reader: Reader, talk: Talk, status: int, wait: str | None, again: bool
) -> None:
    """While the page is open, and not before the server wants to hear of it."""
    reader.window.clock.install()
    reader.opens()
    keeps_one(reader)
    answers(reader, status, **({"Retry_After": wait} if wait else {}))
    tried = len(sent(reader))
    reader.window.context.set_offline(False)
    until(lambda: reader.window.evaluate("1") and len(sent(reader)) == tried + 1)
    reader.does("takeback").wait_for()  # it is not on its way any more
    reader.window.context.unroute(COMMENTS)
    reader.window.clock.fast_forward(31_000)
    if again:
        until(lambda: reader.window.evaluate("1") and len(talk.said()) == 1)
    until(lambda: reader.window.evaluate("1") and [one for one in reader.asked if "/counts" in one.url])
    reader.window.wait_for_load_state("networkidle")
    assert len(sent(reader)) == tried + 1 + again


def test_who_is_at_its_buttons_stays_there_while_it_is_tried(reader: Reader) -> None:
    reader.opens()
    keeps_one(reader)
    answers(reader, 503)
    reader.does("discard").focus()
    reader.window.context.set_offline(False)
    until(lambda: reader.window.evaluate("1") and len(sent(reader)) > 1)
    reader.does("discard").wait_for()

    until(lambda: (reader.active() or {}).get("doing") == "discard")


def test_two_windows_do_not_send_it_both(reader: Reader, talk: Talk) -> None:
    held: list[Any] = []
    reader.opens()
    keeps_one(reader)
    reader.window.context.route(COMMENTS, lambda route: held.append(route))
    reader.window.context.set_offline(False)
    until(lambda: reader.window.evaluate("1") and held)
    other = Reader(reader.window.context.new_page(), reader.service, reader.theirs, reader.page)
    other.opens()
    other.part("kept").wait_for()
    other.window.wait_for_load_state("networkidle")

    assert len(held) == 1
    held[0].continue_()
    until(lambda: reader.window.evaluate("1") and len(talk.said()) == 1)


def test_it_is_kept_where_an_old_library_writes_arrays(reader: Reader, talk: Talk) -> None:
    reader.window.add_init_script(OLD_ARRAYS)
    reader.opens()
    reader.hears("greenroom:posted")
    keeps_one(reader)
    assert len(outbox(reader)) == 1
    reader.window.context.set_offline(False)

    reader.told("greenroom:posted")
    reader.does("withdraw").wait_for()
    assert len(talk.said()) == 1


def test_long_lists_are_counted_where_an_old_library_writes_arrays(reader: Reader, talk: Talk) -> None:
    reader.window.add_init_script(OLD_ARRAYS)
    counts = [f'<greenroom-count site="demo" page="{talk.page}/{"x" * 1880}{n}"></greenroom-count>' for n in range(3)]
    reader.window.goto(reader.publish(*counts))

    reader.until("() => [...document.querySelectorAll('greenroom-count')].every((one) => one.shadowRoot?.textContent)")


def refused_beside_the_form(reader: Reader) -> None:
    """What is kept is refused while something else is written; then the form is empty again."""
    keeps_one(reader)
    reader.types(body="A second thought")
    reader.refuses(name="This name cannot be written.")
    reader.window.context.set_offline(False)
    reader.part("kept").filter(has_text="This name cannot be written.").wait_for()
    reader.types(body="")


def test_what_was_refused_goes_out_once_its_author_posts_it_again(reader: Reader, talk: Talk) -> None:
    reader.opens()
    refused_beside_the_form(reader)
    reader.does("takeback").click()
    reader.window.context.unroute(COMMENTS)  # such a route answers without a connection, too
    reader.window.context.set_offline(True)
    reader.sends()
    reader.part("kept").filter(has_text="Not sent yet.").wait_for()
    reader.window.context.set_offline(False)

    until(lambda: reader.window.evaluate("1") and len(talk.said()) == 1)


def test_what_was_too_old_goes_out_once_its_author_posts_it_again(reader: Reader, talk: Talk) -> None:
    reader.opens()
    keeps_one(reader)
    ages(reader, 24 * 3_600_000)
    leaves(reader)
    reader.visits(reader.publish())
    reader.does("takeback").click()
    reader.window.context.set_offline(True)
    reader.sends()
    reader.part("kept").wait_for()
    reader.window.context.set_offline(False)

    until(lambda: reader.window.evaluate("1") and len(talk.said()) == 1)


def test_a_refusal_that_comes_by_itself_takes_the_focus_from_nobody(reader: Reader, talk: Talk) -> None:
    first = talk.say("First.")
    reader.opens()
    keeps_one(reader)
    leaves(reader)
    reader.refuses(name="This name cannot be written.")
    reader.visits(reader.publish())
    reader.part("error").filter(has_text="This name cannot be written.").wait_for()

    assert reader.field("body").input_value() == TYPED["body"]
    assert not reader.active()["inside"]
    assert reader.sees(first)


def test_a_refusal_that_comes_by_itself_leaves_what_is_typed(reader: Reader) -> None:
    """Only a name and an address, as yet."""
    reader.opens()
    keeps_one(reader)
    reader.types(name="Bea", email="bea@mail.example.org")
    reader.refuses(name="This name cannot be written.")
    reader.window.context.set_offline(False)
    reader.part("kept").filter(has_text="This name cannot be written.").wait_for()

    assert reader.field("name").input_value() == "Bea"
    assert reader.field("email").input_value() == "bea@mail.example.org"


def posts_into_the_void(reader: Reader) -> None:
    """The server has it, and its answer is lost on the way."""

    def lose(route: Any) -> None:
        route.fetch()
        route.abort()

    reader.window.context.route(COMMENTS, lose)
    reader.hears("greenroom:failed")
    reader.types(**TYPED)
    reader.sends()
    reader.told("greenroom:failed")
    reader.window.context.unroute(COMMENTS)


def test_a_try_after_a_reload_is_the_same_comment(reader: Reader, talk: Talk) -> None:
    reader.opens()
    posts_into_the_void(reader)
    reader.window.reload()
    reader.waits()
    reader.hears("greenroom:posted")
    reader.sends()
    reader.told("greenroom:posted")

    assert len(talk.said()) == 1


def test_a_try_from_another_network_is_the_same_comment(reader: Reader, talk: Talk) -> None:
    """The telephone has left the house meanwhile."""
    reader.window.context.set_extra_http_headers({})
    networks = iter(["10.77.1.1"] * 3 + ["10.88.1.1"])
    posted: list[str] = []

    def travel(route: Any) -> None:
        answer = route.fetch(headers=route.request.headers | {"x-forwarded-for": next(networks)})
        posted.append(answer.status)
        route.abort() if len(posted) < 4 else route.fulfill(response=answer)

    reader.window.context.route(COMMENTS, travel)
    reader.opens()
    reader.hears("greenroom:failed", "greenroom:posted")
    reader.types(**TYPED)
    reader.sends()
    reader.told("greenroom:failed")
    reader.part("form").locator("button[type=submit]:not([aria-disabled])").wait_for()
    reader.sends()
    reader.told("greenroom:posted")

    assert posted == [201] * 4
    assert len(talk.said()) == 1


def test_who_has_no_token_is_told_one(reader: Reader) -> None:
    reader.opens()
    reader.posts()
    nobodys = sent(reader)[-1].headers["authorization"]
    reader.does("withdraw").wait_for()
    (mine,) = [json.loads(value) for name, value in reader.keeps().items() if ":mine:" in name]

    assert mine[0]["token"] not in nobodys
    reader.posts(body="Another one.")
    assert sent(reader)[-1].headers["authorization"] != nobodys


def test_another_spelling_of_the_address_is_the_same_page(reader: Reader, service: Demo) -> None:
    """A reader comes back by a link of a newsletter."""
    bare = '<greenroom-thread site="demo"></greenroom-thread>'
    url = reader.publish(bare)
    reader.visits(url)
    reader.posts()
    reader.does("withdraw").wait_for()
    keeps_one(reader, body="Without a connection.")
    reader.types(body="Half a thought")
    leaves(reader)
    reader.refuses(name="This name cannot be written.")
    reader.visits(f"{url}?utm_source=letter")

    reader.part("kept").filter(has_text="Without a connection.").wait_for()
    assert reader.window.locator(f"{THREAD} .deeds").count() == 1
    assert reader.field("body").input_value() == "Half a thought"
