"""People at the desk: what is known of them, and what a site decides about them in advance."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from flask import Response, redirect, request, url_for
from werkzeug.exceptions import UnprocessableEntity

from service import errors
from service.accounts.guard import guarded, principal
from service.comments.models import Comment
from service.db import now, transaction
from service.desk import people_schemas, schemas, views
from service.desk.acts import bp as bp
from service.desk.pages import draw
from service.desk.ui import list_at, parser, queue_at, queue_page
from service.doors import TEXT_BODY, takes
from service.errors import Conflict, Invalid, Problem
from service.moderation import operations, people, queries
from service.moderation.queries import Filter
from service.moderation.scope import site_of, sites_of
from service.pagination import read_cursor, write_cursor
from service.rules import queries as rules
from service.rules.operations import Terms

SHOWN = 20
"""Comments of a person on their page; the others are in the queue."""
_DAYS = {"day": 1, "week": 7, "month": 30}
_LAST_SECOND = time(23, 59, 59)


@bp.route("/people/lookup", methods=["POST"])
@guarded("moderate")
def look_up() -> Response:
    """The page of whoever writes with an address on a site; the address stands in no URL."""
    place = parser.parse(schemas.Place(), location="form")
    try:
        values = parser.parse(people_schemas.LookUp(), location="form")
    except UnprocessableEntity as error:
        return _nobody(place["back"], errors.of_http(error))
    with transaction():
        found = operations.person_with(site_of(values["site"], "moderate"), values["email"], principal())
    return _away(url_for("desk.person", comment_id=found)) if found else _nobody(place["back"])


def _nobody(back: str, problem: Problem | None = None) -> Response:
    """The list again, with the address that was typed and why it led nowhere."""
    query = dict(parse_qsl(back))
    sought = {"problem": problem, "typed": request.form}
    return queue_page(list_at(query), query, problem.status if problem else 200, sought=sought)


@bp.route("/people/<uuid:comment_id>")
@guarded("read")
def person(comment_id: UUID) -> Response:
    """Whoever wrote a comment, with the rules about them and what else they wrote."""
    return _person_page(operations.find(comment_id, principal(), "read"))


def _person_page(one: Comment, status: int = 200, **told: Any) -> Response:
    theirs = {"status": schemas.EVERY, "sort": "newest", "person": str(one.id)}
    found = queries.listed(Filter([one.site_id], person=one.id), sort="newest", after=None, limit=SHOWN)
    return draw(
        "person.html",
        status,
        person=views.person(people.known(one), principal()),
        items=views.items(found.rows, principal()),
        back=urlencode(theirs),
        today=now().date(),
        queue=queue_at(theirs),
        **told,
    )


@bp.route("/people/<uuid:comment_id>/rules", methods=["POST"])
@guarded("moderate")
def rule_person(comment_id: UUID) -> Response:
    """Block, time out, hold, trust or shadow whoever wrote a comment, or the network that it came from."""
    try:
        values = parser.parse(people_schemas.RuleFrom(), location="form")
        with transaction():
            people.rule_from(comment_id, values["kind"], _terms(values), principal())
    except (Conflict, Invalid, UnprocessableEntity) as error:
        problem = _problem(error)
        one = operations.find(comment_id, principal(), "moderate")
        return _person_page(one, problem.status, problem=problem, typed=request.form)
    return _away(url_for("desk.person", comment_id=comment_id))


def _terms(values: dict[str, Any]) -> Terms:
    """What a button says: a time-out is a block with an end."""
    deed = values["deed"]
    return Terms("block" if deed in _DAYS else deed, _end(deed, values["until"]), values["note"])


def _end(word: str, day: date | None) -> datetime | None:
    """So long from now as a button says, or at the end of a day, which people count in."""
    if word in _DAYS:
        return now() + timedelta(days=_DAYS[word])
    return datetime.combine(day, _LAST_SECOND, UTC) if day and word != "never" else None


def _problem(error: Problem | UnprocessableEntity) -> Problem:
    return error if isinstance(error, Problem) else errors.of_http(error)


@bp.route("/rules")
@guarded("read")
def rules_of_site() -> Response:
    """The rules of my sites, the newest first."""
    return _rules_page(parser.parse(people_schemas.RulesPage(), location="query"))


def _rules_page(query: dict[str, Any], status: int = 200, **told: Any) -> Response:
    ids = [site.id for site in sites_of(query["site"], "read")]
    owner = ("desk.rules", query["site"], query["kind"])
    found = rules.listed(ids, query["kind"], after=read_cursor(query["cursor"], *owner), limit=query["limit"])
    following = write_cursor(found.next, *owner)
    same = {name: query[name] for name in ("site", "kind", "limit")}
    return draw(
        "rules.html",
        status,
        rows=views.rules(found.rows, principal()),
        query=query,
        today=now().date(),
        sites=sites_of(None, "read"),
        owned=sites_of(None, "manage"),
        most=people_schemas.LINES,
        next=url_for("desk.rules_of_site", **same, cursor=following) if following else None,
        **told,
    )


@bp.route("/rules", methods=["POST"])
@takes(TEXT_BODY)
@guarded("moderate")
def add_rule() -> Response:
    """Rules about domains, ranges, hosts of links or networks that an owner names, one a line: all of them, or none."""
    line = None
    try:
        values = parser.parse(people_schemas.RuleAbout(), location="form")
        with transaction():
            site, terms = site_of(values["site"], "moderate"), _terms(values)
            for line, value in values["value"]:  # noqa: B007 - the one that is wrong is told
                people.rule_about(site, values["kind"], value, terms, principal())
    except (Conflict, Invalid, UnprocessableEntity) as error:
        problem, query = _problem(error), people_schemas.RulesPage().load({})
        wrong = line if isinstance(error, Conflict) or "value" in (problem.errors or {}) else None
        return _rules_page(query, problem.status, problem=problem, line=wrong, typed=request.form)
    return _away(url_for("desk.rules_of_site", site=values["site"]))


@bp.route("/rules/<uuid:rule_id>", methods=["POST"])
@guarded("moderate")
def end_rule(rule_id: UUID) -> Response:
    """Let a rule end now, some time from now, or never."""
    values = parser.parse(people_schemas.RuleEnd(), location="form")
    with transaction():
        if values["end"] == "now":
            people.remove(rule_id, principal())
        else:
            people.change_end(rule_id, _end(values["end"], values["until"]), principal())
    if values["person"]:
        return _away(url_for("desk.person", comment_id=values["person"]))
    return _away(url_for("desk.rules_of_site", site=values["site"]))


def _away(there: str) -> Response:
    answer: Response = redirect(there, 303)  # type: ignore[assignment]
    return answer
