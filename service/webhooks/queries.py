"""Questions to the outbox, and about what is on its way to whom."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    String,
    and_,
    bindparam,
    case,
    cast,
    delete,
    exists,
    func,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.orm import contains_eager, joinedload

from service.db import db, insert_if_new, insert_rows, now, run, table_of
from service.pagination import Page as Rows
from service.pagination import Position, page_of
from service.webhooks.models import Attempt, Delivery, Endpoint, Event, EventHead
from service.webhooks.policy import DELIVERED, PENDING, PING

_EVENTS, _ENDPOINTS = table_of(Event).c, table_of(Endpoint).c
_SET_SEQ = update(table_of(Event)).where(_EVENTS.id == bindparam("of"))
# Not `WHERE seq IS NULL`: SQLite would go through all that is unreleased rather than through those of the subject.
_HELD_BACK = select(func.max(case((_EVENTS.seq.is_(None), _EVENTS.not_before)))).where(
    _EVENTS.subject_id == bindparam("subject")
)
_SUBSCRIBED = (
    select(_ENDPOINTS.id, _ENDPOINTS.include_email, _ENDPOINTS.events)
    .where(_ENDPOINTS.site_id == bindparam("site"), _ENDPOINTS.disabled_at.is_(None))
    .order_by(_ENDPOINTS.id)
    # Held until the commit: one that is being removed drops out, and none is removed from under its delivery.
    .with_for_update(read=True, key_share=True)
)


def locked_head(*, wait: bool = True) -> EventHead:
    """The releaser's row, locked until the commit. Without `wait`, Busy while another one has it."""
    insert_if_new(EventHead, {"id": 1, "seq": 0})
    head = select(EventHead).where(EventHead.id == 1).with_for_update(nowait=not wait)
    return db.session.scalars(head.execution_options(populate_existing=True)).one()


def any_due(at: datetime) -> bool:
    """Whether an unreleased event is due: one look-up in a small index."""
    due = select(Event.id).where(Event.seq.is_(None), Event.not_before <= at).limit(1)
    return db.session.scalar(due) is not None


def unreleased() -> tuple[int, datetime | None]:
    """How many events are unreleased, and when the first of them was, or is, due: few are, found by an index."""
    rows = select(func.count(), func.min(Event.not_before)).where(Event.seq.is_(None))
    number, oldest = db.session.execute(rows).one()
    return number, oldest


def due(at: datetime, limit: int) -> Sequence[UUID]:
    """Unreleased events that are due, oldest first, locked; one that somebody is taking back is passed over."""
    rows = select(_EVENTS.id).where(_EVENTS.seq.is_(None), _EVENTS.not_before <= at).with_for_update(skip_locked=True)
    return run(rows.order_by(_EVENTS.not_before, _EVENTS.id).limit(limit)).scalars().all()


def set_seqs(seqs: Mapping[UUID, int]) -> None:
    """Give events their places."""
    db.session.execute(_SET_SEQ, [{"of": event_id, "seq": seq} for event_id, seq in seqs.items()])


def drop_unreleased(event_id: UUID) -> bool:
    """Delete an event unless it has a `seq`; whether it had none."""
    gone = delete(Event).where(Event.id == event_id, Event.seq.is_(None))
    done = db.session.execute(gone.execution_options(synchronize_session=False, preserve_rowcount=True))
    return bool(done.rowcount == 1)  # type: ignore[attr-defined]


def held_back_until(subject_id: UUID) -> datetime | None:
    """When the last unreleased event about a subject is due; None when there is none."""
    return run(_HELD_BACK, subject=subject_id).scalar()


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


# Endpoints


def subscribed(site_id: UUID, type_: str) -> list[tuple[UUID, bool]]:
    """The endpoints of a site that want events of a type now, and whether with addresses."""
    found = run(_SUBSCRIBED, site=site_id)
    return [(one, with_email) for one, with_email, types in found if not types or type_ in types]


def _is_of(sites: Collection[UUID] | None) -> ColumnElement[bool]:
    """Asked together with the row: what is another site's takes as long as what is not there. None: of any."""
    return true() if sites is None else Endpoint.site_id.in_(list(sites))


def endpoint(endpoint_id: UUID, sites: Collection[UUID] | None) -> Endpoint | None:
    """An endpoint of one of these sites."""
    one = select(Endpoint).where(Endpoint.id == endpoint_id, _is_of(sites))
    return db.session.scalar(one.execution_options(populate_existing=True))


def locked_endpoint(endpoint_id: UUID, sites: Collection[UUID] | None = None) -> Endpoint | None:
    """Locked against another change; new deliveries to it stand in nobody's way."""
    one = select(Endpoint).where(Endpoint.id == endpoint_id, _is_of(sites)).with_for_update(key_share=True)
    return db.session.scalar(one.execution_options(populate_existing=True))


def count_endpoints(site_id: UUID) -> int:
    return db.session.scalar(select(func.count()).where(Endpoint.site_id == site_id)) or 0


def endpoints(site_ids: Sequence[UUID], after: Position | None, limit: int) -> Rows[Endpoint]:
    """The endpoints of some sites, the newest first, keyset-paged."""
    rows = select(Endpoint).where(Endpoint.site_id.in_(site_ids))
    if after:
        rows = rows.where(tuple_(Endpoint.created_at, Endpoint.id) < (after.at, after.id))
    found = db.session.scalars(rows.order_by(Endpoint.created_at.desc(), Endpoint.id.desc()).limit(limit + 1)).all()
    return page_of(found, limit, lambda one: Position(one.created_at, one.id))


def disabled(site_ids: Sequence[UUID], limit: int) -> Sequence[Endpoint]:
    """The endpoints of some sites that are given up, the last one first."""
    rows = select(Endpoint).where(Endpoint.site_id.in_(site_ids), Endpoint.disabled_at.is_not(None))
    return db.session.scalars(rows.order_by(Endpoint.disabled_at.desc(), Endpoint.id.desc()).limit(limit)).all()


def with_secrets() -> Sequence[Endpoint]:
    """Every endpoint, locked, for its secrets to be sealed anew."""
    return db.session.scalars(select(Endpoint).order_by(Endpoint.id).with_for_update(key_share=True)).all()


def events_with_address(after: UUID | None, limit: int) -> Sequence[Event]:
    """Events after an id that hold an address, locked."""
    rows = select(Event).where(Event.email_sealed.is_not(None)).with_for_update()
    if after:
        rows = rows.where(Event.id > after)
    return db.session.scalars(rows.order_by(Event.id).limit(limit)).all()


def health(endpoint_ids: Sequence[UUID], since: datetime) -> Sequence[Row[UUID, str, str, int]]:
    """How many deliveries of some endpoints were done since, by endpoint, day (UTC, ISO) and state."""
    day = func.substr(cast(Delivery.done_at, String), 1, 10)
    rows = select(Delivery.endpoint_id, day, Delivery.state, func.count())
    rows = rows.where(Delivery.endpoint_id.in_(endpoint_ids), Delivery.done_at >= since)
    return db.session.execute(rows.group_by(Delivery.endpoint_id, day, Delivery.state)).all()


# Deliveries


def delivery(delivery_id: UUID, sites: Collection[UUID] | None = None) -> Delivery | None:
    """With its event and its endpoint, which is of one of these sites."""
    one = select(Delivery).join(Delivery.endpoint).where(Delivery.id == delivery_id, _is_of(sites))
    whole = one.options(joinedload(Delivery.event), joinedload(Delivery.endpoint))
    return db.session.scalar(whole.execution_options(populate_existing=True))


def deliveries(endpoint_id: UUID, state: str | None, after: UUID | None, limit: int) -> Sequence[Delivery]:
    """What is, or was, on its way to an endpoint, the newest first; one more than `limit` if there are.

    Not what may still be undone.
    """
    rows = select(Delivery).join(Delivery.event).where(Delivery.endpoint_id == endpoint_id, Event.not_before <= now())
    rows = rows.options(contains_eager(Delivery.event))
    if state:
        rows = rows.where(Delivery.state == state)
    if after:
        rows = rows.where(Delivery.id < after)
    return db.session.scalars(rows.order_by(Delivery.id.desc()).limit(limit + 1)).all()


def backlog(at: datetime) -> tuple[int, datetime | None]:
    """How many deliveries are on their way, and since when the first is due to a receiver that does not fail."""
    late = case((and_(Endpoint.failing_since.is_(None), Delivery.next_at <= at), Delivery.next_at))
    rows = select(func.count(), func.min(late)).join(Delivery.endpoint).where(Delivery.state == PENDING)
    number, oldest = db.session.execute(rows).one()
    return number, oldest


def attempts(delivery_ids: Sequence[UUID]) -> Sequence[Attempt]:
    """Every try of some deliveries, the oldest first."""
    rows = select(Attempt).where(Attempt.delivery_id.in_(delivery_ids))
    return db.session.scalars(rows.order_by(Attempt.id)).all()


def is_written_down(attempt_id: UUID) -> bool:
    return db.session.scalar(select(Attempt.id).where(Attempt.id == attempt_id)) is not None


def is_on_its_way(endpoint_id: UUID, event_id: UUID) -> bool:
    """Whether an event waits for its turn with an endpoint."""
    one = select(Delivery.id).where(
        Delivery.event_id == event_id, Delivery.endpoint_id == endpoint_id, Delivery.state == PENDING
    )
    return db.session.scalar(one.limit(1)) is not None


def has_failed_between(endpoint_id: UUID, since: datetime, until: datetime) -> bool:
    """Whether anything was tried then: of an endpoint that is failing, every try failed."""
    one = select(Attempt.id).where(Attempt.endpoint_id == endpoint_id, Attempt.at.between(since, until))
    return db.session.scalar(one.limit(1)) is not None


def is_released(event_id: UUID) -> bool:
    """Whether an event has its `seq`. Held until the commit: who gives it, or takes it back, comes before or after."""
    seq = select(_EVENTS.seq).where(_EVENTS.id == event_id).with_for_update(read=True, key_share=True)
    return run(seq).scalar() is not None


def unheard(one: Endpoint, since: datetime, after: int, limit: int) -> Sequence[Row[UUID, int | None]]:
    """Released events since a time, after a `seq`, that an endpoint neither has nor is about to get, in order.

    Each by its id and `seq`. No tests.
    """
    rows = _unheard(one, since).where(Event.seq > after)
    return db.session.execute(rows.order_by(Event.seq).limit(limit)).all()


def unheard_unreleased(one: Endpoint, since: datetime, limit: int) -> Sequence[UUID]:
    """The same of events that have no `seq` yet, held until the commit. One that gets it meanwhile drops out."""
    rows = _unheard(one, since).where(Event.seq.is_(None)).with_for_update(read=True, key_share=True)
    return db.session.scalars(rows.order_by(Event.not_before, Event.id).limit(limit)).all()


def _unheard(one: Endpoint, since: datetime) -> Select[UUID, int | None]:
    heard = exists().where(
        Delivery.event_id == Event.id, Delivery.endpoint_id == one.id, Delivery.state.in_((PENDING, DELIVERED))
    )
    rows = select(Event.id, Event.seq).where(Event.site_id == one.site_id, Event.created_at >= since)
    rows = rows.where(~heard, Event.type != PING)
    return rows.where(Event.type.in_(one.events)) if one.events else rows


def add_replays(endpoint_id: UUID, event_ids: Sequence[UUID], at: datetime | None) -> None:
    """Have events sent to an endpoint again; without a time, once they are released."""
    replay = {"endpoint_id": endpoint_id, "is_replay": True, "next_at": at}
    insert_rows(Delivery, [replay | {"event_id": one} for one in event_ids])


def forget_addresses(subject_ids: Sequence[UUID]) -> None:
    """Take the addresses off the events about some subjects."""
    change = update(Event).where(Event.subject_id.in_(subject_ids), Event.email_sealed.is_not(None))
    db.session.execute(change.values(email_sealed=None).execution_options(synchronize_session=False))


def forget_answers(subject_ids: Sequence[UUID]) -> None:
    """Keep nothing of what receivers answered to events about some subjects: it may hold what they were sent."""
    events = select(Event.id).where(Event.subject_id.in_(subject_ids))
    sent = select(Delivery.id).where(Delivery.event_id.in_(events))
    change = update(Attempt).where(Attempt.delivery_id.in_(sent), Attempt.excerpt != "").values(excerpt="")
    db.session.execute(change.execution_options(synchronize_session=False))


def forget_secrets(before: datetime) -> None:
    """Forget secrets that another one took the place of, once they sign no more."""
    change = update(Endpoint).where(Endpoint.old_secret_until < before)
    change = change.values(old_secret_sealed=None, old_secret_until=None)
    db.session.execute(change.execution_options(synchronize_session=False))


def forget_done(before: datetime, limit: int) -> int:
    """Forget deliveries that were done before a time, with their tries; how many."""
    old = select(Delivery.id).where(Delivery.done_at < before).limit(limit)
    gone = delete(Delivery).where(Delivery.id.in_(old))
    done = db.session.execute(gone.execution_options(synchronize_session=False, preserve_rowcount=True))
    return int(done.rowcount)  # type: ignore[attr-defined]
