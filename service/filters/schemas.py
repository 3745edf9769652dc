"""The shapes of saved filters."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from service.comments.schemas import line
from service.comments.status import STATUSES
from service.moderation.schemas import SORTS, QueueFilter


class List(QueueFilter):
    """What a list is asked for by; nothing of it stands for all that there is."""

    status = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(STATUSES))
    revision = fields.String(load_default=None, validate=validate.OneOf(["held"]))
    sort = fields.String(load_default="oldest", validate=validate.OneOf(SORTS))


class Save(ma.Schema):
    name = line(60, required=True)
    filter = fields.Nested(List, required=True)
    share = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(1, 64),
        metadata={"description": "A site of which you are an owner: its moderators see the filter too."},
    )


class SavedView(ma.Schema):
    id = fields.UUID(required=True)
    name = fields.String(required=True)
    filter = fields.Dict(required=True)
    mine = fields.Boolean(required=True)
    shared = fields.String(required=True, allow_none=True, metadata={"description": "On which site."})
    count = fields.Integer(
        required=True,
        allow_none=True,
        metadata={
            "description": "How many comments it matches now, 1,000 at most; null: what it is about is yours no more."
        },
    )


class Saved(ma.Schema):
    filters = fields.List(fields.Nested(SavedView), required=True)
    next = fields.String(required=True, allow_none=True)


def stored(query: dict[str, Any]) -> dict[str, Any]:
    """Of what a list is asked for by, what is chosen, as JSON holds it."""
    plain = (bool, int, float, str)
    return {name: one if isinstance(one, plain) else str(one) for name, one in query.items() if one is not None}
