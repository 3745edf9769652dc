"""The moderators' shapes: what they may ask, and what they see. Never an address, only its mask."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from service.comments.schemas import BODY_LENGTH, Cleaned, ListQuery, Truth, Whole, body, words
from service.comments.status import DECISIONS, STATUSES

DECISION = validate.OneOf(list(DECISIONS))
ALIKE = r"(host:[!-~]{1,255}|text:[0-9a-f]{16})\Z"
SORTS = ("oldest", "newest", "risk")


class Flag(fields.Boolean):
    """`true` or `false`, in JSON or as a word in an address."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        if value not in (True, False, "true", "false") or isinstance(value, int | float) is not isinstance(value, bool):
            raise ma.ValidationError([{"code": "boolean", "detail": "This must be true or false."}])
        return value in (True, "true")


class QueueFilter(ma.Schema):
    site = fields.String(load_default=None, validate=validate.Length(1, 64))
    page = fields.String(
        load_default=None, validate=validate.Length(1, 2048), metadata={"description": "Needs `site`."}
    )
    q = fields.String(load_default=None, validate=validate.Length(1, 200))
    reason = fields.String(load_default=None, validate=validate.Length(1, 40))
    person = fields.UUID(
        load_default=None, metadata={"description": "A comment's id: only what the same person wrote on its site."}
    )
    alike = fields.String(
        load_default=None,
        validate=validate.Regexp(ALIKE, error="This is nothing that comments have in common."),
        metadata={"description": "Only comments that have this in common: one of a comment's own `alike`."},
    )
    network = fields.String(load_default=None, validate=validate.Length(1, 16))
    rating = fields.Float(load_default=None, validate=validate.Range(0, 1000))
    has_link = Flag(load_default=None)
    first_timer = Flag(
        load_default=None, metadata={"description": "Whether nothing of the same person was ever approved."}
    )
    claimed = fields.String(
        load_default=None,
        validate=validate.OneOf(["me", "free"]),
        metadata={"description": "`me`: what you have taken; `free`: without what others have."},
    )


class QueueQuery(QueueFilter, ListQuery):
    status = fields.String(load_default=None, validate=validate.OneOf(STATUSES))
    revision = fields.String(
        load_default=None,
        validate=validate.OneOf(["held"]),
        metadata={"description": "Only comments of which an author's change waits."},
    )
    sort = fields.String(load_default="oldest", validate=validate.OneOf(SORTS))


class Ruled(ma.Schema):
    """A decision and why. `reason_code` is one of the site's reasons, and only of a rejection."""

    decision = fields.String(required=True, validate=DECISION)
    reason = words(500, load_default=None, allow_none=True)
    reason_code = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(1, 40),
        metadata={"description": "Of a rejection: one of the site's reasons; its sentence is told to the author."},
    )

    @ma.validates_schema
    def _of_a_rejection(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("reason_code") and data.get("decision") != "reject":
            told = "Only a rejection has one of the site's reasons."
            raise ma.ValidationError([{"code": "reason", "detail": told}], "reason_code")


class Decide(Ruled):
    note = words(2000, load_default=None, allow_none=True)


class Settle(ma.Schema):
    decision = fields.String(required=True, validate=validate.OneOf(["accept", "refuse"]))
    revision = fields.UUID(required=True, metadata={"description": "The change that was seen."})
    reason = words(500, load_default=None, allow_none=True)


class Take(ma.Schema):
    """How many of the queue to take, and which: the filter and order of a list."""

    filter = fields.Nested(QueueFilter, load_default=dict)
    count = Whole(strict=True, load_default=20, validate=validate.Range(1, 100))
    sort = fields.String(load_default="oldest", validate=validate.OneOf(SORTS))


class Noted(ma.Schema):
    note = words(2000, required=True)


class Answer(ma.Schema):
    body = Cleaned(body, required=True, metadata={"minLength": 1, "maxLength": BODY_LENGTH})
    approve = Truth(load_default=False, metadata={"description": "Publish the comment first if it waits."})


class Edit(ma.Schema):
    body = Cleaned(body, required=True, metadata={"minLength": 1, "maxLength": BODY_LENGTH})


class Reason(ma.Schema):
    code = fields.String(required=True)
    detail = fields.String(required=True)


class AuthorView(ma.Schema):
    name = fields.String(required=True)
    website = fields.String(required=True, allow_none=True)
    avatar = fields.String(required=True)
    is_moderator = fields.Boolean(required=True)


class PageView(ma.Schema):
    id = fields.UUID(required=True)
    url = fields.String(required=True, allow_none=True)
    title = fields.String(required=True)
    state = fields.String(required=True)


class ClaimView(ma.Schema):
    by = fields.String(required=True)
    mine = fields.Boolean(required=True)
    until = fields.String(required=True)


class CommentView(ma.Schema):
    id = fields.UUID(required=True)
    site = fields.String(required=True)
    page = fields.Nested(PageView, required=True)
    parent_id = fields.UUID(required=True, allow_none=True)
    status = fields.String(required=True)
    author = fields.Nested(AuthorView, required=True)
    email = fields.String(required=True, allow_none=True, metadata={"description": "Masked."})
    network = fields.String(required=True, allow_none=True)
    text = fields.String(required=True)
    body_format = fields.String(
        required=True,
        metadata={"description": "What `text` is: `md`, or `html` of an import. An edit is always Markdown."},
    )
    html = fields.String(required=True)
    rating = fields.Float(required=True, allow_none=True)
    rating_scale = fields.Float(required=True, allow_none=True)
    pinned = fields.Boolean(required=True)
    reasons = fields.List(fields.Nested(Reason), required=True)
    risk = fields.Integer(required=True)
    alike = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "What others may share: `host:` of the first link, `text:` a mark of the words."},
    )
    created_at = fields.String(required=True)
    edited_at = fields.String(required=True, allow_none=True)
    erased_at = fields.String(
        required=True, allow_none=True, metadata={"description": "When its author had all of it erased but its place."}
    )
    decided_at = fields.String(required=True, allow_none=True)
    decided_by = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    reason_code = fields.String(
        required=True, allow_none=True, metadata={"description": "Of a rejection: one of the site's reasons."}
    )
    decision_id = fields.UUID(
        required=True, allow_none=True, metadata={"description": "The last decision, where it can be undone."}
    )
    claim = fields.Nested(
        ClaimView, required=True, allow_none=True, metadata={"description": "Who has taken it to decide on it."}
    )
    source = fields.String(required=True, allow_none=True)
    version = fields.Integer(required=True)


class Queue(ma.Schema):
    comments = fields.List(fields.Nested(CommentView), required=True)
    next = fields.String(required=True, allow_none=True)


class RevisionView(ma.Schema):
    id = fields.UUID(required=True)
    state = fields.String(required=True)
    text = fields.String(required=True)
    by = fields.String(required=True)
    created_at = fields.String(required=True)
    diff = fields.List(
        fields.List(fields.String()),
        required=True,
        metadata={
            "description": "Pieces in order, each `=` (same), `-` (old) or `+` (new) and a text: from an earlier text "
            "to the next one, or from the text that a change was to take the place of to that change."
        },
    )


class HistoryView(ma.Schema):
    id = fields.UUID(required=True)
    n = fields.Integer(required=True)
    chain = fields.String(required=True)
    at = fields.String(required=True)
    actor = fields.String(required=True)
    action = fields.String(required=True)
    subject_id = fields.UUID(required=True, allow_none=True)
    details = fields.Dict(required=True, allow_none=True)


class PersonRecord(ma.Schema):
    comments = fields.Integer(required=True)
    approved = fields.Integer(required=True)
    rejected = fields.Integer(required=True)
    first_seen = fields.String(required=True)


class ReportView(ma.Schema):
    reason = fields.String(required=True)
    note = fields.String(required=True, allow_none=True)
    at = fields.String(required=True)


class NoteView(ma.Schema):
    note = fields.String(required=True)
    by = fields.String(required=True)
    at = fields.String(required=True)


class OneView(CommentView):
    notes = fields.List(fields.Nested(NoteView), required=True)
    history = fields.List(fields.Nested(HistoryView), required=True)
    revisions = fields.List(fields.Nested(RevisionView), required=True)
    reports = fields.List(fields.Nested(ReportView), required=True)
    person = fields.Nested(PersonRecord, required=True)


class Taken(ma.Schema):
    comments = fields.List(fields.Nested(CommentView), required=True)
    until = fields.String(required=True)


class HolderView(ma.Schema):
    by = fields.String(required=True)
    mine = fields.Boolean(required=True)
    count = fields.Integer(required=True)
    until = fields.String(required=True)


class Holders(ma.Schema):
    claims = fields.List(fields.Nested(HolderView), required=True)


class Revealed(ma.Schema):
    email = fields.String(required=True, allow_none=True)
