"""The moderators' shapes: what they may ask, and what they see. Never an address, only its mask."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate
from webargs.fields import DelimitedList

from service.comments.schemas import (
    BODY_LENGTH,
    TITLE_LENGTH,
    Cleaned,
    ListQuery,
    Truth,
    Whole,
    body,
    line,
    optional_title,
    words,
)
from service.comments.status import DECISIONS, STATUSES
from service.webhooks.outbox import EVENT_TYPES

_DECISION = validate.OneOf(list(DECISIONS))
AT_MOST = 3_500
"""Each with its version: what fits into a body."""


class QueueFilter(ma.Schema):
    site = fields.String(load_default=None, validate=validate.Length(1, 64))
    page = fields.String(
        load_default=None, validate=validate.Length(1, 2048), metadata={"description": "Needs `site`."}
    )
    q = fields.String(load_default=None, validate=validate.Length(1, 200))
    reason = fields.String(load_default=None, validate=validate.Length(1, 40))


class QueueQuery(QueueFilter, ListQuery):
    status = fields.String(load_default=None, validate=validate.OneOf(STATUSES))
    sort = fields.String(load_default="oldest", validate=validate.OneOf(["oldest", "newest", "risk"]))


class Decide(ma.Schema):
    decision = fields.String(required=True, validate=_DECISION)
    reason = words(500, load_default=None, allow_none=True)
    note = words(2000, load_default=None, allow_none=True)


class BulkItem(ma.Schema):
    id = fields.UUID(required=True)
    if_match = fields.String(validate=validate.Length(1, 40))


class Bulk(ma.Schema):
    """Either `items`, or `filter` with the `count` that the moderator saw (pending comments only)."""

    decision = fields.String(required=True, validate=_DECISION)
    reason = words(500, load_default=None, allow_none=True)
    items = fields.List(fields.Nested(BulkItem), validate=validate.Length(1, AT_MOST))
    filter = fields.Nested(QueueFilter)
    count = Whole(strict=True, validate=validate.Range(0, 2**53))

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
    reasons = fields.List(fields.Nested(Reason), required=True)
    risk = fields.Integer(required=True)
    created_at = fields.String(required=True)
    edited_at = fields.String(required=True, allow_none=True)
    decided_at = fields.String(required=True, allow_none=True)
    decided_by = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
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


class OneView(CommentView):
    history = fields.List(fields.Nested(HistoryView), required=True)
    revisions = fields.List(fields.Nested(RevisionView), required=True)
    reports = fields.List(fields.Nested(ReportView), required=True)
    person = fields.Nested(PersonRecord, required=True)


class Revealed(ma.Schema):
    email = fields.String(required=True, allow_none=True)


class OutcomeView(ma.Schema):
    id = fields.UUID(required=True)
    status = fields.String(required=True, allow_none=True)
    problem = fields.String(required=True, allow_none=True)


class BulkView(ma.Schema):
    id = fields.UUID(required=True, allow_none=True)
    state = fields.String(required=True)
    total = fields.Integer(required=True)
    done = fields.Integer(required=True)
    results = fields.List(fields.Nested(OutcomeView), required=True)


class SiteSizes(ma.Schema):
    site = fields.String(required=True)
    pending = fields.Integer(required=True)
    approved = fields.Integer(required=True)
    rejected = fields.Integer(required=True)
    spam = fields.Integer(required=True)
    deleted = fields.Integer(required=True)


class Stats(ma.Schema):
    sites = fields.List(fields.Nested(SiteSizes), required=True)
    pending = fields.Integer(required=True)
    oldest_pending_at = fields.String(required=True, allow_none=True)


class AuditQuery(ListQuery):
    site = fields.String(load_default=None, validate=validate.Length(1, 64))
    subject = fields.UUID(load_default=None)
    action = fields.String(load_default=None, validate=validate.Length(1, 40))


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
