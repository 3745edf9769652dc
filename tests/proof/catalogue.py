"""What a database says of itself: its schema from its own catalogue, its rows, and rows to put into any table of it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    CHAR,
    JSON,
    Boolean,
    Column,
    DateTime,
    Engine,
    LargeBinary,
    MetaData,
    String,
    Uuid,
    inspect,
    text,
)
from sqlalchemy.engine.interfaces import ReflectedCheckConstraint

from service.db import db, writing

Schema = dict[str, str]
Rows = dict[str, list[dict[str, Any]]]

_SQLITE = "SELECT type || ' ' || name, coalesce(sql, tbl_name) FROM sqlite_schema WHERE name <> 'sqlite_sequence'"
"""Without the table that SQLite itself makes for numbers that never come again, and never drops."""
_POSTGRESQL = """
SELECT 'column ' || c.relname || '.' || a.attname,
       row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum) || ' ' || format_type(a.atttypid, a.atttypmod)
       || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END || coalesce(' ' || pg_get_expr(d.adbin, d.adrelid), '')
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind <> 'i'
UNION ALL SELECT 'constraint ' || conrelid::regclass || '.' || conname,
       pg_get_constraintdef(oid) || CASE WHEN convalidated THEN '' ELSE ' NOT VALID' END
  FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'index ' || indexrelid::regclass,
       pg_get_indexdef(indexrelid) || CASE WHEN indisvalid THEN '' ELSE ' INVALID' END
  FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE c.relnamespace = 'public'::regnamespace
UNION ALL SELECT 'trigger ' || tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'function ' || proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""


def schema(engine: Engine) -> Schema:
    """Tables, columns in order, types, constraints, indexes, triggers: each with its definition."""
    with engine.connect() as connection:
        asked = _SQLITE if engine.dialect.name == "sqlite" else _POSTGRESQL
        return dict(connection.execute(text(asked)).all())


def revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return found


def differing(found: Schema, wanted: Schema) -> list[str]:
    """What two schemas do not have in common."""
    return [
        f"{name}: {found.get(name, 'missing')!r}, not {wanted.get(name, 'there')!r}"
        for name in sorted(found.keys() | wanted.keys())
        if found.get(name) != wanted.get(name)
    ]


def fill(first: int) -> Rows:
    """Put two rows, numbered from `first`, with something in every column into every table; what is in them now."""
    with writing() as connection:
        reflected = MetaData()
        reflected.reflect(connection, only=_is_ours)
        for table in reflected.sorted_tables:
            checks = inspect(connection).get_check_constraints(table.name)
            for number in (first, first + 1):
                connection.execute(table.insert(), {one.name: _value(one, number, checks) for one in table.columns})
        connection.commit()
        return rows(db.engine)


def rows(engine: Engine) -> Rows:
    """All rows, by table."""
    with engine.connect() as connection:
        names = [name for name in inspect(connection).get_table_names() if _is_ours(name)]
        found = {name: connection.execute(text(f"SELECT * FROM {name}")).mappings().all() for name in names}
    return {table: [dict(row) for row in mappings] for table, mappings in found.items()}


def lost(before: Rows, after: Rows) -> list[str]:
    """Which rows are no longer as they were, in the columns that they had and still have."""
    return [
        f"{table}: lost {row}"
        for table, kept in before.items()
        for row in kept
        if not any(all(row[column] == one.get(column) for column in row) for one in after.get(table, []))
    ]


def _is_ours(table: str, _: object = None) -> bool:
    """Neither what migrations say of themselves nor the index of words, which keeps itself."""
    return table not in ("alembic_version", "schema_reach") and "_fts" not in table


def _value(column: Column[Any], number: int, checks: list[ReflectedCheckConstraint]) -> Any:
    kind, length = column.type, getattr(column.type, "length", None) or 40
    if isinstance(kind, Uuid) or length == 32 and isinstance(kind, CHAR):  # which is how SQLite keeps them
        return f"{number:032x}"
    if isinstance(kind, String):
        for check in checks:  # such as: mode IN ('pre', 'post')
            if re.search(rf"\b{column.name}\b", check["sqltext"]):
                return re.findall(r"'(\w+)'", check["sqltext"])[number % 2]
        return f"{number} größer 😀 {column.name} {'x' * 300}"[:length]
    if isinstance(kind, LargeBinary):
        return bytes([number, 0, 255])
    if isinstance(kind, JSON):
        return {"number": number, "ö": [None, True]}
    if isinstance(kind, DateTime):
        return datetime(2026, 1, 1, 12, 30, 15, 123456, UTC) + timedelta(days=number)
    if isinstance(kind, Boolean):
        return number % 2 == 1
    return number * 1_000 if column.primary_key else number  # triggers that note a change count on from there
