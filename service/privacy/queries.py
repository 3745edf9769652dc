"""Questions about proofs and sealed rows."""

from __future__ import annotations

from sqlalchemy import select, update

from service.db import db, insert_if_new
from service.privacy.models import KeyProof


def proofs() -> dict[str, bytes]:
    return {row.name: row.proof for row in db.session.scalars(select(KeyProof))}


def keep_proof(name: str, proof: bytes) -> None:
    insert_if_new(KeyProof, {"name": name, "proof": proof})


def replace_proof(name: str, proof: bytes) -> None:
    change = update(KeyProof).where(KeyProof.name == name).values(proof=proof)
    db.session.execute(change.execution_options(synchronize_session=False))
