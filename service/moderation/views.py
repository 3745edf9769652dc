"""Rows as moderators see them."""

from __future__ import annotations

from typing import Any

from service.audit.queries import Link
from service.comments.models import Comment
from service.comments.schemas import timestamp
from service.moderation import operations, queries
from service.reactions import queries as reactions
from service.sites.models import Page
from service.webhooks.models import Event


def comment(one: Comment) -> dict[str, Any]:
    return {
        "id": one.id,
        "site": one.site.key,
        "page": page(one.page),
        "parent_id": one.parent_id,
        "status": one.status,
        "author": {
            "name": one.name,
            "website": one.website,
            "avatar": one.author.avatar,
            "is_moderator": one.is_moderator,
        },
        "email": operations.masked_email(one),
        "network": one.network_label,
        "text": one.body,
        "body_format": one.body_format,
        "html": one.html,
        "rating": one.rating,
        "rating_scale": one.rating_scale,
        "reasons": [{"code": reason.code, "detail": reason.detail} for reason in one.reasons],
        "risk": one.risk,
        "created_at": timestamp(one.created_at),
        "edited_at": timestamp(one.edited_at),
        "decided_at": timestamp(one.decided_at),
        "decided_by": operations.decider(one),
        "reason": one.reason,
        "source": one.source,
        "version": one.version,
    }


def whole(one: Comment, history: list[Link]) -> dict[str, Any]:
    """A comment with its history, revisions, reports and the person's record."""
    record = queries.record_of(one)
    revisions = [
        {"id": row.id, "state": row.state, "text": row.body, "by": row.by, "created_at": timestamp(row.created_at)}
        for row in queries.revisions(one.id)
    ]
    reports = [
        {"reason": row.reason, "note": row.note, "at": timestamp(row.created_at)} for row in reactions.reports(one.id)
    ]
    return comment(one) | {
        "history": [entry(link) for link in history],
        "revisions": revisions,
        "reports": reports,
        "person": record | {"first_seen": timestamp(record["first_seen"])},
    }


def entry(link: Link) -> dict[str, Any]:
    row, detail = link
    return {
        "id": row.id,
        "n": row.n,
        "chain": row.chain,
        "at": timestamp(row.at),
        "actor": row.actor,
        "action": row.action,
        "subject_id": row.subject_id,
        "details": detail.details if detail else None,
    }


def page(one: Page) -> dict[str, Any]:
    state = "closed" if one.closed_since() else "open"
    return {"id": one.id, "url": one.url, "title": one.title, "state": state}


def whole_page(one: Page) -> dict[str, Any]:
    more = {"site": one.site.key, "comment_count": one.comment_count, "created_at": timestamp(one.created_at)}
    return page(one) | more


def event(one: Event) -> dict[str, Any]:
    return {
        "id": one.id,
        "seq": one.seq,
        "type": one.type,
        "timestamp": timestamp(one.created_at),
        "data": one.data,
    }
