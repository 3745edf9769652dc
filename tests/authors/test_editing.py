"""An author's change: in place while the comment waits, held once it is published, and nothing of it is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from service.comments.models import Comment
from service.db import db, new_id, now, transaction
from service.sites.models import Site
from tests.authors.conftest import Author, edits, revisions
from tests.comments.test_at_once import all_at_once
from tests.comments.test_submitting import set_site
from tests.moderation.conftest import Desk, token_of
from tests.moderation.still import entries
from tests.support import FULL, post, thread

FIRST = "What a *fine* series."


def test_what_waits_is_changed_in_place(ada: Author, desk: Desk, held: str) -> None:
    answer = ada.edit(held, body="It was *good*.")
    assert (answer.status_code, answer.json["status"], answer.json["revision"]) == (200, "pending", None)
    assert answer.json == ada.one()
    assert answer.json["html"] == "<p>It was <em>good</em>.</p>\n"
    assert answer.headers["ETag"] == f'"{answer.json["version"]}"'
    assert revisions() == [("published", FIRST)]
    assert [one["id"] for one in desk.get("/moderation/comments", q="good").json["comments"]] == [held]
    (told,) = edits()
    assert (told["comment"]["text"], told["actor"].split(":")[0]) == ("It was *good*.", "author")
    assert "revision" not in told


def test_a_change_of_what_waits_publishes_nothing(ada: Author, held: str, site: Site) -> None:
    set_site(site, mode="post")
    assert ada.edit(held, body="Now?").json["status"] == "pending"
    assert thread(ada.client)["comments"] == []


@pytest.mark.parametrize(("decision", "told"), [("reject", "rejected"), ("spam", "pending")])
def test_what_was_turned_down_can_be_changed_and_stays_so(
    ada: Author, desk: Desk, held: str, decision: str, told: str
) -> None:
    desk.decide(held, decision)
    assert ada.edit(held, body="Better so?").json["status"] == told
    row = desk.get(f"/moderation/comments/{held}").json
    assert (row["status"], row["text"]) == ({"reject": "rejected"}.get(decision, decision), "Better so?")


def test_the_change_of_a_published_comment_waits_and_the_text_stays(ada: Author, desk: Desk, held: str) -> None:
    desk.decide(held, "approve")
    before = thread(ada.client)
    answer = ada.edit(held, body="Otherwise.")
    assert (answer.status_code, answer.json["status"], answer.json["body"]) == (200, "approved", FIRST)
    assert {**answer.json["revision"], "created_at": ""} == {"state": "held", "body": "Otherwise.", "created_at": ""}
    assert thread(ada.client) == before
    assert revisions() == [("held", "Otherwise.")]
    (told,) = edits()
    assert (told["revision"], told["comment"]["text"]) == ("held", FIRST)


def test_a_second_change_takes_the_place_of_the_one_that_waits(ada: Author, desk: Desk, held: str) -> None:
    desk.decide(held, "approve")
    ada.edit(held, body="Second.")
    assert ada.edit(held, body="Third.").json["revision"]["body"] == "Third."
    assert revisions() == [("held", "Third.")]


def test_going_back_to_what_is_published_takes_the_change_back(ada: Author, desk: Desk, held: str) -> None:
    desk.decide(held, "approve")
    ada.edit(held, body="Second.")
    assert ada.edit(held, body=FIRST).json["revision"] is None
    assert revisions() == []
    assert len(entries("comment.revision-dropped")) == 1


def test_a_change_that_waits_makes_no_moderators_version_stale(ada: Author, desk: Desk, held: str) -> None:
    tag = desk.decide(held, "approve").headers["ETag"]
    ada.edit(held, body="Second.")
    assert desk.decide(held, "reject", tag).status_code == 200


def test_saying_the_same_again_changes_nothing(ada: Author, desk: Desk, held: str) -> None:
    ada.edit(held, body="Better.")
    seen = ada.one()
    assert ada.edit(held, seen="old", body="Better.").json == seen
    desk.decide(held, "approve")
    ada.edit(held, body="Best.")
    seen = ada.one()
    assert ada.edit(held, seen="old", body="Best.").json == seen
    assert len(edits()) == 2


def test_a_change_of_what_was_not_seen_is_refused(ada: Author, desk: Desk, held: str) -> None:
    seen = ada.one()["version"]
    assert ada.edit(held, seen=seen, body="Here.").status_code == 200
    answer = ada.edit(held, seen=seen, body="There.")
    assert (answer.status_code, answer.json["type"]) == (412, "/problems/stale-version")
    assert answer.json["detail"] == "This comment is not as you saw it any more. Look at it, then change it again."
    assert ada.one()["body"] == "Here."
    seen = ada.one()["version"]
    desk.decide(held, "reject", "*")
    assert ada.edit(held, seen=seen, body="There.").status_code == 412


def test_what_is_deleted_cannot_be_changed(ada: Author, desk: Desk, held: str) -> None:
    desk.decide(held, "delete")
    answer = ada.edit(held, body="Still here?")
    assert (answer.status_code, answer.json["type"]) == (409, "/problems/conflict")
    assert ada.one()["body"] == FIRST


def test_a_comment_of_somebody_else_is_not_there(ada: Author) -> None:
    other = post(ada.client, body="Another.", email="bea@mail.example.org").json["id"]
    answers = [ada.edit(other, body="Mine."), ada.edit(str(new_id()), body="Mine."), ada.withdraw(other)]
    assert [(one.status_code, one.json["detail"]) for one in answers] == [(404, "You have no comment by that id.")] * 3


@pytest.mark.parametrize(
    ("values", "field"),
    [({}, "body"), ({"body": " "}, "body"), ({"body": "x" * 10_001}, "body"), ({"body": None}, "body"),
     ({"notify": "no"}, "notify"), ({"notify": True}, "notify"), ({"name": "Eve"}, "name"), ({"id": "x"}, "id")],
)  # fmt: skip
def test_what_cannot_be_taken_is_named(ada: Author, held: str, values: dict[str, object], field: str) -> None:
    answer = ada.edit(held, **values)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


def test_mail_can_be_stopped_and_no_version_grows_stale(ada: Author, desk: Desk, held: str) -> None:
    wished = ada.say(body="Tell me.", notify=True)
    row = db.session.get_one(Comment, wished_id := db.session.scalars(select(Comment.id).filter_by(notify=True)).one())
    assert (str(wished_id), row.notify_consent_at is not None) == (wished, True)
    version = row.version
    assert ada.edit(wished, notify=False).json["notify"] is False
    db.session.rollback()
    db.session.refresh(row)
    assert (row.notify, row.notify_consent_at, row.version) == (False, None, version)
    assert len(entries("comment.mail-stopped")) == 1
    ada.edit(wished, notify=False)
    assert len(entries("comment.mail-stopped")) == 1


def test_text_and_mail_are_changed_together(ada: Author, held: str) -> None:
    """And mail about another comment still comes."""
    another = ada.say(body="Of this, too.", notify=True)
    wished = ada.say(body="Tell me.", notify=True)
    answer = ada.edit(wished, body="Do not.", notify=False).json
    assert (answer["body"], answer["notify"]) == ("Do not.", False)
    assert ada.edit(wished, body="And on.", notify=True).status_code == 422
    assert ada.mine()[0]["body"] == "Do not."
    assert {one["id"]: one["notify"] for one in ada.mine()} == {held: False, another: True, wished: False}


def test_an_old_refused_change_is_told_until_the_text_is_another(ada: Author, desk: Desk, held: str) -> None:
    tag = desk.decide(held, "approve").headers["ETag"]
    ada.edit(held, body="Second.")
    with transaction():
        db.session.connection().exec_driver_sql("UPDATE comment_revisions SET state = 'refused'")
    assert ada.one()["revision"]["state"] == "refused"
    answer = desk.call("PATCH", f"/moderation/comments/{held}", json={"body": "Ours."}, headers={"If-Match": tag})
    assert answer.status_code == 200
    assert ada.one()["revision"] is None


def editing(app: Flask, ada: Author, comment_id: str, body: str, seen: str | None = None) -> Callable[[], int]:
    return lambda: Author(app, ada.token).edit(comment_id, seen, body=body).status_code


def test_two_changes_at_once_end_in_one_that_waits(app: Flask, ada: Author, desk: Desk, held: str) -> None:
    desk.decide(held, "approve")
    for round_ in range(5 if FULL else 2):
        words = [f"{round_}/{n}" for n in range(6)]
        codes = all_at_once([editing(app, ada, held, one) for one in words])
        assert codes == [200] * 6
        ((state, body),) = revisions()
        assert (state, body in words) == ("held", True)


def test_of_two_who_saw_the_same_one_is_told(app: Flask, ada: Author, held: str) -> None:
    for round_ in range(3):
        db.session.rollback()
        seen = ada.one()["version"]
        codes = all_at_once([editing(app, ada, held, f"{round_}/{n}", seen) for n in range(4)])
        assert sorted(codes) == [200, 412, 412, 412]


def test_a_change_and_a_decision_at_once_both_stand(app: Flask, site: Site, ada: Author) -> None:
    secret = token_of("kim", site.id)

    def deciding(comment_id: str) -> Callable[[], int]:
        return lambda: Desk(app, secret).decide(comment_id, "approve").status_code

    for round_ in range(4):
        one = ada.say(body=f"Round {round_}", page=f"/{round_}")
        assert all_at_once([editing(app, ada, one, "Changed."), deciding(one)]) == [200, 200]
        found = ada.mine()[0]
        assert found["status"] == "approved"
        assert "Changed." in (found["body"], (found["revision"] or {}).get("body"))


def test_the_clock_tells_when(ada: Author, held: str) -> None:
    before = now()
    assert ada.edit(held, body="Later.").json["edited_at"] >= before.isoformat()[:19]
