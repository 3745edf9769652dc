"""What moderators learn of whoever wrote a comment, and where their other comments are."""

from __future__ import annotations

from datetime import timedelta

import time_machine
from flask import Flask
from flask.testing import FlaskClient

from service.comments.upkeep import purge
from service.db import new_id, now, transaction
from service.sites.models import Site
from tests.conftest import add_site
from tests.moderation.conftest import Desk, token_of
from tests.rules.conftest import Make, say
from tests.rules.conftest import make as make
from tests.support import post


def test_a_person_is_known_by_all_their_comments(client: FlaskClient, desk: Desk, held: str) -> None:
    second = post(client, name="A. Lovelace", body="More words.").json["id"]
    post(client, name="Bea", email="bea@mail.example.org", body="Others.")
    desk.decide(second, "approve")

    found = desk.get(f"/people/{held}").json

    first, last = (desk.get(f"/moderation/comments/{one}").json for one in (held, second))
    assert found == {
        "id": held, "site": "blog", "names": ["A. Lovelace", "Ada"], "email": "a…@mail.example.org",
        "networks": [first["network"]], "first_seen": first["created_at"], "last_seen": last["created_at"],
        "counts": {"pending": 1, "approved": 1, "rejected": 0, "spam": 0, "deleted": 0}, "rules": [],
    }  # fmt: skip
    assert desk.get(f"/people/{second}").json == found | {"id": second}


def test_the_rules_about_a_person_are_those_that_could_touch_them(
    client: FlaskClient, desk: Desk, held: str, make: Make
) -> None:
    made = [desk.call("POST", "/rules", json={"kind": one, "effect": "hold", "comment": held}).json["id"]
            for one in ("person", "network")]  # fmt: skip
    made.append(str(make("domain", "example.org").id))
    for other in ("link_host", "domain"):
        make(other, "mail.example.org" if other == "link_host" else "other.example")
    assert [one["id"] for one in desk.get(f"/people/{held}").json["rules"]] == made


def test_without_an_address_a_person_is_their_token(client: FlaskClient, desk: Desk, site: Site) -> None:
    first = say(client).json
    say(client, token=first["author_token"])
    with time_machine.travel(now() + timedelta(days=400)), transaction():
        purge()
    found = desk.get(f"/people/{first['id']}").json
    assert (found["email"], found["networks"], found["counts"]["pending"]) == (None, [], 2)


def test_comments_are_found_by_their_network(client: FlaskClient, desk: Desk, held: str) -> None:
    other = say(client, "198.51.100.1").json["id"]
    label = desk.get(f"/moderation/comments/{other}").json["network"]
    assert [one["id"] for one in desk.get("/moderation/comments", network=label).json["comments"]] == [other]


def test_a_person_of_another_site_is_not_there(app: Flask, held: str) -> None:
    other = add_site("other", ["https://other.example.org"])
    eve = Desk(app, token_of("eve", other.id, "owner"))
    assert eve.get(f"/people/{held}").status_code == 404
    assert eve.get(f"/people/{new_id()}").json["detail"] == eve.get(f"/people/{held}").json["detail"]


def test_a_viewer_learns_of_a_person(app: Flask, site: Site, held: str) -> None:
    assert Desk(app, token_of("vera", site.id, "viewer")).get(f"/people/{held}").status_code == 200
