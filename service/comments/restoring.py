"""Store what an import brings: many comments in one stroke, counted exactly as `transition` counts them.

One by one they would take some twenty statements each, and an archive of years would take hours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from service.comments import queries
from service.comments.models import Comment
from service.comments.operations import reshow
from service.comments.search.queries import index_new
from service.comments.status import APPROVED
from service.db import db
from service.sites.queries import count_comment, count_rating, lock_page


def restore(arrivals: Sequence[tuple[Comment, str]]) -> None:
    """Store new comments, given their words by `write`, each in its state; silent. Parents stand before answers."""
    for page_id in sorted({comment.page_id for comment, _ in arrivals}):
        lock_page(page_id)
    for comment, status in arrivals:
        comment.status, comment.shown = status, status == APPROVED
    comments = [comment for comment, _ in arrivals]
    db.session.add_all(comments)
    db.session.flush()
    queries.add_reasons(comments)
    index_new(comments)
    _count_ratings(comments)
    _count([one for one in comments if one.shown])


def _count_ratings(comments: Sequence[Comment]) -> None:
    """What waits counts for nothing, but it shows that its scale is in use."""
    rated: Counter[tuple[UUID, float, float]] = Counter()
    for one in comments:
        if one.rating is not None and one.rating_scale is not None:
            rated[one.page_id, one.rating_scale, one.rating] += int(one.shown)
    for (page_id, scale, rating), many in rated.items():
        count_rating(page_id, scale, rating, many)


def _count(approved: Sequence[Comment]) -> None:
    """Pages and parents, each once for all that came."""
    replies = Counter(one.parent_id for one in approved if one.parent_id)
    for page_id, many in Counter(one.page_id for one in approved).items():
        count_comment(page_id, many)
    for parent_id, many in replies.items():
        tally = queries.tally(parent_id)
        tally.replies += many
        tally.shown_replies += many
        db.session.flush()
        parent = queries.place_of(parent_id)
        if not parent.shown:
            reshow(parent_id, parent.parent_id, parent.status)


def adopt(comment_id: UUID, parent_id: UUID) -> bool:
    """Hang a root under the parent that an import brought after it, with all that is counted; silent.

    False, and nothing is changed, when the parent stands under the comment itself.
    """
    lock_page(queries.place_of(comment_id).page_id)
    if queries.stands_under(parent_id, comment_id):
        return False
    child = queries.place_of(comment_id)
    queries.set_parent(comment_id, parent_id)
    parent = queries.place_of(parent_id)
    tally = queries.tally(parent_id)
    tally.replies += int(child.status == APPROVED)
    tally.shown_replies += int(child.shown)
    db.session.flush()
    if child.shown and not parent.shown:
        reshow(parent_id, parent.parent_id, parent.status)
    return True
