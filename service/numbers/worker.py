"""Regular work: look whether a queue waits longer than its site wants, and whether too much comes at once."""

from __future__ import annotations

from service.db import transaction
from service.jobs import regularly
from service.numbers.operations import watch, watch_floods


def look() -> bool:
    with transaction():
        watch()
    return False


def look_for_floods() -> bool:
    with transaction():
        watch_floods()
    return False


def register() -> None:
    regularly("numbers.floods", 60, look_for_floods)
    regularly("numbers.overdue", 60, look)
