"""Questions about comments. What the public gets is made of columns labelled PUBLIC, and of nothing else."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, false, func, insert, literal_column, or_, select, text, tuple_, update
from sqlalchemy.orm import joinedload

from service.comments.models import Author, Comment, CommentSearch, CommentTally
from service.comments.status import APPROVED, PENDING
from service.db import PUBLIC, db, insert_if_new
from service.pagination import Page as Rows
from service.pagination import Position, page_of
from service.sites.models import Page, Site
from service.sites.queries import is_of, lock_page
from service.spam.words import folded

PublicRow = Row[Any]
_TOLD = (
    *(column for column in Comment.__table__.columns if column.info == PUBLIC),
    Author.avatar,
    (Comment.status == APPROVED).label("approved"),
    func.coalesce(CommentTally.replies, 0).label("reply_count"),
    func.coalesce(CommentTally.shown_replies, 0).label("shown_replies"),
    func.coalesce(CommentTally.votes, 0).label("votes"),
)

_ITS_PAGE = (Page.id.label("page_id"), Page.url.label("page_url"), Page.title.label("page_title"))

_MOST_WORDS = 10
_MOST_INDEXED = 100_000  # imported bodies have no cap, but a tsvector takes a megabyte at most
_SIMPLE: Any = literal_column("'simple'::regconfig")


def _told(*more: Any) -> Select[Any]:
    return (
        select(*_TOLD, *more)
        .select_from(Comment)
        .join(Author, Author.id == Comment.author_id)
        .outerjoin(CommentTally, CommentTally.comment_id == Comment.id)
    )


def published(page_id: UUID, *, sort: str, after: Position | None, limit: int, pinned: bool = False) -> Rows[PublicRow]:
    """The shown roots of a page that are (not) pinned: oldest, newest or top first, keyset-paged."""
    rows = _told().where(Comment.page_id == page_id, Comment.parent_id.is_(None), Comment.shown.is_(True))
    rows = rows.where(Comment.pinned_at.is_not(None) if pinned else Comment.pinned_at.is_(None))
    votes = func.coalesce(CommentTally.votes, 0)
    time = (Comment.created_at, Comment.id)
    later = tuple_(*time) > (after.at, after.id) if after else None
    if sort == "newest":
        rows = rows.order_by(Comment.created_at.desc(), Comment.id.desc())
        past = tuple_(*time) < (after.at, after.id) if after else None
    elif sort == "top":
        rows = rows.order_by(votes.desc(), *time)
        past = or_(votes < after.rank, and_(votes == after.rank, later)) if after and later is not None else None
    else:
        rows, past = rows.order_by(*time), later
    if past is not None:
        rows = rows.where(past)
    found = db.session.execute(rows.limit(limit + 1)).all()
    return page_of(found, limit, place)


def replies(parent_ids: Sequence[UUID], *, each: int, after: Position | None = None) -> Sequence[PublicRow]:
    """The first `each` shown replies of every parent (after a position), parents mixed, oldest first."""
    number = func.row_number().over(partition_by=Comment.parent_id, order_by=(Comment.created_at, Comment.id))
    shown = select(Comment.id, number.label("n")).where(Comment.parent_id.in_(parent_ids), Comment.shown.is_(True))
    if after:
        shown = shown.where(tuple_(Comment.created_at, Comment.id) > (after.at, after.id))
    first = shown.subquery()
    rows = _told().join(first, first.c.id == Comment.id).where(first.c.n <= each)
    return db.session.execute(rows.order_by(Comment.created_at, Comment.id)).all()


def shown_one(site_id: UUID, comment_id: UUID) -> PublicRow | None:
    """A comment that the public may see, or the place of a removed one, with its page; None for all else."""
    rows = _told(*_ITS_PAGE).join(Page, Page.id == Comment.page_id)
    here = rows.where(Comment.id == comment_id, Comment.site_id == site_id, Comment.shown.is_(True))
    return db.session.execute(here).first()


def latest(site_id: UUID, *, page_id: UUID | None, after: Position | None, limit: int) -> Rows[PublicRow]:
    """The newest approved comments of a site, or of one page of it, each with its page."""
    here = Comment.page_id == page_id if page_id else Comment.site_id == site_id
    rows = _told(*_ITS_PAGE).join(Page, Page.id == Comment.page_id).where(here, Comment.status == APPROVED)
    if after:
        rows = rows.where(tuple_(Comment.created_at, Comment.id) < (after.at, after.id))
    found = db.session.execute(rows.order_by(Comment.created_at.desc(), Comment.id.desc()).limit(limit + 1)).all()
    return page_of(found, limit, place)


def place(row: PublicRow) -> Position:
    return Position(row.created_at, row.id, row.votes)


def get(comment_id: UUID, sites: Collection[UUID] | None = None) -> Comment | None:
    whole = (joinedload(Comment.page).joinedload(Page.site), joinedload(Comment.site), joinedload(Comment.author))
    one = select(Comment).where(Comment.id == comment_id, is_of(Comment.site_id, sites))
    return db.session.scalar(one.options(*whole))


def is_published_on(page_id: UUID, comment_id: UUID) -> bool:
    here = and_(Comment.id == comment_id, Comment.page_id == page_id, Comment.status == APPROVED)
    return db.session.scalar(select(Comment.id).where(here)) is not None


def get_for_update(comment_id: UUID) -> Comment | None:
    """The comment as it is now, locked with its page until the commit."""
    page_id = db.session.scalar(select(Comment.page_id).where(Comment.id == comment_id))
    if page_id is None:
        return None
    lock_page(page_id)
    locked = select(Comment).where(Comment.id == comment_id).with_for_update(key_share=True, of=Comment)
    return db.session.scalar(locked.execution_options(populate_existing=True))


def author_of_token(site_id: UUID, digest: bytes) -> Author | None:
    """The holder of a token, who cannot have everything erased before this transaction is over."""
    held = select(Author).where(Author.site_id == site_id, Author.token_digest == digest)
    return db.session.scalar(held.with_for_update(read=True, key_share=True))


def is_known(author_id: UUID) -> bool:
    """Whether the holder of a token has an approved comment."""
    approved = select(Comment.id).where(Comment.author_id == author_id, Comment.status == APPROVED)
    return db.session.scalar(approved.limit(1)) is not None


def said_before(page_id: UUID, body: str, *, since: datetime, by: Any) -> bool:
    """Whether a condition `by` (an author, a network, an address) matches a comment of the same words."""
    same = select(Comment.id).where(Comment.page_id == page_id, Comment.created_at >= since, Comment.body == body, by)
    return db.session.scalar(same.limit(1)) is not None


def rated_before(page_id: UUID, by: Any) -> bool:
    """Whether a condition `by` matches a comment that rated the page and still may count."""
    counts = Comment.status.in_((APPROVED, PENDING))
    rated = select(Comment.id).where(Comment.page_id == page_id, Comment.rating.is_not(None), counts, by)
    return db.session.scalar(rated.limit(1)) is not None


def by_author(author_id: UUID) -> Any:
    return Comment.author_id == author_id


def by_network(site_id: UUID, label: str) -> Any:
    return and_(Comment.site_id == site_id, Comment.network_label == label)


def by_email(site_id: UUID, index: bytes) -> Any:
    return and_(Comment.site_id == site_id, Comment.email_index == index)


def imported(site_id: UUID, source: str, source_id: str) -> Comment | None:
    """The comment that an import brought under this source id."""
    at = and_(Comment.site_id == site_id, Comment.source == source, Comment.source_id == source_id)
    return db.session.scalar(select(Comment).where(at))


def place_of(comment_id: UUID) -> Row[Any, Any, Any, Any]:
    """Where a comment stands: page_id, parent_id, status, shown. It stays so while the page is locked."""
    table = Comment.__table__.c
    row = select(table.page_id, table.parent_id, table.status, table.shown).where(table.id == comment_id)
    return db.session.execute(row).one()


def tally(comment_id: UUID) -> CommentTally:
    """The tally of a comment, made if need be."""
    insert_if_new(CommentTally, {"comment_id": comment_id, "replies": 0, "shown_replies": 0, "votes": 0})
    found = select(CommentTally).where(CommentTally.comment_id == comment_id)
    return db.session.scalars(found.execution_options(populate_existing=True)).one()


def set_shown(comment_id: UUID, shown: bool) -> None:
    """Show or hide a row."""
    _set(comment_id, shown=shown)


def set_parent(comment_id: UUID, parent_id: UUID) -> None:
    """Hang a row under another."""
    _set(comment_id, parent_id=parent_id)


def _set(comment_id: UUID, **values: Any) -> None:
    """Change a row without touching its version."""
    table = Comment.__table__
    db.session.execute(update(table).where(table.c.id == comment_id).values(**values))  # type: ignore[arg-type]


def count_pinned(page_id: UUID) -> int:
    """How many comments of a page are pinned. With the page locked it stays so."""
    rows = select(func.count()).select_from(Comment).where(Comment.page_id == page_id, Comment.pinned_at.is_not(None))
    return db.session.scalar(rows) or 0


def stands_under(comment_id: UUID, other_id: UUID) -> bool:
    """Whether a comment is another one, or an answer to it at any depth."""
    table = Comment.__table__.c
    up = select(table.id, table.parent_id).where(table.id == comment_id).cte(recursive=True)
    up = up.union(select(table.id, table.parent_id).join(up, table.id == up.c.parent_id))
    return db.session.scalar(select(up.c.id).where(up.c.id == other_id)) is not None


def index_new(comments: Sequence[Comment]) -> None:
    """Put the names and texts of new comments into the index of words."""
    rows = [{"comment_id": one.id, "words": _words(one)} for one in comments]
    db.session.execute(insert(CommentSearch), rows)


def _words(comment: Comment) -> str:
    """What is indexed; of an endless body only the beginning."""
    return " ".join(folded(f"{comment.name}\n{comment.body}"[:_MOST_INDEXED]))[:_MOST_INDEXED]


def index_words(comment: Comment) -> None:
    """Put a comment's name and text into the index of words, in place of what was there."""
    words = _words(comment)
    if insert_if_new(CommentSearch, {"comment_id": comment.id, "words": words}):
        return
    change = update(CommentSearch).where(CommentSearch.comment_id == comment.id).values(words=words)
    db.session.execute(change.execution_options(synchronize_session=False))


def rendered_before(version: int, limit: int) -> Sequence[Row[UUID, str, str]]:
    """Comments whose html an older renderer made: id, body, body_format."""
    rows = select(Comment.id, Comment.body, Comment.body_format).where(Comment.render_version < version)
    return db.session.execute(rows.order_by(Comment.id).limit(limit).with_for_update()).all()


def set_html(comment_id: UUID, version: int, **made: str | None) -> None:
    """Replace rendered html, and what is made of it: the words are the same."""
    _set(comment_id, render_version=version, **made)


def past_retention(moment: datetime, limit: int) -> Sequence[UUID]:
    """Comments that still hold an address or a network longer than their site keeps them."""
    found: list[UUID] = []
    for site_id, days in db.session.execute(select(Site.id, Site.retention_days)):
        rows = (
            select(Comment.id)
            .where(or_(Comment.email_sealed.is_not(None), Comment.network_label.is_not(None)))
            .where(Comment.site_id == site_id, Comment.received_at < moment - timedelta(days=days))
        )
        found += db.session.scalars(rows.limit(limit - len(found))).all()
    return found


def forget_private(ids: Sequence[UUID]) -> None:
    """Take address, index and network off some comments."""
    table = Comment.__table__
    change = update(table).where(table.c.id.in_(ids))  # type: ignore[arg-type]
    db.session.execute(change.values(email_sealed=None, email_index=None, network_label=None))


def with_words(text_: str) -> Any:
    """The condition that a comment's name or text holds all these words, or words that begin with them."""
    words = folded(text_)[:_MOST_WORDS]
    if not words:
        return false()
    if db.engine.dialect.name == "sqlite":
        match = " ".join(f'"{word}"*' for word in words)
        rows = text("SELECT rowid FROM comment_search_fts WHERE comment_search_fts MATCH :match")
        found = CommentSearch.id.in_(rows.bindparams(match=match).columns(CommentSearch.id))
    else:
        match = " & ".join(f"'{word}':*" for word in words)
        found = func.to_tsvector(_SIMPLE, CommentSearch.words).op("@@")(func.to_tsquery(_SIMPLE, match))
    return Comment.id.in_(select(CommentSearch.comment_id).where(found))


def sealed_after(after: UUID | None, limit: int) -> Sequence[Row[UUID, bytes | None]]:
    """The next comments that hold an address: id, sealed bytes; locked."""
    rows = select(Comment.id, Comment.email_sealed).where(Comment.email_sealed.is_not(None))
    if after:
        rows = rows.where(Comment.id > after)
    return db.session.execute(rows.order_by(Comment.id).limit(limit).with_for_update()).all()


def replace_seal(comment_id: UUID, sealed: bytes) -> None:
    _set(comment_id, email_sealed=sealed)


def unchecked_addresses(limit: int) -> Sequence[tuple[UUID, bytes]]:
    """Waiting comments whose address nobody asked about: id, sealed bytes."""
    rows = select(Comment.id, Comment.email_sealed).where(
        Comment.status == PENDING, Comment.email_sealed.is_not(None), Comment.email_checked_at.is_(None)
    )
    found = db.session.execute(rows.order_by(Comment.id).limit(limit)).all()
    return [(comment_id, sealed) for comment_id, sealed in found if sealed is not None]


def mark_checked(comment_id: UUID, moment: datetime) -> None:
    _set(comment_id, email_checked_at=moment)
