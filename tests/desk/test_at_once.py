"""Two clicks at once: the second waits for the first, and finds what it did."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from flask import Flask

from service.accounts import factors, operations, passkeys, passwords, queries
from service.accounts.models import Moderator, Passkey, TotpSecret
from service.accounts.operations import Proof
from service.accounts.passkeys import Made
from service.db import db
from service.errors import Conflict
from service.sites.models import Site
from tests.desk.conftest import HOME, PASSWORD, Browser
from tests.moderation.test_team_races import one_after_the_other

NEW = "another horse battery"
PAGE = "/desk/account"


def proof_of(who: Moderator) -> Proof:
    return operations.prove(who, PASSWORD)


def test_codes_are_set_up_twice_at_once(app: Flask, person: Callable[..., Moderator]) -> None:
    proof = proof_of(person("Anna"))

    def start() -> str:
        return factors.start(operations.proven(proof))

    assert one_after_the_other(app, start, start) is None
    assert db.session.query(TotpSecret).count() == 1


def test_a_role_is_given_twice_at_once(app: Flask, site: Site, person: Callable[..., Moderator]) -> None:
    anna, here = person("Anna", None).id, site.id

    def grant(role: str) -> None:
        found = queries.moderator_by_id(anna)
        assert found
        operations.grant(found, here, role, actor="test")

    assert one_after_the_other(app, partial(grant, "viewer"), partial(grant, "owner")) is None
    assert queries.roles_of(anna) == {here: "owner"}


def test_a_passkey_is_added_twice_at_once(app: Flask, person: Callable[..., Moderator]) -> None:
    proof, made = proof_of(person("Anna")), Made(b"c" * 32, b"id", b"key", 0)

    def keep() -> None:
        passkeys.keep(operations.proven(proof), "Phone", made)

    assert isinstance(one_after_the_other(app, keep, keep), Conflict)
    assert db.session.query(Passkey).count() == 1


def test_a_password_that_was_changed_meanwhile_proves_nothing(app: Flask, person: Callable[..., Moderator]) -> None:
    who = person("Anna")
    proof, kept, me = proof_of(who), passwords.hashed(NEW), who.id

    def change() -> None:
        operations.keep_password(operations.proven(proof), kept, actor="test")

    refused = one_after_the_other(app, change, change)
    assert isinstance(refused, Conflict) and "was changed meanwhile" in refused.detail
    assert queries.moderator_by_id(me) is not None


def test_no_password_is_hashed_while_others_wait(
    site: Site,
    signed_in: Callable[..., Browser],
    open_browser: Callable[[], Browser],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On SQLite there is one writer: a hash inside of a transaction would be everybody's."""
    anna = signed_in("Anna", "owner")
    link = anna.press(anna.get("/desk/team?site=blog"), "Make a link", name="Kim", role="viewer")
    assert link.status_code == 200, link.text
    hashed: list[Any] = []

    def outside(name: str) -> None:
        real = getattr(passwords, name)

        def seen(*args: Any) -> Any:
            hashed.append(db.session().info.get("writes"))
            return real(*args)

        monkeypatch.setattr(passwords, name, seen)

    for name in ("fits", "hashed"):
        outside(name)
    pressed = [
        anna.press(anna.get(PAGE), "Set codes up", old=PASSWORD),
        anna.press(anna.get(PAGE), "Make the token", old=PASSWORD, name="x", power="read", days=""),
        anna.press(anna.get(PAGE), "Change the password", old=PASSWORD, password=NEW),
    ]
    assert [one.status_code for one in pressed] == [200, 200, 303]
    (secret,) = re.findall(r"#gri_[\w-]{43}", link.text)
    kim = open_browser()
    invited = kim.post("/desk/sign-up", data={"invite": secret}, headers={"Origin": HOME})
    typed = {"email": "kim@desk.example.org", "name": "Kim", "password": PASSWORD}
    assert kim.press(invited, "Accept and come in", **typed).status_code == 303
    assert len(hashed) == 5 and not any(hashed)
