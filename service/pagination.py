"""Keyset paging: opaque cursors that belong to one list."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer

from service.errors import Invalid


@dataclass(frozen=True)
class Position:
    """Where a page ends: a time and an id, after a rank when the list is sorted by one."""

    at: datetime
    id: UUID
    rank: int = 0


START = Position(datetime(1, 1, 1, tzinfo=UTC), UUID(int=0))
"""Before everything, in a list that runs from old to new."""


Row = TypeVar("Row")


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows, and where the next ones begin (None at the end)."""

    rows: list[Row]
    next: Position | None


def page_of(rows: Sequence[Row], limit: int, position: Callable[[Row], Position]) -> Page[Row]:
    """Cut `limit + 1` fetched rows to `limit`; the extra one tells that there is more."""
    shown = list(rows[:limit])
    return Page(shown, position(shown[-1]) if len(rows) > limit else None)


def write_cursor(position: Position | None, *owner: Any) -> str | None:
    """A position as a signed text that only the same list (`owner`: route, filters) takes back."""
    if position is None:
        return None
    return _serializer(owner).dumps([position.at.isoformat(), position.id.hex, position.rank])


def read_cursor(text: str | None, *owner: Any) -> Position | None:
    """The position in a cursor. Invalid (422) when it is broken or another list's."""
    if not text:
        return None
    try:
        at, id_, rank = _serializer(owner).loads(text)
        return Position(datetime.fromisoformat(at), UUID(id_), rank)
    except (BadData, ValueError, TypeError) as error:
        raise Invalid.field("cursor", "cursor", "This cursor does not belong to this list.") from error


def _serializer(owner: tuple[Any, ...]) -> URLSafeSerializer:
    salt = hashlib.sha256(repr(owner).encode()).hexdigest()
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt=f"cursor:{salt}")
