"""What a door says of an answer that is the same for everybody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

Headers = list[tuple[bytes, bytes]]
NOTE = "greenroom.shared"
"""Where in a WSGI environ a door leaves its `Shared`."""


@dataclass(frozen=True)
class Hole:
    """A part of an answer that each one is given anew. `made`: what stands there; `fresh` makes another, as long."""

    made: bytes
    fresh: Callable[[], bytes]


@dataclass(frozen=True)
class Shared:
    """An answer for everybody, and what it tells of."""

    keys: frozenset[str]
    """Surrogate keys: when one of them changes, the answer is another one."""
    for_origin: Callable[[str], Mapping[str, str]]
    """What the answer says beside to a page of an origin; nothing to one that the site does not list."""
    until: datetime | None = None
    """When it becomes another one by itself."""
    hole: Hole | None = None


def site_key(site_id: UUID) -> str:
    """Of whatever depends on the settings of a site."""
    return _key("site", site_id)


def page_key(page_id: UUID) -> str:
    return _key("page", page_id)


def sites_pages_key(site_id: UUID) -> str:
    """Of whatever tells of all pages of a site."""
    return _key("pages", site_id)


def _key(kind: str, place: UUID) -> str:
    """Short, and of no meaning to whoever is told it: caches in front are."""
    return sha256(kind.encode() + place.bytes).hexdigest()[:16]
