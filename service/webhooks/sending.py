"""Send one delivery: take it, and settle what came of it. Each in a transaction; what lies between is in none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from service.db import db, new_id, now
from service.outbound.transport import Reply
from service.webhooks import queries
from service.webhooks.models import Attempt, Delivery, Endpoint
from service.webhooks.operations import disable
from service.webhooks.policy import (
    BLOCKED,
    DELIVERED,
    FAILED,
    FAILED_BEFORE,
    GIVE_UP_AFTER,
    LEASE,
    LONGEST_WAIT,
    wait_after,
)
from service.webhooks.turns import queries as turns

WORKER = "system"
_GONE = 410
_LATER = (429, 503)
"""Statuses with which a receiver may say when to come again."""


@dataclass(frozen=True)
class Lease:
    """A delivery that is ours to send, until the lease ends."""

    id: UUID
    delivery: Delivery
    data: dict[str, Any]
    has_address: bool
    """What is told of the event, and whether with its author's address: as it was when this began."""


def take(delivery_id: UUID) -> Lease | None:
    """Claim a delivery that is due; None when another has it, or there is nothing to send any more."""
    moment, lease = now(), new_id()
    if not turns.claim(delivery_id, lease, moment, moment + LEASE):
        return None
    found = queries.delivery(delivery_id)
    assert found
    if found.endpoint.disabled_at is not None:
        _end(found, FAILED, moment)
        return None
    db.session.flush()
    db.session.expunge(found)  # what it says stays as it is, also when a transaction after this one fails
    return Lease(lease, found, found.event.data, found.event.email_sealed is not None)


def settle(lease: Lease, reply: Reply, attempt_id: UUID | None = None) -> datetime | None:
    """Write down what came of a try; when the next one is due, if there is one.

    Whoever comes after the lease was taken over writes the try down and settles nothing. Under the same id it is
    written down once, however often it is said: who heard nothing of a commit says it again.
    """
    moment, sent = now(), lease.delivery
    if attempt_id and queries.is_written_down(attempt_id):
        return None
    endpoint = _endpoint_for(sent.endpoint_id, reply)
    one = turns.leased(sent.id, lease.id)
    found = queries.delivery(sent.id)
    if endpoint is None or found is None:
        return None  # removed meanwhile, with its log
    has_address = found.event.email_sealed is not None
    # Erased while it was being sent: the answer may repeat what was.
    is_erased = (found.event.data, has_address) != (lease.data, lease.has_address)
    db.session.add(
        Attempt(
            id=attempt_id or new_id(),
            delivery_id=sent.id,
            endpoint_id=sent.endpoint_id,
            at=moment - timedelta(milliseconds=reply.milliseconds),
            milliseconds=reply.milliseconds,
            status=reply.status,
            error=reply.error,
            excerpt="" if is_erased else reply.excerpt,
        )
    )
    if one is None:
        return None
    one.attempts += 1  # and not when it was taken: who dies with it has tried nothing that its receiver answers for
    if _is_success(reply):
        endpoint.failing_since = None
        _end(one, DELIVERED, moment)
        return None
    _note_failure(endpoint, reply, moment)
    return _after_failure(one, endpoint, reply, moment)


RESULTS = ("delivered", "refused", "unanswered", "blocked")


def result_of(reply: Reply) -> str:
    """What came of a try, in a word: it was taken, refused with another status, not answered, or blocked by us."""
    if _is_success(reply):
        return "delivered"
    if reply.status is not None:
        return "refused"
    return "blocked" if reply.is_blocked else "unanswered"


def _is_success(reply: Reply) -> bool:
    return reply.status is not None and 200 <= reply.status < 300


def _endpoint_for(endpoint_id: UUID, reply: Reply) -> Endpoint | None:
    """The endpoint; locked, and before its delivery, when the reply changes what is known of it."""
    found = queries.endpoint(endpoint_id, None)
    if found is None or (_is_success(reply) and found.failing_since is None):
        return found
    return queries.locked_endpoint(endpoint_id)


def _note_failure(endpoint: Endpoint, reply: Reply, moment: datetime) -> None:
    if endpoint.failing_since is None:
        endpoint.failing_since = moment
    if reply.status == _GONE:
        disable(endpoint, "The receiver answered 410: it wants no more.", actor=WORKER)
    elif moment - endpoint.failing_since >= GIVE_UP_AFTER and _keeps_failing(endpoint, moment):
        disable(endpoint, "Nothing came through for five days.", actor=WORKER)
    if reply.status in _LATER and reply.retry_after:
        endpoint.held_until = moment + min(timedelta(seconds=reply.retry_after), LONGEST_WAIT)


def _keeps_failing(endpoint: Endpoint, moment: datetime) -> bool:
    least, most = FAILED_BEFORE
    return queries.has_failed_between(endpoint.id, moment - most, moment - least)


def _after_failure(one: Delivery, endpoint: Endpoint, reply: Reply, moment: datetime) -> datetime | None:
    """When it is tried again: never where nothing is sent any more, since this failure or another one meanwhile."""
    wait = wait_after(one.attempts, reply.retry_after if reply.status in _LATER else None)
    if wait is None or endpoint.disabled_at is not None:
        _end(one, BLOCKED if reply.is_blocked else FAILED, moment)
        return None
    one.lease = one.lease_until = None
    one.next_at = moment + wait
    db.session.flush()
    return one.next_at


def _end(one: Delivery, state: str, moment: datetime) -> None:
    one.state, one.done_at = state, moment
    one.lease = one.lease_until = one.next_at = None
    db.session.flush()
