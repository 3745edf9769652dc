"""Whose turn it is."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from service.db import Base


class PurgeTurn(Base):
    """The one row: who tells the hook until when; nobody does before it is over, also after a vain try."""

    __tablename__ = "purge_turns"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    lease: Mapped[UUID]
    until: Mapped[datetime]
    failures: Mapped[int] = mapped_column(default=0)
    """In a row, until now."""
