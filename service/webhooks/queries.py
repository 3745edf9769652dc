"""Questions to the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select

from service.db import db, insert_if_new
from service.webhooks.models import Event, EventHead


def locked_head(*, wait: bool = True) -> EventHead:
    """The releaser's row, locked until the commit. Without `wait`, Busy while another one has it."""
    insert_if_new(EventHead, {"id": 1, "seq": 0})
    head = select(EventHead).where(EventHead.id == 1).with_for_update(nowait=not wait)
    return db.session.scalars(head.execution_options(populate_existing=True)).one()


def any_due(at: datetime) -> bool:
    """Whether an unreleased event is due: one look-up in a small index."""
    due = select(Event.id).where(Event.seq.is_(None), Event.not_before <= at).limit(1)
    return db.session.scalar(due) is not None


def due(at: datetime, limit: int) -> Sequence[Event]:
    """Unreleased events that are due, oldest first, locked; one that somebody is taking back is passed over."""
    rows = select(Event).where(Event.seq.is_(None), Event.not_before <= at).with_for_update(skip_locked=True)
    return db.session.scalars(rows.order_by(Event.not_before, Event.id).limit(limit)).all()


def drop_unreleased(event_id: UUID) -> bool:
    """Delete an event unless it has a `seq`; whether it had none."""
    gone = delete(Event).where(Event.id == event_id, Event.seq.is_(None))
    done = db.session.execute(gone.execution_options(synchronize_session=False, preserve_rowcount=True))
    return bool(done.rowcount == 1)  # type: ignore[attr-defined]


def held_back_until(subject_id: UUID) -> datetime | None:
    """When the last unreleased event about a subject is due; None when there is none."""
    rows = select(func.max(Event.not_before)).where(Event.subject_id == subject_id, Event.seq.is_(None))
    return db.session.scalar(rows)


def any_after(event_id: UUID, subject_id: UUID) -> bool:
    """Whether an event about a subject was written after another one."""
    later = select(Event.id).where(Event.subject_id == subject_id, Event.id > event_id).limit(1)
    return db.session.scalar(later) is not None


def about(subject_ids: Sequence[UUID]) -> Sequence[Event]:
    """Every event about some subjects, released or not."""
    return db.session.scalars(select(Event).where(Event.subject_id.in_(subject_ids))).all()


def released(site_ids: Sequence[UUID], *, after: int, types: Sequence[str], limit: int) -> Sequence[Event]:
    """Released events of some sites after a `seq`, in order."""
    rows = select(Event).where(Event.seq > after, Event.site_id.in_(site_ids))
    if types:
        rows = rows.where(Event.type.in_(types))
    return db.session.scalars(rows.order_by(Event.seq).limit(limit)).all()
