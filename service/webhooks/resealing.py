"""Seal webhooks' secrets and the addresses of events anew with the newest key."""

from __future__ import annotations

from uuid import UUID

from service.db import db
from service.privacy.unseal import reseal
from service.webhooks import queries

_PART = 500


def reseal_secrets() -> None:
    """Of every endpoint; and every address that an event still holds."""
    for one in queries.with_secrets():
        one.secret_sealed = reseal(one.secret_sealed)
        one.old_secret_sealed = reseal(one.old_secret_sealed) if one.old_secret_sealed else None
    after: UUID | None = None
    while events := queries.events_with_address(after, _PART):
        for event in events:
            event.email_sealed = reseal(event.email_sealed or b"")
        db.session.flush()
        after = events[-1].id
    db.session.flush()
