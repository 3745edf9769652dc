"""An author's change of a published text: found, seen with what differs, accepted or refused."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.db import new_id
from service.sites.models import Site
from tests.authors.conftest import Author, edits, revisions
from tests.authors.conftest import ada as ada
from tests.authors.conftest import held as held
from tests.authors.conftest import said as said
from tests.comments.test_at_once import all_at_once
from tests.conftest import add_site
from tests.moderation.conftest import Desk, token_of
from tests.moderation.still import entries
from tests.moderation.test_diff import put_together
from tests.support import thread

FIRST, SECOND = "What a *fine* series.", "What a *good* series."


def wish(desk: Desk, ada: Author, comment_id: str) -> str:
    """The id of a change of a published comment that waits."""
    desk.decide(comment_id, "approve", "*")
    assert ada.edit(comment_id, body=SECOND).status_code == 200
    return waiting(desk, comment_id)["id"]


def waiting(desk: Desk, comment_id: str) -> dict[str, Any]:
    found = desk.get(f"/moderation/comments/{comment_id}").json["revisions"]
    (one,) = (row for row in found if row["state"] == "held")
    return one


def settle(desk: Desk, comment_id: str, decision: str, revision: str, **headers: str) -> TestResponse:
    reason = headers.pop("reason", None)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    document = {"decision": decision, "revision": revision} | ({"reason": reason} if reason else {})
    return desk.call("POST", f"/moderation/comments/{comment_id}/revision", json=document, headers=named)


def test_a_change_that_waits_is_shown_with_what_differs(desk: Desk, ada: Author, held: str) -> None:
    wish(desk, ada, held)
    found = waiting(desk, held)
    assert found["text"] == SECOND
    assert found["diff"] == [["=", "What a *"], ["-", "fine"], ["+", "good"], ["=", "* series."]]


def test_comments_with_a_change_that_waits_are_found(desk: Desk, ada: Author, held: str) -> None:
    ada.say(body="Another.")
    assert desk.get("/moderation/comments", revision="held").json["comments"] == []
    revision = wish(desk, ada, held)
    assert [one["id"] for one in desk.get("/moderation/comments", revision="held").json["comments"]] == [held]
    assert desk.get("/moderation/comments", revision="held", status="pending").json["comments"] == []
    settle(desk, held, "refuse", revision)
    assert desk.get("/moderation/comments", revision="held").json["comments"] == []
    assert desk.get("/moderation/comments", revision="refused").status_code == 422


def test_an_accepted_change_becomes_the_text(client: FlaskClient, desk: Desk, ada: Author, held: str) -> None:
    revision = wish(desk, ada, held)
    answer = settle(desk, held, "accept", revision)
    assert (answer.status_code, answer.json["text"], answer.headers["ETag"]) == (200, SECOND, '"v3"')
    (node,) = thread(client)["comments"]
    assert node["html"] == "<p>What a <em>good</em> series.</p>\n"
    assert node["edited_at"] == answer.json["edited_at"] is not None
    assert revisions() == [("published", FIRST)]
    assert ada.one()["revision"] is None
    told = edits()[-1]
    assert (told["revision"], told["comment"]["text"], told["actor"].split(":")[0]) == ("accepted", SECOND, "token")
    ((_actor, _chain, _subject, details),) = entries("comment.edited")
    assert details["revision"] == "accepted"
    assert desk.get("/moderation/comments", q="good").json["comments"][0]["id"] == held


def test_a_refused_change_leaves_the_text(client: FlaskClient, desk: Desk, ada: Author, held: str) -> None:
    before = thread
    revision = wish(desk, ada, held)
    before = thread(client)
    answer = settle(desk, held, "refuse", revision, reason="It was better.")
    assert (answer.status_code, answer.json["text"], answer.headers["ETag"]) == (200, FIRST, '"v2"')
    assert thread(client) == before
    assert revisions() == [("refused", SECOND)]
    assert ada.one()["revision"]["state"] == "refused"
    told = edits()[-1]
    assert (told["revision"], told["reason"], told["comment"]["text"]) == ("refused", "It was better.", FIRST)
    ((_actor, _chain, _subject, details),) = entries("comment.revision-refused")
    assert details == {"revision": "refused", "reason": "It was better."}


def test_after_a_refusal_the_author_may_ask_again(desk: Desk, ada: Author, held: str) -> None:
    settle(desk, held, "refuse", wish(desk, ada, held))
    ada.edit(held, body="Third.")
    assert revisions() == [("refused", SECOND), ("held", "Third.")]
    assert ada.one()["revision"]["state"] == "held"


def test_a_change_that_was_not_seen_is_not_decided_on(desk: Desk, ada: Author, held: str) -> None:
    revision = wish(desk, ada, held)
    ada.edit(held, body="Something else.")
    for decision in ("accept", "refuse"):
        answer = settle(desk, held, decision, revision)
        assert (answer.status_code, answer.json["type"]) == (412, "/problems/stale-version")
        assert answer.json["detail"].startswith("The author has changed the text again since you looked.")
    assert revisions() == [("held", "Something else.")]


def test_what_is_settled_is_settled(desk: Desk, ada: Author, held: str) -> None:
    revision = wish(desk, ada, held)
    assert settle(desk, held, "accept", revision).status_code == 200
    answer = settle(desk, held, "refuse", revision)
    assert (answer.status_code, answer.json["type"]) == (409, "/problems/conflict")
    assert settle(desk, held, "accept", str(new_id())).status_code == 409


def test_the_text_must_be_the_one_that_was_seen(desk: Desk, ada: Author, held: str) -> None:
    revision = wish(desk, ada, held)
    path = f"/moderation/comments/{held}"
    desk.call("PATCH", path, json={"body": "Ours."}, headers={"If-Match": "*"})
    assert settle(desk, held, "accept", revision, If_Match='"v2"').status_code == 412
    assert settle(desk, held, "accept", revision, If_Match='"v3"').status_code == 200
    assert revisions() == [("published", FIRST), ("published", "Ours.")]


def test_the_same_key_settles_once(desk: Desk, ada: Author, held: str) -> None:
    revision = wish(desk, ada, held)
    answers = [settle(desk, held, "accept", revision, Idempotency_Key="k") for _ in range(2)]
    assert [one.status_code for one in answers] == [200, 200]
    assert answers[0].json == answers[1].json


def test_of_several_at_once_one_settles(app: Flask, site: Site, desk: Desk, ada: Author, held: str) -> None:
    secrets = [token_of(f"kim{n}", site.id) for n in range(3)]
    revision = wish(desk, ada, held)
    acts = [lambda secret=secret: settle(Desk(app, secret), held, "accept", revision).status_code for secret in secrets]
    assert sorted(all_at_once(acts)) == [200, 409, 409]
    assert revisions() == [("published", FIRST)]


def test_who_may_not_decide_settles_nothing(app: Flask, site: Site, desk: Desk, ada: Author, held: str) -> None:
    revision = wish(desk, ada, held)
    viewer = Desk(app, token_of("vera", site.id, role="viewer"))
    foreign = Desk(app, token_of("felix", add_site("shop", ["https://shop.example.org"]).id))
    assert settle(viewer, held, "accept", revision).status_code == 403
    assert settle(foreign, held, "accept", revision).status_code == 404
    assert revisions() == [("held", SECOND)]


def test_the_authors_view_is_not_told_why(desk: Desk, ada: Author, held: str) -> None:
    settle(desk, held, "refuse", wish(desk, ada, held), reason="Between us.")
    assert "Between us" not in ada.call("GET").text


def test_each_earlier_text_has_what_differs_from_the_next(desk: Desk, ada: Author, held: str) -> None:
    for text in ("One two.", "One two three."):
        desk.call("PATCH", f"/moderation/comments/{held}", json={"body": text}, headers={"If-Match": "*"})
    wish(desk, ada, held)
    desk.call("PATCH", f"/moderation/comments/{held}", json={"body": "One."}, headers={"If-Match": "*"})
    found = desk.get(f"/moderation/comments/{held}").json["revisions"]
    assert [(one["state"], one["text"]) for one in found] == [
        ("published", FIRST), ("published", "One two."), ("held", SECOND), ("published", "One two three."),
    ]  # fmt: skip
    assert [put_together(one["diff"], but="+") for one in found] == [FIRST, "One two.", "One.", "One two three."]
    assert [put_together(one["diff"], but="-") for one in found] == ["One two.", "One two three.", SECOND, "One."]
    assert found[1]["diff"] == [["=", "One two"], ["+", " three"], ["=", "."]]


def test_what_was_refused_is_compared_with_the_text_of_then(desk: Desk, ada: Author, held: str) -> None:
    settle(desk, held, "refuse", wish(desk, ada, held))
    desk.call("PATCH", f"/moderation/comments/{held}", json={"body": "Ours."}, headers={"If-Match": "*"})
    refused, earlier = desk.get(f"/moderation/comments/{held}").json["revisions"]
    assert (refused["state"], earlier["state"]) == ("refused", "published")
    assert refused["diff"] == [["=", "What a *"], ["-", "fine"], ["+", "good"], ["=", "* series."]]
    assert put_together(earlier["diff"], but="+") == FIRST and put_together(earlier["diff"], but="-") == "Ours."
