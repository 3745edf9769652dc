"""The form's door: what it takes, and where it leads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from service.comments import operations, queries
from service.comments.models import Comment
from service.db import db, new_id, transaction
from service.embed import routes
from service.idempotency.operations import Answer
from service.sites.addresses import canonical
from service.sites.models import Site
from service.sites.operations import add_alias, open_page
from tests.conftest import ORIGIN
from tests.embed.browser import TYPED, by_id, fill_in, landing, parse, send, the_one, thread, values, visit, words
from tests.support import PAGE


def test_a_form_that_is_filled_in_becomes_a_held_comment(client: FlaskClient, site: Site) -> None:
    answer = fill_in(client)

    assert landing(answer) == {
        "at": "/embed/blog", "query": {"page": [PAGE], "posted": ["held"]}, "anchor": "greenroom",
    }  # fmt: skip
    assert (the_one().name, the_one().status) == ("Ada", "pending")


def test_the_page_that_follows_says_that_the_comment_waits(client: FlaskClient, site: Site) -> None:
    answer = fill_in(client)

    page = parse(visit(client, answer.headers["Location"]).text)

    assert "Your comment waits for a moderator." in words(page)
    assert "What a fine series" not in words(page)


def test_a_published_comment_is_led_to_by_its_permalink(client: FlaskClient, open_site: Site) -> None:
    answer = fill_in(client, rating="8")

    there = landing(answer)
    assert there["query"]["posted"] == ["approved"]
    assert "What a fine series." in words(by_id(thread(client), there["anchor"]))
    assert "8 out of 10" in words(by_id(thread(client), there["anchor"]))


def test_a_redirect_to_the_site_tells_that_the_comment_is_held(client: FlaskClient, site: Site) -> None:
    answer = fill_in(client, redirect_to=f"{ORIGIN}/reviews?a=1&greenroom=held#old")

    assert answer.headers["Location"] == f"{ORIGIN}/reviews?a=1&greenroom=held#greenroom"


def test_a_redirect_to_the_site_points_at_the_published_comment(client: FlaskClient, open_site: Site) -> None:
    answer = fill_in(client, redirect_to=f"{ORIGIN}/reviews?greenroom=held")

    assert answer.headers["Location"] == f"{ORIGIN}/reviews#comment-{the_one().id}"


def test_no_redirect_leaves_the_site(
    client: FlaskClient, site: Site, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    payloads = json.loads((shared / "corpora/payloadsallthethings/open_redirect.json").read_text())
    assert len(payloads) > 250
    held = Answer(202, {"id": str(new_id()), "status": "pending"})
    monkeypatch.setattr(routes, "accept", lambda *_: held)

    places = {
        landing(send(client, TYPED | {"page": PAGE, "redirect_to": one}))["at"].partition("/")[0] for one in payloads
    }

    # A path is one of ours, and a browser goes nowhere else from there.
    assert places <= {"", "127.0.0.1:8080"}
    control = send(client, TYPED | {"page": PAGE, "redirect_to": f"{ORIGIN}/x"})
    assert landing(control)["at"] == "blog.example.org/x"


def test_wordpress_names_are_understood(client: FlaskClient, site: Site) -> None:
    form = {
        "author": "Ada", "email": "ada@mail.example.org", "url": "https://ada.example.org", "comment": "From a theme.",
        "comment_post_ID": "42", "comment_parent": "0", "submit": "Post Comment", "akismet_comment_nonce": "1",
    }  # fmt: skip

    landing(send(client, form))

    assert (the_one().name, the_one().body, the_one().parent_id) == ("Ada", "From a theme.", None)
    assert the_one().website == "https://ada.example.org"
    assert the_one().page.key == "id:wp:42"


def test_a_number_of_wordpress_finds_the_page_that_was_imported(client: FlaskClient, site: Site) -> None:
    with transaction():
        page = open_page(site, canonical(PAGE, origins=[ORIGIN]), "Imported", actor="test")
        add_alias(page, canonical("wp:42", origins=[ORIGIN]), actor="test")

    landing(send(client, {"author": "Ada", "email": "a@mail.example.org", "comment": "Hi.", "comment_post_ID": "42"}))

    assert the_one().page.title == "Imported"


def test_a_parent_may_be_named_as_wordpress_numbered_it(client: FlaskClient, open_site: Site) -> None:
    fill_in(client)
    with transaction():
        parent = queries.get_for_update(the_one().id)
        assert parent is not None
        parent.source, parent.source_id = "wordpress", "1207"
    parent_id = parent.id

    landing(send(client, TYPED | {"page": PAGE, "body": "An answer.", "comment_parent": "1207"}))

    answer = db.session.query(Comment).filter_by(body="An answer.").one()
    assert answer.parent_id == parent_id


def test_an_unknown_number_of_a_parent_is_refused(client: FlaskClient, open_site: Site) -> None:
    answer = send(client, TYPED | {"page": PAGE, "comment_parent": "9"})

    assert answer.status_code == 422


def test_a_reply_is_written_below_what_it_answers(client: FlaskClient, open_site: Site) -> None:
    fill_in(client)
    link = by_id(thread(client), f"comment-{the_one().id}").find(".//p[@class='gr-actions']/a")
    assert link is not None

    form = parse(visit(client, link.get("href", "")).text)
    landing(send(client, values(form) | TYPED | {"name": "Bea", "body": "Indeed."}))

    assert words(by_id(form, "gr-form-title")) == "Reply to Ada"
    assert "Indeed." in words(thread(client))


def test_a_preview_shows_what_would_be_published_and_stores_nothing(client: FlaskClient, open_site: Site) -> None:
    answer = fill_in(client, body="So *good*, <script>alert(1)</script>", rating="7", preview="1")

    page = parse(answer.text)
    assert answer.status_code == 200
    assert page.find(".//section[@class='gr-preview']//em") is not None
    assert page.find(".//script") is None
    assert values(page)["body"] == "So *good*, <script>alert(1)</script>"
    assert values(page)["rating"] == "7"
    assert db.session.query(Comment).count() == 0


def test_a_form_may_come_in_parts(client: FlaskClient, site: Site) -> None:
    answer = send(client, TYPED | {"page": PAGE}, content_type="multipart/form-data")

    landing(answer)


@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
def test_what_is_no_form_is_refused(client: FlaskClient, site: Site, kind: str) -> None:
    answer = send(client, b"name=Ada", content_type=kind)  # type: ignore[arg-type]

    assert answer.status_code == 415


@pytest.mark.parametrize("typed", ["8", " 8 ", "8.0", "8,0"])
def test_a_rating_is_read_as_people_type_it(client: FlaskClient, open_site: Site, typed: str) -> None:
    landing(fill_in(client, rating=typed))

    assert the_one().rating == 8.0


def test_a_page_keeps_the_title_that_the_form_brought(client: FlaskClient, open_site: Site) -> None:
    form = values(parse(visit(client, "/embed/blog", page=PAGE, page_title="The Blacksmith").text))

    landing(send(client, form | TYPED))

    assert words(thread(client).find(".//h1")) == "The Blacksmith"  # type: ignore[arg-type]


def test_a_withdrawn_parent_is_answered_by_nobody(client: FlaskClient, open_site: Site) -> None:
    fill_in(client)
    parent = the_one().id
    with transaction():
        comment = queries.get_for_update(parent)
        assert comment is not None
        operations.transition(comment, "rejected", operations.Change("moderator:x", "comment.rejected"))

    form = parse(visit(client, "/embed/blog", page=PAGE, reply=str(parent)).text)
    refused = send(client, TYPED | {"page": PAGE, "body": "Still?", "parent_id": str(parent)})

    assert words(by_id(form, "gr-form-title")) == "Leave a Reply"
    assert refused.status_code == 422
