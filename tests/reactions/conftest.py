"""A published comment, and readers who vote for it or report it."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from service.comments.models import Comment
from service.db import db
from service.sites.models import Site
from tests.comments.test_submitting import set_site
from tests.desk.conftest import anna as anna
from tests.desk.conftest import open_browser as open_browser
from tests.desk.conftest import person as person
from tests.desk.conftest import signed_in as signed_in
from tests.moderation.conftest import desk as desk
from tests.support import post, thread


@pytest.fixture
def said(client: FlaskClient, site: Site) -> str:
    """The id of a published comment."""
    set_site(site, mode="post")
    found: str = post(client).json["id"]
    return found


def device(n: int) -> str:
    return f"device-number-{n:08}"


def react(
    app: Flask, door: str, comment_id: str, n: int = 0, *, network: int | None = None, **values: Any
) -> TestResponse:
    """Device `n` at a door of a comment, from a network of its own or another one."""
    here = {"REMOTE_ADDR": f"203.0.{n if network is None else network}.{n + 1}"}
    path = f"/v1/sites/{values.pop('site', 'blog')}/comments/{comment_id}/{door}"
    headers = values.pop("headers", None)
    return app.test_client().post(path, json={"device": device(n)} | values, environ_base=here, headers=headers)


def votes(client: FlaskClient) -> int:
    """The votes that the thread tells of its one comment."""
    db.session.rollback()
    found: int = thread(client)["comments"][0]["votes"]
    return found


def one() -> Comment:
    db.session.rollback()
    return db.session.scalars(select(Comment).execution_options(populate_existing=True)).one()
