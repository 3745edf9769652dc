"""Open what was sealed. PROTECTED: who may import this is a list in pyproject.toml."""

from __future__ import annotations

from cryptography.fernet import InvalidToken

from service.errors import Conflict
from service.privacy import seal


class NoKeyFits(Conflict):
    slug, detail = "no-key-fits", "No key opens this any more, so it cannot be read."


def unseal(sealed: bytes) -> str:
    """The address inside. NoKeyFits (409) when no key opens it."""
    try:
        return seal.fernet().decrypt(sealed).decode()
    except InvalidToken:
        raise NoKeyFits() from None


def masked(sealed: bytes | None) -> str | None:
    """`a…@example.org`: enough to recognise, not enough to write to. `unreadable` when no key opens it."""
    if sealed is None:
        return None
    try:
        local, _, domain = unseal(sealed).rpartition("@")
    except NoKeyFits:  # one bad row must not take the whole list with it
        return "unreadable"
    return f"{local[:1]}…@{domain}"


def reseal(sealed: bytes) -> bytes:
    """The same address under the newest key."""
    return seal.fernet().rotate(sealed)
