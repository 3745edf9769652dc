"""Questions about what imports brought, and the statements that take it back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, exists, func, select
from sqlalchemy.orm import aliased

from service.comments.models import (
    Author,
    Comment,
    CommentRevision,
    CommentSearch,
    CommentTally,
    HoldReason,
    Import,
    UndoEntry,
)
from service.comments.status import APPROVED, DELETED
from service.db import db, insert_if_new
from service.moderation.models import Claim
from service.reactions.models import Report, Vote
from service.sites.models import Page, PageAddress, RatingCount
from service.transfer.models import ImportedAddress


def known(site_id: UUID, source: str, source_ids: Iterable[str]) -> dict[str, Row[Any]]:
    """What earlier imports brought under some source ids: id, parent_id, page_id, dates, `withdrawn`.

    `withdrawn`: its import was taken back, and it only keeps the place of a comment with replies.
    """
    withdrawn = (Import.undone_at.is_not(None) & (Comment.status == DELETED)).label("withdrawn")
    rows = (
        select(
            Comment.source_id, Comment.id, Comment.parent_id, Comment.page_id,
            Comment.created_at, Comment.received_at, withdrawn,
        )
        .outerjoin(Import, Import.id == Comment.import_id)
        .where(Comment.site_id == site_id, Comment.source == source, Comment.source_id.in_(list(source_ids)))
    )  # fmt: skip
    found: Any = db.session.execute(rows).all()
    return {row.source_id: row for row in found}


def note_address(import_id: UUID, key: str) -> None:
    """Remember that an import gave an address to a page."""
    insert_if_new(ImportedAddress, {"import_id": import_id, "key": key})


def imports(site_id: UUID | None) -> Sequence[Import]:
    """The imports of a site, or of all, newest first."""
    rows = select(Import).order_by(Import.started_at.desc(), Import.id.desc())
    return db.session.scalars(rows.where(Import.site_id == site_id) if site_id else rows).all()


def import_by_id(import_id: UUID) -> Import | None:
    return db.session.get(Import, import_id)


def standing(import_id: UUID, limit: int) -> list[UUID]:
    """Comments of an import that are not deleted yet, in the order in which everybody locks."""
    rows = select(Comment.id).where(Comment.import_id == import_id, Comment.status != DELETED)
    return list(db.session.scalars(rows.order_by(Comment.page_id, Comment.id).limit(limit)))


def brought(import_id: UUID, before: UUID | None, limit: int) -> Sequence[Any]:
    """Comments of an import and their parents, the last ones first."""
    rows = select(Comment.id, Comment.parent_id).where(Comment.import_id == import_id)
    if before:
        rows = rows.where(Comment.id < before)
    return db.session.execute(rows.order_by(Comment.id.desc()).limit(limit)).all()


def answered_from_outside(ids: Sequence[UUID]) -> set[UUID]:
    """Those of some comments that have an answer which is not among them."""
    rows = select(Comment.parent_id).where(Comment.parent_id.in_(ids), Comment.id.not_in(ids)).distinct()
    return {parent_id for parent_id in db.session.scalars(rows) if parent_id}


def count_brought(import_id: UUID) -> int:
    """How many comments of an import are here."""
    return db.session.scalar(select(func.count()).where(Comment.import_id == import_id)) or 0


def largest_thread(import_id: UUID) -> Page | None:
    """The page on which most of what an import brought is published; None when nothing is."""
    brought_to = select(Comment.page_id).where(Comment.import_id == import_id, Comment.status == APPROVED)
    page_id = brought_to.group_by(Comment.page_id).order_by(func.count().desc(), Comment.page_id).limit(1)
    return db.session.scalar(select(Page).where(Page.id == page_id.scalar_subquery()))


def erase(ids: Sequence[UUID]) -> None:
    """Delete comments with all that hangs on them, and the authors who have no other."""
    authors = list(db.session.scalars(select(Comment.author_id).where(Comment.id.in_(ids)).distinct()))
    for table in (CommentSearch, CommentTally, CommentRevision, HoldReason, UndoEntry, Claim, Vote, Report):
        db.session.execute(delete(table).where(table.comment_id.in_(ids)), execution_options=_PLAIN)
    db.session.execute(delete(Comment).where(Comment.id.in_(ids)), execution_options=_PLAIN)
    alone = Author.id.in_(authors) & ~exists().where(Comment.author_id == Author.id)
    db.session.execute(delete(Author).where(alone), execution_options=_PLAIN)


_PLAIN = {"synchronize_session": False}


def deserted_pages(one: Import, limit: int) -> list[UUID]:
    """Pages that an import made and that hold no comment any more."""
    rows = (
        select(Page.id)
        .join(ImportedAddress, ImportedAddress.key == Page.key)
        .where(ImportedAddress.import_id == one.id, Page.site_id == one.site_id)
        .where(~exists().where(Comment.page_id == Page.id))
    )
    return list(db.session.scalars(rows.order_by(Page.id).limit(limit)))


def erase_pages(one: Import, page_ids: Sequence[UUID]) -> None:
    """Delete pages with their addresses and histograms."""
    held = select(PageAddress.key).where(PageAddress.page_id.in_(page_ids), PageAddress.site_id == one.site_id)
    of_site = select(Import.id).where(Import.site_id == one.site_id)
    remembered = delete(ImportedAddress).where(ImportedAddress.key.in_(held), ImportedAddress.import_id.in_(of_site))
    db.session.execute(remembered, execution_options=_PLAIN)
    for table in (RatingCount, PageAddress):
        db.session.execute(delete(table).where(table.page_id.in_(page_ids)), execution_options=_PLAIN)
    db.session.execute(delete(Page).where(Page.id.in_(page_ids)), execution_options=_PLAIN)


def forget_aliases(one: Import, limit: int) -> int:
    """Take back the aliases that an import gave to pages which it did not make; how many."""
    own = aliased(ImportedAddress)
    given = (
        select(ImportedAddress.key)
        .join(PageAddress, PageAddress.key == ImportedAddress.key)
        .join(Page, Page.id == PageAddress.page_id)
        .where(ImportedAddress.import_id == one.id, PageAddress.site_id == one.site_id)
        .where(~exists().where(own.key == Page.key, own.import_id == one.id))
    )
    keys = list(db.session.scalars(given.limit(limit)))
    at = delete(PageAddress).where(PageAddress.site_id == one.site_id, PageAddress.key.in_(keys))
    db.session.execute(at, execution_options=_PLAIN)
    mine = delete(ImportedAddress).where(ImportedAddress.import_id == one.id, ImportedAddress.key.in_(keys))
    db.session.execute(mine, execution_options=_PLAIN)
    return len(keys)
