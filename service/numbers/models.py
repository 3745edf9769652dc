"""Which queues are known to be overdue, and which sites to be flooded."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from service.db import Base, now


class OverdueQueue(Base):
    """A site whose oldest comment waits longer than its target, as was told. Gone once it is within it again."""

    __tablename__ = "overdue_queues"

    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    since: Mapped[datetime] = mapped_column(default=now)


class Flood(Base):
    """A site that gets unusually many comments, as was told. Gone once it gets as many as usual."""

    __tablename__ = "floods"

    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    since: Mapped[datetime] = mapped_column(default=now)
