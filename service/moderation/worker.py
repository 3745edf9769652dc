"""Regular work for moderators: long bulk decisions, part by part."""

from __future__ import annotations

from service.accounts.principal import acting
from service.db import transaction
from service.doors import settings
from service.jobs import regularly
from service.moderation.operations import work_bulk


def decide() -> bool:
    with transaction():
        return work_bulk(acting, settings().undo_seconds)


def register() -> None:
    regularly("moderation.bulk", 1, decide)
