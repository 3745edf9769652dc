"""Numbers and settings in a real Chromium: bars that are seen, on paper too, and a policy that is tried first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from service.accounts import operations as accounts
from service.accounts import queries
from service.db import transaction
from service.sites.queries import site_of
from tests.desk.seated import Desk
from tests.desk.seated import desk as desk
from tests.desk.seated import sit_down as sit_down
from tests.desk.seated import watch as watch

pytestmark = pytest.mark.browser


def own(desk: Desk, name: str) -> None:
    with desk.app.app_context(), transaction():
        site, moderator = site_of("blog"), queries.moderator_at(f"{name}@desk.example.org")
        assert site and moderator
        accounts.grant(moderator, site.id, "owner", actor="test")


def test_a_policy_is_tried_and_then_saved(desk: Desk, sit_down: Callable[[str], Any]) -> None:
    one = desk.leave(name="Ada", body="Plain words.")
    own(desk, "anna")
    page = sit_down("anna")
    page.click("text=Sites")
    page.click("text=Blog")
    page.select_option("#mode", "post")
    page.fill("#privacy_text", "Typed at length.")
    page.click("button[value=preview]")
    page.wait_for_selector(".tried")
    assert page.get_attribute(".tried li a", "href") == f"/desk/comments/{one}"
    assert "1 comment would be treated differently." in page.inner_text(".tried")
    assert (page.input_value("#mode"), page.input_value("#privacy_text")) == ("post", "Typed at length.")
    page.click("button[value=save]")
    page.wait_for_selector(".flash")
    assert (page.input_value("#mode"), page.input_value("#privacy_text")) == ("post", "Typed at length.")


def test_bars_are_seen_and_stay_on_paper(desk: Desk, sit_down: Callable[[str], Any]) -> None:
    ids = [desk.leave(body=f"Number {n}.", email=f"n{n}@mail.example.org") for n in range(3)]
    page = sit_down("anna")
    for key, one in zip("aar", ids, strict=True):
        page.keyboard.press(key)
        page.wait_for_selector(f"#c-{one}.done")
    page.click("text=Numbers")
    page.wait_for_url("**/desk/numbers")
    heights = page.eval_on_selector_all("#main .plot rect", "all => all.map(one => one.getBoundingClientRect().height)")
    assert len(heights) == 4 and all(height > 20 for height in heights)
    page.emulate_media(media="print")
    fill = page.eval_on_selector(".plot .solid", "one => getComputedStyle(one).fill")
    assert fill == "rgb(0, 0, 0)"
    assert page.eval_on_selector(".plot .hatched", "one => getComputedStyle(one).fill").startswith('url("#hatch")')
    assert page.locator(".filters, .top").count() and not page.locator(".top").is_visible()
