"""`greenroom moderators add` and `set`: accounts come, change and go, and nothing that was asked for is passed over."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from service.accounts import operations, queries
from service.accounts.models import is_good
from service.accounts.operations import NewToken
from service.audit.models import AuditEntry
from service.db import db, transaction
from service.sites.models import Site

KIM = "kim@example.org"


@pytest.fixture
def kim(app: Flask, site: Site) -> str:
    with transaction():
        operations.add_moderator(KIM, "Kim", None, actor="test")
    return KIM


@pytest.fixture
def admin(app: Flask) -> str:
    with transaction():
        operations.add_moderator("ann@example.org", "Ann", None, is_admin=True, actor="test")
    return "ann@example.org"


def command(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=["moderators", *words])


def listed(app: Flask, email: str = KIM) -> dict[str, Any]:
    db.session.expire_all()
    found = {one["email"]: one for one in json.loads(command(app, "list", "--json").output)}
    one: dict[str, Any] = found[email]
    return one


def test_somebody_who_is_a_moderator_already_is_left_as_they_are(app: Flask, kim: str) -> None:
    before = listed(app)
    done = command(app, "add", "Kim@Example.org", "--name", "Another", "--admin", "--password-stdin")
    assert (done.exit_code, "greenroom moderators set" in done.output) == (65, True)
    assert listed(app) == before


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["--name", "Kim  Ito"], "name", "Kim Ito"),
        (["--site", "blog", "--role", "owner"], "roles", {"blog": "owner"}),
        (["--admin"], "admin", True),
        (["--close"], "active", False),
    ],
)
def test_one_thing_is_set_and_the_rest_stays(app: Flask, kim: str, words: list[str], name: str, value: Any) -> None:
    before = listed(app)
    done = command(app, "set", kim, *words)
    assert done.exit_code == 0, done.output
    assert listed(app) == before | {name: value}


def test_several_things_are_set_at_once_and_taken_back(app: Flask, kim: str, admin: str) -> None:
    before = listed(app)
    command(app, "set", kim, "--site", "blog", "--role", "viewer", "--admin", "--close")
    assert listed(app) == before | {"roles": {"blog": "viewer"}, "admin": True, "active": False}
    done = command(app, "set", kim, "--site", "blog", "--role", "none", "--no-admin", "--reopen")
    assert (done.exit_code, done.output) == (0, "Kim (kim@example.org) is set.\n")
    assert listed(app) == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "Say what to set: "),
        (["--name", "New", "--role", "owner"], "give --site and --role together"),
        (["--name", "New", "--site", "blog"], "give --site and --role together"),
        (["--name", "New", "--site", "nowhere", "--role", "owner"], "There is no site nowhere."),
        (["--name", "New", "--site", "blog", "--role", "none"], "has no role on this site"),
        (["--name", " "], "A name has 1 to 80 characters."),
    ],
)
def test_what_cannot_be_set_changes_nothing(app: Flask, kim: str, words: list[str], told: str) -> None:
    before = listed(app)
    done = command(app, "set", kim, *words)
    assert (done.exit_code, told in done.output) == (65, True), done.output
    assert listed(app) == before


@pytest.mark.parametrize("word", ["--no-admin", "--close"])
def test_the_last_admin_stays_one(app: Flask, admin: str, word: str) -> None:
    done = command(app, "set", admin, word)
    assert (done.exit_code, "the last admin" in done.output) == (65, True)
    assert (listed(app, admin)["admin"], listed(app, admin)["active"]) == (True, True)


@pytest.mark.parametrize(("words", "good"), [((), 2), (("--end-tokens",), 0)])
def test_a_new_password_ends_tokens_only_if_asked(app: Flask, kim: str, words: tuple[str, ...], good: int) -> None:
    with transaction():
        who = queries.moderator_at(kim)
        assert who
        for name in ("one", "two"):
            operations.issue_token(who, NewToken(name, ["read"]), actor="test")
    done = command(app, "passwd", kim, *words)
    assert (done.exit_code, "Tokens that open nothing any more: 2." in done.output) == (0, not good), done.output
    db.session.expire_all()
    assert sum(is_good(one) for one in queries.tokens_of(who.id)) == good
    assert db.session.query(AuditEntry).filter_by(action="token.revoked").count() == 2 - good
