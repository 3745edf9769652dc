"""Who looks at what."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from service.db import Base


class Presence(Base):
    """The one comment that a moderator has in front of them, until a moment; they say it again as long as it is so."""

    __tablename__ = "presences"

    moderator_id: Mapped[UUID] = mapped_column(ForeignKey("moderators.id", ondelete="CASCADE"), primary_key=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id", ondelete="CASCADE"))
    comment_id: Mapped[UUID]
    """No key of another table: a comment may go while somebody looks at it, and nobody who decides waits for this."""
    until: Mapped[datetime]
