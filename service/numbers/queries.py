"""Questions of count and time: what waits for how long, and what was decided by whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, String, and_, cast, delete, func, literal_column, or_, select

from service.audit.models import AuditEntry
from service.comments.events import EVENT_OF
from service.comments.models import Comment, HoldReason
from service.comments.status import PENDING
from service.db import db, insert_if_new
from service.numbers.models import Flood, OverdueQueue
from service.sites.models import Site

_DECIDED = tuple(EVENT_OF.values())
_UNDONE = "comment.undone"
_BEGUN = func.substr(cast(AuditEntry.at, String), literal_column("1"), literal_column("13"))
"""Of a time as both databases write it (`2026-11-29 10:12:50…`, in UTC), the part that says the hour."""


@dataclass(frozen=True)
class Decided:
    """How many decisions were alike: by an actor in an hour, or on what was held for a reason."""

    action: str
    count: int = 1
    hour: datetime | None = None
    actor: str | None = None
    reason: str | None = None


def pending(site_ids: Sequence[UUID]) -> int:
    waiting = select(func.count()).where(Comment.site_id.in_(site_ids), Comment.status == PENDING)
    return db.session.scalar(waiting) or 0


def waiting() -> tuple[int, datetime | None]:
    """How many comments wait, on all sites, and since when the one does that waits the longest: one index is read."""
    rows = select(func.count(), func.min(Comment.waiting_since)).where(Comment.status == PENDING)
    number, oldest = db.session.execute(rows).one()
    return number, oldest


def waiting_since(site_ids: Sequence[UUID], rank: int) -> datetime | None:
    """Since when the comment waits that waits the `rank`-th longest: a walk along the index, with nothing sorted.

    The last of the first `rank` is the latest of them, which says without OFFSET how long the others wait.
    """
    waiting = select(Comment.waiting_since).where(Comment.site_id.in_(site_ids), Comment.status == PENDING)
    longest = waiting.order_by(Comment.waiting_since).limit(rank).subquery()
    found: datetime | None = db.session.scalar(select(func.max(longest.c.waiting_since)))
    return found


def by_hour_and_actor(site_ids: Sequence[UUID], since: datetime) -> list[Decided]:
    """What moderators, in person or by token, decided from a moment on, by the hour."""
    rows = _decisions(site_ids, since, AuditEntry.action, func.count(), _BEGUN, AuditEntry.actor)
    rows = rows.group_by(AuditEntry.action, _BEGUN, AuditEntry.actor)
    return [Decided(action, n, _hour(hour), actor) for action, n, hour, actor in db.session.execute(rows)]


def by_reason(site_ids: Sequence[UUID], since: datetime) -> list[Decided]:
    """What was decided on comments that were held for each reason. One held for two counts for both."""
    rows = _decisions(site_ids, since, AuditEntry.action, func.count(), HoldReason.code)
    rows = rows.join(HoldReason, HoldReason.comment_id == AuditEntry.subject_id)
    rows = rows.group_by(AuditEntry.action, HoldReason.code)
    return [Decided(action, n, reason=code) for action, n, code in db.session.execute(rows)]


def overturned(site_ids: Sequence[UUID], since: datetime) -> dict[UUID, list[Decided]]:
    """Each decision that was undone, or that a later one changed which stands: once for each reason, or without one.

    Few are, so they are looked for among the few comments of which there is more than one such entry.
    """
    several = _of_sites(select(AuditEntry.subject_id), site_ids, since).where(_is_decision(AuditEntry, _UNDONE))
    several = several.group_by(AuditEntry.subject_id).having(func.count() > 1)
    told = (AuditEntry.subject_id, AuditEntry.id, AuditEntry.action, _BEGUN, AuditEntry.actor, HoldReason.code)
    rows = _of_sites(select(*told).select_from(AuditEntry), site_ids, since)
    rows = rows.where(_is_decision(AuditEntry, _UNDONE), AuditEntry.subject_id.in_(several))
    rows = rows.outerjoin(HoldReason, HoldReason.comment_id == AuditEntry.subject_id)
    stories: dict[UUID, dict[UUID, list[Decided]]] = {}
    for comment_id, id_, action, hour, actor, code in db.session.execute(rows.order_by(AuditEntry.n)):
        story = stories.setdefault(comment_id, {})
        story.setdefault(id_, []).append(Decided(action, 1, _hour(hour), actor, code))
    return {id_: story[id_] for story in stories.values() for id_ in _changed(story)}


def _changed(story: dict[UUID, list[Decided]]) -> list[UUID]:
    """Of the decisions on a comment, in order, all but the last that stands: it is the one that an undo takes back."""
    standing: list[UUID] = []
    for id_, (one, *_) in story.items():
        if one.action != _UNDONE:
            standing.append(id_)
        elif standing:  # else what it undoes is older than the time asked about
            standing.pop()
    return [id_ for id_, (one, *_) in story.items() if one.action != _UNDONE and id_ not in standing[-1:]]


def _decisions(site_ids: Sequence[UUID], since: datetime, *told: Any) -> Select[Any]:
    return _of_sites(select(*told).select_from(AuditEntry), site_ids, since).where(_is_decision(AuditEntry))


def _of_sites(rows: Select[Any], site_ids: Sequence[UUID], since: datetime) -> Select[Any]:
    return rows.where(AuditEntry.chain.in_([str(one) for one in site_ids]), AuditEntry.at >= since)


def _is_decision(entry: Any, *more: str) -> Any:
    by_people = or_(entry.actor.startswith("moderator:"), entry.actor.startswith("token:"))
    return and_(entry.action.in_((*_DECIDED, *more)), by_people)


def _hour(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00+00:00")


def queues(site_ids: Sequence[UUID] | None = None) -> Sequence[tuple[Site, datetime | None]]:
    """Sites that have a target age (of some, or all), each with the comment that waits longest: since when."""
    oldest = select(func.min(Comment.waiting_since)).where(Comment.site_id == Site.id, Comment.status == PENDING)
    rows = select(Site, oldest.scalar_subquery()).where(Site.target_age_minutes.is_not(None)).order_by(Site.key)
    if site_ids is not None:
        rows = rows.where(Site.id.in_(site_ids))
    return [(site, since) for site, since in db.session.execute(rows)]


def note_overdue(site_id: UUID, since: datetime) -> bool:
    """Note that a queue is overdue; False when that was noted before, also in another transaction."""
    return insert_if_new(OverdueQueue, {"site_id": site_id, "since": since})


def forget_overdue(but: Sequence[UUID]) -> None:
    """Forget of every queue but these that it was overdue."""
    db.session.execute(delete(OverdueQueue).where(OverdueQueue.site_id.not_in(but)))


def arrived(since: datetime, least: int) -> list[tuple[Site, int]]:
    """Sites that got so many comments since a moment, or more."""
    of_each = select(func.count()).where(Comment.site_id == Site.id, Comment.created_at >= since)
    number = of_each.scalar_subquery()  # of each site by itself, since that is how comments are indexed
    return [(site, n) for site, n in db.session.execute(select(Site, number).where(number >= least))]


def arrived_at(site_id: UUID, since: datetime, until: datetime) -> int:
    """How many comments a site got in a time."""
    rows = select(func.count()).select_from(Comment).where(Comment.site_id == site_id)
    return db.session.scalar(rows.where(Comment.created_at >= since, Comment.created_at < until)) or 0


def note_flood(site_id: UUID, since: datetime) -> bool:
    """Note that a site is flooded; False when that was noted before, also in another transaction."""
    return insert_if_new(Flood, {"site_id": site_id, "since": since})


def forget_floods(but: Sequence[UUID]) -> None:
    """Forget of every site but these that it was flooded."""
    db.session.execute(delete(Flood).where(Flood.site_id.not_in(but)))


def sizes(site_ids: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    """How many comments each site has in each state."""
    rows = select(Comment.site_id, Comment.status, func.count()).where(Comment.site_id.in_(site_ids))
    found: dict[UUID, dict[str, int]] = {site_id: {} for site_id in site_ids}
    for site_id, status, number in db.session.execute(rows.group_by(Comment.site_id, Comment.status)):
        found[site_id][status] = number
    return found
