"""How many statements it takes that is done all day: one more is a question that somebody must want."""

from __future__ import annotations

from flask.testing import FlaskClient

from service.sites.models import Site
from tests.moderation.conftest import Desk
from tests.moderation.conftest import desk as desk
from tests.support import post

from .test_plans import asked

SUBMISSION, DECISION, QUEUE = 16, 16, 7


def test_a_submission(client: FlaskClient, site: Site) -> None:
    post(client)
    with asked() as statements:
        assert post(client, body="Another one.").status_code == 202
    assert len(statements) <= SUBMISSION, statements


def test_a_decision(client: FlaskClient, site: Site, desk: Desk) -> None:
    first, second = (post(client, body=body).json["id"] for body in ("One.", "Another one."))
    desk.decide(first, "approve")
    with asked() as statements:
        assert desk.decide(second, "approve").status_code == 200
    assert len(statements) <= DECISION, statements


def test_a_page_of_the_queue(client: FlaskClient, site: Site, desk: Desk) -> None:
    post(client)
    with asked() as statements:
        assert desk.call("GET", "/moderation/comments?status=pending").json["comments"]
    assert len(statements) <= QUEUE, statements
