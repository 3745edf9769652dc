"""The queue and every other list of moderators."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select, tuple_
from sqlalchemy.orm import joinedload, selectinload

from service.comments.models import Comment, CommentRevision, HoldReason
from service.comments.queries import with_words
from service.db import db
from service.moderation.models import BulkDecision
from service.pagination import Page as Rows
from service.pagination import Position, page_of
from service.sites.queries import is_of


@dataclass(frozen=True)
class Filter:
    """Which comments: of these sites, and what else must hold."""

    site_ids: Sequence[UUID]
    status: str | None = None
    page_id: UUID | None = None
    q: str | None = None
    reason: str | None = None


def _matching(rows: Select[Any], wanted: Filter) -> Select[Any]:
    rows = rows.where(Comment.site_id.in_(wanted.site_ids))
    if wanted.status:
        rows = rows.where(Comment.status == wanted.status)
    if wanted.page_id:
        rows = rows.where(Comment.page_id == wanted.page_id)
    if wanted.q:
        rows = rows.where(with_words(wanted.q))
    if wanted.reason:
        held = select(HoldReason.comment_id).where(HoldReason.code == wanted.reason)
        rows = rows.where(Comment.id.in_(held))
    return rows


def listed(wanted: Filter, *, sort: str, after: Position | None, limit: int) -> Rows[Comment]:
    """Comments of some sites: oldest, newest or riskiest first, keyset-paged."""
    rows = _matching(select(Comment), wanted).options(
        joinedload(Comment.page), joinedload(Comment.site), joinedload(Comment.author), selectinload(Comment.parent)
    )
    time = tuple_(Comment.created_at, Comment.id)
    if sort == "newest":
        rows = rows.order_by(Comment.created_at.desc(), Comment.id.desc())
        past = time < (after.at, after.id) if after else None
    elif sort == "risk":
        rows = rows.order_by(Comment.risk.desc(), Comment.created_at, Comment.id)
        same = and_(Comment.risk == after.rank, time > (after.at, after.id)) if after else None
        past = or_(Comment.risk < after.rank, same) if after and same is not None else None
    else:
        rows = rows.order_by(Comment.created_at, Comment.id)
        past = time > (after.at, after.id) if after else None
    if past is not None:
        rows = rows.where(past)
    found = db.session.scalars(rows.limit(limit + 1)).all()
    return page_of(found, limit, lambda one: Position(one.created_at, one.id, one.risk))


def count(wanted: Filter) -> int:
    """How many comments a filter matches."""
    return db.session.scalar(_matching(select(func.count()).select_from(Comment), wanted)) or 0


def ids(wanted: Filter, *, until: datetime, limit: int) -> list[UUID]:
    """The oldest comments that a filter matches and that were there at a moment."""
    rows = _matching(select(Comment.id), wanted).where(Comment.received_at <= until)
    return list(db.session.scalars(rows.order_by(Comment.created_at, Comment.id).limit(limit)))


def in_lock_order(ids_: Sequence[UUID], sites: Collection[UUID] | None) -> list[UUID]:
    """Those of some sites, in the order in which everybody locks: page by page, so that two bulks cannot cross."""
    rows = select(Comment.id).where(Comment.id.in_(ids_), is_of(Comment.site_id, sites))
    return list(db.session.scalars(rows.order_by(Comment.page_id, Comment.id)))


def revisions(comment_id: UUID) -> Sequence[CommentRevision]:
    rows = select(CommentRevision).where(CommentRevision.comment_id == comment_id)
    return db.session.scalars(rows.order_by(CommentRevision.created_at, CommentRevision.id)).all()


def record_of(comment: Comment) -> dict[str, Any]:
    """What is known of a comment's person on this site: by address where there is one, else by token."""
    same = Comment.email_index == comment.email_index if comment.email_index else Comment.author_id == comment.author_id
    rows = select(Comment.status, func.count(), func.min(Comment.created_at)).where(
        Comment.site_id == comment.site_id, same
    )
    found = db.session.execute(rows.group_by(Comment.status)).all()
    counts = {status: number for status, number, _ in found}
    return {
        "comments": sum(counts.values()),
        "approved": counts.get("approved", 0),
        "rejected": counts.get("rejected", 0) + counts.get("spam", 0),
        "first_seen": min(first for _, _, first in found),
    }


def sizes(site_ids: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    """How many comments each site has in each state."""
    rows = select(Comment.site_id, Comment.status, func.count()).where(Comment.site_id.in_(site_ids))
    found: dict[UUID, dict[str, int]] = {site_id: {} for site_id in site_ids}
    for site_id, status, number in db.session.execute(rows.group_by(Comment.site_id, Comment.status)):
        found[site_id][status] = number
    return found


def oldest_pending(site_ids: Sequence[UUID]) -> datetime | None:
    waiting = select(func.min(Comment.created_at)).where(Comment.site_id.in_(site_ids), Comment.status == "pending")
    return db.session.scalar(waiting)


def bulk(bulk_id: UUID, moderator_id: UUID) -> BulkDecision | None:
    """A bulk decision of somebody's own."""
    own = select(BulkDecision).where(BulkDecision.id == bulk_id, BulkDecision.moderator_id == moderator_id)
    return db.session.scalar(own)


def next_bulk() -> BulkDecision | None:
    """The oldest unfinished bulk decision, locked; another worker's is skipped."""
    rows = select(BulkDecision).where(BulkDecision.state == "working").order_by(BulkDecision.created_at)
    return db.session.scalar(rows.limit(1).with_for_update(skip_locked=True))
