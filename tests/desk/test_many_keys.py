"""Many at once by keys, in a real Chromium."""

from __future__ import annotations

from typing import Any

import pytest

from service.moderation.worker import decide as work
from tests.desk.seated import Desk, come_to
from tests.desk.seated import desk as desk
from tests.desk.seated import sit_down as sit_down
from tests.desk.seated import watch as watch
from tests.desk.test_keys import focused, several

pytestmark = pytest.mark.browser


def test_keys_select_and_one_key_decides_on_all_that_is_selected(desk: Desk, sit_down: Any) -> None:
    ids = several(desk, 4)
    page = sit_down("anna")
    page.wait_for_selector("#many .choices", state="hidden")
    for key in ("x", "j", "j", "x"):
        page.keyboard.press(key)
    assert page.inner_text("#picked") == "2 selected"
    page.keyboard.press("s")
    come_to(page, ".flash:has-text('2 marked as spam.')")
    assert [desk.status(one) for one in ids] == ["spam", "pending", "spam", "pending"]
    page.keyboard.press("z")
    come_to(page, ".flash:has-text('2 are as they were before.')")
    assert {desk.status(one) for one in ids} == {"pending"}
    page.keyboard.press("x")
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    page.wait_for_selector(f"#c-{ids[0]}.done")
    assert [desk.status(one) for one in ids] == ["approved", "pending", "pending", "pending"]


def test_a_digit_rejects_for_that_reason_one_or_many(desk: Desk, sit_down: Any) -> None:
    ids = several(desk, 4)
    page = sit_down("anna")
    page.keyboard.press("2")
    page.wait_for_selector(f"#c-{ids[0]}.done")
    assert (desk.comment(ids[0]).reason_code, focused(page)) == ("insult", ids[1])
    page.keyboard.press("r")
    page.wait_for_selector(f"#c-{ids[1]}.done")
    assert desk.comment(ids[1]).reason_code is None
    page.click("#pick-page")
    page.keyboard.press("1")
    come_to(page, ".flash:has-text('2 rejected.')")
    assert [desk.comment(one).reason_code for one in ids] == ["insult", None, "off-topic", "off-topic"]


def test_a_wave_is_opened_and_gone_with_two_keys(desk: Desk, sit_down: Any) -> None:
    fruit = ["Apples", "Bananas", "Cherries", "Dates"]
    ids = [desk.leave(body=f"{one}: https://spam.example/{one}", email=f"{one}@mail.example.org") for one in fruit]
    page = sit_down("anna")
    page.focus("article.group")
    page.keyboard.press("a")  # about nothing that is seen
    page.keyboard.press("o")
    come_to(page, "#many:has-text('All 4 comments that match are selected.')")
    assert {desk.status(one) for one in ids} == {"pending"}
    page.keyboard.press("s")
    come_to(page, ".flash:has-text('4 marked as spam.')")
    assert {desk.status(one) for one in ids} == {"spam"}


def test_a_decision_on_many_that_finds_no_connection_is_sent_again_once(desk: Desk, sit_down: Any) -> None:
    ids = several(desk, 3)
    page = sit_down("anna")
    page.click("#pick-page")
    desk.stop()
    page.keyboard.press("a")
    page.wait_for_selector("#say-page:has-text('No answer came.')")
    desk.start()
    page.evaluate("dispatchEvent(new Event('online'))")
    come_to(page, ".flash:has-text('3 approved.')")
    assert [desk.version(one) for one in ids] == [2, 2, 2]


def test_what_is_sent_again_is_about_what_was_selected_then(desk: Desk, sit_down: Any) -> None:
    ids = several(desk, 3)
    page = sit_down("anna")
    page.keyboard.press("x")
    desk.stop()
    page.keyboard.press("s")
    page.wait_for_selector("#say-page:has-text('No answer came.')")
    page.click("#pick-page")  # the others, too
    desk.start()
    page.evaluate("dispatchEvent(new Event('online'))")
    come_to(page, ".flash:has-text('1 marked as spam.')")
    assert [desk.status(one) for one in ids] == ["spam", "pending", "pending"]


def test_a_wave_that_goes_on_is_decided_as_far_as_it_was_seen(desk: Desk, sit_down: Any) -> None:
    ids = several(desk, 2)
    page = sit_down("anna")
    page.click("text=Select all that match")
    come_to(page, "#many:has-text('All 2 comments that match are selected.')")
    ids.append(desk.leave(body="Later.", email="later@mail.example.org"))
    page.keyboard.press("s")
    come_to(page, ".flash:has-text('2 marked as spam.')")
    assert [desk.status(one) for one in ids] == ["spam", "spam", "pending"]


def test_a_number_that_changed_is_said_beside_the_buttons_and_pressed_again(desk: Desk, sit_down: Any) -> None:
    ids = several(desk, 3)
    page = sit_down("anna")
    page.click("text=Select all that match")
    come_to(page, "#many:has-text('All 3 comments that match are selected.')")
    desk.decide("bert", ids[0], "approve")
    page.click("#many .spam")
    page.wait_for_selector("#say-page:has-text('You saw 3 comments; there are 2 now. Nothing was changed.')")
    page.wait_for_selector("#many:has-text('All 2 comments that match are selected.')")
    assert page.evaluate("document.activeElement.value") == "spam"
    assert [desk.status(one) for one in ids] == ["approved", "pending", "pending"]
    page.keyboard.press("s")
    come_to(page, ".flash:has-text('2 marked as spam.')")
    assert [desk.status(one) for one in ids] == ["approved", "spam", "spam"]


def test_that_nothing_is_left_of_what_was_selected_is_told(desk: Desk, sit_down: Any) -> None:
    (one,) = several(desk, 1)
    page = sit_down("anna")
    page.click("text=Select all that match")
    come_to(page, "#many:has-text('1 comment that matches is selected.')")
    desk.decide("bert", one, "approve")
    page.keyboard.press("s")
    page.wait_for_selector("#say-page:has-text('You saw 1 comments; there are 0 now. Nothing was changed.')")


def test_a_long_decision_shows_how_far_it_is(desk: Desk, sit_down: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.moderation.bulk.AT_ONCE", 2)
    several(desk, 3)
    page = sit_down("anna")
    page.goto(f"{desk.url}/desk/?select=all")
    come_to(page, "#many")
    page.keyboard.press("a")
    page.wait_for_selector("#progress:has-text('0 of 3.')")
    for said in ("2 of 3.", "3 approved."):
        with desk.app.app_context():
            assert work()
        page.wait_for_selector(f"#progress:has-text('{said}')")
    page.wait_for_selector("h2:has-text('Decided')")


def test_what_is_selected_stays_so_when_it_is_drawn_anew(desk: Desk, sit_down: Any) -> None:
    ids = several(desk, 2)
    page = sit_down("anna")
    page.keyboard.press("x")
    page.click(f"#c-{ids[0]} .noting summary")
    page.fill(f"#note-{ids[0]}", "Ask Bert.")
    page.click(f"#c-{ids[0]} .noting button")
    page.wait_for_selector(f"#c-{ids[0]} .flash")
    assert page.is_checked(f"#c-{ids[0]} .pick") and page.inner_text("#picked") == "1 selected"
    page.click(f"#c-{ids[0]} .decide .spam")
    page.wait_for_selector(f"#c-{ids[0]}.done")
    assert page.inner_text("#picked") == ""


def test_enter_on_a_checkbox_decides_nothing(desk: Desk, sit_down: Any) -> None:
    ids = several(desk, 2)
    page = sit_down("anna")
    page.check(f"#c-{ids[0]} .pick")
    page.keyboard.press("Enter")
    page.keyboard.press("j")
    page.keyboard.press("x")
    assert page.inner_text("#picked") == "2 selected"
    page.keyboard.press("s")
    come_to(page, ".flash:has-text('2 marked as spam.')")
    assert {desk.version(one) for one in ids} == {2}


def test_the_first_comments_of_an_empty_queue_are_selected_and_decided_together(desk: Desk, sit_down: Any) -> None:
    page = sit_down("anna")
    page.wait_for_selector("#many", state="hidden")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    ids = several(desk, 3)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    for one in ids[1:]:
        page.check(f"#c-{one} .pick")
    assert page.inner_text("#picked") == "2 selected"
    page.keyboard.press("2")
    come_to(page, ".flash:has-text('2 rejected.')")
    assert [desk.comment(one).reason_code for one in ids] == [None, "insult", "insult"]


def test_a_person_has_keys_and_nothing_to_select(desk: Desk, sit_down: Any) -> None:
    ids = [desk.leave(body=f"Number {n}.") for n in range(2)]
    page = sit_down("anna")
    page.goto(f"{desk.url}/desk/people/{ids[0]}")
    page.keyboard.press("?")
    page.wait_for_selector("#keys[open]")
    assert "select" not in page.inner_text("#keys") and "next" in page.inner_text("#keys")
    page.keyboard.press("Escape")
    page.keyboard.press("x")
    page.keyboard.press("s")  # the newest stands first
    page.wait_for_selector(f"#c-{ids[1]}.done")
    page.keyboard.press("z")
    page.wait_for_selector(f"#c-{ids[1]}:not(.done) button.approve")
    page.click(f"#c-{ids[1]} .noting summary")
    page.fill(f"#note-{ids[1]}", "Seen.")
    page.click(f"#c-{ids[1]} .noting button")
    page.wait_for_selector(f"#c-{ids[1]} .flash")
    assert page.locator(".pick").count() == 0
    assert [desk.status(one) for one in ids] == ["pending", "pending"]


def test_no_key_is_about_one_comment_while_several_are_selected(desk: Desk, sit_down: Any) -> None:
    """Whatever became of the form that decides on them."""
    ids = several(desk, 3)
    page = sit_down("anna")
    page.click("#pick-page")
    page.evaluate("document.getElementById('many').remove()")
    for key in ("s", "1", "z"):
        page.keyboard.press(key)
    page.wait_for_selector("#live:has-text('There is nothing to undo here.')")
    assert {desk.status(one) for one in ids} == {"pending"}
