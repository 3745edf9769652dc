"""The queue: what waits, in which order, and how to find something."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from service.db import transaction
from service.desk import ui
from service.sites.models import Site
from service.sites.operations import change_site
from tests.conftest import add_site
from tests.contracts.test_plans import asked
from tests.desk.conftest import Browser, text, tree, words

Leave = Callable[..., UUID]


def items(markup: str) -> list[str]:
    """The ids of the comments on a page, in order."""
    found = [one.get("id", "") for one in tree(markup).iter("article")]
    return [one.removeprefix("c-") for one in found]


def article(markup: str, comment_id: UUID) -> Any:
    return next(one for one in tree(markup).iter("article") if one.get("id") == f"c-{comment_id}")


def test_the_queue_shows_what_waits_the_oldest_first(anna: Browser, comment: Leave) -> None:
    first, second = comment(), comment()
    assert items(anna.get("/desk/").text) == [str(first), str(second)]


@pytest.mark.parametrize("path", ["/desk/", "/v1/moderation/comments?status=pending"])
def test_a_long_queue_asks_no_more_questions_than_a_short_one(
    anna: Browser, comment: Leave, site: Site, path: str
) -> None:
    """Replies, each on a page of its own."""

    def reply(n: int) -> None:
        with transaction():
            change_site(site, {"mode": "post"}, actor="test")
        parent = comment(page=f"/{n}")
        with transaction():
            change_site(site, {"mode": "pre"}, actor="test")
        comment(page=f"/{n}", parent_id=str(parent))

    reply(0)
    anna.get(path)
    with asked() as short:
        assert anna.get(path).status_code == 200
    for n in range(1, 6):
        reply(n)
    with asked() as long:
        assert anna.get(path).text.count("Comment number") >= 5
    assert len(long) == len(short) > 0


def test_an_item_says_all_that_a_decision_needs(anna: Browser, comment: Leave, site: Site) -> None:
    with transaction():
        change_site(site, {"rating_max": 10.0}, actor="test")
    links = "See [this](https://pills.example.net/x) and https://pills.example.net/y"
    one = comment(name="Bea", website="https://bea.example.com/me", body=links, rating=8, page_title="The Smith")
    said = text(article(anna.get("/desk/").text, one))
    for expected in (
        "Bea", "a…@mail.example.org", "network", "bea.example.com", "The Smith", "rates it 8 of 10",
        "Links to pills.example.net", "The text holds 2 links.", "just now", "Approve", "Reject", "Spam", "Delete",
    ):  # fmt: skip
        assert expected in said, (expected, said)


def test_the_address_is_masked_everywhere(anna: Browser, comment: Leave) -> None:
    one = comment(email="secret.person@mail.example.org")
    for path in ("/desk/", f"/desk/comments/{one}"):
        assert "s…@mail.example.org" in (page := anna.get(path).text)
        assert "secret.person" not in page


def test_the_text_is_shown_as_it_would_be_published(anna: Browser, comment: Leave) -> None:
    one = comment(body="So *very* good")
    assert "<em>very</em>" in anna.get("/desk/").text
    assert text(article(anna.get("/desk/").text, one)).count("So very good") == 1


def test_a_website_shows_the_host_it_really_leads_to(anna: Browser, comment: Leave) -> None:
    one = comment(website="https://аррӏе.com/")  # Cyrillic letters
    shown = article(anna.get("/desk/").text, one)
    assert "xn--80ak6aa92e.com" in text(shown)
    assert all("80ak6aa92e" not in (link.get("href") or "") for link in shown.iter("a"))


def test_a_reply_shows_what_it_answers(anna: Browser, comment: Leave) -> None:
    parent = comment(name="Bea", body="I liked the ending.")
    anna.press(anna.get("/desk/"), "Approve")
    reply = comment(body="I did not.", parent_id=str(parent))
    assert "In reply to Bea: I liked the ending." in text(article(anna.get("/desk/").text, reply))


def test_an_empty_queue_says_so_kindly(anna: Browser) -> None:
    assert "Nothing is waiting. Well done." in words(anna.get("/desk/"))


def test_a_search_without_a_match_does_not_say_that_nothing_waits(anna: Browser, comment: Leave) -> None:
    comment()
    page = words(anna.get("/desk/?q=zebra"))
    assert "Nothing matches." in page and "Well done" not in page


def test_words_find_a_comment(anna: Browser, comment: Leave) -> None:
    comment(body="About horses."), (zebra := comment(body="About zebras."))
    assert items(anna.get("/desk/?q=zebra").text) == [str(zebra)]


def test_a_reason_filters(anna: Browser, comment: Leave) -> None:
    comment(), (linked := comment(body="https://a.example https://b.example"))
    page = anna.get("/desk/?reason=links")
    assert items(page.text) == [str(linked)] and "reason: Several links" in words(page)


def test_the_riskiest_may_come_first(anna: Browser, comment: Leave) -> None:
    calm, risky = comment(), comment(body="https://a.example https://b.example")
    assert items(anna.get("/desk/?sort=risk").text) == [str(risky), str(calm)]


def test_the_newest_may_come_first(anna: Browser, comment: Leave) -> None:
    first, second = comment(), comment()
    assert items(anna.get("/desk/?sort=newest").text) == [str(second), str(first)]


def test_the_tabs_keep_the_search(anna: Browser) -> None:
    page = tree(anna.get("/desk/?q=horse&sort=newest&cursor=").text)
    tabs = [one.get("href", "") for one in page.iter("a") if "status=spam" in one.get("href", "")]
    assert tabs and all("q=horse" in one and "sort=newest" in one and "cursor" not in one for one in tabs)


def test_following_next_shows_every_comment_once(anna: Browser, comment: Leave) -> None:
    left = [str(comment()) for _ in range(5)]
    seen, there = [], "/desk/?limit=2"
    while there:
        page = anna.get(there).text
        seen += items(page)
        there = next((one.get("href", "") for one in tree(page).iter("a") if one.get("rel") == "next"), "")
    assert seen == left


def test_a_cursor_of_another_list_is_refused_kindly(anna: Browser, comment: Leave) -> None:
    [comment() for _ in range(3)]
    page = tree(anna.get("/desk/?limit=1").text)
    there = next(one.get("href", "") for one in page.iter("a") if one.get("rel") == "next")
    answer = anna.get(there.replace("limit=1", "limit=1&sort=newest"))
    assert answer.status_code == 422 and "does not belong to this list" in words(answer)


def test_a_site_may_be_chosen_when_there_are_two(signed_in: Any, comment: Leave, client: Any) -> None:
    other = add_site("news", ["https://news.example.org"])
    bert = signed_in("Bert")
    assert '<select name="site"' not in bert.get("/desk/").text
    both = signed_in("Carla", on=other.id)
    assert '<select name="site"' not in both.get("/desk/").text
    comment()
    assert items(bert.get("/desk/?site=blog").text) and not items(both.get("/desk/").text)


def test_somebody_without_a_site_is_told_whom_to_ask(signed_in: Any) -> None:
    assert "Ask the owner of a site" in words(signed_in("Dora", role=None).get("/desk/"))


def test_the_queue_counts_what_waits(anna: Browser, comment: Leave) -> None:
    comment(), comment()
    counted = next(one for one in tree(anna.get("/desk/?status=spam").text).iter("span") if one.get("id") == "waiting")
    assert text(counted) == "2"


def test_from_some_number_on_the_queue_only_says_that_more_wait(
    anna: Browser, comment: Leave, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ui, "MOST_COUNTED", 2)
    comment(), comment()
    assert anna.get("/desk/waiting").json["waiting"] == "2"  # type: ignore[index]
    comment()
    assert anna.get("/desk/waiting").json["waiting"] == "2+"  # type: ignore[index]
