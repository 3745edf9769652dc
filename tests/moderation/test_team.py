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
from sqlalchemy import event

from service.accounts import invites, queries
from service.accounts import operations as accounts
from service.accounts.invites import NoInvite
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


@pytest.mark.parametrize(
    ("days", "until"), [(None, "2026-03-11T12:00"), (11, "2026-03-11T12:00"), (9, "2026-03-10T12:00")]
)
def test_a_token_that_ends_makes_none_that_lasts_longer(desk: Desk, days: int | None, until: str) -> None:
    db.session.query(ApiToken).one().expires_at = NOON + timedelta(days=10)
    db.session.commit()
    made = desk.call("POST", "/tokens", json={"name": "x", "scopes": ["read"], "site": "blog", "days": days})
    assert (made.status_code, made.json["expires_at"][:16]) == (201, until)


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


def test_a_team_and_its_invitations_are_read_page_by_page(app: Flask, owner: Desk, desk: Desk, site: Site) -> None:
    token_of("vera", site.id, "viewer")
    for name in ("One", "Two", "Three"):
        invited(owner, name=name)
    wanted = {"moderators": ["Olga", "Robin", "Vera"], "invites": ["Three", "Two", "One"]}
    for path, rows in (("/moderators", "moderators"), ("/moderators/invites", "invites")):
        first = owner.get(path, site="blog", limit=2).json
        second = owner.get(path, site="blog", limit=2, cursor=first["next"]).json
        assert [one["name"] for page in (first, second) for one in page[rows]] == wanted[rows]
        assert (len(first[rows]), second["next"]) == (2, None)
    assert owner.get("/moderators/invites", site="blog", cursor="x").status_code == 422


def test_open_invitations_have_an_end(owner: Desk, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invites, "MOST_OPEN", 2)
    invited(owner), invited(owner)
    refused = owner.call("POST", "/moderators/invites", json={"site": "blog", "role": "viewer"})
    assert (refused.status_code, refused.json["detail"]) == (
        409, "A site has at most 2 open invitations. Take one back first."
    )  # fmt: skip
    (one, _) = owner.get("/moderators/invites", site="blog").json["invites"]
    owner.call("DELETE", f"/moderators/invites/{one['id']}")
    invited(owner)


def test_good_tokens_have_an_end(desk: Desk, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "MOST_TOKENS", 2)
    told = {"name": "x", "scopes": ["read"], "site": "blog"}
    made = desk.call("POST", "/tokens", json=told)
    refused = desk.call("POST", "/tokens", json=told)
    assert (made.status_code, refused.status_code) == (201, 409)
    assert refused.json["detail"] == "An account has at most 2 tokens. Revoke one first."
    desk.call("DELETE", f"/tokens/{made.json['id']}")
    assert desk.call("POST", "/tokens", json=told).status_code == 201


def test_what_somebody_did_is_asked_for_alike_however_many_tokens_they_have(owner: Desk, site: Site) -> None:
    olga, sent = person("olga").id, []

    @event.listens_for(db.engine, "before_cursor_execute")
    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        if "audit_entries" in statement and statement.startswith("SELECT"):
            sent.append(len(parameters))

    told = {"name": "x", "scopes": ["read"], "site": "blog"}
    answers = []
    for _ in range(2):
        sent.clear()
        answers.append((owner.get("/audit", site="blog", moderator=str(olga)).json["entries"], max(sent)))
        for _more in range(3):
            owner.call("POST", "/tokens", json=told)
    event.remove(db.engine, "before_cursor_execute", note)
    (before, few), (after, many) = answers
    assert (few, len(before) + 3) == (many, len(after))
    assert {one["actor"].partition(":")[0] for one in after} == {"token"}


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
        kim = invites.join(secret, invites.newcomer("kim@staff.example.org", "Kim", PASSWORD))
    assert queries.roles_of(kim.id) == {site.id: "viewer"}
    assert owner.get("/moderators/invites", site="blog").json["invites"] == []
    with pytest.raises(NoInvite), transaction():
        invites.join(secret, invites.newcomer("lee@staff.example.org", "Lee", PASSWORD))
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


def test_a_link_that_was_accepted_is_not_taken_back(owner: Desk, desk: Desk, site: Site) -> None:
    secret = invited(owner, "owner")
    (listed,) = owner.get("/moderators/invites", site="blog").json["invites"]
    with transaction():
        invites.accept(secret, person("robin"))
    refused = owner.call("DELETE", f"/moderators/invites/{listed['id']}")
    assert refused.status_code == 409
    assert refused.json["detail"] == "Robin has accepted this already. Remove their role instead."
    assert (entries("invite.revoked"), db.session.query(Invite).one().revoked_at) == ([], None)


def test_a_link_that_is_accepted_meanwhile_is_not_taken_back(owner: Desk, desk: Desk, site: Site) -> None:
    secret = invited(owner)
    with transaction():
        seen = invites.behind(secret)
        queries.use_invite(seen.id, person("robin").id)
        with pytest.raises(Conflict, match="Robin has accepted"):
            invites.take_back(seen, actor="test")


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
        invites.join(secret, invites.newcomer("ROBIN@staff.example.org", "Mallory", PASSWORD))
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
