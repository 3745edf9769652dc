"""The second step: codes from an app, and recovery codes, from setting up to signing in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from passlib.totp import TOTP

from service.accounts import worker
from service.accounts.models import Moderator, RecoveryCode, TotpSecret
from service.app import create_app
from service.audit.models import AuditEntry
from service.comments import rotation
from service.db import db, now, transaction
from service.privacy.seal import fernet
from tests.desk.conftest import HOME, PASSWORD, Browser, fields, the_form, words

PAGE, CODE = "/desk/account", "/desk/sign-in/code"
ANNA = "anna@desk.example.org"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock(app: Flask) -> Iterator[Any]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def code(secret: str, later: int = 0) -> str:
    return str(TOTP(secret.replace(" ", "")).generate(int(now().timestamp()) + later).token)


def shown_secret(page: Any) -> str:
    (secret,) = re.findall(r"<code>([A-Z2-7 ]{20,})</code>", page.text)
    return str(secret)


def set_up(browser: Browser) -> tuple[str, list[str]]:
    """Codes are switched on; the secret, and the recovery codes."""
    shown = browser.press(browser.get(PAGE), "Set codes up", old=PASSWORD)
    secret = shown_secret(shown)
    done = browser.press(shown, "Switch codes on", code=code(secret, -30))
    assert done.status_code == 200, words(done)
    return secret, re.findall(r"<code>([a-z2-7-]{29})</code>", done.text)


@pytest.fixture
def secret(anna: Browser) -> str:
    return set_up(anna)[0]


def at_the_second_step(open_browser: Callable[[], Browser]) -> Browser:
    browser = open_browser()
    answer = browser.sign_in(ANNA)
    assert (answer.status_code, answer.headers["Location"]) == (303, CODE)
    return browser


def enter(browser: Browser, typed: str) -> Any:
    return browser.press(browser.get(CODE), "Sign in", code=typed)


def test_codes_count_once_one_was_typed(anna: Browser, open_browser: Callable[[], Browser]) -> None:
    shown = anna.press(anna.get(PAGE), "Set codes up", old=PASSWORD)
    assert '<svg class="qr"' in shown.text and "style=" not in shown.text
    assert open_browser().sign_in(ANNA).headers["Location"] == "/desk/"
    secret = shown_secret(shown)
    wrong = anna.press(shown, "Switch codes on", code="000000" if code(secret) != "000000" else "111111")
    assert wrong.status_code == 422 and secret in wrong.text
    done = anna.press(wrong, "Switch codes on", code=code(secret))
    assert len(re.findall(r"<code>[a-z2-7-]{29}</code>", done.text)) == 10
    page = anna.get(PAGE)
    assert "10 recovery codes are left." in words(page) and secret not in page.text
    assert open_browser().sign_in(ANNA).headers["Location"] == CODE


def test_the_picture_holds_the_secret_and_the_account(anna: Browser) -> None:
    from service.accounts import factors

    shown = anna.press(anna.get(PAGE), "Set codes up", old=PASSWORD)
    who = db.session.query(Moderator).one()
    secret = shown_secret(shown).replace(" ", "")
    assert factors.waiting(who.id, factors.mark_of(secret)) == secret
    assert factors.address_of(secret, who) == (
        f"otpauth://totp/Greenroom:anna%40desk.example.org?secret={secret}&issuer=Greenroom"
    ).replace("%40", "@")


def test_setting_up_needs_the_password(anna: Browser) -> None:
    answer = anna.press(anna.get(PAGE), "Set codes up", old="a wrong password")
    assert answer.status_code == 422 and db.session.query(TotpSecret).count() == 0


def confirm(browser: Browser, typed: str) -> Any:
    form = fields(the_form(browser.get(PAGE).text, "Set codes up", None)[0])
    return browser.post(PAGE, data=form | {"deed": "codes-confirm", "code": typed}, headers={"Origin": HOME})


def test_another_session_sees_nothing_of_a_set_up_and_ends_none(
    anna: Browser, open_browser: Callable[[], Browser]
) -> None:
    thief = open_browser()
    thief.sign_in(ANNA)
    shown = anna.press(anna.get(PAGE), "Set codes up", old=PASSWORD)
    secret = shown_secret(shown)
    for typed in ("000000", code(secret)):
        refused = confirm(thief, typed)
        assert (refused.status_code, secret in refused.text) == (409, False)
        assert "Nothing is being set up." in words(refused)
    assert anna.press(shown, "Switch codes on", code=code(secret)).status_code == 200


def test_a_cookie_from_before_sees_nothing_of_a_set_up(anna: Browser, open_browser: Callable[[], Browser]) -> None:
    thief, cookie = open_browser(), anna.get_cookie("greenroom")
    assert cookie is not None
    thief.set_cookie("greenroom", cookie.value)
    secret = shown_secret(anna.press(anna.get(PAGE), "Set codes up", old=PASSWORD))
    refused = confirm(thief, code(secret))
    assert (refused.status_code, secret in refused.text) == (409, False)


def test_a_set_up_ends_after_ten_minutes_and_is_forgotten(anna: Browser, clock: Any) -> None:
    shown = anna.press(anna.get(PAGE), "Set codes up", old=PASSWORD)
    secret = shown_secret(shown)
    clock.shift(timedelta(minutes=10))
    refused = anna.press(shown, "Switch codes on", code=code(secret))
    assert (refused.status_code, secret in refused.text) == (409, False)
    worker.forget_soon()
    assert db.session.query(TotpSecret).count() == 0


def test_codes_that_count_are_not_forgotten(secret: str, clock: Any) -> None:
    clock.shift(timedelta(minutes=11))
    worker.forget_soon()
    assert db.session.query(TotpSecret).count() == 1


def test_the_secret_is_nowhere_in_the_database(anna: Browser, secret: str) -> None:
    row = db.session.query(TotpSecret).one()
    assert secret.replace(" ", "").encode() not in row.sealed
    assert fernet().decrypt(row.sealed).decode() == secret.replace(" ", "")


def test_a_good_code_lets_in_where_one_wanted_to_go(
    secret: str, open_browser: Callable[[], Browser], app: Flask
) -> None:
    browser = open_browser()
    page = browser.get("/desk/sign-in?next=/desk/account")
    assert browser.press(page, "Sign in", email=ANNA, password=PASSWORD).headers["Location"] == CODE
    assert browser.get(PAGE).status_code == 303  # half a sign-in opens nothing
    answer = enter(browser, code(secret))
    assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
    assert browser.get(PAGE).status_code == 200


def test_a_code_is_good_once(secret: str, open_browser: Callable[[], Browser], clock: Any) -> None:
    one, two = (at_the_second_step(open_browser) for _ in range(2))
    typed = code(secret)
    assert enter(one, typed).status_code == 303
    refused = enter(two, typed)
    assert refused.status_code == 422 and "was used already" in words(refused)
    clock.shift(timedelta(seconds=30))
    assert enter(two, code(secret)).status_code == 303


@pytest.mark.parametrize("late", [-90, 60, 3600])
def test_a_code_of_another_time_is_not_taken(secret: str, open_browser: Callable[[], Browser], late: int) -> None:
    browser = at_the_second_step(open_browser)
    assert enter(browser, code(secret, late)).status_code == 422
    assert browser.get(PAGE).status_code == 303


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "００００００", "\0" * 6, "x" * 5000])
def test_what_is_no_code_lets_nobody_in(secret: str, open_browser: Callable[[], Browser], typed: str) -> None:
    browser = at_the_second_step(open_browser)
    assert enter(browser, typed).status_code == 422
    assert db.session.query(AuditEntry).filter_by(action="session.refused").count() == 1


def test_a_recovery_code_lets_in_once_however_it_is_typed(anna: Browser, open_browser: Callable[[], Browser]) -> None:
    _, codes = set_up(anna)
    one, two = (at_the_second_step(open_browser) for _ in range(2))
    assert len(set(codes)) == 10
    assert enter(one, f" {codes[3].upper().replace('-', ' ')} ").status_code == 303
    assert enter(two, codes[3]).status_code == 422
    assert enter(two, codes[4]).status_code == 303
    assert "8 recovery codes are left." in words(anna.get(PAGE))
    assert not {one.digest for one in db.session.query(RecoveryCode)} & {one.encode() for one in codes}


def test_new_recovery_codes_replace_the_old(anna: Browser, open_browser: Callable[[], Browser]) -> None:
    _, old = set_up(anna)
    done = anna.press(anna.get(PAGE), "Make other recovery codes", old=PASSWORD)
    assert "take the place of those before" in words(done) and "are asked for from now on" not in words(done)
    new = re.findall(r"<code>([a-z2-7-]{29})</code>", done.text)
    browser = at_the_second_step(open_browser)
    assert enter(browser, old[0]).status_code == 422
    assert enter(browser, new[0]).status_code == 303


def test_switching_off_needs_the_password(anna: Browser, secret: str, open_browser: Callable[[], Browser]) -> None:
    assert anna.press(anna.get(PAGE), "Switch codes off", old="a wrong password").status_code == 422
    assert open_browser().sign_in(ANNA).headers["Location"] == CODE
    assert anna.press(anna.get(PAGE), "Switch codes off", old=PASSWORD).status_code == 303
    assert open_browser().sign_in(ANNA).headers["Location"] == "/desk/"
    assert (db.session.query(TotpSecret).count(), db.session.query(RecoveryCode).count()) == (0, 0)


def test_half_a_sign_in_ends_after_five_minutes(secret: str, open_browser: Callable[[], Browser], clock: Any) -> None:
    browser = at_the_second_step(open_browser)
    page = browser.get(CODE)
    clock.shift(timedelta(minutes=5))
    answer = browser.press(page, "Sign in", code=code(secret))
    assert answer.headers["Location"] == "/desk/"
    assert browser.get(PAGE).status_code == 303


def test_a_wrong_password_ends_half_a_sign_in(secret: str, open_browser: Callable[[], Browser]) -> None:
    browser = at_the_second_step(open_browser)
    assert browser.sign_in(ANNA, "a wrong password").status_code == 422
    assert browser.get(CODE).status_code == 303


def test_the_step_needs_a_password_and_a_page_of_ours(secret: str, open_browser: Callable[[], Browser]) -> None:
    stranger = open_browser()
    assert stranger.get(CODE).status_code == 303
    assert stranger.post(CODE, data={"code": code(secret)}, headers={"Origin": HOME}).status_code == 403
    assert stranger.get(PAGE).status_code == 303
    browser = at_the_second_step(open_browser)
    form = fields(the_form(browser.get(CODE).text, "Sign in", None)[0]) | {"code": code(secret)}
    assert browser.post(CODE, data=form, headers={"Origin": "https://evil.example"}).status_code == 403
    assert browser.post(CODE, data={"code": code(secret)}, headers={"Origin": HOME}).status_code == 403
    assert browser.get(PAGE).status_code == 303


def test_codes_are_limited_as_passwords_are(app: Flask, secret: str) -> None:
    from dataclasses import replace

    settings = replace(app.extensions["greenroom_settings"], limits_enabled=True)
    limited = create_app(settings)
    browser = Browser(limited, limited.response_class, use_cookies=True)
    assert browser.sign_in(ANNA).headers["Location"] == CODE
    said = [enter(browser, "000000").status_code for _ in range(6)]
    assert said == [422] * 5 + [429]
    assert enter(browser, code(secret)).status_code == 429
    with limited.app_context():
        db.engine.dispose()


def test_a_new_sealing_key_takes_over_the_secrets(secret: str, open_browser: Callable[[], Browser]) -> None:
    before = db.session.query(TotpSecret).one().sealed
    with transaction():
        rotation.finish()
    db.session.expire_all()
    assert db.session.query(TotpSecret).one().sealed != before
    assert enter(at_the_second_step(open_browser), code(secret)).status_code == 303


def test_a_command_switches_codes_off_for_somebody_who_lost_them(
    app: Flask, secret: str, open_browser: Callable[[], Browser]
) -> None:
    done = app.test_cli_runner().invoke(args=["moderators", "reset-factors", ANNA])
    assert (done.exit_code, "codes are off" in done.output) == (0, True)
    assert open_browser().sign_in(ANNA).headers["Location"] == "/desk/"
    (entry,) = db.session.query(AuditEntry).filter_by(action="factor.codes-off")
    assert entry.actor == "command"
    done = app.test_cli_runner().invoke(args=["moderators", "reset-factors", ANNA])
    assert "nothing to switch off" in done.output
    assert app.test_cli_runner().invoke(args=["moderators", "reset-factors", "no@example.org"]).exit_code == 65
