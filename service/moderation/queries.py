"""The queue and every other list of moderators."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, bindparam, case, delete, false, func, or_, select, tuple_, union_all
from sqlalchemy.orm import aliased, joinedload, selectinload

from service.astext import IdText, as_text
from service.authors import queries as authors
from service.comments.models import Author, Comment, CommentRevision, HoldReason, UndoEntry
from service.comments.search.queries import with_words
from service.db import db, insert_or_update, now, run, table_of
from service.moderation.models import BulkDecision, Claim
from service.pagination import Page as Rows
from service.pagination import Position, page_of
from service.sites.models import Page
from service.sites.queries import is_of

LEASE = timedelta(minutes=10)
"""How long a comment is kept for who took it."""
_MOST_PARTS = 50  # of one statement
_COUNTS = and_(
    Claim.until > bindparam("now", callable_=now), Claim.until <= bindparam("end", callable_=lambda: now() + LEASE)
)
"""Whether a claim is of now: one that lasts longer than any can was made by a clock that was put back since."""
_OF: Any = bindparam("ids", expanding=True)
_TOLD_OF: Any = bindparam("ids", expanding=True, type_=IdText())
_K = table_of(Claim).c
_CLAIMS_OF = select(as_text(_K.comment_id), _K.moderator_id, _K.name, as_text(_K.until)).where(
    _K.comment_id.in_(_TOLD_OF), _COUNTS
)
_PLACE: Any = (Comment.created_at, Comment.id, Comment.risk)
_WHOLE = (
    select(Comment)
    .where(Comment.id.in_(_OF))
    .options(*map(selectinload, (Comment.page, Comment.site, Comment.author, Comment.parent)))
)
_C, _R, _A = table_of(Comment).c, table_of(HoldReason).c, table_of(Author).c
# What views tell of a comment: each of these has a name there.
_TOLD = (
    "id page_id parent_id status name website is_moderator email_sealed network_label body body_format html "
    "rating rating_scale pinned_at risk alike_host alike_text created_at edited_at erased_at decided_at decided_by "
    "decided_name reason reason_code decision_id source version"
)
# A question of its own for each row, not a join: PostgreSQL may think it quicker to go through all authors.
_AVATAR = select(_A.avatar).where(_A.id == _C.author_id).scalar_subquery().label("avatar")
_SEEN = (*(as_text(_C[name]) for name in _TOLD.split()), _AVATAR)
_PAGES = select(Page).where(Page.id.in_(_TOLD_OF)).options(joinedload(Page.site))
_REASONS = (
    select(as_text(_R.comment_id), _R.code, _R.detail).where(_R.comment_id.in_(_TOLD_OF)).order_by(_R.comment_id, _R.n)
)
_DROP_CLAIM, _DROP_CLAIMS = (
    delete(table_of(Claim)).where(table_of(Claim).c[name] == bindparam("of")) for name in ("comment_id", "moderator_id")
)
ALIKE = {"host": Comment.alike_host, "text": Comment.alike_text}
"""What comments may have in common, by the word for it in a filter."""
SeenRow = Row[Any]


@dataclass(frozen=True)
class Filter:
    """Which comments: of these sites, and what else must hold."""

    site_ids: Sequence[UUID]
    status: str | None = None
    page_id: UUID | None = None
    q: str | None = None
    reason: str | None = None
    revision: str | None = None
    """`held`: those of which a change waits."""
    person: UUID | None = None
    """Only by the person of this comment: see `authors.queries.same_person`."""
    network: str | None = None
    """Only what came from the network with this label."""
    rating: float | None = None
    has_link: bool | None = None
    first_timer: bool | None = None
    """Whether nothing was ever approved of the same address, or else of the same token."""
    alike: str | None = None
    """Only what has this in common: `host:` a link's host, or `text:` the mark of the words (see comments.likeness)."""
    taken_by: UUID | None = None
    """Only what this moderator has taken."""
    free_for: UUID | None = None
    """Without what others than this moderator have taken."""
    until: UUID | None = None
    """Without what came after this comment."""


def matching(rows: Select[Any], wanted: Filter, among: Collection[UUID] | None = None) -> Select[Any]:
    """Rows of comments, held to those that a filter means; `among`: only these, known to be of its sites and state."""
    if among is None:
        rows = rows.where(Comment.site_id.in_(wanted.site_ids), *_conditions(wanted))
    else:  # nothing else is said of sites: SQLite would go through all of them
        rows = rows.where(Comment.id.in_(among), *_conditions(replace(wanted, status=None)))
    if wanted.taken_by or wanted.free_for:
        rows = rows.where(_taken(wanted))
    return rows


def _conditions(wanted: Filter) -> Iterator[Any]:
    if wanted.status:
        yield Comment.status == wanted.status
    if wanted.page_id:
        yield Comment.page_id == wanted.page_id
    if wanted.q:
        yield with_words(wanted.q)
    if wanted.reason:
        yield Comment.id.in_(select(HoldReason.comment_id).where(HoldReason.code == wanted.reason))
    if wanted.revision:
        yield Comment.id.in_(select(CommentRevision.comment_id).where(CommentRevision.state == wanted.revision))
    if wanted.until:
        last = db.session.get(Comment, wanted.until)
        yield tuple_(Comment.created_at, Comment.id) <= (last.created_at, last.id) if last else false()
    yield from _about_author_and_text(wanted)


def _about_author_and_text(wanted: Filter) -> Iterator[Any]:
    if wanted.person:
        yield authors.same_person(wanted.person)
    if wanted.alike:
        kind, _, value = wanted.alike.partition(":")
        yield ALIKE[kind] == value
    if wanted.network:
        yield Comment.network_label == wanted.network
    if wanted.rating is not None:
        yield Comment.rating == wanted.rating
    if wanted.has_link is not None:
        yield Comment.html.contains("<a href=") == wanted.has_link
    if wanted.first_timer is not None:
        yield _has_approved() != wanted.first_timer


def _has_approved() -> Any:
    """Whether anything of a comment's person was ever approved: by address where there is one, else by token."""
    other = aliased(Comment)
    approved = select(other.id).where(other.site_id == Comment.site_id, other.status == "approved")
    by_email = approved.where(other.email_index == Comment.email_index).exists()
    by_token = approved.where(other.author_id == Comment.author_id).exists()
    return case((Comment.email_index.is_not(None), by_email), else_=by_token)


def _taken(wanted: Filter) -> Any:
    by = Claim.moderator_id == wanted.taken_by if wanted.taken_by else Claim.moderator_id != wanted.free_for
    claim = select(Claim.comment_id).where(Claim.comment_id == Comment.id, _COUNTS, by).exists()
    return claim if wanted.taken_by else ~claim


def listed(wanted: Filter, *, sort: str, after: Position | None, limit: int) -> Rows[Comment]:
    """Comments of some sites: oldest, newest or riskiest first, keyset-paged."""
    standing = places(wanted, sort=sort, after=after, limit=limit)
    found = {one.id: one for one in db.session.scalars(_WHOLE, {"ids": [one.id for one in standing.rows]})}
    return Rows([found[one.id] for one in standing.rows if one.id in found], standing.next)  # one may have gone


def listed_rows(wanted: Filter, *, sort: str, after: Position | None, limit: int) -> Rows[SeenRow]:
    """The same as rows that nobody changes, in half of the time: their ids and times are text."""
    found = db.session.execute(_standing(_SEEN, wanted, sort, after, limit)).all()
    return page_of(found, limit, lambda one: Position(datetime.fromisoformat(one.created_at), UUID(one.id), one.risk))


def places(wanted: Filter, *, sort: str, after: Position | None, limit: int) -> Rows[Position]:
    """Where the comments of a list stand in it."""
    found = [Position(*one) for one in db.session.execute(_standing(_PLACE, wanted, sort, after, limit))]
    return page_of(found, limit, lambda one: one)


def _standing(columns: Sequence[Any], wanted: Filter, sort: str, after: Position | None, limit: int) -> Select[Any]:
    if 1 < len(wanted.site_ids) <= _MOST_PARTS:
        # An index has the order of one site: of several together, the database would sort all that wait.
        each = (replace(wanted, site_ids=[one]) for one in wanted.site_ids)
        first = [_in_order(matching(select(Comment.id), one), sort, after).limit(limit + 1).subquery() for one in each]
        rows = _in_order(select(*columns).where(Comment.id.in_(union_all(*map(select, first)))), sort, None)
    else:
        rows = _in_order(matching(select(*columns), wanted), sort, after)
    return rows.limit(limit + 1)


def pages_of(ids_: Collection[str]) -> dict[str, Page]:
    """Some pages with their sites."""
    return {str(one.id): one for one in db.session.scalars(_PAGES, {"ids": list(ids_)})}


def reasons_of(comment_ids: Sequence[str]) -> dict[str, list[Row[Any]]]:
    """Why each of some comments was held; those that were not are left out."""
    found: dict[str, list[Row[Any]]] = {}
    for one in run(_REASONS, ids=comment_ids):
        found.setdefault(one.comment_id, []).append(one)
    return found


def _in_order(rows: Select[Any], sort: str, after: Position | None) -> Select[Any]:
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
    return rows if past is None else rows.where(past)


def count(wanted: Filter, most: int) -> int:
    """How many comments a filter matches, or `most` where there are as many or more: counting all takes too long."""
    found = select(func.count()).select_from(matching(select(Comment.id), wanted).limit(most).subquery())
    return db.session.scalar(found) or 0


def ids(wanted: Filter, *, of: BulkDecision, limit: int) -> list[UUID]:
    """The oldest comments that a filter matches and that a bulk decision is about: as they were when it was made.

    Not what came, was edited or decided since; nor what it has decided itself, whatever became of that.
    """
    rows = matching(select(Comment.id), wanted).where(Comment.received_at <= of.created_at)
    for since in (Comment.edited_at, Comment.decided_at):
        rows = rows.where(or_(since.is_(None), since <= of.created_at))
    own = select(UndoEntry.comment_id).where(UndoEntry.decision_id == of.id, UndoEntry.comment_id == Comment.id)
    rows = rows.where(~own.exists())
    return list(db.session.scalars(rows.order_by(Comment.created_at, Comment.id).limit(limit)))


def in_lock_order(ids_: Sequence[UUID], sites: Collection[UUID] | None) -> list[UUID]:
    """Those of some sites, in the order in which everybody locks: page by page, so that two bulks cannot cross."""
    rows = select(Comment.id).where(Comment.id.in_(ids_), is_of(Comment.site_id, sites))
    return list(db.session.scalars(rows.order_by(Comment.page_id, Comment.id)))


def some(ids_: Sequence[UUID], sites: Collection[UUID] | None) -> dict[UUID, Comment]:
    """Some comments, of those that are of some sites."""
    rows = select(Comment).where(Comment.id.in_(ids_), is_of(Comment.site_id, sites))
    return {one.id: one for one in db.session.scalars(rows)}


def revisions(comment_id: UUID) -> Sequence[CommentRevision]:
    rows = select(CommentRevision).where(CommentRevision.comment_id == comment_id)
    return db.session.scalars(rows.order_by(CommentRevision.created_at, CommentRevision.id)).all()


def common(one: Comment | Row[Any]) -> list[tuple[str, str]]:
    """What a comment may have in common with others, by the words of a filter."""
    found = (("host", one.alike_host), ("text", one.alike_text))
    return [(kind, value) for kind, value in found if value]


def newest(wanted: Filter) -> tuple[int, UUID | None, datetime | None]:
    """How many comments a filter matches, which came last, and when one of them was last edited."""
    last = matching(select(Comment.id), wanted).order_by(Comment.created_at.desc(), Comment.id.desc())
    both: Any = (func.count(), func.max(Comment.edited_at))
    number, edited = db.session.execute(matching(select(*both).select_from(Comment), wanted)).one()
    return number, db.session.scalar(last.limit(1)), edited


def claim(comment_id: UUID, moderator_id: UUID, name: str, until: datetime) -> bool:
    """Take a comment for somebody unless another has it; whether they have it now."""
    values = {"comment_id": comment_id, "moderator_id": moderator_id, "name": name, "until": until}
    is_free = or_(Claim.moderator_id == moderator_id, ~_COUNTS)
    return insert_or_update(Claim, values, "comment_id", when=is_free)


def claims_of(comment_ids: Sequence[str]) -> dict[str, Row[Any]]:
    """Who has taken which of some comments, as of now."""
    return {one.comment_id: one for one in run(_CLAIMS_OF, ids=comment_ids)}


def claims_by_moderator(site_ids: Sequence[UUID]) -> list[tuple[UUID, str, int, datetime]]:
    """Who has taken how many comments of some sites that still wait, and until when at the latest."""
    # Not a join: SQLite would go through all that wait rather than through the few that are taken.
    waits = matching(select(Comment.id).where(Comment.id == Claim.comment_id), Filter(site_ids, "pending"))
    rows = select(Claim.moderator_id, Claim.name, func.count(), func.max(Claim.until)).where(_COUNTS, waits.exists())
    found = db.session.execute(rows.group_by(Claim.moderator_id, Claim.name).order_by(Claim.name))
    return [(moderator_id, name, number, until) for moderator_id, name, number, until in found]


def drop_claims(*, comment_id: UUID | None = None, moderator_id: UUID | None = None) -> int:
    """Give back a comment, or all that somebody has taken; how many."""
    which = _DROP_CLAIM if comment_id else _DROP_CLAIMS
    return run(which, of=comment_id or moderator_id).rowcount


def forget_claims() -> None:
    db.session.execute(delete(Claim).where(~_COUNTS))
