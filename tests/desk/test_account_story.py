"""Somebody looks after their account, in a real Chromium: codes and their loss, sessions, tokens for programs."""

from __future__ import annotations

from typing import Any

import pytest
from passlib.totp import TOTP

from tests.browser import Watch
from tests.desk.conftest import PASSWORD
from tests.desk.seated import Desk, come_to
from tests.desk.seated import desk as desk
from tests.desk.seated import sit_down as sit_down
from tests.desk.seated import watch as watch

pytestmark = pytest.mark.browser


def begin_again(page: Any) -> None:
    """Sign out, and in again as far as a code is asked for."""
    page.click("text=Sign out")
    page.wait_for_selector("#email")
    page.fill("#email", "anna@desk.example.org")
    page.fill("#password", PASSWORD)
    page.click("main button")
    page.wait_for_selector("#code")


def test_codes_are_asked_for_and_a_recovery_code_is_good_once(desk: Desk, sit_down: Any, watch: Watch) -> None:
    page = sit_down("Anna")

    page.click("nav.places >> text=My account")
    page.wait_for_selector("#old-codes")
    page.fill("#old-codes", PASSWORD)
    page.click("text=Set codes up")
    page.wait_for_selector(".qr")
    secret = page.inner_text("p:has-text('The secret:') code")
    page.fill("#code", str(TOTP(secret.replace(" ", "")).generate().token))
    page.click("text=Switch codes on")
    page.wait_for_selector(".codes")
    first, second, *others = page.locator(".codes code").all_inner_texts()
    assert len(others) == 8

    begin_again(page)
    page.fill("#code", first)
    page.click("main button")
    come_to(page, "#queue")
    page.click("nav.places >> text=My account")
    page.wait_for_selector("text=9 recovery codes are left.")
    begin_again(page)
    page.fill("#code", first)
    page.click("main button")
    page.wait_for_selector("[role=alert] >> text=That code is not right, or was used already.")
    page.fill("#code", second)
    page.click("main button")
    come_to(page, "#queue")
    watch.console[:] = [text for text in watch.console if "status of 422" not in text]


def test_sessions_are_ended_and_tokens_made_and_revoked(desk: Desk, sit_down: Any) -> None:
    page, elsewhere, far = (sit_down("Anna") for _ in range(3))
    program = desk.app.test_client()

    page.click("nav.places >> text=My account")
    page.wait_for_selector("text=This browser")
    page.click("text=End it >> nth=0")
    page.wait_for_selector("text=The session has ended.")
    assert page.locator("text=End it").count() == 1
    page.click("text=End all others")
    page.wait_for_selector("text=Every other session has ended.")
    for one in (elsewhere, far):
        one.reload()
        one.wait_for_selector("#email")

    page.click("text=Make a token")
    page.fill("#token-name", "Importer")
    page.fill("#old-token", PASSWORD)
    page.click("text=Make the token")
    page.wait_for_selector("#secret")
    bearer = {"Authorization": f"Bearer {page.input_value('#secret')}"}
    assert program.get("/v1/sites", headers=bearer).status_code == 200
    page.click("[aria-label='Revoke Importer']")
    page.wait_for_selector("text=The token opens nothing any more.")
    assert program.get("/v1/sites", headers=bearer).status_code == 401
