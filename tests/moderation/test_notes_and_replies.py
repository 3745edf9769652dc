"""Notes for colleagues, replies in the name of the site, and finding a person by their address."""

from __future__ import annotations

from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient

from service.audit.operations import Deed, record
from service.db import transaction
from service.sites.models import Site
from tests.conftest import add_site
from tests.moderation.conftest import Desk, token_of
from tests.moderation.still import entries, row
from tests.support import post, thread


def test_a_note_is_kept_in_the_history_for_moderators(desk: Desk, client: FlaskClient, held: str) -> None:
    answer = desk.call("POST", f"/moderation/comments/{held}/notes", json={"note": "Ask the lawyers."})

    assert (answer.status_code, answer.json["note"]) == (201, "Ask the lawyers.")
    desk.decide(held, "approve", note="They said yes.")
    found = desk.get(f"/moderation/comments/{held}").json
    assert [one["note"] for one in found["notes"]] == ["Ask the lawyers.", "They said yes."]
    assert found["version"] == 2
    assert "lawyers" not in str(thread(client))


def test_a_note_is_seen_behind_a_hundred_reports(desk: Desk, site: Site, held: str) -> None:
    desk.call("POST", f"/moderation/comments/{held}/notes", json={"note": "Ask the lawyers."})
    with transaction():
        for _ in range(101):
            record(Deed("comment.flagged", "reader", site.id, UUID(held), {"reason": "abuse", "note": None}))

    found = desk.get(f"/moderation/comments/{held}").json

    assert {one["action"] for one in found["history"]} == {"comment.flagged"}
    assert [(one["note"], one["by"][:6]) for one in found["notes"]] == [("Ask the lawyers.", "token:")]


def test_an_empty_note_is_refused(desk: Desk, held: str) -> None:
    refused = desk.call("POST", f"/moderation/comments/{held}/notes", json={"note": " "})
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["note"])


def test_a_reply_stands_below_its_comment_in_the_name_of_the_site(desk: Desk, client: FlaskClient, held: str) -> None:
    desk.decide(held, "approve")

    answer = desk.call("POST", f"/moderation/comments/{held}/reply", json={"body": "Thank *you*."})

    assert (answer.status_code, answer.json["status"]) == (201, "approved")
    (comment,) = thread(client)["comments"]
    (reply,) = comment["replies"]
    assert (reply["author"]["name"], reply["author"]["is_moderator"]) == ("Blog", True)
    assert reply["html"] == "<p>Thank <em>you</em>.</p>\n"
    assert (answer.json["email"], row(UUID(reply["id"])).email_index) == (None, None)
    assert entries("comment.created")[-1][0].startswith("token:")


def test_all_replies_of_a_site_have_one_picture(desk: Desk, client: FlaskClient, held: str) -> None:
    desk.decide(held, "approve")
    for n in range(2):
        desk.call("POST", f"/moderation/comments/{held}/reply", json={"body": f"Thanks {n}."})

    replies = thread(client)["comments"][0]["replies"]

    assert len({one["author"]["avatar"] for one in replies}) == 1


def test_a_comment_that_waits_is_answered_when_it_is_approved_with_it(
    desk: Desk, client: FlaskClient, held: str
) -> None:
    path = f"/moderation/comments/{held}/reply"
    refused = desk.call("POST", path, json={"body": "Thanks."})
    assert (refused.status_code, refused.json["current"]["status"]) == (409, "pending")

    assert desk.call("POST", path, json={"body": "Thanks.", "approve": True}).status_code == 201

    (comment,) = thread(client)["comments"]
    assert len(comment["replies"]) == 1


def test_a_reply_publishes_no_text_but_the_one_that_was_seen(desk: Desk, client: FlaskClient, held: str) -> None:
    path, seen = f"/moderation/comments/{held}/reply", {"If-Match": '"v1"'}
    edited = desk.call("PATCH", f"/moderation/comments/{held}", json={"body": "Other words."}, headers=seen)
    assert edited.status_code == 200

    refused = desk.call("POST", path, json={"body": "Thanks.", "approve": True}, headers=seen)

    assert (refused.status_code, refused.json["current"]["version"]) == (412, 2)
    assert thread(client)["comments"] == []
    again = desk.call("POST", path, json={"body": "Thanks.", "approve": True}, headers={"If-Match": '"v2"'})
    assert (again.status_code, len(thread(client)["comments"])) == (201, 1)


def test_what_was_rejected_is_not_published_by_a_reply(desk: Desk, client: FlaskClient, held: str) -> None:
    desk.decide(held, "reject")

    refused = desk.call("POST", f"/moderation/comments/{held}/reply", json={"body": "No.", "approve": True})

    assert refused.status_code == 409
    assert thread(client)["comments"] == []


def test_a_reply_is_sent_once(desk: Desk, client: FlaskClient, held: str) -> None:
    desk.decide(held, "approve")
    for _ in range(2):
        desk.call(
            "POST", f"/moderation/comments/{held}/reply", json={"body": "Thanks."}, headers={"Idempotency-Key": "k"}
        )
    assert len(thread(client)["comments"][0]["replies"]) == 1


def test_who_may_not_moderate_may_neither_note_nor_reply(app: Flask, site: Site, held: str) -> None:
    other = add_site("other", ["https://other.example.org"])
    for name, on, role, status in (("vera", site.id, "viewer", 403), ("eve", other.id, "owner", 404)):
        desk = Desk(app, token_of(name, on, role))
        for door, body in (("notes", {"note": "x"}), ("reply", {"body": "x"})):
            assert desk.call("POST", f"/moderation/comments/{held}/{door}", json=body).status_code == status


def test_a_person_is_found_by_their_whole_address(desk: Desk, client: FlaskClient, held: str) -> None:
    second = post(client, body="More words.").json["id"]
    post(client, email="bea@mail.example.org", body="Others.")

    found = desk.call("POST", "/people/lookup", json={"site": "blog", "email": "ADA@mail.example.org"}).json

    assert found == {"person": held}
    listed = desk.get("/moderation/comments", person=found["person"]).json["comments"]
    assert {one["id"] for one in listed} == {held, second}
    assert [one[3] for one in entries("person.looked-up")] == [{}]


def test_an_address_of_nobody_finds_nobody(desk: Desk, held: str) -> None:
    found = desk.call("POST", "/people/lookup", json={"site": "blog", "email": "nobody@mail.example.org"})
    assert (found.status_code, found.json) == (200, {"person": None})


def test_a_person_of_another_site_is_not_there(app: Flask, held: str) -> None:
    other = add_site("other", ["https://other.example.org"])
    stranger = Desk(app, token_of("eve", other.id, "owner"))
    asked = stranger.call("POST", "/people/lookup", json={"site": "blog", "email": "ada@mail.example.org"})
    assert asked.status_code == 404
    assert stranger.get("/moderation/comments", person=held).status_code == 404
