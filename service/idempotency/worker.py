"""Regular work on keys: forget them after a day."""

from __future__ import annotations

from service.db import transaction
from service.idempotency.operations import purge
from service.jobs import regularly


def forget() -> bool:
    with transaction():
        purge()
    return False


def register() -> None:
    regularly("idempotency.forget", 3600, forget)
