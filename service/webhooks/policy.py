"""How events are delivered: the states of a delivery, when it is tried again, when an endpoint is given up."""

from __future__ import annotations

import random
from datetime import timedelta

PENDING, DELIVERED, FAILED, BLOCKED = "pending", "delivered", "failed", "blocked"
STATES = (PENDING, DELIVERED, FAILED, BLOCKED)
"""`failed`: given up. `blocked`: its address is one that must not be reached. Both can be sent again by hand."""

PING = "ping"
"""The event of a test: for one endpoint, and no other."""
STANDARD = "standard"
FORMATS = (STANDARD, "slack", "discord", "telegram")
"""Standard Webhooks, or a message that people read in a chat."""
LONGEST_URL = 2_000
MOST_ENDPOINTS = 50
"""Of one site."""

SCHEDULE = tuple(timedelta(seconds=one) for one in (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400))
"""How long after the try before it each try comes (Standard Webhooks 1.0.0): ten in about three days."""
_JITTER = 0.2
LONGEST_WAIT = timedelta(hours=24)
"""That a receiver may ask for."""
LATEST = max(SCHEDULE) * (1 + _JITTER)
"""No try is ever set to a time further away."""
GIVE_UP_AFTER = timedelta(days=5)
"""An endpoint that failed for so long, and never succeeded meanwhile, is disabled."""
FAILED_BEFORE = timedelta(hours=12), timedelta(days=2)
"""When it also failed, at least and at most so long ago: two failures with a quiet month between them are no month of
failures, and neither is a clock that jumps.
"""

LEASE = timedelta(seconds=60)
"""Longer than any try may take: whoever died with it is followed by another."""
APART = timedelta(minutes=1)
"""How much further off than it was set to a time may seem: who set it has another machine's clock, or read the same one
while who looks waited for the database. What seems further off yet was set by a clock that was put back since.
"""
LONGEST_LEASE = LEASE + APART
MOST_AT_ONCE = 4
"""Tries to one endpoint at the same time, and one to an endpoint that is failing: what hangs leaves room for others."""
SLOW = timedelta(seconds=5)
"""Where the last try took longer there is one at a time as well, though it came through: it holds a thread as long."""
OVERLAP = timedelta(hours=24)
"""How long an old secret signs beside the new one."""


def wait_after(attempts: int, retry_after: float | None = None) -> timedelta | None:
    """How long until the next try after so many; None when there is none left.

    Spread by a fifth either way, so that what failed together does not come back together. Never sooner than the
    receiver asked for with Retry-After (RFC 9110, section 10.2.3), which counts up to a day.
    """
    if attempts >= len(SCHEDULE):
        return None
    wait = SCHEDULE[attempts] * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - no secret
    return max(wait, min(timedelta(seconds=retry_after or 0), LONGEST_WAIT))
