"""Regular work on comments: forget what is private when its time is over."""

from __future__ import annotations

from service.comments.operations import purge
from service.db import transaction
from service.jobs import regularly


def forget() -> bool:
    with transaction():
        return purge() > 0


def register() -> None:
    regularly("comments.forget", 3600, forget)
