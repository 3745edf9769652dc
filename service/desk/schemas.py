"""What the desk's pages and forms send. Fields that a form leaves empty were not sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from service.comments.schemas import Whole
from service.comments.status import PENDING, STATUSES
from service.moderation import schemas

EVERY = "all"
"""The tab that shows every state."""


class FromForm(ma.Schema):
    """A browser sends every field, empty or not, and may send fields that we do not know."""

    class Meta:
        unknown = ma.EXCLUDE

    @ma.pre_load
    def _drop_empty(self, data: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        return {name: data[name] for name in data if str(data[name]).strip()}


class Queue(FromForm, schemas.QueueQuery):
    """Which comments, in which order: the address of the queue."""

    status = fields.String(load_default=PENDING, validate=validate.OneOf([*STATUSES, EVERY]))
    limit = Whole(load_default=20, validate=validate.Range(1, 100))
    done = fields.UUID(load_default=None)
    """The comment that was just decided."""


class Place(FromForm):
    """Where a form was: what was seen, and the page to go back to."""

    seen = fields.String(load_default=None, validate=validate.Length(max=40))
    back = fields.String(load_default="", validate=validate.Length(max=20_000))


class Decide(Place, schemas.Decide):
    at = fields.String(load_default="queue", validate=validate.OneOf(["queue", "comment"]))
    """Which page the form was on."""


class Edit(Place, schemas.Edit):
    pass
