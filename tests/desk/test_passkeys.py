"""Passkeys in a real Chromium with a virtual authenticator; and what is no answer of one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from service.accounts.models import Passkey
from service.app import create_app
from service.audit.models import AuditEntry
from service.db import db
from tests.browser import Watch
from tests.desk.conftest import HOME, PASSWORD, Browser, fields, the_form, words
from tests.desk.seated import Desk
from tests.desk.seated import desk as desk
from tests.desk.seated import sit_down as sit_down
from tests.desk.seated import watch as watch

DEVICE = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


HOST = "localhost"
"""Passkeys are for a name, and not for a number."""


def plug_in(page: Any) -> tuple[Any, str]:
    """A virtual authenticator in the page's browser."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    return session, session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})["authenticatorId"]


def add(page: Any, desk: Desk, name: str = "My phone") -> None:
    page.goto(f"{desk.url}/desk/account")
    page.fill("#passkey-name", name)
    page.fill("#old-passkey", PASSWORD)
    page.click("text=Add a passkey")
    page.wait_for_selector("text=The passkey is added.")


def leave(page: Any) -> None:
    page.click("text=Sign out")
    page.wait_for_selector("#email")


def test_a_passkey_is_added_signs_in_and_is_removed(desk: Desk, sit_down: Callable[[str], Any], watch: Watch) -> None:
    page = sit_down("Anna")
    plug_in(page)
    add(page, desk)
    leave(page)
    page.click("text=Sign in with a passkey")
    page.wait_for_selector("#show-keys")
    assert page.url == f"{desk.url}/desk/"
    page.goto(f"{desk.url}/desk/account")
    assert "My phone" in page.inner_text("main")
    page.click("[aria-label='Remove My phone']")
    page.wait_for_selector("text=The passkey opens nothing any more.")
    leave(page)
    page.click("text=Sign in with a passkey")
    page.wait_for_selector("text=No account is opened by this passkey.")
    assert watch.breaches == []
    watch.console[:] = [text for text in watch.console if "status of 422" not in text]
    with desk.app.app_context():
        actions = [one.action for one in db.session.query(AuditEntry).order_by(AuditEntry.n)]
    assert {"factor.passkey-added", "factor.passkey-removed"} <= set(actions)


def test_a_device_that_cannot_tell_who_holds_it_lets_nobody_in(desk: Desk, sit_down: Callable[[str], Any]) -> None:
    page = sit_down("Anna")
    session, device = plug_in(page)
    add(page, desk)
    leave(page)
    session.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
    page.click("text=Sign in with a passkey")
    page.wait_for_selector("text=No passkey was used. Please try again.")
    assert "/desk/sign-in" in page.url


def test_the_form_says_when_the_password_is_wrong(desk: Desk, sit_down: Callable[[str], Any], watch: Watch) -> None:
    page = sit_down("Anna")
    session, device = plug_in(page)
    page.goto(f"{desk.url}/desk/account")
    page.fill("#passkey-name", "x")
    page.fill("#old-passkey", "a wrong password")
    page.click("text=Add a passkey")
    page.wait_for_selector("text=This is not your present password.")
    held = session.send("WebAuthn.getCredentials", {"authenticatorId": device})["credentials"]
    assert held == []  # nothing was made that the server refuses then
    watch.console[:] = [text for text in watch.console if "status of 422" not in text]


def test_the_form_says_when_the_browser_makes_none(desk: Desk, sit_down: Callable[[str], Any]) -> None:
    page = sit_down("Anna")
    session, device = plug_in(page)
    session.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
    page.goto(f"{desk.url}/desk/account")
    page.fill("#passkey-name", "x")
    page.fill("#old-passkey", PASSWORD)
    page.click("text=Add a passkey")
    page.wait_for_selector("text=No passkey was made. Please try again.")
    with desk.app.app_context():
        assert db.session.query(Passkey).count() == 0


# Without a browser: what is sent that no authenticator answered.


NAMED = "http://comments.example.org"
NO_ANSWERS = [
    "", "{}", "[]", "null", "x", '{"id": 1}', "{" * 300,
    json.dumps({"id": "YQ", "rawId": "YQ", "type": "public-key", "response": {}}),
    json.dumps({
        "id": "YQ", "rawId": "YQ", "type": "public-key",
        "response": {"clientDataJSON": "YQ", "authenticatorData": "YQ", "signature": "YQ", "attestationObject": "YQ"},
    }),
    json.dumps({
        "id": "é", "rawId": "!", "type": "public-key",
        "response": {"clientDataJSON": "!", "authenticatorData": "!", "signature": "!", "attestationObject": "!"},
    }),
]  # fmt: skip


class Named(Browser):
    """A browser that reaches the desk by a name."""

    def open(self, *args: Any, **more: Any) -> Any:
        return super().open(*args, base_url=NAMED, **more)


@pytest.fixture
def named(app: Flask) -> Any:
    made = create_app(replace(app.extensions["greenroom_settings"], public_url=NAMED))
    yield Named(made, made.response_class, use_cookies=True)
    with made.app_context():
        db.engine.dispose()


def send(browser: Browser, path: str, page: Any, button: str, **typed: str) -> Any:
    form = fields(the_form(page.text, button, None)[0]) | typed
    return browser.post(path, data=form, headers={"Origin": NAMED})


@pytest.mark.parametrize("credential", NO_ANSWERS)
def test_what_is_no_answer_signs_nobody_in(named: Browser, credential: str) -> None:
    page = named.get("/desk/sign-in")
    assert named.get("/desk/sign-in/passkey").json["rpId"] == "comments.example.org"
    answer = send(named, "/desk/sign-in/passkey", page, "Sign in with a passkey", credential=credential)
    assert (answer.status_code, "No account is opened by this passkey." in words(answer)) == (422, True)


def test_an_answer_to_no_question_is_too_late(named: Browser) -> None:
    page = named.get("/desk/sign-in")
    answer = send(named, "/desk/sign-in/passkey", page, "Sign in with a passkey", credential="{}")
    assert (answer.status_code, "That took too long." in words(answer)) == (422, True)


@pytest.mark.parametrize("credential", NO_ANSWERS[1:])
def test_what_is_no_answer_adds_no_passkey(named: Browser, person: Callable[..., Any], credential: str) -> None:
    person("Anna")
    page = named.get("/desk/sign-in")
    send(named, "/desk/sign-in", page, "Sign in", email="anna@desk.example.org", password=PASSWORD)
    page = named.get("/desk/account")
    options = send(named, "/desk/account/passkey", page, "Add a passkey", old=PASSWORD).json
    assert options["rp"]["id"] == "comments.example.org"
    answer = send(named, "/desk/account", page, "Add a passkey", name="x", old=PASSWORD, credential=credential)
    assert (answer.status_code, "no passkey was added" in words(answer)) == (422, True)
    assert db.session.query(Passkey).count() == 0


def test_by_a_number_there_are_no_passkeys(anna: Browser) -> None:
    assert "Passkeys need a name" in words(anna.get("/desk/account"))
    form = fields(the_form(anna.get("/desk/account").text, "Set codes up", None)[0])
    refused = anna.post("/desk/account/passkey", data=form | {"old": PASSWORD}, headers={"Origin": HOME})
    assert (refused.status_code, "Passkeys need a name" in refused.json["detail"]) == (409, True)
    assert anna.get("/desk/sign-in/passkey").json is None
    assert HOME.startswith("http://127.")
