"""Filters that moderators keep under a name."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from service.db import Base, new_id, now


class SavedFilter(Base):
    """A list under a name: somebody's own, or shared with the moderators of a site."""

    __tablename__ = "saved_filters"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    moderator_id: Mapped[UUID] = mapped_column(index=True)
    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("sites.id"), index=True)
    name: Mapped[str] = mapped_column(String(60))
    filter: Mapped[dict[str, Any]] = mapped_column(JSON)
    """What the list is asked for by: `status`, `site`, `q`, …; nothing that is not chosen."""
    created_at: Mapped[datetime] = mapped_column(default=now)
