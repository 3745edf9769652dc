"""One decision on many at the desk: on what was selected, or on all that a list matches."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from flask import Response, request, url_for
from werkzeug.exceptions import UnprocessableEntity

from service import errors
from service.accounts.guard import guarded, principal
from service.db import transaction
from service.desk import outcomes, schemas
from service.desk.once import once_by_form
from service.desk.pages import draw, wants_fragment
from service.desk.ui import away, bp, is_of_those_that_wait, list_at, parser, queue_at, queue_page
from service.doors import TEXT_BODY, settings, takes
from service.errors import Conflict, NotFound, Problem
from service.moderation import bulk
from service.moderation.decisions import queries as decisions
from service.moderation.operations import Verdict
from service.moderation.routes import many as decided
from service.moderation.schemas import QueueFilter


@bp.route("/decisions", methods=["POST"])
@takes(TEXT_BODY)
@guarded("moderate")
def decide_many() -> Response:
    """Decide on what was selected. What is not so any more is told, and nothing is lost by it."""
    place = parser.parse(schemas.Place(), location="form")
    try:
        values = parser.parse(schemas.Many(), location="form")
        return _there(_once(values), values)
    except (UnprocessableEntity, Conflict) as refused:
        if wants_fragment() and not request.form.get("all"):
            raise
        return _again(place, refused if isinstance(refused, Problem) else errors.of_http(refused))


def _once(values: dict[str, Any]) -> dict[str, Any]:
    """What became of it, as the API tells. The same form sent again, its answer lost, gets the same."""
    body = _as_the_api_asks(values)
    verdict = Verdict(values["decision"], None, values["reason_code"], hold_back=settings().undo_seconds)
    with transaction():
        done = once_by_form("many", values["key"], body, lambda: decided(body, verdict))
    if done["id"] is None:
        raise Conflict(outcomes.many_refused(done["results"], principal()))
    return done


def _as_the_api_asks(values: dict[str, Any]) -> dict[str, Any]:
    ruled = {name: values[name] for name in ("decision", "reason_code")}
    if not values["all"]:
        return ruled | {"items": [{"id": one, "if_match": seen} for one, seen in values["item"]]}
    query = list_at(dict(parse_qsl(values["back"])))
    if not is_of_those_that_wait(query):
        raise Conflict("What does not wait has to be selected one by one. Nothing was changed.")
    meant = {name: query.get(name) for name in QueueFilter().fields}
    return ruled | {"filter": meant} | {name: values[name] for name in ("count", "newest", "edited")}


def _there(done: dict[str, Any], values: dict[str, Any]) -> Response:
    """To the list again, or to how far it is when it takes longer."""
    back = dict(parse_qsl(values["back"]))
    if done["state"] in ("working", "undoing"):
        there = url_for("desk.many", decision_id=done["id"], back=values["back"] or None)
    else:
        whole = {"cursor": None, "alike": None}  # all of it was decided, and nothing of it is left to be seen
        there = queue_at(back | (whole if values.get("all") else {}), many=done["id"])
    return Response(headers={"HX-Redirect": there}) if wants_fragment() else away(there)


def _again(place: dict[str, Any], problem: Problem) -> Response:
    """The list as it is now, with what was wrong; all of it stays selected if it was, by its present count."""
    back = dict(parse_qsl(place["back"]))
    asked = list_at(back) | {"select": schemas.ALL if request.form.get("all") else None}
    answer = queue_page(asked, back, problem.status, problem=problem)
    if wants_fragment():  # only the buttons, about what matches now
        answer.headers |= {"HX-Retarget": "#many", "HX-Reswap": "outerHTML", "HX-Reselect": "#many, #main > #say-page"}
    return answer


@bp.route("/decisions/<uuid:decision_id>")
@guarded("read")
def many(decision_id: UUID) -> Response:
    """What became of a decision on many of my own, or how far it is."""
    return _page(decision_id, parser.parse(schemas.Place(), location="query")["back"])


def _page(decision_id: UUID, back: str, status: int = 200, **told: Any) -> Response:
    found = decisions.bulk(decision_id, principal().moderator_id)
    if found is None:
        raise NotFound("There is no decision by that id.")
    of_all = outcomes.each_of_many(found, principal())
    return draw("many.html", status, many=of_all, back=back, queue=queue_at(dict(parse_qsl(back))), **told)


@bp.route("/decisions/<uuid:decision_id>/undo", methods=["POST"])
@guarded("moderate")
def undo_many(decision_id: UUID) -> Response:
    """Bring back what stood before a decision on many."""
    values = parser.parse(schemas.Place(), location="form")
    try:
        with transaction():
            done = bulk.undo(decision_id, principal())
    except Conflict as problem:
        return _page(decision_id, values["back"], problem.status, problem=problem)
    return _there({"id": decision_id, "state": done.state}, values)
