"""The outbox: one row per event."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from service.db import Base, new_id, now


class Event(Base):
    """Something that happened. It is told from `not_before` on, once the releaser gave it its `seq`."""

    __tablename__ = "events"
    __table_args__ = (
        Index(
            "ix_events_unreleased",
            "not_before",
            "id",
            sqlite_where=text("seq IS NULL"),
            postgresql_where=text("seq IS NULL"),
        ),
        Index(None, "site_id", "seq"),
        Index(None, "subject_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    seq: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    subject_id: Mapped[UUID]
    type: Mapped[str] = mapped_column(String(40))
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(default=now)
    not_before: Mapped[datetime] = mapped_column(default=now)


class EventHead(Base):
    """The last `seq` given; whoever locks this row is the one releaser."""

    __tablename__ = "event_heads"

    id: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, default=0)
