"""Announce a change in its own transaction; release what is due, in order, one releaser at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from service.db import db, new_id, now
from service.webhooks import queries
from service.webhooks.models import Event

EVENT_TYPES = (
    "comment.created", "comment.approved", "comment.rejected", "comment.spam", "comment.deleted", "comment.restored",
    "comment.edited", "comment.flagged", "comment.erased", "thread.opened", "thread.closed",
    "queue.overdue",
)  # fmt: skip
_BATCH = 1_000


def announce(
    type_: str, site_id: UUID, subject_id: UUID, data: dict[str, Any], *, not_before: datetime | None = None
) -> Event:
    """Write an event row. It shows to nobody before `not_before` (default: at once).

    Nor before what was announced of the same subject earlier and is held back: the last one told is the last one.
    """
    assert type_ in EVENT_TYPES, type_
    moment = now()
    due = max(not_before or moment, queries.held_back_until(subject_id) or moment)
    event = Event(
        id=new_id(), site_id=site_id, subject_id=subject_id, type=type_, data=data, created_at=moment, not_before=due
    )
    db.session.add(event)
    return event


def withdraw(event_id: UUID) -> bool:
    """Take back an event that nobody has seen yet; whether there was still time."""
    return queries.drop_unreleased(event_id)


def any_since(event_id: UUID, subject_id: UUID) -> bool:
    """Whether anything was announced of a subject after an event, which may have been taken back."""
    return queries.any_after(event_id, subject_id)


def rewrite(subject_ids: Sequence[UUID], anew: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Put `anew(data)` in the place of what was announced of some subjects, released or not."""
    for event in queries.about(subject_ids):
        event.data = anew(event.data)
    db.session.flush()


def any_due() -> bool:
    """Whether an event waits to be released. Takes no lock."""
    return queries.any_due(now())


def release_due(*, wait: bool = True) -> int:
    """Give `seq` to every due event; how many. Call in a transaction of its own. Busy when it may not `wait`.

    The lock on the head is held until the commit, so a `seq` is seen only when every smaller one is: a cursor
    over `seq` can skip nothing, in whatever order the announcing transactions commit.
    """
    if not any_due():
        return 0
    head = queries.locked_head(wait=wait)
    given = 0
    while batch := queries.due(now(), _BATCH):
        for event in batch:
            head.seq += 1
            event.seq = head.seq
        db.session.flush()
        given += len(batch)
    return given
