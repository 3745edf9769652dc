"""The queue and every other list of moderators."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, bindparam, case, delete, false, func, or_, select, tuple_, union_all
from sqlalchemy.orm import aliased, joinedload, selectinload

from service.authors import queries as authors
from service.comments.models import Comment, CommentRevision, HoldReason, UndoEntry
from service.comments.search.queries import with_words
from service.db import db, insert_or_update, now, run, table_of
from service.moderation.models import BulkDecision, Claim
from service.pagination import Page as Rows
from service.pagination import Position, page_of
from service.sites.queries import is_of

LEASE = timedelta(minutes=10)
"""How long a comment is kept for who took it."""
_MOST_PARTS = 50  # of one statement
_COUNTS = and_(
    Claim.until > bindparam("now", callable_=now), Claim.until <= bindparam("end", callable_=lambda: now() + LEASE)
)
"""Whether a claim is of now: one that lasts longer than any can was made by a clock that was put back since."""
_OF: Any = bindparam("ids", expanding=True)
_CLAIMS_OF = select(Claim).where(Claim.comment_id.in_(_OF), _COUNTS).execution_options(populate_existing=True)
_DROP_CLAIM, _DROP_CLAIMS = (
    delete(table_of(Claim)).where(table_of(Claim).c[name] == bindparam("of")) for name in ("comment_id", "moderator_id")
)
_DECIDED_LAST = and_(Comment.id == UndoEntry.comment_id, Comment.decision_id == UndoEntry.decision_id)
_UNDOABLE = (
    select(UndoEntry.comment_id)
    .join(Comment, _DECIDED_LAST)
    .where(UndoEntry.comment_id.in_(_OF), UndoEntry.undone_at.is_(None))
)
ALIKE = {"host": Comment.alike_host, "text": Comment.alike_text}
"""What comments may have in common, by the word for it in a filter."""


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


def matching(rows: Select[Any], wanted: Filter) -> Select[Any]:
    """Rows of comments, held to those that a filter means."""
    rows = rows.where(Comment.site_id.in_(wanted.site_ids), *_conditions(wanted))
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
    around = selectinload(Comment.page), selectinload(Comment.site), joinedload(Comment.author)
    if 1 < len(wanted.site_ids) <= _MOST_PARTS:
        # An index has the order of one site: of several together, the database would sort all that wait.
        each = (replace(wanted, site_ids=[one]) for one in wanted.site_ids)
        first = [_in_order(matching(select(Comment.id), one), sort, after).limit(limit + 1).subquery() for one in each]
        rows = _in_order(select(Comment).where(Comment.id.in_(union_all(*map(select, first)))), sort, None)
    else:
        rows = _in_order(matching(select(Comment), wanted), sort, after)
    found = db.session.scalars(rows.options(*around, selectinload(Comment.parent)).limit(limit + 1)).all()
    return page_of(found, limit, lambda one: Position(one.created_at, one.id, one.risk))


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


def common(one: Comment) -> list[tuple[str, str]]:
    """What a comment may have in common with others, by the words of a filter."""
    found = (("host", one.alike_host), ("text", one.alike_text))
    return [(kind, value) for kind, value in found if value]


def newest(wanted: Filter) -> tuple[int, UUID | None, datetime | None]:
    """How many comments a filter matches, which came last, and when one of them was last edited."""
    last = matching(select(Comment.id), wanted).order_by(Comment.created_at.desc(), Comment.id.desc())
    both: Any = (func.count(), func.max(Comment.edited_at))
    number, edited = db.session.execute(matching(select(*both).select_from(Comment), wanted)).one()
    return number, db.session.scalar(last.limit(1)), edited


def bulk(bulk_id: UUID, moderator_id: UUID) -> BulkDecision | None:
    """A bulk decision of somebody's own."""
    whose = BulkDecision.moderator_id == moderator_id
    return db.session.scalar(select(BulkDecision).where(BulkDecision.id == bulk_id, whose))


def claim(comment_id: UUID, moderator_id: UUID, name: str, until: datetime) -> bool:
    """Take a comment for somebody unless another has it; whether they have it now."""
    values = {"comment_id": comment_id, "moderator_id": moderator_id, "name": name, "until": until}
    is_free = or_(Claim.moderator_id == moderator_id, ~_COUNTS)
    return insert_or_update(Claim, values, "comment_id", when=is_free)


def claims_of(comment_ids: Sequence[UUID]) -> dict[UUID, Claim]:
    """Who has taken which of some comments, as of now."""
    return {one.comment_id: one for one in db.session.scalars(_CLAIMS_OF, {"ids": list(comment_ids)})}


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


def locked_bulk(bulk_id: UUID) -> BulkDecision | None:
    """A bulk decision as it is now, locked: its worker waits until the commit."""
    row = select(BulkDecision).where(BulkDecision.id == bulk_id).with_for_update()
    return db.session.scalar(row.execution_options(populate_existing=True))


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


def written_with(decision_id: UUID, comment_id: UUID) -> list[UUID]:
    """Replies to a comment that were written with a decision on it, as long as nobody has decided on them since."""
    rows = select(UndoEntry.comment_id).join(Comment, Comment.id == UndoEntry.comment_id)
    rows = rows.where(UndoEntry.decision_id == decision_id, UndoEntry.undone_at.is_(None))
    rows = rows.where(Comment.parent_id == comment_id, Comment.decided_at.is_(None), Comment.erased_at.is_(None))
    return list(db.session.scalars(rows))


def undoable(comment_ids: Sequence[UUID]) -> set[UUID]:
    """Those of some comments of which the last decision can still be undone."""
    return set(run(_UNDOABLE, ids=list(comment_ids)).scalars())


def forget_undo(before: datetime, limit: int) -> int:
    """Delete up to `limit` entries older than a moment; how many."""
    old = select(UndoEntry.decision_id).where(UndoEntry.created_at < before).limit(limit)
    gone = delete(UndoEntry).where(UndoEntry.decision_id.in_(old), UndoEntry.created_at < before)
    return int(db.session.execute(gone).rowcount)  # type: ignore[attr-defined]


def next_bulk(without: Collection[UUID]) -> BulkDecision | None:
    """The oldest unfinished bulk decision but some, locked; another worker's is skipped."""
    rows = select(BulkDecision).where(BulkDecision.state == "working", BulkDecision.id.not_in(without))
    return db.session.scalar(rows.order_by(BulkDecision.created_at).limit(1).with_for_update(skip_locked=True))
