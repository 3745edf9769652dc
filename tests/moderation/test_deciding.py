"""Decisions: one keystroke, never doubled, never lost, and each says who, when, what."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from service.accounts.models import ApiToken
from service.audit.models import AuditEntry
from service.audit.operations import verify
from service.comments import queries
from service.comments.models import Comment
from service.comments.operations import Change, transition
from service.db import db, new_id, now, transaction
from service.errors import Conflict
from service.moderation import bulk_schemas, worker
from service.moderation.models import BulkDecision
from service.sites.models import Site
from service.webhooks.models import Event
from tests.conftest import add_site
from tests.moderation.conftest import Desk, token_of
from tests.proof.ledger import Proof
from tests.support import FULL, PAGE, post, thread


def events(type_: str | None = None) -> list[Event]:
    db.session.rollback()
    rows = select(Event).where(Event.type.startswith("comment."), Event.type != "comment.created")
    return list(db.session.scalars(rows.order_by(Event.id)))


def test_an_approved_comment_is_on_the_page(client: FlaskClient, desk: Desk, held: str) -> None:
    answer = desk.decide(held, "approve")
    assert (answer.status_code, answer.json["status"], answer.json["decided_by"]) == (200, "approved", "Robin")
    assert [node["id"] for node in thread(client)["comments"]] == [held]
    (event,) = events()
    assert (event.type, event.data["previous_status"], event.data["comment"]["id"]) == (
        "comment.approved",
        "pending",
        held,
    )


@pytest.mark.parametrize("door", ["thread", "feed.atom", "counts"])
def test_what_a_visitor_calls_the_page_waits_with_the_comment(client: FlaskClient, desk: Desk, door: str) -> None:
    held = post(client, page_title="Cheap pills").json["id"]
    path = f"/v1/sites/blog/{door}?page={PAGE}"
    assert "pills" not in client.get(path).text
    assert "pills" not in client.get(f"/embed/blog?page={PAGE}").text
    assert desk.get("/pages").json["pages"][0]["title"] == "Cheap pills"
    desk.decide(held, "approve")
    assert ("pills" in client.get(path).text) is (door != "counts")


@pytest.mark.parametrize(
    ("decision", "status"), [("approve", "approved"), ("reject", "rejected"), ("spam", "spam"), ("delete", "deleted")]
)
def test_each_decision_leads_to_its_state(desk: Desk, held: str, decision: str, status: str) -> None:
    assert desk.decide(held, decision).json["status"] == status


def test_a_second_decision_needs_the_version(desk: Desk, held: str) -> None:
    etag = desk.decide(held, "approve").headers["ETag"]
    second = desk.decide(held, "reject")
    assert second.status_code == 428
    assert "Robin" in second.json["detail"]
    assert second.json["current"]["status"] == "approved"
    assert second.json["current"]["by"] == "Robin"
    assert desk.decide(held, "reject", etag).status_code == 200


def test_one_of_several_versions_may_match(desk: Desk, held: str) -> None:
    desk.decide(held, "approve")
    assert desk.decide(held, "spam", '"v1", "v3"').status_code == 412
    assert desk.decide(held, "spam", '"v1", "v2"').status_code == 200


def test_a_stale_version_is_refused_with_who_and_what(app: Flask, site: Site, desk: Desk, held: str) -> None:
    seen = desk.get(f"/moderation/comments/{held}").headers["ETag"]
    other = Desk(app, token_of("kim", site.id))
    other.decide(held, "spam", seen)
    late = desk.decide(held, "approve", seen)
    assert late.status_code == 412
    assert late.json["current"] == {"status": "spam", "version": 2, "by": "Kim", "at": late.json["current"]["at"]}
    assert "Kim" in late.json["detail"]


def test_approving_twice_is_a_conflict(desk: Desk, held: str) -> None:
    etag = desk.decide(held, "approve").headers["ETag"]
    again = desk.decide(held, "approve", etag)
    assert again.status_code == 409
    assert len(events()) == 1


def test_restoring_what_waits_is_a_conflict(desk: Desk, held: str) -> None:
    assert desk.decide(held, "restore").status_code == 409


def test_a_restored_comment_waits_again(desk: Desk, held: str) -> None:
    etag = desk.decide(held, "spam").headers["ETag"]
    assert desk.decide(held, "restore", etag).json["status"] == "pending"
    assert events()[-1].type == "comment.restored"


def test_every_decision_is_audited(desk: Desk, held: str) -> None:
    desk.decide(held, "reject", reason="Off topic", note="again")
    db.session.rollback()
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "comment.rejected")).one()
    assert entry.actor.startswith("token:")
    assert all(one.broken is None for one in verify())


def test_votes_and_replies_make_no_version_stale(client: FlaskClient, desk: Desk, held: str) -> None:
    etag = desk.decide(held, "approve").headers["ETag"]
    reply = post(client, body="Me too", parent_id=held).json["id"]
    desk.decide(reply, "approve")
    assert desk.get(f"/moderation/comments/{held}").headers["ETag"] == etag


def test_an_edit_keeps_the_old_words(client: FlaskClient, desk: Desk, held: str) -> None:
    etag = desk.decide(held, "approve").headers["ETag"]
    path = f"/moderation/comments/{held}"
    assert desk.call("PATCH", path, json={"body": "New *words*"}).status_code == 428
    edited = desk.call("PATCH", path, json={"body": "New *words*"}, headers={"If-Match": etag})
    assert edited.status_code == 200
    assert thread(client)["comments"][0]["html"] == "<p>New <em>words</em></p>\n"
    (revision,) = desk.get(path).json["revisions"]
    assert revision["text"] == "What a *fine* series."
    assert desk.call("PATCH", path, json={"body": "x"}, headers={"If-Match": etag}).status_code == 412


def test_the_address_is_masked_and_revealing_it_is_audited(desk: Desk, held: str) -> None:
    path = f"/moderation/comments/{held}"
    assert desk.get(path).json["email"] == "a…@mail.example.org"
    assert "ada@" not in desk.get("/moderation/comments").text
    assert desk.call("POST", f"{path}/reveal").json == {"email": "ada@mail.example.org"}
    assert any(one["action"] == "comment.revealed" for one in desk.get(path).json["history"])


def test_an_address_that_no_key_opens_is_refused_with_a_sentence(desk: Desk, held: str) -> None:
    with transaction():
        db.session.execute(update(Comment).values(email_sealed=b"sealed with a key that is gone"))
    answer = desk.call("POST", f"/moderation/comments/{held}/reveal")
    assert (answer.status_code, answer.json["type"]) == (409, "/problems/no-key-fits")


def test_many_are_decided_at_once_each_with_its_outcome(client: FlaskClient, desk: Desk) -> None:
    ids = [post(client, body=f"n{n}").json["id"] for n in range(4)]
    desk.decide(ids[0], "spam")
    unknown = "0190f0f0-0000-7000-8000-000000000000"
    items = [{"id": one} for one in [*ids, unknown]]
    answer = desk.call("POST", "/moderation/decisions", json={"decision": "approve", "items": items})
    assert answer.status_code == 200
    assert answer.json["done"] == 3
    results = {one["id"]: one for one in answer.json["results"]}
    assert [results[one]["status"] for one in ids] == ["spam", "approved", "approved", "approved"]
    assert results[ids[0]]["problem"] and results[unknown]["problem"]
    assert thread(client)["page"]["comment_count"] == 3


def test_a_filter_is_decided_with_the_count_that_was_seen(client: FlaskClient, desk: Desk) -> None:
    for n in range(3):
        post(client, body=f"buy pills {n}")
    post(client, body="honest words")
    wanted = {"decision": "spam", "filter": {"q": "pills"}, "count": 2}
    assert desk.call("POST", "/moderation/decisions", json=wanted).status_code == 409
    done = desk.call("POST", "/moderation/decisions", json=wanted | {"count": 3})
    assert (done.status_code, done.json["done"]) == (200, 3)
    assert desk.get("/moderation/stats").json["pending"] == 1


def test_more_than_500_become_a_job(client: FlaskClient, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.moderation.bulk.AT_ONCE", 2)
    for n in range(5):
        post(client, body=f"n{n}")
    answer = desk.call("POST", "/moderation/decisions", json={"decision": "reject", "filter": {}, "count": 5})
    assert (answer.status_code, answer.json["state"]) == (202, "working")
    while worker.decide():
        pass
    done = desk.get(f"/moderation/decisions/{answer.json['id']}").json
    assert (done["state"], done["done"]) == ("done", 5)


def a_job(desk: Desk, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of a bulk decision that waits for the worker, on five comments."""
    monkeypatch.setattr("service.moderation.bulk.AT_ONCE", 2)
    for n in range(5):
        post(client, body=f"n{n}")
    answer = desk.call("POST", "/moderation/decisions", json={"decision": "reject", "filter": {}, "count": 5})
    found: str = answer.json["id"]
    return found


def test_a_job_decides_in_the_name_of_whoever_asked_for_it(
    client: FlaskClient, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_job(desk, client, monkeypatch)
    while worker.decide():
        pass
    decided = select(AuditEntry.actor).where(AuditEntry.action.in_(("comment.rejected", "comments.bulk")))
    actors = list(db.session.scalars(decided))
    assert len(actors) == 6 and len(set(actors)) == 1


def test_a_job_ends_with_the_token_that_asked_for_it(
    client: FlaskClient, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = a_job(desk, client, monkeypatch)
    worker.decide()
    with transaction():
        for token in db.session.scalars(select(ApiToken)):
            token.revoked_at = now()
    while worker.decide():
        pass
    db.session.rollback()
    assert db.session.get_one(BulkDecision, UUID(job)).done == 2
    statuses = list(db.session.scalars(select(Comment.status)))
    assert (statuses.count("rejected"), statuses.count("pending")) == (2, 3)


def test_a_job_holds_its_events_back_like_any_decision(
    app: Flask, client: FlaskClient, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    held_back = replace(app.extensions["greenroom_settings"], undo_seconds=60.0)
    monkeypatch.setitem(app.extensions, "greenroom_settings", held_back)
    a_job(desk, client, monkeypatch)
    while worker.decide():
        pass
    assert len(events()) == 5
    assert all(event.not_before - event.created_at > timedelta(seconds=50) for event in events())


@pytest.mark.parametrize("method_path", ["GET ", "POST /decision", "POST /reveal", "PATCH "])
def test_another_sites_comment_is_not_there(app: Flask, client: FlaskClient, held: str, method_path: str) -> None:
    other = add_site("other", ["https://other.example.org"])
    stranger = Desk(app, token_of("eve", other.id, "owner"))
    method, _, tail = method_path.partition(" ")
    document = {"/decision": {"decision": "approve"}, "": {"body": "x"}}.get(tail) if method != "GET" else None
    answer = stranger.call(method, f"/moderation/comments/{held}{tail}", json=document)
    assert answer.status_code == 404
    assert "Ada" not in answer.text
    assert thread(client)["comments"] == []


def test_lists_hold_only_ones_own_sites(app: Flask, client: FlaskClient, held: str) -> None:
    other = add_site("other", ["https://other.example.org"])
    stranger = Desk(app, token_of("eve", other.id, "owner"))
    assert stranger.get("/moderation/comments").json["comments"] == []
    assert [one["key"] for one in stranger.get("/sites").json["sites"]] == ["other"]
    assert stranger.get("/pages").json["pages"] == []
    assert stranger.get("/events").json["events"] == []
    assert stranger.get("/moderation/comments", site="blog").status_code == 404
    assert stranger.get("/audit", site="blog").status_code == 404


def test_a_viewer_looks_and_does_not_touch(app: Flask, site: Site, held: str) -> None:
    viewer = Desk(app, token_of("vera", site.id, "viewer"))
    assert len(viewer.get("/moderation/comments").json["comments"]) == 1
    assert viewer.decide(held, "approve").status_code == 403
    assert viewer.call("POST", f"/moderation/comments/{held}/reveal").status_code == 403


@pytest.mark.figure("17", quick=10, full=200)
def test_approve_against_reject_has_one_winner_each_round(
    app: Flask, client: FlaskClient, desk: Desk, proof: Proof
) -> None:
    """Exactly one 2xx and one 409 or 412 a round; one event, one audit row."""
    rounds = 200 if FULL else 10
    for n in range(rounds):
        codes = race(app, client, desk, n)
        proof.case(*([] if sorted(code // 100 for code in codes) == [2, 4] else [f"round {n}: {codes}"]))
    assert len(events()) == rounds
    decided = (
        select(func.count())
        .select_from(AuditEntry)
        .where(AuditEntry.action.in_(("comment.approved", "comment.rejected")))
    )
    assert db.session.scalar(decided) == rounds


def race(app: Flask, client: FlaskClient, desk: Desk, n: int) -> list[int]:
    comment = post(client, body=f"round {n}").json["id"]
    etag = '"v1"'
    barrier = threading.Barrier(2)

    def decide(decision: str) -> int:
        barrier.wait()
        while (code := Desk(app, desk.secret).decide(comment, decision, etag).status_code) == 503:
            pass
        return code

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(decide, ["approve", "reject"]))


@pytest.mark.control("17")
def test_the_race_finds_a_lost_update(
    app: Flask, client: FlaskClient, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: without the check of the version, both win."""
    monkeypatch.setattr("service.moderation.operations._check_seen", lambda *a, **k: None)
    won = [race(app, client, desk, n) for n in range(5)]
    assert any(sorted(code // 100 for code in pair) == [2, 2] for pair in won)


def test_what_a_filter_could_not_decide_is_told_again(desk: Desk, held: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def decide(*_args: object) -> Comment:
        raise Conflict("Not this one.")

    monkeypatch.setattr("service.moderation.bulk.decide", decide)
    asked = {"decision": "approve", "filter": {"site": "blog"}, "count": 1}
    answer = desk.call("POST", "/moderation/decisions", json=asked).json
    again = desk.get(f"/moderation/decisions/{answer['id']}").json
    assert (again["done"], again["results"]) == (0, answer["results"])
    assert again["results"][0]["problem"] == "Not this one."


def test_as_many_as_a_call_takes_fit_into_its_body(desk: Desk, held: str) -> None:
    items = [{"id": str(new_id()), "if_match": '"v1234"'} for _ in range(bulk_schemas.AT_MOST)]
    answer = desk.call("POST", "/moderation/decisions", json={"decision": "restore", "items": items})
    assert answer.status_code == 202
    answer = desk.call("POST", "/moderation/decisions", json={"decision": "restore", "items": [*items, items[0]]})
    assert answer.status_code == 422


def test_more_than_fit_at_once_become_a_job_by_id_too(app: Flask, desk: Desk, held: str) -> None:
    items = [{"id": held}, *({"id": str(new_id())} for _ in range(500))]
    answer = desk.call("POST", "/moderation/decisions", json={"decision": "approve", "items": items})
    assert (answer.status_code, answer.json["state"], answer.json["total"]) == (202, "working", 501)
    while worker.decide():
        pass
    done = desk.get(f"/moderation/decisions/{answer.json['id']}").json
    assert (done["state"], done["done"], len(done["results"])) == ("done", 1, 500)


@pytest.mark.parametrize(("actor", "who"), [("command", "a command"), ("author:1", "the author")])
def test_whoever_decided_is_named_even_when_it_was_no_moderator(desk: Desk, held: str, actor: str, who: str) -> None:
    with transaction():
        comment = queries.get_for_update(UUID(held))
        assert comment is not None
        transition(comment, "deleted", Change(actor, event=None))
    answer = desk.decide(held, "approve")
    assert f"by {who} on" in answer.json["detail"]
    assert answer.json["current"]["by"] == who


def test_a_decision_under_one_key_is_made_once(desk: Desk, held: str) -> None:
    path = f"/moderation/comments/{held}/decision"
    first = desk.call("POST", path, json={"decision": "approve"}, headers={"Idempotency-Key": "d1"})
    again = desk.call("POST", path, json={"decision": "approve"}, headers={"Idempotency-Key": "d1"})
    assert first.status_code == again.status_code == 200
    assert len(events()) == 1
    db.session.rollback()
    assert db.session.scalar(select(Comment.version)) == 2
