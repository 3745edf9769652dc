"""The doors about people, and about what a site decides in advance."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from flask import request

from service.accounts.guard import guarded, principal
from service.db import transaction
from service.doors import GuardedDoor, tells
from service.idempotency.operations import Answer, Asked, once
from service.moderation import operations, people, views
from service.moderation import people_schemas as schemas
from service.moderation.scope import site_of, sites_of
from service.pagination import read_cursor, write_cursor
from service.rules import queries as rules
from service.rules.models import Rule
from service.rules.operations import Terms

bp = GuardedDoor("people", __name__, url_prefix="/v1", description="Who writes, and the rules of a site about them.")


@bp.route("/people/<uuid:comment_id>")
@guarded("read")
@bp.response(200, schemas.PersonView)
def read_person(comment_id: UUID) -> dict[str, Any]:
    """Whoever wrote a comment: names, networks, how much of theirs is in each state, and the rules about them."""
    return views.person(people.known(operations.find(comment_id, principal(), "read")))


@bp.route("/rules")
@guarded("read")
@bp.arguments(schemas.RulesQuery, location="query")
@bp.response(200, schemas.Rules)
def read_rules(query: dict[str, Any]) -> dict[str, Any]:
    """The rules of your sites that stand, the newest first."""
    ids = [site.id for site in sites_of(query["site"], "read")]
    owner = ("rules", query["site"], query["kind"])
    found = rules.listed(ids, query["kind"], after=read_cursor(query["cursor"], *owner), limit=query["limit"])
    return {"rules": [views.rule(one) for one in found.rows], "next": write_cursor(found.next, *owner)}


@bp.route("/rules", methods=["POST"])
@guarded("moderate")
@bp.arguments(schemas.NewRule)
@bp.response(201, schemas.RuleView)
@tells(409, headers=("Idempotency-Key",))
def add_rule(values: dict[str, Any]) -> tuple[Any, int]:
    """Decide in advance: about a person or a network by a comment of theirs, or, as an owner, about what you name."""
    asked = Asked(
        by=principal().actor,
        door="people.rules",
        key=request.headers.get("Idempotency-Key"),
        body=json.loads(json.dumps(values, default=str)),
    )
    with transaction():
        done = once(asked, lambda: Answer(201, schemas.RuleView().dump(views.rule(_made(values)))))
    return done.body, done.status


def _made(values: dict[str, Any]) -> Rule:
    terms = Terms(values["effect"], values["until"], values["note"] or "")
    if "comment" in values:
        return people.rule_from(values["comment"], values["kind"], terms, principal())
    site = site_of(values["site"], "moderate")
    return people.rule_about(site, values["kind"], values["value"], terms, principal())


@bp.route("/rules/<uuid:rule_id>", methods=["PATCH"])
@guarded("moderate")
@bp.arguments(schemas.ChangeRule)
@bp.response(200, schemas.RuleView)
def change_rule(values: dict[str, Any], rule_id: UUID) -> dict[str, Any]:
    """Let a rule end at another time, or never."""
    with transaction():
        return views.rule(people.change_end(rule_id, values["until"], principal()))


@bp.route("/rules/<uuid:rule_id>", methods=["DELETE"])
@guarded("moderate")
@bp.response(204)
def remove_rule(rule_id: UUID) -> None:
    """End a rule at once."""
    with transaction():
        people.remove(rule_id, principal())
