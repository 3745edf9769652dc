"""Seal every address anew with the newest key, part by part."""

from __future__ import annotations

from uuid import UUID

from service.accounts import factors
from service.comments import queries
from service.idempotency import operations as idempotency
from service.privacy import operations as proofs
from service.privacy.unseal import reseal
from service.webhooks import resealing as webhooks


def reseal_some(after: UUID | None, limit: int) -> tuple[int, UUID | None]:
    """Reseal up to `limit` rows after an id; how many, and the id to go on after (None at the end)."""
    rows = queries.sealed_after(after, limit)
    for comment_id, sealed in rows:
        assert sealed is not None  # the query asks for no others
        queries.replace_seal(comment_id, reseal(sealed))
    return len(rows), rows[-1][0] if len(rows) == limit else None


def finish() -> None:
    """After the last part: what codes are made from, webhooks' secrets, the proof of the key, the kept answers."""
    factors.reseal_secrets()
    webhooks.reseal_secrets()
    proofs.renew_email_proof()
    idempotency.forget_all()
