"""Invitations: who is let in by a link, until when, in which role, and what is written down of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from service.accounts import invites, operations, passwords, queries
from service.accounts.invites import Invited, Newcomer, NoInvite
from service.accounts.models import Invite, Moderator
from service.audit.models import INSTALL
from service.db import db, new_id, now, transaction
from service.errors import Conflict, Invalid, Problem
from service.pagination import Position
from tests.accounts.conftest import PASSWORD, People
from tests.accounts.still import BOB, NOON, deeds, moderator, refused
from tests.accounts.still import clock as clock

KIM = "kim@example.org"
NOBODY = "Nobody is invited by this link: it is not whole, was used or taken back, or is older than a week."


@pytest.fixture
def site(people: People) -> UUID:
    return people.site("here")


@pytest.fixture
def owner(site: UUID) -> Moderator:
    made = moderator()
    with transaction():
        operations.grant(made, site, "owner", actor="test")
    return made


def actor(who: Moderator) -> str:
    return f"moderator:{who.id}"


def invited(site: UUID, by: Moderator, role: str = "viewer", name: str = "") -> Invited:
    with transaction():
        return invites.invite(site, role, name, actor=actor(by))


def row(one: Invited) -> Invite:
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(Invite, one.invite.id)


def said(problem: Problem) -> tuple[type[Problem], str]:
    return type(problem), problem.detail


def test_a_new_link(site: UUID, owner: Moderator) -> None:
    made: list[Invited] = []
    told = deeds(lambda: made.append(invites.invite(site, "moderator", "Kim of sports", actor=actor(owner))))
    (one,), kept = made, row(made[0])
    assert (kept.site_id, kept.role, kept.name, kept.by) == (site, "moderator", "Kim of sports", actor(owner))
    assert (kept.created_at, kept.expires_at) == (NOON, NOON + timedelta(days=7))
    assert (kept.accepted_at, kept.revoked_at) == (None, None)
    assert kept.digest == operations.digest_of(one.secret) and len(one.secret) == 47
    assert one.secret not in repr(one)
    details = {"role": "moderator", "name": "Kim of sports"}
    assert told == [("invite.made", actor(owner), str(site), kept.id, details)]


def test_a_role_that_there_is_not_is_said_of_its_field(site: UUID, owner: Moderator) -> None:
    problem = refused(lambda: invites.invite(site, "emperor", "", actor=actor(owner)))
    told = {"role": [{"code": "role", "detail": "A role is one of viewer, moderator, owner."}]}
    assert (type(problem), problem.errors) == (Invalid, told)


def test_a_site_has_a_hundred_open_invitations_at_most(
    people: People, site: UUID, owner: Moderator, clock: Any
) -> None:
    assert queries.number_of_open_invites(site) == 0
    first = invited(site, owner)
    clock.shift(timedelta(days=1))
    used, taken_back = (invited(site, owner) for _ in range(2))
    with transaction():
        invites.accept(used.secret, moderator_in(BOB))
        invites.take_back(taken_back.invite, actor="test")
        for _ in range(99):
            invites.invite(site, "viewer", "", actor=actor(owner))
    assert queries.number_of_open_invites(site) == 100
    problem = refused(lambda: invites.invite(site, "viewer", "", actor=actor(owner)))
    assert said(problem) == (Conflict, "A site has at most 100 open invitations. Take one back first.")
    invited(people.site("there"), owner)
    clock.move_to(row(first).expires_at)
    assert queries.number_of_open_invites(site) == 99
    invited(site, owner)


def moderator_in(email: str) -> Moderator:
    return operations.add_moderator(email, "Bob", None, actor="test")


def test_open_invitations_are_read_page_by_page(people: People, site: UUID, owner: Moderator, clock: Any) -> None:
    """Newest first, also where some were made at one moment; those of other sites and those that are over are not."""
    over = [invited(site, owner) for _ in range(3)]
    clock.shift(timedelta(seconds=1))
    wanted = [invited(site, owner).invite.id for _ in range(3)]
    clock.shift(timedelta(seconds=1))
    wanted += [invited(site, owner).invite.id for _ in range(2)]
    used, taken_back = (invited(site, owner) for _ in range(2))
    with transaction():
        invites.accept(used.secret, moderator_in(BOB))
        invites.take_back(taken_back.invite, actor="test")
    invited(people.site("there"), owner)
    clock.move_to(row(over[0]).expires_at)
    found, after = [], None
    for length in (2, 2, 1):
        page = queries.open_invites(site, after, 2)
        assert len(page.rows) == length
        found, after = found + [one.id for one in page.rows], page.next
    assert (found, after) == (sorted(wanted, reverse=True), None)


def test_a_page_that_is_just_full_is_the_last(site: UUID, owner: Moderator) -> None:
    one, two = (invited(site, owner).invite.id for _ in range(2))
    assert queries.open_invites(site, None, 2).next is None
    assert queries.open_invites(site, None, 1).next == Position(NOON, two)
    assert [each.id for each in queries.open_invites(site, Position(NOON, two), 2).rows] == [one]


def test_a_link_is_taken_back_once(site: UUID, owner: Moderator) -> None:
    one, other = invited(site, owner), invited(site, owner)
    told = deeds(lambda: invites.take_back(one.invite, actor="command"))
    assert told == [("invite.revoked", "command", str(site), one.invite.id, {})]
    assert (row(one).revoked_at, row(one).accepted_at, row(other).revoked_at) == (NOON, None, None)
    assert deeds(lambda: invites.take_back(one.invite, actor="command")) == []
    assert said(refused(lambda: invites.behind(one.secret))) == (NoInvite, NOBODY)
    assert invites.behind(other.secret).id == other.invite.id


def test_who_accepted_before_it_was_taken_back_is_named(site: UUID, owner: Moderator) -> None:
    one, bob = invited(site, owner), moderator(BOB)

    def take_back_too_late() -> None:
        seen = queries.invite_by_id(one.invite.id)
        assert seen is not None and seen.accepted_at is None
        accepted_elsewhere(one, bob)
        invites.take_back(seen, actor="command")

    problem = refused(take_back_too_late)
    assert said(problem) == (Conflict, "Ada has accepted this already. Remove their role instead.")


def accepted_elsewhere(one: Invited, who: Moderator) -> None:
    """By another process, meanwhile: our session has not seen it."""
    mine = update(Invite.__table__).where(Invite.__table__.c.id == one.invite.id)  # type: ignore[arg-type]
    db.session.connection().execute(mine.values(accepted_at=NOON, accepted_by=who.id))


@pytest.mark.parametrize("secret", ["", "gri_", "gri_" + "x" * 43, "gri_" + "x" * 42, "gri_" + "x" * 42 + "\ud800"])
def test_what_is_no_link_is_told_in_the_same_words(site: UUID, owner: Moderator, secret: str) -> None:
    invited(site, owner)
    problem = refused(lambda: invites.behind(secret))
    assert (said(problem), problem.status, problem.slug) == ((NoInvite, NOBODY), 404, "no-invitation")


def test_a_link_is_good_for_a_week_to_the_second(site: UUID, owner: Moderator, clock: Any) -> None:
    one = invited(site, owner)
    clock.move_to(NOON + timedelta(days=7) - timedelta(seconds=1))
    assert invites.behind(one.secret).id == one.invite.id
    clock.move_to(NOON + timedelta(days=7))
    assert said(refused(lambda: invites.behind(one.secret))) == (NoInvite, NOBODY)


@pytest.mark.parametrize("loss", ["role", "account"])
def test_a_link_is_good_as_long_as_its_maker_may_invite(site: UUID, owner: Moderator, loss: str) -> None:
    one = invited(site, owner)
    with transaction():
        if loss == "role":
            operations.grant(owner, site, "moderator", actor="test")
        else:
            operations.set_active(owner, False, actor="test")
    assert said(refused(lambda: invites.behind(one.secret))) == (NoInvite, NOBODY)


def test_an_account_gets_the_role_once(people: People, site: UUID, owner: Moderator) -> None:
    one, other, bob = invited(site, owner, "moderator"), invited(site, owner), moderator(BOB)
    got: list[Invite] = []
    told = deeds(lambda: got.append(invites.accept(one.secret, bob)))
    assert told == [
        ("role.granted", actor(bob), str(site), bob.id, {"before": None, "after": "moderator"}),
        ("invite.accepted", actor(bob), str(site), one.invite.id, {}),
    ]
    assert got[0].id == one.invite.id and queries.roles_of(bob.id) == {site: "moderator"}
    assert (row(one).accepted_at, row(one).accepted_by, row(one).revoked_at) == (NOON, bob.id, None)
    assert row(other).accepted_at is None
    late = moderator("eve@example.org")
    assert said(refused(lambda: invites.accept(one.secret, late))) == (NoInvite, NOBODY)
    assert queries.roles_of(late.id) == {}


@pytest.mark.parametrize(
    ("held", "offered", "gets"),
    [
        (None, "viewer", "viewer"), ("viewer", "moderator", "moderator"), ("moderator", "owner", "owner"),
        ("viewer", "viewer", None), ("moderator", "viewer", None), ("owner", "moderator", None),
    ],
)  # fmt: skip
def test_a_role_is_raised_only(
    people: People, site: UUID, owner: Moderator, held: str, offered: str, gets: str
) -> None:
    one, bob, there = invited(site, owner, offered), moderator(BOB), people.site("there")
    with transaction():
        operations.grant(bob, there, "owner", actor="test")
        if held:
            operations.grant(bob, site, held, actor="test")
    if gets:
        with transaction():
            invites.accept(one.secret, bob)
    else:
        problem = refused(lambda: invites.accept(one.secret, bob))
        assert said(problem) == (Conflict, f"You have a role on this site already: {held}.")
        assert row(one).accepted_at is None
    assert queries.roles_of(bob.id) == {there: "owner", site: gets or held}


def test_of_two_who_accept_at_once_the_second_gets_nothing(
    site: UUID, owner: Moderator, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, bob, usual = invited(site, owner), moderator(BOB), queries.roles_of

    def slowly(moderator_id: UUID) -> dict[UUID, str]:
        if moderator_id == bob.id:
            accepted_elsewhere(one, owner)
        return usual(moderator_id)

    monkeypatch.setattr(queries, "roles_of", slowly)
    assert said(refused(lambda: invites.accept(one.secret, bob))) == (NoInvite, NOBODY)
    assert usual(bob.id) == {}


def test_a_newcomer_is_looked_at_before_anything_is_kept(site: UUID) -> None:
    who = invites.newcomer(" KIM@Example.org ", "Kim", PASSWORD)
    assert (who.address, who.name) == (KIM, "Kim") and passwords.fits(PASSWORD, who.kept)
    assert who.kept not in repr(who)
    for email, password, field in (("kim", PASSWORD, "email"), (KIM, "short", "password"), (KIM, KIM, "password")):
        problem = refused(lambda email=email, password=password: invites.newcomer(email, "Kim", password))  # type: ignore[misc]
        assert list(problem.errors or {}) == [field]


def test_a_newcomer_gets_an_account_in_the_name_of_who_invited_them(site: UUID, owner: Moderator) -> None:
    one, joined = invited(site, owner, "moderator"), list[Moderator]()
    told = deeds(lambda: joined.append(invites.join(one.secret, invites.newcomer(KIM, " Kim ", PASSWORD))))
    (kim,) = joined
    assert sorted(told) == sorted([
        ("moderator.added", actor(owner), INSTALL, kim.id, {"name": "Kim", "is_admin": False}),
        ("role.granted", actor(kim), str(site), kim.id, {"before": None, "after": "moderator"}),
        ("invite.accepted", actor(kim), str(site), one.invite.id, {}),
    ])  # fmt: skip
    assert (kim.email, kim.name, passwords.fits(PASSWORD, kim.password)) == (KIM, "Kim", True)
    assert queries.roles_of(kim.id) == {site: "moderator"} and row(one).accepted_by == kim.id


def test_a_newcomer_with_an_account_is_told_to_sign_in(site: UUID, owner: Moderator) -> None:
    one, who = invited(site, owner), Newcomer(owner.email, "Mallory", "x")
    problem = refused(lambda: invites.join(one.secret, who))
    told = "There is an account with this address. Sign in with it, then open the link again."
    assert said(problem) == (Conflict, told)
    assert said(refused(lambda: invites.join("gri_", who))) == (NoInvite, NOBODY)
    assert invites.behind(one.secret).id == one.invite.id


def test_what_is_told_of_an_invitation_cannot_be_changed(site: UUID, owner: Moderator) -> None:
    for told, name in ((invited(site, owner), "secret"), (Newcomer(KIM, "Kim", "x"), "address")):
        with pytest.raises(AttributeError):
            setattr(told, name, "y")


def test_invitations_are_forgotten_ninety_days_after_their_end(site: UUID, owner: Moderator, clock: Any) -> None:
    first = invited(site, owner)
    clock.shift(timedelta(seconds=1))
    second = invited(site, owner)
    for after, forgotten in ((timedelta(0), 0), (timedelta(seconds=1), 1)):
        clock.move_to(NOON + timedelta(days=97) + after)
        with transaction():
            assert invites.purge() == forgotten
    assert (queries.invite_by_id(first.invite.id), queries.invite_by_id(second.invite.id) is None) == (None, False)
    assert now() > NOON and queries.invite_by_id(new_id()) is None
