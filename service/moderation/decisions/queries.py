"""Decisions on many comments, and what it takes to undo one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, delete, select

from service.astext import IdText, as_text
from service.comments.models import Comment, UndoEntry
from service.db import db, run, table_of
from service.moderation.models import BulkDecision
from service.sites.queries import is_of

_OF: Any = bindparam("ids", expanding=True, type_=IdText())
_DECIDED_LAST = and_(Comment.id == UndoEntry.comment_id, Comment.decision_id == UndoEntry.decision_id)
_UNDOABLE = (
    select(as_text(table_of(UndoEntry).c.comment_id))
    .join(Comment, _DECIDED_LAST)
    .where(UndoEntry.comment_id.in_(_OF), UndoEntry.undone_at.is_(None))
)


def bulk(bulk_id: UUID, moderator_id: UUID) -> BulkDecision | None:
    """A bulk decision of somebody's own."""
    whose = BulkDecision.moderator_id == moderator_id
    return db.session.scalar(select(BulkDecision).where(BulkDecision.id == bulk_id, whose))


def locked_bulk(bulk_id: UUID) -> BulkDecision | None:
    """A bulk decision as it is now, locked: its worker waits until the commit."""
    row = select(BulkDecision).where(BulkDecision.id == bulk_id).with_for_update()
    return db.session.scalar(row.execution_options(populate_existing=True))


def next_bulk(without: Collection[UUID]) -> BulkDecision | None:
    """The oldest unfinished bulk decision but some, locked; another worker's is skipped."""
    rows = select(BulkDecision).where(BulkDecision.state == "working", BulkDecision.id.not_in(without))
    return db.session.scalar(rows.order_by(BulkDecision.created_at).limit(1).with_for_update(skip_locked=True))


def decided_by(decision_id: UUID, sites: Collection[UUID] | None, *, limit: int, standing: bool = False) -> list[UUID]:
    """Comments of some sites that a decision changed. `standing`: only those for which it was not undone."""
    rows = select(UndoEntry.comment_id).join(Comment, Comment.id == UndoEntry.comment_id)
    rows = rows.where(UndoEntry.decision_id == decision_id, is_of(Comment.site_id, sites))
    if standing:
        rows = rows.where(UndoEntry.undone_at.is_(None))
    return list(db.session.scalars(rows.order_by(UndoEntry.comment_id).limit(limit)))


def sites_decided(decision_id: UUID) -> set[UUID]:
    """The sites of the comments that a decision changed."""
    rows = select(Comment.site_id).join(UndoEntry, UndoEntry.comment_id == Comment.id)
    return set(db.session.scalars(rows.where(UndoEntry.decision_id == decision_id).distinct()))


def sites_of(comment_ids: Sequence[UUID]) -> set[UUID]:
    return set(db.session.scalars(select(Comment.site_id).where(Comment.id.in_(comment_ids)).distinct()))


def undo_entry(decision_id: UUID, comment_id: UUID) -> UndoEntry | None:
    """What a decision took the place of. Read with its comment locked: nobody else changes it meanwhile."""
    found = select(UndoEntry).where(UndoEntry.decision_id == decision_id, UndoEntry.comment_id == comment_id)
    return db.session.scalar(found.execution_options(populate_existing=True))


def undoable(comment_ids: Sequence[str]) -> set[str]:
    """Those of some comments of which the last decision can still be undone."""
    return set(run(_UNDOABLE, ids=comment_ids).scalars()) if comment_ids else set()


def written_with(decision_id: UUID, comment_id: UUID) -> list[UUID]:
    """Replies to a comment that were written with a decision on it, as long as nobody has decided on them since."""
    rows = select(UndoEntry.comment_id).join(Comment, Comment.id == UndoEntry.comment_id)
    rows = rows.where(UndoEntry.decision_id == decision_id, UndoEntry.undone_at.is_(None))
    rows = rows.where(Comment.parent_id == comment_id, Comment.decided_at.is_(None), Comment.erased_at.is_(None))
    return list(db.session.scalars(rows))


def forget_undo(before: datetime, limit: int) -> int:
    """Delete up to `limit` entries older than a moment; how many."""
    old = select(UndoEntry.decision_id).where(UndoEntry.created_at < before).limit(limit)
    gone = delete(UndoEntry).where(UndoEntry.decision_id.in_(old), UndoEntry.created_at < before)
    return int(db.session.execute(gone).rowcount)  # type: ignore[attr-defined]
