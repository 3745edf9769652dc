"""The way in, to the letter: what a session holds, what is counted, and what lies between a password and a code."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from flask import Flask, session
from flask_wtf.csrf import generate_csrf

from service.accounts import factors, operations, queries, security
from service.accounts.models import Moderator, SignIn
from service.accounts.security import NoMail
from service.db import db, now, transaction
from service.errors import TooManyRequests
from tests.accounts.conftest import HOME, PASSWORD, AppMaker, Browser, People, bearer, fields, own
from tests.accounts.test_factors import set_up

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:151.0) Gecko/20100101 Firefox/151.0"
WITH_CODE = "/desk/sign-in/code"


def held(browser: Browser) -> dict[str, Any]:
    """What the session's cookie says."""
    with browser.session_transaction() as kept:
        return dict(kept)


def form_of(browser: Browser, **typed: str) -> dict[str, str]:
    return fields(browser.get("/desk/sign-in").text) | {"email": "ada@example.org", "password": PASSWORD} | typed


def with_codes(people: People, app: Flask, email: str = "ada@example.org") -> UUID:
    who = people.moderator(email)
    with app.app_context():
        set_up(db.session.get_one(Moderator, who))
    return who


# The session


def test_a_session_names_itself_and_its_account_and_nothing_of_the_browser(
    people: People, app: Flask, browser: Browser
) -> None:
    who = people.moderator()
    browser.environ_base["HTTP_USER_AGENT"] = FIREFOX
    browser.sign_in()
    kept = held(browser)
    assert set(kept) == {"_fresh", "_user_id", "fs_cc", "fs_paa", "sign_in"}
    with app.app_context():
        one = db.session.query(SignIn).one()
        assert (str(one.id), one.moderator_id, one.browser) == (kept["sign_in"], who, "Firefox, Linux")
        assert db.session.get_one(Moderator, who).fs_uniquifier == kept["_user_id"]


def test_a_session_goes_with_somebody_to_another_network(people: People, browser: Browser) -> None:
    people.moderator()
    browser.sign_in()
    browser.environ_base |= {"HTTP_USER_AGENT": FIREFOX, "REMOTE_ADDR": "198.51.100.9"}
    answer = browser.get("/me")
    assert answer.status_code == 200 and "Set-Cookie" not in answer.headers


def test_nothing_of_a_session_before_is_taken_over(people: People, app: Flask) -> None:
    who = people.moderator()
    with app.test_request_context(), app.app_context():
        session["left"] = "by somebody"
        before = generate_csrf()
        security.let_in(db.session.get_one(Moderator, who))
        assert "left" not in session and "_remember" not in session and session["sign_in"]
        assert generate_csrf() != before  # in the same request, too


def test_signing_out_leaves_nothing_in_the_cookie(people: People, app: Flask, browser: Browser) -> None:
    people.moderator()
    browser.sign_in()
    answer = browser.post_own("/desk/sign-out")
    assert (answer.status_code, answer.headers["Location"], held(browser)) == (303, "/desk/sign-in", {})
    with app.app_context():
        assert db.session.query(SignIn).one().ended_at is not None


@pytest.mark.parametrize(("more", "status"), [(timedelta(minutes=-1), 303), (timedelta(minutes=1), 403)])
def test_a_page_may_be_open_for_a_week_before_somebody_signs_in(
    people: People, browser: Browser, more: timedelta, status: int
) -> None:
    people.moderator()
    form = form_of(browser)
    with time_machine.travel(now() + operations.LONGEST + more):
        assert browser.post("/desk/sign-in", data=form, **own({})).status_code == status


def test_who_it_is_is_asked_of_the_guard_alone(people: People, app: Flask, browser: Browser) -> None:
    """flask-security would take tokens of its own, and remember people for a year."""
    who = people.moderator()
    with app.app_context():
        token = db.session.get_one(Moderator, who).get_auth_token()  # type: ignore[no-untyped-call]
    for headers in ({"Authentication-Token": token}, bearer(token)):
        assert browser.get("/desk/sign-in", headers=headers).status_code == 200
        assert browser.get("/me", headers=headers).status_code == 401
    assert browser.get("/desk/sign-in", query_string={"auth_token": token}).status_code == 200


# The form


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_form_is_taken_as_browsers_send_it(people: People, browser: Browser, kind: str) -> None:
    people.moderator()
    answer = browser.post("/desk/sign-in", data=form_of(browser), content_type=kind, **own({}))
    assert answer.status_code == 303


def test_a_failure_is_a_page_whatever_the_client_would_rather_have(people: People, browser: Browser) -> None:
    headers = {"Accept": "application/json", "Origin": HOME}
    answer = browser.post("/desk/sign-in", data=form_of(browser), headers=headers)
    assert (answer.status_code, answer.mimetype) == (422, "text/html")
    assert "That e-mail and password do not match." in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_what_is_no_form_is_told_what_to_send(browser: Browser) -> None:
    answer = browser.post("/desk/sign-in", json={}, headers={"Origin": HOME})
    assert (answer.status_code, answer.json["detail"]) == (415, "Send the form of the sign-in page.")


@pytest.mark.parametrize(
    ("there", "kept"), [("/desk/queue", "/desk/queue"), ("https://evil.example", "/desk/"), ("", "/desk/")]
)
def test_a_failure_keeps_the_way_that_was_asked_for(people: People, browser: Browser, there: str, kept: str) -> None:
    people.moderator()
    answer = browser.sign_in(password="a wrong password", next=there)
    assert fields(answer.text)["next"] == kept
    assert browser.post("/desk/sign-in", data=form_of(browser, next=there), **own({})).headers["Location"] == kept


def test_a_form_without_an_address_is_one_that_failed(people: People, app: Flask, browser: Browser) -> None:
    people.moderator()
    form = {name: value for name, value in form_of(browser).items() if name != "email"}
    assert browser.post("/desk/sign-in", data=form, **own({})).status_code == 422


def test_an_address_is_written_in_one_way_and_no_mail_is_sent(app: Flask) -> None:
    with app.app_context():
        mail = NoMail(app)
        assert mail.normalize(" ADA@Example.org ") == "ada@example.org"
        with pytest.raises(ValueError, match="not an address"):
            mail.normalize("ada\0@example.org")
        with pytest.raises(AssertionError, match="sign-in sends no mail"):
            mail.send_mail("template", "subject", "ada@example.org")


def test_other_answers_are_written_as_before(people: People, browser: Browser) -> None:
    """flask-security puts a writer of JSON of its own in place of ours."""
    who = people.moderator()
    people.change(who, lambda one: operations.rename(one, "Zoë", actor="test"))
    assert "Zoë" in browser.get("/me", headers=bearer(people.token(who))).text


# What is counted


@pytest.fixture
def limited(app: Flask, make_app: AppMaker) -> Iterator[Any]:
    """A browser at an app that lets two tries through a minute, and four of a network."""
    made = make_app(limits_enabled=True, limit_signin="2/minute", limit_signin_address="4/minute")
    with time_machine.travel(now().replace(second=0, microsecond=0), tick=False):
        yield made.test_client()


def test_tries_are_counted_by_account_and_by_network(people: People, limited: Any) -> None:
    people.moderator()
    answers = [limited.sign_in(password="a wrong password") for _ in range(3)]
    assert [one.status_code for one in answers] == [422, 422, 429]
    assert answers[0].headers["RateLimit-Policy"] == '"sign-in-address";q=4;w=60, "sign-in";q=2;w=60'
    assert answers[0].headers["RateLimit"].count("r=3") == answers[0].headers["RateLimit"].count("r=1") == 1
    assert int(answers[2].headers["Retry-After"]) > 0 and 'role="alert"' in answers[2].text
    assert limited.sign_in(" ADA@example.org").status_code == 429
    assert limited.sign_in("bob@example.org").status_code == 429  # the fifth of this network
    limited.environ_base["REMOTE_ADDR"] = "198.51.100.9"
    assert limited.sign_in().status_code == 303


def test_a_try_that_was_right_is_given_back(people: People, app: Flask, limited: Any) -> None:
    people.moderator()
    with_codes(people, app, "bob@example.org")
    limited.environ_base["REMOTE_ADDR"] = "198.51.100.1"
    for _ in range(2):
        assert limited.sign_in(password="a wrong password").status_code == 422
        assert limited.sign_in().status_code == 303
        limited.post_own("/desk/sign-out")
        limited.environ_base["REMOTE_ADDR"] = "198.51.100.2"
    for _ in range(3):
        assert limited.sign_in("bob@example.org").headers["Location"] == WITH_CODE
        limited.environ_base["REMOTE_ADDR"] = "198.51.100.3"


def test_tries_of_a_secret_are_counted_for_each_account_and_each_kind(limited: Any) -> None:
    def at_a_door() -> Any:
        return limited.application.test_request_context("/desk/sign-in")

    def wrong(what: str, who: UUID) -> bool:
        """Whether a wrong one was looked at."""
        try:
            with at_a_door(), security.few_tries(what, who):
                raise ValueError
        except ValueError:
            return True
        except TooManyRequests:
            return False

    one, other = UUID(int=1), UUID(int=2)
    assert wrong("password", one)
    with at_a_door(), security.few_tries("password", one):
        pass  # it was right: all is given back
    assert [wrong("password", one) for _ in range(3)] == [True, True, False]
    assert wrong("password", other) and wrong("code", one)


# Between a password and a code


def halfway(app: Flask, kept: Any) -> tuple[str, str] | None:
    """Who is let go on to the code, and where to, with this in their session."""
    with app.test_request_context():
        session["halfway"] = kept
        found = security.halfway()
        return (found[0].email, found[1]) if found else None


@pytest.mark.parametrize(("wanted", "there"), [("/desk/queue", "/desk/queue"), ("//evil.example", "/desk/")])
def test_where_codes_are_asked_for_a_password_leads_halfway(
    people: People, app: Flask, browser: Browser, wanted: str, there: str
) -> None:
    who = with_codes(people, app)
    start = now().replace(microsecond=0)
    with time_machine.travel(start, tick=False) as clock:
        answer = browser.post("/desk/sign-in", data=form_of(browser, next=wanted), **own({}))
        assert (answer.status_code, answer.headers["Location"]) == (303, WITH_CODE)
        kept = held(browser)["halfway"]
        assert kept[0] == str(who) and browser.get("/me").status_code == 401
        clock.move_to(start + timedelta(minutes=5) - timedelta(seconds=1))
        assert halfway(app, kept) == ("ada@example.org", there)
        assert halfway(app, [*kept[:3], "//evil.example"]) == ("ada@example.org", "/desk/")
        clock.move_to(start + timedelta(minutes=5))
        assert halfway(app, kept) is None


@pytest.mark.parametrize("kept", [None, "x", 7, {}])
def test_nobody_is_halfway_without_a_password(app: Flask, kept: Any) -> None:
    assert halfway(app, kept) is None


@pytest.mark.parametrize("loss", ["account", "password", "somebody"])
def test_half_a_sign_in_ends_with_what_it_was_by(people: People, app: Flask, browser: Browser, loss: str) -> None:
    who = with_codes(people, app)
    browser.sign_in()
    kept = held(browser)["halfway"]
    assert halfway(app, kept) is not None
    if loss == "account":
        people.change(who, lambda one: operations.set_active(one, False, actor="test"))
        with app.app_context(), transaction():
            db.session.get_one(Moderator, who).fs_uniquifier = kept[1]
    elif loss == "password":
        people.change(who, lambda one: operations.set_password(one, "another horse battery", actor="test"))
    else:
        kept = [str(UUID(int=1)), *kept[1:]]
    assert halfway(app, kept) is None


def test_a_wrong_password_ends_half_a_sign_in(people: People, app: Flask, browser: Browser) -> None:
    who = with_codes(people, app)
    browser.sign_in()
    browser.sign_in(password="a wrong password")
    assert "halfway" not in held(browser)
    with app.app_context():
        assert factors.is_on(who) and list(queries.roles_of(who)) == []
