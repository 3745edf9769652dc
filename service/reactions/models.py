"""Votes and reports, each with what tells its reader from others, and nothing that tells who they are."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.schema import SchemaItem

from service.db import Base, new_id, now
from service.reactions.policy import REASONS

_LABELLED = "network_label IS NOT NULL"


def _once() -> tuple[SchemaItem, ...]:
    """One row for a device and one for a network, and the way to the labels that are to be forgotten."""
    return (
        UniqueConstraint("comment_id", "device_digest"),
        UniqueConstraint("comment_id", "network_label"),
        Index(None, "site_id", "created_at", sqlite_where=text(_LABELLED), postgresql_where=text(_LABELLED)),
    )


class Reaction:
    """What one device did about one comment."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    comment_id: Mapped[UUID] = mapped_column(ForeignKey("comments.id"))
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    device_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    """Apart for each comment and kind: nobody can tell what else a device did."""
    network_label: Mapped[str | None] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(default=now)


class Vote(Reaction, Base):
    """A vote that counts; one that is taken back is gone."""

    __tablename__ = "comment_votes"
    __table_args__ = _once()


class Report(Reaction, Base):
    """What a reader finds wrong with a comment, for moderators."""

    __tablename__ = "comment_reports"
    __table_args__ = (*_once(), CheckConstraint(f"reason IN {tuple(REASONS)}", name="reason"))

    reason: Mapped[str] = mapped_column(String(10))
    note: Mapped[str | None] = mapped_column(String(500))
