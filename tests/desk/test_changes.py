"""At the desk: a change that waits is counted, found, shown, accepted or refused."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.sites.models import Site
from tests.authors.conftest import Author, revisions
from tests.comments.test_submitting import set_site
from tests.desk.conftest import Browser, text, tree, words
from tests.support import post

FIRST, SECOND = "What a *fine* series.", "What a <b>good</b> series."


@pytest.fixture
def ada(app: Flask, client: FlaskClient, site: Site) -> Author:
    """Somebody who wants to change a published text."""
    set_site(site, mode="post")
    answer = post(client).json
    author = Author(app, answer["author_token"])
    assert author.edit(answer["id"], body=SECOND).status_code == 200
    return author


def page_of(anna: Browser, ada: Author) -> str:
    return f"/desk/comments/{ada.one()['id']}"


def test_changes_are_counted_and_lead_to_their_comments(anna: Browser, ada: Author) -> None:
    post(ada.client, body="Another.", email="bea@mail.example.org")
    (link,) = [one for one in tree(anna.get("/desk/").text).iter("a") if text(one).startswith("Changes")]
    assert text(link) == "Changes 1"
    shown = anna.get(link.get("href", ""))
    assert [one.get("id") for one in tree(shown.text).iter("article")] == [f"c-{ada.one()['id']}"]
    assert "change ×" in words(shown)


def test_where_nothing_waits_nothing_is_counted(anna: Browser, site: Site) -> None:
    assert "Changes" not in words(anna.get("/desk/"))


def test_what_differs_is_marked_and_stays_text(anna: Browser, ada: Author) -> None:
    page = tree(anna.get(page_of(anna, ada)).text)
    (diff,) = [one for one in page.iter("p") if one.get("class") == "diff"]
    assert text(diff) == "What a *fine* <b>good</b> series."
    assert ["".join(one.itertext()) for one in diff.iter("del")] == ["*fine*"]
    assert ["".join(one.itertext()) for one in diff.iter("ins")] == ["<b>good</b>"]
    assert "By the author" in text(page)


def test_a_change_is_accepted(anna: Browser, ada: Author) -> None:
    here = page_of(anna, ada)
    answer = anna.press(anna.get(here), "Accept")
    assert (answer.status_code, answer.headers["Location"]) == (303, here)
    assert revisions() == [("published", FIRST)]
    assert ada.one()["body"] == SECOND
    assert "A change of the text waits" not in words(anna.get(here))


def test_a_change_is_refused_with_a_reason(anna: Browser, ada: Author) -> None:
    here = page_of(anna, ada)
    anna.press(anna.get(here), "Refuse", reason="It was better.")
    shown = words(anna.get(here))
    assert revisions() == [("refused", SECOND)]
    assert "The change of the text was refused by Anna. Reason: “It was better.”" in shown
    assert "Refused; asked for by the author" in shown


def test_a_change_that_was_not_seen_is_shown_instead(anna: Browser, ada: Author) -> None:
    here = page_of(anna, ada)
    page = anna.get(here)
    ada.edit(ada.one()["id"], body="Something else.")
    answer = anna.press(page, "Accept", reason="My words.")
    assert answer.status_code == 412
    assert "The author has changed the text again since you looked." in words(answer)
    assert "".join(one.text or "" for one in tree(answer.text).iter("ins")) == "Something else"
    assert "My words." in answer.text
    assert ada.one()["body"] == FIRST


def test_whoever_may_only_read_sees_the_change_without_buttons(signed_in: object, ada: Author) -> None:
    vera: Browser = signed_in("Vera", "viewer")  # type: ignore[operator]
    shown = vera.get(page_of(vera, ada))
    assert "A change of the text waits" in words(shown)
    assert not [one for one in tree(shown.text).iter("button") if text(one) == "Accept"]


def test_what_was_erased_has_no_buttons(anna: Browser, ada: Author) -> None:
    here = page_of(anna, ada)
    ada.erase()
    shown = anna.get(here)
    assert shown.status_code == 200
    assert "Erased author" in words(shown)
    assert "Erased by the author" in words(shown)
    assert not [one for one in tree(shown.text).iter("button") if text(one) in ("Approve", "Restore")]
