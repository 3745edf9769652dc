"""Whose turn it is: what is due to which endpoint, and who sends it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, or_, select, update
from sqlalchemy.orm import aliased

from service.db import db
from service.webhooks.models import Attempt, Delivery, Endpoint, Event
from service.webhooks.policy import APART, FAILED, LONGEST_LEASE, LONGEST_WAIT, MOST_AT_ONCE, PENDING, SLOW


def set_due(event_ids: Sequence[UUID], at: datetime) -> None:
    """Let what was announced go out: its event has a `seq` now."""
    change = update(Delivery).where(Delivery.event_id.in_(event_ids), Delivery.next_at.is_(None)).values(next_at=at)
    db.session.execute(change.where(Delivery.state == PENDING).execution_options(synchronize_session=False))


def _free(at: datetime) -> ColumnElement[bool]:
    """Nobody sends it now: a lease that lasts longer than any can is of a clock that was put back since.

    Not one that lasts a moment longer: who has it may only have looked at the clock after us.
    """
    return or_(Delivery.lease_until.is_(None), Delivery.lease_until < at, Delivery.lease_until > at + LONGEST_LEASE)


def _is_due(endpoint_id: Any, at: datetime) -> ColumnElement[bool]:
    return and_(Delivery.endpoint_id == endpoint_id, Delivery.state == PENDING, Delivery.next_at <= at, _free(at))


def _room(at: datetime) -> ColumnElement[int]:
    """How many more tries an endpoint may have now: none while its receiver asked to be left alone."""
    other = aliased(Delivery)
    busy = select(func.count()).where(
        other.endpoint_id == Endpoint.id, other.state == PENDING, other.lease_until.between(at, at + LONGEST_LEASE)
    )
    most = case(
        (Endpoint.held_until.between(at, at + LONGEST_WAIT + APART), 0),
        (or_(Endpoint.failing_since.is_not(None), _last_took(at) > SLOW / timedelta(milliseconds=1)), 1),
        else_=MOST_AT_ONCE,
    )
    return most - busy.scalar_subquery()


def _last_took(at: datetime) -> ColumnElement[int]:
    """Milliseconds of the last try of an endpoint; NULL of one that was never tried."""
    last = select(Attempt.milliseconds).where(Attempt.endpoint_id == Endpoint.id, Attempt.at <= at)
    return last.order_by(Attempt.at.desc()).limit(1).scalar_subquery()


def due_deliveries(at: datetime) -> list[UUID]:
    """What is to be tried now, the longest due of each endpoint: as many as it may have, whatever others wait for."""
    found: list[UUID] = []
    waits = select(Delivery.id).where(_is_due(Endpoint.id, at)).exists()
    for endpoint_id, room in db.session.execute(select(Endpoint.id, _room(at)).where(waits, _room(at) > 0)):
        found += _next_of(endpoint_id, at, room)
    return found


def next_of(endpoint_id: UUID, at: datetime) -> UUID | None:
    """The delivery that is due to an endpoint for the longest, and that nobody is sending."""
    return next(iter(_next_of(endpoint_id, at, 1)), None)


def _next_of(endpoint_id: UUID, at: datetime, limit: int) -> Sequence[UUID]:
    rows = select(Delivery.id).where(_is_due(endpoint_id, at)).order_by(Delivery.next_at, Delivery.id)
    return db.session.scalars(rows.limit(limit)).all()


def claim(delivery_id: UUID, lease: UUID, at: datetime, until: datetime) -> bool:
    """Take a delivery that is due, by one statement; whether it was free, and its endpoint not busy."""
    room = select(_room(at)).where(Endpoint.id == Delivery.endpoint_id)
    change = update(Delivery).where(
        Delivery.id == delivery_id, _is_due(Delivery.endpoint_id, at), room.scalar_subquery() > 0
    )
    change = change.values(lease=lease, lease_until=until)
    done = db.session.execute(change.execution_options(synchronize_session=False, preserve_rowcount=True))
    return bool(done.rowcount == 1)  # type: ignore[attr-defined]


def give_up(endpoint_id: UUID, at: datetime) -> None:
    """Let nothing wait for an endpoint any more. What is being sent is settled by who sends it."""
    change = update(Delivery).where(Delivery.endpoint_id == endpoint_id, Delivery.state == PENDING, _free(at))
    change = change.values(state=FAILED, done_at=at, next_at=None, lease=None, lease_until=None)
    db.session.execute(change.execution_options(synchronize_session=False))


@dataclass(frozen=True)
class Latest:
    """Until when anything may wait: an event for its release, a delivery for its first try, and for another one."""

    release: datetime
    first: datetime
    another: datetime

    def is_passed(self) -> ColumnElement[bool]:
        too_long = or_(Delivery.attempts == 0, Delivery.next_at > self.another)
        return and_(Delivery.state == PENDING, Delivery.next_at > self.first, too_long)  # the range of an index

    def is_held_beyond(self) -> ColumnElement[bool]:
        return and_(Event.seq.is_(None), Event.not_before > self.release)


def any_beyond(latest: Latest) -> bool:
    """Whether a delivery, or an event, waits for longer. Two look-ups in small indexes."""
    late = select(Delivery.id).where(latest.is_passed()).limit(1)
    held = select(Event.id).where(latest.is_held_beyond()).limit(1)
    return any(db.session.scalar(one) is not None for one in (late, held))


def bring_back(at: datetime, latest: Latest) -> None:
    """Make due now what waits for longer."""
    late = update(Delivery).where(latest.is_passed()).values(next_at=at)
    held = update(Event).where(latest.is_held_beyond()).values(not_before=at)
    for change in (late, held):
        db.session.execute(change.execution_options(synchronize_session=False))


def leased(delivery_id: UUID, lease: UUID) -> Delivery | None:
    """A delivery under this lease that is not settled, locked."""
    one = select(Delivery).where(Delivery.id == delivery_id, Delivery.lease == lease, Delivery.state == PENDING)
    return db.session.scalar(one.with_for_update().execution_options(populate_existing=True))
