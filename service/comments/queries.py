"""Questions about comments."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, bindparam, func, or_, select, update
from sqlalchemy.orm import joinedload, lazyload
from sqlalchemy.orm.attributes import set_committed_value

from service.comments.models import Author, Comment, CommentTally, HoldReason
from service.comments.status import APPROVED, PENDING
from service.db import db, insert_if_new, insert_rows, now, run, table_of
from service.sites.models import Page, Site
from service.sites.queries import is_of, read_anew

_SAME_TEXT = timedelta(days=1)
_C = table_of(Comment).c
_IT = _C.id == bindparam("comment")
_PLACE = select(_C.page_id, _C.parent_id, _C.status, _C.shown).where(_IT)
_PAGES = table_of(Page)
_ITS_PAGE = select(_C.page_id).where(_IT)
_ITS_PAGE_OF = _ITS_PAGE.where(_C.site_id.in_(bindparam("sites", expanding=True)))
_LOCK_ITS_PAGE, _LOCK_ITS_PAGE_OF = (
    select(_PAGES.c.id).where(_PAGES.c.id == one.scalar_subquery()).with_for_update(key_share=True, of=_PAGES)
    for one in (_ITS_PAGE, _ITS_PAGE_OF)
)
_CHANGE = update(table_of(Comment)).where(_IT)
_WHOLE = (joinedload(Comment.page), joinedload(Comment.site), joinedload(Comment.author))
_ANEW = {"populate_existing": True}
_LOCKED = (
    select(Comment)
    .where(Comment.id == bindparam("comment"))
    .options(*_WHOLE, lazyload(Comment.reasons))
    .with_for_update(key_share=True, of=Comment)
    .execution_options(**_ANEW)
)
_REASONS = (
    select(HoldReason)
    .where(HoldReason.comment_id == bindparam("comment"))
    .order_by(HoldReason.n)
    .execution_options(**_ANEW)
)
_TALLY = select(CommentTally).where(CommentTally.comment_id == bindparam("comment")).execution_options(**_ANEW)
_BY = {
    "author": _C.author_id == bindparam("author"),
    "network": _C.network_label == bindparam("network"),
    "email": _C.email_index == bindparam("email"),
}
_HERE = select(_C.id).where(_C.page_id == bindparam("page"))
_PUBLISHED = _HERE.where(_IT, _C.status == APPROVED)
_SAME = _HERE.where(_C.created_at >= bindparam("since"), _C.body == bindparam("body"))
_RATED = _HERE.where(_C.rating.is_not(None), _C.status.in_((APPROVED, PENDING)))
_HAS_RATED = [_RATED.where(_BY[by]).exists() for by in ("author", "email")]
_MARKED = {True: _C.alike_text == bindparam("mark"), False: _C.alike_text.is_(None)}
_SAID = {marked: select(*(_SAME.where(by, mark).exists() for by in _BY.values())) for marked, mark in _MARKED.items()}
"""By whether the words have a mark (see `likeness`). The same words have the same one, and it is in the indexes."""
_SAID_OR_RATED = {marked: said.add_columns(*_HAS_RATED) for marked, said in _SAID.items()}


def get(comment_id: UUID, sites: Collection[UUID] | None = None) -> Comment | None:
    one = select(Comment).where(Comment.id == comment_id, is_of(Comment.site_id, sites))
    return db.session.scalar(one.options(*_WHOLE))


def is_published_on(page_id: UUID, comment_id: UUID) -> bool:
    return run(_PUBLISHED, page=page_id, comment=comment_id).first() is not None


def get_for_update(comment_id: UUID, sites: Collection[UUID] | None = None) -> Comment | None:
    """The comment (of one of these sites) as it is now, locked with its page until the commit."""
    of = {} if sites is None else {"sites": list(sites)}
    page_id = run(_LOCK_ITS_PAGE_OF if of else _LOCK_ITS_PAGE, comment=comment_id, **of).scalar()
    if page_id is None:
        return None
    read_anew(page_id)
    comment = db.session.scalar(_LOCKED, {"comment": comment_id})
    if comment:
        # A question of its own: selectinload would take longer than all the rest.
        set_committed_value(comment, "reasons", db.session.scalars(_REASONS, {"comment": comment_id}).all())
    return comment


def add_reasons(comments: Sequence[Comment]) -> None:
    """Write down why new comments are held."""
    given = [(one, n, reason) for one in comments for n, reason in enumerate(one.reasons)]
    insert_rows(HoldReason, [_held(one, n, reason.code, reason.detail) for one, n, reason in given])


def add_reason(comment: Comment, code: str, detail: str) -> None:
    """Hold a comment for one more reason."""
    row = _held(comment, len(comment.reasons), code, detail)
    insert_rows(HoldReason, [row])
    comment.reasons.append(HoldReason(**row))


def _held(comment: Comment, n: int, code: str, detail: str) -> dict[str, Any]:
    return {"comment_id": comment.id, "n": n, "code": code, "detail": detail}


def author_of_token(site_id: UUID, digest: bytes) -> Author | None:
    """The holder of a token, who cannot have everything erased before this transaction is over."""
    held = select(Author).where(Author.site_id == site_id, Author.token_digest == digest)
    return db.session.scalar(held.with_for_update(read=True, key_share=True))


def is_known(author_id: UUID) -> bool:
    """Whether the holder of a token has an approved comment."""
    approved = select(Comment.id).where(Comment.author_id == author_id, Comment.status == APPROVED)
    return db.session.scalar(approved.limit(1)) is not None


@dataclass(frozen=True)
class Poster:
    """Whoever is about to write on a page, by all that may tell them again."""

    page: UUID
    author: UUID
    network: str
    email: bytes


@dataclass(frozen=True)
class Before:
    """Whether the same words came to a page in the last day, or a rating that may count, and by whom."""

    said_by_author: bool
    said_by_network: bool
    said_by_email: bool
    rated_by_author: bool = False
    rated_by_email: bool = False


def before(poster: Poster, body: str, mark: str | None, *, has_rating: bool) -> Before:
    """What a poster said before. One statement, in which each question is one look into an index of its own."""
    asked = (_SAID_OR_RATED if has_rating else _SAID)[mark is not None]
    marked = {"mark": mark} if mark is not None else {}
    return Before(*run(asked, body=body, since=now() - _SAME_TEXT, **marked, **vars(poster)).one())


def imported(site_id: UUID, source: str, source_id: str) -> Comment | None:
    """The comment that an import brought under this source id."""
    at = and_(Comment.site_id == site_id, Comment.source == source, Comment.source_id == source_id)
    return db.session.scalar(select(Comment).where(at))


def place_of(comment_id: UUID) -> Row[Any, Any, Any, Any]:
    """Where a comment stands: page_id, parent_id, status, shown. It stays so while the page is locked."""
    return run(_PLACE, comment=comment_id).one()


def tally(comment_id: UUID) -> CommentTally:
    """The tally of a comment, made if need be."""
    insert_if_new(CommentTally, {"comment_id": comment_id})
    return db.session.scalars(_TALLY, {"comment": comment_id}).one()


def set_pinned(comment_id: UUID, moment: datetime | None) -> None:
    """Pin a row, or take it down."""
    _set(comment_id, pinned_at=moment)


def set_shown(comment_id: UUID, shown: bool) -> None:
    """Show or hide a row."""
    _set(comment_id, shown=shown)


def set_parent(comment_id: UUID, parent_id: UUID) -> None:
    """Hang a row under another."""
    _set(comment_id, parent_id=parent_id)


def _set(comment_id: UUID, **values: Any) -> None:
    """Change a row without touching its version."""
    run(_CHANGE, comment=comment_id, **values)


def count_pinned(page_id: UUID) -> int:
    """How many comments of a page are pinned. With the page locked it stays so."""
    rows = select(func.count()).select_from(Comment).where(Comment.page_id == page_id, Comment.pinned_at.is_not(None))
    return db.session.scalar(rows) or 0


def stands_under(comment_id: UUID, other_id: UUID) -> bool:
    """Whether a comment is another one, or an answer to it at any depth."""
    up = select(_C.id, _C.parent_id).where(_C.id == comment_id).cte(recursive=True)
    up = up.union(select(_C.id, _C.parent_id).join(up, _C.id == up.c.parent_id))
    return db.session.scalar(select(up.c.id).where(up.c.id == other_id)) is not None


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
    change = update(table_of(Comment)).where(_C.id.in_(ids))
    db.session.execute(change.values(email_sealed=None, email_index=None, network_label=None))


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
