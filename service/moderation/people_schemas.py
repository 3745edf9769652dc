"""The shapes of rules and of the people that they are about. Never an address, only its mask."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from service.comments.schemas import ListQuery, words
from service.comments.status import STATUSES
from service.rules.policy import CIDR, EFFECTS, KINDS, NETWORK, PERSON

_FROM_A_COMMENT = (PERSON, NETWORK)
_AN_END = {
    "format": "date-time",
    "examples": ["2030-01-31T12:00:00Z"],
    "description": "From then on it does nothing, and is forgotten within the hour; null: for good.",
}


class End(fields.AwareDateTime):
    """When a rule ends: a time with its zone (RFC 3339)."""

    def __init__(self, **more: Any) -> None:
        super().__init__(format="iso", allow_none=True, metadata=_AN_END, **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        try:
            return super()._deserialize(value.upper() if isinstance(value, str) else value, attr, data, **more)
        except ma.ValidationError as error:
            told = "Write a time with its zone, like 2030-01-31T12:00:00Z."
            raise ma.ValidationError([{"code": "until", "detail": told}]) from error


class RulesQuery(ListQuery):
    site = fields.String(load_default=None, validate=validate.Length(1, 64))
    kind = fields.String(load_default=None, validate=validate.OneOf(KINDS))


class NewRule(ma.Schema):
    """Either `comment` (for a person or a network), or `value` with the `site` (for all but a person)."""

    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    effect = fields.String(required=True, validate=validate.OneOf(EFFECTS))
    comment = fields.UUID(metadata={"description": "Of the person, or from the network, that is meant."})
    site = fields.String(validate=validate.Length(1, 64))
    value = fields.String(
        validate=validate.Length(1, 300),
        metadata={
            "description": f"A domain, a host, a label, or for `{CIDR}` a range. What is below a name is meant, too."
        },
    )
    note = words(500, load_default=None, allow_none=True)
    until = End(load_default=None)

    ONE_OF = (
        {
            "properties": {"kind": {"enum": list(_FROM_A_COMMENT)}},
            "required": ["comment"],
            "not": {"anyOf": [{"required": ["site"]}, {"required": ["value"]}]},
        },
        {
            "properties": {"kind": {"enum": [one for one in KINDS if one != PERSON]}},
            "required": ["site", "value"],
            "not": {"required": ["comment"]},
        },
    )
    """What `_one_of` asks, for the document."""

    @ma.validates_schema
    def _one_of(self, data: dict[str, Any], **_: Any) -> None:
        named = data.keys() & {"comment", "site", "value"}
        if named not in ({"comment"}, {"site", "value"}):
            told = "Send either comment, or site and value."
            raise ma.ValidationError([{"code": "one-of", "detail": told}], "value")
        if "comment" in named and data.get("kind") not in _FROM_A_COMMENT:
            told = "A comment names a person or a network. Write what you mean as value, with its site."
            raise ma.ValidationError([{"code": "kind", "detail": told}], "comment")
        if "value" in named and data.get("kind") == PERSON:
            told = "A person is named by one of their comments. /v1/people/lookup finds one by an address."
            raise ma.ValidationError([{"code": "kind", "detail": told}], "value")


class ChangeRule(ma.Schema):
    until = End(required=True)


class RuleView(ma.Schema):
    id = fields.UUID(required=True)
    site = fields.String(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    effect = fields.String(required=True, validate=validate.OneOf(EFFECTS))
    value = fields.String(required=True, allow_none=True, metadata={"description": "Null for a person."})
    comment = fields.UUID(
        required=True, allow_none=True, metadata={"description": "From which it was made; it may be gone since."}
    )
    note = fields.String(required=True)
    until = fields.String(required=True, allow_none=True)
    created_at = fields.String(required=True)
    by = fields.String(required=True)


class Rules(ma.Schema):
    rules = fields.List(fields.Nested(RuleView), required=True)
    next = fields.String(required=True, allow_none=True)


Counts = ma.Schema.from_dict({status: fields.Integer(required=True) for status in STATUSES}, name="Counts")


class PersonView(ma.Schema):
    """Whoever wrote a comment: all with the same address on its site, or without one by the same token."""

    id = fields.UUID(required=True, metadata={"description": "The comment that was asked about."})
    site = fields.String(required=True)
    names = fields.List(fields.String(), required=True, metadata={"description": "The latest first."})
    email = fields.String(required=True, allow_none=True, metadata={"description": "Masked."})
    networks = fields.List(fields.String(), required=True)
    first_seen = fields.String(required=True)
    last_seen = fields.String(required=True)
    counts = fields.Nested(Counts, required=True)
    rules = fields.List(
        fields.Nested(RuleView),
        required=True,
        metadata={"description": "About them, their domain, or one of their networks."},
    )
