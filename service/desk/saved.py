"""Keep the list that is seen under a name, let go of one, and see how many comments each of them matches."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from flask import Response
from werkzeug.exceptions import UnprocessableEntity

from service import errors
from service.accounts.guard import guarded, principal
from service.db import Busy, db, transaction
from service.desk import schemas
from service.desk.pages import draw, wants_fragment
from service.desk.ui import away, bp, kept_filters, list_at, parser, queue_at, queue_page, state
from service.errors import Conflict, Problem
from service.filters import operations
from service.filters.routes import keep
from service.filters.schemas import List


@bp.route("/filters")
@guarded("read")
def filters() -> Response:
    """The filters with their counts: a page, or what the queue's page puts in the place of those without.

    A request of its own: counting may take long, or be given up by the database, and the queue must not wait for it.
    """
    asked = parser.parse(schemas.Filters(), location="query")
    try:
        kept = kept_filters(asked["cursor"], counted=True)
    except Busy:
        db.session.rollback()
        kept = kept_filters(asked["cursor"], counted=False) | {"given_up": True}
    return draw("chips.html" if wants_fragment() else "filters.html", saved=kept, back=asked["back"])


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
