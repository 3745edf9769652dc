"""Endpoints by API: who may, what is refused, what is told once, and what is written down."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.sites.models import Site
from service.webhooks.policy import MOST_ENDPOINTS
from tests.conftest import add_site
from tests.moderation.conftest import Desk, token_of
from tests.support import post

from .conftest import Owner, send_due
from .receiver import Receiver

URL = "https://receiver.example.org/hook"


def test_an_endpoint_is_made_changed_and_removed(owner: Owner) -> None:
    made = owner.listens(URL, events=["comment.approved"], note="Our wiki")
    assert made["secret"].startswith("whsec_") and made["enabled"]
    where = f"/webhooks/endpoints/{made['id']}"
    changed = owner.call("PATCH", where, json={"events": [], "note": None}).json
    assert (changed["events"], changed["note"], changed["url"]) == ([], "", URL)
    assert "secret" not in changed and "secret" not in owner.endpoint(made)
    assert [one["id"] for one in owner.get("/webhooks/endpoints", site="blog").json["endpoints"]] == [made["id"]]
    assert owner.call("DELETE", where).status_code == 204
    assert owner.get(where).status_code == 404


@pytest.mark.parametrize(
    "url",
    [
        "http://receiver.example.org/", "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/", "https://localhost/",
        "https://2130706433/", "https://169.254.169.254/latest", "https://user:secret@receiver.example.org/",
        "https://receiver.example.org:8443/", "ftp://receiver.example.org/", "receiver.example.org", "https://", "",
    ],
)  # fmt: skip
def test_an_address_that_nothing_may_be_sent_to_is_refused(owner: Owner, url: str) -> None:
    refused = owner.call("POST", "/webhooks/endpoints", json={"site": "blog", "url": url})
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["url"])
    made = owner.listens(URL)
    changed = owner.call("PATCH", f"/webhooks/endpoints/{made['id']}", json={"url": url})
    assert changed.status_code == 422 and owner.endpoint(made)["url"] == URL


def test_the_secret_is_told_once(owner: Owner) -> None:
    wanted = {"site": "blog", "url": URL}
    first, again = (
        owner.call("POST", "/webhooks/endpoints", json=wanted, headers={"Idempotency-Key": "one"}) for _ in range(2)
    )
    assert (first.status_code, again.status_code, first.json["id"]) == (201, 201, again.json["id"])
    assert first.json["secret"] and again.json["secret"] is None
    assert len(owner.get("/webhooks/endpoints").json["endpoints"]) == 1


@pytest.mark.parametrize("role", ["viewer", "moderator"])
def test_only_who_manages_the_site_sees_them(app: Flask, site: Site, owner: Owner, role: str) -> None:
    made = owner.listens(URL)
    other = Desk(app, token_of("mo", site.id, role))
    where = f"/webhooks/endpoints/{made['id']}"
    assert other.get("/webhooks/endpoints").json["endpoints"] == []
    assert {other.call(how, where, json={}).status_code for how in ("GET", "PATCH", "DELETE")} == {403}


def test_another_sites_endpoint_is_not_there(app: Flask, owner: Owner) -> None:
    made = owner.listens(URL)
    other = Desk(app, token_of("other", add_site("other", ["https://other.example.org"]).id, "owner"))
    for how, what in (("GET", ""), ("DELETE", ""), ("POST", "/test"), ("POST", "/rotate"), ("GET", "/deliveries")):
        assert other.call(how, f"/webhooks/endpoints/{made['id']}{what}").status_code == 404


def test_another_sites_delivery_is_not_there(app: Flask, owner: Owner, receiver: Receiver) -> None:
    made = owner.listens(receiver.url)
    owner.does("test", made)
    send_due()
    (sent,) = owner.deliveries(made)
    other = Desk(app, token_of("other", add_site("other", ["https://other.example.org"]).id, "owner"))
    assert other.get(f"/webhooks/deliveries/{sent['id']}").status_code == 404
    assert other.call("POST", f"/webhooks/deliveries/{sent['id']}/redeliver").status_code == 404
    assert owner.get(f"/webhooks/deliveries/{sent['id']}").json == sent


def test_what_is_done_to_one_is_written_down(owner: Owner) -> None:
    made = owner.listens(URL, include_email=True)
    owner.call("PATCH", f"/webhooks/endpoints/{made['id']}", json={"include_email": False})
    owner.does("rotate", made)
    owner.call("DELETE", f"/webhooks/endpoints/{made['id']}")
    found = owner.get("/audit", subject=made["id"]).json["entries"]
    assert [one["action"] for one in reversed(found)] == [
        "webhook.added", "webhook.changed", "webhook.rotated", "webhook.removed",
    ]  # fmt: skip
    assert found[-1]["details"]["include_email"] is True
    assert "whsec_" not in str(found) and "/hook" not in str(found)


def test_a_site_has_not_too_many(owner: Owner) -> None:
    for n in range(MOST_ENDPOINTS):
        owner.listens(f"{URL}/{n}")
    assert owner.call("POST", "/webhooks/endpoints", json={"site": "blog", "url": URL}).status_code == 409


def test_a_disabled_one_is_not_tested(client: FlaskClient, owner: Owner, receiver: Receiver) -> None:
    made = owner.listens(receiver.url)
    receiver.answers = [(410, {})]
    owner.does("test", made)
    send_due()
    assert owner.does("test", made).status_code == 409
    assert owner.does("enable", made).json["disabled_at"] is None
    assert owner.does("test", made).status_code == 202


def test_deliveries_are_paged_and_sorted_by_state(client: FlaskClient, owner: Owner, receiver: Receiver) -> None:
    made = owner.listens(receiver.url)
    receiver.answers = [(500, {}), (200, {}), (200, {})]
    for n in range(3):
        post(client, page=f"/page/{n}", body=f"Number {n}.")
    send_due()
    ids: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        found = owner.get(f"/webhooks/endpoints/{made['id']}/deliveries", **query).json
        ids += [one["id"] for one in found["deliveries"]]
        if not found["next"]:
            break
        query["cursor"] = found["next"]
    assert len(ids) == len(set(ids)) == 6 and ids == sorted(ids, reverse=True)
    assert len(owner.deliveries(made, state="pending")) == 1
    assert len(owner.deliveries(made, state="delivered")) == 5


def test_the_shapes_of_events_are_served(owner: Owner) -> None:
    found = owner.get("/events/schema")
    assert found.status_code == 200 and "comment.created" in found.text
