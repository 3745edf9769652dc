"""Endpoints: where a site's events are sent. Make, change, test, give up and take up again, send once more."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from service.audit.operations import Deed, record
from service.db import db, new_id, now
from service.doors import settings
from service.errors import Conflict, NotFound
from service.privacy.seal import seal
from service.prompts import prompt_after_commit
from service.webhooks import queries
from service.webhooks.models import Delivery, Endpoint
from service.webhooks.outbox import RELEASE, Manner, announce
from service.webhooks.policy import MOST_ENDPOINTS, OVERLAP, PING, STANDARD
from service.webhooks.signing import new_secret
from service.webhooks.turns import queries as turns

RECOVERED_AT_ONCE = 1_000


@dataclass(frozen=True)
class Wanted:
    """What somebody wants of an endpoint. `events`: the types; none for all."""

    url: str
    events: tuple[str, ...] = ()
    note: str = ""
    format: str = STANDARD
    include_email: bool = False


@dataclass(frozen=True)
class Issued:
    """An endpoint and its secret, which is shown this once."""

    endpoint: Endpoint
    secret: str


def add(site_id: UUID, wanted: Wanted, *, actor: str) -> Issued:
    """A new endpoint, on from now. Its URL was checked by the door. Conflict when the site has enough of them."""
    if queries.count_endpoints(site_id) >= MOST_ENDPOINTS:
        raise Conflict(f"A site has {MOST_ENDPOINTS} endpoints at most. Remove one first.")
    secret = new_secret()
    made = Endpoint(
        id=new_id(), site_id=site_id, url=wanted.url, events=list(wanted.events), note=wanted.note,
        format=wanted.format, include_email=wanted.include_email, secret_sealed=seal(secret), created_by=actor,
    )  # fmt: skip
    db.session.add(made)
    db.session.flush()
    _write_down("webhook.added", made, actor, told(made))
    return Issued(made, secret)


def told(one: Endpoint) -> dict[str, Any]:
    """An endpoint as the audit log tells it: by its host, since the whole of a chat's URL opens the chat."""
    return {
        "host": host_of(one.url),
        "events": one.events,
        "format": one.format,
        "include_email": one.include_email,
        "note": one.note or None,
    }


def host_of(url: str) -> str:
    return url.split("//", 1)[-1].split("/", 1)[0].split("?", 1)[0]


def _write_down(action: str, one: Endpoint, actor: str, details: dict[str, Any] | None = None) -> None:
    record(Deed(action, actor, one.site_id, one.id, details or {"host": host_of(one.url)}))


def find(endpoint_id: UUID, sites: Collection[UUID] | None, *, to_change: bool = True) -> Endpoint:
    """An endpoint of one of these sites, locked when it is to be changed."""
    one = (queries.locked_endpoint if to_change else queries.endpoint)(endpoint_id, sites)
    if one is None:
        raise NotFound("There is no endpoint by that id.")
    return one


def change(one: Endpoint, values: dict[str, Any], *, actor: str) -> None:
    """Change some of `url`, `events`, `note`, `format`, `include_email`."""
    before = {name: getattr(one, name) for name in values}
    if before == values:
        return
    for name, value in values.items():
        setattr(one, name, value)
    if one.url != before.get("url", one.url):
        one.failing_since = one.held_until = None  # that was about another receiver
    db.session.flush()
    changed = sorted(name for name, value in before.items() if value != values[name])
    _write_down("webhook.changed", one, actor, told(one) | {"changed": changed})


def remove(one: Endpoint, *, actor: str) -> None:
    """Forget an endpoint with its log. What was to be sent there is not sent."""
    _write_down("webhook.removed", one, actor)
    db.session.delete(one)
    db.session.flush()


def rotate(one: Endpoint, *, actor: str) -> Issued:
    """Another secret. The old one signs beside it for a day, so that receivers can change in their own time."""
    one.old_secret_sealed, one.old_secret_until = one.secret_sealed, now() + OVERLAP
    secret = new_secret()
    one.secret_sealed = seal(secret)
    db.session.flush()
    _write_down("webhook.rotated", one, actor)
    return Issued(one, secret)


def enable(one: Endpoint, *, actor: str) -> None:
    """Take an endpoint up again. What it missed meanwhile is sent by `recover`."""
    if one.disabled_at is None:
        return
    one.disabled_at = one.disabled_because = one.failing_since = one.held_until = None
    db.session.flush()
    _write_down("webhook.enabled", one, actor)


def disable(one: Endpoint, because: str, *, actor: str) -> None:
    """Send nothing there any more, and tell whoever listens elsewhere."""
    if one.disabled_at is not None:
        return
    one.disabled_at, one.disabled_because = now(), because
    db.session.flush()
    turns.give_up(one.id, one.disabled_at)
    _write_down("webhook.disabled", one, actor, {"host": host_of(one.url), "because": because})
    data = {"endpoint": {"id": str(one.id), "host": host_of(one.url), "note": one.note}, "because": because}
    announce("endpoint.disabled", one.site_id, one.id, data)


def test(one: Endpoint, *, actor: str) -> None:
    """Send it a `ping`. Conflict while it is disabled."""
    _check_on(one)
    announce(PING, one.site_id, one.id, {"endpoint": {"id": str(one.id)}, "actor": actor}, Manner(only=one.id))


def _check_on(one: Endpoint) -> None:
    if one.disabled_at is not None:
        raise Conflict("This endpoint is disabled. Enable it first.")


def delivery(delivery_id: UUID, sites: Collection[UUID] | None) -> Delivery:
    """A delivery to an endpoint of one of these sites."""
    found = queries.delivery(delivery_id, sites)
    if found is None or found.event.not_before > now():
        raise NotFound("There is no delivery by that id.")
    return found


def redeliver(one: Delivery, *, actor: str) -> Delivery:
    """Send an event to its endpoint once more, under the same id. Conflict while it is on its way, or disabled."""
    endpoint = find(one.endpoint_id, None)
    _check_on(endpoint)
    if queries.is_on_its_way(endpoint.id, one.event_id):
        raise Conflict("This is on its way already.")
    at = now() if queries.is_released(one.event_id) else None  # what may still be taken back waits for that
    again = Delivery(id=new_id(), endpoint=endpoint, event_id=one.event_id, is_replay=True, next_at=at)
    db.session.add(again)
    db.session.flush()
    _write_down("webhook.redelivered", endpoint, actor, {"event": str(one.event_id)})
    prompt_after_commit(RELEASE)
    return again


@dataclass(frozen=True)
class Recovered:
    """How many events are sent again, and after which `seq` it goes on; None when that was all."""

    events: int
    after: int | None


def recover(one: Endpoint, since: datetime, after: int = 0, *, actor: str) -> Recovered:
    """Send whatever happened since a time and did not get there. Conflict while the endpoint is disabled.

    Not what happened before there was the endpoint, nor so long ago that the log forgot whether it got there. As many
    events as one transaction may hold without that others wait for it: go on, in another one, after the last.
    """
    _check_on(one)
    known = max(since, one.created_at, now() - timedelta(days=settings().webhook_log_days))
    # First what is still held back: what is released while we wait for it is found below.
    waiting = queries.unheard_unreleased(one, known, RECOVERED_AT_ONCE)
    queries.add_replays(one.id, waiting, None)
    events = queries.unheard(one, known, after, RECOVERED_AT_ONCE - len(waiting))
    queries.add_replays(one.id, [event_id for event_id, _ in events], now())
    total = len(waiting) + len(events)
    if total or not after:
        _write_down("webhook.recovered", one, actor, {"since": since.isoformat(), "events": total})
    if total:
        prompt_after_commit(RELEASE)
    last = events[-1].seq if events else after
    return Recovered(total, last if total == RECOVERED_AT_ONCE else None)
