"""What moderators do at the desk. Each door calls the operation that the API calls."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from flask import Response, request, url_for
from flask_babel import gettext
from werkzeug.exceptions import UnprocessableEntity

from service import errors
from service.accounts.guard import Principal, guarded, principal
from service.comments.models import Comment
from service.comments.status import DECISIONS
from service.db import transaction
from service.desk import schemas, views
from service.desk.once import once_by_form
from service.desk.pages import draw, wants_fragment
from service.desk.ui import away, comment_page, list_at, parser, queue_at, waiting
from service.desk.ui import bp as bp
from service.doors import TEXT_BODY, settings, takes
from service.errors import Conflict, Problem, StaleVersion, VersionNeeded
from service.idempotency.operations import Answer
from service.moderation import claims, operations, pins
from service.moderation.operations import Ruling, Verdict
from service.moderation.routes import wanted

SEEN_BEFORE = (Conflict, StaleVersion, VersionNeeded)
"""Somebody else was here since the moderator looked."""


@bp.route("/comments/<uuid:comment_id>/decision", methods=["POST"])
@guarded("moderate")
def decide(comment_id: UUID) -> Response:
    """Approve, reject, spam, delete or restore what the moderator saw."""
    values = parser.parse(schemas.Decide(), location="form")
    given = {name: values[name] for name in ("decision", "reason", "reason_code", "note")}
    verdict = Verdict(**given, hold_back=settings().undo_seconds)
    try:
        with transaction():
            one = operations.decide(comment_id, verdict, principal(), values["seen"])
    except SEEN_BEFORE as problem:
        one = operations.find(comment_id, principal(), "read")
        if not _is_what_was_wanted(one, verdict):
            return _seen_before(comment_id, problem, values)
    return _outcome(one, values)


def _is_what_was_wanted(one: Comment, verdict: Verdict) -> bool:
    """Whether the moderator decided just this already: an answer that got lost on its way, and the form sent again."""
    meant = (DECISIONS[verdict.decision], principal().actor, verdict.reason_code)
    is_meant = (one.status, one.decided_by, one.reason_code) == meant
    return is_meant and one.reason == operations.words_of(one.site_id, verdict)


def _outcome(one: Comment, values: dict[str, Any]) -> Response:
    if wants_fragment():
        site = dict(parse_qsl(values["back"])).get("site")
        told = {"one": views.item(one, principal()), "at": values["at"], "back": values["back"]}
        return draw("decided.html", waiting=waiting(site), **told)
    if values["at"] == "comment":
        return away(url_for("desk.comment", comment_id=one.id, back=values["back"] or None))
    return away(queue_at(dict(parse_qsl(values["back"])), done=one.id))


@bp.route("/comments/<uuid:comment_id>/undo", methods=["POST"])
@guarded("moderate")
def undo(comment_id: UUID) -> Response:
    """Bring back what stood before a decision."""
    values = parser.parse(schemas.Undo(), location="form")
    try:
        _once("undo", values["undoes"], partial(operations.undo_one, values["undoes"], comment_id), comment_id)
    except SEEN_BEFORE as problem:
        return _seen_before(comment_id, problem, values)
    return _outcome(operations.find(comment_id, principal(), "read"), values)


def _once(door: str, key: UUID | None, act: Callable[[Principal], Comment], *said: Any) -> None:
    """Do it, unless the same form did it already. By whoever asks, as they are when it is their turn."""

    def told() -> Answer:
        act(principal())
        return Answer(HTTPStatus.OK, {})

    with transaction():
        once_by_form(door, key, said, told)


@bp.route("/comments/<uuid:comment_id>/notes", methods=["POST"])
@guarded("moderate")
def note(comment_id: UUID) -> Response:
    """Leave a note for other moderators."""
    values = parser.parse(schemas.Noted(), location="form")
    text = values["note"]
    _once("note", values["key"], partial(operations.note, comment_id, text), comment_id, text)
    return _back_on(operations.find(comment_id, principal(), "read"), values, gettext("Noted."))


@bp.route("/comments/<uuid:comment_id>/reply", methods=["POST"])
@takes(TEXT_BODY)
@guarded("moderate")
def reply(comment_id: UUID) -> Response:
    """Answer a comment in the name of its site; one that waits is published first."""
    place = parser.parse(schemas.OnItem(), location="form")
    typed = {"answer": request.form.get("body", "")}
    approval = Verdict("approve", hold_back=settings().undo_seconds)
    try:
        values = parser.parse(schemas.Reply(), location="form")
        text = values["body"]
        act = partial(operations.answer, comment_id, text, approval=approval, if_match=values["seen"])
        _once("reply", values["key"], act, comment_id, text)
    except UnprocessableEntity as error:
        return _seen_before(comment_id, errors.of_http(error), place | typed)
    except SEEN_BEFORE as problem:
        return _seen_before(comment_id, problem, place | typed)
    return _back_on(operations.find(comment_id, principal(), "read"), values, gettext("Your reply is published."))


@bp.route("/comments/<uuid:comment_id>/pin", methods=["POST"])
@guarded("moderate")
def pin(comment_id: UUID) -> Response:
    """Let a published comment stand first below its page, or where it stood."""
    values = parser.parse(schemas.Pin(), location="form")
    try:
        with transaction():
            one = (pins.pin if values["pinned"] else pins.unpin)(comment_id, principal())
    except Conflict as problem:
        return _seen_before(comment_id, problem, values)
    done = gettext("It stands first on its page.") if values["pinned"] else gettext("It stands where it stood.")
    return _back_on(one, values, done)


def _back_on(one: Comment, values: dict[str, Any], said: str) -> Response:
    """The comment again, and what was done. Its own page is drawn anew whole, with its history."""
    if wants_fragment() and values["at"] == "comment":
        return Response(headers={"HX-Refresh": "true"})
    if wants_fragment():
        mine = one.decided_by == principal().actor
        told = {"at": values["at"], "back": values["back"], "said": said, "undoable": mine}
        return draw("item.html", one=views.item(one, principal()), **told)
    return away(url_for("desk.comment", comment_id=one.id, back=values["back"] or None))


@bp.route("/claims", methods=["POST"])
@guarded("moderate")
def take() -> Response:
    """Take the next comments of the list, or give back what was taken."""
    values = parser.parse(schemas.Take(), location="form")
    query = dict(parse_qsl(values["back"])) | {"cursor": None, "claimed": None}
    asked = list_at(query)
    with transaction():
        if values["give_back"]:
            claims.give_back(principal())
            return away(queue_at(query))
        chosen = wanted(asked, "moderate")
        claims.take(chosen, asked["sort"], values["count"], principal())
    return away(queue_at(query | {"claimed": "me", "limit": 100}))


def _seen_before(comment_id: UUID, problem: Problem, values: dict[str, Any]) -> Response:
    """Nothing was changed: show the comment as it is now, who was faster, and what was typed."""
    one = operations.find(comment_id, principal(), "read")
    if one.erased_at and wants_fragment():  # it has no forms any more, in which the words could stand
        raise problem
    told = {"back": values["back"], "problem": problem, "typed": values}
    if wants_fragment():
        at = values.get("at", "queue")
        return draw("item.html", problem.status, one=views.item(one, principal()), at=at, **told)
    return comment_page(one, status=problem.status, **told)


@bp.route("/comments/<uuid:comment_id>/reveal", methods=["POST"])
@guarded("moderate")
def reveal(comment_id: UUID) -> Response:
    """The e-mail address, once. Every reading of it is written down."""
    values = parser.parse(schemas.Place(), location="form")
    with transaction():
        address = operations.reveal(comment_id, principal())
    if wants_fragment():
        return draw("address.html", address=address, fresh=True)
    return comment_page(operations.find(comment_id, principal(), "read"), values["back"], address=address, shown=True)


@bp.route("/comments/<uuid:comment_id>", methods=["POST"])
@takes(TEXT_BODY)
@guarded("moderate")
def edit(comment_id: UUID) -> Response:
    """Give the comment another text; a refused one stays in the form."""
    place = parser.parse(schemas.Place(), location="form")
    typed = {"body": request.form.get("body", "")}
    try:
        values = parser.parse(schemas.Edit(), location="form")
        with transaction():
            operations.edit(comment_id, values["body"], principal(), values["seen"])
    except UnprocessableEntity as error:
        one = operations.find(comment_id, principal(), "moderate")
        told = typed | {"over": place["seen"]}  # nobody has compared it yet with what another may have written
        return comment_page(one, place["back"], 422, problem=errors.of_http(error), typed=told)
    except SEEN_BEFORE as problem:
        return _seen_before(comment_id, problem, place | typed)
    return away(url_for("desk.comment", comment_id=comment_id, back=place["back"] or None))


@bp.route("/comments/<uuid:comment_id>/revision", methods=["POST"])
@guarded("moderate")
def settle(comment_id: UUID) -> Response:
    """Accept or refuse the change that the moderator saw."""
    values = parser.parse(schemas.Settle(), location="form")
    ruling = Ruling(values["decision"], values["revision"], values["reason"])
    try:
        with transaction():
            operations.settle(comment_id, ruling, principal(), values["seen"])
    except SEEN_BEFORE as problem:
        return _seen_before(comment_id, problem, values)
    return away(url_for("desk.comment", comment_id=comment_id, back=values["back"] or None))
