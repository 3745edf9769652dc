"""An author with a token, and what they may do with what they wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from service.app import create_app
from service.comments.models import CommentRevision
from service.db import db
from service.sites.models import Site
from service.webhooks.models import Event
from tests.moderation.conftest import desk as desk
from tests.support import post


@pytest.fixture
def limited(app: Flask) -> Iterator[Callable[[str], FlaskClient]]:
    """Clients of the same database behind a limit of an author's doors."""
    made: list[Flask] = []

    def make(limit: str) -> FlaskClient:
        url = db.engine.url.render_as_string(hide_password=False)
        settings = replace(
            app.extensions["greenroom_settings"], limits_enabled=True, limit_mine=limit, database_url=url
        )
        made.append(create_app(settings))
        return made[-1].test_client()

    yield make
    for one in made:
        with one.app_context():
            db.engine.dispose()


class Author:
    """The doors for authors as the holder of one token calls them."""

    def __init__(self, app: Flask, token: str) -> None:
        self.client, self.token = app.test_client(), token

    def call(self, method: str, headers: dict[str, str] | None = None, **more: Any) -> TestResponse:
        told = {"Authorization": f"Author {self.token}"} | (headers or {})
        return self.client.open("/v1/mine", method=method, headers=told, **more)

    def mine(self, **query: Any) -> list[dict[str, Any]]:
        answer = self.call("GET", query_string=query)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json["comments"]
        return found

    def one(self) -> dict[str, Any]:
        (found,) = self.mine()
        return found

    def edit(self, comment_id: str, seen: str | None = None, **values: Any) -> TestResponse:
        headers = {"If-Match": f'"{seen}"'} if seen else None
        return self.call("PATCH", headers, json={"id": comment_id} | values)

    def withdraw(self, comment_id: str) -> TestResponse:
        return self.call("DELETE", query_string={"comment": comment_id})

    def erase(self) -> TestResponse:
        return self.call("DELETE", query_string={"everything": "true"})

    def say(self, **changes: Any) -> str:
        """The id of a new comment under the token."""
        headers = {"Authorization": f"Author {self.token}"}
        found: str = post(self.client, headers=headers, **changes).json["id"]
        return found


@pytest.fixture
def said(app: Flask, client: FlaskClient, site: Site) -> tuple[str, Author]:
    """The id of a comment that waits, and its author."""
    answer = post(client, website="https://ada.example.org").json
    return answer["id"], Author(app, answer["author_token"])


@pytest.fixture
def held(said: tuple[str, Author]) -> str:
    return said[0]


@pytest.fixture
def ada(said: tuple[str, Author]) -> Author:
    return said[1]


def revisions() -> list[tuple[str, str]]:
    """Every kept text: its state and the text, in order."""
    db.session.rollback()
    rows = select(CommentRevision).order_by(CommentRevision.created_at, CommentRevision.id)
    return [(one.state, one.body) for one in db.session.scalars(rows)]


def edits() -> list[dict[str, Any]]:
    """What was announced of changed texts."""
    db.session.rollback()
    return [one.data for one in db.session.scalars(select(Event).filter_by(type="comment.edited").order_by(Event.id))]
