"""Say what somebody looks at. It changes no content, so it is neither an event nor in the audit log."""

from __future__ import annotations

from datetime import timedelta

from service.accounts.principal import Principal
from service.comments.models import Comment
from service.db import now
from service.presence import queries

LASTS = timedelta(seconds=25)
"""How long somebody counts as there who says no more: the desk says it, and asks, every 20 seconds."""
_AGAIN = timedelta(seconds=10)


def is_said(comment: Comment, who: Principal) -> bool:
    """Whether it was said a moment ago, and need not be written again."""
    until = queries.seen_until(who.moderator_id, comment.id)
    return until is not None and until > now() + LASTS - _AGAIN


def say(comment: Comment, who: Principal) -> None:
    """Let others see that `who` has a comment in front of them, and no other any more."""
    queries.set_presence(who.moderator_id, comment.site_id, comment.id, now() + LASTS)


def others(who: Principal) -> dict[str, list[str]]:
    """Comments on sites of `who`, each by its id with the names of those else who look at it."""
    found: dict[str, list[str]] = {}
    for comment_id, name in queries.others(who.moderator_id, who.site_ids("read")):
        found.setdefault(str(comment_id), []).append(name)
    return found
