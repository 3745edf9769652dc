"""Accounts, roles and tokens: what is taken, what is refused, and what the audit log says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask

from service.accounts import operations, passwords, queries
from service.accounts.models import Moderator
from service.accounts.operations import NewToken
from service.audit.models import AuditDetail, AuditEntry
from service.audit.operations import verify
from service.db import db, now, transaction
from service.errors import Conflict, Invalid, NotFound
from tests.accounts.conftest import PASSWORD, People


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def ada(**more: bool) -> Moderator:
    with transaction():
        return operations.add_moderator("Ada@Example.org ", "  Ada   Lovelace ", PASSWORD, actor="command", **more)


def deeds(action: str) -> list[AuditEntry]:
    return db.session.query(AuditEntry).filter_by(action=action).all()


def test_an_account_is_kept_in_normal_form(context: None) -> None:
    made = ada()
    assert (made.email, made.name, made.active, made.is_admin) == ("ada@example.org", "Ada Lovelace", True, False)
    assert str(made.password).startswith("$argon2id$") and passwords.CONTEXT.verify(PASSWORD, made.password)


def test_an_address_has_one_account(context: None) -> None:
    ada()
    with pytest.raises(Conflict), transaction():
        operations.add_moderator("ADA@example.org", "Ada", PASSWORD, actor="command")


@pytest.mark.parametrize("email", ["mod@intranet", "mod@corp.internal", "mod@example.test"])
def test_an_address_of_the_house_will_do(context: None, email: str) -> None:
    with transaction():
        assert operations.add_moderator(email, "Mod", None, actor="command").email == email


@pytest.mark.parametrize("email", ["", "ada", "a b@example.org", "ada@", "ada@exa\0mple.org", f"{'x' * 300}@a.org"])
def test_what_is_no_address_is_refused(context: None, email: str) -> None:
    with pytest.raises(Invalid) as refused, transaction():
        operations.add_moderator(email, "Ada", PASSWORD, actor="command")
    assert refused.value.errors and "email" in refused.value.errors


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "A\u202eda", "A\0da"])
def test_what_is_no_name_is_refused(context: None, name: str) -> None:
    with pytest.raises(Invalid) as refused, transaction():
        operations.add_moderator("ada@example.org", name, PASSWORD, actor="command")
    assert refused.value.errors and "name" in refused.value.errors


@pytest.mark.parametrize("password", ["", "eleven char", "ADA@example.org", "x" * 1001, "a password with \0"])
def test_a_password_that_is_easy_or_odd_is_refused(context: None, password: str) -> None:
    with pytest.raises(Invalid) as refused, transaction():
        operations.add_moderator("ada@example.org", "Ada", password, actor="command")
    assert refused.value.errors and "password" in refused.value.errors


@pytest.mark.parametrize("password", ["twelve chars", "            x", "пароль из слов", "x" * 1000])
def test_a_long_password_needs_no_digits(context: None, password: str) -> None:
    passwords.check(password, "ada@example.org")


def test_the_last_admin_stays(context: None) -> None:
    only = ada(is_admin=True)
    with pytest.raises(Conflict), transaction():
        operations.set_admin(only, False, actor="command")
    with pytest.raises(Conflict), transaction():
        operations.set_active(only, False, actor="command")


def test_one_of_two_admins_may_go(context: None) -> None:
    one = ada(is_admin=True)
    with transaction():
        operations.add_moderator("bob@example.org", "Bob", PASSWORD, is_admin=True, actor="command")
        operations.set_admin(one, False, actor="command")
    assert not db.session.get_one(Moderator, one.id).is_admin


def test_a_role_takes_the_place_of_the_one_before(context: None, people: People) -> None:
    site, who = people.site("here"), ada()
    with transaction():
        operations.grant(who, site, "viewer", actor="command")
        operations.grant(who, site, "owner", actor="command")
    assert queries.roles_of(who.id) == {site: "owner"}
    assert [(one.email, role) for one, role in queries.people_of(site)] == [("ada@example.org", "owner")]


def test_roles_are_audited_on_the_chain_of_the_site(context: None, people: People) -> None:
    site, who = people.site("here"), ada()
    with transaction():
        operations.grant(who, site, "viewer", actor="command")
        operations.withdraw(who, site, actor="command")
    assert [one.chain for one in deeds("role.granted") + deeds("role.withdrawn")] == [str(site)] * 2


def test_an_unknown_role_is_refused(context: None, people: People) -> None:
    site, who = people.site("here"), ada()
    with pytest.raises(Invalid), transaction():
        operations.grant(who, site, "emperor", actor="command")


def test_a_role_that_nobody_has_cannot_be_taken(context: None) -> None:
    who = ada()
    with pytest.raises(NotFound), transaction():
        operations.withdraw(who, UUID(int=1), actor="command")


def test_a_token_is_told_once_and_kept_as_a_hash(context: None) -> None:
    who = ada()
    with transaction():
        issued = operations.issue_token(who, NewToken("build", ["moderate", "read"]), actor="command")
    assert issued.secret.startswith("grm_") and len(issued.secret) == 47
    kept = queries.tokens_of(who.id)[0]
    assert kept.scopes == ["read", "moderate"] and kept.digest == operations.digest_of(issued.secret)
    everything = " ".join(str(row) for row in db.session.query(AuditDetail.details))
    assert "build" in everything and issued.secret not in everything


@pytest.mark.parametrize("scopes", [[], ["rule"], ["read", "rule"]])
def test_a_token_has_known_scopes(context: None, scopes: list[str]) -> None:
    who = ada()
    with pytest.raises(Invalid), transaction():
        operations.issue_token(who, NewToken("build", scopes), actor="command")


def test_a_token_does_not_end_before_it_begins(context: None) -> None:
    who = ada()
    with pytest.raises(Invalid), transaction():
        operations.issue_token(who, NewToken("x", ["read"], None, now() - timedelta(seconds=1)), actor="command")


def test_revoking_twice_is_one_deed(context: None) -> None:
    who = ada()
    with transaction():
        token = operations.issue_token(who, NewToken("build", ["read"]), actor="command").token
        operations.revoke_token(token, actor="command")
        operations.revoke_token(token, actor="command")
    assert len(deeds("token.revoked")) == 1


def test_every_deed_of_an_account_is_on_a_whole_chain(context: None, people: People) -> None:
    site, who = people.site("here"), ada(is_admin=True)
    with transaction():
        operations.rename(who, "Countess", actor="command")
        operations.set_password(who, "another horse battery", actor="command")
        operations.grant(who, site, "owner", actor="command")
        operations.issue_token(who, NewToken("build", ["read"]), actor="command")
    told = {action for (action,) in db.session.query(AuditEntry.action)}
    expected = {"moderator.added", "moderator.renamed", "moderator.password", "role.granted", "token.issued"}
    assert expected <= told
    assert [one.broken for one in verify()] == [None, None]


def test_no_address_gets_into_the_audit_log(context: None) -> None:
    who = ada()
    with transaction():
        operations.note_failed_sign_in("ada@example.org")
        operations.rename(who, "Countess", actor="command")
    everything = " ".join(str(row) for row in db.session.query(AuditDetail.details))
    assert "Countess" in everything and "example.org" not in everything
