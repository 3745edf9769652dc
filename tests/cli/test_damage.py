"""A database file that is damaged: the start, the doctor and the doors say so, and nobody crashes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from service import health
from service.app import create_app
from service.cli.operate import upgrade
from service.cli.printing import CONFIG
from service.config import Settings
from service.db import db
from service.errors import DAMAGED
from tests.conftest import ORIGIN, add_site


@pytest.fixture
def damaged(settings: Settings, tmp_path: Path) -> Iterator[Flask]:
    """An app whose file lost its second half."""
    path = tmp_path / "greenroom.db"
    app = create_app(replace(settings, database_url=f"sqlite:///{path}"))
    with app.app_context():
        upgrade()
        add_site("blog", [ORIGIN])
        db.session.remove()
        db.engine.dispose()
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.mark.parametrize("command", ["doctor", "serve", "worker --once", "audit verify"])
def test_commands_say_that_it_is_damaged(damaged: Flask, command: str) -> None:
    done = damaged.test_cli_runner().invoke(args=command.split())
    assert (done.exit_code, DAMAGED in done.output) == (CONFIG, True)


def test_damage_that_shows_while_a_command_works_is_told_too(damaged: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_checks", [])
    done = damaged.test_cli_runner().invoke(args=["audit", "verify"])
    assert (done.exit_code, DAMAGED in done.output) == (CONFIG, True)


def test_a_broken_page_is_found_before_anybody_reads_it(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "whole.db"
    app = create_app(replace(settings, database_url=f"sqlite:///{path}"))
    with app.app_context():
        upgrade()
        db.session.remove()
        db.engine.dispose()
        data = path.read_bytes()
        path.write_bytes(data[:-4096] + b"\x05" * 4096)
        done = app.test_cli_runner().invoke(args=["serve"])
        db.engine.dispose()
    assert (done.exit_code, DAMAGED in done.output) == (CONFIG, True)


def test_doors_answer_that_it_is_damaged(damaged: Flask) -> None:
    answer: Any = damaged.test_client().get("/v1/sites/blog/thread?page=/")
    assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
    assert "damaged" in answer.json["detail"]
