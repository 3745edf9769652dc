"""Tell the hook of a cache in front what has changed, as soon as no process gives what was before."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Collection

from service.db import now, transaction
from service.doors import settings
from service.jobs import regularly
from service.outbound.addresses import read_target
from service.outbound.transport import Reply, post
from service.privacy.seal import keys
from service.prompts import on, prompt
from service.purges.operations import settle, take
from service.purges.policy import SETTLED, policy_of
from service.purges.queries import any_due

log = logging.getLogger(__name__)

PURGE = "purges.purge"


def look() -> bool:
    """Prompt for what has changed; the network is not waited for here, where every job runs."""
    if _has_hook() and any_due(now()):
        prompt(PURGE)
    return False


def purge(_about: str = "") -> None:
    """One request with the next keys. Nothing is open to the database while the network is waited for."""
    if not _has_hook():  # any more
        return
    with transaction():
        batch = take()
    if batch is None:
        return
    time.sleep(SETTLED)
    reply = send(batch.keys)
    taken = reply.status is not None and 200 <= reply.status < 300
    if not taken:
        told = reply.error or f"It answered {reply.status}."
        log.warning("the purge hook did not take %d keys, and is told again: %s", len(batch.keys), told)
    with transaction():
        settle(batch, taken=taken, retry_after=reply.retry_after)
    if taken:
        look()


def _has_hook() -> bool:
    return bool(settings().purge_url)


def send(told: Collection[str]) -> Reply:
    """Surrogate keys to the hook, as docs/operating.md describes it; what came back."""
    policy, listed = policy_of(settings()), sorted(told)
    headers = {"Content-Type": "application/json", "Surrogate-Key": " ".join(listed)}
    if token := keys().purge_token:
        headers |= {"Authorization": f"Bearer {token}", "Fastly-Key": token}
    body = json.dumps({"surrogate_keys": listed}).encode()
    return post(read_target(settings().purge_url, policy), body, headers, policy)


def register() -> None:
    regularly("purges.look", 1, look)
    on(PURGE, purge)
