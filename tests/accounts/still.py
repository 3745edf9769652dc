"""A clock that stands still, and what a deed leaves behind in the audit log, to the letter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from flask import Flask

from service.accounts import operations
from service.accounts.models import Moderator
from service.audit.models import AuditDetail, AuditEntry
from service.db import db, transaction
from service.errors import Problem
from tests.accounts.conftest import PASSWORD

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA, BOB = "ada@example.org", "bob@example.org"


@pytest.fixture(autouse=True)
def clock(app: Flask) -> Iterator[Any]:
    with app.app_context(), time_machine.travel(NOON, tick=False) as clock:
        yield clock


def moderator(email: str = ADA, **more: Any) -> Moderator:
    with transaction():
        return operations.add_moderator(email, "Ada", PASSWORD, actor="test", **more)


def deeds(act: Callable[[], Any]) -> list[tuple[Any, ...]]:
    """Who did what on which chain to whom with which details, in a transaction."""
    before = {one.id for one in db.session.query(AuditEntry)}
    with transaction():
        act()
    rows = db.session.query(AuditEntry, AuditDetail).join(AuditDetail, AuditDetail.entry_id == AuditEntry.id)
    told = [(one, more) for one, more in rows.order_by(AuditEntry.n) if one.id not in before]
    return [(one.action, one.actor, one.chain, one.subject_id, more.details) for one, more in told]


def refused(act: Callable[[], Any]) -> Problem:
    with pytest.raises(Problem) as caught, transaction():
        act()
    db.session.rollback()
    return caught.value
