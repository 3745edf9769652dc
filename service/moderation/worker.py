"""Regular work for moderators: long bulk decisions, part by part, and what its time is over for, rules among it."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from service.accounts.principal import acting
from service.db import now, transaction
from service.doors import settings
from service.jobs import regularly
from service.moderation.bulk import work_bulk
from service.moderation.decisions.queries import forget_undo
from service.moderation.queries import forget_claims
from service.rules.operations import forget_ended

KEPT = timedelta(days=30)
"""How long a decision can be undone."""
_BATCH = 1_000


_failed: set[UUID] = set()
"""Bulk decisions whose last part failed: they wait for all others to have had theirs."""


def decide() -> bool:
    with transaction():
        worked = work_bulk(acting, settings().undo_seconds, _failed)
    if worked is None:
        _failed.clear()
        return False
    _failed.remove(worked)
    return True


def forget() -> bool:
    with transaction():
        forget_claims()
        return forget_undo(now() - KEPT, _BATCH) + forget_ended(_BATCH) > 0


def register() -> None:
    regularly("moderation.bulk", 1, decide)
    regularly("moderation.forget", 3_600, forget)
