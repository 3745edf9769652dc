"""An app that has never seen a database: what a contract finds out must not need one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from service.app import create_app
from service.config import Settings


@pytest.fixture(scope="package")
def bare(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The whole app over a database that is not there."""
    nowhere = Path(tmp_path_factory.mktemp("bare")) / "missing" / "greenroom.db"
    return create_app(replace(settings, database_url=f"sqlite:///{nowhere}"))
