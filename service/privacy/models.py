"""Proofs of the keys that a database was made with."""

from __future__ import annotations

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from service.db import Base


class KeyProof(Base):
    """Something made with a key: tells another key from it, and nothing else."""

    __tablename__ = "key_proofs"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    proof: Mapped[bytes] = mapped_column(LargeBinary)
