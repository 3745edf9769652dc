"""The doctor finds each planted fault, says what to do, and is content without it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import count
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from service.app import create_app
from service.cli.operate import upgrade
from service.config import Settings
from service.db import db, now
from service.doctor import checks, live, queries
from service.health import Finding
from tests.processes import free_port


def say(*statements: str) -> None:
    db.engine.dispose()  # for CREATE INDEX, SQLite believes what this connection saw last
    with db.engine.begin() as connection:
        for one in statements:
            connection.execute(text(one))


def state(one: Finding) -> str:
    return "fails" if not one.ok else "warns" if one.warns else "ok"


def on_postgresql() -> bool:
    return db.engine.dialect.name == "postgresql"


def test_a_missing_index_is_named_with_the_statement_that_makes_it(app: Flask) -> None:
    assert checks.indexes() == Finding("indexes", True, "All there.")
    say("DROP INDEX ix_comments_waiting")
    found = checks.indexes()
    assert state(found) == "fails" and "CREATE INDEX ix_comments_waiting ON comments (site_id" in found.detail
    (statement,) = queries.missing_indexes()
    say(statement)  # what it says is what mends it
    assert state(checks.indexes()) == "ok"


def test_the_index_of_words_is_missed_too(app: Flask) -> None:
    if not on_postgresql():
        return  # a table of its own there
    say("DROP INDEX ix_comment_search_words")
    (statement,) = queries.missing_indexes()
    say(statement)
    assert "ix_comment_search_words" in statement and state(checks.indexes()) == "ok"


def test_an_index_that_answers_nothing_is_named(app: Flask) -> None:
    if not on_postgresql():
        assert queries.invalid_indexes() == []
        return
    flag = "UPDATE pg_index SET indisvalid = {} WHERE indexrelid = 'ix_comments_parent'::regclass"
    say(flag.format("false"))
    try:
        found = checks.indexes()
    finally:
        say(flag.format("true"))
    assert state(found) == "fails" and "REINDEX INDEX CONCURRENTLY ix_comments_parent" in found.detail


@pytest.mark.parametrize(("milliseconds", "told"), [(3, "ok"), (20, "ok"), (21, "warns"), (400, "warns")])
def test_a_slow_disk_is_told_in_milliseconds(
    app: Flask, monkeypatch: pytest.MonkeyPatch, milliseconds: int, told: str
) -> None:
    ticks = count()
    # Asked before and after each write: every other tick lasts as long as the write.
    monkeypatch.setattr(checks, "perf_counter", lambda: (next(ticks) + 1) // 2 * milliseconds / 1_000)
    found = checks.writing()
    assert (state(found), f"{milliseconds}.0 ms" in found.detail) == (told, True)


def test_it_is_the_disk_that_is_waited_for(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[object] = []
    if on_postgresql():
        monkeypatch.setattr(queries, "write_ahead", lambda: done.append(1))
    else:
        monkeypatch.setattr("os.fsync", done.append)
        monkeypatch.setattr(
            checks, "folder", lambda: done.append("looked") or Path(db.engine.url.database or "").parent
        )
    checks.writing()
    assert len(done) >= 9


def test_a_place_that_cannot_be_written_to_is_told(app: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if on_postgresql():
        return
    monkeypatch.setattr(checks, "folder", lambda: tmp_path / "nowhere")
    assert state(checks.writing()) == "fails"


@pytest.mark.parametrize(("seconds", "told"), [(0, "ok"), (-90, "warns"), (90, "warns")])
def test_a_clock_apart_from_the_databases_is_told(
    app: Flask, monkeypatch: pytest.MonkeyPatch, seconds: int, told: str
) -> None:
    monkeypatch.setattr(checks, "now", lambda: now() - timedelta(seconds=seconds))
    found = checks.clock()
    assert state(found) == (told if on_postgresql() else "ok")
    if state(found) == "warns":
        assert ("ahead of" if seconds > 0 else "behind") in found.detail and "NTP" in found.detail


@pytest.mark.parametrize(
    ("url", "trusted", "told"),
    [
        ("https://a.example", [], "warns"),
        ("https://a.example", ["10.0.0.1"], "ok"),
        ("http://127.0.0.1:8080", [], "ok"),
        ("https://a.example", ["0.0.0.0/0"], "fails"),
        ("https://a.example", ["10.0.0.1", "::/0"], "fails"),
        ("https://a.example", ["0.0.0.0/1", "128.0.0.0/1"], "fails"),
    ],
)
def test_proxies_are_held_against_the_public_address(url: str, trusted: list[str], told: str) -> None:
    assert state(checks.proxies(Settings(public_url=url, trusted_proxies=trusted))) == told


def test_a_full_disk_is_told(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    assert state(checks.room()) == "ok"
    monkeypatch.setattr(checks, "_ROOM", 10**12)
    assert state(checks.room()) == "fails"


def test_a_database_that_gives_no_answer_is_told(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> list[str]:
        raise OperationalError("SELECT", {}, Exception())

    monkeypatch.setattr(queries, "missing_indexes", away)
    found = {one.name: state(one) for one in checks.of_database()}
    assert found["indexes"] == "fails" and found.keys() == {"indexes", "writing", "clock"}


@dataclass
class There:
    """What answers at a public address: a status, a body, and its clock."""

    status: int = 200
    body: bytes = b'{"status": "up"}'
    ahead: int = 0


@contextmanager
def answering(there: There) -> Iterator[Settings]:
    """Settings whose public address it is."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(there.status)
            self.send_header("Date", format_datetime(now() + timedelta(seconds=there.ahead), usegmt=True))
            self.send_header("Content-Length", str(len(there.body)))
            self.end_headers()
            self.wfile.write(there.body)

        def log_message(self, *_: object) -> None:
            pass

    port = free_port()
    with HTTPServer(("127.0.0.1", port), Answer) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        try:
            yield Settings(public_url=f"http://127.0.0.1:{port}")
        finally:
            server.shutdown()
            serving.join()


@pytest.mark.parametrize(
    ("there", "told"),
    [
        (There(), ["ok", "ok"]),
        (There(ahead=60), ["ok", "warns"]),
        (There(ahead=-60), ["ok", "warns"]),
        (There(body=b"<h1>It works!</h1>"), ["fails"]),
        (There(status=502), ["fails"]),
    ],
)
def test_the_public_address_is_asked_when_it_is_wanted(there: There, told: list[str]) -> None:
    with answering(there) as chosen:
        assert [state(one) for one in live.public_address(chosen)] == told


def test_a_public_address_where_nobody_is_is_told() -> None:
    (found,) = live.public_address(Settings(public_url=f"http://127.0.0.1:{free_port()}"))
    assert state(found) == "fails" and "cannot be reached" in found.detail


@pytest.fixture
def doctor(settings: Settings, tmp_path: Path) -> Iterator[Callable[..., tuple[int, dict[str, str]]]]:
    """The command on a database of its own: its exit code, and what it says of each check."""
    app = create_app(replace(settings, database_url=f"sqlite:///{tmp_path}/greenroom.db"))

    def ask(*options: str, **changes: object) -> tuple[int, dict[str, str]]:
        app.extensions["greenroom_settings"] = replace(app.extensions["greenroom_settings"], **changes)
        done = app.test_cli_runner().invoke(args=["doctor", "--json", *options])
        found = json.loads(done.stdout)
        return done.exit_code, {one["name"]: state(Finding(**one)) for one in found}

    with app.app_context():
        upgrade()
        yield ask
        db.engine.dispose()


def test_a_warning_is_no_failure(doctor: Callable[..., tuple[int, dict[str, str]]]) -> None:
    code, found = doctor(public_url="https://a.example")
    assert (code, found["proxies"], found["indexes"]) == (0, "warns", "ok")
    code, found = doctor(trusted_proxies=["0.0.0.0/0"])
    assert (code, found["proxies"]) == (78, "fails")
    say("DROP TABLE alembic_version")
    code, found = doctor()
    assert (code, found["database"], "indexes" in found) == (78, "fails", False), "what leans on it is not asked"


def test_the_public_address_is_not_asked_by_itself(doctor: Callable[..., tuple[int, dict[str, str]]]) -> None:
    with answering(There()) as chosen:
        assert "public address" not in doctor(public_url=chosen.public_url)[1]
        assert doctor("--live")[1]["public address"] == "ok"
