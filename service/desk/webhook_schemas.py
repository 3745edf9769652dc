"""What the pages and forms of webhooks send."""

from __future__ import annotations

from datetime import UTC, datetime

from marshmallow import fields, validate

from service.comments.schemas import words
from service.desk.schemas import LAST_DAY, FromForm
from service.moderation.team_schemas import a_site
from service.webhooks.outbox import EVENT_TYPES
from service.webhooks.policy import FORMATS, LONGEST_URL, STANDARD, STATES

_FIRST = datetime(2000, 1, 1, tzinfo=UTC)
_LAST = datetime(LAST_DAY.year, LAST_DAY.month, LAST_DAY.day, tzinfo=UTC)
"""Between them, a time has a date in every zone."""


def _a_time(**more: object) -> fields.AwareDateTime:
    """As `datetime-local` sends it: without a zone it is UTC's."""
    between = validate.Range(_FIRST, _LAST, error="Choose a time since the year 2000.")
    return fields.AwareDateTime(format="iso", default_timezone=UTC, validate=between, **more)  # type: ignore[arg-type]


def _a_state() -> fields.String:
    return fields.String(load_default=None, validate=validate.OneOf(STATES))


class Webhooks(FromForm):
    """Which endpoints: the address of the list. `done`: what was just done, so that the page says it."""

    site = a_site(load_default=None)
    cursor = fields.String(load_default=None, validate=validate.Length(max=500))
    done = fields.String(load_default="", validate=validate.Length(max=40))


class Webhook(Webhooks):
    """One endpoint, and which of its deliveries. `since`: what stands in the form that sends what was missed."""

    state = _a_state()
    since = _a_time(load_default=None)


class Pressed(FromForm):
    """A form of a page. `key`: of the drawing; sent twice, the form counts once."""

    key = fields.UUID(load_default=None)


class Deed(FromForm):
    """Which of the page's forms was sent."""

    deed = fields.String(required=True, validate=validate.Length(max=40))


class Wanted(Pressed):
    """What is wanted of an endpoint. A box that is not ticked is not sent at all."""

    url = fields.String(required=True, validate=validate.Length(1, LONGEST_URL))
    events = fields.List(
        fields.String(validate=validate.OneOf(EVENT_TYPES)),
        load_default=list,
        validate=validate.Length(max=len(EVENT_TYPES)),
    )
    note = words(200, load_default="")
    format = fields.String(load_default=STANDARD, validate=validate.OneOf(FORMATS))
    include_email = fields.Boolean(load_default=False)


class NewWebhook(Wanted):
    site = a_site(required=True)


class Recover(Pressed):
    since = _a_time(required=True)


class Again(Pressed):
    """One delivery, whose event is to be sent once more; `state`: of the list in which its button was."""

    id = fields.UUID(required=True)
    state = _a_state()
