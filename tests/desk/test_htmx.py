"""The queue in a real Chromium: an item makes room for its outcome, and nothing breaks the policy of the page."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser import Watch
from tests.desk.conftest import PASSWORD
from tests.desk.seated import Desk
from tests.desk.seated import desk as desk
from tests.desk.seated import sit_down as sit_down
from tests.desk.seated import watch as watch

pytestmark = pytest.mark.browser


def test_an_item_makes_room_for_its_outcome(desk: Desk, sit_down: Any) -> None:
    first, second = desk.leave(body="One."), desk.leave(body="Two.")
    page = sit_down("anna")
    page.focus(f"#c-{first} button.approve")
    page.click(f"#c-{first} button.approve")
    page.wait_for_selector(f"#c-{first}.done")
    assert "Approved. By you, just now." in page.inner_text(f"#c-{first}")
    assert page.inner_text("#live") == "Approved. By you, just now." and page.inner_text("#waiting") == "1"
    assert page.evaluate("document.activeElement.id") == f"c-{second}"
    assert page.locator(f"#c-{second} button.approve").is_enabled() and desk.status(first) == "approved"


def test_what_was_decided_can_be_undone_on_the_spot(desk: Desk, sit_down: Any) -> None:
    one = desk.leave()
    page = sit_down("anna")
    page.click(f"#c-{one} button.spam")
    page.click(f"#c-{one}.done .undo button")
    page.wait_for_selector(f"#c-{one} button.approve")
    assert desk.status(one) == "pending" and page.inner_text("#live") == "Waits again."
    page.click(f"#c-{one} button.approve")
    page.wait_for_selector(f"#c-{one}.done")
    assert desk.status(one) == "approved"


def test_a_double_click_decides_once(desk: Desk, sit_down: Any) -> None:
    one = desk.leave()
    page, sent = sit_down("anna"), []
    page.on("request", lambda request: sent.append(request.method))
    page.dblclick(f"#c-{one} button.reject")
    page.wait_for_selector(f"#c-{one}.done")
    assert sent.count("POST") == 1 and desk.status(one) == "rejected"


def test_a_conflict_stays_inside_its_item(desk: Desk, sit_down: Any) -> None:
    one = desk.leave()
    bert, anna = sit_down("bert"), sit_down("anna")
    anna.click(f"#c-{one} button.approve")
    anna.wait_for_selector(f"#c-{one}.done")
    bert.click(f"#c-{one} summary")
    bert.fill(f"#reason-{one}", "A bot, I think.")
    bert.click(f"#c-{one} button.reject")
    bert.wait_for_selector(f"#c-{one} .say p")
    assert "set to approved by Anna" in bert.inner_text(f"#c-{one} .say")
    assert bert.input_value(f"#reason-{one}") == "A bot, I think." and desk.status(one) == "approved"
    bert.click(f"#c-{one} button.reject")
    bert.wait_for_selector(f"#c-{one}.done")
    assert desk.status(one) == "rejected"


def test_an_ended_session_leads_to_sign_in_and_back(desk: Desk, sit_down: Any) -> None:
    one = desk.leave()
    page = sit_down("anna")
    page.goto(f"{desk.url}/desk/?sort=newest")
    page.context.clear_cookies()
    page.click(f"#c-{one} button.approve")
    page.wait_for_selector("#password")
    page.fill("#email", "anna@desk.example.org")
    page.fill("#password", PASSWORD)
    page.click("main button")
    page.wait_for_selector(f"#c-{one}")
    assert page.url == f"{desk.url}/desk/?sort=newest" and desk.status(one) == "pending"


def test_a_decision_that_finds_no_connection_is_sent_again_once(desk: Desk, sit_down: Any) -> None:
    one = desk.leave()
    page = sit_down("anna")
    desk.stop()
    page.click(f"#c-{one} button.approve")
    page.wait_for_function("id => document.querySelector(`#c-${id} .say`)?.textContent", arg=one)
    assert page.inner_text(f"#c-{one} .say").startswith("No answer came. This is sent again")
    desk.start()
    page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_selector(f"#c-{one}.done")
    assert desk.status(one) == "approved"


def test_a_decision_whose_answer_got_lost_counts_once(desk: Desk, sit_down: Any) -> None:
    one = desk.leave()
    page = sit_down("anna")
    lost: list[bool] = []

    def lose(route: Any) -> None:
        if lost:
            return route.continue_()
        lost.append(True)
        route.fetch()
        return route.abort("connectionreset")

    page.route("**/decision", lose)
    page.click(f"#c-{one} button.approve")
    page.wait_for_function("id => document.querySelector(`#c-${id} .say`)?.textContent", arg=one)
    assert desk.status(one) == "approved"
    page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_selector(f"#c-{one}.done")
    assert desk.version(one) == 2


def test_the_address_takes_the_place_of_its_button(desk: Desk, sit_down: Any) -> None:
    one = desk.leave(email="bea.smith@mail.example.org")
    page = sit_down("anna")
    page.goto(f"{desk.url}/desk/comments/{one}")
    page.click("text=Show the address")
    page.wait_for_selector("text=bea.smith@mail.example.org")
    assert page.locator("text=Show the address").count() == 0


def test_a_phone_needs_no_sideways_scrolling(desk: Desk, sit_down: Any) -> None:
    one = desk.leave(name="W" * 80, body="x" * 400, website="https://example.org/" + "y" * 150)
    page = sit_down("anna")
    page.set_viewport_size({"width": 360, "height": 740})
    for path in ("/desk/", f"/desk/comments/{one}"):
        page.goto(desk.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.locator(f"#c-{one} button.approve").bounding_box()["height"] >= 48


def test_the_console_would_tell_of_a_breach(desk: Desk, sit_down: Any, watch: Watch) -> None:
    page = sit_down("anna")
    with page.expect_console_message(lambda message: "Content Security Policy" in message.text):
        page.evaluate("document.body.setAttribute('style', 'color: red')")
    assert len(watch.breaches) == 1
    watch.console.clear()
