"""The chain's rows, their erasable details, and the heads."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from service.db import Base, new_id

INSTALL = "install"
"""The chain of what belongs to no site."""


class AuditEntry(Base):
    """One link: everything here is under the HMAC and stays for ever. Personal details live beside it."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index(None, "chain", "n", unique=True),
        Index(None, "chain", "at", "id"),
        Index(None, "chain", "actor", "at", "id"),
        Index(None, "chain", "action", "at", "id"),
        Index(None, "subject_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    chain: Mapped[str] = mapped_column(String(36))
    n: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(80))
    action: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[UUID | None]
    commitment: Mapped[bytes] = mapped_column(LargeBinary(32))
    previous: Mapped[bytes] = mapped_column(LargeBinary(32))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))


class AuditDetail(Base):
    """What may have to be erased: the words. The salt goes with them, so the commitment tells nothing."""

    __tablename__ = "audit_details"

    entry_id: Mapped[UUID] = mapped_column(ForeignKey("audit_entries.id"), primary_key=True)
    salt: Mapped[bytes] = mapped_column(LargeBinary(16))
    details: Mapped[dict[str, Any]] = mapped_column(JSON)

    entry: Mapped[AuditEntry] = relationship()


class AuditHead(Base):
    """The last link of a chain; locked last before a commit, so that writers queue for an instant only."""

    __tablename__ = "audit_heads"

    chain: Mapped[str] = mapped_column(String(36), primary_key=True)
    n: Mapped[int] = mapped_column(BigInteger, default=0)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), default=bytes(32))
