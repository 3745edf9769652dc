"""What an author sends about their own comments, and what they are told."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from service.comments.schemas import BODY_LENGTH, Cleaned, PageLink, Truth, body


def _no_mail(wished: bool) -> None:
    if wished:
        raise ma.ValidationError([{"code": "no-mail", "detail": "This version sends no mail."}])


class OwnEdit(ma.Schema):
    """`body`, `notify`, or both."""

    id = fields.UUID(required=True)
    body = Cleaned(body, metadata={"minLength": 1, "maxLength": BODY_LENGTH, "description": "Markdown."})
    notify = Truth(
        validate=_no_mail,
        metadata={"enum": [False], "description": "False stops mails; this version sends none, so true is refused."},
    )

    ONE_OF = ({"required": ["body"]}, {"required": ["notify"], "not": {"required": ["body"]}})
    """What `_something` asks, for the document."""

    @ma.validates_schema
    def _something(self, data: dict[str, Any], **_: Any) -> None:
        if not data.keys() & {"body", "notify"}:
            raise ma.ValidationError([{"code": "required", "detail": "Say what is to be changed."}], "body")


class OwnRemoval(ma.Schema):
    """Either `comment`, or `everything=true`."""

    comment = fields.UUID(metadata={"description": "The comment to withdraw."})
    everything = fields.String(
        validate=validate.OneOf(["true"]),
        metadata={"description": "Withdraw all that the token's holder wrote, and destroy it for good."},
    )

    @ma.validates_schema
    def _one_of(self, data: dict[str, Any], **_: Any) -> None:
        if len(data) != 1:
            told = "Send either comment=ID or everything=true."
            raise ma.ValidationError([{"code": "one-of", "detail": told}], "comment")


class RevisionOut(ma.Schema):
    state = fields.String(required=True, validate=validate.OneOf(["held", "refused"]))
    body = fields.String(required=True)
    created_at = fields.String(required=True, metadata={"format": "date-time"})


class OwnComment(ma.Schema):
    """A comment as its author sees it."""

    id = fields.UUID(required=True)
    page = fields.Nested(PageLink, required=True)
    parent_id = fields.UUID(required=True, allow_none=True)
    status = fields.String(required=True, validate=validate.OneOf(["pending", "approved", "rejected", "deleted"]))
    name = fields.String(required=True)
    website = fields.String(required=True, allow_none=True)
    avatar = fields.String(required=True)
    body = fields.String(required=True)
    html = fields.String(required=True)
    rating = fields.Float(required=True, allow_none=True)
    created_at = fields.String(required=True, metadata={"format": "date-time"})
    edited_at = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
    notify = fields.Boolean(required=True)
    revision = fields.Nested(
        RevisionOut, required=True, allow_none=True, metadata={"description": "A change that waits or was refused."}
    )
    reason = fields.String(
        required=True, allow_none=True, metadata={"description": "Of a rejected one: the sentence that its site gives."}
    )
    version = fields.String(required=True, metadata={"description": "In quotes, the `If-Match` of a change."})


class Mine(ma.Schema):
    comments = fields.List(fields.Nested(OwnComment), required=True)
    next = fields.String(required=True, allow_none=True)
