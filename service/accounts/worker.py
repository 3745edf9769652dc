"""Regular work on accounts: forget sessions and invitations that ended long ago."""

from __future__ import annotations

from service.accounts import invites, operations
from service.db import transaction
from service.jobs import regularly


def forget() -> bool:
    with transaction():
        operations.purge()
        invites.purge()
    return False


def register() -> None:
    regularly("accounts.forget", 86_400, forget)
