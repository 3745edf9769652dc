"""Who makes an owner: somebody with the password, or a program that lasts and may do as much itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from service.accounts import operations as accounts
from service.accounts import queries
from service.accounts.models import Invite, Moderator
from service.accounts.operations import NewToken
from service.accounts.principal import of_moderator
from service.db import db, transaction
from service.errors import Conflict, Invalid
from service.moderation import team
from service.sites.models import Site
from tests.accounts.conftest import PASSWORD, Browser, fields
from tests.moderation.conftest import Desk, token_of
from tests.moderation.still import NOON
from tests.moderation.still import clock as clock

OLGA = "olga@staff.example.org"


@pytest.fixture
def desk(site: Site) -> Moderator:
    """Somebody whose role is changed."""
    token_of("robin", site.id)
    found = queries.moderator_at("robin@staff.example.org")
    assert found
    return found


@pytest.fixture
def program(app: Flask, site: Site) -> Callable[..., Desk]:
    """An owner's token."""
    token_of("olga", site.id, "owner")

    def make(*scopes: str, days: int | None = None) -> Desk:
        olga = queries.moderator_at(OLGA)
        assert olga
        ends = NOON + timedelta(days=days) if days else None
        with transaction():
            made = accounts.issue_token(olga, NewToken("x", scopes, site.id, ends), actor="test")
        return Desk(app, made.secret)

    return make


def asked(who: Desk, robin: Moderator, role: str) -> tuple[Any, Any]:
    """An invitation, and a change."""
    told = {"site": "blog", "role": role}
    return who.call("POST", "/moderators/invites", json=told), who.call("PATCH", f"/moderators/{robin.id}", json=told)


@pytest.mark.parametrize(("scopes", "role"), [(("manage",), "viewer"), (("read", "manage"), "moderator")])
def test_a_token_gives_no_role_that_may_do_more(
    program: Callable[..., Desk], desk: Moderator, site: Site, scopes: tuple[str, ...], role: str
) -> None:
    with transaction():
        accounts.grant(desk, site.id, "viewer" if role == "moderator" else "moderator", actor="test")
    before = queries.roles_of(desk.id)
    for answer in asked(program(*scopes), desk, role):
        assert (answer.status_code, answer.json["detail"]) == (
            403, "A token gives and takes no role that may do more than itself."
        )  # fmt: skip
    db.session.rollback()
    assert (queries.roles_of(desk.id), db.session.query(Invite).count()) == (before, 0)


def test_a_token_takes_no_role_that_may_do_more(program: Callable[..., Desk], desk: Moderator, site: Site) -> None:
    with transaction():
        accounts.grant(desk, site.id, "owner", actor="test")
    lesser = program("read", "manage")
    told = {"site": "blog", "role": "viewer"}
    for answer in (
        lesser.call("PATCH", f"/moderators/{desk.id}", json=told),
        lesser.call("DELETE", f"/moderators/{desk.id}?site=blog"),
    ):
        assert answer.status_code == 403, answer.json
    db.session.rollback()
    assert queries.roles_of(desk.id) == {site.id: "owner"}


def test_a_token_that_ends_makes_no_owner(program: Callable[..., Desk], desk: Moderator, site: Site) -> None:
    scopes = ("read", "moderate", "manage")
    for answer in asked(program(*scopes, days=1), desk, "owner"):
        assert (answer.status_code, answer.json["detail"]) == (
            403, "A token that ends makes no owner, who would stay."
        )  # fmt: skip
    assert [one.status_code for one in asked(program(*scopes, days=1), desk, "viewer")] == [201, 200]
    assert [one.status_code for one in asked(program(*scopes), desk, "owner")] == [201, 200]
    assert queries.roles_of(desk.id) == {site.id: "owner"}


@pytest.mark.parametrize(("days", "until"), [(None, 7), (1, 1), (30, 7)])
def test_an_invitation_by_a_token_ends_with_it(
    program: Callable[..., Desk], site: Site, days: int | None, until: int
) -> None:
    told = {"site": "blog", "role": "viewer"}
    made = program("read", "manage", days=days).call("POST", "/moderators/invites", json=told)
    assert made.json["expires_at"] == f"2026-03-{1 + until:02}T12:00:00.000Z"


def test_a_session_makes_an_owner_by_api_with_the_password_alone(app: Flask, desk: Moderator, site: Site) -> None:
    with transaction():
        olga = accounts.add_moderator(OLGA, "Olga", PASSWORD, actor="test")
        accounts.grant(olga, site.id, "owner", actor="test")
    browser = Browser(app, app.response_class, use_cookies=True)
    assert browser.sign_in(OLGA).status_code == 303
    csrf = fields(browser.get("/desk/team").text)["csrf_token"]
    headers = {"X-CSRFToken": csrf, "Origin": "http://127.0.0.1:8080"}
    for method, path, status in (
        ("POST", "/v1/moderators/invites", 201), ("PATCH", f"/v1/moderators/{desk.id}", 200),
    ):  # fmt: skip
        for typed, wanted in ((None, 422), ("not mine at all", 422), (PASSWORD, status)):
            told = {"site": "blog", "role": "owner", "password": typed}
            answer = browser.open(path, method=method, json=told, headers=headers)
            assert answer.status_code == wanted, answer.text
            assert wanted != 422 or list(answer.json["errors"]) == ["password"]
    db.session.rollback()
    assert queries.roles_of(desk.id) == {site.id: "owner"}


def test_a_password_that_was_changed_meanwhile_makes_no_owner(site: Site, desk: Moderator) -> None:
    with transaction():
        olga = accounts.add_moderator(OLGA, "Olga", PASSWORD, actor="test")
        accounts.grant(olga, site.id, "owner", actor="test")
    proof = accounts.prove(olga, PASSWORD)
    with transaction():
        accounts.set_password(olga, PASSWORD + "!", actor="test")
    who = of_moderator(olga)
    for given, refusal in ((proof, Conflict), (None, Invalid)):
        with pytest.raises(refusal), transaction():
            team.set_role(desk.id, site.id, "owner", who, given)
        with pytest.raises(refusal), transaction():
            team.invite(site.id, "owner", "", who, given)
    assert queries.roles_of(desk.id) == {site.id: "moderator"}
