"""The moderators' doors: the queue, decisions, what stands behind them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Response, request

from service.accounts.guard import guarded, principal
from service.audit import queries as audit
from service.comments.models import Comment
from service.comments.schemas import timestamp
from service.db import now, transaction
from service.doors import TEXT_BODY, GuardedDoor, answer, settings, takes, tells
from service.errors import NotFound
from service.idempotency.operations import Answer, Asked, once
from service.moderation import bulk, bulk_schemas, claims, operations, queries, schemas, views
from service.moderation.decisions import queries as decisions
from service.moderation.operations import Ruling, Verdict
from service.moderation.queries import Filter
from service.moderation.scope import page_id_of, sites_of
from service.pagination import read_cursor, write_cursor
from service.sites.models import Site

bp = GuardedDoor("moderation", __name__, url_prefix="/v1/moderation", description="The queue and its decisions.")


@bp.route("/comments")
@guarded("read")
@bp.arguments(schemas.QueueQuery, location="query")
@bp.response(200, schemas.Queue)
def read_queue(query: dict[str, Any]) -> Response:
    """Comments of your sites by state, page, words or reason."""
    limit, cursor, sort = query.pop("limit"), query.pop("cursor"), query.pop("sort")
    owner = ("queue", sort, sorted(query.items(), key=str))
    found = queries.listed_rows(wanted(query, "read"), sort=sort, after=read_cursor(cursor, *owner), limit=limit)
    return answer({"comments": views.listed_rows(found.rows, principal()), "next": write_cursor(found.next, *owner)})


def wanted(query: dict[str, Any], scope: str) -> Filter:
    """A filter over the sites on which the principal has the scope."""
    return filter_over(sites_of(query["site"], scope), query, scope)


def filter_over(found: Sequence[Site], query: dict[str, Any], scope: str) -> Filter:
    """The same over sites that are known to be the principal's."""
    names = ("status", "q", "reason", "revision", "alike", "network", "rating", "has_link", "first_timer")
    me = principal().moderator_id
    return Filter(
        [one.id for one in found],
        page_id=page_id_of(found, query["page"]),
        person=query["person"] and operations.find(query["person"], principal(), scope).id,
        taken_by=me if query["claimed"] == "me" else None,
        free_for=me if query["claimed"] == "free" else None,
        **{name: query.get(name) for name in names},
    )


@bp.route("/comments/<uuid:comment_id>")
@guarded("read")
@bp.response(200, schemas.OneView)
def read_comment(comment_id: UUID) -> tuple[dict[str, Any], int, dict[str, str]]:
    """One comment with history, revisions, reasons and the person's record. The ETag is its version."""
    comment = operations.find(comment_id, principal(), "read")
    told = views.whole(comment, *audit.history_of(comment.site_id, comment.id), principal())
    return told, 200, {"ETag": operations.etag(comment)}


@bp.route("/comments/<uuid:comment_id>/reveal", methods=["POST"])
@guarded("moderate")
@bp.response(200, schemas.Revealed)
def reveal(comment_id: UUID) -> dict[str, Any]:
    """The e-mail address. Every reading of it is written down."""
    with transaction():
        return {"email": operations.reveal(comment_id, principal())}


@bp.route("/comments/<uuid:comment_id>/decision", methods=["POST"])
@guarded("moderate")
@bp.arguments(schemas.Decide)
@bp.response(200, schemas.CommentView)
@tells(409, 412, 428, headers=("Idempotency-Key", "If-Match"))
def decide(values: dict[str, Any], comment_id: UUID) -> Response:
    """Approve, reject, spam, delete or restore. A second decision needs If-Match."""
    verdict = Verdict(hold_back=settings().undo_seconds, **values)

    def act() -> Answer:
        comment = operations.decide(comment_id, verdict, principal(), request.headers.get("If-Match"))
        return Answer(200, {"etag": operations.etag(comment), "comment": views.decided(comment, principal())})

    with transaction():
        done = once(_asked("decide", values | {"comment": str(comment_id)}), act)
    response = answer(done.body["comment"])
    response.headers["ETag"] = done.body["etag"]
    return response


def _told(comment: Comment) -> dict[str, Any]:
    return {"etag": operations.etag(comment), "comment": views.comment(comment, principal())}


def _asked(door: str, body: Any) -> Asked:
    return Asked(by=principal().actor, door=f"moderation.{door}", key=request.headers.get("Idempotency-Key"), body=body)


@bp.route("/comments/<uuid:comment_id>", methods=["PATCH"])
@takes(TEXT_BODY)
@guarded("moderate")
@bp.arguments(schemas.Edit)
@bp.response(200, schemas.CommentView)
@tells(412, 428, headers=("If-Match",))
def edit(values: dict[str, Any], comment_id: UUID) -> tuple[Any, int, dict[str, str]]:
    """Give the comment another text; the old one is kept. Needs If-Match."""
    with transaction():
        comment = operations.edit(comment_id, values["body"], principal(), request.headers.get("If-Match"))
        return views.comment(comment, principal()), 200, {"ETag": operations.etag(comment)}


@bp.route("/comments/<uuid:comment_id>/revision", methods=["POST"])
@guarded("moderate")
@bp.arguments(schemas.Settle)
@bp.response(200, schemas.CommentView)
@tells(409, 412, headers=("Idempotency-Key", "If-Match"))
def settle(values: dict[str, Any], comment_id: UUID) -> tuple[Any, int, dict[str, str]]:
    """Accept or refuse an author's change of a published text."""

    def act() -> Answer:
        comment = operations.settle(comment_id, Ruling(**values), principal(), request.headers.get("If-Match"))
        return Answer(200, _told(comment))

    asked = values | {"revision": str(values["revision"]), "comment": str(comment_id)}
    with transaction():
        done = once(_asked("revision", asked), act)
    return done.body["comment"], 200, {"ETag": done.body["etag"]}


@bp.route("/comments/<uuid:comment_id>/notes", methods=["POST"])
@guarded("moderate")
@bp.arguments(schemas.Noted)
@bp.response(201, schemas.NoteView)
@tells(409, headers=("Idempotency-Key",))
def note(values: dict[str, Any], comment_id: UUID) -> tuple[Any, int]:
    """Leave a note for other moderators."""

    def act() -> Answer:
        operations.note(comment_id, values["note"], principal())
        return Answer(201, {"note": values["note"], "by": principal().actor, "at": timestamp(now())})

    with transaction():
        done = once(_asked("notes", values | {"comment": str(comment_id)}), act)
    return done.body, done.status


@bp.route("/comments/<uuid:comment_id>/reply", methods=["POST"])
@takes(TEXT_BODY)
@guarded("moderate")
@bp.arguments(schemas.Answer)
@bp.response(201, schemas.CommentView)
@tells(409, 412, headers=("Idempotency-Key", "If-Match"))
def reply(values: dict[str, Any], comment_id: UUID) -> tuple[Any, int]:
    """Answer a comment in the name of its site; the reply is published at once."""
    approval = Verdict("approve", hold_back=settings().undo_seconds) if values["approve"] else None

    def act() -> Answer:
        seen = request.headers.get("If-Match")
        made = operations.answer(comment_id, values["body"], principal(), approval, seen)
        return Answer(201, schemas.CommentView().dump(views.comment(made, principal())))

    with transaction():
        done = once(_asked("reply", values | {"comment": str(comment_id)}), act)
    return done.body, done.status


@bp.route("/claims")
@guarded("read")
@bp.response(200, schemas.Holders)
def read_claims() -> dict[str, Any]:
    """Who has taken how many of the comments that wait."""
    found = queries.claims_by_moderator([site.id for site in sites_of(None, "read")])
    me = principal().moderator_id
    rows = [
        {"by": name, "mine": moderator_id == me, "count": number, "until": timestamp(until)}
        for moderator_id, name, number, until in found
    ]
    return {"claims": rows}


@bp.route("/claims", methods=["POST"])
@guarded("moderate")
@bp.arguments(schemas.Take)
@bp.response(200, schemas.Taken)
@tells(headers=("Idempotency-Key",))
def take(values: dict[str, Any]) -> Any:
    """Take the next comments of the queue: nobody else is handed them until `until`."""

    def act() -> Answer:
        chosen = wanted(schemas.QueueFilter().load({}) | values["filter"], "moderate")
        taken, until = claims.take(chosen, values["sort"], values["count"], principal())
        told = {"comments": views.listed(taken, principal()), "until": timestamp(until)}
        return Answer(200, schemas.Taken().dump(told))

    with transaction():
        return once(_asked("claims", _plain(values)), act).body


@bp.route("/claims", methods=["DELETE"])
@guarded("moderate")
@bp.response(204)
def give_back() -> None:
    """Let others have what you have taken."""
    with transaction():
        claims.give_back(principal())


@bp.route("/decisions", methods=["POST"])
@takes(TEXT_BODY)
@guarded("moderate")
@bp.arguments(bulk_schemas.Bulk)
@bp.response(200, bulk_schemas.BulkView)
@bp.alt_response(202, schema=bulk_schemas.BulkView, description="More than can be done at once: a job.")
@tells(409, headers=("Idempotency-Key",))
def decide_many(values: dict[str, Any]) -> tuple[Any, int]:
    """One decision on many comments, by ids or by a filter with the count that was seen."""
    verdict = Verdict(values["decision"], values["reason"], values["reason_code"], hold_back=settings().undo_seconds)
    with transaction():
        done = once(_asked("bulk", _plain(values)), lambda: many(values, verdict))
    return done.body, done.status


def _plain(values: dict[str, Any]) -> Any:
    """The body of a request with its ids as text."""
    return json.loads(json.dumps(values, default=str))


def many(values: dict[str, Any], verdict: Verdict) -> Answer:
    """A decision on many, as the API answers it."""
    if "items" in values:
        done = bulk.decide_listed({one["id"]: one.get("if_match") for one in values["items"]}, verdict, principal())
    else:
        chosen = wanted(values["filter"] | {"status": "pending"}, "moderate")
        done = bulk.decide_matching(chosen, values, verdict, principal())
    return _progress(done)


def _progress(done: bulk.Progress) -> Answer:
    return Answer(202 if done.state in ("working", "undoing") else 200, bulk_schemas.BulkView().dump(done))


@bp.route("/decisions/<uuid:decision_id>")
@guarded("read")
@bp.response(200, bulk_schemas.BulkView)
def read_bulk(decision_id: UUID) -> bulk.Progress:
    """How far a decision on many has come; `results` are those that could not be decided."""
    found = decisions.bulk(decision_id, principal().moderator_id)
    if found is None:
        raise NotFound("There is no decision by that id.")
    return bulk.progress(found)


@bp.route("/decisions/<uuid:decision_id>/undo", methods=["POST"])
@guarded("moderate")
@bp.response(200, bulk_schemas.BulkView)
@bp.alt_response(202, schema=bulk_schemas.BulkView, description="More than can be undone at once: a job.")
@tells(409, headers=("Idempotency-Key",))
def undo(decision_id: UUID) -> tuple[Any, int]:
    """Bring back what stood before a decision, yours or another moderator's. What nobody was told yet, nobody is."""
    with transaction():
        done = once(
            _asked("undo", {"decision": str(decision_id)}), lambda: _progress(bulk.undo(decision_id, principal()))
        )
    return done.body, done.status
