"""Two people of a team who act at the same moment: a site keeps an owner, and an install an admin."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from service.accounts import operations as accounts
from service.accounts import queries
from service.accounts.models import Moderator
from service.accounts.principal import of_moderator
from service.db import db, transaction
from service.errors import Conflict, NotFound, Problem
from service.moderation import team
from service.sites.models import Site

HELD = 0.3
"""Seconds for which the first holds what it locked, while the second comes."""


def made(name: str, **more: Any) -> Moderator:
    with transaction():
        return accounts.add_moderator(f"{name}@staff.example.org", name.title(), None, actor="test", **more)


def one_after_the_other(app: Flask, first: Callable[[], object], second: Callable[[], object]) -> Problem | None:
    """The second begins while the first has done its part and not yet committed; what the second is told."""

    def follow() -> Problem | None:
        with app.app_context():
            try:
                with transaction():
                    second()
            except Problem as refused:
                return refused
        return None

    with ThreadPoolExecutor(1) as pool:
        with transaction():
            first()
            following = pool.submit(follow)
            wait([following], timeout=HELD)
        told = following.result()
    db.session.rollback()
    db.session.expire_all()
    return told


@pytest.mark.parametrize("act", [lambda *of: team.take_role(*of), lambda *of: team.set_role(*of[:2], "viewer", of[2])])
def test_a_site_keeps_an_owner_when_two_remove_each_other(app: Flask, site: Site, act: Callable[..., object]) -> None:
    anna, bert, here = made("anna"), made("bert"), site.id
    with transaction():
        for one in (anna, bert):
            accounts.grant(one, site.id, "owner", actor="test")
    a, b = of_moderator(anna), of_moderator(bert)  # as the guard found them, before either acted
    told = one_after_the_other(app, partial(act, b.moderator_id, here, a), partial(act, a.moderator_id, here, b))
    assert isinstance(told, Problem) and told.status in (403, 404)
    assert queries.roles_of(a.moderator_id) == {here: "owner"}


def test_an_install_keeps_an_admin_when_two_dismiss_each_other(app: Flask) -> None:
    anna, bert = made("anna", is_admin=True).id, made("bert", is_admin=True).id

    def dismiss(one: UUID) -> None:
        found = queries.moderator_by_id(one)
        assert found
        accounts.set_admin(found, False, actor="test")

    told = one_after_the_other(app, lambda: dismiss(bert), lambda: dismiss(anna))
    assert isinstance(told, Conflict)
    assert [one.is_admin for one in queries.moderators()] == [True, False]


def test_two_who_remove_a_third_do_it_once(app: Flask, site: Site) -> None:
    """Control: the second is told what is the case, and nothing of its own right to it."""
    anna, bert, cora, here = made("anna"), made("bert"), made("cora"), site.id
    with transaction():
        for one, role in ((anna, "owner"), (bert, "owner"), (cora, "viewer")):
            accounts.grant(one, site.id, role, actor="test")
    take = partial(team.take_role, cora.id, here)
    told = one_after_the_other(app, partial(take, of_moderator(anna)), partial(take, of_moderator(bert)))
    assert isinstance(told, NotFound) and "has a role on this site" in told.detail
