"""What each operation on accounts leaves behind: the row, and who did what to whom in the audit log, to the letter."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from uuid import UUID

import pytest
import time_machine

from service.accounts import operations, passwords, queries
from service.accounts.models import Moderator, SignIn
from service.accounts.operations import NewToken
from service.audit.models import INSTALL
from service.db import db, transaction
from service.errors import Conflict, Invalid, NotFound
from tests.accounts.conftest import PASSWORD, People
from tests.accounts.still import ADA, BOB, NOON, deeds, moderator, refused
from tests.accounts.still import clock as clock

# What a row holds is the same on every database, and test_accounts asks both.
pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True, scope="session")


def test_a_new_account() -> None:
    told = deeds(lambda: operations.add_moderator(" Ada@Example.org", " A  L ", PASSWORD, is_admin=True, actor="cli"))
    made = queries.moderator_at(ADA)
    assert made is not None
    assert (made.name, made.active, made.is_admin, made.created_at) == ("A L", True, True, NOON)
    assert made.password is not None
    assert passwords.CONTEXT.verify(PASSWORD, made.password)
    assert told == [("moderator.added", "cli", INSTALL, made.id, {"name": "A L", "is_admin": True})]


def test_an_account_without_a_password() -> None:
    with transaction():
        made = operations.add_moderator(ADA, "Ada", None, actor="cli")
    assert (made.password, made.is_admin) == (None, False)


def test_two_accounts_have_uniquifiers_of_their_own() -> None:
    assert moderator().fs_uniquifier != moderator(BOB).fs_uniquifier


@pytest.mark.parametrize("name", ["x" * 80, "y", "e\u0301" * 80])
def test_a_name_may_have_eighty_characters(name: str) -> None:
    with transaction():
        assert len(operations.add_moderator(ADA, name, None, actor="cli").name) <= 80


@pytest.mark.parametrize(
    ("email", "name", "password", "field", "code", "told"),
    [
        ("ada", "Ada", PASSWORD, "email", "email", "This is not an e-mail address."),
        (ADA, "x" * 81, PASSWORD, "name", "name", "A name has 1 to 80 characters."),
        (ADA, "\n", PASSWORD, "name", "name", "A name has 1 to 80 characters."),
        (ADA, "Ada", "x" * 11, "password", "length", "A password has at least 12 characters."),
        (ADA, "Ada", "x" * 1_001, "password", "length", "A password has at least 12 characters."),
        (ADA, "Ada", "x" * 12 + "\0", "password", "length", "A password has at least 12 characters."),
        (
            "ada.lovelace@x.org",
            "Ada",
            "Ada.Lovelace",
            "password",
            "address",
            "A password must not be the e-mail address.",
        ),
        (ADA, "Ada", "ADA@example.ORG", "password", "address", "A password must not be the e-mail address."),
    ],
)
def test_what_cannot_be_taken_is_said_of_its_field(
    email: str, name: str, password: str, field: str, code: str, told: str
) -> None:
    problem = refused(lambda: operations.add_moderator(email, name, password, actor="cli"))
    assert isinstance(problem, Invalid)
    assert problem.errors == {field: [{"code": code, "detail": told}]}


def test_a_taken_address_is_a_conflict_in_words() -> None:
    moderator()
    problem = refused(lambda: operations.add_moderator(ADA, "Ada", None, actor="cli"))
    assert (type(problem), problem.detail) == (Conflict, "There is an account with this address already.")


def test_two_ways_to_write_a_password_are_one() -> None:
    assert passwords.CONTEXT.verify("caf\u00e9 caf\u00e9 latte", passwords.hashed("cafe\u0301 caf\u00e9 latte"))
    assert passwords.CONTEXT.verify("fi fi fi fi fi", passwords.hashed("\ufb01 fi fi fi fi"))
    assert (passwords.SHORTEST, passwords.LONGEST) == (12, 1_000)


def test_a_new_password(people: People) -> None:
    who = moderator()
    before = who.fs_uniquifier
    with transaction():
        opened = operations.open_session(who.id)
    told = deeds(lambda: operations.set_password(who, "another horse battery", actor="cli"))
    assert told == [("moderator.password", "cli", INSTALL, who.id, {})]
    assert passwords.CONTEXT.verify("another horse battery", who.password or "")
    assert who.fs_uniquifier != before
    db.session.expire_all()
    assert db.session.get_one(SignIn, opened).ended_at == NOON
    assert refused(lambda: operations.set_password(who, "short", actor="cli")).errors


def test_a_new_name() -> None:
    who = moderator()
    told = deeds(lambda: operations.rename(who, "  Countess ", actor="cli"))
    assert told == [("moderator.renamed", "cli", INSTALL, who.id, {"before": "Ada", "after": "Countess"})]


def test_closing_and_opening() -> None:
    who, bob = moderator(), moderator(BOB)
    with transaction():
        opened, other = operations.open_session(who.id), operations.open_session(bob.id)
    told = deeds(lambda: operations.set_active(who, False, actor="cli"))
    assert (told, who.active) == ([("moderator.closed", "cli", INSTALL, who.id, {})], False)
    db.session.expire_all()
    assert db.session.get_one(SignIn, opened).ended_at == NOON
    assert db.session.get_one(SignIn, other).ended_at is None
    before = who.fs_uniquifier
    told = deeds(lambda: operations.set_active(who, True, actor="cli"))
    assert (told, who.active) == ([("moderator.opened", "cli", INSTALL, who.id, {})], True)
    assert who.fs_uniquifier == before


def test_admins_come_and_go_but_for_the_last() -> None:
    who, bob = moderator(), moderator(BOB)
    told = deeds(lambda: operations.set_admin(who, True, actor="cli"))
    assert (told, who.is_admin) == ([("moderator.admin", "cli", INSTALL, who.id, {"is_admin": True})], True)
    for act in (operations.set_admin, operations.set_active):
        problem = refused(lambda act=act: act(who, False, actor="cli"))  # type: ignore[misc]
        assert (type(problem), problem.detail) == (Conflict, "This is the last admin of this install.")
    with transaction():
        operations.set_admin(bob, True, actor="cli")
        operations.set_active(bob, False, actor="cli")
    assert isinstance(refused(lambda: operations.set_admin(who, False, actor="cli")), Conflict)
    with transaction():
        operations.set_active(bob, True, actor="cli")
    told = deeds(lambda: operations.set_admin(who, False, actor="cli"))
    assert (told, who.is_admin) == ([("moderator.admin", "cli", INSTALL, who.id, {"is_admin": False})], False)
    with transaction():
        operations.set_active(who, False, actor="cli")  # no admin any more, so not the last


def test_roles(people: People) -> None:
    site, other, who = people.site("here"), people.site("there"), moderator()
    told = deeds(lambda: operations.grant(who, site, "viewer", actor="cli"))
    assert told == [("role.granted", "cli", str(site), who.id, {"before": None, "after": "viewer"})]
    told = deeds(lambda: operations.grant(who, site, "owner", actor="cli"))
    assert told == [("role.granted", "cli", str(site), who.id, {"before": "viewer", "after": "owner"})]
    assert queries.roles_of(who.id) == {site: "owner"}
    told = deeds(lambda: operations.withdraw(who, site, actor="cli"))
    assert told == [("role.withdrawn", "cli", str(site), who.id, {"before": "owner"})]
    assert queries.roles_of(who.id) == {}
    problem = refused(lambda: operations.withdraw(who, other, actor="cli"))
    assert (type(problem), problem.detail) == (NotFound, "This moderator has no role on this site.")
    problem = refused(lambda: operations.grant(who, site, "emperor", actor="cli"))
    wanted = [{"code": "role", "detail": "A role is one of viewer, moderator, owner."}]
    assert problem.errors == {"role": wanted}


def test_a_new_token(people: People) -> None:
    site, who, made = people.site("here"), moderator(), []
    wanted = NewToken(" a  program ", ["manage", "read"], site, NOON + timedelta(seconds=1))
    told = deeds(lambda: made.append(operations.issue_token(who, wanted, actor="cli")))
    (issued,) = made
    token = issued.token
    assert (token.name, token.scopes, token.site_id) == ("a program", ["read", "manage"], site)
    assert (token.created_at, token.expires_at) == (NOON, NOON + timedelta(seconds=1))
    assert token.digest == hashlib.sha256(issued.secret.encode()).digest()
    details = {"name": "a program", "scopes": ["read", "manage"], "moderator_id": str(who.id)}
    assert told == [("token.issued", "cli", str(site), token.id, details)]
    told = deeds(lambda: operations.revoke_token(token, actor="cli"))
    assert told == [("token.revoked", "cli", str(site), token.id, {})]
    assert token.revoked_at == NOON


@pytest.mark.parametrize(
    ("wanted", "field", "code", "told"),
    [
        (NewToken("x", []), "scopes", "scope", "A token has some of the scopes read, moderate, manage."),
        (NewToken("x", ["read", "x"]), "scopes", "scope", "A token has some of the scopes read, moderate, manage."),
        (NewToken("x", ["read"], None, NOON), "expires_at", "past", "A token cannot end before it begins."),
        (NewToken("", ["read"]), "name", "name", "A name has 1 to 80 characters."),
    ],
)
def test_a_token_that_cannot_be_is_said_of_its_field(wanted: NewToken, field: str, code: str, told: str) -> None:
    who = moderator()
    problem = refused(lambda: operations.issue_token(who, wanted, actor="cli"))
    assert problem.errors == {field: [{"code": code, "detail": told}]}


def test_values_of_tokens_cannot_be_changed() -> None:
    wanted = NewToken("x", ["read"])
    with pytest.raises(AttributeError):
        wanted.name = "y"  # type: ignore[misc]
    with transaction():
        issued = operations.issue_token(moderator_in(), wanted, actor="cli")
    with pytest.raises(AttributeError):
        issued.secret = "y"  # type: ignore[misc]


def moderator_in() -> Moderator:
    return operations.add_moderator(ADA, "Ada", None, actor="test")


def test_sessions() -> None:
    who, bob, made = moderator(), moderator(BOB), []
    told = deeds(lambda: made.extend([operations.open_session(who.id), operations.open_session(who.id)]))
    assert told == [("session.opened", f"moderator:{who.id}", INSTALL, who.id, {})] * 2
    told = deeds(lambda: operations.end_session(made[0], who.id))
    assert told == [("session.ended", f"moderator:{who.id}", INSTALL, who.id, {})]
    db.session.expire_all()
    ended, open_one = (db.session.get_one(SignIn, one) for one in made)
    assert (ended.ended_at, open_one.ended_at) == (NOON, None)
    assert (open_one.created_at, open_one.seen_at, open_one.moderator_id) == (NOON, NOON, who.id)
    assert bob.id != who.id


def test_an_end_is_not_moved() -> None:
    who = moderator()
    with transaction():
        opened = operations.open_session(who.id)
        operations.end_session(opened, who.id)
    with time_machine.travel(NOON + timedelta(hours=1), tick=False), transaction():
        operations.end_session(opened, who.id)
        operations.set_password(who, "another horse battery", actor="cli")
    db.session.expire_all()
    assert db.session.get_one(SignIn, opened).ended_at == NOON


@pytest.mark.parametrize(
    ("typed", "is_known"), [(" ADA@example.org", True), ("bob@example.org", False), ("ada@example.org\0", False)]
)
def test_failures(typed: str, is_known: bool) -> None:
    who = moderator()
    told = deeds(lambda: operations.note_failed_sign_in(typed))
    assert told == [("session.refused", "system", INSTALL, who.id if is_known else None, {})]


@pytest.mark.parametrize(
    ("seen", "ended", "is_kept"),
    [(0, None, True), (90, None, True), (91, None, False), (0, 90, True), (0, 91, False)],
)
def test_sessions_are_kept_for_ninety_days(seen: int, ended: int | None, is_kept: bool) -> None:
    """Since they were last seen, and since they ended."""
    who = moderator()
    with transaction():
        row = db.session.get_one(SignIn, operations.open_session(who.id))
        row.seen_at = NOON - timedelta(days=seen)
        row.ended_at = None if ended is None else NOON - timedelta(days=ended)
    with transaction():
        assert operations.purge() == int(not is_kept)


def test_every_token_that_opens_something_is_ended(people: People) -> None:
    site, who, bob, ended = people.site("here"), moderator(), moderator(BOB), list[int]()
    with transaction():
        one, two, late, over = (
            operations.issue_token(who, NewToken(name, ["read"], *more), actor="cli").token
            for name, *more in (("one", site), ("two",), ("late", None, NOON + timedelta(seconds=1)), ("over",))
        )
        other = operations.issue_token(bob, NewToken("theirs", ["read"]), actor="cli").token
        operations.revoke_token(over, actor="cli")
    with time_machine.travel(NOON + timedelta(seconds=1), tick=False):
        told = deeds(lambda: ended.append(operations.end_tokens(who, actor="command")))
        assert sorted(told) == sorted([
            ("token.revoked", "command", str(site), one.id, {}), ("token.revoked", "command", INSTALL, two.id, {}),
        ])  # fmt: skip
        assert [each.revoked_at is not None for each in (one, two, late, over, other)] == [
            True,
            True,
            False,
            True,
            False,
        ]
        assert deeds(lambda: ended.append(operations.end_tokens(who, actor="command"))) == []
    assert ended == [2, 0]


def test_a_session_of_ones_own_is_ended() -> None:
    who, bob = moderator(), moderator(BOB)
    with transaction():
        one, two, three = (operations.open_session(who.id) for _ in range(3))
        theirs = operations.open_session(bob.id)
    ended, many = ("session.ended", f"moderator:{who.id}", INSTALL, who.id, {}), list[int]()
    assert deeds(lambda: operations.end_one_session(one, who.id)) == [ended]
    for id_ in (one, theirs, UUID(int=1)):
        problem = refused(lambda id_=id_: operations.end_one_session(id_, who.id))  # type: ignore[misc]
        assert (type(problem), problem.detail) == (NotFound, "There is no open session of yours by that id.")
    assert deeds(lambda: many.append(operations.end_other_sessions(who.id, two))) == [ended]
    assert [each.id for each in operations.sessions_of(who.id)] == [two] and three != two
    assert deeds(lambda: many.append(operations.end_other_sessions(who.id, None))) == [ended]
    assert deeds(lambda: many.append(operations.end_other_sessions(who.id, None))) == []
    assert many == [1, 1, 0] and [each.id for each in operations.sessions_of(bob.id)] == [theirs]


@pytest.mark.parametrize("told", ["Firefox, Linux", ""])
def test_of_a_session_the_browser_is_kept(told: str) -> None:
    who = moderator()
    with transaction():
        opened = operations.open_session(who.id, told)
    assert db.session.get_one(SignIn, opened).browser == (told or None)


@pytest.mark.parametrize("step", ["password", "code"])
def test_a_refused_step_is_written_down(step: str) -> None:
    who = moderator()
    told = deeds(lambda: operations.note_refused(who.id, step))
    assert told == [("session.refused", "system", INSTALL, who.id, {"step": step})]


def test_a_password_is_proven_until_it_is_changed() -> None:
    who = moderator()
    proof = operations.prove(who, PASSWORD)
    assert (proof.moderator_id, proof.kept) == (who.id, who.password)
    assert str(who.password) not in repr(proof)
    with pytest.raises(AttributeError):
        proof.kept = None  # type: ignore[misc]
    with transaction():
        assert operations.proven(proof).id == who.id
        operations.set_password(who, "another horse battery", actor="cli")
    problem = refused(lambda: operations.proven(proof))
    told = "The password of this account was changed meanwhile. Sign in again."
    assert (type(problem), problem.detail) == (Conflict, told)


@pytest.mark.parametrize("typed", ["a wrong password", "", PASSWORD + "\0", "x" * 1_001])
def test_what_is_not_the_password_is_said_of_its_field(typed: str) -> None:
    who = moderator()
    wanted = [{"code": "wrong", "detail": "This is not your present password."}]
    assert refused(lambda: operations.prove(who, typed)).errors == {"old": wanted}
    assert refused(lambda: operations.prove(who, typed, "password")).errors == {"password": wanted}
    bare = Moderator(id=who.id, password=None)
    assert refused(lambda: operations.prove(bare, typed)).errors == {"old": wanted}


@pytest.mark.parametrize("length", [1, 12, 1_000])
def test_a_password_fits_whatever_its_length_is(length: int) -> None:
    """Those that are too short for a new one, too: they may be from before."""
    kept = passwords.hashed("x" * length)
    assert (passwords.fits("x" * length, kept), passwords.fits("y" * length, kept)) == (True, False)
    assert (passwords.fits("x" * 1_001, passwords.hashed("x" * 1_001)), passwords.fits("x", None)) == (False, False)
