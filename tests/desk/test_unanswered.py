"""Forms that got no answer, in a real Chromium: each is kept and sent again, and counts once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Page
from sqlalchemy import select

from service.audit.models import AuditEntry
from service.comments.models import Comment
from service.db import db
from tests.desk.seated import Desk
from tests.desk.seated import desk as desk
from tests.desk.seated import sit_down as sit_down
from tests.desk.seated import watch as watch

pytestmark = pytest.mark.browser


def deeds(desk: Desk, comment_id: str, action: str) -> int:
    """How often something was done to a comment."""
    with desk.app.app_context():
        asked = select(AuditEntry).where(AuditEntry.subject_id == UUID(comment_id), AuditEntry.action == action)
        return len(db.session.scalars(asked).all())


def replies(desk: Desk, comment_id: str) -> list[str]:
    with desk.app.app_context():
        return list(db.session.scalars(select(Comment.body).where(Comment.parent_id == UUID(comment_id))))


def type_in(page: Page, one: str, words: str, what: str = "note") -> None:
    box = {"note": "noting", "answer": "replying"}[what]
    page.click(f"#c-{one} .{box} summary")
    page.fill(f"#{what}-{one}", words)


def is_said_to_be_sent_again(page: Page, one: str) -> None:
    page.wait_for_selector(f"#c-{one} .say:has-text('No answer came. This is sent again')")


def connect(page: Page) -> None:
    page.evaluate("dispatchEvent(new Event('online'))")


def lose_the_answer(page: Page, to: str) -> None:
    """The first time the desk gets what is sent, and the window no answer."""
    lost: list[bool] = []

    def lose(route: Any) -> None:
        if lost:
            return route.continue_()
        lost.append(True)
        route.fetch()
        return route.abort("connectionreset")

    page.route(to, lose)


def test_a_note_and_a_reply_that_find_no_connection_are_sent_again(desk: Desk, sit_down: Any) -> None:
    """Both of one item: the answer to the first draws the item anew, and the second is sent from there."""
    one = desk.leave()
    page = sit_down("anna")
    desk.stop()
    type_in(page, one, "Ask Bert.")
    page.click(f"#c-{one} .noting button")
    is_said_to_be_sent_again(page, one)
    type_in(page, one, "Thank you.", "answer")
    page.click(f"#c-{one} .replying button")
    is_said_to_be_sent_again(page, one)
    desk.start()
    connect(page)
    page.wait_for_selector(f"#c-{one}:has(.flash) .state.approved")
    page.wait_for_function("() => lost.size === 0")
    page.wait_for_function("id => !document.querySelector(`#note-${id}`).value", arg=one)
    assert (deeds(desk, one, "comment.noted"), replies(desk, one)) == (1, ["Thank you."])


@pytest.mark.parametrize(("what", "door"), [("note", "notes"), ("answer", "reply")])
def test_what_was_written_counts_once_when_its_answer_got_lost(desk: Desk, sit_down: Any, what: str, door: str) -> None:
    one = desk.leave()
    page = sit_down("anna")
    lose_the_answer(page, f"**/{door}")
    type_in(page, one, "Only once.", what)
    page.click(f"#c-{one} details:has(#{what}-{one}) button")
    is_said_to_be_sent_again(page, one)
    connect(page)
    page.wait_for_selector(f"#c-{one} .flash")
    assert page.input_value(f"#{what}-{one}") == ""
    written = (deeds(desk, one, "comment.noted"), replies(desk, one))
    assert written == ((1, []) if what == "note" else (0, ["Only once."]))


def test_an_undo_is_sent_again_and_counts_once(desk: Desk, sit_down: Any) -> None:
    one = desk.leave()
    page = sit_down("anna")
    page.click(f"#c-{one} button.spam")
    page.wait_for_selector(f"#c-{one}.done")
    desk.stop()
    page.click(f"#c-{one} .undo button")
    is_said_to_be_sent_again(page, one)
    desk.start()
    lose_the_answer(page, "**/undo")
    connect(page)
    page.wait_for_function("() => lost.size === 0")
    is_said_to_be_sent_again(page, one)
    assert desk.status(one) == "pending"
    connect(page)
    page.wait_for_selector(f"#c-{one} button.approve")
    assert page.inner_text("#live") == "Waits again." and page.inner_text(f"#c-{one} .say") == ""
    assert deeds(desk, one, "comment.undone") == 1


def test_what_was_emptied_since_is_not_sent(desk: Desk, sit_down: Any) -> None:
    one = desk.leave()
    page = sit_down("anna")
    desk.stop()
    type_in(page, one, "Better not.")
    page.click(f"#c-{one} .noting button")
    is_said_to_be_sent_again(page, one)
    page.fill(f"#note-{one}", "")
    desk.start()
    connect(page)
    page.wait_for_selector(f"#c-{one} .say:empty", state="attached")
    assert page.evaluate("lost.size") == 0 and deeds(desk, one, "comment.noted") == 0


def test_a_form_whose_item_is_gone_is_let_go(desk: Desk, sit_down: Any) -> None:
    one, other = desk.leave(body="One."), desk.leave(body="Two.")
    page = sit_down("anna")
    desk.stop()
    page.click(f"#c-{one} button.approve")
    is_said_to_be_sent_again(page, one)
    page.evaluate("id => document.getElementById(`c-${id}`).remove()", one)
    desk.start()
    connect(page)
    assert page.evaluate("lost.size") == 0
    page.click(f"#c-{other} button.approve")
    page.wait_for_selector(f"#c-{other}.done")
    assert desk.status(one) == "pending"


def test_a_decision_is_answered_in_an_item_that_was_drawn_anew(desk: Desk, sit_down: Any) -> None:
    """A note and a decision on their way at once: the note's answer replaces the form of the decision."""
    one = desk.leave()
    page = sit_down("anna")
    held: list[Any] = []
    page.route("**/decision", lambda route: held.append(route))
    type_in(page, one, "Fine.")
    page.click(f"#c-{one} button.approve")
    page.wait_for_selector(f"#c-{one}[aria-busy]")
    page.click(f"#c-{one} .noting button")
    page.wait_for_selector(f"#c-{one}[aria-busy] .flash")
    held[0].continue_()
    page.wait_for_selector(f"#c-{one}.done")
    page.keyboard.press("z")
    page.wait_for_selector(f"#c-{one} button.approve")
    assert desk.status(one) == "pending"


def held_back(page: Page, to: str) -> list[Any]:
    """What is sent there from now on, until the test lets it go."""
    held: list[Any] = []
    page.route(to, lambda route: held.append(route))
    return held


def test_undo_is_about_the_last_decision_though_it_has_no_answer_yet(desk: Desk, sit_down: Any) -> None:
    first, second = desk.leave(body="One."), desk.leave(body="Two.", email="two@mail.example.org")
    page = sit_down("anna")
    page.keyboard.press("a")
    page.wait_for_selector(f"#c-{first}.done")
    held = held_back(page, "**/decision")
    page.keyboard.press("s")
    page.wait_for_selector(f"#c-{second}[aria-busy]")
    page.keyboard.press("z")
    held[0].continue_()
    page.wait_for_selector("#live:has-text('Waits again.')", state="attached")
    page.wait_for_selector(f"#c-{second} button.approve")
    assert (desk.status(first), desk.status(second)) == ("approved", "pending")
    assert deeds(desk, second, "comment.undone") == 1


def test_letters_are_no_keys_when_their_field_is_drawn_anew(desk: Desk, sit_down: Any) -> None:
    """The late answer to a decision takes the field away in which a moderator is writing."""
    ids = [desk.leave(body=f"Number {n}.", email=f"n{n}@mail.example.org") for n in range(3)]
    page = sit_down("anna")
    held = held_back(page, "**/decision")
    page.keyboard.press("a")
    page.click(f"#c-{ids[0]} .noting summary")
    page.focus(f"#note-{ids[0]}")
    page.keyboard.type("A goo", delay=5)
    held[0].continue_()
    page.wait_for_selector(f"#c-{ids[0]}.done")
    page.keyboard.type("d das", delay=5)
    assert [desk.status(one) for one in ids] == ["approved", "pending", "pending"]
    page.mouse.click(5, 5)  # whoever reaches for the mouse is writing no more
    page.keyboard.press("s")
    page.wait_for_selector(".item[aria-busy]")
    assert len(held) == 2


def test_to_another_page_it_goes_when_all_is_answered(desk: Desk, sit_down: Any) -> None:
    first, second = desk.leave(body="One."), desk.leave(body="Two.", email="two@mail.example.org")
    page = sit_down("anna")
    held = held_back(page, "**/decision")
    page.keyboard.press("a")
    page.keyboard.press("e")
    assert page.url.endswith("/desk/")
    held[0].continue_()
    page.wait_for_url(f"**/desk/comments/{second}*")
    assert desk.status(first) == "approved"
