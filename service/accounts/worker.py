"""Regular work on accounts: forget sessions that ended long ago."""

from __future__ import annotations

from service.accounts.operations import purge
from service.db import transaction
from service.jobs import regularly


def forget() -> bool:
    with transaction():
        purge()
    return False


def register() -> None:
    regularly("accounts.forget", 86_400, forget)
