"""Regular work on what readers did: forget in time where it came from."""

from __future__ import annotations

from service.db import transaction
from service.jobs import regularly
from service.reactions.operations import purge


def forget() -> bool:
    with transaction():
        return purge() > 0


def register() -> None:
    regularly("reactions.forget", 3600, forget)
