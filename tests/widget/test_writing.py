"""Writers: the form, its errors and hints, replies, and answers that are lost on the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.conftest import Demo
from tests.processes import until

from .elsewhere import Elsewhere, tag
from .reader import COMMENTS, NOTE, THREAD, TYPED, Reader
from .talk import Talk

pytestmark = pytest.mark.browser


def errors(reader: Reader) -> dict[str, str]:
    """What is said beside the fields, as a screen reader would say it with them."""
    found: dict[str, str] = reader.part("form").evaluate(
        """form => Object.fromEntries([...form.elements].filter((one) => one.getAttribute("aria-invalid") === "true")
          .map((one) => [one.name, (one.getAttribute("aria-describedby") ?? "").split(" ")
            .map((id) => form.getRootNode().getElementById(id)).filter((text) => text?.checkVisibility())
            .map((text) => text.textContent.trim()).join(" ")]))"""
    )
    return found


def test_the_form_says_what_is_needed(reader: Reader) -> None:
    reader.opens()

    assert NOTE in reader.says("form")
    for name in ("name", "email", "body"):
        assert reader.field(name).get_attribute("required") is not None
        assert reader.field(name).evaluate("one => one.labels[0].innerText").rstrip().endswith("*")
    assert reader.field("email").get_attribute("autocomplete") == "email"
    assert reader.field("name").get_attribute("autocomplete") == "name"


def test_a_comment_is_posted_and_shown(reader: Reader, talk: Talk) -> None:
    reader.opens()

    told = reader.posts()

    assert told["status"] == "approved"
    reader.comment(told["id"]).wait_for()
    assert reader.comment(told["id"]).locator("em").text_content() == "fine"
    assert [one["id"] for one in talk.said()] == [told["id"]]
    assert reader.field("body").input_value() == ""


def test_a_rating_goes_along(reader: Reader, talk: Talk) -> None:
    reader.opens()

    reader.rates(8)
    reader.posts()

    assert [one["rating"] for one in talk.said()] == [8.0]


def test_a_site_without_a_scale_has_no_rating(reader: Reader, talk: Talk) -> None:
    reader.opens(tag(reader.service, reader.page, site="waits"))

    assert reader.field("body").is_visible()
    assert reader.field("rating").count() == 0


def test_what_is_missing_is_said_beside_its_field(reader: Reader) -> None:
    reader.opens()

    reader.types(name="Ada")
    reader.sends()

    until(lambda: errors(reader).keys() == {"email", "body"})
    assert all(errors(reader).values())
    assert reader.active()["name"] in ("email", "body")
    assert [one for one in reader.asked if one.method == "POST"] == []


def test_what_the_server_refuses_is_said_beside_its_field(reader: Reader) -> None:
    """Here and not there it is known what a name may be."""
    reader.refuses(name="This name cannot be written.")
    reader.opens()
    reader.hears("greenroom:failed")
    reader.types(**TYPED)
    reader.sends()

    reader.told("greenroom:failed")
    assert errors(reader) == {"name": "This name cannot be written."}
    assert reader.field("body").input_value() == TYPED["body"]
    assert reader.active()["name"] == "name"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("ada@gmial.com", "ada@gmail.com"), ("ada@hotmial.com", "ada@hotmail.com"), ("ada@outlok.com", "ada@outlook.com")],
)
def test_a_slip_of_the_fingers_is_noticed_before_posting(reader: Reader, typed: str, meant: str) -> None:
    reader.opens()

    reader.types(email=typed)
    reader.field("body").focus()

    hint = reader.part("hint").filter(has_text=meant)
    hint.wait_for()
    hint.locator("button", has_text="Yes, use it").click()
    assert reader.field("email").input_value() == meant


def test_a_slip_is_seen_before_enter_posts_it(reader: Reader, talk: Talk) -> None:
    """Once: whoever means what they wrote presses it again."""
    reader.opens()
    reader.hears("greenroom:posted")
    reader.types(**TYPED | {"email": "ada@gmial.com"})

    reader.field("email").press("Enter")
    reader.part("alert").filter(has_text="Did you mean ada@gmail.com?").wait_for()
    assert (reader.active()["name"], talk.said()) == ("email", [])
    reader.field("email").press("Enter")
    reader.told("greenroom:posted")

    assert len(talk.said()) == 1


@pytest.mark.parametrize("typed", ["ada@gmail.com", "ada@mail.example.org", "ada@gmx.de", "ada@mail.com"])
def test_what_is_no_slip_is_left_alone(reader: Reader, typed: str) -> None:
    reader.opens()

    reader.types(email=typed)
    reader.field("body").focus()

    assert "Did you mean" not in reader.says("form")


def test_what_is_wrong_with_a_rating_is_said_beside_it(reader: Reader) -> None:
    reader.refuses(rating="This site takes no ratings any more.")
    reader.opens()
    reader.rates(8)
    reader.types(**TYPED)
    reader.sends()

    reader.part("error").filter(has_text="no ratings any more").wait_for()
    group = reader.window.get_by_role("radiogroup", name="Rating")
    assert group.get_attribute("aria-invalid") == "true"
    assert "rating-error" in group.get_attribute("aria-describedby").split()
    assert reader.active()["name"] == "rating"


def test_what_cannot_be_loaded_to_send_it_is_said(reader: Reader, talk: Talk) -> None:
    """What sends comes with the first letter; where it does not come, nothing that was typed is lost."""
    reader.window.context.route("**/sending.js", lambda route: route.abort())
    reader.opens()
    reader.types(**TYPED)
    reader.sends()

    reader.part("alert").filter(has_text="This could not be sent.").wait_for()
    reader.window.context.unroute("**/sending.js")
    assert reader.field("body").input_value() == TYPED["body"]
    assert reader.posts()["status"] == "approved"


def test_a_preview_shows_what_would_be_published(reader: Reader, talk: Talk) -> None:
    reader.opens()
    reader.types(body="A *fine* series. <script>alert(1)</script>")

    reader.does("preview").click()

    reader.window.locator(f"{THREAD} form em", has_text="fine").wait_for()
    assert talk.said() == []
    assert reader.field("body").input_value().startswith("A *fine*")


def test_a_reply_is_written_in_its_place(reader: Reader, talk: Talk) -> None:
    first, second = talk.say("First."), talk.say("Second.")
    reader.opens()

    reader.answers(first)
    heights = [one.bounding_box()["y"] for one in (reader.comment(first), reader.part("form"), reader.comment(second))]
    assert heights == sorted(heights)
    assert reader.active()["name"] == "body"
    assert "Reply to Wren" in reader.says()
    told = reader.posts(body="An answer.")

    (answered, _) = talk.said()
    assert [one["id"] for one in answered["replies"]] == [told["id"]]
    until(lambda: reader.bodies() == ["First.", "An answer.", "Second."])


def test_a_reply_can_be_given_up(reader: Reader, talk: Talk) -> None:
    first = talk.say("First.")
    reader.opens()
    reader.answers(first)
    reader.types(body="Half a thought")

    reader.window.locator(f"{THREAD} button", has_text="Write a comment of its own instead").click()
    reader.posts(body="A whole thought.")

    assert [one["parent_id"] for one in talk.said()] == [None, None]


def test_a_lost_answer_makes_no_second_comment(reader: Reader, talk: Talk) -> None:
    """The server has taken it, but the browser does not hear so; it is sent again under the same key."""
    keys: list[str] = []

    def lose_the_first(route: Any) -> None:
        keys.append(route.request.headers.get("idempotency-key", ""))
        if len(keys) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    reader.window.context.route(COMMENTS, lose_the_first)
    reader.opens()
    reader.hears("greenroom:posted", "greenroom:failed")
    reader.types(**TYPED)
    reader.sends()
    reader.until("() => heard.length > 0")
    if len(keys) == 1:
        assert reader.field("body").input_value() == TYPED["body"]
        reader.sends()
    reader.told("greenroom:posted")

    assert len(keys) >= 2 and len(set(keys)) == 1 and keys[0]
    assert len(talk.said()) == 1
    until(lambda: reader.bodies() == ["What a fine series."])
    # The private token was in the answer that was lost, and is told once.
    reader.part("notice").filter(has_text="this device cannot change or withdraw it").wait_for()


def test_a_title_that_changes_makes_no_second_comment(reader: Reader, talk: Talk) -> None:
    """As pages do that count what is new in it: what somebody sends again by hand has the same key."""
    keys: list[str] = []

    def lose_some(route: Any) -> None:
        keys.append(route.request.headers.get("idempotency-key", ""))
        if len(keys) > 3:
            return route.continue_()
        if len(keys) == 1:
            route.fetch()
        return route.abort()

    reader.window.context.route(COMMENTS, lose_some)
    reader.opens()
    reader.hears("greenroom:posted", "greenroom:failed")
    reader.types(**TYPED)
    reader.sends()
    reader.told("greenroom:failed")
    reader.window.evaluate("() => { document.title = '(1) ' + document.title }")
    reader.sends()
    reader.told("greenroom:posted")

    assert len(keys) == 4 and len(set(keys)) == 1
    assert len(talk.said()) == 1


def test_another_text_has_another_key(reader: Reader, talk: Talk) -> None:
    reader.opens()
    reader.posts(body="One.")
    reader.posts(body="Two.")

    keys = [one.headers.get("idempotency-key") for one in reader.asked if one.method == "POST"]
    assert len(keys) == len(set(keys)) == 2
    assert len(talk.said()) == 2


def test_pressing_twice_sends_once(reader: Reader, talk: Talk) -> None:
    reader.opens()
    reader.hears("greenroom:posted")
    reader.types(**TYPED)

    reader.part("form").locator("button[type=submit]").dblclick()

    reader.told("greenroom:posted")
    assert len(talk.said()) == 1


def test_too_much_is_said_with_the_time_to_wait(reader: Reader) -> None:
    reader.window.context.route(
        COMMENTS,
        lambda route: route.fulfill(
            status=429,
            content_type="application/problem+json",
            headers={
                "Access-Control-Allow-Origin": reader.theirs.origin,
                "Retry-After": "120",
                "Access-Control-Expose-Headers": "Retry-After",
            },  # fmt: skip
            body=json.dumps({"title": "Too many", "status": 429, "detail": "That was too many comments."}),
        ),
    )
    reader.opens()
    reader.hears("greenroom:failed")
    reader.types(**TYPED)
    reader.sends()

    assert reader.told("greenroom:failed")["problem"]["status"] == 429
    assert "2 minutes" in reader.says("form")
    assert reader.field("body").input_value() == TYPED["body"]


def test_the_honeypot_is_seen_by_nobody(reader: Reader) -> None:
    """What no person sees is in no tab order and not read aloud; that the field is there is not required."""
    reader.opens()

    pots = (
        reader.part("form")
        .locator("input")
        .evaluate_all(
            """all => all.filter((one) => !["name", "email", "website", "rating", "remember"].includes(one.name)
          && one.type !== "hidden" && one.type !== "checkbox")
          .map((one) => [one.tabIndex, one.autocomplete, !!one.closest("[aria-hidden=true], [hidden]")])"""
        )
    )
    assert [pot for pot in pots if pot != [-1, "off", True]] == []


def test_who_has_no_storage_can_write_too(reader: Reader, talk: Talk, open_window: Callable[[], Any]) -> None:
    reader.window.context.add_init_script(
        "for (const name of ['localStorage', 'sessionStorage'])"
        " Object.defineProperty(window, name, { get() { throw new DOMException('denied', 'SecurityError') } })"
    )
    reader.opens()

    assert reader.posts()["status"] == "approved"
    assert len(talk.said()) == 1


def test_the_browser_asks_first_whether_it_may_post(
    chromium: Any, service: Demo, theirs: Elsewhere, talk: Talk
) -> None:
    """Where requests are watched, Playwright answers that question itself; in this window nobody watches them."""
    context = chromium.new_context()
    reader = Reader(context.new_page(), service.url, theirs, talk.page)
    reader.opens()

    told = reader.posts()

    assert told["status"] == "approved"
    assert len(talk.said()) == 1
    context.close()
