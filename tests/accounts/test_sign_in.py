"""Signing in and out: the form, its refusals, and the life of a session."""

from __future__ import annotations

import re
from typing import Any
from unittest.mock import Mock

import pytest
from flask import Flask

from service.accounts import operations, passwords
from service.accounts.models import Moderator
from service.accounts.security import NO_MATCH, own_page
from service.audit.models import AuditEntry
from service.db import db
from tests.accounts.conftest import HOME, PASSWORD, AppMaker, Browser, People, bearer, fields, own


def audited(app: Flask, action: str) -> list[AuditEntry]:
    with app.app_context():
        return db.session.query(AuditEntry).filter_by(action=action).all()


def test_the_page_is_a_form_that_nobody_keeps(app: Flask, browser: Browser) -> None:
    page = browser.get("/desk/sign-in")
    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "no-store"
    assert {"csrf_token"} <= set(fields(page.text))
    assert "remember" not in page.text


def test_the_right_password_opens_the_desk(people: People, browser: Browser) -> None:
    people.moderator()
    answer = browser.sign_in()
    assert (answer.status_code, answer.headers["Location"]) == (303, "/desk/")
    assert browser.get("/desk").text == "the desk"
    assert browser.get("/me").json["kind"] == "session"


@pytest.mark.parametrize("typed", ["ADA@Example.ORG", "  ada@example.org "])
def test_the_address_may_be_typed_in_capitals(people: People, browser: Browser, typed: str) -> None:
    people.moderator()
    assert browser.sign_in(typed).status_code == 303


def test_a_password_is_the_same_however_its_letters_are_composed(people: People, browser: Browser) -> None:
    who = people.moderator()
    people.change(who, lambda one: operations.set_password(one, "pässwörter sind", actor="test"))
    assert browser.sign_in(password="pa\u0308sswo\u0308rter sind").status_code == 303


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ada@example.org", "wrong horse battery"),
        ("nobody@example.org", PASSWORD),
        ("closed@example.org", PASSWORD),
        ("ada@example.org", ""),
        ("", PASSWORD),
        ("ada", PASSWORD),
        ("ada\0@example.org", PASSWORD),
        ("ada@example.org", PASSWORD + "\0"),
        ("ada@example.org", "x" * 5000),
        ("a" * 5000, PASSWORD),
        ("ada@example.org' OR 1=1 --", PASSWORD),
    ],
)
def test_every_failure_is_told_in_the_same_words(people: People, browser: Browser, email: str, password: str) -> None:
    people.moderator()
    closed = people.moderator("closed@example.org")
    people.change(closed, lambda one: operations.set_active(one, False, actor="test"))
    answer = browser.sign_in(email, password)
    assert answer.status_code == 422
    assert set(re.findall(r'role="alert">([^<]*)<', answer.text)) == {NO_MATCH}
    assert browser.get("/me").status_code == 401


def test_a_failure_keeps_the_address_and_not_the_password(people: People, browser: Browser) -> None:
    people.moderator()
    answer = browser.sign_in(password="a wrong password")
    assert 'value="ada@example.org"' in answer.text
    assert "a wrong password" not in answer.text


@pytest.mark.parametrize("email", ["ada@example.org", "nobody@example.org", "closed@example.org", "bare@example.org"])
def test_known_and_unknown_addresses_cost_one_slow_hash(
    people: People, app: Flask, browser: Browser, monkeypatch: pytest.MonkeyPatch, email: str
) -> None:
    people.moderator()
    people.change(people.moderator("closed@example.org"), lambda one: operations.set_active(one, False, actor="test"))

    def bare(one: Moderator) -> None:
        one.password = None

    people.change(people.moderator("bare@example.org"), bare)
    hashed, verified = Mock(wraps=passwords.CONTEXT.hash), Mock(wraps=passwords.CONTEXT.verify)
    monkeypatch.setattr(passwords.CONTEXT, "hash", hashed)
    monkeypatch.setattr(passwords.CONTEXT, "verify", verified)
    assert browser.sign_in(email, "a wrong password").status_code == 422
    assert hashed.call_count + verified.call_count == 1
    assert len(audited(app, "session.refused")) == 1


def test_an_account_without_a_password_is_not_opened_by_an_empty_one(people: People, browser: Browser) -> None:
    def bare(one: Moderator) -> None:
        one.password = None

    people.change(people.moderator(), bare)
    assert browser.sign_in(password="").status_code == 422
    assert browser.sign_in(password="None").status_code == 422


def test_signing_in_and_out_and_failing_are_audited(people: People, app: Flask, browser: Browser) -> None:
    who = people.moderator()
    browser.sign_in(password="a wrong password")
    browser.sign_in("nobody@example.org")
    browser.sign_in()
    browser.post_own("/desk/sign-out")
    assert sorted(str(one.subject_id) for one in audited(app, "session.refused")) == sorted([str(who), "None"])
    assert [(one.actor, one.subject_id) for one in audited(app, "session.opened")] == [(f"moderator:{who}", who)]
    assert [(one.actor, one.subject_id) for one in audited(app, "session.ended")] == [(f"moderator:{who}", who)]


def test_the_cookie_of_a_plain_address_is_strict(people: People, browser: Browser) -> None:
    people.moderator()
    crumbs = browser.sign_in().headers.getlist("Set-Cookie")
    assert len(crumbs) == 1 and crumbs[0].startswith("greenroom=")
    assert {"HttpOnly", "Path=/", "SameSite=Strict"} <= set(crumbs[0].split("; "))
    assert "Domain" not in crumbs[0] and "Expires" not in crumbs[0]


def test_the_cookie_of_a_secure_address_cannot_be_set_by_others(app: Flask, make_app: AppMaker, people: People) -> None:
    people.moderator()
    home = "https://comments.example.org"
    client: Any = make_app(public_url=home).test_client()
    page = client.get("/desk/sign-in", base_url=home)
    crumb = page.headers["Set-Cookie"]
    assert crumb.startswith("__Host-greenroom=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Strict"} <= set(crumb.split("; "))
    data = fields(page.text) | {"email": "ada@example.org", "password": PASSWORD}
    answer = client.post("/desk/sign-in", data=data, headers={"Origin": home}, base_url=home)
    assert answer.status_code == 303


def test_signing_in_gives_a_new_csrf_token(people: People, browser: Browser) -> None:
    site = people.site("here")
    people.moderator(owner=site)
    before = fields(browser.get("/desk/sign-in").text)["csrf_token"]
    browser.sign_in()
    refused = browser.post(f"/sites/{site}/moderate", headers={"Origin": HOME, "X-CSRFToken": before})
    assert refused.status_code == 403


@pytest.mark.parametrize(
    ("headers", "data"),
    [
        ({"Origin": "https://evil.example"}, {}),
        ({}, {}),
        ({"Origin": HOME}, {"csrf_token": "made up"}),
        ({"Origin": HOME, "Sec-Fetch-Site": "cross-site"}, {}),
    ],
)
def test_no_other_site_can_sign_somebody_in(
    people: People, browser: Browser, headers: dict[str, str], data: dict[str, str]
) -> None:
    people.moderator()
    form = fields(browser.get("/desk/sign-in").text) | {"email": "ada@example.org", "password": PASSWORD}
    answer = browser.post("/desk/sign-in", data=form | data, headers=headers)
    assert answer.status_code == 403 and 'role="alert"' in answer.text
    assert browser.get("/me").status_code == 401


@pytest.mark.parametrize("body", ["[1]", '{"email": "ada@example.org"}', "null"])
def test_json_is_not_the_form(people: People, browser: Browser, body: str) -> None:
    answer = browser.post("/desk/sign-in", data=body, content_type="application/json", headers={"Origin": HOME})
    assert answer.status_code == 415


def test_asking_to_be_remembered_changes_nothing(people: People, browser: Browser) -> None:
    people.moderator()
    form = fields(browser.get("/desk/sign-in").text) | {"email": "ada@example.org", "password": PASSWORD}
    answer = browser.post("/desk/sign-in", data=form | {"remember": "y"}, **own({}))
    assert answer.status_code == 303
    assert [one.split("=")[0] for one in answer.headers.getlist("Set-Cookie")] == ["greenroom"]


def test_whoever_is_signed_in_skips_the_form(people: People, browser: Browser) -> None:
    people.moderator()
    browser.sign_in()
    answer = browser.get("/desk/sign-in?next=/desk/queue")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/desk/queue")


@pytest.mark.parametrize("page", ["/desk", "/desk/", "/desk/queue?status=spam&page=%2Fa", "/desk?x=1"])
def test_signing_in_leads_on_to_the_page_that_was_asked_for(people: People, browser: Browser, page: str) -> None:
    people.moderator()
    assert browser.sign_in(next=page).headers["Location"] == page


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example",
        "http:evil.example", "javascript:alert(1)", "/desk\\..\\evil", "/desk/\r\nSet-Cookie: a=b", "/deskevil", "/",
        " /desk", "/desk/\u2029", "/desk@evil.example", "desk", "http://localhost/desk", "/desk/\t/evil", "%2F%2Fevil",
    ],
)  # fmt: skip
def test_no_page_but_the_desks_own_is_led_on_to(target: str) -> None:
    assert own_page(target) == "/desk/"


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example"])
def test_signing_in_leads_nowhere_else(people: People, browser: Browser, target: str) -> None:
    people.moderator()
    assert browser.sign_in(next=target).headers["Location"] == "/desk/"


@pytest.fixture
def limited(app: Flask, make_app: AppMaker) -> Flask:
    return make_app(limits_enabled=True, limit_signin="3/minute", limit_signin_address="20/minute")


def test_failures_are_throttled_by_account_and_address(people: People, limited: Flask) -> None:
    people.moderator()
    people.moderator("bob@example.org")
    client: Any = limited.test_client()
    assert [client.sign_in(password="a wrong password").status_code for _ in range(5)] == [422] * 3 + [429] * 2
    refused = client.sign_in()
    assert refused.status_code == 429 and int(refused.headers["Retry-After"]) > 0
    assert "sign-in" in refused.headers["RateLimit"] and "a lot at once" in refused.text
    assert client.sign_in("bob@example.org", "a wrong password").status_code == 422
    elsewhere: Any = limited.test_client()
    elsewhere.environ_base["REMOTE_ADDR"] = "198.51.100.9"
    assert elsewhere.sign_in().status_code == 303


def test_success_is_not_counted_against_the_account(people: People, limited: Flask) -> None:
    people.moderator()
    for _ in range(6):
        client: Any = limited.test_client()
        assert client.sign_in(password="a wrong password").status_code == 422
        assert client.sign_in().status_code == 303


def test_one_address_cannot_try_every_account(people: People, limited: Flask) -> None:
    client: Any = limited.test_client()
    answers = [client.sign_in(f"user{n}@example.org").status_code for n in range(25)]
    assert answers == [422] * 20 + [429] * 5


def test_no_door_registers_recovers_or_serves_files(app: Flask) -> None:
    rules = {str(rule) for rule in app.url_map.iter_rules() if rule.endpoint.startswith("security.")}
    assert rules == {"/desk/sign-in", "/desk/sign-out"}
    assert not {"users", "roles"} & set(app.cli.commands)


def test_a_hash_of_older_settings_is_renewed_by_signing_in(people: People, app: Flask, browser: Browser) -> None:
    who = people.moderator()

    def weaken(one: Moderator) -> None:
        one.password = passwords.CONTEXT.handler("argon2").using(time_cost=2, memory_cost=64).hash(PASSWORD)

    people.change(who, weaken)
    assert browser.sign_in().status_code == 303
    with app.app_context():
        assert "t=1" in str(db.session.get_one(Moderator, who).password)


def test_a_token_does_not_open_the_sign_in_form_early(people: People, browser: Browser) -> None:
    token = people.token(people.moderator())
    assert browser.get("/desk/sign-in", headers=bearer(token)).status_code == 200
