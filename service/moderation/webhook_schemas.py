"""The shapes of endpoints, and of what is on its way to them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from service.comments.schemas import ListQuery, Truth, words
from service.moderation.team_schemas import a_moment, a_site
from service.webhooks.outbox import EVENT_TYPES
from service.webhooks.policy import FORMATS, LONGEST_URL, STANDARD, STATES

_TYPES = {"description": "The types that are sent. None: all."}
_EMAIL = {"description": "Send authors' e-mail addresses along. That you asked for it is written down."}


def _url(**more: Any) -> fields.String:
    meta = {"format": "uri", "examples": ["https://receiver.example.org/greenroom"]}
    return fields.String(validate=validate.Length(1, LONGEST_URL), metadata=meta, **more)


def _types(**more: Any) -> fields.List[Any]:
    one = fields.String(validate=validate.OneOf(EVENT_TYPES))
    return fields.List(one, validate=validate.Length(max=len(EVENT_TYPES)), metadata=_TYPES, **more)


class EndpointsQuery(ListQuery):
    site = a_site(load_default=None)


class NewEndpoint(ma.Schema):
    site = a_site(required=True)
    url = _url(required=True)
    events = _types(load_default=[])
    note = words(200, load_default="", allow_none=True)
    format = fields.String(load_default=STANDARD, validate=validate.OneOf(FORMATS))
    include_email = Truth(load_default=False, metadata=_EMAIL)


class ChangeEndpoint(ma.Schema):
    url = _url()
    events = _types()
    note = words(200, allow_none=True)
    format = fields.String(validate=validate.OneOf(FORMATS))
    include_email = Truth(metadata=_EMAIL)


class EndpointView(ma.Schema):
    id = fields.UUID(required=True)
    site = fields.String(required=True)
    url = fields.String(required=True)
    events = fields.List(fields.String(), required=True)
    note = fields.String(required=True)
    format = fields.String(required=True, validate=validate.OneOf(FORMATS))
    include_email = fields.Boolean(required=True)
    enabled = fields.Boolean(required=True)
    disabled_at = a_moment()
    disabled_because = fields.String(required=True, allow_none=True)
    failing_since = a_moment()
    old_secret_until = a_moment()
    created_at = a_moment()


class IssuedEndpoint(EndpointView):
    secret = fields.String(
        required=True, allow_none=True, metadata={"description": "Told once; null when this is told again."}
    )


class Endpoints(ma.Schema):
    endpoints = fields.List(fields.Nested(EndpointView), required=True)
    next = fields.String(required=True, allow_none=True)


class DeliveriesQuery(ListQuery):
    state = fields.String(load_default=None, validate=validate.OneOf(STATES))


class AttemptView(ma.Schema):
    at = a_moment()
    milliseconds = fields.Integer(required=True)
    status = fields.Integer(required=True, allow_none=True)
    error = fields.String(
        required=True, allow_none=True, metadata={"description": "Why there is no status, in a sentence."}
    )
    excerpt = fields.String(required=True, metadata={"description": "How the answer began: 1,024 bytes at most."})


class DeliveryView(ma.Schema):
    id = fields.UUID(required=True)
    endpoint = fields.UUID(required=True)
    event = fields.UUID(required=True, metadata={"description": "Sent as `webhook-id`, each time the same."})
    type = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    replay = fields.Boolean(required=True)
    next_at = a_moment()
    done_at = a_moment()
    created_at = a_moment()
    attempts = fields.List(fields.Nested(AttemptView), required=True, metadata={"description": "The first one first."})


class Deliveries(ma.Schema):
    deliveries = fields.List(fields.Nested(DeliveryView), required=True)
    next = fields.String(required=True, allow_none=True)


def _not_too_early(at: datetime) -> None:
    if at < datetime(2000, 1, 1, tzinfo=UTC):
        raise ma.ValidationError([{"code": "too-early", "detail": "Choose a time since the year 2000."}])


class RecoverQuery(ma.Schema):
    since = fields.AwareDateTime(
        format="iso",
        required=True,
        validate=_not_too_early,
        metadata={"description": "Whatever happened from then on and did not get there."},
    )


class Recovered(ma.Schema):
    events = fields.Integer(required=True, metadata={"description": "How many are sent again."})
