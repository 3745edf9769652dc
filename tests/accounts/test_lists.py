"""What is asked of accounts: each list in its order, page by page, and of nobody else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from service.accounts import invites, operations, queries
from service.accounts.holders.queries import token_with
from service.accounts.models import ApiToken, Moderator
from service.accounts.operations import NewToken
from service.accounts.principal import name_of
from service.db import new_id, transaction
from service.pagination import Page, Position
from tests.accounts.conftest import People
from tests.accounts.still import ADA, BOB, NOON, moderator
from tests.accounts.still import clock as clock
from tests.contracts.test_plans import asked


def token(who: Moderator, name: str = "x", *more: Any) -> ApiToken:
    with transaction():
        return operations.issue_token(who, NewToken(name, ["read"], *more), actor="test").token


def granted(who: Moderator, site: UUID, role: str = "viewer") -> None:
    with transaction():
        operations.grant(who, site, role, actor="test")


def paged(ask: Callable[[Position | None], Page[Any]], *lengths: int) -> list[Any]:
    """The rows of pages of these lengths, the last of which knows that it is."""
    found, after = list[Any](), None
    for length in lengths:
        page = ask(after)
        assert len(page.rows) == length
        found, after = found + page.rows, page.next
    assert after is None
    return found


def test_people_are_listed_by_address(people: People) -> None:
    bob, ada, site = moderator(BOB), moderator(), people.site("here")
    granted(bob, site), granted(ada, site, "owner"), granted(ada, people.site("there"))
    everybody = queries.moderators()
    assert ([one.email for one in everybody], len(everybody)) == ([ADA, BOB], 2)
    assert [(one.email, role) for one, role in queries.people_of(site)] == [(ADA, "owner"), (BOB, "viewer")]
    assert queries.people_of(UUID(int=1)) == []
    assert (queries.moderator_at(BOB), queries.moderator_at("x")) == (bob, None)
    assert (queries.id_of(ADA), queries.id_of(BOB), queries.id_of("x")) == (ada.id, bob.id, None)


def test_a_team_is_read_page_by_page_the_oldest_account_first(people: People, clock: Any) -> None:
    """Also where some accounts were made at one moment."""
    site, there, made = people.site("here"), people.site("there"), []
    for n, later in enumerate((0, 0, 0, 1, 1)):
        clock.move_to(NOON + timedelta(seconds=later))
        made.append(moderator(f"{9 - n}@example.org"))
        granted(made[-1], site, "viewer" if n % 2 else "owner")
    granted(made[0], there), granted(moderator(), there)
    found = paged(lambda after: queries.members(site, after, 2), 2, 2, 1)
    assert [one.id for one, _ in found] == [one.id for one in made]
    assert [role for _, role in found] == ["owner", "viewer", "owner", "viewer", "owner"]


def test_tokens_are_read_page_by_page_the_newest_first(people: People, clock: Any) -> None:
    """Those past their end too, those that were revoked not; and for a program those of its sites."""
    who, here, there = moderator(), people.site("here"), people.site("there")
    made = [token(who, "a", here), token(who, "b"), token(who, "c", here, NOON + timedelta(seconds=1))]
    clock.shift(timedelta(seconds=1))
    made += [token(who, "d", there), token(who, "e", here)]
    revoked = token(who, "f", here)
    with transaction():
        operations.revoke_token(revoked, actor="test")
    token(moderator(BOB), "g", here)
    names = [one.name for one in paged(lambda after: queries.live_tokens(who.id, None, after, 2), 2, 2, 1)]
    assert names == ["e", "d", "c", "b", "a"]
    names = [one.name for one in paged(lambda after: queries.live_tokens(who.id, {here}, after, 2), 2, 1)]
    assert names == ["e", "c", "a"]
    assert paged(lambda after: queries.live_tokens(who.id, {here: "viewer"}.keys(), after, 9), 3)
    assert paged(lambda after: queries.live_tokens(who.id, set(), after, 2), 0) == []
    assert [one.name for one in queries.tokens_of(who.id)] == ["f", "e", "d", "c", "b", "a"]


@pytest.mark.parametrize("which", ["members", "tokens", "invites"])
def test_for_a_page_one_row_more_is_read_than_it_shows(people: People, which: str) -> None:
    """That one tells whether there is another page; a long list is not read whole."""
    site, who = people.site("here"), moderator()
    with asked() as sent:
        if which == "members":
            queries.members(site, None, 1234)
        elif which == "tokens":
            queries.live_tokens(who.id, None, None, 1234)
        else:
            queries.open_invites(site, None, 1234)
    ((statement, parameters),) = [one for one in sent if "LIMIT" in one[0]]
    values = parameters.values() if isinstance(parameters, dict) else parameters
    assert 1235 in values, statement


def test_tokens_that_open_something_are_counted(clock: Any) -> None:
    who, bob = moderator(), moderator(BOB)
    assert queries.number_of_good_tokens(who.id) == 0
    for until in (None, NOON + timedelta(seconds=1), NOON + timedelta(seconds=2)):
        token(who, "x", None, until)
    revoked = token(who)
    with transaction():
        operations.revoke_token(revoked, actor="test")
    token(bob)
    assert [queries.number_of_good_tokens(one.id) for one in (who, bob)] == [3, 1]
    clock.shift(timedelta(seconds=1))
    assert queries.number_of_good_tokens(who.id) == 2


def test_an_account_has_a_hundred_tokens_at_most() -> None:
    who = moderator()
    assert operations.MOST_TOKENS == 100
    with transaction():
        for n in range(100):
            operations.issue_token(who, NewToken(str(n), ["read"]), actor="test")
    with pytest.raises(Exception, match="An account has at most 100 tokens. Revoke one first."):
        token(who)


def test_open_sessions_are_listed_the_one_seen_last_first(clock: Any) -> None:
    who, bob, opened = moderator(), moderator(BOB), list[UUID]()
    for _ in range(3):
        clock.shift(timedelta(seconds=1))
        with transaction():
            opened.append(operations.open_session(who.id))
    with transaction():
        operations.open_session(bob.id)
        queries.see_sign_in(opened[0])
        operations.end_session(opened[1], who.id)
    clock.shift(timedelta(seconds=1))
    with transaction():
        queries.see_sign_in(opened[0])
    assert [one.id for one in operations.sessions_of(who.id)] == [opened[0], opened[2]]
    clock.move_to(NOON + timedelta(seconds=3) + operations.IDLE)
    assert [one.id for one in operations.sessions_of(who.id)] == [opened[0]]
    for day in range(1, 15):
        clock.move_to(NOON + timedelta(seconds=1) + day * operations.IDLE - timedelta(seconds=1))
        with transaction():
            queries.see_sign_in(opened[0])
    assert [one.id for one in operations.sessions_of(who.id)] == [opened[0]]
    clock.move_to(NOON + timedelta(seconds=1) + operations.LONGEST)
    assert operations.sessions_of(who.id) == []


def test_the_audit_log_calls_people_and_programs_by_their_names() -> None:
    who = moderator()
    one = token(who, "A report")
    assert name_of(f"moderator:{who.id}") == "Ada"
    assert name_of(f"token:{one.id}") == "A report"
    for actor in (f"moderator:{one.id}", f"token:{who.id}", f"author:{who.id}", "system", "command", ""):
        assert name_of(actor) is None


def test_what_there_is_none_of_is_none(people: People) -> None:
    site, who = people.site("here"), moderator()
    granted(who, site)
    nobody = new_id()
    assert queries.roles_of(nobody) == {} and queries.roles_of(who.id) == {site: "viewer"}
    assert queries.membership(who.id, nobody) is None and queries.membership(nobody, site) is None
    assert queries.moderator_by_id(nobody) is None and queries.token_by_id(nobody) is None
    assert token_with(digest=b"") is None and queries.open_invite_with(b"") is None
    assert queries.all_site_ids() == {site}


def test_of_several_admins_those_who_can_sign_in_count() -> None:
    ada, bob = moderator(is_admin=True), moderator(BOB, is_admin=True)
    moderator("eve@example.org")
    assert queries.locked_admins() == {ada.id, bob.id}
    with transaction():
        operations.set_active(bob, False, actor="test")
    assert queries.locked_admins() == {ada.id}


def test_what_was_made_at_once_has_ids_of_its_own(people: People) -> None:
    site, who = people.site("here"), moderator()
    made = [token(who).id for _ in range(3)]
    with transaction():
        made += [invites.invite(site, "viewer", "", actor=f"moderator:{who.id}").invite.id for _ in range(3)]
    assert len(set(made)) == 6
