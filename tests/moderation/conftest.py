"""A moderator, what they may do, and held comments."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.accounts import operations as accounts
from service.accounts.operations import NewToken
from service.db import transaction
from service.sites.models import Site
from tests.support import post


def token_of(name: str, site_id: UUID | None, role: str = "moderator", **more: Any) -> str:
    """A moderator's token: its secret."""
    with transaction():
        moderator = accounts.add_moderator(f"{name}@staff.example.org", name.title(), None, actor="test", **more)
        if site_id:
            accounts.grant(moderator, site_id, role, actor="test")
        wanted = NewToken(name="test", scopes=("read", "moderate", "manage"))
        return accounts.issue_token(moderator, wanted, actor="test").secret


class Desk:
    """The API as one moderator calls it."""

    def __init__(self, app: Flask, secret: str) -> None:
        self.client, self.secret = app.test_client(), secret

    def call(self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> TestResponse:
        told = {"Authorization": f"Bearer {self.secret}"} | (headers or {})
        return self.client.open(f"/v1{path}", method=method, headers=told, **more)

    def get(self, path: str, **query: Any) -> TestResponse:
        return self.call("GET", path, query_string=query)

    def decide(self, comment_id: str, decision: str, if_match: str | None = None, **more: Any) -> TestResponse:
        headers = {"If-Match": if_match} if if_match else None
        path = f"/moderation/comments/{comment_id}/decision"
        return self.call("POST", path, json={"decision": decision} | more, headers=headers)


@pytest.fixture
def desk(app: Flask, site: Site) -> Desk:
    return Desk(app, token_of("robin", site.id))


@pytest.fixture
def held(client: FlaskClient, site: Site) -> str:
    """The id of a comment that waits."""
    found: str = post(client).json["id"]
    return found
