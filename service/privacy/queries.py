"""Questions about proofs and sealed rows."""

from __future__ import annotations

from sqlalchemy import select

from service.db import db, insert_or_ignore
from service.privacy.models import KeyProof


def proofs() -> dict[str, bytes]:
    return {row.name: row.proof for row in db.session.scalars(select(KeyProof))}


def keep_proof(name: str, proof: bytes) -> None:
    db.session.execute(insert_or_ignore(KeyProof, {"name": name, "proof": proof}))
