"""Making, listing, changing and ending rules: by whom, about what, and on whose site."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.comments.upkeep import purge
from service.db import new_id, now, transaction
from service.sites.models import Site
from tests.conftest import add_site
from tests.moderation.conftest import Desk, token_of
from tests.moderation.still import entries
from tests.support import post

LISTS = {"domain": "spam.example", "cidr": "203.0.113.0/24", "link_host": "spam.example", "network": "0" * 16}


@pytest.fixture
def owner(app: Flask, site: Site) -> Desk:
    return Desk(app, token_of("olga", site.id, "owner"))


def add(desk: Desk, **body: Any) -> TestResponse:
    return desk.call("POST", "/rules", json={"effect": "block"} | body)


def about(desk: Desk, kind: str = "domain", value: str = "spam.example", **more: Any) -> TestResponse:
    return add(desk, **{"site": "blog", "kind": kind, "value": value} | more)


@pytest.mark.parametrize("kind", LISTS)
def test_an_owner_makes_rules_about_what_they_name(owner: Desk, kind: str) -> None:
    made = about(owner, kind, LISTS[kind], note="An old friend.", until="2090-01-31T12:00:00+02:00")
    assert made.status_code == 201, made.text
    told = made.json | {"id": "…", "created_at": "…"}
    assert told == {
        "id": "…", "site": "blog", "kind": kind, "effect": "block", "value": LISTS[kind], "comment": None,
        "note": "An old friend.", "until": "2090-01-31T10:00:00.000Z", "created_at": "…", "by": "Olga",
    }  # fmt: skip
    assert owner.get("/rules").json == {"rules": [made.json], "next": None}


@pytest.mark.parametrize("kind", LISTS)
def test_a_moderator_makes_no_lists(desk: Desk, kind: str) -> None:
    refused = about(desk, kind, LISTS[kind])
    assert (refused.status_code, desk.get("/rules").json["rules"]) == (403, [])


@pytest.mark.parametrize("kind", ["person", "network"])
def test_a_moderator_makes_rules_from_a_comment(desk: Desk, held: str, kind: str) -> None:
    made = add(desk, kind=kind, comment=held)
    label = desk.get(f"/moderation/comments/{held}").json["network"]
    assert (made.status_code, made.json["comment"]) == (201, held)
    assert made.json["value"] == (label if kind == "network" else None)
    (deed,) = entries("rule.added")
    assert (str(deed[2]), deed[3]["kind"], deed[3]["comment"]) == (made.json["id"], kind, held)
    assert deed[3]["value"] is None, "what tells somebody again would outlive them in the log"


def test_the_same_rule_again_is_a_conflict(owner: Desk, client: FlaskClient, held: str) -> None:
    assert about(owner).status_code == 201
    assert about(owner, value="SPAM.example.").status_code == 409
    assert about(owner, effect="hold").status_code == 201
    assert add(owner, kind="person", comment=held).status_code == 201
    again = post(client, body="Again, under another token.").json["id"]
    assert add(owner, kind="person", comment=again).status_code == 409


def test_a_rule_is_made_once_under_one_key(owner: Desk) -> None:
    body = {"site": "blog", "kind": "domain", "value": "spam.example", "effect": "block"}
    made = [owner.call("POST", "/rules", json=body, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert [one.status_code for one in made] == [201, 201]
    assert made[0].json == made[1].json


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "domain", "value": "spam.example"}, "value"),
        ({"kind": "domain", "site": "blog"}, "value"),
        ({"kind": "domain", "site": "blog", "value": "not a name"}, "value"),
        ({"kind": "cidr", "site": "blog", "value": "0.0.0.0/0"}, "value"),
        ({"kind": "person", "site": "blog", "value": "ada@mail.example.org"}, "value"),
        ({"kind": "domain", "comment": "{held}"}, "comment"),
        ({"kind": "network", "comment": "{held}", "site": "blog"}, "value"),
        ({"kind": "domain", "site": "blog", "value": "spam.example", "until": "2020-01-01T00:00:00Z"}, "until"),
        ({"kind": "domain", "site": "blog", "value": "spam.example", "until": "9999-12-31T23:59:59-12:00"}, "until"),
        ({"kind": "domain", "site": "blog", "value": "spam.example", "until": "2090-01-01T00:00:00"}, "until"),
        ({"kind": "domain", "site": "blog", "value": "spam.example", "effect": "praise"}, "effect"),
        ({"kind": "word", "site": "blog", "value": "spam"}, "kind"),
    ],
)
def test_what_cannot_be_a_rule_is_refused(owner: Desk, held: str, body: dict[str, str], field: str) -> None:
    refused = add(owner, **{name: value.format(held=held) for name, value in body.items()})
    assert (refused.status_code, list(refused.json["errors"])) == (422, [field])


def test_a_network_that_is_forgotten_is_no_rule(desk: Desk, held: str) -> None:
    with time_machine.travel(now() + timedelta(days=400)), transaction():
        purge()
    refused = add(desk, kind="network", comment=held)
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["comment"])


def test_an_end_is_changed_and_taken_away(owner: Desk) -> None:
    made = about(owner).json
    for until, told in (("2090-01-31T12:00:00+02:00", "2090-01-31T10:00:00.000Z"), (None, None)):
        changed = owner.call("PATCH", f"/rules/{made['id']}", json={"until": until})
        assert (changed.status_code, changed.json["until"]) == (200, told)
    assert [one[3]["until"] for one in entries("rule.changed")] == ["2090-01-31T10:00:00+00:00", None]
    assert owner.call("PATCH", f"/rules/{made['id']}", json={"until": "2020-01-01T00:00:00Z"}).status_code == 422
    assert owner.call("PATCH", f"/rules/{made['id']}", json={}).status_code == 422


def test_a_rule_is_removed(owner: Desk) -> None:
    made = about(owner).json
    assert owner.call("DELETE", f"/rules/{made['id']}").status_code == 204
    assert owner.call("DELETE", f"/rules/{made['id']}").status_code == 404
    assert owner.get("/rules").json["rules"] == []
    assert [one[3]["value"] for one in entries("rule.removed")] == ["spam.example"]


def test_who_may_not_make_a_rule_may_not_end_it(owner: Desk, desk: Desk, held: str) -> None:
    domain, person = about(owner).json["id"], add(owner, kind="person", comment=held).json["id"]
    assert desk.call("DELETE", f"/rules/{domain}").status_code == 403
    assert desk.call("PATCH", f"/rules/{domain}", json={"until": None}).status_code == 403
    assert desk.call("DELETE", f"/rules/{person}").status_code == 204


def test_a_viewer_reads_and_changes_nothing(app: Flask, site: Site, owner: Desk, held: str) -> None:
    vera, made = Desk(app, token_of("vera", site.id, "viewer")), about(owner).json
    assert vera.get("/rules").json["rules"] == [made]
    assert add(vera, kind="person", comment=held).status_code == 403
    assert vera.call("DELETE", f"/rules/{made['id']}").status_code == 403


def test_rules_of_another_site_are_not_there(app: Flask, owner: Desk, held: str) -> None:
    made = about(owner).json["id"]
    other = add_site("other", ["https://other.example.org"])
    eve = Desk(app, token_of("eve", other.id, "owner"))
    assert eve.get("/rules").json["rules"] == []
    assert eve.get("/rules", site="blog").status_code == 404
    assert about(eve).status_code == 404
    assert add(eve, kind="person", comment=held).status_code == 404
    for path in (f"/rules/{made}", f"/rules/{new_id()}"):
        answers = eve.call("DELETE", path), eve.call("PATCH", path, json={"until": None})
        assert [one.status_code for one in answers] == [404, 404]
        assert {one.json["detail"] for one in answers} == {"There is no rule by that id."}


def test_a_long_list_is_read_page_by_page(owner: Desk) -> None:
    made = [about(owner, value=f"d{n}.example").json["value"] for n in range(5)]
    found: list[str] = []
    cursor = None
    while len(found) < 5:
        page = owner.get("/rules", kind="domain", limit=2, **({"cursor": cursor} if cursor else {})).json
        found += [one["value"] for one in page["rules"]]
        cursor = page["next"]
    assert (found, cursor) == (made[::-1], None)
    assert owner.get("/rules", kind="cidr").json["rules"] == []


def test_a_rule_whose_end_has_come_is_not_there(owner: Desk) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        made = about(owner, until=(now() + timedelta(hours=1)).isoformat()).json["id"]
        clock.shift(timedelta(hours=1))
        assert owner.get("/rules").json["rules"] == []
        assert owner.call("PATCH", f"/rules/{made}", json={"until": None}).status_code == 404
