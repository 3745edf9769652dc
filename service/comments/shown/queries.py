"""What the public gets is made of columns labelled PUBLIC, and of nothing else. Each statement is made once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Row, Select, bindparam, func, or_, select, tuple_

from service.astext import IdText, as_text
from service.comments.models import Author, Comment, CommentTally
from service.comments.status import APPROVED
from service.db import PUBLIC, run, table_of
from service.pagination import Page as Rows
from service.pagination import Position, page_of
from service.sites.models import Page

PublicRow = Row[Any]
_COMMENTS, _AUTHORS, _TALLIES, _PAGES = (table_of(one) for one in (Comment, Author, CommentTally, Page))
_C, _PAGE = _COMMENTS.c, _PAGES.c
_VOTES = func.coalesce(_TALLIES.c.votes, 0)
_TOLD = (
    select(
        *(as_text(column) for column in _C if column.info == PUBLIC),
        _AUTHORS.c.avatar,
        (_C.status == APPROVED).label("approved"),
        func.coalesce(_TALLIES.c.replies, 0).label("reply_count"),
        func.coalesce(_TALLIES.c.shown_replies, 0).label("shown_replies"),
        _VOTES.label("votes"),
    )
    .select_from(_COMMENTS)
    .join(_AUTHORS, _AUTHORS.c.id == _C.author_id)
    .outerjoin(_TALLIES, _TALLIES.c.comment_id == _C.id)
)
_WITH_PAGE = _TOLD.add_columns(
    _PAGE.id.label("page_id"), _PAGE.url.label("page_url"), _PAGE.title.label("page_title")
).join(_PAGES, _PAGE.id == _C.page_id)
_TIME = (_C.created_at, _C.id)
_MOST = bindparam("most", type_=Integer)
_HERE = _C.page_id == bindparam("page")
_LATER = tuple_(*_TIME) > tuple_(bindparam("at", type_=_C.created_at.type), bindparam("id", type_=_C.id.type))
_EARLIER = tuple_(*_TIME) < tuple_(bindparam("at", type_=_C.created_at.type), bindparam("id", type_=_C.id.type))
_SHOWN_REPLIES = _TOLD.where(_HERE, _C.shown.is_(True)).order_by(*_TIME)
_ALL_REPLIES = _SHOWN_REPLIES.where(_C.parent_id.in_(bindparam("parents", expanding=True, type_=IdText())))
_REPLIES = _SHOWN_REPLIES.where(_C.parent_id == bindparam("parent", type_=IdText())).limit(_MOST)
_LATER_REPLIES = _REPLIES.where(_LATER)
_ONE = _WITH_PAGE.where(_C.id == bindparam("comment"), _C.site_id == bindparam("site"), _C.shown.is_(True))


def published(page_id: UUID, *, sort: str, after: Position | None, limit: int, pinned: bool = False) -> Rows[PublicRow]:
    """The shown roots of a page that are (not) pinned: oldest, newest or top first, keyset-paged."""
    found = run(_roots(sort, pinned, after is not None), page=page_id, most=limit + 1, **_past(after)).all()
    return page_of(found, limit, place)


@cache
def _roots(sort: str, pinned: bool, goes_on: bool) -> Select[Any]:
    rows = _TOLD.where(_HERE, _C.parent_id.is_(None), _C.shown.is_(True))
    rows = rows.where(_C.pinned_at.is_not(None) if pinned else _C.pinned_at.is_(None))
    # None of them has a parent; only if that is said in the order, too, PostgreSQL sees that it is that of the index.
    if sort == "newest":
        rows, past = rows.order_by(_C.parent_id.desc(), _C.created_at.desc(), _C.id.desc()), _EARLIER
    elif sort == "top":
        rank = bindparam("rank", type_=Integer)
        rows, past = rows.order_by(_VOTES.desc(), *_TIME), or_(rank > _VOTES, (rank == _VOTES) & _LATER)
    else:
        rows, past = rows.order_by(_C.parent_id, *_TIME), _LATER
    return (rows.where(past) if goes_on else rows).limit(_MOST)


def _past(after: Position | None) -> dict[str, Any]:
    return vars(after) if after else {}


def all_replies(page_id: UUID, parent_ids: Sequence[str]) -> Sequence[PublicRow]:
    """Every shown reply to some comments of a page that have few, parents mixed, oldest first."""
    return run(_ALL_REPLIES, page=page_id, parents=parent_ids).all()


def replies(page_id: UUID, parent_id: str, *, after: Position | None, limit: int) -> Sequence[PublicRow]:
    """The first shown replies to a comment of a page, after a position, oldest first: of however many."""
    asked = _LATER_REPLIES if after else _REPLIES
    return run(asked, page=page_id, parent=parent_id, most=limit, **_past(after)).all()


def shown_one(site_id: UUID, comment_id: UUID) -> PublicRow | None:
    """A comment that the public may see, or the place of a removed one, with its page; None for all else."""
    return run(_ONE, site=site_id, comment=comment_id).first()


def latest(site_id: UUID, *, page_id: UUID | None, after: Position | None, limit: int) -> Rows[PublicRow]:
    """The newest approved comments of a site, or of one page of it, each with its page."""
    of = {"page": page_id} if page_id else {}
    found = run(_latest(bool(of), after is not None), site=site_id, most=limit + 1, **of, **_past(after)).all()
    return page_of(found, limit, place)


@cache
def _latest(of_page: bool, goes_on: bool) -> Select[Any]:
    rows = _WITH_PAGE.where(_C.site_id == bindparam("site"), _C.status == APPROVED)
    rows = rows.where(_HERE) if of_page else rows
    rows = rows.where(_EARLIER) if goes_on else rows
    return rows.order_by(_C.created_at.desc(), _C.id.desc()).limit(_MOST)


def place(row: PublicRow) -> Position:
    return Position(datetime.fromisoformat(row.created_at), UUID(row.id), row.votes)
