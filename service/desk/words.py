"""Times, outcomes and deeds in words for people."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from service.accounts import queries as accounts
from service.comments import status as states
from service.comments.schemas import timestamp
from service.db import now
from service.moderation.operations import OTHERS

LABELS = {"approve": "Approve", "reject": "Reject", "spam": "Spam", "delete": "Delete", "restore": "Restore"}
"""What the button of a decision says."""

OUTCOMES = {
    states.PENDING: "Back in the queue.",
    states.APPROVED: "Approved.",
    states.REJECTED: "Rejected.",
    states.SPAM: "Marked as spam.",
    states.DELETED: "Deleted.",
}
"""What became of a comment."""

_DEEDS = {
    "comment.created": "Sent",
    "comment.approved": "Approved",
    "comment.rejected": "Rejected",
    "comment.spam": "Marked as spam",
    "comment.deleted": "Deleted",
    "comment.restored": "Put back in the queue",
    "comment.edited": "Text changed",
    "comment.flagged": "Reported",
    "comment.revealed": "E-mail address shown",
    "comment.revision-held": "A change of the text was held",
}
_STEPS = ((timedelta(days=1), "day"), (timedelta(hours=1), "hour"), (timedelta(minutes=1), "minute"))
_RECENT = timedelta(days=30)


def moment(at: datetime) -> dict[str, str]:
    """A time for machines, in full, and as its age."""
    return {"iso": timestamp(at) or "", "full": f"{at:%-d %B %Y, %H:%M} UTC", "age": age(at)}


def age(at: datetime) -> str:
    """`just now`, `5 minutes ago`; the date when it is longer ago than a month."""
    passed = now() - at
    if passed >= _RECENT:
        return f"{at:%-d %B %Y}"
    for step, name in _STEPS:
        number = passed // step
        if number >= 1:
            return f"{number} {name}{'s' if number > 1 else ''} ago"
    return "just now"


def deed(action: str) -> str:
    """An action of the audit log; one that has no words here says its name."""
    return _DEEDS.get(action, action)


def actor(text: str) -> str:
    """Who an actor of the audit log is: `moderator:<id>` → the name."""
    kind, _, id_ = text.partition(":")
    if kind == "moderator":
        found = accounts.moderator_by_id(UUID(id_))
        return found.name if found else "a former moderator"
    if kind == "token":
        token = accounts.token_by_id(UUID(id_))
        return f"the token “{token.name}”" if token else "a former token"
    return OTHERS.get(kind, text)


def host(url: str) -> str:
    """The host that a URL really leads to, in ASCII: a look-alike in other letters shows as `xn--…`."""
    try:
        name = urlsplit(url).hostname or ""
        return name.encode("idna").decode()
    except ValueError:
        return ""
