"""A site's team at the desk, and the page where an invitation is accepted."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from service.accounts import queries
from service.accounts.models import Invite, Moderator
from service.audit.models import AuditEntry
from service.db import db
from service.sites.models import Site
from tests.conftest import add_site
from tests.desk.conftest import HOME, PASSWORD, Browser, fields, the_form, words

PAGE, SIGN_UP = "/desk/team", "/desk/sign-up"
NEWCOMER = {"email": "kim@desk.example.org", "name": "Kim", "password": PASSWORD}


@pytest.fixture
def olga(signed_in: Callable[..., Browser]) -> Browser:
    return signed_in("Olga", "owner")


def link(owner: Browser, role: str = "moderator", **typed: str) -> str:
    made = owner.press(owner.get(PAGE), "Make a link", role=role, **typed)
    assert made.status_code == 200, words(made)
    (found,) = re.findall(r'value="([^"]*#gri_[^"]+)"', made.text)
    return found


def opened(browser: Browser, secret: str) -> Any:
    """What the page's script, or somebody who pastes the link, comes to."""
    form = {"invite": secret}
    return browser.post(SIGN_UP, data=form, headers={"Origin": HOME})


def roles(name: str) -> list[str]:
    db.session.rollback()
    db.session.expire_all()
    found = queries.moderator_at(f"{name}@desk.example.org")
    return list(queries.roles_of(found.id).values()) if found else []


def test_an_owner_sees_the_team_and_changes_it(olga: Browser, anna: Browser) -> None:
    assert f'href="{PAGE}"' in olga.get("/desk/").text and f'href="{PAGE}"' not in anna.get("/desk/").text
    page = olga.get(PAGE)
    assert "Anna a…@desk.example.org" in words(page) and "That is you." in words(page)
    done = olga.press(page, "Change", role="viewer")
    assert (done.status_code, roles("anna")) == (303, ["viewer"])
    assert "The role is changed." in words(olga.get(done.headers["Location"]))
    assert olga.press(olga.get(PAGE), "Remove").status_code == 303
    assert (roles("anna"), anna.get("/desk/").status_code) == ([], 200)


def test_an_owner_is_made_with_the_password_alone(olga: Browser, anna: Browser) -> None:
    """A thief of the session would else stay for good."""
    why = "Type your password to make an owner."
    for button, typed in (("Make a link", {"name": "Kim of sports"}), ("Change", {})):
        for old, told in (("", why), ("not mine at all", "This is not your present password.")):
            refused = olga.press(olga.get(PAGE), button, role="owner", old=old, **typed)
            assert refused.status_code == 422 and told in words(refused)
            assert refused.text.count('<option value="owner" selected>') == 1  # what was chosen stays
            assert ('value="Kim of sports"' in refused.text) == bool(typed)
    assert (roles("anna"), db.session.query(Invite).count()) == (["moderator"], 0)
    assert link(olga, "owner", old=PASSWORD)
    assert olga.press(olga.get(PAGE), "Change", role="owner", old=PASSWORD).status_code == 303
    assert roles("anna") == ["owner"]


def test_nobody_but_an_owner_sees_it(anna: Browser, olga: Browser, site: Site) -> None:
    assert anna.get(PAGE).status_code == 403
    assert anna.get(f"{PAGE}?site=blog").status_code == 403
    add_site("elsewhere", [])
    assert olga.get(f"{PAGE}?site=elsewhere").status_code == 404


def test_a_link_is_shown_once_listed_and_taken_back(olga: Browser, open_browser: Callable[[], Browser]) -> None:
    secret = link(olga, name="Kim of sports")
    page = olga.get(PAGE)
    assert "Kim of sports Moderator; until" in words(page) and secret.partition("#")[2] not in page.text
    assert olga.press(page, "Take back").status_code == 303
    assert "Kim of sports" not in words(olga.get(PAGE))
    assert opened(open_browser(), secret).status_code == 404


def test_whoever_is_invited_comes_in(olga: Browser, open_browser: Callable[[], Browser]) -> None:
    kim = open_browser()
    assert kim.get(SIGN_UP).status_code == 200
    page = opened(kim, link(olga, "viewer"))
    assert "You are invited to Blog. Your role there: Viewer." in words(page)
    done = kim.press(page, "Accept and come in", **NEWCOMER)
    assert (done.status_code, done.headers["Location"]) == (303, "/desk/")
    assert "Kim" in kim.get("/desk/").text and roles("kim") == ["viewer"]
    assert open_browser().sign_in(NEWCOMER["email"]).status_code == 303
    actions = {one.action for one in db.session.query(AuditEntry)}
    assert {"invite.made", "invite.accepted", "moderator.added", "role.granted", "session.opened"} <= actions


def test_a_link_works_once(olga: Browser, open_browser: Callable[[], Browser]) -> None:
    secret = link(olga)
    first, second = (open_browser() for _ in range(2))
    pages = [opened(one, secret) for one in (first, second)]
    assert first.press(pages[0], "Accept and come in", **NEWCOMER).status_code == 303
    late = second.press(pages[1], "Accept and come in", **NEWCOMER | {"email": "lee@desk.example.org"})
    assert late.status_code == 404 and roles("lee") == []


def test_what_was_typed_stays_when_it_is_refused(olga: Browser, open_browser: Callable[[], Browser]) -> None:
    kim = open_browser()
    page = opened(kim, link(olga))
    answer = kim.press(page, "Accept and come in", **NEWCOMER | {"password": "short"})
    assert answer.status_code == 422 and "A password has at least 12 characters." in words(answer)
    assert 'value="kim@desk.example.org"' in answer.text and "short" not in answer.text
    assert kim.press(answer, "Accept and come in", **NEWCOMER).status_code == 303


def test_somebody_with_an_account_signs_in_first(
    olga: Browser, signed_in: Callable[..., Browser], open_browser: Callable[[], Browser]
) -> None:
    bert = signed_in("Bert", None)
    secret = link(olga)
    stranger = open_browser()
    taken = stranger.press(
        opened(stranger, secret), "Accept and come in", **NEWCOMER | {"email": "BERT@desk.example.org"}
    )
    assert taken.status_code == 409 and "Sign in with it" in words(taken)
    page = opened(bert, secret)
    assert "You are signed in as Bert." in words(page) and 'type="password"' not in page.text
    assert bert.press(page, "Accept").status_code == 303
    assert roles("bert") == ["moderator"]


@pytest.mark.parametrize("typed", ["", "gri_" + "x" * 43, "http://127.0.0.1:8080/desk/sign-up#gri_" + "x" * 43, "\0"])
def test_a_stranger_learns_nothing_about_addresses(
    app: Flask, anna: Browser, open_browser: Callable[[], Browser], typed: str
) -> None:
    """The link is looked at first: without a good one every address gets the very same answer."""
    told = set()
    for email in ("anna@desk.example.org", "nobody@desk.example.org"):
        answer = open_browser().post(
            SIGN_UP, data=NEWCOMER | {"email": email, "invite": typed, "accept": "yes"}, headers={"Origin": HOME}
        )
        told.add((answer.status_code, answer.text))
    assert len(told) == 1 and {status for status, _ in told} <= {400, 404}
    assert db.session.query(Moderator).count() == 1


def test_a_forged_acceptance_is_refused(olga: Browser, signed_in: Callable[..., Browser], site: Site) -> None:
    bert = signed_in("Bert", None)
    secret = link(olga)
    form = fields(the_form(opened(bert, secret).text, "Accept", None)[0])
    assert bert.post(SIGN_UP, data=form, headers={"Origin": "https://evil.example"}).status_code == 403
    assert bert.post(SIGN_UP, data=form | {"csrf_token": "x"}, headers={"Origin": HOME}).status_code == 403
    assert bert.post(SIGN_UP, json=form, headers={"Origin": HOME}).status_code == 415
    assert roles("bert") == [] and db.session.query(Invite).one().accepted_at is None


def test_the_page_before_a_link_is_read_needs_no_session(open_browser: Callable[[], Browser]) -> None:
    """It may be opened from a letter, when the browser keeps the session's cookie back: that must not be replaced."""
    assert "Set-Cookie" not in open_browser().get(SIGN_UP).headers
