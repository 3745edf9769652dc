"""One row per request that was done under a key."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from service.db import Base, new_id, now


class IdempotencyKey(Base):
    """Who asked what (both keyed), and the sealed answer. Kept for a day."""

    __tablename__ = "idempotency_keys"

    scope: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    id: Mapped[UUID] = mapped_column(default=new_id)
    body: Mapped[bytes] = mapped_column(LargeBinary(32))
    status: Mapped[int] = mapped_column(default=0)
    answer: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    created_at: Mapped[datetime] = mapped_column(default=now, index=True)
