"""Regular work: look whether a queue waits longer than its site wants, and whether too much comes at once."""

from __future__ import annotations

from service import metrics
from service.db import seconds_since, transaction
from service.jobs import regularly
from service.numbers import queries
from service.numbers.operations import watch, watch_floods


def look() -> bool:
    with transaction():
        watch()
    return False


def look_for_floods() -> bool:
    with transaction():
        watch_floods()
    return False


def _queue() -> tuple[float, float]:
    number, oldest = queries.waiting()
    return number, seconds_since(oldest)


def register() -> None:
    metrics.question(
        {
            "greenroom_queue_comments": "Comments that wait for a decision.",
            "greenroom_queue_oldest_seconds": "For how long the one waits that waits the longest.",
        },
        _queue,
    )
    regularly("numbers.floods", 60, look_for_floods)
    regularly("numbers.overdue", 60, look)
