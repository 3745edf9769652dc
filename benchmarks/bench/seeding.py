"""One comment made many by the database itself: a million by the door would take half an hour."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, bindparam, create_engine, text
from sqlalchemy.types import Uuid

from service.comments.models import Author, Comment, CommentTally, HoldReason
from service.db import now

AT_ONCE = 100_000
AGE = timedelta(days=20)
"""Of the oldest, a second before the next: younger than what retention takes away."""
APART = 10_000_000
"""Between the ids of two kinds of copies."""
_NUMBERS = "WITH RECURSIVE numbers(i) AS (SELECT :first UNION ALL SELECT i + 1 FROM numbers WHERE i < :last)"
_WORDS = {
    "sqlite": {
        "id": "printf('%032x', i)",
        "short": "printf('%016x', i)",
        "bytes": "randomblob(32)",
        "time": f"strftime('%Y-%m-%d %H:%M:%S.000000', :begin, '+' || (i % {APART}) || ' seconds')",
        "nothing": "NULL",
    },
    "postgresql": {
        "id": "lpad(to_hex(i), 32, '0')::uuid",
        "short": "lpad(to_hex(i), 16, '0')",
        "bytes": "sha256(i::text::bytea)",
        "time": f"CAST(:begin AS timestamptz) + (i % {APART}) * interval '1 second'",
        "nothing": "NULL",
    },
}
_OF_A_COMMENT = {
    "id": "id", "created_at": "time", "received_at": "time", "email_index": "bytes", "network_label": "short",
    "alike_text": "short",
}  # fmt: skip
_OF_ANOTHER_AUTHOR = {"id": "id", "token_digest": "nothing"}


def clone(url: str, comment_id: str, count: int, *, kind: int, shown: bool) -> list[str]:
    """So many more of a comment, with ids and times that rise, and no address, network or text that is another's.

    `kind`: another one for each call about a database. `shown`: they are counted as published, and by one author; else
    each has its own. Returns their ids.
    """
    original, first = UUID(comment_id), kind * APART + 1
    engine = create_engine(url)
    with engine.connect() as connection, _quiet(connection):
        for begin in range(first, first + count, AT_ONCE):
            _insert(connection, original, range(begin, min(begin + AT_ONCE, first + count)), authors=not shown)
        if shown:
            counted = "UPDATE pages SET comment_count = comment_count + :count WHERE id ="
            of_it = text(f"{counted} (SELECT page_id FROM comments WHERE id = :id)").bindparams(_ID)
            connection.execute(of_it, {"count": count, "id": original})
        connection.commit()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        on_postgresql = connection.dialect.name == "postgresql"
        connection.execute(text("VACUUM ANALYZE" if on_postgresql else "PRAGMA wal_checkpoint(TRUNCATE)"))
    engine.dispose()
    return [str(UUID(int=number)) for number in range(first, first + count)]


_ID = bindparam("id", type_=Uuid())


def _insert(connection: Connection, original: UUID, numbers: range, *, authors: bool) -> None:
    """Copies of the comment and of what belongs to it, in one transaction."""
    author_id = connection.execute(
        text("SELECT author_id FROM comments WHERE id = :id").bindparams(_ID), {"id": original}
    )
    author = author_id.scalar_one()
    own = _OF_A_COMMENT | {"author_id": "id"} if authors else _OF_A_COMMENT
    if authors:
        _copy(connection, Author.__table__, ("id", UUID(str(author))), _OF_ANOTHER_AUTHOR, numbers)
    _copy(connection, Comment.__table__, ("id", original), own, numbers)
    for table in (CommentTally.__table__, HoldReason.__table__):
        _copy(connection, table, ("comment_id", original), {"comment_id": "id"}, numbers)
    connection.commit()


def _copy(
    connection: Connection, table: Any, where: tuple[str, UUID], changed: Mapping[str, str], numbers: range
) -> None:
    """The rows of a table where a column has an id, once for each number, with other words for some columns.

    They are set aside first: SQLite would keep all copies aside of a table that it reads and writes at once.
    """
    assert isinstance(table, Table)
    column, original = where
    words = _WORDS[connection.dialect.name]
    names = [one.name for one in table.columns]
    values = ", ".join(words[changed[one]] if one in changed else f"one.{one}" for one in names)
    aside = f"SELECT {', '.join(names)} FROM {table.name} WHERE {column} = :id"
    connection.execute(text("DROP TABLE IF EXISTS one"))
    # What defines a table takes no parameters on PostgreSQL.
    connection.execute(text(f"CREATE TEMP TABLE one AS SELECT * FROM {table.name} WHERE 1 = 0"))
    connection.execute(text(f"INSERT INTO one ({', '.join(names)}) {aside}").bindparams(_ID), {"id": original})
    many = f"{_NUMBERS} INSERT INTO {table.name} ({', '.join(names)}) SELECT {values} FROM numbers CROSS JOIN one"
    told: dict[str, Any] = {"first": numbers[0], "last": numbers[-1]}
    if "time" in changed.values():
        told |= {"begin": f"{now() - AGE:%Y-%m-%d %H:%M:%S}"}
    connection.execute(text(many), told)


@contextmanager
def _quiet(connection: Connection) -> Iterator[None]:
    """Nothing is noted of each copy: no server runs meanwhile that would have to be told."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET session_replication_role = replica"))
        yield
        return
    connection.execute(text("PRAGMA synchronous = OFF"))
    watching = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'public_%'"
    triggers = connection.execute(text(watching)).all()
    for name, _ in triggers:
        connection.execute(text(f"DROP TRIGGER {name}"))
    connection.commit()
    yield
    for _, made in triggers:
        connection.exec_driver_sql(made)
    connection.commit()
