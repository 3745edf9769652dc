"""Questions about what one author wrote, and the statements that erase it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, delete, false, func, select, text, tuple_, update
from sqlalchemy.orm import joinedload

from service.comments.models import Author, Comment, CommentRevision, HoldReason, UndoEntry
from service.db import db
from service.pagination import Page as Rows
from service.pagination import Position, page_of
from service.sites.models import Page, Site

HELD, REFUSED = "held", "refused"
MOST_TOLD = 20
"""Names, and networks, of one person that moderators see."""


def holder(digest: bytes) -> tuple[Author, Site] | None:
    """The author with a token, and their site."""
    rows = select(Author, Site).join(Site, Site.id == Author.site_id).where(Author.token_digest == digest)
    found = db.session.execute(rows).first()
    return (found[0], found[1]) if found else None


def locked(author_id: UUID) -> Author | None:
    """An author as they are now, locked: comments under their token wait until the commit."""
    row = select(Author).where(Author.id == author_id).with_for_update()
    return db.session.scalar(row.execution_options(populate_existing=True))


def written_by(author_id: UUID, *, after: Position | None, limit: int) -> Rows[Comment]:
    """What an author wrote, the newest first, keyset-paged."""
    rows = select(Comment).where(Comment.author_id == author_id)
    if after:
        rows = rows.where(tuple_(Comment.created_at, Comment.id) < (after.at, after.id))
    rows = rows.order_by(Comment.created_at.desc(), Comment.id.desc()).options(
        joinedload(Comment.page).joinedload(Page.site)
    )
    found = db.session.scalars(rows.limit(limit + 1)).all()
    return page_of(found, limit, lambda one: Position(one.created_at, one.id))


def is_by(author_id: UUID, comment_id: UUID) -> bool:
    own = select(Comment.id).where(Comment.id == comment_id, Comment.author_id == author_id)
    return db.session.scalar(own) is not None


def ids_of(author_id: UUID) -> Sequence[UUID]:
    """Every comment of an author, in the order in which everybody locks."""
    rows = select(Comment.id).where(Comment.author_id == author_id)
    return db.session.scalars(rows.order_by(Comment.page_id, Comment.id)).all()


def names_of(theirs: Any) -> Sequence[str]:
    """The names under which comments were written that a condition matches, the latest first."""
    rows = select(Comment.name).where(theirs, Comment.name != "").group_by(Comment.name)
    return db.session.scalars(rows.order_by(func.max(Comment.created_at).desc()).limit(MOST_TOLD)).all()


def names_by_id(comment_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Under which name each of some comments was written, as far as they are there and not erased."""
    rows = select(Comment.id, Comment.name).where(Comment.id.in_(comment_ids), Comment.erased_at.is_(None))
    return dict(db.session.execute(rows).all())


def networks_of(theirs: Any) -> list[str]:
    """The labels of the networks from which they came, the latest first."""
    label = Comment.network_label
    rows = select(label).where(theirs, label.is_not(None)).group_by(label)
    found = db.session.scalars(rows.order_by(func.max(Comment.created_at).desc()).limit(MOST_TOLD))
    return [one for one in found if one]


def record_of(theirs: Any) -> tuple[dict[str, int], datetime, datetime]:
    """How many of them are in each state, and when the first and the last were written. There is one at least."""
    rows = select(Comment.status, func.count(), func.min(Comment.created_at), func.max(Comment.created_at))
    found = db.session.execute(rows.where(theirs).group_by(Comment.status)).all()
    counts = {status: number for status, number, _, _ in found}
    return counts, min(first for _, _, first, _ in found), max(last for _, _, _, last in found)


def unpublished(comment_ids: Sequence[UUID]) -> dict[UUID, CommentRevision]:
    """The newest revision of each comment that was never published."""
    rows = select(CommentRevision).where(
        CommentRevision.comment_id.in_(comment_ids), CommentRevision.state.in_((HELD, REFUSED))
    )
    found = db.session.scalars(rows.order_by(CommentRevision.created_at, CommentRevision.id))
    return {one.comment_id: one for one in found}


def held(comment_id: UUID) -> CommentRevision | None:
    """The change of a comment that waits for a moderator."""
    row = select(CommentRevision).where(CommentRevision.comment_id == comment_id, CommentRevision.state == HELD)
    return db.session.scalar(row)


def drop_held(comment_id: UUID) -> bool:
    """Delete the change that waits; whether there was one."""
    waiting = held(comment_id)
    if waiting is None:
        return False
    db.session.delete(waiting)
    db.session.flush()
    return True


def stop_mail(comment_id: UUID) -> None:
    """Take the wish for mail off a comment without touching its version."""
    table = Comment.__table__
    change = update(table).where(table.c.id == comment_id)  # type: ignore[arg-type]
    db.session.execute(change.values(notify=False, notify_consent_at=None))


def is_erased_since(moment: datetime) -> bool:
    """Whether anything was erased after a moment."""
    row = select(Comment.id).where(Comment.erased_at.is_not(None), Comment.erased_at >= moment)
    return db.session.scalar(row.limit(1)) is not None


def put_index_together() -> None:
    """Have SQLite write its index of words anew, without what was taken out of it."""
    if db.engine.dialect.name == "sqlite":
        db.session.execute(text("INSERT INTO comment_search_fts (comment_search_fts) VALUES ('optimize')"))


def erase_beside(comment_ids: Sequence[UUID]) -> None:
    """Delete the revisions of some comments, why they were held, and what it takes to undo decisions on them."""
    for table in (CommentRevision, HoldReason, UndoEntry):
        gone = delete(table).where(table.comment_id.in_(comment_ids))
        db.session.execute(gone.execution_options(synchronize_session=False))


def last_said(site_id: UUID, limit: int) -> Sequence[Comment]:
    """The newest comments of a site that somebody wrote for it and whose words are left, newest first."""
    rows = select(Comment).where(Comment.site_id == site_id, Comment.is_moderator.is_(False))
    rows = rows.where(Comment.erased_at.is_(None))
    return db.session.scalars(rows.order_by(Comment.created_at.desc(), Comment.id.desc()).limit(limit)).all()


def known_since(author_ids: Collection[UUID]) -> dict[UUID, datetime]:
    """Since when the holders of some tokens have an approved comment; without those who have none."""
    approved = func.min(func.coalesce(Comment.decided_at, Comment.created_at))
    rows = select(Comment.author_id, approved).where(Comment.author_id.in_(list(author_ids)))
    return dict(db.session.execute(rows.where(Comment.status == "approved").group_by(Comment.author_id)).all())


def records_of(comments: Sequence[Comment]) -> dict[UUID, dict[str, Any]]:
    """What is known of the person of each comment on its site: by address where there is one, else by token."""
    found: dict[Any, dict[str, Any]] = {}
    for kind, column in (("email", Comment.email_index), ("author", Comment.author_id)):
        persons = [key for one in comments if (key := _person_of(one))[0] == kind]
        rows = select(Comment.site_id, column, Comment.status, func.count(), func.min(Comment.created_at))
        rows = rows.where(Comment.site_id.in_({one[1] for one in persons}), column.in_({one[2] for one in persons}))
        rows = rows.group_by(Comment.site_id, column, Comment.status)
        for site_id, whose, status, number, first in db.session.execute(rows) if persons else ():
            _add_up(found.setdefault((kind, site_id, whose), {}), status, number, first)
    return {one.id: found[_person_of(one)] for one in comments}


def _person_of(one: Comment) -> tuple[str, UUID, Any]:
    return ("email", one.site_id, one.email_index) if one.email_index else ("author", one.site_id, one.author_id)


def _add_up(record: dict[str, Any], status: str, number: int, first: datetime) -> None:
    of = {"approved": "approved", "rejected": "rejected", "spam": "rejected"}.get(status)
    for name in ("comments", "approved", "rejected"):
        record[name] = record.get(name, 0) + (number if name in ("comments", of) else 0)
    record["first_seen"] = min(first, record.get("first_seen", first))


def with_address(site_id: UUID, index: bytes) -> UUID | None:
    """The first comment with an address on a site."""
    rows = select(Comment.id).where(Comment.site_id == site_id, Comment.email_index == index)
    return db.session.scalar(rows.order_by(Comment.created_at, Comment.id).limit(1))


def same_person(comment_id: UUID) -> Any:
    """By the person of a comment: with the same address on the same site, or without one with the same token."""
    row = select(Comment.site_id, Comment.email_index, Comment.author_id).where(Comment.id == comment_id)
    found = db.session.execute(row).one_or_none()
    if found is None:
        return false()
    by = Comment.email_index == found.email_index if found.email_index else Comment.author_id == found.author_id
    return and_(Comment.site_id == found.site_id, by)
