"""What a device answers is good once, is written down when it is not, and is asked for after the password only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from service.accounts import worker
from service.accounts.models import Moderator, Passkey, UsedChallenge
from service.app import create_app
from service.audit.models import AuditDetail, AuditEntry
from service.db import db, now, transaction
from tests.desk.conftest import PASSWORD, words
from tests.desk.device import Device
from tests.desk.test_passkeys import NAMED, Named, send
from tests.desk.test_passkeys import named as named

ANNA = "anna@desk.example.org"
OPTIONS, PAGE = "/desk/account/passkey", "/desk/account"
ENTER = "/desk/sign-in/passkey"
HOST = "comments.example.org"


@pytest.fixture
def device() -> Device:
    return Device(HOST, NAMED)


@pytest.fixture
def inside(named: Named, person: Callable[..., Any]) -> Named:
    """A browser that reaches the desk by a name, in which Anna is signed in."""
    person("Anna")
    send(named, "/desk/sign-in", named.get("/desk/sign-in"), "Sign in", email=ANNA, password=PASSWORD)
    return named


def add(browser: Named, device: Device) -> str:
    """A passkey is added; what the device answered."""
    page = browser.get(PAGE)
    made = device.made(send(browser, OPTIONS, page, "Add a passkey", old=PASSWORD).json)
    answer = send(browser, PAGE, page, "Add a passkey", name="Phone", old=PASSWORD, credential=made)
    assert answer.status_code == 303, words(answer)
    return made


@pytest.fixture
def outside(inside: Named, device: Device) -> Named:
    """The browser after Anna has added a passkey and signed out."""
    add(inside, device)
    send(inside, "/desk/sign-out", inside.get(PAGE), "Sign out")
    return inside


def enter(browser: Named, credential: str) -> Any:
    return send(browser, ENTER, browser.get("/desk/sign-in"), "Sign in with a passkey", credential=credential)


def refusals() -> list[tuple[str, Any, Any]]:
    db.session.rollback()
    wanted = AuditEntry.action.in_(("session.refused", "factor.passkey-copied"))
    rows = db.session.query(AuditEntry, AuditDetail).join(AuditDetail).filter(wanted).order_by(AuditEntry.n)
    return [(entry.action, entry.subject_id, detail.details) for entry, detail in rows]


def test_a_passkey_lets_in(outside: Named, device: Device) -> None:
    answer = enter(outside, device.answer(outside.get(ENTER).json))
    assert (answer.status_code, outside.get(PAGE).status_code) == (303, 200)
    assert refusals() == []


@pytest.mark.parametrize("counts", [True, False])
def test_an_answer_is_good_once(
    outside: Named, device: Device, named: Named, counts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not counts:  # as many devices do: then nothing but the challenge tells two answers apart
        monkeypatch.setattr(device, "_data", lambda flags: Device._data(Device(device.host, device.origin), flags))
    thief, form = (
        Named(named.application, named.application.response_class, use_cookies=True),
        outside.get("/desk/sign-in"),
    )
    given = device.answer(outside.get(ENTER).json)
    cookie = outside.get_cookie("greenroom", HOST)
    assert cookie is not None
    assert send(outside, ENTER, form, "Sign in with a passkey", credential=given).status_code == 303
    thief.set_cookie("greenroom", cookie.value, domain=HOST)
    answer = send(thief, ENTER, form, "Sign in with a passkey", credential=given)
    assert (answer.status_code, "No account is opened by this passkey." in words(answer)) == (422, True)
    assert thief.get(PAGE).status_code == 303
    assert refusals() == [("session.refused", db.session.query(Moderator).one().id, {"step": "passkey"})]


def test_the_answer_of_a_new_passkey_is_good_once(inside: Named, device: Device) -> None:
    page = inside.get(PAGE)
    made = device.made(send(inside, OPTIONS, page, "Add a passkey", old=PASSWORD).json)
    cookie, told = inside.get_cookie("greenroom", HOST), {"name": "Phone", "old": PASSWORD, "credential": made}
    assert cookie is not None
    assert send(inside, PAGE, page, "Add a passkey", **told).status_code == 303
    inside.set_cookie("greenroom", cookie.value, domain=HOST)
    assert "is known already" in words(send(inside, PAGE, page, "Add a passkey", **told))
    with transaction():
        db.session.query(Passkey).delete()
    inside.set_cookie("greenroom", cookie.value, domain=HOST)
    assert "no passkey was added" in words(send(inside, PAGE, page, "Add a passkey", **told))
    assert db.session.query(Passkey).count() == 0


def test_a_copy_of_a_device_is_refused_and_written_down(outside: Named, device: Device) -> None:
    assert enter(outside, device.answer(outside.get(ENTER).json)).status_code == 303
    send(outside, "/desk/sign-out", outside.get(PAGE), "Sign out")
    device.count = 0
    answer = enter(outside, device.answer(outside.get(ENTER).json))
    assert (answer.status_code, "No account is opened by this passkey." in words(answer)) == (422, True)
    me = db.session.query(Moderator).one().id
    assert refusals() == [("session.refused", me, {"step": "passkey"}), ("factor.passkey-copied", me, {})]


def test_a_passkey_that_nobody_has_is_written_down(outside: Named, device: Device) -> None:
    stranger = Device(device.host, device.origin)
    assert enter(outside, stranger.answer(outside.get(ENTER).json)).status_code == 422
    assert enter(outside, "{}").status_code == 422
    assert refusals() == [("session.refused", None, {"step": "passkey"})] * 2


def test_challenges_are_forgotten_once_nobody_can_answer_them(outside: Named, device: Device) -> None:
    enter(outside, device.answer(outside.get(ENTER).json))
    worker.forget_soon()
    assert db.session.query(UsedChallenge).count() == 2
    with time_machine.travel(now() + timedelta(minutes=5, seconds=1), tick=False):
        worker.forget_soon()
    assert db.session.query(UsedChallenge).count() == 0


def test_the_password_comes_before_the_device(inside: Named) -> None:
    page = inside.get(PAGE)
    answer = send(inside, OPTIONS, page, "Add a passkey", old="a wrong password")
    assert (answer.status_code, answer.json["detail"]) == (422, "This is not your present password.")
    assert send(inside, OPTIONS, page, "Add a passkey").status_code == 422
    assert refusals() == [("session.refused", db.session.query(Moderator).one().id, {"step": "password"})]


def test_a_wrong_password_is_written_down_whatever_it_was_for(inside: Named) -> None:
    page = inside.get(PAGE)
    for button, more in (
        ("Set codes up", {}),
        ("Change the password", {"password": "another horse battery"}),
        ("Make the token", {"name": "x", "power": "read", "days": ""}),
    ):
        assert send(inside, PAGE, page, button, old="a wrong password", **more).status_code == 422
    assert [one for *_, one in refusals()] == [{"step": "password"}] * 3


def test_too_many_wrong_passwords_say_when_to_come_again(inside: Named) -> None:
    limited = create_app(replace(inside.application.extensions["greenroom_settings"], limits_enabled=True))
    browser = Named(limited, limited.response_class, use_cookies=True)
    send(browser, "/desk/sign-in", browser.get("/desk/sign-in"), "Sign in", email=ANNA, password=PASSWORD)
    page = browser.get(PAGE)
    for path, button in ((PAGE, "Set codes up"), (OPTIONS, "Add a passkey")):
        for _ in range(6):
            answer = send(browser, path, page, button, old="a wrong password")
        assert answer.status_code == 429, answer.text[:3000]
        assert answer.headers["Retry-After"].isdigit()
    with limited.app_context():
        db.engine.dispose()
