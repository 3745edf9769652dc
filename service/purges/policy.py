"""How a hook is told: how much at once, when again, and what an operator may name."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_network

from service.config import BadSetting, Settings
from service.outbound.addresses import BadTarget, Policy, read_target
from service.readcache import BOUND

MOST_KEYS = 256
"""Of one request; so many Fastly takes."""
MOST_ROWS = 2_000
LEASE = LONGEST_WAIT = timedelta(seconds=60)
"""Longer than any try may take: whoever died with it is followed by another."""
SETTLED = BOUND
"""Seconds after which no process gives what was before a change: a cache that asks sooner could be given just that."""


def wait_after(failures: int, retry_after: float | None) -> timedelta:
    """How long until the next try after so many vain ones, or after what the hook asks for; a minute at most."""
    return min(timedelta(seconds=max(2 ** min(failures, 6), retry_after or 0)), LONGEST_WAIT)


def policy_of(settings: Settings) -> Policy:
    """Anywhere: the operator names the hook, and it is mostly inside."""
    everything = ip_network("0.0.0.0/0"), ip_network("::/0")
    return Policy(everything, http=True, timeout=settings.webhook_timeout)


def check(settings: Settings) -> None:
    """BadSetting for an address that nothing can be sent to."""
    try:
        if settings.purge_url:
            read_target(settings.purge_url, policy_of(settings))
    except BadTarget as error:
        raise BadSetting(f"GREENROOM_PURGE_URL cannot be used. {error}") from error
