"""Two moderators before one queue, in a real Chromium: each sees what the other has in front of them."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from service.accounts.models import Moderator
from service.db import db, transaction
from service.presence import operations as presence
from tests.desk.seated import Desk
from tests.desk.seated import desk as desk
from tests.desk.seated import sit_down as sit_down
from tests.desk.seated import watch as watch
from tests.desk.test_keys import several

pytestmark = pytest.mark.browser

ANNA = "Anna is looking at this."


def asks(page: Page) -> None:
    """What happens by itself every 20 seconds."""
    with page.expect_response("**/desk/waiting**"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def badges(page: Page) -> dict[str, str]:
    found: dict[str, str] = page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('.looking')]"
        ".map((one) => [one.closest('article').id.slice(2), one.textContent]))"
    )
    return found


def sees(page: Page, *ids: str) -> None:
    asks(page)
    page.wait_for_function(
        "ids => [...document.querySelectorAll('.looking')].map((one) => one.closest('article').id.slice(2))"
        ".join() === ids",
        arg=",".join(ids),
    )


def test_a_badge_follows_the_other_moderator(desk: Desk, sit_down: Any) -> None:
    first, second, _ = several(desk, 3)
    anna, bert = sit_down("anna"), sit_down("bert")
    asks(anna)
    sees(bert, first)
    assert badges(bert) == {first: ANNA}
    anna.keyboard.press("j")
    assert anna.evaluate("document.activeElement.id") == f"c-{second}"
    asks(anna)
    sees(bert, second)
    sees(anna, first)
    assert badges(anna) == {first: "Bert is looking at this."}


def test_a_badge_goes_when_they_have_left(desk: Desk, sit_down: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = several(desk, 1)
    anna, bert = sit_down("anna"), sit_down("bert")
    asks(anna)
    sees(bert, one)
    anna.close()
    with desk.app.app_context(), transaction():  # its time is over
        db.session.query(presence.queries.Presence).update({"until": presence.now() - presence.LASTS})
    sees(bert)


def test_moving_asks_nothing(desk: Desk, sit_down: Any) -> None:
    several(desk, 3)
    anna = sit_down("anna")
    asked: list[str] = []
    anna.on("request", lambda request: asked.append(request.url))
    for key in "jjkjk":
        anna.keyboard.press(key)
    assert asked == []


def test_a_badge_moves_nothing_and_is_not_announced(desk: Desk, sit_down: Any) -> None:
    one, _ = several(desk, 2)
    anna, bert = sit_down("anna"), sit_down("bert")
    box = bert.locator(f"#c-{one}").bounding_box()
    said = bert.locator(f"#c-{one} .said").bounding_box()
    asks(anna)
    sees(bert, one)
    assert bert.locator(f"#c-{one}").bounding_box() == box
    assert bert.locator(f"#c-{one} .said").bounding_box() == said
    assert bert.locator(".looking").is_visible() and bert.inner_text("#live") == ""
    assert (
        bert.evaluate("document.querySelector('.looking').closest('[aria-live], [role=status], [role=alert]')") is None
    )


def test_a_badge_outlives_that_its_comment_is_drawn_anew(desk: Desk, sit_down: Any) -> None:
    (one,) = several(desk, 1)
    anna, bert = sit_down("anna"), sit_down("bert")
    asks(anna)
    sees(bert, one)
    bert.click(f"#c-{one} .noting summary")
    bert.fill(f"#note-{one}", "Hm.")
    bert.click(f"#c-{one} .noting button")
    bert.wait_for_selector(f"#c-{one} .flash")
    bert.wait_for_selector(f"#c-{one} .looking")


def test_on_the_page_of_a_comment_they_see_each_other_too(desk: Desk, sit_down: Any) -> None:
    one, other = several(desk, 2)
    anna, bert = sit_down("anna"), sit_down("bert")
    anna.goto(f"{desk.url}/desk/comments/{other}")
    anna.wait_for_selector("#show-keys", state="attached")
    asks(anna)
    sees(bert, other)
    asks(bert)
    bert.goto(f"{desk.url}/desk/comments/{other}")
    asks(bert)
    sees(anna, other)
    assert badges(anna) == {other: "Bert is looking at this."}
    assert one


def test_a_name_is_text(desk: Desk, sit_down: Any) -> None:
    (one,) = several(desk, 1)
    name = "<img src=x onerror=alert(1)> $& #"
    anna, bert = sit_down("anna"), sit_down("bert")
    with desk.app.app_context(), transaction():
        db.session.query(Moderator).filter_by(name="Anna").one().name = name
    asks(anna)
    sees(bert, one)
    assert badges(bert) == {one: f"{name} is looking at this."}
