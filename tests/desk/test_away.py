"""Answers that are none of the desk's, in a real Chromium: nothing goes from the list, nothing sent is lost."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Page
from sqlalchemy import select

from service.comments.models import Comment
from service.db import db
from tests.desk.seated import Desk, come_to
from tests.desk.seated import desk as desk
from tests.desk.seated import sit_down as sit_down
from tests.desk.seated import watch as watch
from tests.desk.test_keys import focused, several
from tests.desk.test_unanswered import connect, deeds, held_back, is_said_to_be_sent_again, type_in

pytestmark = pytest.mark.browser

FRONT = {"content_type": "application/problem+json", "body": '{"detail": "Busy."}'}
PROXY = {"content_type": "text/html", "body": "<html><body><h1>Bad gateway</h1></body></html>"}
TO_TRY_AGAIN = "This may not have been done. Please try again."


def answer_once(page: Page, to: str, status: int, **told: str) -> None:
    """The first time something else answers, and the desk hears nothing."""
    done: list[bool] = []

    def answer(route: Any) -> None:
        if done:
            return route.continue_()
        done.append(True)
        return route.fulfill(status=status, **told)

    page.route(to, answer)


@pytest.mark.parametrize(("status", "told"), [(502, {"body": ""}), (502, PROXY), (503, FRONT), (504, PROXY)])
def test_a_decision_is_kept_while_the_desk_is_away(
    desk: Desk, sit_down: Any, status: int, told: dict[str, str]
) -> None:
    first, second = several(desk, 2)
    page = sit_down("anna")
    answer_once(page, "**/decision", status, **told)
    page.keyboard.press("a")
    is_said_to_be_sent_again(page, first)
    assert page.get_attribute(f"#c-{first}", "aria-busy") == "true" and focused(page) == second
    connect(page)
    page.wait_for_selector(f"#c-{first}.done")
    assert desk.status(first) == "approved"


@pytest.mark.parametrize(("status", "told"), [(500, FRONT), (500, PROXY), (413, FRONT)])
def test_what_something_else_refused_is_told_and_stays(
    desk: Desk, sit_down: Any, status: int, told: dict[str, str]
) -> None:
    (one,) = several(desk, 1)
    page = sit_down("anna")
    answer_once(page, "**/decision", status, **told)
    page.keyboard.press("a")
    page.wait_for_selector(f"#c-{one} .say:has-text('{TO_TRY_AGAIN}')")
    assert page.get_attribute(f"#c-{one}", "aria-busy") is None
    page.keyboard.press("a")
    page.wait_for_selector(f"#c-{one}.done")
    assert page.inner_text("#live").startswith("Approved.")


def test_a_decision_on_many_is_kept_while_the_desk_is_away(desk: Desk, sit_down: Any) -> None:
    ids = several(desk, 2)
    page = sit_down("anna")
    page.click("#pick-page")
    answer_once(page, "**/decisions", 502, body="")
    page.keyboard.press("s")
    page.wait_for_selector("#say-page:has-text('No answer came.')")
    connect(page)
    come_to(page, ".flash:has-text('2 marked as spam.')")
    assert [desk.status(one) for one in ids] == ["spam", "spam"]


def test_a_note_is_kept_while_the_desk_is_away(desk: Desk, sit_down: Any) -> None:
    (one,) = several(desk, 1)
    page = sit_down("anna")
    answer_once(page, "**/notes", 503, **FRONT)
    type_in(page, one, "Ask Bert.")
    page.click(f"#c-{one} .noting button")
    is_said_to_be_sent_again(page, one)
    connect(page)
    page.wait_for_selector(f"#c-{one} .flash")
    assert deeds(desk, one, "comment.noted") == 1


def test_a_decision_on_many_takes_no_single_decision_with_it(desk: Desk, sit_down: Any) -> None:
    """It leads to another page, and waits with that for what has no answer yet."""
    ids = several(desk, 3)
    page = sit_down("anna")
    held = held_back(page, "**/decision")
    page.keyboard.press("a")
    page.check(f"#c-{ids[1]} .pick")
    with page.expect_response("**/decisions"):
        page.keyboard.press("s")
    page.wait_for_function("() => !document.querySelector('#many .choices button').disabled")
    assert desk.status(ids[1]) == "spam" and page.url.endswith("/desk/")
    held[0].continue_()
    come_to(page, ".flash:has-text('1 marked as spam.')")
    assert desk.status(ids[0]) == "approved"


def test_the_keys_stay_with_the_comment_that_was_drawn_anew(desk: Desk, sit_down: Any) -> None:
    ids = several(desk, 3)
    page = sit_down("anna")
    page.keyboard.press("j")
    page.keyboard.press("n")
    page.keyboard.type("Ask Bert.")
    page.click(f"#c-{ids[1]} .noting button")
    page.wait_for_selector(f"#c-{ids[1]} .flash")
    assert focused(page) == ids[1]
    page.keyboard.press("s")
    page.wait_for_selector(f"#c-{ids[1]}.done")
    page.click(f"#c-{ids[1]} .undo button")
    page.wait_for_selector(f"#c-{ids[1]} button.approve")
    assert focused(page) == ids[1]


def test_a_reply_that_publishes_leads_to_the_next_comment(desk: Desk, sit_down: Any) -> None:
    ids = several(desk, 3)
    page = sit_down("anna")
    page.keyboard.press("j")
    type_in(page, ids[1], "Thank you.", "answer")
    page.click(f"#c-{ids[1]} .replying button")
    page.wait_for_selector(f"#c-{ids[1]} .flash")
    assert focused(page) == ids[2] and [desk.status(one) for one in ids] == ["pending", "approved", "pending"]


def test_undo_after_approve_and_reply_takes_both_back(desk: Desk, sit_down: Any) -> None:
    ids = several(desk, 3)
    page = sit_down("anna")
    page.keyboard.press("s")
    page.wait_for_selector(f"#c-{ids[0]}.done")
    type_in(page, ids[1], "Thank you.", "answer")
    page.click(f"#c-{ids[1]} .replying button")
    page.wait_for_selector(f"#c-{ids[1]} .flash")
    page.keyboard.press("z")
    page.wait_for_selector(f"#c-{ids[1]} button.approve")
    assert [desk.status(one) for one in ids] == ["spam", "pending", "pending"]
    with desk.app.app_context():
        below = select(Comment.status).where(Comment.parent_id == UUID(ids[1]))
        assert db.session.scalars(below).all() == ["deleted"]


def test_a_note_on_the_page_of_a_comment_is_in_its_history_and_changes_nothing_else(desk: Desk, sit_down: Any) -> None:
    (one,) = several(desk, 1)
    page = sit_down("anna")
    page.goto(f"{desk.url}/desk/comments/{one}")
    type_in(page, one, "Ask Bert.")
    page.click(f"#c-{one} .noting button")
    page.wait_for_selector(".history:has-text('Note: “Ask Bert.”')")
    page.click(f"#c-{one} button.approve")
    page.wait_for_selector(f"#c-{one} .state.approved")
    page.click("#text summary")
    page.fill("#body", "Better words.")
    page.click("#text button")
    page.wait_for_selector(f"#c-{one} .said:has-text('Better words.')")
