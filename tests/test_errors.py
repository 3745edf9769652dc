"""Refusals that libraries make are told in our words too."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import create_engine, event, func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from service.accounts import operations as accounts
from service.accounts.operations import NewToken
from service.cli.printing import Refusal, told
from service.comments.models import Comment
from service.db import db, transaction
from service.errors import Unsure
from service.sites.models import Site


def test_a_file_that_need_not_be_sent_is_closed(app: Flask) -> None:
    """Else the collector says so, and warnings are errors."""
    client = app.test_client()
    with client.get("/desk/static/desk.css") as file:
        tag = file.headers["ETag"]
    answer = client.get("/desk/static/desk.css", headers={"If-None-Match": tag}, buffered=False)
    assert answer.status_code == 304
    del answer
    gc.collect()


@pytest.mark.parametrize("path", ["/docs/assets/swagger-ui.css", "/desk/static/desk.css"])
def test_a_file_that_is_another_one_by_now_is_refused_as_a_problem(app: Flask, path: str) -> None:
    client = app.test_client()
    with client.get(path) as file:
        assert file.status_code == 200
    answer = client.get(path, headers={"If-Match": '"another"'})
    assert (answer.status_code, answer.mimetype) == (412, "application/problem+json")
    assert answer.json["type"] == "/problems/stale-version"


@contextmanager
def gone_at_the_next_commit() -> Iterator[None]:
    """PostgreSQL ends the connection that commits next, just before it would have."""
    ended: list[int] = []

    def end(connection: Any) -> None:
        if not ended:
            ended.append(connection.connection.driver_connection.info.backend_pid)
            _end(ended[0])

    event.listen(db.engine, "commit", end)
    try:
        yield
    finally:
        event.remove(db.engine, "commit", end)
    assert ended, "nothing was committed"


def _end(pid: int) -> None:
    with create_engine(db.engine.url, poolclass=NullPool).connect() as other:
        other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})


ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@ON_POSTGRESQL
def test_where_nobody_knows_whether_it_was_stored_that_is_said_and_it_is_stored_once(app: Flask, site: Site) -> None:
    said = {"page": "/", "name": "Ada", "email": "ada@mail.example.org", "body": "Words."}
    ask: dict[str, Any] = {"json": said, "headers": {"Idempotency-Key": "one"}}
    with gone_at_the_next_commit():
        answer = app.test_client().post("/v1/sites/blog/comments", **ask)
    assert (answer.status_code, answer.json["type"]) == (503, "/problems/outcome-unknown")
    assert "may have been stored, or not" in answer.json["detail"] and answer.headers["Retry-After"] == "5"
    assert app.test_client().post("/v1/sites/blog/comments", **ask).status_code == 202
    assert db.session.scalar(select(func.count()).select_from(Comment)) == 1


@ON_POSTGRESQL
def test_a_command_says_it_too(app: Flask) -> None:
    with gone_at_the_next_commit(), pytest.raises(Refusal, match="Look whether") as refused, told(), transaction():
        db.session.execute(text("SELECT 1"))
    assert refused.value.exit_code == 69


@ON_POSTGRESQL
def test_what_went_wrong_before_the_commit_is_known(app: Flask) -> None:
    with pytest.raises(OperationalError) as error, transaction():
        pid = db.session.connection().connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
        _end(pid)
        db.session.execute(text("SELECT 1"))
    assert not isinstance(error.value, Unsure)


@ON_POSTGRESQL
def test_who_reads_does_not_fail_since_it_was_not_noted(app: Flask, site: Site) -> None:
    """That a token is in use is written by the way."""
    with transaction():
        person = accounts.add_moderator("ada@staff.example.org", "Ada", None, actor="test", is_admin=True)
        token = accounts.issue_token(person, NewToken("test", ["read"]), actor="test").secret
    with gone_at_the_next_commit():
        answer = app.test_client().get("/v1/moderation/comments", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
