"""A reply that was written with a decision is undone with it; nobody hears of it who has not heard yet."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask.testing import FlaskClient

from service.accounts.principal import of_moderator
from service.db import transaction
from service.moderation.operations import undo_one
from service.sites.models import Site
from tests.moderation.conftest import Desk
from tests.moderation.still import clock as clock
from tests.moderation.still import moderator, row
from tests.moderation.test_undo import UNDO_SECONDS, undo
from tests.moderation.test_undo import held_back as held_back
from tests.support import post, thread

PATH = "/moderation/comments/{}/reply"


def replied(desk: Desk, held: str) -> tuple[str, str]:
    """The ids of a reply that published a comment, and of the decision."""
    made = desk.call("POST", PATH.format(held), json={"body": "Thanks.", "approve": True}).json
    return made["id"], made["decision_id"]


def told(desk: Desk) -> list[tuple[str, str]]:
    """What the pull feed holds, and of which comment."""
    found = desk.get("/events").json["events"]
    return [(one["type"], one["data"]["comment"]["id"]) for one in found if "comment" in one["data"]]


def test_a_reply_is_told_of_no_sooner_than_what_it_answers(desk: Desk, held: str, clock: Any) -> None:
    reply, _decision = replied(desk, held)
    assert told(desk) == [("comment.created", held)]
    clock.shift(UNDO_SECONDS + 1)
    assert told(desk)[1:] == [("comment.approved", held), ("comment.created", reply)]


def test_an_approval_that_is_undone_takes_its_reply_back(
    desk: Desk, client: FlaskClient, held: str, clock: Any
) -> None:
    reply, decision = replied(desk, held)

    answer = undo(desk, decision)

    assert (answer.status_code, [one["id"] for one in answer.json["results"]]) == (200, [held])
    assert (row(UUID(held)).status, row(UUID(reply)).status) == ("pending", "deleted")
    assert thread(client)["page"]["comment_count"] == 0 and thread(client)["comments"] == []
    clock.shift(3_600)
    assert told(desk) == [("comment.created", held)]
    assert undo(desk, decision).status_code == 409


def test_who_heard_of_the_reply_hears_that_it_is_gone(desk: Desk, held: str, clock: Any) -> None:
    reply, decision = replied(desk, held)
    clock.shift(UNDO_SECONDS + 1)
    assert len(told(desk)) == 3

    undo(desk, decision)

    assert told(desk)[3:] == [("comment.restored", held), ("comment.deleted", reply)]


def test_a_reply_that_was_decided_on_since_stays_so(desk: Desk, held: str) -> None:
    reply, decision = replied(desk, held)
    assert desk.decide(reply, "reject", '"v1"').status_code == 200

    assert undo(desk, decision).status_code == 200

    assert (row(UUID(held)).status, row(UUID(reply)).status) == ("pending", "rejected")


def test_a_reply_to_what_was_published_before_is_undone_alone(desk: Desk, client: FlaskClient, held: str) -> None:
    desk.decide(held, "approve")
    reply, decision = replied(desk, held)

    assert undo(desk, decision).json["results"][0]["id"] == reply

    assert (row(UUID(held)).status, row(UUID(reply)).status) == ("approved", "deleted")
    assert thread(client)["page"]["comment_count"] == 1


def test_of_many_a_reply_that_was_approved_with_its_parent_stays_when_the_parent_is_undone(
    desk: Desk, client: FlaskClient, site: Site, held: str
) -> None:
    """It has the same decision, but was not written with it."""
    desk.decide(held, "approve")
    child = post(client, parent_id=held, body="A child.").json["id"]
    desk.decide(held, "restore", '"v2"')
    items = [{"id": held}, {"id": child}]
    made = desk.call("POST", "/moderation/decisions", json={"decision": "approve", "items": items}).json
    assert made["done"] == 2

    bert = of_moderator(moderator("bert", site))
    with transaction():
        undo_one(UUID(made["id"]), UUID(held), bert)
    assert (row(UUID(held)).status, row(UUID(child)).status) == ("pending", "approved")
