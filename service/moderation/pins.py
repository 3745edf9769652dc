"""Pin what shall stand first below a page."""

from __future__ import annotations

from uuid import UUID

from service.accounts.principal import Principal
from service.audit.operations import Deed, record
from service.comments import queries as comments
from service.comments.models import Comment
from service.comments.status import APPROVED
from service.comments.threads import MOST_PINNED
from service.db import db, now
from service.errors import Conflict
from service.moderation.operations import find_locked


def pin(comment_id: UUID, who: Principal) -> Comment:
    """Let a published comment stand first below its page; one that does already stays so.

    Its version stays as it is. Raises Conflict when it is not published, answers another one, or the page has as many
    pinned ones as it may.
    """
    comment = find_locked(comment_id, who)
    if comment.pinned_at:
        return comment
    if comment.status != APPROVED or comment.parent_id:
        raise Conflict("Only a published comment that answers no other can be pinned.")
    if comments.count_pinned(comment.page_id) >= MOST_PINNED:
        raise Conflict(f"{MOST_PINNED} comments of this page are pinned already. Take one of them down first.")
    return _changed(comment, "comment.pinned", who)


def unpin(comment_id: UUID, who: Principal) -> Comment:
    """Let a comment stand where it stood; one that is not pinned stays so."""
    comment = find_locked(comment_id, who)
    return _changed(comment, "comment.unpinned", who) if comment.pinned_at else comment


def _changed(comment: Comment, action: str, who: Principal) -> Comment:
    comments.set_pinned(comment.id, now() if action == "comment.pinned" else None)
    db.session.refresh(comment, ["pinned_at"])
    record(Deed(action, who.actor, comment.site_id, comment.id))
    return comment
