"""The shapes of what a site's people manage: audit, sites, pages, events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate
from webargs.fields import DelimitedList

from service.comments.schemas import (
    EMAIL_LENGTH,
    TITLE_LENGTH,
    Cleaned,
    ListQuery,
    Truth,
    Whole,
    email,
    line,
    optional_title,
)
from service.moderation.schemas import HistoryView, PageView, Reason
from service.sites.schemas import SiteSettings
from service.webhooks.outbox import EVENT_TYPES


class AuditQuery(ListQuery):
    site = fields.String(load_default=None, validate=validate.Length(1, 64))
    subject = fields.UUID(load_default=None)
    action = fields.String(load_default=None, validate=validate.Length(1, 40))
    moderator = fields.UUID(
        load_default=None, metadata={"description": "What they did in person, and by their tokens."}
    )
    since = fields.AwareDateTime(format="iso", load_default=None)
    until = fields.AwareDateTime(format="iso", load_default=None, metadata={"description": "Before this time."})
    format = fields.String(
        load_default="json",
        validate=validate.OneOf(["json", "csv", "jsonl"]),
        metadata={"description": "`csv` and `jsonl` (one JSON object a line) answer all there is, without pages."},
    )


class Audit(ma.Schema):
    entries = fields.List(fields.Nested(HistoryView), required=True)
    next = fields.String(required=True, allow_none=True)


class SiteView(ma.Schema):
    key = fields.String(required=True)
    name = fields.String(required=True)
    origins = fields.List(fields.String(), required=True)
    mode = fields.String(required=True)
    role = fields.String(required=True)


class Sites(ma.Schema):
    sites = fields.List(fields.Nested(SiteView), required=True)
    next = fields.String(required=True, allow_none=True)


class RejectReason(ma.Schema):
    code = fields.String(
        required=True,
        validate=validate.Regexp(
            r"[a-z0-9][a-z0-9-]{0,39}\Z", error="Use lower-case letters, digits and -; 40 at most."
        ),
        metadata={"description": "A short name; decisions and events carry it."},
    )
    title = line(80, required=True)
    sentence = line(300, required=True)


class Reasons(ma.Schema):
    reasons = fields.List(fields.Nested(RejectReason), required=True, validate=validate.Length(max=20))

    @ma.validates_schema
    def _each_once(self, data: dict[str, Any], **_: Any) -> None:
        codes = [one["code"] for one in data.get("reasons", [])]
        if len(set(codes)) < len(codes):
            told = "Each reason needs a short name of its own."
            raise ma.ValidationError([{"code": "twice", "detail": told}], "reasons")


class Settings(SiteSettings):
    """The whole of a site's settings."""

    key = fields.String(required=True)
    role = fields.String(required=True)
    version = fields.Integer(required=True)


class ChangeSite(SiteSettings):
    """The settings to change. A number is a number here, and no text that looks like one."""

    @ma.pre_load
    def _take_no_texts_for_numbers(self, data: Any, **_: Any) -> Any:
        told = data.items() if isinstance(data, Mapping) else ()
        odd = {name: [_ODD[kind]] for name, one in told if (kind := self._kind(name)) and not _is_of(kind, one)}
        if odd:
            raise ma.ValidationError(odd)
        return data

    def _kind(self, name: str) -> type[fields.Field[Any]] | None:
        return next((kind for kind in _ODD if isinstance(self.fields.get(name), kind)), None)


def _is_of(kind: type[fields.Field[Any]], value: Any) -> bool:
    """Whether a value of JSON is of the kind of a field; the field itself says whether it may be null."""
    if value is None or kind is fields.Boolean:
        return value is None or isinstance(value, bool)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and (kind is fields.Float or float(value).is_integer())


_ODD = {
    fields.Integer: {"code": "number", "detail": "This must be a whole number."},
    fields.Float: {"code": "number", "detail": "This must be a number."},
    fields.Boolean: {"code": "boolean", "detail": "This must be true or false."},
}


class Counted(ma.Schema):
    approved = fields.Integer(required=True)
    pending = fields.Integer(required=True)
    spam = fields.Integer(required=True)


class WouldChange(ma.Schema):
    id = fields.UUID(required=True)
    author = fields.String(required=True)
    text = fields.String(required=True, metadata={"description": "Its beginning."})
    now = fields.String(required=True)
    then = fields.String(required=True)
    reasons = fields.List(fields.Nested(Reason), required=True)


class TrialView(ma.Schema):
    judged = fields.Integer(required=True, metadata={"description": "The last comments of the site, at most 500."})
    now = fields.Nested(Counted, required=True, metadata={"description": "What the settings as they are make of them."})
    then = fields.Nested(Counted, required=True, metadata={"description": "What the settings that were sent would."})
    changed = fields.Integer(required=True)
    first = fields.List(fields.Nested(WouldChange), required=True, metadata={"description": "The newest ten of them."})
    not_known = fields.List(
        fields.String(), required=True, metadata={"description": "What the stored comments do not tell, in sentences."}
    )


class PagesQuery(ListQuery):
    site = fields.String(load_default=None, validate=validate.Length(1, 64))


class PageFull(PageView):
    site = fields.String(required=True)
    comment_count = fields.Integer(required=True)
    created_at = fields.String(required=True)


class Pages(ma.Schema):
    pages = fields.List(fields.Nested(PageFull), required=True)
    next = fields.String(required=True, allow_none=True)


class NewPage(ma.Schema):
    site = fields.String(required=True, validate=validate.Length(1, 64))
    page = fields.String(required=True, validate=validate.Length(1, 2048))
    title = optional_title()


class ChangePage(ma.Schema):
    title = line(TITLE_LENGTH)
    closed = Truth()


class NewAlias(ma.Schema):
    page = fields.String(required=True, validate=validate.Length(1, 2048))


class EventsQuery(ma.Schema):
    after = Whole(load_default=0, validate=validate.Range(0, 2**53))
    limit = Whole(load_default=50, validate=validate.Range(1, 100))
    site = fields.String(load_default=None, validate=validate.Length(1, 64))
    types = DelimitedList(
        fields.String(validate=validate.OneOf(EVENT_TYPES)),
        load_default=[],
        validate=validate.Length(max=len(EVENT_TYPES)),
    )


class EventView(ma.Schema):
    id = fields.UUID(required=True)
    seq = fields.Integer(required=True)
    type = fields.String(required=True)
    timestamp = fields.String(required=True)
    data = fields.Dict(required=True)


class Events(ma.Schema):
    events = fields.List(fields.Nested(EventView), required=True)
    next = fields.Integer(required=True, metadata={"description": "Send it as `after` the next time."})


class LookUp(ma.Schema):
    site = fields.String(required=True, validate=validate.Length(1, 64))
    email = Cleaned(email, required=True, metadata={"format": "email", "maxLength": EMAIL_LENGTH})


class Found(ma.Schema):
    person = fields.UUID(
        required=True, allow_none=True, metadata={"description": "One of their comments; a filter of the lists."}
    )
