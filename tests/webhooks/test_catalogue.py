"""The schemas of events: every event that really happens fits, and nothing that they do not name gets into one."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, cast

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator, FormatChecker
from werkzeug.test import TestResponse

from service.comments.status import STATUSES
from service.db import db
from service.numbers import operations as numbers
from service.numbers import worker
from service.reactions.policy import REASONS
from service.sites.models import Site
from service.webhooks import catalogue
from service.webhooks.outbox import EVENT_TYPES, envelope
from tests.authors.conftest import Author
from tests.comments.test_submitting import set_site
from tests.moderation.still import clock as clock
from tests.moderation.still import events
from tests.reactions.conftest import react
from tests.support import post

from .conftest import Owner, send_due
from .receiver import Receiver

CHECK = Draft202012Validator(catalogue.schemas(), format_checker=FormatChecker())


def wrong(event: Any) -> list[str]:
    return [f"{one.json_path}: {one.message}" for one in CHECK.iter_errors(event)]


def fine(answer: TestResponse) -> Any:
    assert answer.status_code < 300, answer.text
    return answer.get_json(silent=True)


class Story:
    """All that can happen on a site, through its real doors."""

    def __init__(self, app: Flask, owner: Owner, site: Site, clock: Any) -> None:
        self.app, self.owner, self.site, self.clock = app, owner, site, clock
        self.client = app.test_client()
        values = {"rating_max": 10.0, "rating_halves": True, "target_age_minutes": 60, "hold_after_reports": 1}
        set_site(site, **values)

    def said(self, **changes: Any) -> dict[str, Any]:
        return cast("dict[str, Any]", fine(post(self.client, **changes)))

    def decide(self, comment_id: str, decision: str, **more: Any) -> str:
        return str(fine(self.owner.decide(comment_id, decision, "*", **more))["decision_id"])

    def undo(self, decision_id: str) -> None:
        fine(self.owner.call("POST", f"/moderation/decisions/{decision_id}/undo"))

    def comments_come(self) -> None:
        self.said(website="https://ada.example.org", rating=8.5, body="ж" * 9_000)
        self.said(page="an-id-of-ours", name="Bea", email="bea@mail.example.org", body="Without an address.")
        self.said(honeypot="filled", email="spam@mail.example.org", body="Spam.")
        set_site(self.site, mode="post")
        root = self.said(page="/open", email="cleo@mail.example.org", body="At once.")
        assert root["status"] == "approved"
        self.said(page="/open", email="dan@mail.example.org", body="An answer.", parent_id=root["id"])
        fine(self.owner.call("POST", f"/moderation/comments/{root['id']}/reply", json={"body": "Thanks."}))
        set_site(self.site, mode="pre")

    def decisions_are_made(self) -> None:
        one = self.said(email="eva@mail.example.org", body="To decide on.")["id"]
        self.decide(one, "approve")
        self.decide(one, "reject", reason="Not here.")
        self.decide(one, "spam")
        self.decide(one, "delete", reason="Again.")
        self.decide(one, "restore")
        decision = self.decide(one, "reject", reason_code="insult")
        told = self.owner.get("/events", types="comment.rejected").json["events"][-1]  # from now on it is heard of
        self.undo(decision)
        undone = self.owner.get("/events", types="comment.restored").json["events"][-1]
        assert undone["data"]["undoes"] == told["id"]
        assert told["data"]["reason_code"] == "insult"

    def texts_change(self) -> None:
        made = self.said(email="fay@mail.example.org", body="First words.")
        one, author = made["id"], Author(self.app, made["author_token"])
        author.edit(one, body="While it waits.")
        fine(self.owner.call("PATCH", f"/moderation/comments/{one}", json={"body": "Ours."}, headers={"If-Match": "*"}))
        self.decide(one, "approve")
        for decision, more in (("refuse", {"reason": "It was better."}), ("accept", {})):
            fine(author.edit(one, body=f"To {decision}."))
            found = self.owner.get(f"/moderation/comments/{one}").json["revisions"]
            (held,) = [row["id"] for row in found if row["state"] == "held"]
            asked = {"decision": decision, "revision": held} | more
            fine(self.owner.call("POST", f"/moderation/comments/{one}/revision", json=asked))
        self.is_reported_and_erased(one, author)

    def is_reported_and_erased(self, one: str, author: Author) -> None:
        self.clock.shift(1)  # what is reported in the moment of a decision is not about what came of it
        fine(react(self.app, "report", one, reason="off-topic", note="Not about this."))
        self.decide(one, "approve")
        self.clock.shift(1)
        fine(react(self.app, "report", one, 2, reason="other"))
        told = self.owner.get("/events", types="comment.flagged,comment.restored").json["events"]
        assert [(event["type"], event["data"]["actor"]) for event in told][-1] == ("comment.restored", "reader")
        fine(author.withdraw(author.say(body="Taken back.", page="/back")))
        fine(author.erase())

    def pages_close(self) -> None:
        made = fine(self.owner.call("POST", "/pages", json={"site": "blog", "page": "/new", "title": "New"}))
        for closed in (True, False):
            fine(self.owner.call("PATCH", f"/pages/{made['id']}", json={"closed": closed}))

    def nobody_looks(self) -> None:
        worker.look_for_floods()
        self.clock.shift(timedelta(hours=2))
        worker.look()

    def all(self) -> None:
        self.comments_come()
        self.decisions_are_made()
        self.texts_change()
        self.pages_close()
        self.nobody_looks()


@pytest.fixture
def story(app: Flask, owner: Owner, site: Site, clock: Any, monkeypatch: pytest.MonkeyPatch) -> Story:
    monkeypatch.setattr(numbers, "_OF_MANY", 5)  # comments are a flood
    return Story(app, owner, site, clock)


def pulled(owner: Owner) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while page := owner.get("/events", after=found[-1]["seq"] if found else 0, limit=100).json["events"]:
        found += page
    return found


def test_every_event_fits_in_the_feed_and_as_a_webhook(story: Story, owner: Owner, receiver: Receiver) -> None:
    gone = owner.listens(receiver.url, events=["ping"], note="The old wiki")
    owner.listens(receiver.url, include_email=True)
    receiver.answers = [(410, {})]
    owner.does("test", gone)
    send_due()
    story.all()
    while send_due():
        pass

    feed = pulled(owner)
    assert [found for one in feed if (found := wrong(one))] == []
    assert {one["type"] for one in feed} == set(EVENT_TYPES)
    sent = [one.told for one in receiver.got]
    assert [found for one in sent if (found := wrong(one))] == []
    assert {one["type"] for one in sent} == set(EVENT_TYPES)
    assert {one["data"]["comment"]["author"].get("email") for one in sent if "comment" in one["data"]} >= {
        "ada@mail.example.org", "bea@mail.example.org"
    }  # fmt: skip


def test_what_is_sent_has_the_fields_of_the_envelope_and_no_others(story: Story, owner: Owner) -> None:
    story.comments_come()
    (one, *_) = events("comment.created")
    assert list(envelope(one)) == ["type", "timestamp", "data"]
    assert wrong(envelope(one)) == []
    (told, *_) = owner.get("/events", types="comment.created").json["events"]
    assert set(told) == {"id", "seq", "type", "timestamp", "data"}
    assert "@" not in json.dumps(told)


def test_each_type_takes_what_its_events_have_and_nothing_else(story: Story, owner: Owner) -> None:
    """Every field of every object is needed or optional by name, and one more is refused wherever it stands."""
    story.all()
    by_type = {one["type"]: one for one in pulled(owner)}
    assert len(by_type) >= 12
    for type_, one in by_type.items():
        assert wrong(one) == []
        for path in objects(one):
            more = copy.deepcopy(one)
            at(more, path)["unheard"] = 1
            assert wrong(more), (type_, path, "takes more")
        for other in set(by_type) - {type_}:
            if not kin(type_, other):
                assert wrong(one | {"data": by_type[other]["data"]}), (type_, other)


def objects(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path to every object inside."""
    if isinstance(value, dict):
        yield path
        for name, inner in value.items():
            yield from objects(inner, (*path, name))


def at(value: Any, path: tuple[str, ...]) -> Any:
    return at(value[path[0]], path[1:]) if path else value


def kin(one: str, other: str) -> bool:
    """Whether the data of one type may look like that of another: both are about a comment, or about a thread."""
    return one.partition(".")[0] == other.partition(".")[0]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("type",), "comment.vanished"),
        (("timestamp",), "2026-03-01T12:00:00+00:00"),
        (("timestamp",), "1772366400"),
        (("data", "comment", "status"), "lost"),
        (("data", "comment", "author", "ip"), "203.0.113.7"),
        (("data", "comment", "html"), "<p>…</p>"),
        (("data", "comment", "parent_id"), "none"),
        (("data", "comment", "version"), 0),
        (("data", "page", "state"), "ajar"),
        (("data", "actor"), "Robin"),
        (("data", "actor"), "author:robin@example.org"),
        (("data", "reason"), "A new comment has none."),
    ],
)
def test_what_is_not_so_is_refused(client: FlaskClient, owner: Owner, path: tuple[str, ...], value: Any) -> None:
    post(client)
    (one,) = owner.get("/events", types="comment.created").json["events"]
    assert wrong(one) == []
    at(one, path[:-1])[path[-1]] = value
    assert wrong(one)


@pytest.mark.parametrize("path", [("type",), ("timestamp",), ("data",), ("data", "page"), ("data", "comment", "text")])
def test_what_is_missing_is_seen(client: FlaskClient, owner: Owner, path: tuple[str, ...]) -> None:
    post(client)
    (one,) = owner.get("/events", types="comment.created").json["events"]
    del at(one, path[:-1])[path[-1]]
    assert wrong(one)


def test_an_event_says_nothing_of_whoever_reported_it(story: Story, owner: Owner) -> None:
    story.texts_change()
    told = owner.get("/events", types="comment.flagged").text
    db.session.rollback()
    assert "device-number" not in told and "203.0" not in told


def test_the_schema_is_one_and_knows_every_type() -> None:
    Draft202012Validator.check_schema(catalogue.schemas())
    assert set(catalogue.TYPES) == set(EVENT_TYPES)
    parts = set(catalogue.schemas()["$defs"])
    assert parts - set(catalogue.TYPES) == {"comment", "author", "page", "actor"}


def test_its_words_are_those_of_the_rooms_above() -> None:
    """Webhooks stand below comments and reactions, and cannot ask them."""
    defined = catalogue.schemas()["$defs"]
    assert defined["comment"]["properties"]["status"]["enum"] == list(STATUSES)
    assert defined["comment.flagged"]["properties"]["reason"]["enum"] == list(REASONS)


def test_every_object_of_the_schema_is_closed() -> None:
    found = [one for one in parts_of(catalogue.schemas()) if one.get("type") == "object" and "properties" in one]
    assert len(found) >= 20
    assert [one for one in found if one.get("additionalProperties") is not False] == []


def parts_of(value: Any) -> Iterator[dict[str, Any]]:
    """Every object inside a schema."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from parts_of(inner)
