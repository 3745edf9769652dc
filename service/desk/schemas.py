"""What the desk's pages and forms send. Fields that a form leaves empty were not sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

import marshmallow as ma
from marshmallow import fields, validate

from service.comments.schemas import Whole, line
from service.comments.status import PENDING, STATUSES
from service.moderation import schemas
from service.moderation.bulk_schemas import AT_MOST

LAST_DAY = date(9999, 12, 30)
"""After which there is one more."""
EVERY = "all"
"""The tab that shows every state."""
ALL, THIS_PAGE = "all", "page"
"""What may be selected at once: all that the list matches, or what is on its page."""


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
    many = fields.UUID(load_default=None)
    """The decision on many that was just made."""
    select = fields.String(load_default=None, validate=validate.OneOf([ALL, THIS_PAGE]))


class News(Queue):
    """What is asked for again and again: whether a list has changed, and who looks at what."""

    at = fields.UUID(load_default=None)
    """The comment that whoever asks has in front of them."""


class Numbers(FromForm):
    """Of which site: the address of the numbers."""

    site = fields.String(load_default=None, validate=validate.Length(1, 64))


class Audit(FromForm):
    """Which entries of the audit log: the address of the list. Days are UTC's; the last one counts in."""

    site = fields.String(load_default=None, validate=validate.Length(1, 64))
    moderator = fields.UUID(load_default=None)
    action = fields.String(load_default=None, validate=validate.Length(1, 40))
    subject = fields.UUID(load_default=None)
    since = fields.Date(load_default=None, validate=validate.Range(max=LAST_DAY))
    until = fields.Date(load_default=None, validate=validate.Range(max=LAST_DAY))
    limit = Whole(load_default=50, validate=validate.Range(1, 100))
    cursor = fields.String(load_default=None, validate=validate.Length(max=500))


class Saved(FromForm):
    saved = fields.Boolean(load_default=False)
    """Whether the settings were saved a moment ago."""


class Settings(FromForm):
    """What a form of settings says about itself; the settings have a shape of their own."""

    seen = fields.String(load_default=None, validate=validate.Length(max=40))
    deed = fields.String(load_default="save", validate=validate.OneOf(["save", "preview"]))


class Place(FromForm):
    """Where a form was: what was seen, and the page to go back to."""

    seen = fields.String(load_default=None, validate=validate.Length(max=40))
    back = fields.String(load_default="", validate=validate.Length(max=20_000))


class Filters(Place):
    """Which filters that are saved."""

    cursor = fields.String(load_default=None, validate=validate.Length(max=500))


class Ruled(Place):
    """A decision by a form: it sends the chosen reason of a rejection along, whichever button is pressed."""

    @ma.pre_load
    def _drop_unasked(self, data: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        unasked = {"reason_code"} if data.get("decision") != "reject" else set()
        return {name: data[name] for name in data if name not in unasked}


class OnItem(Place):
    at = fields.String(load_default="queue", validate=validate.OneOf(["queue", "person", "comment"]))
    """Which page the form was on."""


class Decide(Ruled, OnItem, schemas.Decide):
    pass


class Picked(fields.Field[tuple[UUID, str]]):
    """A comment that was selected, with the version that was seen: `<id> <ETag>`."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> tuple[UUID, str]:
        id_, _, seen = str(value).partition(" ")
        try:
            return UUID(id_), validate.Length(1, 40)(seen)
        except ValueError as error:
            raise ma.ValidationError("This is no comment of the list.") from error


class Many(Ruled, schemas.Ruled):
    """A decision on what was selected, or on `all` of the list: as many as were seen, the last, and the last edit."""

    item = fields.List(Picked(), load_default=list, validate=validate.Length(max=AT_MOST))
    all = fields.Boolean(load_default=False)
    count = Whole(load_default=0, validate=validate.Range(0, 2**53))
    newest = fields.UUID(load_default=None)
    edited = fields.String(load_default=None, validate=validate.Length(1, 40))
    key = fields.UUID(load_default=None)
    """Of the page: the same form sent twice counts once."""

    @ma.validates_schema
    def _something(self, data: dict[str, Any], **_: Any) -> None:
        if not data.get("item") and not data.get("all"):
            told = "Nothing is selected. Select the comments that you mean first."
            raise ma.ValidationError([{"code": "required", "detail": told}], "item")


class Undo(Place):
    undoes = fields.UUID(required=True)
    at = fields.String(load_default="queue", validate=validate.OneOf(["queue", "person", "comment", "flash"]))


class Sent(OnItem):
    """A form that adds something: sent twice, it counts once."""

    key = fields.UUID(load_default=None)
    """Of the drawing."""


class Noted(Sent, schemas.Noted):
    pass


class Take(Place):
    count = Whole(load_default=20, validate=validate.Range(1, 100))
    give_back = fields.Boolean(load_default=False)


class Reasons(FromForm):
    """The reasons of a site as a form holds them: a row for each; empty rows are none."""

    seen = fields.String(load_default=None, validate=validate.Length(max=40))
    site = fields.String(required=True, validate=validate.Length(1, 64))
    code = fields.List(fields.String(), load_default=list)
    title = fields.List(fields.String(), load_default=list)
    sentence = fields.List(fields.String(), load_default=list)


class Save(Place):
    """A name for the list that is seen; `share`: the site whose moderators see it too."""

    name = line(60, required=True)
    share = fields.String(load_default=None, validate=validate.Length(1, 64))


class Edit(Place, schemas.Edit):
    pass


class Reply(Sent, schemas.Edit):
    pass


class Settle(Place, schemas.Settle):
    pass


class Pin(OnItem):
    pinned = fields.Boolean(load_default=False)
