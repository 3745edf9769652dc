"""Announce a change in its own transaction, with a delivery to whoever wants it; release what is due, in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from service.db import db, insert_rows, new_id, now
from service.prompts import prompt_after_commit
from service.webhooks import queries
from service.webhooks.models import Delivery, Event
from service.webhooks.turns import queries as turns

EVENT_TYPES = (
    "comment.created", "comment.approved", "comment.rejected", "comment.spam", "comment.deleted", "comment.restored",
    "comment.edited", "comment.flagged", "comment.erased", "thread.opened", "thread.closed",
    "queue.overdue", "flood.started", "endpoint.disabled", "ping",
)  # fmt: skip
RELEASE = "webhooks.release"
"""What a worker is prompted to do when an event is due at once."""
_BATCH = 1_000


@dataclass(frozen=True)
class Manner:
    """How an event is told. `email`: sealed, of the author it is about. `only`: to this endpoint and no other.

    `is_first`: nothing can have been announced of its subject before, since that has just come into being.
    """

    not_before: datetime | None = None
    email: bytes | None = None
    only: UUID | None = None
    is_first: bool = False


AT_ONCE = Manner()


def announce(type_: str, site_id: UUID, subject_id: UUID, data: dict[str, Any], manner: Manner = AT_ONCE) -> UUID:
    """Write an event row, and one for each endpoint it goes to; its id. It shows to nobody before `not_before`.

    Nor before what was announced of the same subject earlier and is held back: the last one told is the last one.
    """
    assert type_ in EVENT_TYPES, type_
    moment = now()
    held_back = None if manner.is_first else queries.held_back_until(subject_id)
    due = max(manner.not_before or moment, held_back or moment)
    wanted = [(manner.only, False)] if manner.only else queries.subscribed(site_id, type_)
    event = {
        "id": new_id(), "site_id": site_id, "subject_id": subject_id, "type": type_, "data": data,
        "created_at": moment, "not_before": due,
        "email_sealed": manner.email if any(with_email for _, with_email in wanted) else None,
    }  # fmt: skip
    insert_rows(Event, [event])
    insert_rows(Delivery, [{"event_id": event["id"], "endpoint_id": one} for one, _ in wanted])
    if wanted and due <= moment:
        prompt_after_commit(RELEASE)
    return cast("UUID", event["id"])


def envelope(event: Event) -> dict[str, Any]:
    """What is told of an event (Standard Webhooks 1.0.0): its type, its time (RFC 3339), its data."""
    at = event.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"type": event.type, "timestamp": at, "data": event.data}


def withdraw(event_id: UUID) -> bool:
    """Take back an event that nobody has seen yet; whether there was still time."""
    return queries.drop_unreleased(event_id)


def any_since(event_id: UUID, subject_id: UUID) -> bool:
    """Whether anything was announced of a subject after an event, which may have been taken back."""
    return queries.any_after(event_id, subject_id)


def rewrite(subject_ids: Sequence[UUID], anew: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Put `anew(data)` in the place of what was announced of some subjects, released or not; no address is left."""
    for event in queries.about(subject_ids):
        event.data, event.email_sealed = anew(event.data), None
    db.session.flush()
    queries.forget_answers(subject_ids)


def forget_addresses(subject_ids: Sequence[UUID]) -> None:
    """Keep no address any longer than the comment that it came with."""
    queries.forget_addresses(subject_ids)
    queries.forget_answers(subject_ids)


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
        queries.set_seqs({event_id: seq for seq, event_id in enumerate(batch, head.seq + 1)})
        head.seq += len(batch)
        db.session.flush()
        turns.set_due(batch, now())
        given += len(batch)
    return given
