"""What the forms about people and rules send."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from service.comments.schemas import words
from service.desk.schemas import LAST_DAY, FromForm
from service.moderation import people_schemas, site_schemas
from service.rules.policy import KINDS, NETWORK, PERSON

TIMES = ("day", "week", "month")
DEEDS = ("block", *TIMES, "hold", "shadow", "trust")
"""What the buttons of a new rule say: what it does, a time-out by how long it is."""
ENDS = (*TIMES, "until", "never", "now")
"""What those of an old one say: when it ends; `until`: on the day that is typed."""
LINES = 200
"""Values for which rules are made at once."""


class Lines(fields.String):
    """Values in a box, one a line: each with the number of its line, as people count them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        lines = str(super()._deserialize(value, attr, data, **more)).splitlines()
        return [(n, line.strip()) for n, line in enumerate(lines, 1) if line.strip()]


class Until(FromForm):
    """The last day on which a rule holds. Days are UTC's."""

    until = fields.Date(load_default=None, validate=validate.Range(max=LAST_DAY))


class NewRule(Until):
    deed = fields.String(required=True, validate=validate.OneOf(DEEDS))
    note = words(500, load_default="")

    @ma.validates_schema
    def _one_end(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("until") and data.get("deed") in TIMES:
            told = "A time-out has an end of its own. To block until another day, choose Block."
            raise ma.ValidationError([{"code": "until", "detail": told}], "until")


class RuleFrom(NewRule):
    """A rule about whoever wrote a comment, or where it came from."""

    kind = fields.String(load_default=PERSON, validate=validate.OneOf([PERSON, NETWORK]))


class RuleAbout(NewRule):
    """A rule about what an owner names."""

    site = fields.String(required=True, validate=validate.Length(1, 64))
    kind = fields.String(required=True, validate=validate.OneOf([one for one in KINDS if one != PERSON]))
    value = Lines(required=True, validate=validate.Length(1, LINES, error="Name at most {max} at once."))


class RuleEnd(Until):
    end = fields.String(required=True, validate=validate.OneOf(ENDS))
    person = fields.UUID(load_default=None)
    """Whose page the form was on; else it was that of the rules, of this site."""
    site = fields.String(load_default=None, validate=validate.Length(1, 64))

    @ma.validates_schema
    def _a_day(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("end") == "until" and not data.get("until"):
            raise ma.ValidationError("Choose a day.", "until")


class RulesPage(FromForm, people_schemas.RulesQuery):
    """Which rules: the address of the list."""


class LookUp(FromForm, site_schemas.LookUp):
    """A whole address, and the site on which it is looked for."""
