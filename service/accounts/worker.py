"""Regular work on accounts: forget sessions and invitations that ended long ago, and what nobody finished."""

from __future__ import annotations

from service.accounts import factors, invites, operations, passkeys
from service.db import transaction
from service.jobs import regularly


def forget() -> bool:
    with transaction():
        operations.purge()
        invites.purge()
    return False


def forget_soon() -> bool:
    """What is good for some minutes only."""
    with transaction():
        factors.purge()
        passkeys.purge()
    return False


def register() -> None:
    regularly("accounts.forget-soon", 300, forget_soon)
    regularly("accounts.forget", 86_400, forget)
