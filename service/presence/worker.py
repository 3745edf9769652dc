"""Regular work: forget who looked at what."""

from __future__ import annotations

from service.db import now, transaction
from service.jobs import regularly
from service.presence.queries import forget


def forget_all() -> bool:
    with transaction():
        forget(now())
    return False


def register() -> None:
    regularly("presence.forget", 3_600, forget_all)
