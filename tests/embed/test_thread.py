"""The thread as a page: what it shows, and where its links lead."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
import time_machine
from flask.testing import FlaskClient

from service.comments import operations, queries, threads
from service.db import now, transaction
from service.embed import section
from service.sites.addresses import canonical
from service.sites.models import Site
from service.sites.operations import change_page, change_site
from service.sites.queries import page_at
from tests.conftest import ORIGIN
from tests.embed.browser import by_id, parse, publish, thread, values, visit, words
from tests.support import PAGE


def change(comment_id: str, **values_: object) -> None:
    with transaction():
        comment = queries.get_for_update(UUID(comment_id))
        assert comment is not None
        for name, value in values_.items():
            setattr(comment, name, value)


def test_a_page_that_nobody_has_written_on_invites(client: FlaskClient, site: Site) -> None:
    page = thread(client, page="/new")

    assert "No comments yet. Be the first." in words(page)
    assert words(by_id(page, "gr-form-title")) == "Leave a Reply"


def test_the_form_says_what_is_published_and_what_is_required(client: FlaskClient, site: Site) -> None:
    page = thread(client)

    assert "Your email address will not be published. Required fields are marked *" in words(page)
    required = [one.get("name") for one in page.iter() if one.get("required") is not None]
    assert required == ["body", "name", "email"]


def test_the_form_asks_nobody_to_be_notified(client: FlaskClient, open_site: Site) -> None:
    assert "notify" not in values(thread(client))


def test_the_form_carries_the_privacy_line_of_the_site(client: FlaskClient, site: Site) -> None:
    with transaction():
        change_site(
            site, {"privacy_text": "Kept for a year.", "privacy_url": "https://blog.example.org/p"}, actor="test"
        )

    line = thread(client).find(".//p[@class='gr-hint gr-privacy']")

    assert line is not None and words(line) == "Kept for a year. Privacy"


def test_a_site_without_a_privacy_line_says_what_is_kept_and_how_long(client: FlaskClient, site: Site) -> None:
    with transaction():
        change_site(site, {"retention_days": 90}, actor="test")

    line = thread(client).find(".//p[@class='gr-hint gr-privacy']")

    assert line is not None and words(line) == (
        "What you write may be published, with your name and website. Your email address, encrypted, and a code for "
        "your network are kept for moderators only, and forgotten after 90 days."
    )


def test_people_do_not_meet_the_honeypot(client: FlaskClient, site: Site) -> None:
    page = thread(client)

    trap = by_id(page, "gr-topic")
    assert (trap.get("tabindex"), trap.get("autocomplete"), trap.get("name")) == ("-1", "off", "topic")
    assert page.find(".//p[@class='gr-topic'][@aria-hidden='true']/input") is trap


def test_replies_stand_inside_what_they_answer(client: FlaskClient, open_site: Site) -> None:
    first = publish(client)
    reply = publish(client, parent_id=first, name="Bea", body="Indeed.")

    nested = thread(client).find(".//ol[@class='gr-thread']/li/ol/li/article")

    assert nested is not None and nested.get("id") == f"comment-{reply}"


def test_a_reply_beyond_the_depth_says_whom_it_answers(client: FlaskClient, open_site: Site) -> None:
    last = None
    for n, name in enumerate(("Ada", "Bea", "Cy", "Dee", "Eve")):
        last = publish(client, name=name, body=f"Number {n}.", **({"parent_id": last} if last else {}))

    page = thread(client)

    assert "Eve in answer to Dee" in words(by_id(page, f"comment-{last}"))
    assert page.find(".//ol/li/ol/li/ol/li/ol/li") is not None
    assert page.find(".//ol/li/ol/li/ol/li/ol/li/ol") is None


def test_a_removed_comment_keeps_its_place_and_none_of_its_words(client: FlaskClient, open_site: Site) -> None:
    first = publish(client, body="Secret words.", name="Gone Person")
    publish(client, parent_id=first, name="Bea", body="Indeed.")
    with transaction():
        comment = queries.get_for_update(UUID(first))
        assert comment is not None
        operations.transition(comment, "deleted", operations.Change("moderator:x", "comment.deleted"))

    page = thread(client)

    assert words(by_id(page, f"comment-{first}")) == "This comment was removed."
    assert "Secret" not in words(page) and "Gone" not in words(page)
    assert words(by_id(page, "greenroom-title")) == "1 comment"


def test_a_website_is_linked_without_recommending_it(client: FlaskClient, open_site: Site) -> None:
    publish(client, website="https://ada.example.org/?a=1&b=2")

    link = thread(client).find(".//b[@class='gr-name']/a")

    assert link is not None
    assert (link.get("href"), link.get("rel")) == ("https://ada.example.org/?a=1&b=2", "nofollow ugc noopener")


def test_a_moderator_is_marked_and_an_edit_shows(client: FlaskClient, open_site: Site) -> None:
    comment = publish(client)
    change(comment, is_moderator=True, edited_at=now())

    text = words(by_id(thread(client), f"comment-{comment}"))

    assert "Ada Moderator" in text and "(edited)" in text


def test_times_are_for_people_and_for_machines(client: FlaskClient, open_site: Site) -> None:
    comment = publish(client)
    change(comment, created_at=now().replace(2026, 3, 4, 5, 6, 7, 0))

    time = by_id(thread(client), f"comment-{comment}").find(".//time")

    assert time is not None
    assert (time.get("datetime"), time.text) == ("2026-03-04T05:06:07.000Z", "4 March 2026, 05:06 UTC")


def test_ratings_are_summed_up_in_text(client: FlaskClient, open_site: Site) -> None:
    publish(client, rating="8")
    publish(client, rating="9", name="Bea", email="bea@mail.example.org", body="Better than that.")

    page = thread(client)

    assert "8.5 out of 10" in words(page) and "2 ratings" in words(page)
    rows = [words(row).split() for row in page.findall(".//tbody/tr")]
    assert [row for row in rows if row[-1] != "0"] == [["9", "50", "%", "1"], ["8", "50", "%", "1"]]
    assert len(rows) == 10


def test_more_comments_are_a_link_away(client: FlaskClient, open_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(section, "_ROOTS", 3)
    seen = {publish(client, body=f"Number {n}.") for n in range(4)}
    first = thread(client)
    more = first.find(".//a[@rel='next']")
    assert more is not None

    second = parse(visit(client, more.get("href", "")).text)

    shown = [one.get("id", "").removeprefix("comment-") for page in (first, second) for one in page.iter("article")]
    assert len(shown) == 4 and set(shown) == seen
    assert second.find(".//a[@rel='next']") is None


def test_more_replies_are_a_link_away(client: FlaskClient, open_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "REPLIES_EACH", 2)
    root = publish(client)
    seen = {publish(client, parent_id=root, body=f"Number {n}.") for n in range(5)}
    first = thread(client)
    more = first.find(".//p[@class='gr-more']/a")
    assert more is not None and more.text == "More replies"

    second = parse(visit(client, more.get("href", "")).text)

    shown = {one.get("id", "").removeprefix("comment-") for page in (first, second) for one in page.iter("article")}
    assert shown == seen | {root}
    assert second.find(".//p[@class='gr-more']") is None
    assert "All comments" in words(second)


def test_a_comment_of_another_page_is_not_shown_there(client: FlaskClient, open_site: Site) -> None:
    comment = publish(client)

    assert visit(client, "/embed/blog", page=PAGE, comment=comment).status_code == 200
    assert visit(client, "/embed/blog", page="/other", comment=comment).status_code == 404


def test_the_order_can_be_turned(client: FlaskClient, open_site: Site) -> None:
    ids = [publish(client, body=f"Number {n}.") for n in range(2)]
    link = thread(client).find(".//nav/a")
    assert link is not None and link.text == "Newest first"

    turned = parse(visit(client, link.get("href", "")).text)

    assert [one.get("id") for one in turned.iter("article")] == [f"comment-{one}" for one in reversed(ids)]


def test_a_thread_that_was_closed_says_since_when(client: FlaskClient, open_site: Site) -> None:
    publish(client)
    with transaction():
        page = page_at(open_site, canonical(PAGE, origins=[ORIGIN]).key)
        assert page is not None
        change_page(page, actor="test", closed=True)

    shown = thread(client)

    assert f"Comments on this page closed on {now():%-d %B %Y}." in words(shown)
    assert "Reply" not in words(shown) and shown.find(".//form") is None


def test_a_thread_that_is_old_says_so(client: FlaskClient, open_site: Site) -> None:
    publish(client)
    with transaction():
        change_site(open_site, {"close_after_days": 30}, actor="test")

    with time_machine.travel(now() + timedelta(days=31), tick=False):
        shown = thread(client)

    assert ", 30 days after they opened." in words(shown)
