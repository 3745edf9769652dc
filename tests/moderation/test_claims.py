"""The queue shared out: what one moderator has taken, no other is handed, and nothing is decided twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.audit.models import AuditEntry
from service.comments.events import EVENT_OF
from service.comments.models import Comment
from service.comments.schemas import timestamp
from service.comments.status import DECISIONS, PENDING
from service.db import db
from service.moderation import worker
from service.moderation.claims import LEASE
from service.moderation.models import Claim
from service.sites.models import Site
from service.webhooks.models import Event
from tests.conftest import add_site
from tests.moderation.conftest import Desk, token_of
from tests.moderation.still import clock as clock
from tests.moderation.still import said
from tests.support import post


@pytest.fixture
def bert(app: Flask, site: Site) -> Desk:
    return Desk(app, token_of("bert", site.id))


def take(desk: Desk, count: int, **more: Any) -> list[str]:
    answer = desk.call("POST", "/moderation/claims", json={"count": count} | more)
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json["comments"]]


def test_two_who_take_get_different_comments(client: FlaskClient, desk: Desk, bert: Desk) -> None:
    ids = [str(said(client)) for _ in range(5)]

    assert take(desk, 2) == ids[:2]
    assert take(bert, 2) == ids[2:4]
    assert take(desk, 3) == [*ids[:2], ids[4]]
    assert take(bert, 20) == ids[2:4]


def test_everybody_sees_who_has_taken_what(client: FlaskClient, desk: Desk, bert: Desk) -> None:
    first, second = (str(said(client)) for _ in range(2))
    take(desk, 1)

    shown = {one["id"]: one["claim"] for one in bert.get("/moderation/comments").json["comments"]}

    assert (shown[first]["by"], shown[first]["mine"], shown[second]) == ("Robin", False, None)
    assert desk.get(f"/moderation/comments/{first}").json["claim"]["mine"] is True
    (holder,) = bert.get("/moderation/claims").json["claims"]
    assert (holder["by"], holder["mine"], holder["count"]) == ("Robin", False, 1)
    assert [one["id"] for one in desk.get("/moderation/comments", claimed="me").json["comments"]] == [first]
    assert [one["id"] for one in bert.get("/moderation/comments", claimed="free").json["comments"]] == [second]
    assert len(desk.get("/moderation/comments", claimed="free").json["comments"]) == 2


def test_a_claim_ends(client: FlaskClient, desk: Desk, bert: Desk, clock: Any) -> None:
    one = str(said(client))
    take(desk, 1)
    assert take(bert, 1) == []

    clock.shift(LEASE)

    assert take(bert, 1) == [one]
    assert take(desk, 1) == []


def test_a_claim_of_a_clock_that_was_put_back_does_not_count(
    client: FlaskClient, desk: Desk, bert: Desk, clock: Any
) -> None:
    one = str(said(client))
    clock.shift(timedelta(hours=5))
    take(desk, 1)
    clock.shift(-timedelta(hours=5))

    assert bert.get("/moderation/claims").json == {"claims": []}
    assert bert.get(f"/moderation/comments/{one}").json["claim"] is None
    assert take(bert, 1) == [one]
    clock.shift(timedelta(hours=5))
    take(desk, 1)
    clock.shift(-timedelta(hours=5))
    worker.forget()
    assert db.session.query(Claim).count() == 0


def test_taking_again_makes_it_last_longer(client: FlaskClient, desk: Desk, bert: Desk, clock: Any) -> None:
    said(client)
    take(desk, 1)
    clock.shift(LEASE / 2)
    take(desk, 1)

    clock.shift(LEASE / 2)

    assert take(bert, 1) == []


def test_what_is_given_back_others_may_take(client: FlaskClient, desk: Desk, bert: Desk) -> None:
    one = str(said(client))
    take(desk, 1)

    assert desk.call("DELETE", "/moderation/claims").status_code == 204

    assert take(bert, 1) == [one]


def test_a_decision_ends_a_claim_whoever_decides(client: FlaskClient, desk: Desk, bert: Desk) -> None:
    one = str(said(client))
    take(desk, 1)

    assert bert.decide(one, "approve").status_code == 200

    assert desk.get("/moderation/claims").json == {"claims": []}
    assert db.session.query(Claim).count() == 0


def test_a_decision_that_is_refused_ends_no_claim(client: FlaskClient, desk: Desk, bert: Desk) -> None:
    one = str(said(client))
    take(desk, 1)

    items = [{"id": one}, {"id": str(said(client))}]
    done = bert.call("POST", "/moderation/decisions", json={"decision": "restore", "items": items}).json

    assert done["done"] == 0 and db.session.query(Claim).count() == 1


def test_only_what_a_filter_matches_is_taken(client: FlaskClient, desk: Desk) -> None:
    said(client)
    meant = str(said(client, page="/meant"))

    assert take(desk, 5, filter={"site": "blog", "page": "/meant"}, sort="newest") == [meant]


def test_what_others_moderate_cannot_be_taken(app: Flask, client: FlaskClient, site: Site) -> None:
    said(client)
    other = add_site("other", ["https://other.example.org"])
    viewer = Desk(app, token_of("vera", site.id, "viewer"))

    assert take(Desk(app, token_of("eve", other.id)), 5) == []
    assert take(viewer, 5) == []


def test_the_worker_forgets_claims_that_ended(client: FlaskClient, desk: Desk, clock: Any) -> None:
    said(client)
    take(desk, 1)
    worker.forget()
    assert db.session.query(Claim).count() == 1
    clock.shift(LEASE * 2)

    worker.forget()

    assert db.session.query(Claim).count() == 0


def test_eight_moderators_decide_a_hundred_comments_each_once(app: Flask, client: FlaskClient, site: Site) -> None:
    """They take five at a time and decide what they took, all at once: no comment is handed out or decided twice."""
    for n in range(100):
        post(client, email=f"n{n}@mail.example.org", body=f"Words {n}.")
    secrets = [token_of(f"mod{n}", site.id) for n in range(8)]
    together = Barrier(8)

    def work(secret: str) -> list[tuple[str, int]]:
        desk, done = Desk(app, secret), []
        together.wait()
        while ids := take(desk, 5):
            done += [(one, desk.decide(one, "approve").status_code) for one in ids]
        return done

    with ThreadPoolExecutor(8) as pool:
        found = [one for part in pool.map(work, secrets) for one in part]

    assert len(found) == len({one for one, _ in found}) == 100
    assert {status for _, status in found} == {200}


def test_eight_moderators_decide_the_same_hundred_comments_once(app: Flask, client: FlaskClient, site: Site) -> None:
    """Each has an order and a decision of their own: the first one counts, and all others read whose it was."""
    ids = [post(client, email=f"n{n}@mail.example.org", body=f"Words {n}.").json["id"] for n in range(100)]
    secrets = [token_of(f"mod{n}", site.id) for n in range(8)]
    decisions = [one for one, status in DECISIONS.items() if status != PENDING]
    together = Barrier(8)

    def work(number: int) -> list[tuple[str, int, int, Any]]:
        desk, found = Desk(app, secrets[number]), []
        together.wait()
        for one in Random(number).sample(ids, len(ids)):
            while (answer := desk.decide(one, decisions[number % len(decisions)], '"v1"')).status_code == 503:
                pass
            found.append((one, number, answer.status_code, answer.json))
        return found

    with ThreadPoolExecutor(8) as pool:
        found = [one for part in pool.map(work, range(8)) for one in part]

    won = {one: number for one, number, status, _ in found if status == 200}
    lost = [(one, status, told) for one, _, status, told in found if status != 200]
    assert (len(won), len(lost)) == (100, 700)
    assert {status for _, status, _ in lost} <= {409, 412}
    db.session.rollback()
    stored = {str(one.id): one for one in db.session.query(Comment)}
    for one, _, told in lost:
        assert told["current"] == {
            "status": DECISIONS[decisions[won[one] % len(decisions)]], "version": 2, "by": f"Mod{won[one]}",
            "at": timestamp(stored[one].decided_at),
        }  # fmt: skip
    types = [EVENT_OF[DECISIONS[one]] for one in decisions]
    audited = db.session.query(AuditEntry).filter(AuditEntry.action.in_(types))
    assert {str(one.subject_id) for one in audited} == set(ids) and audited.count() == 100
    assert db.session.query(Event).filter(Event.type.in_(types)).count() == 100
