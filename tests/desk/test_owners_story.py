"""What an owner decides for a site, in a real Chromium: reasons, rules, the shadow, roles; what the log says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.desk.seated import Desk, come_to
from tests.desk.seated import desk as desk
from tests.desk.seated import sit_down as sit_down
from tests.desk.seated import watch as watch
from tests.support import PAGE

pytestmark = pytest.mark.browser


def test_a_reason_that_an_owner_writes_is_offered_and_told(desk: Desk, sit_down: Any) -> None:
    one = desk.leave()
    desk.person("Anna", "owner")
    page = sit_down("Anna")

    page.click("nav.places >> text=Reasons")
    page.wait_for_selector(".reasons")
    row = page.locator(".reasons li").last
    for name, words in {"title": "Too loud", "code": "loud", "sentence": "Please speak softly."}.items():
        row.locator(f"[name={name}]").fill(words)
    page.click("text=Keep this list")
    page.wait_for_selector("[name=code][value=loud]")
    page.click("nav.places >> text=Queue")
    come_to(page, f"#c-{one}")
    page.select_option(f"#c-{one} .rejection", "loud")
    page.click(f"#c-{one} button.reject")

    page.wait_for_selector(f"#c-{one}.done")
    found = desk.comment(one)
    assert (found.status, found.reason_code, found.reason) == ("rejected", "loud", "Please speak softly.")


def test_who_is_in_the_shadow_alone_sees_their_words_until_the_rule_is_removed(
    desk: Desk, sit_down: Any, tmp_path: Path
) -> None:
    desk.person("Anna", "owner")
    page = sit_down("Anna")

    page.click("nav.places >> text=Rules")
    page.wait_for_selector("#value")
    page.fill("#value", "shade.example")
    page.fill("#note", "A wave of them")
    page.click("button.shadow")
    page.wait_for_selector(".rules >> text=In shadow mode")
    one, token = desk.said(name="Eve", email="eve@shade.example", body="Words from the shadow.")
    assert desk.status(one) == "spam"
    author, others = page.context.new_page(), page.context.new_page()
    author.goto(f"{desk.url}/mine#{token}")
    author.wait_for_selector("text=Words from the shadow.")
    assert "Published" in author.inner_text("main")
    others.goto(f"{desk.url}/embed/blog?page={PAGE}")
    others.wait_for_selector("form")
    assert "Words from the shadow." not in others.inner_text("body")

    page.click(".rules >> text=Remove")
    page.wait_for_selector("text=There is none.")
    assert desk.status(desk.leave(name="Eve", email="eve@shade.example", body="Once more.")) == "pending"

    page.click("nav.places >> text=Audit log")
    page.wait_for_selector(".log >> text=Rule removed")
    page.select_option("[name=action]", "rule.added")
    page.click(".filters button")
    page.wait_for_selector(".log >> text=Rule removed", state="detached")
    page.wait_for_selector(".log >> text=Rule made by Anna")
    assert page.locator(".log > li").count() == 1
    with page.expect_download() as download:
        page.click("text=CSV")
    download.value.save_as(tmp_path / "audit.csv")
    rows = (tmp_path / "audit.csv").read_text().splitlines()
    assert len(rows) == 2 and "rule.added" in rows[1]


def test_a_role_that_an_owner_takes_back_is_gone_at_once(desk: Desk, sit_down: Any) -> None:
    one = desk.leave()
    desk.person("Anna", "owner")
    page, berts = sit_down("Anna"), sit_down("Bert")
    assert berts.locator(f"#c-{one} .choices").count() == 1

    page.click("nav.places >> text=Team")
    page.wait_for_selector("[aria-label='Role of Bert']")
    page.select_option("[aria-label='Role of Bert']", "viewer")
    page.click("[aria-label='Change the role of Bert']")
    page.wait_for_selector(".flash")
    berts.reload()
    come_to(berts, f"#c-{one}")
    assert berts.locator(f"#c-{one} .choices").count() == 0
    page.click("[aria-label='Remove Bert']")
    page.wait_for_selector("[aria-label='Remove Bert']", state="detached")
    berts.reload()
    come_to(berts, "text=You have no site yet.")
