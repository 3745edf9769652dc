"""The shapes of decisions on many: what is asked, and what became of each."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from service.comments.schemas import Whole
from service.moderation.schemas import QueueFilter, Ruled

AT_MOST = 3_500
"""Each with its version: what fits into a body."""


class BulkItem(ma.Schema):
    id = fields.UUID(required=True)
    if_match = fields.String(validate=validate.Length(1, 40))


class Bulk(Ruled):
    """Either `items`, or `filter` with the `count` that the moderator saw (pending comments only)."""

    items = fields.List(fields.Nested(BulkItem), validate=validate.Length(1, AT_MOST))
    filter = fields.Nested(QueueFilter)
    count = Whole(strict=True, validate=validate.Range(0, 2**53))
    newest = fields.UUID(
        metadata={
            "description": "With `filter`: the comment that came last of those that were seen. "
            "Later ones are not decided on, and do not count."
        }
    )
    edited = fields.String(
        allow_none=True,
        validate=validate.Length(1, 40),
        metadata={
            "description": "With `filter`: the latest `edited_at` of those that were seen; null if none was edited."
        },
    )

    ONE_OF = (
        {"required": ["items"], "not": {"required": ["filter"]}},
        {"required": ["filter", "count"], "not": {"required": ["items"]}},
    )
    """What `_one_of` asks, for the document."""

    @ma.validates_schema
    def _one_of(self, data: dict[str, Any], **_: Any) -> None:
        if ("items" in data) == ("filter" in data):
            raise ma.ValidationError("Send either items or filter.", "items")
        if "filter" in data and "count" not in data:
            raise ma.ValidationError("Send the count that was seen.", "count")
        if "filter" in data and data.get("decision") == "restore":
            told = "A filter matches pending comments; they cannot be restored."
            raise ma.ValidationError([{"code": "restore", "detail": told}], "decision")


class OutcomeView(ma.Schema):
    id = fields.UUID(required=True)
    status = fields.String(required=True, allow_none=True)
    problem = fields.String(required=True, allow_none=True)
    by = fields.String(
        allow_none=True, metadata={"description": "Who had decided before, where that is why it was refused."}
    )
    by_actor = fields.String(
        allow_none=True, metadata={"description": "The same as the audit log knows them: two people may have one name."}
    )


class BulkView(ma.Schema):
    id = fields.UUID(required=True, allow_none=True, metadata={"description": "None when nothing was decided."})
    state = fields.String(required=True, validate=validate.OneOf(["working", "done", "undoing", "undone"]))
    total = fields.Integer(required=True)
    done = fields.Integer(required=True)
    results = fields.List(fields.Nested(OutcomeView), required=True)
