"""Decisions on many comments at once, and who has taken which."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from service.db import Base, new_id, now


class BulkDecision(Base):
    """One decision on many comments, named or matched by a filter, worked off in parts when it is long."""

    __tablename__ = "bulk_decisions"
    __table_args__ = (
        CheckConstraint("state IN ('working', 'done')", name="state"),
        Index(None, "state", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    state: Mapped[str] = mapped_column(String(10), default="working")
    moderator_id: Mapped[UUID]
    actor: Mapped[str] = mapped_column(String(80))
    name: Mapped[str] = mapped_column(String(80))
    decision: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str | None] = mapped_column(String(500))
    reason_code: Mapped[str | None] = mapped_column(String(40))
    filter: Mapped[dict[str, Any]] = mapped_column(JSON)
    """What they match; or, as `items`, pairs of an id and the version that was seen."""
    site_ids: Mapped[list[str]] = mapped_column(JSON)
    total: Mapped[int]
    done: Mapped[int] = mapped_column(default=0)
    results: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list, server_default="[]")
    """Those that could not be decided, and why."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    finished_at: Mapped[datetime | None]
    undone_by: Mapped[str | None] = mapped_column(String(80))
    """Who undoes it. It is worked off again then, and `done` and `results` count what was undone."""


class Claim(Base):
    """A comment that a moderator has taken for a while, so that nobody else is handed it."""

    __tablename__ = "claims"
    __table_args__ = (Index(None, "moderator_id", "until"), Index(None, "until"))

    comment_id: Mapped[UUID] = mapped_column(ForeignKey("comments.id"), primary_key=True)
    moderator_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(String(80))
    until: Mapped[datetime]
