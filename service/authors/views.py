"""Comments as their author sees them: nothing of what moderators think of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from service.authors import operations, queries
from service.comments.models import Comment, CommentRevision
from service.comments.schemas import timestamp
from service.comments.status import REJECTED
from service.sites import queries as sites


def every(found: Sequence[Comment]) -> list[dict[str, Any]]:
    newest = queries.unpublished([one.id for one in found])
    rejected = [one for one in found if one.status == REJECTED and one.reason_code]
    told = sites.sentences({one.site_id for one in rejected}, {one.reason_code or "" for one in rejected})
    why = {one.id: told.get((one.site_id, one.reason_code or "")) for one in rejected}
    return [_comment(one, newest.get(one.id)) | {"reason": why.get(one.id)} for one in found]


def one(comment: Comment) -> dict[str, Any]:
    return every([comment])[0]


def _comment(one: Comment, newest: CommentRevision | None) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "page": {"id": str(one.page_id), "url": one.page.url, "title": one.page.public_title},
        "parent_id": str(one.parent_id) if one.parent_id else None,
        "status": one.told_status,
        "name": one.name,
        "website": one.website,
        "avatar": one.author.avatar,
        "body": one.body,
        "html": one.html,
        "rating": one.rating,
        "created_at": timestamp(one.created_at),
        "edited_at": timestamp(one.edited_at),
        "notify": one.notify,
        "revision": _revision(operations.told_revision(one, newest)),
        "version": operations.version(one, newest),
    }


def _revision(row: CommentRevision | None) -> dict[str, Any] | None:
    return {"state": row.state, "body": row.body, "created_at": timestamp(row.created_at)} if row else None
