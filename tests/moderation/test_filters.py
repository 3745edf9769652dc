"""Each filter of the lists finds what it says, alone and with others."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from service.db import transaction
from service.sites import operations as sites
from service.sites.models import Site
from tests.moderation.conftest import Desk
from tests.support import post


def listed(desk: Desk, **query: Any) -> list[str]:
    answer = desk.get("/moderation/comments", **query)
    assert answer.status_code == 200, answer.text
    return [one["text"] for one in answer.json["comments"]]


@pytest.fixture(autouse=True)
def said(client: FlaskClient, site: Site, desk: Desk) -> None:
    """Ada, whom one comment was approved of, and Bea, who is new; one text has a link, one a rating."""
    with transaction():
        sites.change_site(site, {"rating_max": 10.0}, actor="test")
    first = post(client, body="First.").json["id"]
    desk.decide(first, "approve")
    post(client, body="See https://x.example.org/ there.", rating=8)
    post(client, name="Bea", email="bea@mail.example.org", body="Hello.")


def test_what_has_a_link(desk: Desk) -> None:
    assert listed(desk, has_link="true") == ["See https://x.example.org/ there."]
    assert listed(desk, has_link="false") == ["First.", "Hello."]


def test_who_is_new(desk: Desk) -> None:
    assert listed(desk, first_timer="true") == ["Hello."]
    assert listed(desk, first_timer="false", status="pending") == ["See https://x.example.org/ there."]


def test_who_has_no_address_is_known_by_the_token(client: FlaskClient, desk: Desk) -> None:
    reply = {"body": "Thanks."}
    found = desk.get("/moderation/comments", status="approved").json["comments"][0]["id"]
    desk.call("POST", f"/moderation/comments/{found}/reply", json=reply)
    assert listed(desk, first_timer="false", q="thanks") == ["Thanks."]


def test_a_rating(desk: Desk) -> None:
    assert listed(desk, rating="8") == ["See https://x.example.org/ there."]
    assert listed(desk, rating="7.5") == []


def test_filters_hold_together(desk: Desk) -> None:
    assert listed(desk, has_link="true", first_timer="true") == []
    assert listed(desk, has_link="true", rating="8.0", q="there", sort="newest") == [
        "See https://x.example.org/ there."
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("has_link", "maybe"),
        ("first_timer", "1"),
        ("rating", "many"),
        ("rating", "-1"),
        ("person", "ada"),
        ("claimed", "all"),
    ],
)
def test_what_a_filter_cannot_take_is_said(desk: Desk, name: str, value: str) -> None:
    refused = desk.get("/moderation/comments", **{name: value})
    assert (refused.status_code, list(refused.json["errors"])) == (422, [name])


def test_a_decision_on_a_filter_keeps_to_all_of_it(desk: Desk) -> None:
    wanted = {"decision": "spam", "filter": {"has_link": True, "rating": 8}, "count": 1}
    assert desk.call("POST", "/moderation/decisions", json=wanted).json["done"] == 1
    assert listed(desk, status="spam") == ["See https://x.example.org/ there."]
