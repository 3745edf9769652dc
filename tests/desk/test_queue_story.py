"""A list is searched, kept and let go of, and a text is changed, argued about and reported, in a real Chromium."""

from __future__ import annotations

from typing import Any

import pytest

from service.db import transaction
from service.sites.operations import change_site
from service.sites.queries import site_of
from tests.desk.seated import Desk, come_to
from tests.desk.seated import desk as desk
from tests.desk.seated import sit_down as sit_down
from tests.desk.seated import watch as watch

pytestmark = pytest.mark.browser


def test_a_list_is_searched_narrowed_kept_and_let_go_of(desk: Desk, sit_down: Any) -> None:
    horse = desk.leave(name="Hank", email="hank@mail.example.org", body="About horses.")
    zebra = desk.leave(name="Zoe", email="zoe@mail.example.org", body="About zebras: https://zebras.example/")
    page = sit_down("Anna")

    page.fill("[name=q]", "horses")
    page.press("[name=q]", "Enter")
    come_to(page, ".chips >> text=words: horses")
    assert (page.locator(f"#c-{horse}").count(), page.locator(f"#c-{zebra}").count()) == (1, 0)
    page.click(".chips a")
    come_to(page, f"#c-{zebra}")
    page.click("text=More filters")
    page.select_option("[name=has_link]", "true")
    page.click(".filters > button")
    come_to(page, ".chips >> text=With links")
    assert (page.locator(f"#c-{horse}").count(), page.locator(f"#c-{zebra}").count()) == (0, 1)

    page.click("text=Save this filter")
    page.fill(".saved [name=name]", "With a link")
    page.click(".saved details button")
    come_to(page, ".chip >> text=With a link 1")
    page.click("nav.places >> text=Queue")
    come_to(page, f"#c-{horse}")
    page.click(".chip a")
    come_to(page, ".chips >> text=With links")
    assert page.locator(f"#c-{horse}").count() == 0
    page.click("[aria-label='Delete the filter With a link']")
    page.wait_for_selector(".chip", state="detached")
    come_to(page, ".chips >> text=With links")


def test_a_text_is_changed_by_a_moderator_and_by_its_author(desk: Desk, sit_down: Any) -> None:
    one, token = desk.said(name="Eve", email="eve@mail.example.org", body="What was said first.")
    desk.decide("Bert", one, "approve")
    page = sit_down("Anna")

    page.goto(f"{desk.url}/desk/?status=approved")
    come_to(page, f"#c-{one}")
    page.keyboard.press("e")
    page.wait_for_selector("#body")
    page.fill("#body", "What Anna made of it.")
    page.click("text=Save the text")
    page.wait_for_selector(".said >> text=What Anna made of it.")
    page.click("text=Earlier texts (1)")
    page.wait_for_selector(".diff del >> text=said first")

    desk.wants(one, token, "What Anna made better.")
    page.click("nav.places >> text=Queue")
    page.click(".tabs >> text=Changes")
    come_to(page, f"#c-{one}")
    page.click(f"#c-{one} .age a")
    page.wait_for_selector(".change")
    assert page.locator(".change del").all_inner_texts() == ["of it"]
    assert page.locator(".change ins").all_inner_texts() == ["better"]
    assert desk.comment(one).body == "What Anna made of it."
    page.click(".change .approve")
    page.wait_for_selector(".said >> text=What Anna made better.")
    assert (page.locator(".change").count(), desk.comment(one).body) == (0, "What Anna made better.")


def test_what_readers_report_comes_back_with_what_they_said(desk: Desk, sit_down: Any) -> None:
    one = desk.leave(name="Eve", email="eve@mail.example.org", body="Something rude.")
    desk.decide("Bert", one, "approve")
    with desk.app.app_context(), transaction():
        site = site_of("blog")
        assert site
        change_site(site, {"hold_after_reports": 2}, actor="test")
    page = sit_down("Anna")
    page.wait_for_selector("text=Nothing is waiting. Well done.")

    desk.report(one, "It hurts.", 1)
    desk.report(one, "It is about me.", 2)

    page.reload()
    come_to(page, f"#c-{one} .findings >> text=Readers reported this: 2 times, last as abuse.")
    page.keyboard.press("o")
    page.wait_for_selector("text=What readers reported")
    told = page.inner_text("main")
    assert "“It hurts.”" in told and "“It is about me.”" in told
    page.click(".decide .delete")
    page.wait_for_selector("text=Deleted")
    assert desk.status(one) == "deleted"
