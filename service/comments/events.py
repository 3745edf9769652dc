"""What an event tells about a comment: the moderator's view without address, network or html."""

from __future__ import annotations

from typing import Any

from service.comments import status as states
from service.comments.models import Comment
from service.comments.schemas import timestamp
from service.sites.events import page_view

LONGEST_TEXT = 4_000
"""Bytes of text in an event; the rest is behind `url`."""

EVENT_OF = {
    states.APPROVED: "comment.approved",
    states.REJECTED: "comment.rejected",
    states.SPAM: "comment.spam",
    states.DELETED: "comment.deleted",
    states.PENDING: "comment.restored",
}


def comment_data(comment: Comment, **more: Any) -> dict[str, Any]:
    """`data` of an event about a comment, with `more` (actor, reason, previous_status, …)."""
    told = {name: value for name, value in more.items() if value is not None}
    return {"comment": comment_view(comment), "page": page_view(comment.page)} | told


def comment_view(comment: Comment) -> dict[str, Any]:
    text, truncated = cut(comment.body, LONGEST_TEXT)
    return {
        "id": str(comment.id),
        "site": comment.site.key,
        "page_id": str(comment.page_id),
        "parent_id": str(comment.parent_id) if comment.parent_id else None,
        "status": comment.status,
        "author": {"name": comment.name, "website": comment.website, "avatar": comment.author.avatar},
        "text": text,
        "truncated": truncated,
        "url": f"/v1/moderation/comments/{comment.id}",
        "rating": comment.rating,
        "reasons": [one.code for one in comment.reasons],
        "created_at": timestamp(comment.created_at),
        "version": comment.version,
    }


def erased(data: dict[str, Any]) -> dict[str, Any]:
    """`data` of an event without what its comment's author gave, and without words about it."""
    blank = {"author": {"name": "", "website": None, "avatar": ""}, "text": "", "truncated": False, "rating": None}
    kept = {name: value for name, value in data.items() if name != "reason"}
    return kept | ({"comment": data["comment"] | blank} if "comment" in data else {})


def cut(text: str, longest: int) -> tuple[str, bool]:
    """At most `longest` bytes of UTF-8, cut between characters; whether anything was cut."""
    raw = text.encode()
    if len(raw) <= longest:
        return text, False
    return raw[:longest].decode(errors="ignore"), True
