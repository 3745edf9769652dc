"""Questions about keys."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, delete, select, update

from service.db import db, insert_if_new, new_id, now, run, table_of
from service.idempotency.models import IdempotencyKey

_KEYS = table_of(IdempotencyKey)
_KEEP = update(_KEYS).where(_KEYS.c.scope == bindparam("of"))


def claim(scope: bytes, body: bytes) -> bool:
    """Take the key for this transaction; False when a twin has it, after waiting for the twin's commit."""
    row = {"scope": scope, "id": new_id(), "body": body, "status": 0, "answer": b"", "created_at": now()}
    return insert_if_new(IdempotencyKey, row)


def keep(scope: bytes, status: int, answer: bytes) -> None:
    """Keep what was answered under a key that this transaction took."""
    run(_KEEP, of=scope, status=status, answer=answer)


def found(scope: bytes) -> IdempotencyKey | None:
    return db.session.scalar(select(IdempotencyKey).where(IdempotencyKey.scope == scope))


def forget_before(moment: datetime) -> int:
    """Drop keys older than `moment`; how many."""
    gone = db.session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < moment))
    return gone.rowcount  # type: ignore[attr-defined, no-any-return]
