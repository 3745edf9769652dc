"""A site, its pages, and the addresses that lead to them."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from service.db import PUBLIC, Base, new_id, now


class Site(Base):
    """A site: the pages of some origins under one policy."""

    __tablename__ = "sites"
    __table_args__ = (CheckConstraint("mode IN ('pre', 'post', 'first_timers')", name="mode"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    key: Mapped[str] = mapped_column(String(64), unique=True, info=PUBLIC)
    name: Mapped[str] = mapped_column(String(200), info=PUBLIC)
    origins: Mapped[list[str]] = mapped_column(JSON)
    mode: Mapped[str] = mapped_column(String(20), default="pre")
    rating_max: Mapped[float | None] = mapped_column(info=PUBLIC)
    rating_halves: Mapped[bool] = mapped_column(default=False, info=PUBLIC)
    schema_type: Mapped[str] = mapped_column(String(40), default="", info=PUBLIC)
    depth: Mapped[int] = mapped_column(default=4, info=PUBLIC)
    close_after_days: Mapped[int | None]
    language: Mapped[str] = mapped_column(String(20), default="en", info=PUBLIC)
    privacy_text: Mapped[str] = mapped_column(String(500), default="", info=PUBLIC)
    privacy_url: Mapped[str | None] = mapped_column(String(500), info=PUBLIC)
    hold_after_reports: Mapped[int | None]
    target_age_minutes: Mapped[int | None]
    retention_days: Mapped[int] = mapped_column(default=365)
    limit_submit: Mapped[str | None] = mapped_column(String(100))
    """Where a limit is None, that of the install counts."""
    limit_page: Mapped[str | None] = mapped_column(String(100))
    limit_site: Mapped[str | None] = mapped_column(String(100))
    max_links: Mapped[int | None] = mapped_column(default=1, server_default="1")
    hold_words: Mapped[list[str]] = mapped_column(JSON, server_default="[]", deferred=True)
    """Up to two megabytes, so they are read only where they are asked for; likewise `spam_words`."""
    spam_words: Mapped[list[str]] = mapped_column(JSON, server_default="[]", deferred=True)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=now)

    __mapper_args__ = {"version_id_col": version}


class RejectReason(Base):
    """Why a moderator may reject a comment of a site: `title` for moderators, `sentence` for its author.

    One that is retired is offered no more, but who was told it by its code still reads its sentence.
    """

    __tablename__ = "reject_reasons"

    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    place: Mapped[int]
    title: Mapped[str] = mapped_column(String(80))
    sentence: Mapped[str] = mapped_column(String(300))
    retired_at: Mapped[datetime | None]


class Page(Base):
    """A page of a site, and its one thread."""

    __tablename__ = "pages"
    __table_args__ = (
        Index(None, "site_id", "created_at"),
        CheckConstraint("comment_count >= 0", name="count"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id, info=PUBLIC)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    key: Mapped[str] = mapped_column(String(2100))
    url: Mapped[str | None] = mapped_column(String(2048), info=PUBLIC)
    title: Mapped[str] = mapped_column(String(300), default="", info=PUBLIC)
    closed_at: Mapped[datetime | None]
    reopened_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    comment_count: Mapped[int] = mapped_column(default=0, info=PUBLIC)

    site: Mapped[Site] = relationship()

    @property
    def public_title(self) -> str:
        """What the public is told: a visitor may have given the title, so it waits until something is published."""
        return self.title if self.comment_count else ""

    def closes_at(self) -> datetime | None:
        """When the thread closes by itself, or did; None when it never does."""
        days = self.site.close_after_days
        return (self.reopened_at or self.created_at) + timedelta(days=days) if days else None

    def closed_since(self) -> datetime | None:
        """Since when the thread is closed, by hand or by age; None while it is open."""
        by_age = self.closes_at()
        return self.closed_at or (by_age if by_age and by_age <= now() else None)


class PageAddress(Base):
    """One of the addresses of a page: its own canonical one, or an alias."""

    __tablename__ = "page_addresses"

    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(2100), primary_key=True)
    page_id: Mapped[UUID] = mapped_column(ForeignKey("pages.id"), index=True)


class RatingCount(Base):
    """How many approved comments of a page gave one rating: the histogram, and so the average."""

    __tablename__ = "rating_counts"
    __table_args__ = (CheckConstraint("count >= 0", name="count"),)

    page_id: Mapped[UUID] = mapped_column(ForeignKey("pages.id"), primary_key=True)
    scale: Mapped[float] = mapped_column(primary_key=True)
    value: Mapped[float] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(default=0)
