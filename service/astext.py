"""Ids and times of rows that are only told: read as text, without making an object of each in between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, DateTime, Dialect, TypeDecorator, Uuid, type_coerce

Read = Callable[[Any], str | None]


class IdText(TypeDecorator[str]):
    """An id as its 36 characters."""

    impl = Uuid(as_uuid=False)
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Read:
        return _dashed if dialect.name == "sqlite" else _said


class TimeText(TypeDecorator[str]):
    """A time as RFC 3339 has it, in UTC, to the microsecond: `2026-01-31T12:00:00.000000Z`. It sorts as times do."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Read:
        return _with_zone if dialect.name == "sqlite" else _iso


def _dashed(digits: str | None) -> str | None:
    """SQLite keeps the digits alone."""
    if digits is None:
        return None
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _said(found: UUID | None) -> str | None:
    return None if found is None else str(found)


def _with_zone(moment: str | None) -> str | None:
    """SQLite keeps `2026-01-31 12:00:00.000000`, in UTC."""
    return None if moment is None else f"{moment[:10]}T{moment[11:]}Z"


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.astimezone(UTC).isoformat(timespec='microseconds')[:-6]}Z"


def as_text(column: Column[Any]) -> Any:
    """The column, read as text where it is an id or a time."""
    kind = column.type
    if isinstance(kind, Uuid):
        return type_coerce(column, IdText()).label(column.name)
    if isinstance(kind, DateTime) or isinstance(getattr(kind, "impl", None), DateTime):
        return type_coerce(column, TimeText()).label(column.name)
    return column
