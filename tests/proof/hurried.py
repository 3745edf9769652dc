"""Builds for the faults of webhooks: one whose waits are short, and one that marks before it sends."""

from __future__ import annotations

from datetime import timedelta
from unittest.mock import patch
from uuid import UUID

from service.db import transaction
from service.outbound.transport import Reply
from service.webhooks import policy, sending, worker
from service.webhooks.turns import queries as turns

LEASE = timedelta(seconds=2)
"""As long as a delivery is that of a worker who died with it."""
_SOON = timedelta(seconds=0.2)


def hurries() -> None:
    """Days of waiting are a second: nothing else is otherwise."""
    patch.object(sending, "LEASE", LEASE).start()
    patch.object(turns, "LONGEST_LEASE", 2 * LEASE).start()
    patch.object(policy, "SCHEDULE", (timedelta(0), *[_SOON] * 40)).start()
    patch.object(worker, "SWEEP_SECONDS", 1).start()


def marks_first() -> None:
    """A delivery counts as done before it is sent."""
    hurries()
    whole = worker.send

    def deliver(about: str) -> None:
        with transaction():
            lease = sending.take(UUID(about))
        if lease:
            with transaction():
                sending.settle(lease, Reply(status=200))
            whole(lease.delivery.endpoint, lease.delivery.event)

    patch.dict("service.prompts._works", {worker.DELIVER: deliver}).start()
    patch.object(worker, "deliver", deliver).start()
