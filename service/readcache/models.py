"""What has changed of what the public is told. Written by triggers alone (migration 0028)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from service.db import Base


class PublicChange(Base):
    """A page, or with its own id a site, whose answers are others now. On SQLite one row each; on PostgreSQL, many."""

    __tablename__ = "public_changes"
    __table_args__ = (
        Index("uq_public_changes_place", "place", "txid", unique=True),
        Index(
            "ix_public_changes_unpurged",
            "seq",
            sqlite_where=text("purged_at IS NULL"),
            postgresql_where=text("purged_at IS NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    seq: Mapped[int] = mapped_column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True)
    place: Mapped[UUID]
    site_id: Mapped[UUID]
    txid: Mapped[int] = mapped_column(BigInteger, index=True)
    """PostgreSQL's number of the transaction; 0 on SQLite, whose `seq` is in the order of commits."""
    at: Mapped[datetime | None] = mapped_column(index=True)
    purged_at: Mapped[datetime | None]
    """When the hook of a cache in front took it. Where there is none, never."""
