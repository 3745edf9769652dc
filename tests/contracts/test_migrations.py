"""The migrations make the tables of the code, on both databases, and can be walked back."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import inspect, make_url, text

from service import revisions
from service.app import create_app
from service.config import Settings
from service.db import Base, db, writing
from service.revisions import WrongSchema

NOT_TABLES_OF_OURS = ("comment_search_fts", "ix_comment_search_words")
"""The indexes of words: each database has its own, which no model can say."""


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Iterator[Flask]:
    """The app over a database in which nothing is yet."""
    url = f"sqlite:///{tmp_path}/greenroom.db" if request.param == "sqlite" else _new_database(request)
    app = create_app(replace(settings, database_url=url))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def _new_database(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue("postgresql_url")
    name = f"fresh_{uuid4().hex}"
    with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def differences() -> list[Any]:
    """What Alembic would write to bring the database to the models."""

    def ours(_object: Any, name: str | None, *_more: Any) -> bool:
        return not (name or "").startswith(NOT_TABLES_OF_OURS)

    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_object": ours})
        return list(compare_metadata(context, Base.metadata))


def tables() -> set[str]:
    return set(inspect(db.engine).get_table_names())


def downgrade(to: str) -> None:
    with writing() as connection:
        command.downgrade(revisions.config(connection), to)


def say(statement: str) -> None:
    with db.engine.begin() as connection:
        connection.execute(text(statement))


def test_the_migrations_make_what_the_models_say(fresh: Flask) -> None:
    assert revisions.migrate() == (None, revisions.head())
    assert differences() == []
    assert set(Base.metadata.tables) <= tables()


@pytest.mark.parametrize("change", ["ALTER TABLE sites ADD COLUMN surprise INTEGER", "DROP INDEX ix_comments_thread"])
def test_a_difference_is_seen(fresh: Flask, change: str) -> None:
    revisions.migrate()
    say(change)
    assert differences() != []


def test_a_second_migration_changes_nothing(fresh: Flask) -> None:
    revisions.migrate()
    assert revisions.migrate() == (revisions.head(), revisions.head())


def test_the_way_down_leaves_nothing_and_the_way_up_works_again(fresh: Flask) -> None:
    revisions.migrate()
    downgrade("base")
    assert tables() <= {"alembic_version"}
    revisions.migrate()
    assert differences() == []


def test_each_step_can_be_taken_back_alone(fresh: Flask) -> None:
    revisions.migrate()
    downgrade("-1")
    assert revisions.current() != revisions.head()
    revisions.migrate()
    assert differences() == []


def limits() -> list[Any]:
    """What a request may take of PostgreSQL's time, as the connection says that is used now."""
    with db.engine.connect() as connection:
        return [connection.scalar(text(f"SHOW {one}")) for one in ("statement_timeout", "lock_timeout")]


def test_a_migration_takes_its_time_and_a_request_does_not(
    postgresql_url: str, settings: Settings, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(replace(settings, database_url=_new_database(request), database_pool=1))
    seen: list[Any] = []

    def upgrade(config: Any, _to: str) -> None:
        connection = config.attributes["connection"]
        seen.extend(connection.scalar(text(f"SHOW {one}")) for one in ("statement_timeout", "lock_timeout"))

    monkeypatch.setattr(command, "upgrade", upgrade)
    with app.app_context():
        revisions.migrate()
        assert (seen, limits()) == (["0", "2s"], ["30s", "5s"])
        db.engine.dispose()


def test_a_second_migration_waits_for_the_first(
    postgresql_url: str, settings: Settings, request: pytest.FixtureRequest
) -> None:
    app = create_app(replace(settings, database_url=_new_database(request), busy_timeout=0.05))
    with app.app_context(), db.engine.connect() as first:
        first.execute(text("SET statement_timeout = 0"))
        first.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": revisions._LOCK})
        first.commit()
        with ThreadPoolExecutor(1) as pool:
            second = pool.submit(_migrate, app)
            with pytest.raises(TimeoutError):
                second.result(timeout=0.5)
            first.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": revisions._LOCK})
            first.commit()
            assert second.result(timeout=60) == (None, revisions.head())
        first.close()
        db.engine.dispose()


def _migrate(app: Flask) -> tuple[str | None, str]:
    with app.app_context():
        return revisions.migrate()


def test_a_newer_database_is_refused_and_left_alone(fresh: Flask) -> None:
    revisions.migrate()
    before = tables()
    say("UPDATE alembic_version SET version_num = '9999'")
    say("UPDATE schema_reach SET oldest = '9999'")
    with pytest.raises(WrongSchema, match="newer than this code"):
        revisions.migrate()
    with pytest.raises(WrongSchema, match="newer than this code"):
        revisions.check()
    assert tables() == before
    answer = fresh.test_client().get("/readyz")
    assert (answer.status_code, answer.mimetype, answer.json["checks"]) == (
        503,
        "application/problem+json",
        {"database": "failed"},
    )


def test_an_older_database_is_told_to_migrate(fresh: Flask) -> None:
    revisions.migrate()
    downgrade("-1")
    with pytest.raises(WrongSchema, match="greenroom migrate"):
        revisions.check()


def test_an_empty_database_is_told_to_migrate(fresh: Flask) -> None:
    with pytest.raises(WrongSchema, match="greenroom migrate"):
        revisions.check()


def test_the_migrations_are_one_line_without_branches() -> None:
    script = ScriptDirectory.from_config(revisions.config())
    found = list(script.walk_revisions())
    assert (len(script.get_heads()), len(script.get_bases())) == (1, 1)
    assert [one.revision for one in found if one.is_branch_point or one.is_merge_point] == []
    assert [one.revision for one in reversed(found)] == sorted(one.revision for one in found)
