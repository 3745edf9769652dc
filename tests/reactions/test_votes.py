"""Voting: one vote for each device and each network, counted in step, and nothing else is changed or told."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from service.audit.models import AuditEntry
from service.db import db, now, transaction
from service.reactions import worker
from service.reactions.models import Vote
from service.sites.models import Page, Site
from service.webhooks.models import Event
from tests.comments.test_at_once import all_at_once
from tests.comments.test_submitting import set_site
from tests.conftest import ORIGIN, add_site
from tests.moderation.conftest import Desk
from tests.support import post, thread
from tests.transfer.balance import imbalance

from .conftest import device, one, react, votes

VOTERS = 8


def rows() -> list[Vote]:
    db.session.rollback()
    return list(db.session.scalars(select(Vote).order_by(Vote.id)))


def count(table: Any) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def test_a_vote_is_counted_and_told(app: Flask, client: FlaskClient, said: str) -> None:
    answer = react(app, "vote", said)
    assert (answer.status_code, answer.json) == (200, {"votes": 1, "voted": True})
    assert votes(client) == 1
    assert client.get(f"/v1/sites/blog/comments/{said}").json["comment"]["votes"] == 1


def test_the_same_device_again_changes_nothing(app: Flask, said: str) -> None:
    react(app, "vote", said)
    for network in (0, 9):
        answer = react(app, "vote", said, network=network, up=True)
        assert (answer.status_code, answer.json) == (200, {"votes": 1, "voted": True})
    assert len(rows()) == 1


def test_another_device_of_the_network_is_told_so(app: Flask, client: FlaskClient, said: str) -> None:
    react(app, "vote", said, network=5)
    answer = react(app, "vote", said, 1, network=5)
    assert (answer.status_code, answer.json["type"]) == (409, "/problems/duplicate")
    assert answer.json["detail"] == "Somebody on this network has voted for this already."
    assert votes(client) == 1


def test_another_network_counts_too(app: Flask, client: FlaskClient, said: str) -> None:
    """Control for the one before."""
    assert [react(app, "vote", said, n).json["votes"] for n in range(3)] == [1, 2, 3]


def test_a_vote_is_taken_back_by_its_own_device_only(app: Flask, client: FlaskClient, said: str) -> None:
    react(app, "vote", said)
    answer = react(app, "vote", said, 1, network=0, up=False)
    assert (answer.status_code, answer.json) == (200, {"votes": 1, "voted": False})
    answer = react(app, "vote", said, network=7, up=False)
    assert (answer.status_code, answer.json) == (200, {"votes": 0, "voted": False})
    assert react(app, "vote", said, up=False).json == {"votes": 0, "voted": False}
    assert (votes(client), rows()) == (0, [])
    assert react(app, "vote", said, 1, network=0).status_code == 200, "the network is free again"


def test_the_best_is_on_top(app: Flask, client: FlaskClient, said: str) -> None:
    second = post(client, body="And the second?").json["id"]
    react(app, "vote", second)
    assert [one["id"] for one in thread(client, sort="top")["comments"]] == [second, said]
    assert [one["id"] for one in thread(client)["comments"]] == [said, second]


def test_a_vote_changes_no_version_and_is_nobodys_matter(app: Flask, said: str) -> None:
    before = (one().version, count(Event), count(AuditEntry))
    react(app, "vote", said)
    react(app, "vote", said, up=False)
    assert (one().version, count(Event), count(AuditEntry)) == before


def test_a_vote_makes_no_decision_stale(app: Flask, desk: Desk, said: str) -> None:
    seen = desk.get(f"/moderation/comments/{said}").headers["ETag"]
    react(app, "vote", said)
    assert desk.decide(said, "reject", seen).status_code == 200


def test_only_what_is_published_here_can_be_voted_for(app: Flask, desk: Desk, client: FlaskClient, said: str) -> None:
    add_site("other", ["https://other.example.org"])
    waiting = post(client, body="Links: https://a.example https://b.example").json["id"]
    missing = [react(app, "vote", said, site="other"), react(app, "vote", waiting), react(app, "vote", str(uuid4()))]
    for decision in ("reject", "spam", "delete"):
        desk.decide(said, decision, "*")
        missing.append(react(app, "vote", said))
    assert {(one.status_code, one.json["detail"]) for one in missing} == {
        (404, "There is no published comment by that id.")
    }
    assert rows() == []


def test_a_closed_thread_may_still_be_voted_in(app: Flask, said: str) -> None:
    with transaction():
        db.session.scalars(select(Page)).one().closed_at = now()
    assert react(app, "vote", said).status_code == 200


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"device": None}, "device", "invalid"),
        ({"device": ""}, "device", "device"),
        ({"device": "x" * 21}, "device", "device"),
        ({"device": "x" * 65}, "device", "device"),
        ({"device": "x" * 22 + "\n"}, "device", "device"),
        ({"device": "x" * 22 + "é"}, "device", "device"),
        ({"up": "true"}, "up", "boolean"),
        ({"votes": 7}, "votes", "unknown"),
    ],
)
def test_what_cannot_be_taken_is_named(app: Flask, said: str, values: dict[str, Any], field: str, code: str) -> None:
    answer = react(app, "vote", said, **values)
    assert (answer.status_code, answer.json["errors"][field][0]["code"]) == (422, code)
    assert rows() == []


@pytest.mark.parametrize(("origin", "status"), [(ORIGIN, 200), ("https://evil.example", 403), ("null", 403)])
def test_a_page_of_another_site_cannot_vote(app: Flask, said: str, origin: str, status: int) -> None:
    answer = react(app, "vote", said, headers={"Origin": origin})
    assert answer.status_code == status
    assert (len(rows()) == 1) is (status == 200)
    assert "Set-Cookie" not in answer.headers


def test_of_a_reader_only_digest_and_label_are_kept(app: Flask, client: FlaskClient, said: str) -> None:
    second = post(client, body="And the second?").json["id"]
    react(app, "vote", said)
    react(app, "vote", second)
    first, other = rows()
    assert len(first.device_digest) == 32 and first.device_digest != other.device_digest
    assert first.network_label == other.network_label and len(first.network_label or "") == 16
    assert device(0) not in repr(vars(first)) and "203.0" not in repr(vars(first))


def test_networks_are_forgotten_after_their_time(
    app: Flask, client: FlaskClient, site: Site, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    react(app, "vote", said)
    worker.forget()
    assert rows()[0].network_label
    later = now() + timedelta(days=366)
    monkeypatch.setattr("service.reactions.operations.now", lambda: later)
    set_site(site, retention_days=400)
    assert not worker.forget(), "the site keeps them for longer"
    set_site(site, retention_days=365)
    while worker.forget():
        pass
    assert (rows()[0].network_label, votes(client)) == (None, 1)
    assert react(app, "vote", said).json == {"votes": 1, "voted": True}


@pytest.mark.parametrize(("networks", "codes", "counted"), [(VOTERS, [200] * 8, 8), (1, [200] + [409] * 7, 1)])
def test_many_who_vote_at_once_are_counted_rightly(
    app: Flask, client: FlaskClient, said: str, networks: int, codes: list[int], counted: int
) -> None:
    acts = [partial(react, app, "vote", said, n, network=n % networks) for n in range(VOTERS)]
    found = all_at_once([lambda act=act: act().status_code for act in acts])
    assert (sorted(found), votes(client), len(rows())) == (codes, counted, counted)
    assert imbalance() == []


def test_one_device_many_times_at_once_is_one_vote(app: Flask, client: FlaskClient, said: str) -> None:
    found = all_at_once([lambda: react(app, "vote", said).status_code] * VOTERS)
    assert (found, votes(client)) == ([200] * VOTERS, 1)
