"""Questions about the database itself: its clock, its indexes, how long it takes to write."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Index, UniqueConstraint, func, select, text
from sqlalchemy.schema import AddConstraint, CreateIndex

from service.db import Base, db

_OF_WORDS = "CREATE INDEX ix_comment_search_words ON comment_search USING gin (to_tsvector('simple', words))"
"""PostgreSQL's, which no model can say."""
_IS_THERE = text("SELECT to_regclass('ix_comment_search_words') IS NOT NULL")
_INVALID = text("""
SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE NOT indisvalid AND relnamespace = current_schema()::regnamespace ORDER BY relname
""")


def clock() -> datetime | None:
    """What time it is for PostgreSQL; None for SQLite, which asks this machine."""
    if db.engine.dialect.name == "sqlite":
        return None
    return db.session.scalar(select(func.clock_timestamp()))


def write_ahead() -> None:
    """Have PostgreSQL write something to its log, so that the commit waits for its disk. No table is touched."""
    db.session.execute(select(func.pg_logical_emit_message(True, "greenroom.doctor", "")))


def missing_indexes() -> list[str]:
    """The statements that make the indexes, and unique constraints, of the models which the database has not."""
    found = []
    with db.engine.connect() as connection:
        for what, *about in _flat(compare_metadata(MigrationContext.configure(connection), Base.metadata)):
            one = about[0]
            if what == "add_index" and isinstance(one, Index):
                found.append(str(CreateIndex(one).compile(connection)))
            elif what == "add_constraint" and isinstance(one, UniqueConstraint):
                found.append(str(AddConstraint(one).compile(connection)))
        if connection.dialect.name == "postgresql" and not connection.scalar(_IS_THERE):
            found.append(_OF_WORDS)
    return [" ".join(one.split()) for one in found]


def _flat(differences: Sequence[object]) -> list[tuple[object, ...]]:
    """Without changes of columns, which come as lists."""
    return [one for one in differences if isinstance(one, tuple)]


def invalid_indexes() -> list[str]:
    """PostgreSQL: those whose making was cut off (CREATE INDEX CONCURRENTLY). They cost, and answer nothing."""
    if db.engine.dialect.name == "sqlite":
        return []
    with db.engine.connect() as connection:
        return list(connection.scalars(_INVALID))
