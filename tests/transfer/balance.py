"""Every counter, computed anew from the rows and compared with what is stored."""

from __future__ import annotations

from collections import Counter, defaultdict
from uuid import UUID

from sqlalchemy import select

from service.comments.models import Author, Comment, CommentSearch, CommentTally
from service.db import db
from service.reactions.models import Vote
from service.sites.models import Page, RatingCount


def imbalance() -> list[str]:
    """What does not agree: empty when all is well."""
    db.session.rollback()
    db.session.expire_all()
    comments = list(db.session.scalars(select(Comment)))
    return [*_pages(comments), *_tallies(comments), *_votes(), *_words(comments), *_authors(comments)]


def _pages(comments: list[Comment]) -> list[str]:
    approved = [one for one in comments if one.status == "approved"]
    counts = Counter(one.page_id for one in approved)
    found = [f"page {p.key} counts {p.comment_count}" for p in _all(Page) if p.comment_count != counts[p.id]]
    bars = Counter((one.page_id, one.rating_scale, one.rating) for one in approved if one.rating is not None)
    stored = Counter({(b.page_id, b.scale, b.value): b.count for b in _all(RatingCount) if b.count})
    return found + ([] if bars == stored else [f"ratings {stored} for {bars}"])


def _tallies(comments: list[Comment]) -> list[str]:
    children: dict[UUID | None, list[Comment]] = defaultdict(list)
    for one in comments:
        children[one.parent_id].append(one)
    descending = list(children[None])
    for one in descending:
        descending += children[one.id]
    shows: dict[UUID, bool] = {}
    for one in reversed(descending):
        shows[one.id] = one.status == "approved" or any(shows[kid.id] for kid in children[one.id])
    tallies = {tally.comment_id: tally for tally in _all(CommentTally)}
    found = []
    for one in comments:
        kids = children[one.id]
        truth = (sum(kid.status == "approved" for kid in kids), sum(shows[kid.id] for kid in kids), shows[one.id])
        tally = tallies.get(one.id)
        stored = (tally.replies if tally else 0, tally.shown_replies if tally else 0, one.shown)
        if stored != truth:
            found.append(f"comment {one.source_id}: {stored} for {truth}")
    return found


def _votes() -> list[str]:
    counted = Counter({tally.comment_id: tally.votes for tally in _all(CommentTally) if tally.votes})
    votes = Counter(vote.comment_id for vote in _all(Vote))
    return [] if counted == votes else [f"votes {counted} for {votes}"]


def _words(comments: list[Comment]) -> list[str]:
    stored = {row.comment_id for row in _all(CommentSearch)}
    return [] if stored == {one.id for one in comments} else ["the index of words has other comments"]


def _authors(comments: list[Comment]) -> list[str]:
    stored = {row.id for row in _all(Author)}
    return [] if stored == {one.author_id for one in comments} else ["there are authors without comments"]


def _all(table: type) -> list:  # type: ignore[type-arg]
    return list(db.session.scalars(select(table)))
