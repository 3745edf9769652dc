"""A rule of a site about who sends something, from where, or where it links to."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from service.db import Base, new_id, now
from service.rules.policy import EFFECTS, KINDS
from service.sites.models import Site

_BY_ADDRESS = "email_index IS NOT NULL"


class Rule(Base):
    """What becomes of whatever matches, until its end. It knows nobody's address: only what tells it again."""

    __tablename__ = "rules"
    __table_args__ = (
        CheckConstraint(f"kind IN {KINDS}", name="kind"),
        CheckConstraint(f"effect IN {EFFECTS}", name="effect"),
        # Also the way from a submission to the rules that it may fall under, however many there are.
        UniqueConstraint("site_id", "value", "kind", "effect"),
        Index(
            None, "site_id", "email_index",
            sqlite_where=text(_BY_ADDRESS), postgresql_where=text(_BY_ADDRESS),
        ),
        Index(None, "site_id", "created_at", "id"),
        Index(None, "comment_id"),
        Index(None, "until"),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    kind: Mapped[str] = mapped_column(String(10))
    value: Mapped[str] = mapped_column(String(253))
    """A domain, label, range or host in the one way to write it; of a person the id of their author, by their token."""
    email_index: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    """Of a person who gave one: by this their address is told again, though anybody may have typed it."""
    comment_id: Mapped[UUID | None]
    """The comment from which it was made. It may be gone since."""
    effect: Mapped[str] = mapped_column(String(6))
    note: Mapped[str] = mapped_column(String(500), default="")
    until: Mapped[datetime | None]
    """From then on it does nothing, and is forgotten within the hour; None: for good."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    created_by: Mapped[str] = mapped_column(String(80))
    created_name: Mapped[str] = mapped_column(String(80))

    site: Mapped[Site] = relationship()
