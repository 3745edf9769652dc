"""The doors of saved filters."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from flask import request

from service.accounts.guard import guarded, principal
from service.comments.schemas import ListQuery
from service.db import transaction
from service.doors import GuardedDoor, tells
from service.filters import operations, schemas, views
from service.filters.operations import Kept
from service.idempotency.operations import Answer, Asked, once
from service.moderation.routes import wanted
from service.moderation.scope import site_of, sites_of
from service.pagination import read_cursor, write_cursor

bp = GuardedDoor("filters", __name__, url_prefix="/v1/moderation/filters", description="Filters that are saved.")


@bp.route("")
@guarded("read")
@bp.arguments(ListQuery, location="query")
@bp.response(200, schemas.Saved)
def read(query: dict[str, Any]) -> dict[str, Any]:
    """Your filters and those that are shared on your sites, newest first, each with how many comments it matches."""
    found = views.listed(principal(), read_cursor(query["cursor"], "filters"), query["limit"])
    return {"filters": found.rows, "next": write_cursor(found.next, "filters")}


@bp.route("", methods=["POST"])
@guarded("moderate")
@bp.arguments(schemas.Save)
@bp.response(201, schemas.SavedView)
@tells(409, headers=("Idempotency-Key",))
def save(values: dict[str, Any]) -> tuple[Any, int]:
    """Keep a filter under a name; an owner may share it with the moderators of the site."""
    asked = Asked(
        principal().actor,
        "filters",
        request.headers.get("Idempotency-Key"),
        json.loads(json.dumps(values, default=str)),
    )
    with transaction():
        done = once(asked, lambda: Answer(201, keep(values["name"], values["filter"], values["share"])))
    return done.body, done.status


def keep(name: str, query: dict[str, Any], share: str | None) -> dict[str, Any]:
    """Keep a filter that its moderator may use, and show it. Call it inside a transaction."""
    wanted(query, "moderate")  # refuses what is not there
    made = operations.save(Kept(name, schemas.stored(query), site_of(share, "manage") if share else None), principal())
    (shown,) = views.told([made], sites_of(None, "read"), principal())
    told: dict[str, Any] = schemas.SavedView().dump(shown)
    return told


@bp.route("/<uuid:filter_id>", methods=["DELETE"])
@guarded("moderate")
@bp.response(204)
def delete(filter_id: UUID) -> None:
    """Let go of a filter of yours, or of one that is shared on a site of which you are an owner."""
    with transaction():
        operations.delete(filter_id, principal())
