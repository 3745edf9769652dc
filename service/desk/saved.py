"""Keep the list that is seen under a name, and let go of one."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from flask import Response
from werkzeug.exceptions import UnprocessableEntity

from service import errors
from service.accounts.guard import guarded, principal
from service.db import transaction
from service.desk import schemas
from service.desk.ui import away, bp, list_at, parser, queue_at, queue_page, state
from service.errors import Conflict, Problem
from service.filters import operations
from service.filters.routes import keep
from service.filters.schemas import List


@bp.route("/filters", methods=["POST"])
@guarded("moderate")
def save_filter() -> Response:
    """Keep the list that is seen under a name; what is wrong with it is said above the list."""
    place = parser.parse(schemas.Place(), location="form")
    back = dict(parse_qsl(place["back"]))
    try:
        values = parser.parse(schemas.Save(), location="form")
        asked = list_at(back)
        query = {name: asked[name] for name in List().fields} | {"status": state(asked)}
        with transaction():
            keep(values["name"], query, values["share"])
    except (UnprocessableEntity, Conflict) as refused:
        problem = refused if isinstance(refused, Problem) else errors.of_http(refused)
        return _again(back, problem)
    return away(queue_at(back))


def _again(back: dict[str, Any], problem: Problem) -> Response:
    return queue_page(list_at(back), back, problem.status, problem=problem)


@bp.route("/filters/<uuid:filter_id>/delete", methods=["POST"])
@guarded("moderate")
def delete_filter(filter_id: UUID) -> Response:
    """Let go of a filter."""
    place = parser.parse(schemas.Place(), location="form")
    with transaction():
        operations.delete(filter_id, principal())
    return away(queue_at(dict(parse_qsl(place["back"]))))
