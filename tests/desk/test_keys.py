"""The desk by keys, in a real Chromium: one key decides, the next comment is there, and nothing gets lost."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.desk.seated import Desk, come_to
from tests.desk.seated import desk as desk
from tests.desk.seated import sit_down as sit_down
from tests.desk.seated import watch as watch

pytestmark = pytest.mark.browser


def focused(page: Page) -> str:
    """The id of the comment that has the focus."""
    found: str = page.evaluate("document.activeElement.closest('article')?.id ?? ''")
    return found.removeprefix("c-")


def several(desk: Desk, number: int) -> list[str]:
    return [desk.leave(body=f"Number {n}.", email=f"n{n}@mail.example.org") for n in range(number)]


def test_one_key_decides_and_the_next_comment_is_there(desk: Desk, sit_down: Any) -> None:
    ids = several(desk, 4)
    page = sit_down("anna")
    for key, one in zip("arsd", ids, strict=True):
        page.keyboard.press(key)
        page.wait_for_selector(f"#c-{one}.done")
    assert [desk.status(one) for one in ids] == ["approved", "rejected", "spam", "deleted"]


def test_no_key_waits_for_the_network(desk: Desk, sit_down: Any) -> None:
    """The answers are held back until all three are decided."""
    ids = several(desk, 4)
    page = sit_down("anna")
    held: list[Any] = []
    page.route("**/decision", lambda route: held.append(route))
    for key, following in zip("asr", ids[1:], strict=True):
        page.keyboard.press(key)
        page.wait_for_function("id => document.activeElement.id === `c-${id}`", arg=following)
    while len(held) < 3:
        page.evaluate("new Promise((done) => setTimeout(done))")
    assert {desk.status(one) for one in ids} == {"pending"}
    for route in held:
        route.continue_()
    page.wait_for_selector(f"#c-{ids[2]}.done")
    page.wait_for_selector(f"#c-{ids[0]}.done")
    page.wait_for_selector(f"#c-{ids[1]}.done")
    assert [desk.status(one) for one in ids] == ["approved", "spam", "rejected", "pending"]
    assert focused(page) == ids[3]


def test_a_key_that_is_held_down_decides_once(desk: Desk, sit_down: Any) -> None:
    ids = several(desk, 2)
    page = sit_down("anna")
    page.keyboard.down("a")
    page.keyboard.down("a")
    page.keyboard.up("a")
    page.wait_for_selector(f"#c-{ids[0]}.done")
    assert desk.status(ids[1]) == "pending"


def test_keys_move_and_undo(desk: Desk, sit_down: Any) -> None:
    ids = several(desk, 3)
    page = sit_down("anna")
    page.keyboard.press("j")
    assert focused(page) == ids[1]
    page.keyboard.press("k")
    assert focused(page) == ids[0]
    page.keyboard.press("s")
    page.wait_for_selector(f"#c-{ids[0]}.done")
    page.keyboard.press("a")
    page.wait_for_selector(f"#c-{ids[1]}.done")
    page.keyboard.press("z")
    page.wait_for_selector(f"#c-{ids[1]} button.approve")
    page.keyboard.press("z")
    page.wait_for_selector(f"#c-{ids[0]} button.approve")
    assert {desk.status(one) for one in ids} == {"pending"}


def test_no_key_decides_while_somebody_types(desk: Desk, sit_down: Any) -> None:
    (one,) = several(desk, 1)
    page = sit_down("anna")
    page.keyboard.press("n")
    page.keyboard.type("ask dear bert, as ever")
    assert page.input_value(f"#note-{one}") == "ask dear bert, as ever"
    page.keyboard.press("Escape")
    assert focused(page) == one and desk.status(one) == "pending"
    page.keyboard.press("a")
    page.wait_for_selector(f"#c-{one}.done")


def test_a_note_and_a_reply_from_the_queue(desk: Desk, sit_down: Any) -> None:
    (one,) = several(desk, 1)
    page = sit_down("anna")
    page.keyboard.press("n")
    page.keyboard.type("Ask Bert.")
    page.click(f"#c-{one} .noting button")
    page.wait_for_selector(f"#c-{one} .flash")
    page.keyboard.press("w")
    page.keyboard.type("Thank *you*.")
    page.click(f"#c-{one} .replying button")
    page.wait_for_selector(f"#c-{one} .flash:has-text('Your reply is published.')")
    assert desk.status(one) == "approved"
    page.goto(f"{desk.url}/desk/comments/{one}")
    assert "Note: “Ask Bert.”" in page.inner_text(".history")


def test_e_leads_to_the_text_and_o_to_all_about_it(desk: Desk, sit_down: Any) -> None:
    (one,) = several(desk, 1)
    page = sit_down("anna")
    page.keyboard.press("e")
    page.wait_for_selector("#text[open] textarea")
    page.wait_for_function("() => document.activeElement.id === 'body'")
    page.go_back()
    come_to(page, "#queue")
    page.keyboard.press("o")
    page.wait_for_url(f"**/desk/comments/{one}*")


def test_the_keys_are_told(desk: Desk, sit_down: Any) -> None:
    (one,) = several(desk, 1)
    page = sit_down("anna")
    page.keyboard.press("?")
    page.wait_for_selector("#keys[open]")
    assert "undo" in page.inner_text("#keys")
    page.keyboard.press("a")
    page.keyboard.press("Escape")
    page.wait_for_selector("#keys:not([open])", state="attached")
    assert desk.status(one) == "pending"
    page.click("#show-keys")
    page.wait_for_selector("#keys[open]")


def test_a_long_queue_is_read_ahead(desk: Desk, sit_down: Any) -> None:
    ids = several(desk, 45)
    page = sit_down("anna")
    for n, one in enumerate(ids[:44]):
        page.keyboard.press("s" if n % 2 else "a")
        page.wait_for_selector(f"#c-{one}.done")
    assert page.locator("article.item").count() == 45
    assert page.url == f"{desk.url}/desk/" and focused(page) == ids[44]
    assert desk.status(ids[43]) == "spam"


def test_new_comments_come_by_themselves_and_move_nothing(desk: Desk, sit_down: Any) -> None:
    first, _ = several(desk, 2)
    page = sit_down("anna")
    page.focus(f"#c-{first}")
    before = page.locator(f"#c-{first}").bounding_box()
    later = desk.leave(body="Later.", email="later@mail.example.org")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_selector(f"#c-{later}")
    assert page.locator("article.item").last.get_attribute("id") == f"c-{later}"
    assert page.locator(f"#c-{first}").bounding_box() == before and focused(page) == first
    assert page.inner_text("#waiting") == "3"


def test_keys_are_about_the_comment_whose_details_are_open(desk: Desk, sit_down: Any) -> None:
    ids = several(desk, 3)
    page = sit_down("anna")
    page.click(".finer summary")
    page.keyboard.press("j")
    page.click(f"#c-{ids[1]} .decide summary")
    page.fill(f"#reason-{ids[1]}", "Off topic.")
    page.focus(f"#c-{ids[1]} .decide summary")
    page.keyboard.press("r")
    page.wait_for_selector(f"#c-{ids[1]}.done")
    assert (desk.comment(ids[1]).reason, focused(page)) == ("Off topic.", ids[2])
    assert [desk.status(one) for one in ids] == ["pending", "rejected", "pending"]


def test_the_way_to_more_may_be_gone_when_more_comes(desk: Desk, sit_down: Any) -> None:
    ids = several(desk, 22)
    page = sit_down("anna")
    held: list[Any] = []
    page.route("**/desk/?*cursor=*", lambda route: held.append(route))
    page.focus(f"#c-{ids[15]}")
    while not held:
        page.evaluate("new Promise((done) => setTimeout(done))")
    page.evaluate("document.querySelector('.paging').remove()")
    held[0].continue_()
    page.wait_for_selector(f"#c-{ids[21]}")


def test_what_is_taken_others_see(desk: Desk, sit_down: Any) -> None:
    ids = several(desk, 3)
    anna = sit_down("anna")
    anna.click("text=Take 20")
    anna.wait_for_url("**claimed=me*")
    bert = sit_down("bert")
    assert "Anna has 3." in bert.inner_text(".claims")
    assert "Anna has taken this one." in bert.inner_text(f"#c-{ids[0]}")
    bert.click("text=Take 20")
    assert bert.locator("article.item").count() == 0
    anna.click("text=Give back")
    bert.goto(f"{desk.url}/desk/")
    assert bert.locator(".taken").count() == 0
