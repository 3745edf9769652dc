"""Regular work on the outbox: release what is due."""

from __future__ import annotations

from service.db import transaction
from service.jobs import regularly
from service.webhooks.outbox import release_due


def release() -> bool:
    with transaction():
        release_due()
    return False


def register() -> None:
    regularly("webhooks.release", 1, release)
