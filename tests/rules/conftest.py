"""Rules, and comments from somewhere, by somebody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.comments.models import Comment
from service.db import db, transaction
from service.rules import operations as rules
from service.rules.models import Rule
from service.rules.operations import Maker, Target, Terms
from service.sites.models import Site
from tests.moderation.conftest import desk as desk
from tests.support import submission

ROBIN = Maker("moderator:0190f0f0-0000-7000-8000-000000000007", "Robin")

Make = Callable[..., Rule]


@pytest.fixture
def make(site: Site) -> Make:
    """A rule of the site."""

    def make(kind: str, value: str, effect: str = "block", *, by: Maker = ROBIN, **more: Any) -> Rule:
        about = {name: more.pop(name) for name in ("email_index", "comment_id") if name in more}
        with transaction():
            return rules.add(db.session.merge(site), Target(kind, value, **about), Terms(effect, **more), by)

    return make


def say(client: FlaskClient, ip: str = "203.0.113.7", token: str | None = None, **changes: Any) -> TestResponse:
    """A comment by somebody new, unless a token says who it is."""
    name = uuid4().hex
    said = submission(**({"email": f"{name}@mail.example.org", "body": f"Words of {name}."} | changes))
    headers = {"Authorization": f"Author {token}"} if token else {}
    return client.post("/v1/sites/blog/comments", json=said, headers=headers, environ_base={"REMOTE_ADDR": ip})


def stored(answer: TestResponse) -> Comment:
    """The comment that was sent, as the database has it now."""
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(Comment, UUID(answer.json["id"]))  # type: ignore[index]


def codes(answer: TestResponse) -> list[str]:
    return [one.code for one in stored(answer).reasons]
