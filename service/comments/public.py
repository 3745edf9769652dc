"""What the public is told, name by name. Add a field here and in schemas.py, or nobody sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from service.comments.schemas import timestamp
from service.comments.threads import Node
from service.pagination import Position
from service.sites.models import Page, Site
from service.sites.operations import scale_of
from service.sites.terms import privacy_text, why_closed

CursorOf = Callable[[Position | None, str], str | None]


def comment(node: Node, cursor_of: CursorOf) -> dict[str, Any]:
    """A node as anybody may see it. Built from public columns, name by name."""
    row = node.row
    place = {"id": row.id, "parent_id": row.parent_id}
    below = {
        "replies": [comment(one, cursor_of) for one in node.replies],
        "replies_next": cursor_of(node.next, row.id),
    }
    if not row.approved:
        return place | {"removed": True} | below
    return place | told(row) | below


def told(row: Any) -> dict[str, Any]:
    """What a published comment says."""
    return {
        "author": {
            "name": row.name, "website": row.website, "avatar": row.avatar, "is_moderator": row.is_moderator,
        },
        "html": row.html,
        "rating": row.rating,
        "pinned": row.pinned_at is not None,
        "created_at": timestamp(row.created_at),
        "edited_at": timestamp(row.edited_at),
        "votes": row.votes,
        "reply_count": row.reply_count,
    }  # fmt: skip


def latest(row: Any) -> dict[str, Any]:
    """A published comment out of its thread, with its page."""
    place = {"id": row.id, "parent_id": row.parent_id}
    page_link = {"id": str(row.page_id), "url": row.page_url, "title": row.page_title}
    return place | told(row) | {"replies": [], "replies_next": None, "page": page_link}


def rating(site: Site, histogram: dict[float, int] | None) -> dict[str, Any] | None:
    """Average and histogram of the approved ratings; None when there are none."""
    count = sum((histogram or {}).values())
    if not site.rating_max or not histogram or not count:
        return None
    total = sum(value * many for value, many in histogram.items())
    return {
        "average": round(total / count, 2),
        "count": count,
        "best": site.rating_max,
        "worst": 0.5 if site.rating_halves else 1.0,
        "histogram": [{"value": value, "count": many} for value, many in sorted(histogram.items())],
    }


def form(site: Site, found: Page | None, token: str) -> dict[str, Any]:
    """What a client needs to draw the form for a page, with a fresh time token."""
    scale = scale_of(site)
    return {
        "token": token,
        "language": site.language,
        "scale": {"maximum": scale.maximum, "step": scale.step} if scale else None,
        "privacy": {
            "text": privacy_text(site),
            "own": bool(site.privacy_text),
            "days": site.retention_days,
            "url": site.privacy_url,
        },  # fmt: skip
        "closed": why_closed(found),
    }


def page(found: Page | None, url: str | None, rated: dict[str, Any] | None) -> dict[str, Any]:
    """A page of a site; one that nobody has written on yet is open and empty."""
    if found is None:
        return {"id": None, "url": url, "title": "", "state": "open", "comment_count": 0, "rating": None}
    return {
        "id": str(found.id),
        "url": found.url,
        "title": found.public_title,
        "state": "closed" if found.closed_since() else "open",
        "comment_count": found.comment_count,
        "rating": rated,
    }
