"""Open what was sealed. PROTECTED: who may import this is a list in pyproject.toml."""

from __future__ import annotations

from service.privacy import seal


def unseal(sealed: bytes) -> str:
    """The address inside. cryptography.fernet.InvalidToken when no key opens it."""
    return seal.fernet().decrypt(sealed).decode()


def masked(sealed: bytes | None) -> str | None:
    """`a…@example.org`: enough to recognise, not enough to write to."""
    if sealed is None:
        return None
    local, _, domain = unseal(sealed).rpartition("@")
    return f"{local[:1]}…@{domain}"


def reseal(sealed: bytes) -> bytes:
    """The same address under the newest key."""
    return seal.fernet().rotate(sealed)
