"""Endpoints and what is on its way to them, as the templates draw them: words, times, and bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _

from service.db import now
from service.desk import words
from service.desk.plots import Plot, plot_of
from service.sites import queries as sites
from service.webhooks import queries
from service.webhooks.models import Attempt, Delivery, Endpoint
from service.webhooks.operations import host_of
from service.webhooks.policy import BLOCKED, DELIVERED, FAILED, PENDING, STANDARD

EVENTS = {
    "comment.created": _("A comment came in"),
    "comment.approved": _("A comment was approved"),
    "comment.rejected": _("A comment was rejected"),
    "comment.spam": _("A comment was marked as spam"),
    "comment.deleted": _("A comment was deleted"),
    "comment.restored": _("A comment was put back in the queue"),
    "comment.edited": _("The text of a comment was changed"),
    "comment.flagged": _("A reader reported a comment"),
    "comment.erased": _("An author had a comment erased"),
    "thread.opened": _("A page was opened"),
    "thread.closed": _("A page was closed"),
    "queue.overdue": _("Comments wait longer than the target"),
    "flood.started": _("Unusually many comments come in"),
    "endpoint.disabled": _("A webhook was switched off"),
    "ping": _("A test"),
}
"""What happened, by the type of the event. A test holds them to the types that there are."""
_ONLY_BY_HAND = "ping"
"""Goes to the one that is tested, whatever it wants."""

FORMATS = {
    STANDARD: _("For programs: Standard Webhooks"),
    "slack": "Slack",
    "discord": "Discord",
    "telegram": "Telegram",
}
STATES = {PENDING: _("on its way"), DELIVERED: _("delivered"), FAILED: _("given up"), BLOCKED: _("blocked")}
"""What becomes of a delivery."""
DAYS = 14
"""Of which the bars tell, with today. The templates say so in words."""
_TOLD = 10
"""Endpoints that are switched off, of which a page tells."""


@dataclass
class Day:
    """Deliveries that were over on a day: those that got through, and those that did not."""

    delivered: int = 0
    failed: int = 0


@dataclass(frozen=True)
class Health:
    """How an endpoint did lately, and day by day."""

    delivered: int
    failed: int
    bars: Plot[Day]


def health_of(endpoint_ids: Sequence[UUID]) -> dict[UUID, Health]:
    """By endpoint. Days are UTC's, none left out."""
    today = datetime.combine(now().astimezone(UTC).date(), time(), UTC)
    days = [today - timedelta(days=n) for n in reversed(range(DAYS))]
    found = {one: {day: Day() for day in days} for one in endpoint_ids}
    for endpoint_id, day, state, count in queries.health(endpoint_ids, days[0]):
        one = found[endpoint_id].get(datetime.fromisoformat(f"{day}T00:00:00+00:00"))
        if one is not None:  # None: of tomorrow, by a clock that was set back
            one.delivered += count if state == DELIVERED else 0
            one.failed += 0 if state == DELIVERED else count
    return {one: _health(counts) for one, counts in found.items()}


def _health(days: dict[datetime, Day]) -> Health:
    bars = plot_of(days, "%Y-%m-%d", lambda one: (one.delivered, one.failed))
    return Health(sum(one.delivered for one in days.values()), sum(one.failed for one in days.values()), bars)


def listed(rows: Sequence[Endpoint]) -> list[dict[str, Any]]:
    """Endpoints with how they do."""
    health = health_of([one.id for one in rows])
    return [endpoint(one) | {"health": health[one.id]} for one in rows]


def endpoint(one: Endpoint) -> dict[str, Any]:
    """An endpoint in words, and what its form holds."""
    site = sites.site_by_id(one.site_id)
    assert site
    return {
        "id": one.id,
        "host": host_of(one.url),
        "site_name": site.name,
        "what": [EVENTS.get(type_, type_) for type_ in one.events],
        "how": FORMATS[one.format],
        "disabled": words.moment(one.disabled_at) if one.disabled_at else None,
        "because": one.disabled_because or "",
        "failing": words.moment(one.failing_since) if one.failing_since else None,
        "old_secret": _to_come(one.old_secret_until),
        **{name: getattr(one, name) for name in ("url", "events", "note", "format", "include_email")},
    }


def _to_come(at: datetime | None) -> dict[str, str] | None:
    """A time in words, unless it is over."""
    return words.moment(at) if at and at > now() else None


def choices(chosen: Sequence[str]) -> list[tuple[str, Any]]:
    """The events that can be chosen, each with its words; a test only where a program chose it."""
    return [(type_, label) for type_, label in EVENTS.items() if type_ != _ONLY_BY_HAND or type_ in chosen]


def switched_off(site_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """Endpoints of some sites that were given up, for those who can do something about it."""
    found = queries.disabled(site_ids, _TOLD) if site_ids else []
    return [endpoint(one) for one in found]


def deliveries(rows: Sequence[Delivery]) -> list[dict[str, Any]]:
    """Deliveries in words, each with every try."""
    tried: dict[UUID, list[dict[str, Any]]] = {row.id: [] for row in rows}
    for one in queries.attempts(list(tried)):
        tried[one.delivery_id].append(_attempt(one))
    return [_delivery(row, tried[row.id]) for row in rows]


def _delivery(row: Delivery, tried: list[dict[str, Any]]) -> dict[str, Any]:
    is_over = row.state != PENDING
    return {
        "id": row.id,
        "event": row.event_id,
        "type": row.event.type,
        "what": EVENTS.get(row.event.type, row.event.type),
        "state": row.state,
        "state_name": STATES[row.state],
        "is_again": row.is_replay,
        "next": _to_come(row.next_at),
        "created": words.moment(row.created_at),
        "tried": tried,
        "may_repeat": is_over,
    }


def _attempt(one: Attempt) -> dict[str, Any]:
    return {
        "at": words.moment(one.at),
        "status": one.status,
        "milliseconds": one.milliseconds,
        "error": one.error or "",
        "excerpt": one.excerpt,
    }
