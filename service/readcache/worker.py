"""Regular work: forget changes that every process knows of."""

from __future__ import annotations

from service.db import transaction
from service.jobs import regularly
from service.readcache.queries import forget_old


def forget() -> bool:
    with transaction():
        forget_old()
    return False


def register() -> None:
    regularly("readcache.forget", 3_600, forget)
