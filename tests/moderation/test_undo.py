"""A decision can be taken back: its comment is as before, and nobody hears of it who has not heard yet."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.accounts.models import Moderator
from service.accounts.principal import of_moderator
from service.comments.models import UndoEntry
from service.db import db, now, transaction
from service.errors import Conflict
from service.moderation import bulk, worker
from service.moderation.models import BulkDecision
from service.moderation.operations import Verdict, undo_one
from service.sites.models import Site
from service.webhooks.outbox import release_due
from tests.authors.conftest import Author
from tests.conftest import add_site
from tests.moderation.conftest import Desk, token_of
from tests.moderation.still import clock as clock
from tests.moderation.still import entries, events, moderator, row, said
from tests.support import post, thread

UNDO_SECONDS = 10.0


@pytest.fixture(autouse=True)
def held_back(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decisions can be undone for ten seconds without anybody hearing of them."""
    slow = replace(app.extensions["greenroom_settings"], undo_seconds=UNDO_SECONDS)
    monkeypatch.setitem(app.extensions, "greenroom_settings", slow)


def undo(desk: Desk, decision_id: str) -> TestResponse:
    return desk.call("POST", f"/moderation/decisions/{decision_id}/undo")


def decide(desk: Desk, comment_id: str, decision: str, if_match: str | None = None, **more: Any) -> str:
    """The id of a decision."""
    answer = desk.decide(comment_id, decision, if_match, **more)
    assert answer.status_code == 200, answer.text
    found: str = answer.json["decision_id"]
    return found


def pulled(desk: Desk) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = desk.get("/events").json["events"]
    return [one for one in found if one["type"] not in ("comment.created", "thread.opened")]


def test_what_is_undone_at_once_nobody_hears_of(desk: Desk, client: FlaskClient, held: str, clock: Any) -> None:
    decision = decide(desk, held, "approve", reason="Fine")
    assert thread(client)["page"]["comment_count"] == 1

    answer = undo(desk, decision)

    assert answer.status_code == 200
    assert answer.json == {
        "id": decision, "state": "undone", "total": 1, "done": 1,
        "results": [{"id": held, "status": "pending", "problem": None, "by": None, "by_actor": None}],
    }  # fmt: skip
    assert thread(client)["page"]["comment_count"] == 0
    clock.shift(3_600)
    assert pulled(desk) == []
    one = row(UUID(held))
    assert (one.decided_at, one.decided_by, one.decided_name, one.reason, one.decision_id) == (None,) * 5


def test_what_is_undone_later_is_told_in_reverse(desk: Desk, held: str, clock: Any) -> None:
    decision = decide(desk, held, "approve")
    clock.shift(UNDO_SECONDS + 1)
    (approved,) = pulled(desk)

    undo(desk, decision)

    _, reverse = pulled(desk)
    assert (approved["type"], reverse["type"]) == ("comment.approved", "comment.restored")
    assert (reverse["data"]["previous_status"], reverse["data"]["undoes"]) == ("approved", approved["id"])
    assert reverse["data"]["comment"]["status"] == "pending"


def test_who_heard_of_an_edit_meanwhile_hears_that_the_decision_holds_no_more(
    desk: Desk, held: str, clock: Any
) -> None:
    decision = decide(desk, held, "approve")
    clock.shift(3)
    desk.call("PATCH", f"/moderation/comments/{held}", json={"body": "Better."}, headers={"If-Match": '"v2"'})
    clock.shift(2)

    undo(desk, decision)

    clock.shift(UNDO_SECONDS)
    told = [(one["type"], one["data"]["comment"]["status"]) for one in pulled(desk)]
    assert told == [("comment.edited", "approved"), ("comment.restored", "pending")]
    assert "undoes" not in pulled(desk)[-1]["data"]


def test_an_edit_is_told_after_the_decision_before_it(desk: Desk, held: str, clock: Any) -> None:
    decide(desk, held, "approve")
    clock.shift(3)
    desk.call("PATCH", f"/moderation/comments/{held}", json={"body": "Better."}, headers={"If-Match": '"v2"'})
    assert pulled(desk) == []

    clock.shift(UNDO_SECONDS)

    assert [one["type"] for one in pulled(desk)] == ["comment.approved", "comment.edited"]


def test_a_comment_that_its_author_withdraws_meanwhile_is_deleted_in_the_last_event(
    app: Flask, desk: Desk, client: FlaskClient, site: Site, clock: Any
) -> None:
    made = post(client).json
    decide(desk, made["id"], "approve")
    clock.shift(3)
    assert Author(app, made["author_token"]).withdraw(made["id"]).status_code == 204

    clock.shift(UNDO_SECONDS)

    assert [one["type"] for one in pulled(desk)] == ["comment.approved", "comment.deleted"]


def test_undo_leads_to_the_decision_before(desk: Desk, held: str, clock: Any) -> None:
    first = decide(desk, held, "approve", reason="Fine")
    before = desk.get(f"/moderation/comments/{held}").json
    clock.shift(60)
    second = decide(desk, held, "spam", '"v2"', reason="Not fine")

    assert undo(desk, second).json["results"][0]["status"] == "approved"

    after = desk.get(f"/moderation/comments/{held}").json
    names = ("status", "decided_at", "decided_by", "reason", "decision_id")
    assert [after[name] for name in names] == [before[name] for name in names]
    assert after["decision_id"] == first
    assert undo(desk, first).json["results"][0]["status"] == "pending"


def test_an_undo_is_written_down(desk: Desk, held: str) -> None:
    decision = decide(desk, held, "reject")

    undo(desk, decision)

    _, _, subject, details = entries("comment.undone")[0]
    assert (subject, details) == (UUID(held), {"from": "rejected", "to": "pending", "undoes": decision})


def test_an_undo_is_done_once(desk: Desk, held: str) -> None:
    decision = decide(desk, held, "approve")
    undo(desk, decision)

    again = undo(desk, decision)

    assert (again.status_code, again.json["detail"]) == (409, "This was undone already.")


def test_a_repeated_undo_with_a_key_gets_the_first_answer(desk: Desk, held: str) -> None:
    decision = decide(desk, held, "approve")
    path, key = f"/moderation/decisions/{decision}/undo", {"Idempotency-Key": "once"}
    first = desk.call("POST", path, headers=key)

    again = desk.call("POST", path, headers=key)

    assert (again.status_code, again.json) == (200, first.json)


def test_what_was_decided_again_is_not_undone(app: Flask, site: Site, desk: Desk, held: str) -> None:
    decision = decide(desk, held, "approve")
    Desk(app, token_of("bert", site.id)).decide(held, "spam", '"v2"')

    refused = undo(desk, decision)

    assert refused.status_code == 409
    assert refused.json["detail"].startswith("This was decided again since, and stays so. It was set to spam by Bert")
    assert refused.json["current"]["status"] == "spam"
    assert row(UUID(held)).status == "spam"


def test_another_moderator_of_the_site_may_undo(app: Flask, site: Site, desk: Desk, held: str) -> None:
    decision = decide(desk, held, "approve")

    assert undo(Desk(app, token_of("bert", site.id)), decision).status_code == 200


def test_who_may_not_decide_may_not_undo(app: Flask, site: Site, desk: Desk, held: str) -> None:
    decision = decide(desk, held, "approve")
    other = add_site("other", ["https://other.example.org"])

    viewer = undo(Desk(app, token_of("vera", site.id, "viewer")), decision)
    stranger = undo(Desk(app, token_of("eve", other.id, "owner")), decision)

    assert (viewer.status_code, stranger.status_code, undo(desk, str(uuid4())).status_code) == (403, 404, 404)
    assert row(UUID(held)).status == "approved"


def test_a_text_that_was_edited_since_stays(desk: Desk, held: str) -> None:
    decision = decide(desk, held, "approve")
    desk.call("PATCH", f"/moderation/comments/{held}", json={"body": "Better."}, headers={"If-Match": '"v2"'})

    undo(desk, decision)

    assert (row(UUID(held)).status, row(UUID(held)).body) == ("pending", "Better.")


def test_a_decision_on_many_is_undone_as_one(app: Flask, site: Site, desk: Desk, client: FlaskClient) -> None:
    ids = [str(said(client)) for _ in range(3)]
    items = [{"id": one} for one in ids]
    decision = desk.call("POST", "/moderation/decisions", json={"decision": "spam", "items": items}).json["id"]
    Desk(app, token_of("bert", site.id)).decide(ids[1], "approve", '"v2"')

    answer = undo(desk, decision)

    assert (answer.json["state"], answer.json["total"], answer.json["done"]) == ("undone", 3, 2)
    results = {one["id"]: one for one in answer.json["results"]}
    assert [results[one]["status"] for one in ids] == ["pending", "approved", "pending"]
    assert results[ids[1]]["problem"].startswith("This was decided again since")
    assert [row(UUID(one)).status for one in ids] == ["pending", "approved", "pending"]
    assert events("comment.spam") != [] and events("comment.restored") == []
    assert undo(desk, decision).status_code == 409


def test_undoing_very_many_is_a_job(desk: Desk, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    ids = [said(client) for _ in range(5)]
    begun = desk.call("POST", "/moderation/decisions", json={"decision": "reject", "filter": {}, "count": 5})
    while worker.decide():
        pass
    assert {row(one).status for one in ids} == {"rejected"}

    answer = undo(desk, begun.json["id"])

    assert (answer.status_code, answer.json["state"]) == (202, "undoing")
    while worker.decide():
        pass
    done = desk.get(f"/moderation/decisions/{begun.json['id']}").json
    assert (done["state"], done["total"], done["done"], done["results"]) == ("undone", 5, 5, [])
    assert {row(one).status for one in ids} == {"pending"}


def test_a_job_can_be_undone_before_it_is_done(
    desk: Desk, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    ids = [said(client) for _ in range(5)]
    begun = desk.call("POST", "/moderation/decisions", json={"decision": "reject", "filter": {}, "count": 5})
    worker.decide()

    undo(desk, begun.json["id"])
    while worker.decide():
        pass

    assert {row(one).status for one in ids} == {"pending"}


def test_a_job_of_undoing_ends_with_the_role_of_who_asked(
    site: Site, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    ids = [said(client) for _ in range(3)]
    robin, bert = (of_moderator(moderator(name, site)) for name in ("robin", "bert"))
    with transaction():
        made = bulk.decide_listed(dict.fromkeys(ids), Verdict("spam"), robin)
    while worker.decide():
        pass
    with transaction():
        bulk.undo(made.id, bert)

    with transaction():
        bulk.work_bulk(lambda actor: None, 0.0, set())

    assert {row(one).status for one in ids} == {"spam"}
    assert db.session.get_one(BulkDecision, made.id).undone_by == bert.actor


def test_after_a_month_a_decision_stays(desk: Desk, held: str, clock: Any) -> None:
    decision = decide(desk, held, "approve")
    clock.shift(timedelta(days=29))
    worker.forget()
    assert db.session.query(UndoEntry).count() == 1
    clock.shift(timedelta(days=2))

    while worker.forget():
        pass

    assert undo(desk, decision).status_code == 404
    assert row(UUID(held)).status == "approved"


def test_a_decision_has_an_id_as_long_as_it_can_be_undone(desk: Desk, held: str, clock: Any) -> None:
    decision = decide(desk, held, "approve")
    assert desk.get(f"/moderation/comments/{held}").json["decision_id"] == decision
    clock.shift(timedelta(days=31))
    while worker.forget():
        pass

    assert desk.get(f"/moderation/comments/{held}").json["decision_id"] is None
    late = of_moderator(db.session.query(Moderator).one())
    with pytest.raises(Conflict, match="This can no longer be undone."), transaction():
        undo_one(UUID(decision), UUID(held), late)


def test_an_event_that_is_being_taken_back_is_not_released(desk: Desk, held: str, clock: Any) -> None:
    decide(desk, held, "approve")
    clock.shift(UNDO_SECONDS + 1)
    (event,) = events("comment.approved")
    with transaction():
        assert release_due() > 0
    db.session.expire_all()
    assert event.seq is not None and event.not_before < now()
