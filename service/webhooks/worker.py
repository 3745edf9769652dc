"""Work on the outbox: release what is due, send it, look each minute for what was left, forget what is old."""

from __future__ import annotations

import json
import logging
import time
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service import metrics
from service.db import new_id, now, seconds_since, transaction
from service.doors import settings
from service.jobs import regularly
from service.outbound.addresses import BadTarget, policy_of, read_target
from service.outbound.transport import Reply, post
from service.privacy.unseal import NoKeyFits, unseal
from service.prompts import on, prompt, waiting
from service.webhooks import chat, queries, sending, signing
from service.webhooks.models import Endpoint, Event
from service.webhooks.outbox import RELEASE, any_due, envelope, release_due
from service.webhooks.policy import APART, LATEST, STANDARD
from service.webhooks.turns import queries as turns

log = logging.getLogger(__name__)

DELIVER = "webhooks.deliver"
SWEEP_SECONDS = 60
_SWEPT = 1_000
_FORGOTTEN = 500
_PATIENCE = (0.5, 1.0, 2.0, 4.0)
"""Seconds until what came of a try is written down once more, where the database was busy or away."""
_TRIED = metrics.histogram(
    "greenroom_webhook_attempt_seconds", "Tries to send a webhook, by what came of them.", "result"
)
for _result in sending.RESULTS:
    _TRIED.labels(_result)


def release() -> bool:
    """Give their turn to events that are due, and have them sent."""
    if any_due():
        with transaction():
            release_due()
        _prompt_due()
    return False


def _look(_about: str) -> None:
    """What a door prompts: an event is due at once, or a replay."""
    if any_due():
        with transaction():
            release_due()
    _prompt_due()


def sweep() -> bool:
    """Find what nobody was told of: the queue was away, the worker that had it died, or the clock was ahead."""
    moment = now()
    soon = moment + APART  # what is never tried is due at once
    latest = turns.Latest(soon + timedelta(seconds=settings().undo_seconds), soon, soon + LATEST)
    if turns.any_beyond(latest):
        with transaction():
            turns.bring_back(moment, latest)
    _prompt_due()
    return False


def _prompt_due() -> None:
    """Unless so much is prompted already: what waits is found again, and the queue must not grow by looking."""
    if waiting() >= _SWEPT:
        return
    for one in turns.due_deliveries(now()):
        prompt(DELIVER, one.hex)


def deliver(about: str) -> None:
    """One try of one delivery. Nothing is open to the database while the network is waited for."""
    with transaction():
        lease = sending.take(UUID(about))
    if lease is None:
        return
    try:
        reply = send(lease.delivery.endpoint, lease.delivery.event)
    except Exception as error:  # a try that nobody settles would come back each minute, for ever
        log.error("a delivery could not be sent", exc_info=error)
        reply = Reply(error="Something went wrong here. It is tried again.")
    _TRIED.labels(sending.result_of(reply)).observe(reply.milliseconds / 1_000)
    again, following = _settle(lease, reply)
    if again:
        prompt(DELIVER, about, delay=max(0.0, (again - now()).total_seconds()))
    if following:
        prompt(DELIVER, following.hex)


def _settle(lease: sending.Lease, reply: Reply) -> tuple[datetime | None, UUID | None]:
    """Settle a try, if need be a few times: what nobody settles is sent once more. When it is due, and what follows."""
    attempt_id = new_id()

    def settle() -> tuple[datetime | None, UUID | None]:
        with transaction():
            again = sending.settle(lease, reply, attempt_id)
            following = turns.next_of(lease.delivery.endpoint_id, now())
        return again, following

    for wait in _PATIENCE:
        try:
            return settle()
        except (OperationalError, InterfaceError, PoolTimeout) as error:  # busy, away, or no connection left
            log.warning("what came of a delivery could not be stored yet: %s", type(error).__name__)
            time.sleep(wait)
    return settle()


def send(endpoint: Endpoint, event: Event) -> Reply:
    """One message, composed and signed now; what came back."""
    policy = policy_of(settings())
    try:
        target = read_target(endpoint.url, policy)
        body = _body(endpoint, event)
        secrets = _secrets(endpoint, now())
    except BadTarget as error:
        return Reply(error=str(error)[:200], is_blocked=True)
    return post(target, body, signing.headers(secrets, str(event.id), int(now().timestamp()), body), policy)


def _body(endpoint: Endpoint, event: Event) -> bytes:
    told = envelope(event)
    if endpoint.include_email and event.email_sealed and "comment" in told["data"]:
        with suppress(NoKeyFits):  # one that no key opens any more is as good as erased
            told["data"] = _with_email(told["data"], unseal(event.email_sealed))
    if endpoint.format == STANDARD:
        return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    return chat.message(endpoint.format, told, _desk_link(event))


def _with_email(data: dict[str, Any], address: str) -> dict[str, Any]:
    comment = data["comment"]
    return data | {"comment": comment | {"author": comment["author"] | {"email": address}}}


def _desk_link(event: Event) -> str:
    where = f"/desk/comments/{event.subject_id}" if event.type.startswith("comment.") else "/desk/"
    return f"{settings().public_url}{where}"


def _secrets(endpoint: Endpoint, at: datetime) -> list[str]:
    """The secret, and the one before it while its day lasts."""
    sealed = [endpoint.secret_sealed]
    if endpoint.old_secret_sealed and endpoint.old_secret_until and endpoint.old_secret_until > at:
        sealed.append(endpoint.old_secret_sealed)
    return [unseal(one) for one in sealed]


def forget() -> bool:
    """Forget secrets that sign no more, and deliveries that were done long ago; more at once while there are many."""
    with transaction():
        queries.forget_secrets(now())
        gone = queries.forget_done(now() - timedelta(days=settings().webhook_log_days), _FORGOTTEN)
    return gone == _FORGOTTEN


def _outbox() -> tuple[float, ...]:
    held, first = queries.unreleased()
    waiting, oldest = queries.backlog(now())
    return held, seconds_since(first), waiting, seconds_since(oldest)


def register() -> None:
    metrics.question(
        {
            "greenroom_events_unreleased": "Events that nobody has been told yet.",
            "greenroom_events_overdue_seconds": "For how long the first of them is due: seconds, while a worker works.",
            "greenroom_deliveries_pending": "Deliveries that are on their way.",
            "greenroom_deliveries_overdue_seconds": "For how long the first is due to a receiver that does not fail.",
        },
        _outbox,
    )
    regularly("webhooks.release", 1, release)
    regularly("webhooks.sweep", SWEEP_SECONDS, sweep)
    regularly("webhooks.forget", 3_600, forget)
    on(RELEASE, _look)
    on(DELIVER, deliver)
