"""The life of a session: signing out ends it for every copy of its cookie, and so do time and a new password."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from service.accounts import operations
from service.accounts.models import SignIn
from service.db import db, now, transaction
from tests.accounts.conftest import HOME, Browser, People


def cookie_of(browser: Browser) -> str:
    cookie = browser.get_cookie("greenroom", domain="localhost")
    assert cookie is not None
    return cookie.value


def test_an_old_cookie_is_worth_nothing_after_signing_out(people: People, app: Flask, browser: Browser) -> None:
    people.moderator()
    browser.sign_in()
    browser.token()
    kept = cookie_of(browser)
    assert browser.get("/me").status_code == 200
    assert browser.post_own("/desk/sign-out").headers["Location"] == "/desk/sign-in"
    assert browser.get_cookie("greenroom", domain="localhost") is None
    thief: Any = app.test_client()
    thief.set_cookie("greenroom", kept, domain="localhost")
    assert thief.get("/me").status_code == 401
    assert thief.post("/admin", headers={"Origin": HOME}).status_code == 401


def test_signing_out_leaves_the_other_browser_signed_in(people: People, app: Flask, browser: Browser) -> None:
    people.moderator()
    other: Any = app.test_client()
    browser.sign_in()
    other.sign_in()
    browser.post_own("/desk/sign-out")
    assert other.get("/me").status_code == 200


def test_signing_out_is_no_link(people: People, browser: Browser) -> None:
    people.moderator()
    browser.sign_in()
    assert browser.get("/desk/sign-out").status_code == 405
    assert browser.get("/me").status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}, {"Origin": HOME}])
def test_no_other_site_can_sign_somebody_out(people: People, browser: Browser, headers: dict[str, str]) -> None:
    people.moderator()
    browser.sign_in()
    assert browser.post("/desk/sign-out", headers=headers).status_code == 403
    assert browser.get("/me").status_code == 200


def test_signing_out_twice_is_fine(people: People, browser: Browser) -> None:
    people.moderator()
    assert browser.post("/desk/sign-out").status_code == 303


def test_a_session_that_nobody_used_for_long_ends(people: People, browser: Browser) -> None:
    people.moderator()
    browser.sign_in()
    with time_machine.travel(now() + operations.IDLE - timedelta(minutes=5)):
        assert browser.get("/me").status_code == 200
    with time_machine.travel(now() + operations.IDLE * 2 - timedelta(minutes=10)):
        assert browser.get("/me").status_code == 200
    with time_machine.travel(now() + operations.IDLE * 3):
        assert browser.get("/me").status_code == 401


def test_a_page_that_looks_by_itself_keeps_no_session_alive(people: People, browser: Browser) -> None:
    people.moderator()
    browser.sign_in()
    with time_machine.travel(now() + operations.IDLE - timedelta(minutes=5)):
        assert browser.get("/me", headers={"X-Unasked": "true"}).status_code == 200
    with time_machine.travel(now() + operations.IDLE + timedelta(minutes=5)):
        assert browser.get("/me").status_code == 401


def test_a_session_ends_after_a_week_however_much_it_is_used(people: People, browser: Browser) -> None:
    people.moderator()
    browser.sign_in()
    start, used = now(), 0
    for hours in range(0, 24 * 7, 11):
        with time_machine.travel(start + timedelta(hours=hours)):
            used += browser.get("/me").status_code == 200
    with time_machine.travel(start + operations.LONGEST + timedelta(minutes=1)):
        assert (used, browser.get("/me").status_code) == (16, 401)


def test_a_new_password_ends_every_session(people: People, browser: Browser) -> None:
    who = people.moderator()
    browser.sign_in()
    people.change(who, lambda one: operations.set_password(one, "another horse battery", actor="test"))
    assert browser.get("/me").status_code == 401
    assert browser.sign_in().status_code == 422
    assert browser.sign_in(password="another horse battery").status_code == 303


def test_a_new_uniquifier_ends_every_session(people: People, browser: Browser) -> None:
    who = people.moderator()
    browser.sign_in()
    people.change(who, lambda one: setattr(one, "fs_uniquifier", "another"))
    assert browser.get("/me").status_code == 401


def test_closing_an_account_ends_its_sessions(people: People, browser: Browser) -> None:
    who = people.moderator()
    browser.sign_in()
    people.change(who, lambda one: operations.set_active(one, False, actor="test"))
    assert browser.get("/me").status_code == 401


def test_the_session_table_is_swept(people: People, app: Flask, browser: Browser) -> None:
    people.moderator()
    browser.sign_in()
    with app.app_context(), transaction():
        assert operations.purge() == 0
    with time_machine.travel(now() + timedelta(days=100)), app.app_context(), transaction():
        assert operations.purge() == 1
    with app.app_context():
        assert db.session.query(SignIn).count() == 0
