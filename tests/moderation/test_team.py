"""Tokens, roles and invitations by API: what somebody may give, to whom, and who learns of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from flask import Flask

from service.accounts import invites, queries
from service.accounts import operations as accounts
from service.accounts.invites import Newcomer, NoInvite
from service.accounts.models import ApiToken, Invite, Moderator
from service.db import db, now, transaction
from service.errors import Conflict
from service.moderation import routes
from service.sites.models import Site
from tests.conftest import add_site
from tests.moderation.conftest import Desk, token_of
from tests.moderation.still import NOON, entries, row
from tests.moderation.still import clock as clock

PASSWORD = "correct horse battery"


@pytest.fixture
def owner(app: Flask, site: Site) -> Desk:
    return Desk(app, token_of("olga", site.id, "owner"))


def person(name: str) -> Moderator:
    found = queries.moderator_at(f"{name}@staff.example.org")
    assert found is not None
    return found


def invited(owner: Desk, role: str = "moderator", **more: Any) -> str:
    """The secret of a new link."""
    answer = owner.call("POST", "/moderators/invites", json={"site": "blog", "role": role} | more)
    assert answer.status_code == 201, answer.text
    link: str = answer.json["link"]
    assert link.startswith("http://127.0.0.1:8080/desk/sign-up#gri_")
    return link.partition("#")[2]


# Tokens


def test_a_token_is_made_told_once_listed_and_ended(app: Flask, desk: Desk, site: Site) -> None:
    told = {"name": "A report", "scopes": ["read"], "site": "blog", "days": 30}
    key = {"Idempotency-Key": "one"}
    made = desk.call("POST", "/tokens", json=told, headers=key)
    assert made.status_code == 201, made.text
    again = desk.call("POST", "/tokens", json=told, headers=key)
    assert (again.json["id"], again.json["token"]) == (made.json["id"], None)
    program = Desk(app, made.json["token"])
    assert program.get("/moderation/comments").status_code == 200
    (listed,) = (one for one in desk.get("/tokens").json["tokens"] if one["id"] == made.json["id"])
    assert (listed["name"], listed["scopes"], listed["site"]) == ("A report", ["read"], "blog")
    assert "token" not in listed
    assert listed["expires_at"] == "2026-03-31T12:00:00.000Z"
    assert desk.call("DELETE", f"/tokens/{made.json['id']}").status_code == 204
    assert program.get("/moderation/comments").status_code == 401
    assert [one["id"] for one in desk.get("/tokens").json["tokens"]] == []


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ({"scopes": ["read"], "site": None}, 403),
        ({"scopes": ["read"], "site": "elsewhere"}, 404),
        ({"scopes": ["read"], "site": "nowhere"}, 404),
        ({"scopes": [], "site": "blog"}, 422),
        ({"scopes": ["rule"], "site": "blog"}, 422),
        ({"scopes": ["read"], "site": "blog", "days": 0}, 422),
        ({"scopes": ["read"], "site": "blog", "name": " "}, 422),
    ],
)
def test_a_token_makes_none_that_can_do_more(desk: Desk, told: dict[str, Any], status: int) -> None:
    add_site("elsewhere", [])
    assert desk.call("POST", "/tokens", json={"name": "x"} | told).status_code == status


def test_nobody_ends_the_token_of_somebody_else(app: Flask, owner: Desk, desk: Desk, site: Site) -> None:
    made = desk.call("POST", "/tokens", json={"name": "x", "scopes": ["read"], "site": "blog"}).json
    assert owner.call("DELETE", f"/tokens/{made['id']}").status_code == 404
    assert Desk(app, made["token"]).call("DELETE", f"/tokens/{made['id']}").status_code == 403
    assert entries("token.revoked") == []


# Roles


def test_an_owner_sees_and_changes_the_roles_of_others(owner: Desk, desk: Desk, site: Site) -> None:
    robin = person("robin")
    team = owner.get("/moderators", site="blog").json["moderators"]
    assert [(one["name"], one["email"], one["role"]) for one in team] == [
        ("Olga", "o…@staff.example.org", "owner"), ("Robin", "r…@staff.example.org", "moderator"),
    ]  # fmt: skip
    changed = owner.call("PATCH", f"/moderators/{robin.id}", json={"site": "blog", "role": "viewer"})
    assert changed.json["role"] == "viewer"
    assert desk.call("POST", "/moderation/claims", json={"count": 1, "filter": {"site": "blog"}}).status_code == 403
    assert owner.call("DELETE", f"/moderators/{robin.id}?site=blog").status_code == 204
    assert desk.get("/moderation/comments", site="blog").status_code == 404
    assert [more["after"] for *_, more in entries("role.granted") if more["before"]] == ["viewer"]
    assert len(entries("role.withdrawn")) == 1


def test_the_same_role_again_is_no_change(owner: Desk, desk: Desk) -> None:
    before = len(entries("role.granted"))
    answer = owner.call("PATCH", f"/moderators/{person('robin').id}", json={"site": "blog", "role": "moderator"})
    assert (answer.status_code, len(entries("role.granted"))) == (200, before)


def test_a_site_keeps_an_owner(owner: Desk) -> None:
    me = person("olga").id
    assert owner.call("PATCH", f"/moderators/{me}", json={"site": "blog", "role": "viewer"}).status_code == 409
    assert owner.call("DELETE", f"/moderators/{me}?site=blog").status_code == 409


def test_only_owners_see_the_team_and_invite(desk: Desk, owner: Desk) -> None:
    assert desk.get("/moderators", site="blog").status_code == 403
    assert desk.get("/moderators/invites", site="blog").status_code == 403
    assert desk.call("POST", "/moderators/invites", json={"site": "blog", "role": "viewer"}).status_code == 403
    add_site("elsewhere", [])
    assert owner.get("/moderators", site="elsewhere").status_code == 404
    robin = person("robin").id
    assert owner.call("PATCH", f"/moderators/{robin}", json={"site": "elsewhere", "role": "owner"}).status_code == 404


# Invitations


def test_a_link_makes_an_account_with_the_role_once(owner: Desk, site: Site) -> None:
    secret = invited(owner, "viewer", name="Kim")
    (listed,) = owner.get("/moderators/invites", site="blog").json["invites"]
    assert (listed["role"], listed["name"], "link" in listed) == ("viewer", "Kim", False)
    assert db.session.query(Invite).one().digest != secret.encode()
    with transaction():
        kim = invites.join(secret, Newcomer("kim@staff.example.org", "Kim", PASSWORD))
    assert queries.roles_of(kim.id) == {site.id: "viewer"}
    assert owner.get("/moderators/invites", site="blog").json["invites"] == []
    with pytest.raises(NoInvite), transaction():
        invites.join(secret, Newcomer("lee@staff.example.org", "Lee", PASSWORD))
    assert queries.moderator_at("lee@staff.example.org") is None
    assert [one[0] for one in entries("invite.accepted")] == [f"moderator:{kim.id}"]


def test_a_link_that_was_answered_again_is_told_no_more(owner: Desk) -> None:
    told, key = {"site": "blog", "role": "viewer"}, {"Idempotency-Key": "one"}
    made = owner.call("POST", "/moderators/invites", json=told, headers=key)
    again = owner.call("POST", "/moderators/invites", json=told, headers=key)
    assert (again.json["id"], again.json["link"]) == (made.json["id"], None)


def test_a_link_is_good_for_a_week(owner: Desk, clock: Any) -> None:
    secret = invited(owner)
    clock.move_to(NOON + timedelta(days=7) - timedelta(seconds=1))
    assert invites.behind(secret).role == "moderator"
    clock.move_to(NOON + timedelta(days=7))
    with pytest.raises(NoInvite):
        invites.behind(secret)


def test_a_link_that_was_taken_back_lets_nobody_in(owner: Desk) -> None:
    secret = invited(owner)
    (listed,) = owner.get("/moderators/invites", site="blog").json["invites"]
    assert owner.call("DELETE", f"/moderators/invites/{listed['id']}").status_code == 204
    assert owner.call("DELETE", f"/moderators/invites/{listed['id']}").status_code == 204
    with pytest.raises(NoInvite):
        invites.behind(secret)
    assert len(entries("invite.revoked")) == 1


def test_an_invitation_ends_with_the_role_of_whoever_made_it(app: Flask, owner: Desk, site: Site) -> None:
    secret = invited(owner)
    with transaction():
        accounts.grant(person("olga"), site.id, "moderator", actor="test")
    with pytest.raises(NoInvite):
        invites.behind(secret)


@pytest.mark.parametrize("secret", ["", "gri_", "gri_" + "x" * 43, "grm_" + "x" * 43, "gri_" + "x" * 44, "\0", "ü"])
def test_what_is_no_link_is_nobodys(app: Flask, secret: str) -> None:
    with pytest.raises(NoInvite):
        invites.behind(secret)


def test_an_address_with_an_account_is_not_taken_over(owner: Desk, desk: Desk) -> None:
    secret = invited(owner, "owner")
    with pytest.raises(Conflict) as told, transaction():
        invites.join(secret, Newcomer("ROBIN@staff.example.org", "Mallory", PASSWORD))
    assert "Sign in with it" in told.value.detail
    db.session.expire_all()
    assert (person("robin").name, person("robin").password) == ("Robin", None)
    assert invites.behind(secret)  # and the link is still good for Robin


def test_a_role_is_raised_and_never_lowered(owner: Desk, desk: Desk, site: Site) -> None:
    robin = person("robin")
    lower = invited(owner, "viewer")
    with pytest.raises(Conflict), transaction():
        invites.accept(lower, robin)
    higher = invited(owner, "owner")
    with transaction():
        invites.accept(higher, robin)
    assert queries.roles_of(robin.id) == {site.id: "owner"}


def test_old_invitations_are_forgotten(owner: Desk) -> None:
    invited(owner)
    with time_machine.travel(NOON + timedelta(days=96), tick=False), transaction():
        assert invites.purge() == 0
    with time_machine.travel(NOON + timedelta(days=98), tick=False), transaction():
        assert invites.purge() == 1
    assert now() == NOON


@pytest.mark.parametrize(("loss", "status"), [("role", 404), ("rank", 403), ("account", 401), ("token", 401)])
def test_what_is_taken_away_while_a_decision_waits_for_its_turn_counts(
    app: Flask, site: Site, held: str, monkeypatch: pytest.MonkeyPatch, loss: str, status: int
) -> None:
    desk = Desk(app, token_of("robin", site.id))

    @contextmanager
    def late() -> Iterator[None]:
        robin = person("robin")
        with transaction():
            if loss == "role":
                accounts.withdraw(robin, site.id, actor="test")
            elif loss == "rank":
                accounts.grant(robin, site.id, "viewer", actor="test")
            elif loss == "account":
                accounts.set_active(robin, False, actor="test")
            else:
                accounts.revoke_token(db.session.query(ApiToken).one(), actor="test")
        with transaction():
            yield

    monkeypatch.setattr(routes, "transaction", late)

    assert desk.decide(held, "approve").status_code == status
    assert row(UUID(held)).status == "pending"
