"""A clock that stands still, a moderator, comments that wait, and what became of them, read anew."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from service.accounts import operations as accounts
from service.accounts.models import Moderator
from service.accounts.principal import Principal, of_moderator
from service.audit.models import AuditDetail, AuditEntry
from service.comments.models import Comment
from service.db import db, transaction
from service.errors import Problem
from service.moderation import operations
from service.moderation.operations import Verdict
from service.sites.models import Site
from service.webhooks.models import Event
from tests.support import post

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock(app: Flask) -> Iterator[Any]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def moderator(name: str, *sites: Site, role: str = "moderator") -> Moderator:
    with transaction():
        made = accounts.add_moderator(f"{name}@staff.example.org", name.title(), None, actor="test")
        for site in sites:
            accounts.grant(made, site.id, role, actor="test")
    return made


@pytest.fixture
def robin(site: Site) -> Principal:
    return of_moderator(moderator("robin", site))


@pytest.fixture
def held(client: FlaskClient, site: Site) -> UUID:
    return said(client)


def said(client: FlaskClient, **changes: Any) -> UUID:
    """A comment by somebody new."""
    name = uuid4().hex
    answer = post(client, **{"email": f"{name}@mail.example.org", "body": f"Words of {name}."} | changes)
    return UUID(answer.get_json()["id"])


def row(comment_id: UUID) -> Comment:
    db.session.expire_all()
    return db.session.get_one(Comment, comment_id)


def decided(comment_id: UUID, decision: str, who: Principal, if_match: str | None = None, **more: Any) -> Comment:
    with transaction():
        operations.decide(comment_id, Verdict(decision, **more), who, if_match)
    return row(comment_id)


def problem(comment_id: UUID, decision: str, who: Principal, if_match: str | None = None) -> Problem:
    with pytest.raises(Problem) as refused, transaction():
        operations.decide(comment_id, Verdict(decision), who, if_match)
    db.session.rollback()
    return refused.value


def entries(action: str) -> list[tuple[Any, ...]]:
    rows = db.session.query(AuditEntry, AuditDetail).join(AuditDetail, AuditDetail.entry_id == AuditEntry.id)
    found = rows.filter(AuditEntry.action == action).order_by(AuditEntry.n)
    return [(one.actor, one.chain, one.subject_id, more.details) for one, more in found]


def events(type_: str) -> list[Event]:
    return list(db.session.query(Event).filter_by(type=type_).order_by(Event.id))
