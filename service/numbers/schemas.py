"""The shapes of the numbers."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate


class StatsQuery(ma.Schema):
    site = fields.String(load_default=None, validate=validate.Length(1, 64))
    since = fields.AwareDateTime(
        format="iso",
        load_default=None,
        metadata={"description": "From when on decisions count, a year ago at most. Default: the last 30 days."},
    )


class SiteSizes(ma.Schema):
    site = fields.String(required=True)
    pending = fields.Integer(required=True)
    approved = fields.Integer(required=True)
    rejected = fields.Integer(required=True)
    spam = fields.Integer(required=True)
    deleted = fields.Integer(required=True)


class AgesView(ma.Schema):
    """Seconds; null when nothing waits."""

    p50 = fields.Integer(required=True, allow_none=True)
    p95 = fields.Integer(required=True, allow_none=True)
    oldest = fields.Integer(required=True, allow_none=True)


class TallyView(ma.Schema):
    decisions = fields.Integer(required=True)
    approved = fields.Integer(required=True)
    rejected = fields.Integer(required=True)
    spam = fields.Integer(required=True)
    deleted = fields.Integer(required=True)
    restored = fields.Integer(required=True)
    overturned = fields.Integer(
        required=True, metadata={"description": "Those that were undone, or decided otherwise later."}
    )


class BegunView(TallyView):
    begins_at = fields.String(required=True)


class ActorView(TallyView):
    actor = fields.String(required=True)
    name = fields.String(required=True, allow_none=True)


class ReasonView(TallyView):
    reason = fields.String(required=True)


class LateView(ma.Schema):
    site = fields.String(required=True)
    target_age_minutes = fields.Integer(required=True)
    oldest_pending_at = fields.String(required=True)


class Stats(ma.Schema):
    sites = fields.List(fields.Nested(SiteSizes), required=True)
    pending = fields.Integer(required=True)
    oldest_pending_at = fields.String(required=True, allow_none=True)
    age = fields.Nested(AgesView, required=True)
    overdue = fields.List(
        fields.Nested(LateView), required=True, metadata={"description": "Sites past their target age."}
    )
    since = fields.String(required=True)
    decided = fields.Nested(TallyView, required=True)
    hours = fields.List(fields.Nested(BegunView), required=True, metadata={"description": "The last 24, in UTC."})
    days = fields.List(fields.Nested(BegunView), required=True)
    moderators = fields.List(fields.Nested(ActorView), required=True)
    reasons = fields.List(
        fields.Nested(ReasonView), required=True, metadata={"description": "By what the comments were held for."}
    )
