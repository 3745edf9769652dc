"""The desk's doors. Each calls the operation that the API calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.exceptions import UnprocessableEntity

from service import errors
from service.accounts.guard import guarded, principal
from service.audit import queries as audit
from service.comments.models import Comment
from service.db import transaction
from service.desk import pages, schemas, views
from service.desk.pages import draw, wants_fragment
from service.doors import TEXT_BODY, StrictParser, settings, takes
from service.errors import Conflict, NotFound, Problem, StaleVersion, VersionNeeded
from service.moderation import operations, queries
from service.moderation.operations import Verdict
from service.moderation.queries import Filter
from service.moderation.routes import wanted
from service.moderation.scope import sites_of
from service.pagination import read_cursor, write_cursor

SEEN_BEFORE = (Conflict, StaleVersion, VersionNeeded)
"""Somebody else was here since the moderator looked."""


class Desk(Blueprint):
    """Pages for which `accounts.guard` asks who is there."""

    guarded = True


class FormParser(StrictParser):
    """What browsers send: the schema says what becomes of fields that nobody knows."""

    DEFAULT_UNKNOWN_BY_LOCATION = {}


bp = Desk("desk", __name__, url_prefix="/desk", template_folder="templates")
pages.init(bp)
errors.register(bp, pages.problem_page)
_parser = FormParser()


@bp.route("/")
@guarded("read")
def queue() -> Response:
    """Comments of my sites: those that wait, the oldest first, unless asked otherwise."""
    query = _parser.parse(schemas.Queue(), location="query")
    done, cursor, limit = query.pop("done"), query.pop("cursor"), query.pop("limit")
    owner = ("desk", sorted(query.items(), key=str))
    status = None if query["status"] == schemas.EVERY else query["status"]
    chosen = wanted(query | {"status": status}, "read")
    found = queries.listed(chosen, sort=query["sort"], after=read_cursor(cursor, *owner), limit=limit)
    following = write_cursor(found.next, *owner)
    return draw(
        "queue.html",
        items=[views.item(one, principal()) for one in found.rows],
        query=query,
        sites=sites_of(None, "read"),
        waiting=_waiting(query["site"]),
        done=_just_done(done),
        first=cursor is None,
        next=_with_query(cursor=following) if following else None,
        back=urlencode(_kept(request.args)),
        address=_with_query,
        filtered=any(query[name] for name in ("site", "page", "q", "reason")),
    )


def _kept(values: Mapping[str, Any]) -> dict[str, str]:
    """Of an address of the queue, what says which comments are shown."""
    names = ("status", "site", "page", "q", "reason", "sort", "cursor", "limit")
    return {name: str(values[name]) for name in names if values.get(name)}


def _queue_at(values: Mapping[str, Any], **more: Any) -> str:
    """An address of the queue, always built anew from known names: a form can send nobody elsewhere."""
    query = urlencode(_kept(values) | more)
    return url_for("desk.queue") + (f"?{query}" if query else "")


def _with_query(**changes: str | None) -> str:
    """This list with something else chosen, from its beginning unless a cursor is given."""
    return _queue_at(request.args.to_dict() | {"cursor": None} | changes)


def _waiting(site: str | None) -> int:
    """How many comments wait on one of my sites, or on all of them."""
    mine = [one.id for one in sites_of(None, "read") if site in (None, one.key)]
    return queries.count(Filter(mine, status="pending"))


def _just_done(comment_id: UUID | None) -> dict[str, Any] | None:
    """The comment that was decided a moment ago, told from its row: a link can make nobody believe otherwise."""
    if comment_id is None:
        return None
    try:
        return views.item(operations.find(comment_id, principal(), "read"), principal())
    except NotFound:
        return None


@bp.route("/comments/<uuid:comment_id>")
@guarded("read")
def comment(comment_id: UUID) -> Response:
    """One comment with all that stands behind it."""
    asked = _parser.parse(schemas.Place(), location="query")
    return _comment_page(operations.find(comment_id, principal(), "read"), asked["back"])


def _comment_page(one: Comment, back: str, status: int = 200, **told: Any) -> Response:
    history = audit.listed([str(one.site_id)], subject_id=one.id, action=None, after=None, limit=100)
    seen = views.whole(one, principal(), history.rows)
    return draw("comment.html", status, one=seen, back=back, queue=_queue_at(dict(parse_qsl(back))), **told)


@bp.route("/comments/<uuid:comment_id>/decision", methods=["POST"])
@guarded("moderate")
def decide(comment_id: UUID) -> Response:
    """Approve, reject, spam, delete or restore what the moderator saw."""
    values = _parser.parse(schemas.Decide(), location="form")
    verdict = Verdict(values["decision"], values["reason"], values["note"], hold_back=settings().undo_seconds)
    try:
        with transaction():
            one = operations.decide(comment_id, verdict, principal(), values["seen"])
    except SEEN_BEFORE as problem:
        return _seen_before(comment_id, problem, values)
    if wants_fragment():
        site = dict(parse_qsl(values["back"])).get("site")
        return draw("decided.html", one=views.item(one, principal()), back=values["back"], waiting=_waiting(site))
    if values["at"] == "comment":
        return _away(url_for("desk.comment", comment_id=comment_id, back=values["back"] or None))
    return _away(_queue_at(dict(parse_qsl(values["back"])), done=comment_id))


def _away(there: str) -> Response:
    answer: Response = redirect(there, 303)  # type: ignore[assignment]
    return answer


def _seen_before(comment_id: UUID, problem: Problem, values: dict[str, Any]) -> Response:
    """Nothing was changed: show the comment as it is now, who was faster, and what was typed."""
    one = operations.find(comment_id, principal(), "read")
    told = {"back": values["back"], "problem": problem, "typed": values}
    if wants_fragment():
        return draw("item.html", problem.status, one=views.item(one, principal()), **told)
    return _comment_page(one, status=problem.status, **told)


@bp.route("/comments/<uuid:comment_id>/reveal", methods=["POST"])
@guarded("moderate")
def reveal(comment_id: UUID) -> Response:
    """The e-mail address, once. Every reading of it is written down."""
    values = _parser.parse(schemas.Place(), location="form")
    with transaction():
        address = operations.reveal(comment_id, principal())
    if wants_fragment():
        return draw("address.html", address=address, fresh=True)
    return _comment_page(operations.find(comment_id, principal(), "read"), values["back"], address=address, shown=True)


@bp.route("/comments/<uuid:comment_id>", methods=["POST"])
@takes(TEXT_BODY)
@guarded("moderate")
def edit(comment_id: UUID) -> Response:
    """Give the comment another text; a refused one stays in the form."""
    place = _parser.parse(schemas.Place(), location="form")
    typed = {"body": request.form.get("body", "")}
    try:
        values = _parser.parse(schemas.Edit(), location="form")
        with transaction():
            operations.edit(comment_id, values["body"], principal(), values["seen"])
    except UnprocessableEntity as error:
        one = operations.find(comment_id, principal(), "moderate")
        return _comment_page(one, place["back"], 422, problem=errors.of_http(error), typed=typed)
    except SEEN_BEFORE as problem:
        return _seen_before(comment_id, problem, place | typed)
    return _away(url_for("desk.comment", comment_id=comment_id, back=place["back"] or None))


@bp.route("/<path:elsewhere>")
@guarded("read")
def nowhere(elsewhere: str) -> Response:
    """Any other address of the desk, so that it is missing in the desk's own look."""
    raise NotFound()
