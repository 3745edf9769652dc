"""Regular work: look whether a queue waits longer than its site wants."""

from __future__ import annotations

from service.db import transaction
from service.jobs import regularly
from service.numbers.operations import watch


def look() -> bool:
    with transaction():
        watch()
    return False


def register() -> None:
    regularly("numbers.overdue", 60, look)
