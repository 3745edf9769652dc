"""What an import leaves behind besides its comments."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from service.db import Base


class ImportedAddress(Base):
    """An address that an import gave to a page. When it is the page's own, the import made the page."""

    __tablename__ = "imported_addresses"

    import_id: Mapped[UUID] = mapped_column(ForeignKey("imports.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(2100), primary_key=True)
