"""How long comments wait, who decided how much, and what was decided otherwise later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from service.comments.models import Comment
from service.db import db, new_id, now, transaction
from service.numbers import operations, queries
from service.sites.models import Site
from tests.conftest import add_site
from tests.moderation.conftest import Desk, token_of
from tests.moderation.still import said
from tests.support import post


def stats(desk: Desk, **query: Any) -> dict[str, Any]:
    answer = desk.get("/moderation/stats", **query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def aged(client: FlaskClient, minutes: int) -> str:
    """A comment that waits so long."""
    one = post(client, body=f"Since {minutes}.").json["id"]
    with transaction():
        came = update(Comment).where(Comment.body == f"Since {minutes}.")
        db.session.execute(came.values(waiting_since=now() - timedelta(minutes=minutes)))
    return str(one)


def test_sizes_are_told_by_site(client: FlaskClient, desk: Desk) -> None:
    desk.decide(str(said(client)), "spam")
    said(client)
    found = stats(desk)
    assert found["sites"] == [{"site": "blog", "pending": 1, "approved": 0, "rejected": 0, "spam": 1, "deleted": 0}]
    assert found["pending"] == 1 and found["oldest_pending_at"]


def test_ages_are_those_of_the_nearest_rank(client: FlaskClient, desk: Desk, clock: Any) -> None:
    for minutes in range(1, 21):
        aged(client, minutes)
    assert stats(desk)["age"] == {"p50": 10 * 60, "p95": 19 * 60, "oldest": 20 * 60}


def test_one_that_waits_is_every_percentile(client: FlaskClient, desk: Desk, clock: Any) -> None:
    aged(client, 7)
    assert set(stats(desk)["age"].values()) == {7 * 60}


def test_where_nothing_waits_there_is_no_age(desk: Desk) -> None:
    assert set(stats(desk)["age"].values()) == {None}


def test_decisions_stand_in_their_hour_and_day(client: FlaskClient, desk: Desk, clock: Any) -> None:
    clock.move_to(datetime(2026, 11, 20, 10, 59, 59, tzinfo=UTC))
    first, second = str(said(client)), str(said(client))
    desk.decide(first, "approve")
    clock.shift(timedelta(seconds=2))
    desk.decide(second, "reject")
    clock.shift(timedelta(days=1))
    desk.decide(str(said(client)), "spam")
    found = stats(desk)
    hours = {one["begins_at"]: one["decisions"] for one in found["hours"] if one["decisions"]}
    assert len(found["hours"]) == 24 and hours == {"2026-11-21T11:00:00.000Z": 1}
    days = {one["begins_at"]: (one["approved"], one["rejected"], one["spam"]) for one in found["days"]}
    assert len(days) == 30 and days["2026-11-20T00:00:00.000Z"] == (1, 1, 0)
    assert days["2026-11-21T00:00:00.000Z"] == (0, 0, 1)


def test_decisions_are_told_by_whoever_made_them(app: Flask, client: FlaskClient, desk: Desk, site: Site) -> None:
    bert = Desk(app, token_of("bert", site.id))
    for who in (desk, desk, bert):
        who.decide(str(said(client)), "approve")
    found = stats(desk)["moderators"]
    assert [(one["name"], one["decisions"]) for one in found] == [("test", 2), ("test", 1)]
    assert len({one["actor"] for one in found}) == 2


def test_what_authors_do_is_no_decision(client: FlaskClient, desk: Desk) -> None:
    made = post(client).json
    client.delete(f"/v1/mine?comment={made['id']}", headers={"Authorization": f"Author {made['author_token']}"})
    assert stats(desk)["decided"]["decisions"] == 0


def test_what_another_decision_changed_is_overturned(client: FlaskClient, desk: Desk) -> None:
    one = str(said(client))
    desk.decide(one, "approve")
    desk.decide(one, "spam", "*")
    desk.decide(str(said(client)), "approve")
    found = stats(desk)["decided"]
    assert (found["decisions"], found["approved"], found["spam"], found["overturned"]) == (3, 2, 1, 1)


def test_what_was_undone_is_overturned_and_undoing_is_no_decision(client: FlaskClient, desk: Desk) -> None:
    decision = desk.decide(str(said(client)), "reject").json["decision_id"]
    desk.call("POST", f"/moderation/decisions/{decision}/undo")
    found = stats(desk)["decided"]
    assert (found["decisions"], found["rejected"], found["restored"], found["overturned"]) == (1, 1, 0, 1)


def overturned(desk: Desk) -> tuple[int, int]:
    """How many decisions were changed later: of the one who approved, and of the other one."""
    found = {bool(one["approved"]): one["overturned"] for one in stats(desk)["moderators"]}
    return found[True], found[False]


def test_what_stands_again_after_an_undo_is_not_overturned(
    app: Flask, client: FlaskClient, desk: Desk, site: Site, clock: Any
) -> None:
    bert = Desk(app, token_of("bert", site.id))
    one = str(said(client))
    desk.decide(one, "approve")
    clock.shift(timedelta(minutes=1))
    wrong = bert.decide(one, "spam", "*").json["decision_id"]
    assert overturned(desk) == (1, 0)
    bert.call("POST", f"/moderation/decisions/{wrong}/undo")
    assert overturned(desk) == (0, 1)
    bert.decide(one, "reject", "*")
    assert overturned(desk) == (1, 1)


def test_of_undone_one_after_the_other_each_is_overturned(client: FlaskClient, desk: Desk) -> None:
    one = str(said(client))
    made = [desk.decide(one, decision, "*").json["decision_id"] for decision in ("approve", "spam", "reject")]
    counts = []
    for decision in reversed(made):
        desk.call("POST", f"/moderation/decisions/{decision}/undo")
        counts.append(stats(desk)["decided"]["overturned"])
    assert counts == [2, 2, 3]


def test_an_undo_of_what_was_decided_before_changes_nothing_since(client: FlaskClient, desk: Desk, clock: Any) -> None:
    one = str(said(client))
    early = desk.decide(one, "approve").json["decision_id"]
    clock.shift(timedelta(hours=3))
    desk.call("POST", f"/moderation/decisions/{early}/undo")
    desk.decide(one, "reject")
    found = stats(desk, since=(now() - timedelta(hours=1)).isoformat())["decided"]
    assert (found["decisions"], found["overturned"]) == (1, 0)


def test_reasons_tell_what_became_of_what_they_held(client: FlaskClient, desk: Desk) -> None:
    linked = post(client, body="https://a.example.org https://b.example.org").json["id"]
    desk.decide(linked, "spam")
    desk.decide(str(said(client)), "approve")
    found = {one["reason"]: (one["approved"], one["spam"]) for one in stats(desk)["reasons"]}
    assert found == {"links": (0, 1), "pre-moderation": (1, 1)}


def test_only_what_was_decided_since_counts(client: FlaskClient, desk: Desk, clock: Any) -> None:
    desk.decide(str(said(client)), "approve")
    clock.shift(timedelta(hours=3))
    desk.decide(str(said(client)), "reject")
    found = stats(desk, since=(now() - timedelta(hours=1)).isoformat())
    assert (found["decided"]["decisions"], found["decided"]["rejected"], len(found["hours"])) == (1, 1, 2)


@pytest.mark.parametrize("since", ["yesterday", "2026-11-20", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_an_odd_beginning_is_refused_by_its_name(desk: Desk, since: str) -> None:
    answer = desk.get("/moderation/stats", since=since)
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["since"])


def test_another_sites_numbers_are_not_told(app: Flask, client: FlaskClient, desk: Desk) -> None:
    other = add_site("other", ["https://other.example.org"])
    nora = Desk(app, token_of("nora", other.id))
    desk.decide(str(said(client)), "approve")
    said(client)
    assert nora.get("/moderation/stats", site="blog").status_code == 404
    found = stats(nora)
    assert (found["pending"], found["decided"]["decisions"], found["moderators"], found["reasons"]) == (0, 0, [], [])


def test_percentiles_need_no_more_rows_than_their_rank(app: Flask, site: Site) -> None:
    """The rank is a LIMIT: nothing is skipped, and nothing beyond it is read."""
    assert queries.waiting_since([site.id], 5) is None
    assert operations.numbers([new_id()]).pending == 0
