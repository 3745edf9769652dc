"""Reasons of a rejection: the list of a site, what a decision keeps of it, and what its author is told."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.audit.models import AuditDetail, AuditEntry
from service.comments.models import Comment
from service.db import db
from service.moderation.worker import decide as work
from service.sites.models import Site
from service.sites.policy import REJECT_REASONS
from service.webhooks.models import Event
from tests.conftest import add_site
from tests.moderation.conftest import Desk, token_of
from tests.support import post

OFF_TOPIC = {
    "code": "off-topic",
    "title": "Off topic",
    "sentence": "Your comment is not about what this page is about.",
}


@pytest.fixture
def owner(app: Flask, site: Site) -> Desk:
    return Desk(app, token_of("olga", site.id, "owner"))


def row(comment_id: str) -> Comment:
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(Comment, UUID(comment_id))


def told(desk: Desk) -> list[str]:
    return [one["code"] for one in desk.get("/sites/blog/reasons").json["reasons"]]


def put(desk: Desk, *reasons: dict[str, Any], **headers: str) -> Any:
    return desk.call("PUT", "/sites/blog/reasons", json={"reasons": list(reasons)}, headers=headers)


def test_a_new_site_has_the_usual_reasons(desk: Desk) -> None:
    found = desk.get("/sites/blog/reasons").json["reasons"]
    assert [one["code"] for one in found] == list(REJECT_REASONS)
    assert found[0] == OFF_TOPIC


def test_an_owner_keeps_the_list_in_an_order(owner: Desk) -> None:
    first, second = OFF_TOPIC | {"code": "spoiler", "title": "Spoiler"}, OFF_TOPIC
    answer = put(owner, first, second)
    assert (answer.status_code, answer.json["reasons"]) == (200, [first, second])
    assert told(owner) == ["spoiler", "off-topic"]
    _, detail = (
        db.session.query(AuditEntry, AuditDetail)
        .join(AuditDetail, AuditDetail.entry_id == AuditEntry.id)
        .filter(AuditEntry.action == "reasons.changed")
        .one()
    )
    assert detail.details["after"] == [first, second] and len(detail.details["before"]) == 5
    assert put(owner, first, second).status_code == 200  # the same once more is no change
    assert db.session.query(AuditEntry).filter_by(action="reasons.changed").count() == 1
    assert put(owner).json["reasons"] == []


def test_a_list_that_changed_since_it_was_seen_is_kept(owner: Desk) -> None:
    seen = owner.get("/sites/blog/reasons").headers["ETag"]
    assert put(owner, OFF_TOPIC, **{"If-Match": seen}).status_code == 200
    stale = put(owner, **{"If-Match": seen})
    assert stale.status_code == 412 and told(owner) == ["off-topic"]


@pytest.mark.parametrize(
    ("reasons", "field"),
    [
        ([OFF_TOPIC | {"code": "Off topic"}], "reasons.0.code"),
        ([OFF_TOPIC | {"title": " "}], "reasons.0.title"),
        ([OFF_TOPIC | {"sentence": "x" * 301}], "reasons.0.sentence"),
        ([OFF_TOPIC, OFF_TOPIC], "reasons"),
        ([OFF_TOPIC] * 21, "reasons"),
    ],
)
def test_a_list_that_cannot_be_is_refused(owner: Desk, reasons: list[Any], field: str) -> None:
    refused = put(owner, *reasons)
    assert (refused.status_code, list(refused.json["errors"])) == (422, [field])
    assert told(owner) == list(REJECT_REASONS)


def test_only_owners_change_it(app: Flask, site: Site, desk: Desk) -> None:
    assert put(desk, OFF_TOPIC).status_code == 403
    other = add_site("news", ["https://news.example.org"])
    stranger = Desk(app, token_of("nora", other.id, "owner"))
    assert put(stranger, OFF_TOPIC).status_code == 404
    assert stranger.get("/sites/blog/reasons").status_code == 404
    assert told(desk) == list(REJECT_REASONS)


def test_a_rejection_for_a_reason_is_kept_and_told(desk: Desk, held: str) -> None:
    answer = desk.decide(held, "reject", reason_code="off-topic")
    assert (answer.json["reason_code"], answer.json["reason"]) == ("off-topic", OFF_TOPIC["sentence"])
    event = db.session.query(Event).filter_by(type="comment.rejected").one()
    assert (event.data["reason"], event.data["reason_code"]) == (OFF_TOPIC["sentence"], "off-topic")
    history = desk.get(f"/moderation/comments/{held}").json["history"]
    assert history[0]["details"]["reason_code"] == "off-topic"


def test_words_of_ones_own_go_before_the_sentence(desk: Desk, held: str) -> None:
    answer = desk.decide(held, "reject", reason_code="off-topic", reason="Third time.")
    assert (answer.json["reason_code"], answer.json["reason"]) == ("off-topic", "Third time.")


def test_words_without_a_reason_of_the_list_are_possible(desk: Desk, held: str) -> None:
    answer = desk.decide(held, "reject", reason="Because.")
    assert (answer.json["reason_code"], answer.json["reason"]) == (None, "Because.")
    event = db.session.query(Event).filter_by(type="comment.rejected").one()
    assert event.data["reason"] == "Because." and "reason_code" not in event.data


@pytest.mark.parametrize("decision", ["approve", "spam", "delete", "restore"])
def test_only_a_rejection_has_one(desk: Desk, held: str, decision: str) -> None:
    refused = desk.decide(held, decision, reason_code="off-topic")
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["reason_code"])


def test_a_reason_that_the_site_has_not_is_refused(owner: Desk, held: str) -> None:
    put(owner, OFF_TOPIC)
    for code in ("insult", "never-heard"):  # retired, and never there
        refused = owner.decide(held, "reject", reason_code=code)
        assert (refused.status_code, list(refused.json["errors"])) == (422, ["reason_code"])
    assert row(held).status == "pending"


def test_undo_brings_the_reason_back_too(desk: Desk, held: str) -> None:
    desk.decide(held, "reject", reason_code="insult")
    second = desk.decide(held, "reject", if_match='"v2"', reason_code="insult")
    assert second.status_code == 409
    spam = desk.decide(held, "spam", if_match='"v2"').json
    assert row(held).reason_code is None
    desk.call("POST", f"/moderation/decisions/{spam['decision_id']}/undo")
    assert (row(held).status, row(held).reason_code) == ("rejected", "insult")


def test_many_are_rejected_for_a_reason(desk: Desk, client: FlaskClient, held: str) -> None:
    ids = [held, post(client, email="b@mail.example.org", body="Another.").json["id"]]
    body = {"decision": "reject", "reason_code": "advertising", "items": [{"id": one} for one in ids]}
    assert desk.call("POST", "/moderation/decisions", json=body).json["done"] == 2
    assert {row(one).reason_code for one in ids} == {"advertising"}


def test_a_job_rejects_for_the_reason(desk: Desk, held: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.moderation.bulk.AT_ONCE", 0)
    body = {"decision": "reject", "reason_code": "advertising", "filter": {}, "count": 1}
    assert desk.call("POST", "/moderation/decisions", json=body).status_code == 202
    monkeypatch.setattr("service.moderation.bulk.AT_ONCE", 500)
    assert work()
    assert (row(held).status, row(held).reason_code) == ("rejected", "advertising")


class Written:
    """A comment, and its author as they ask for it."""

    def __init__(self, client: FlaskClient) -> None:
        answer = post(client, body="Read me.").json
        self.client, self.id, self.token = client, answer["id"], answer["author_token"]

    def told(self) -> dict[str, Any]:
        answer = self.client.get("/v1/mine", headers={"Authorization": f"Author {self.token}"})
        found: dict[str, Any] = answer.json["comments"][0]
        return found


@pytest.fixture
def written(client: FlaskClient, site: Site) -> Written:
    return Written(client)


def test_the_author_reads_the_sentence_and_no_other_words(desk: Desk, written: Written) -> None:
    assert written.told()["reason"] is None
    desk.decide(written.id, "reject", reason_code="off-topic", reason="Not again, Ada.")
    assert (written.told()["status"], written.told()["reason"]) == ("rejected", OFF_TOPIC["sentence"])
    page = written.client.post("/mine", data={"token": written.token}).text
    assert OFF_TOPIC["sentence"] in page and "Not again" not in page


def test_words_without_a_reason_of_the_list_are_not_for_the_author(desk: Desk, written: Written) -> None:
    desk.decide(written.id, "reject", reason="Not again, Ada.")
    assert written.told()["reason"] is None


def test_a_retired_sentence_is_still_read(owner: Desk, written: Written) -> None:
    owner.decide(written.id, "reject", reason_code="insult")
    put(owner, OFF_TOPIC)
    assert written.told()["reason"] == REJECT_REASONS["insult"][1]


def test_spam_is_told_no_reason(desk: Desk, written: Written) -> None:
    desk.decide(written.id, "reject", reason_code="insult")
    desk.decide(written.id, "spam", if_match='"v2"')
    assert (written.told()["status"], written.told()["reason"]) == ("pending", None)


def test_what_is_erased_keeps_no_reason(desk: Desk, written: Written) -> None:
    desk.decide(written.id, "reject", reason_code="insult")
    written.client.delete("/v1/mine?everything=true", headers={"Authorization": f"Author {written.token}"})
    assert (row(written.id).status, row(written.id).reason_code) == ("deleted", None)
