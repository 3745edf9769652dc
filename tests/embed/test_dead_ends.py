"""What cannot be done any more is said, with a way on: a comment to answer that is gone, a thread that is closed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
import time_machine
from flask.testing import FlaskClient

from service.comments import queries as comments
from service.comments.operations import Change, transition
from service.db import new_id, now, transaction
from service.sites import queries
from service.sites.addresses import canonical
from service.sites.models import Site
from service.sites.operations import change_page, change_site
from tests.conftest import ORIGIN
from tests.embed.browser import TYPED, by_id, landing, parse, publish, send, the_one, thread, values, visit, words
from tests.support import PAGE

GONE = "The comment you wanted to answer is not here any more. What you post now will be a comment of its own."
TOO_LATE = "Reply: The comment you answer is not on this page (any more)."


def remove(comment_id: str) -> None:
    with transaction():
        comment = comments.get_for_update(UUID(comment_id))
        assert comment is not None
        transition(comment, "deleted", Change("test", "comment.deleted"))


def test_words_for_a_comment_that_went_away_can_be_posted_on_their_own(client: FlaskClient, open_site: Site) -> None:
    parent = publish(client)
    typed = values(parse(visit(client, "/embed/blog/form", page=PAGE, reply=parent).text))
    typed |= TYPED | {"body": "Indeed."}
    remove(parent)

    refused = parse((answer := send(client, typed)).text)

    assert answer.status_code == 422
    alert = by_id(refused, "greenroom-problem")
    assert words(alert) == f"This cannot be posted as it is. {TOO_LATE}"
    assert "What you post now will be a comment of its own." in words(refused) and GONE not in words(refused)
    assert values(refused)["body"] == "Indeed." and "rating" in values(refused)
    landing(send(client, values(refused)))
    assert "Indeed." in words(thread(client))


def test_a_reply_to_what_is_still_there_stays_one(client: FlaskClient, open_site: Site) -> None:
    parent = publish(client)
    typed = TYPED | {"page": PAGE, "parent_id": parent, "email": "nobody"}

    refused = parse(send(client, typed).text)

    assert values(refused)["parent_id"] == parent
    assert "Reply to Ada" in words(refused) and "of its own" not in words(refused)


def test_a_reply_by_the_number_of_wordpress_stays_one(client: FlaskClient, open_site: Site) -> None:
    publish(client)
    with transaction():
        the_one().source, the_one().source_id = "wordpress", "12"

    refused = parse(send(client, TYPED | {"page": PAGE, "comment_parent": "12", "email": "nobody"}).text)

    assert values(refused)["parent_id"] == "12" and "Reply to Ada" in words(refused)


@pytest.mark.parametrize("door", ["/embed/blog", "/embed/blog/form"])
def test_a_link_to_answer_what_is_gone_says_so(client: FlaskClient, open_site: Site, door: str) -> None:
    publish(client)

    page = parse(visit(client, door, page=PAGE, reply=str(new_id())).text)

    assert GONE in words(page) and "parent_id" not in values(page)


def test_who_previews_an_answer_to_what_is_gone_is_told(client: FlaskClient, open_site: Site) -> None:
    publish(client)

    page = parse(send(client, TYPED | {"page": PAGE, "parent_id": str(new_id()), "preview": "1"}).text)

    assert GONE in words(page) and "parent_id" not in values(page)


def test_a_fresh_reply_offers_a_comment_of_its_own(client: FlaskClient, open_site: Site) -> None:
    parent, back = publish(client), f"{ORIGIN}/back"
    reply = parse(visit(client, "/embed/blog/form", page=PAGE, reply=parent, redirect_to=back).text)
    link = reply.find(".//p[@class='gr-cancel']/a")
    assert link is not None

    own = values(parse(visit(client, link.get("href", "")).text))

    assert (own["page"], own["redirect_to"], own.get("parent_id")) == (PAGE, back, None)


def by_hand(site: Site) -> str:
    page = queries.page_at(site, canonical(PAGE, origins=[ORIGIN]).key)
    assert page is not None
    change_page(page, actor="test", closed=True)
    return f"Comments on this page closed on {now():%-d %B %Y}."


def by_age(site: Site) -> str:
    change_site(site, {"close_after_days": 1}, actor="test")
    return ", 1 day after they opened."


@pytest.mark.parametrize("close", [by_hand, by_age])
def test_a_closed_thread_has_its_reason_in_place_of_the_form(
    client: FlaskClient, open_site: Site, close: Callable[[Site], str]
) -> None:
    publish(client)
    with transaction():
        why = close(open_site)

    with time_machine.travel(now() + timedelta(days=2), tick=False):
        answer = visit(client, "/embed/blog/form", page=PAGE)

    page = parse(answer.text)
    assert why in words(page) and page.find(".//form") is None
    link = page.find(".//p[@class='gr-note gr-closed']/a")
    assert link is not None
    assert "What a fine series." in words(parse(visit(client, link.get("href", "")).text))


def test_a_form_without_its_page_says_which_field_is_missing(client: FlaskClient, site: Site) -> None:
    alert = by_id(parse(send(client, TYPED).text), "greenroom-problem")

    assert words(alert) == "This cannot be posted as it is. Page: This field is required."
