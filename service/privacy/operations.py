"""Tie a database to its keys: with others it would seal what nobody opens and find nobody."""

from __future__ import annotations

import hashlib
import hmac

from cryptography.fernet import InvalidToken
from sqlalchemy.exc import SQLAlchemyError

from service.health import Finding, no_answer
from service.privacy import queries, seal

_SAID = "greenroom"


def prove_keys() -> None:
    """Leave proofs of the present keys in a database that has none; each migration ends with it."""
    queries.keep_proof("INDEX_KEY", _mac(seal.keys().index))
    queries.keep_proof("AUDIT_KEY", _mac(seal.keys().audit))
    queries.keep_proof("EMAIL_KEYS", seal.seal(_SAID))


def renew_email_proof() -> None:
    """Prove the newest sealing key instead of the one before it."""
    queries.replace_proof("EMAIL_KEYS", seal.seal(_SAID))


def right_keys() -> Finding:
    """The keys are those that the database was made with."""
    try:
        wrong = _wrong()
    except SQLAlchemyError as error:
        return no_answer("keys", error)
    if wrong:
        names = ", ".join(f"GREENROOM_{name}" for name in wrong)
        return Finding("keys", False, f"{names}: not the key that this database was made with.")
    return Finding("keys", True, "They fit this database.")


def _wrong() -> list[str]:
    found = queries.proofs()
    wrong = [
        name
        for name, key in (("INDEX_KEY", seal.keys().index), ("AUDIT_KEY", seal.keys().audit))
        if not hmac.compare_digest(found.get(name, b""), _mac(key))
    ]
    try:
        seal.fernet().decrypt(found.get("EMAIL_KEYS", b""))
    except InvalidToken:
        wrong.append("EMAIL_KEYS")
    return wrong


def _mac(key: bytes) -> bytes:
    return hmac.new(key, _SAID.encode(), hashlib.sha256).digest()
