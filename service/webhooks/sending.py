"""Send one delivery: take it, and settle what came of it. Each in a transaction; what lies between is in none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from service.db import db, new_id, now
from service.outbound.transport import Reply
from service.webhooks import queries
from service.webhooks.models import Attempt, Delivery, Endpoint
from service.webhooks.operations import disable
from service.webhooks.policy import BLOCKED, DELIVERED, FAILED, GIVE_UP_AFTER, LEASE, wait_after

WORKER = "system"
_GONE = 410
_LATER = (429, 503)
"""Statuses with which a receiver may say when to come again."""


@dataclass(frozen=True)
class Lease:
    """A delivery that is ours to send, until the lease ends."""

    id: UUID
    delivery: Delivery


def take(delivery_id: UUID) -> Lease | None:
    """Claim a delivery that is due; None when another has it, or there is nothing to send any more."""
    moment, lease = now(), new_id()
    if not queries.claim(delivery_id, lease, moment, moment + LEASE):
        return None
    found = queries.delivery(delivery_id)
    assert found
    if found.endpoint.disabled_at is not None:
        _end(found, FAILED, moment)
        return None
    return Lease(lease, found)


def settle(lease: Lease, reply: Reply) -> datetime | None:
    """Write down what came of a try; when the next one is due, if there is one.

    Whoever comes after the lease was taken over writes the try down and settles nothing.
    """
    moment, sent = now(), lease.delivery
    endpoint = _endpoint_for(sent.endpoint_id, reply)
    one = queries.leased(sent.id, lease.id)
    if endpoint is None or not queries.delivery(sent.id):
        return None  # removed meanwhile, with its log
    db.session.add(
        Attempt(
            delivery_id=sent.id,
            endpoint_id=sent.endpoint_id,
            at=moment,
            milliseconds=reply.milliseconds,
            status=reply.status,
            error=reply.error,
            excerpt=reply.excerpt,
        )  # fmt: skip
    )
    if one is None:
        return None
    if _is_success(reply):
        endpoint.failing_since = None
        _end(one, DELIVERED, moment)
        return None
    _note_failure(endpoint, reply, moment)
    return _after_failure(one, reply, moment)


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
    elif moment - endpoint.failing_since >= GIVE_UP_AFTER:
        disable(endpoint, "Nothing came through for five days.", actor=WORKER)


def _after_failure(one: Delivery, reply: Reply, moment: datetime) -> datetime | None:
    wait = wait_after(one.attempts, reply.retry_after if reply.status in _LATER else None)
    if wait is None or reply.is_blocked or reply.status == _GONE:
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
