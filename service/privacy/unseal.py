"""Open what was sealed. PROTECTED: who may import this is a list in pyproject.toml."""

from __future__ import annotations

from functools import lru_cache

from cryptography.fernet import InvalidToken

from service.errors import Conflict
from service.privacy import seal

_REMEMBERED = 10_000
"""Masks, at most."""


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
    return None if sealed is None else _mask(sealed, seal.keys().email)


@lru_cache(maxsize=_REMEMBERED)
def _mask(sealed: bytes, _keys: tuple[str, ...]) -> str:
    """Remembered: to open a hundred is a third of a queue's page. Whoever reads this memory has the keys, too."""
    try:
        local, _, domain = unseal(sealed).rpartition("@")
    except NoKeyFits:  # one bad row must not take the whole list with it
        return "unreadable"
    return f"{local[:1]}…@{domain}"


def reseal(sealed: bytes) -> bytes:
    """The same address under the newest key."""
    return seal.fernet().rotate(sealed)
