"""The moderators' doors: the queue, decisions, what stands behind them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, request

from service.accounts.guard import guarded, principal
from service.audit import queries as audit
from service.comments.schemas import timestamp
from service.db import transaction
from service.doors import TEXT_BODY, GuardedDoor, settings, takes, tells
from service.errors import NotFound
from service.idempotency.operations import Answer, Asked, once
from service.moderation import operations, queries, schemas, views
from service.moderation.models import BulkDecision
from service.moderation.operations import AT_ONCE, Verdict
from service.moderation.queries import Filter
from service.moderation.scope import page_id_of, sites_of
from service.pagination import read_cursor, write_cursor

bp = GuardedDoor("moderation", __name__, url_prefix="/v1/moderation", description="The queue and its decisions.")


@bp.route("/comments")
@guarded("read")
@bp.arguments(schemas.QueueQuery, location="query")
@bp.response(200, schemas.Queue)
def read_queue(query: dict[str, Any]) -> dict[str, Any]:
    """Comments of your sites by state, page, words or reason."""
    limit, cursor, sort = query.pop("limit"), query.pop("cursor"), query.pop("sort")
    owner = ("queue", sort, sorted(query.items(), key=str))
    found = queries.listed(wanted(query, "read"), sort=sort, after=read_cursor(cursor, *owner), limit=limit)
    return {"comments": [views.comment(one) for one in found.rows], "next": write_cursor(found.next, *owner)}


def wanted(query: dict[str, Any], scope: str) -> Filter:
    """A filter over the sites on which the principal has the scope."""
    found = sites_of(query["site"], scope)
    page_id = page_id_of(found, query["page"])
    return Filter([one.id for one in found], query.get("status"), page_id, query["q"], query["reason"])


@bp.route("/comments/<uuid:comment_id>")
@guarded("read")
@bp.response(200, schemas.OneView)
def read_comment(comment_id: UUID) -> tuple[dict[str, Any], int, dict[str, str]]:
    """One comment with history, revisions, reasons and the person's record. The ETag is its version."""
    comment = operations.find(comment_id, principal(), "read")
    chains = [str(comment.site_id)]
    history = audit.listed(chains, subject_id=comment.id, action=None, after=None, limit=100)
    return views.whole(comment, history.rows), 200, {"ETag": operations.etag(comment)}


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
def decide(values: dict[str, Any], comment_id: UUID) -> tuple[Any, int, dict[str, str]]:
    """Approve, reject, spam, delete or restore. A second decision needs If-Match."""
    verdict = Verdict(hold_back=settings().undo_seconds, **values)

    def act() -> Answer:
        comment = operations.decide(comment_id, verdict, principal(), request.headers.get("If-Match"))
        body = schemas.CommentView().dump(views.comment(comment))
        return Answer(200, {"etag": operations.etag(comment), "comment": body})

    with transaction():
        done = once(_asked("decide", values | {"comment": str(comment_id)}), act)
    return done.body["comment"], 200, {"ETag": done.body["etag"]}


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
        return views.comment(comment), 200, {"ETag": operations.etag(comment)}


@bp.route("/decisions", methods=["POST"])
@takes(TEXT_BODY)
@guarded("moderate")
@bp.arguments(schemas.Bulk)
@bp.response(200, schemas.BulkView)
@bp.alt_response(202, schema=schemas.BulkView, description="More than can be done at once: a job.")
@tells(409, headers=("Idempotency-Key",))
def decide_many(values: dict[str, Any]) -> tuple[Any, int]:
    """One decision on many comments, by ids or by a filter with the count that was seen."""
    verdict = Verdict(values["decision"], values["reason"], hold_back=settings().undo_seconds)
    with transaction():
        done = once(_asked("bulk", _plain(values)), lambda: _bulk(values, verdict))
    return done.body, done.status


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    items = [{name: str(value) for name, value in one.items()} for one in values.get("items", [])]
    return values | {"items": items}


def _bulk(values: dict[str, Any], verdict: Verdict) -> Answer:
    if "items" in values:
        items = {one["id"]: one.get("if_match") for one in values["items"]}
        if len(items) > AT_ONCE:
            return Answer(202, _progress(operations.start_many(list(items.items()), verdict, principal())))
        seen = {one: version for one, version in items.items() if version}
        return _finished(operations.decide_many(list(items), verdict, principal(), seen))
    chosen = wanted(values["filter"] | {"status": "pending"}, "moderate")
    bulk = operations.start_bulk(chosen, values["count"], verdict, principal())
    if bulk.total > AT_ONCE:
        return Answer(202, _progress(bulk))
    ids = queries.ids(chosen, until=bulk.created_at, limit=AT_ONCE)
    answer = _finished(operations.decide_many(ids, verdict, principal()), bulk.id)
    bulk.state, bulk.finished_at, bulk.done = "done", bulk.created_at, answer.body["done"]
    bulk.results = [one for one in answer.body["results"] if one["problem"]]
    return answer


def _finished(outcomes: list[operations.Outcome], bulk_id: UUID | None = None) -> Answer:
    done = sum(1 for one in outcomes if one.problem is None)
    return Answer(
        200, _dump({"id": bulk_id, "state": "done", "total": len(outcomes), "done": done, "results": outcomes})
    )


def _progress(bulk: BulkDecision) -> dict[str, Any]:
    told = {"id": bulk.id, "state": bulk.state, "total": bulk.total, "done": bulk.done, "results": bulk.results}
    return _dump(told)


def _dump(document: dict[str, Any]) -> dict[str, Any]:
    dumped: dict[str, Any] = schemas.BulkView().dump(document)
    return dumped


@bp.route("/decisions/<uuid:bulk_id>")
@guarded("read")
@bp.response(200, schemas.BulkView)
def read_bulk(bulk_id: UUID) -> dict[str, Any]:
    """How far a decision on many has come; `results` are those that could not be decided."""
    bulk = queries.bulk(bulk_id, principal().moderator_id)
    if bulk is None:
        raise NotFound("There is no decision by that id.")
    return _progress(bulk)


@bp.route("/stats")
@guarded("read")
@bp.response(200, schemas.Stats)
def read_stats() -> Response | dict[str, Any]:
    """How many comments wait, and how many are in each other state."""
    found = {site.id: site.key for site in sites_of(None, "read")}
    sizes = queries.sizes(list(found))
    empty = {"pending": 0, "approved": 0, "rejected": 0, "spam": 0, "deleted": 0}
    rows = [empty | sizes[site_id] | {"site": key} for site_id, key in found.items()]
    oldest = queries.oldest_pending(list(found))
    return {
        "sites": rows,
        "pending": sum(row["pending"] for row in rows),
        "oldest_pending_at": timestamp(oldest),
    }
