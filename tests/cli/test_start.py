"""Every command looks whether keys and database fit before it does anything, and says which does not."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import click
import pytest
from click.testing import Result
from flask import Flask

from service.app import create_app
from service.cli import COMMANDS, operate
from service.cli.operate import upgrade
from service.cli.printing import CONFIG, UNAVAILABLE, Refusal
from service.cli.start import refuse_metrics_taken
from service.config import Settings
from service.db import db
from tests.conftest import ORIGIN, add_site
from tests.processes import free_port

MAKES_ORDER = {"migrate", "keys create", "listen"}
"""What has to run where nothing is in order yet, or where nothing of ours is."""


def leaves(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for name, one in command.commands.items():
            yield from leaves(one, f"{path} {name}")
    elif path not in MAKES_ORDER:
        yield path, command


EVERY = [leaf for name, command in COMMANDS.items() for leaf in leaves(command, name)]


def words(command: click.Command) -> Iterator[str]:
    """What it takes to get past the parser."""
    for one in command.params:
        if not one.required:
            continue
        if isinstance(one, click.Option):
            yield one.opts[0]
        if isinstance(one.type, click.Path):
            yield __file__
        else:
            yield str(UUID(int=0)) if isinstance(one.type, click.types.UUIDParameterType) else "blog"


@pytest.fixture
def app(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """An app with an empty database of its own."""
    monkeypatch.chdir(tmp_path)
    url = f"sqlite:///{tmp_path}/greenroom.db"
    made = create_app(replace(settings, database_url=url, port=free_port()))
    with made.app_context():
        yield made
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def used(app: Flask) -> Flask:
    """The same with a site."""
    upgrade()
    add_site("blog", [ORIGIN])
    db.session.remove()
    return app


def run(app: Flask, path: str, command: click.Command) -> Result:
    return app.test_cli_runner().invoke(args=[*path.split(), *words(command)])


def rows(place: Path) -> str:
    with sqlite3.connect(place / "greenroom.db") as database:
        return "\n".join(database.iterdump())


def every(*without: str) -> pytest.MarkDecorator:
    chosen = [(path, command) for path, command in EVERY if path not in without]
    return pytest.mark.parametrize(("path", "command"), chosen, ids=[path for path, _ in chosen])


@every()
def test_keys_of_another_database_are_named_and_nothing_is_written(
    used: Flask, tmp_path: Path, path: str, command: click.Command
) -> None:
    other = create_app(Settings(keys_file=str(tmp_path / "other.keys"), log_level="ERROR"))
    used.extensions["greenroom_keys"] = other.extensions["greenroom_keys"]
    before = rows(tmp_path)
    done = run(used, path, command)
    assert (done.exit_code, "GREENROOM_AUDIT_KEY" in done.output) == (CONFIG, True), done.output
    assert rows(tmp_path) == before


@every()
def test_a_newer_database_is_left_alone(used: Flask, tmp_path: Path, path: str, command: click.Command) -> None:
    with sqlite3.connect(tmp_path / "greenroom.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.execute("UPDATE schema_reach SET oldest = '9999'")
    before = rows(tmp_path)
    done = run(used, path, command)
    assert (done.exit_code, "newer than this code" in done.output) == (CONFIG, True), done.output
    assert rows(tmp_path) == before


@every("demo")  # it makes one
def test_where_no_database_is_yet_it_is_told_how_to_make_one(app: Flask, path: str, command: click.Command) -> None:
    done = run(app, path, command)
    told = "There is nothing in this database yet. Run: greenroom migrate"
    assert (done.exit_code, told in done.output) == (CONFIG, True), done.output


@pytest.mark.parametrize("command", ["serve --no-worker", "worker --once", "demo --prepare-only", "doctor"])
@pytest.mark.parametrize("url", ["http://comments.example.org", "http://127.0.0.1:8080"])
def test_production_does_not_start_without_https(
    used: Flask, command: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operate, "_serve", lambda host, port: None)
    chosen = used.extensions["greenroom_settings"]
    used.extensions["greenroom_settings"] = replace(chosen, env="production", public_url=url)
    done = used.test_cli_runner().invoke(args=command.split())
    assert (done.exit_code, "GREENROOM_PUBLIC_URL must begin with https://" in done.output) == (CONFIG, True)


def test_production_starts_with_https(used: Flask) -> None:
    chosen = used.extensions["greenroom_settings"]
    used.extensions["greenroom_settings"] = replace(chosen, env="production", public_url="https://x.example")
    assert used.test_cli_runner().invoke(args=["worker", "--once"]).exit_code == 0


def test_a_database_that_is_away_may_be_back_soon(settings: Settings) -> None:
    away = create_app(replace(settings, database_url="postgresql+psycopg://nobody@127.0.0.1:9/none"))
    with away.app_context():
        done = away.test_cli_runner().invoke(args=["sites", "list"])
    assert (done.exit_code, "cannot be reached" in done.output) == (UNAVAILABLE, True)


def test_two_cannot_tell_their_numbers_at_one_port() -> None:
    port = free_port()
    chosen = Settings(metrics_port=port - 1, port=port + 5)
    refuse_metrics_taken(chosen, 2)
    with socket.create_server(("127.0.0.1", port)):
        refuse_metrics_taken(chosen, 1)
        refuse_metrics_taken(replace(chosen, metrics_port=0), 2)
        with pytest.raises(Refusal, match=f":{port}: .* GREENROOM_METRICS_PORT"):
            refuse_metrics_taken(chosen, 2)


@pytest.mark.parametrize(("metrics_port", "processes"), [(8080, 1), (8078, 3), (65_535, 2)])
def test_numbers_are_never_told_at_the_public_port_nor_beyond_the_last(metrics_port: int, processes: int) -> None:
    with pytest.raises(Refusal, match="GREENROOM_METRICS_PORT"):
        refuse_metrics_taken(Settings(metrics_port=metrics_port), processes)
