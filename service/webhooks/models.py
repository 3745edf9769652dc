"""The outbox: one row per event; where events go, each on its way, and every try."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from service.db import Base, new_id, now
from service.webhooks.policy import FORMATS, LONGEST_URL, PENDING, STANDARD, STATES

_PENDING = f"state = '{PENDING}'"


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
    email_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Of the comment's author: for endpoints that ask for it, and for nobody else."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    not_before: Mapped[datetime] = mapped_column(default=now)


class EventHead(Base):
    """The last `seq` given; whoever locks this row is the one releaser."""

    __tablename__ = "event_heads"

    id: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, default=0)


class Endpoint(Base):
    """Where a site's events are sent."""

    __tablename__ = "webhook_endpoints"
    __table_args__ = (
        CheckConstraint(f"format IN {FORMATS}", name="format"),
        Index(None, "site_id", "created_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    url: Mapped[str] = mapped_column(String(LONGEST_URL))
    """As a chat service gives it, it opens a channel to whoever knows it: only who manages the site reads it."""
    note: Mapped[str] = mapped_column(String(200), default="")
    events: Mapped[list[str]] = mapped_column(JSON)
    """The types that are sent; an empty list: all."""
    format: Mapped[str] = mapped_column(String(10), default=STANDARD)
    include_email: Mapped[bool] = mapped_column(default=False)
    secret_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    old_secret_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    old_secret_until: Mapped[datetime | None]
    """Until then both secrets sign."""
    failing_since: Mapped[datetime | None]
    """The first failure since the last success."""
    held_until: Mapped[datetime | None]
    """When the receiver wants to be asked again: Retry-After."""
    disabled_at: Mapped[datetime | None]
    disabled_because: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(default=now)
    created_by: Mapped[str] = mapped_column(String(80))


class Delivery(Base):
    """An event on its way to an endpoint. A replay is another one, of the same event.

    `next_at` None: its event has no `seq` yet. `lease`: by whom it is being sent, who alone may settle it.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        CheckConstraint(f"state IN {STATES}", name="state"),
        Index("ix_webhook_deliveries_due", "next_at", sqlite_where=text(_PENDING), postgresql_where=text(_PENDING)),
        Index(
            "ix_webhook_deliveries_waiting",
            "endpoint_id",
            "next_at",
            "id",
            sqlite_where=text(_PENDING),
            postgresql_where=text(_PENDING),
        ),
        Index(None, "endpoint_id", "id"),
        Index(None, "event_id"),
        Index(None, "done_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    endpoint_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_endpoints.id", ondelete="CASCADE"))
    event_id: Mapped[UUID] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(10), default=PENDING)
    is_replay: Mapped[bool] = mapped_column(default=False)
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None]
    lease: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    done_at: Mapped[datetime | None]

    event: Mapped[Event] = relationship()
    endpoint: Mapped[Endpoint] = relationship()


class Attempt(Base):
    """One try of a delivery, and what came back."""

    __tablename__ = "webhook_attempts"
    __table_args__ = (Index(None, "delivery_id", "id"), Index(None, "endpoint_id", "at"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_deliveries.id", ondelete="CASCADE"))
    endpoint_id: Mapped[UUID]
    at: Mapped[datetime] = mapped_column(default=now)
    milliseconds: Mapped[int]
    status: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(String(200))
    """Why there is no whole answer, in a sentence."""
    excerpt: Mapped[str] = mapped_column(String(1_024))
    """How the answer begins."""
