"""The doors about what stands first below a page."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import request

from service.accounts.guard import guarded, principal
from service.db import transaction
from service.doors import GuardedDoor, tells
from service.idempotency.operations import Answer, Asked, once
from service.moderation import pins, schemas, views

bp = GuardedDoor(
    "pins",
    __name__,
    url_prefix="/v1/moderation/comments/<uuid:comment_id>/pin",
    description="What stands first below a page.",
)


@bp.route("", methods=["POST"])
@guarded("moderate")
@bp.response(200, schemas.CommentView)
@tells(409, headers=("Idempotency-Key",))
def pin(comment_id: UUID) -> Any:
    """Let a published comment stand first below its page, whatever the order; at most three of a page do."""
    key = request.headers.get("Idempotency-Key")
    asked = Asked(by=principal().actor, door="moderation.pin", key=key, body={"comment": str(comment_id)})

    def act() -> Answer:
        comment = pins.pin(comment_id, principal())
        return Answer(200, schemas.CommentView().dump(views.comment(comment, principal())))

    with transaction():
        return once(asked, act).body


@bp.route("", methods=["DELETE"])
@guarded("moderate")
@bp.response(204)
@tells(409)
def unpin(comment_id: UUID) -> None:
    """Let it stand where it stood."""
    with transaction():
        pins.unpin(comment_id, principal())
