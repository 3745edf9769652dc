"""Questions about lists: what came last, how many are alike, and how many a saved filter matches."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, func, literal, or_, select, tuple_, union_all

from service.comments.models import Comment
from service.comments.status import PENDING
from service.db import db
from service.filters.models import SavedFilter
from service.moderation.queries import ALIKE, Filter, common, matching
from service.pagination import Page, Position, page_of
from service.sites.queries import is_of

MOST = 1_000
"""Comments that are counted of one filter: more are many, however many they are."""
RECENT, TOLD = 100, 20
"""How many that came last are looked at, and told: every open desk asks for them again and again."""
_PARTS = 50  # sites that are asked about at once


def arrivals(wanted: Filter) -> list[Row[Any]]:
    """What came into a list last, the last first: into the queue since it waits, into others since it was written."""
    since: Any = Comment.waiting_since if wanted.status == PENDING else Comment.created_at
    latest: list[tuple[Any, UUID]] = []
    for n in range(0, len(wanted.site_ids), _PARTS):
        each = [_latest(site_id, wanted.status, since).subquery() for site_id in wanted.site_ids[n : n + _PARTS]]
        latest += [(at, id_) for at, id_ in db.session.execute(union_all(*map(select, each))) if at]
    ids = [id_ for _, id_ in sorted(latest, reverse=True)[:RECENT]]
    told = (Comment.id, Comment.created_at, since.label("since"), Comment.risk, Comment.alike_host, Comment.alike_text)
    rows = matching(select(*told), wanted, among=ids).order_by(since.desc(), Comment.id.desc())
    return list(db.session.execute(rows.limit(TOLD))) if ids else []


def _latest(site_id: UUID, status: str | None, since: Any) -> Select[Any]:
    rows = select(since, Comment.id).where(Comment.site_id == site_id)
    rows = rows.where(Comment.status == status) if status else rows
    return rows.order_by(since.desc()).limit(RECENT)


def alike(wanted: Filter, comments: Sequence[Comment]) -> dict[str, int]:
    """How many comments of a filter share what some of them have: `host:spam.example` → 12. One question."""
    found: dict[str, set[str]] = {}
    for kind, value in (pair for one in comments for pair in common(one)):
        found.setdefault(kind, set()).add(value)
    counts = [_counted(wanted, kind, values) for kind, values in sorted(found.items())]
    rows = db.session.execute(union_all(*counts)) if counts else ()
    return {f"{kind}:{value}": number for kind, value, number in rows}


def _counted(wanted: Filter, kind: str, values: set[str]) -> Select[Any]:
    column = ALIKE[kind]
    rows: Any = select(literal(kind), column, func.count()).select_from(Comment)
    return matching(rows, wanted).where(column.in_(values)).group_by(column)


def saved(moderator_id: UUID, site_ids: Collection[UUID], after: Position | None, limit: int) -> Page[SavedFilter]:
    """The filters that a moderator keeps, and those that are shared on their sites; newest first, keyset-paged."""
    rows = select(SavedFilter).where(_seen_by(moderator_id, site_ids))
    if after:
        rows = rows.where(tuple_(SavedFilter.created_at, SavedFilter.id) < (after.at, after.id))
    newest = rows.order_by(SavedFilter.created_at.desc(), SavedFilter.id.desc())
    found = db.session.scalars(newest.limit(limit + 1)).all()
    return page_of(found, limit, lambda one: Position(one.created_at, one.id))


def saved_one(filter_id: UUID, moderator_id: UUID, sites: Collection[UUID] | None) -> SavedFilter | None:
    """A filter, of those that a moderator with a role on some sites (None: on all) sees."""
    row = select(SavedFilter).where(SavedFilter.id == filter_id, _seen_by(moderator_id, sites))
    return db.session.scalar(row)


def _seen_by(moderator_id: UUID, sites: Collection[UUID] | None) -> Any:
    """One's own are seen wherever they belong, since they count: else nobody could let go of them."""
    return or_(
        SavedFilter.moderator_id == moderator_id,
        and_(SavedFilter.site_id.is_not(None), is_of(SavedFilter.site_id, sites)),
    )


def kept_by(moderator_id: UUID) -> int:
    """How many filters somebody has saved, shared ones among them."""
    own = select(func.count()).select_from(SavedFilter).where(SavedFilter.moderator_id == moderator_id)
    return db.session.scalar(own) or 0


def counts(wanted: Sequence[Filter]) -> list[int]:
    """How many comments each filter matches, MOST at most. One question."""
    each = [_at_most(one) for one in wanted]
    return list(db.session.execute(select(*each)).one()) if each else []


def _at_most(wanted: Filter) -> Any:
    found = matching(select(Comment.id), wanted).limit(MOST).subquery()
    return select(func.count()).select_from(found).scalar_subquery()
