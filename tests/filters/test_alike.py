"""Comments that have something in common are counted, found and decided together."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from service.comments.models import Comment
from service.db import db
from service.filters import queries
from service.moderation.queries import Filter
from service.sites.models import Site
from tests.contracts.test_plans import asked
from tests.moderation.conftest import Desk
from tests.support import post


def wave(client: FlaskClient, number: int, host: str = "spam.example") -> list[str]:
    """As many comments as a spammer sends, each in words of its own."""
    words = ["apples", "bananas", "cherries", "dates", "elderberries", "figs"]
    told = [post(client, email=f"n{n}@mail.example.org", body=f"{words[n]} https://{host}/{n}") for n in range(number)]
    return [one.json["id"] for one in told]


def test_those_that_are_alike_are_counted_in_one_question(client: FlaskClient, site: Site) -> None:
    wave(client, 3), post(client, body="Calm words.")
    rows = db.session.query(Comment).order_by(Comment.created_at).all()
    wanted = Filter([site.id], "pending")
    with asked() as statements:
        found = queries.alike(wanted, rows)
    assert len(statements) == 1
    assert found["host:spam.example"] == 3
    assert sorted(found.values()) == [1, 1, 1, 1, 3]
    assert queries.alike(Filter([site.id], "approved"), rows) == {}
    assert queries.alike(wanted, []) == {}


def test_a_comment_tells_by_what_others_like_it_are_found(client: FlaskClient, desk: Desk) -> None:
    ids = wave(client, 2)
    post(client, body="Calm words.")
    alike = desk.get(f"/moderation/comments/{ids[0]}").json["alike"]
    assert alike[0] == "host:spam.example" and alike[1].startswith("text:")
    found = desk.get("/moderation/comments", alike=alike[0]).json["comments"]
    assert [one["id"] for one in found] == ids
    assert [one["id"] for one in desk.get("/moderation/comments", alike=alike[1]).json["comments"]] == ids[:1]


def test_a_wave_is_one_decision(client: FlaskClient, desk: Desk) -> None:
    wave(client, 3), wave(client, 1, host="kind.example")
    asked_for: dict[str, Any] = {"decision": "spam", "filter": {"alike": "host:spam.example"}, "count": 3}
    done = desk.call("POST", "/moderation/decisions", json=asked_for).json
    assert (done["done"], len(desk.get("/moderation/comments", status="pending").json["comments"])) == (3, 1)


@pytest.mark.parametrize(
    "alike", ["spam.example", "host:", "text:xyz", "host:sp am", "other:x", "text:0123456789abcdeF"]
)
def test_what_nothing_can_have_in_common_is_refused(desk: Desk, alike: str) -> None:
    refused = desk.get("/moderation/comments", alike=alike)
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["alike"])
