"""Where the pages of another host come to lie on the site."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from service.errors import Invalid
from service.transfer.foreign import ForeignPage
from service.transfer.placing import Places
from tests.support import post, thread

from .conftest import Bring, pages, stored
from .exports import comment, item

ORIGINS = ("https://new.example.org", "https://www.example.org")


def page(url: str | None, source_id: str | None = "7") -> ForeignPage:
    return ForeignPage(
        source_id=source_id, url=url, title="", kind="post", created_at=None, closed=False, published=True
    )  # fmt: skip


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://old.example/2011/a-post/", "https://new.example.org/2011/a-post/"),
        ("https://old.example", "https://new.example.org/"),
        ("http://old.example/?p=12", "https://new.example.org/?p=12"),
        ("http://old.example?p=12", "https://new.example.org/?p=12"),
        ("http://old.example//evil.example/x", "https://new.example.org/evil.example/x"),
        ("http://old.example/../../x?utm_source=feed", "https://new.example.org/x"),
        ("http://www.example.org/kept/", "https://www.example.org/kept/"),
        ("http://NEW.example.org/kept/", "https://new.example.org/kept/"),
        ("/a-path/", "https://new.example.org/a-path/"),
        ("http://old.example/two words/\u00fcber", "https://new.example.org/two%20words/%C3%BCber"),
        ("http://old.example/a%20b", "https://new.example.org/a%20b"),
    ],
)
def test_a_page_is_found_at_its_path_on_the_main_origin(url: str, expected: str) -> None:
    address = Places(ORIGINS, (), "wp").address(page(url))
    assert address is not None
    assert address.url == expected


@pytest.mark.parametrize("url", [None, "urn:uuid:1", "http://user@old.example/", "http://[bad/", "ftp://old.example/a"])
def test_a_page_without_a_usable_address_is_known_by_its_number(url: str | None) -> None:
    address = Places(ORIGINS, (), "wp").address(page(url))
    assert address is not None
    assert (address.key, address.url) == ("id:wp:7", None)


def test_a_page_without_address_and_number_is_nowhere() -> None:
    assert Places(ORIGINS, (), "wp").address(page("http://[bad/", None)) is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://old.example/blog/2011/a", "https://www.example.org/news/2011/a"),
        ("https://OLD.example/blog", "https://www.example.org/news/"),
        ("https://old.example/blog?p=1", "https://www.example.org/news?p=1"),
        ("http://old.example/blogger/a", "https://new.example.org/blogger/a"),
        ("http://old.example/blog/deep/a", "https://new.example.org/d/a"),
        ("https://new.example.org/moved/a", "https://new.example.org/here/a"),
    ],
)
def test_the_longest_map_that_fits_decides(url: str, expected: str) -> None:
    maps = [
        ("https://old.example/blog", "https://www.example.org/news/"),
        ("http://old.example/blog/deep/", "/d"),
        ("https://new.example.org/moved", "/here"),
    ]
    address = Places(ORIGINS, maps, "wp").address(page(url))
    assert address is not None
    assert address.url == expected


@pytest.mark.parametrize(
    ("old", "new"),
    [("old.example", "/news"), ("/blog", "/news"), ("https://old.example", "https://elsewhere.example/"),
     ("https://old.example", "news"), ("https://old.example", "")],
)  # fmt: skip
def test_a_map_must_lead_from_an_address_to_one_of_the_site(old: str, new: str) -> None:
    with pytest.raises(Invalid):
        Places(ORIGINS, [(old, new)], "wp")


def test_readers_of_the_new_site_find_the_thread(bring: Bring, client: FlaskClient) -> None:
    report = bring(item(comment(), link="http://old.example.net/2011/a-post/"))
    assert len(thread(client, page="https://blog.example.org/2011/a-post/")["comments"]) == 1
    assert report.as_dict()["moved_pages"] == {"http://old.example.net": 1}


def test_a_page_that_stays_is_not_called_moved(bring: Bring) -> None:
    report = bring(item(comment(), link="http://blog.example.org/a/"))
    assert report.as_dict()["moved_pages"] == {}


def test_the_number_of_the_post_is_an_alias(bring: Bring, client: FlaskClient) -> None:
    bring(item(comment()))
    assert len(thread(client, page="wp:7")["comments"]) == 1
    assert len(thread(client, page="wp:8")["comments"]) == 0


def test_a_number_that_leads_elsewhere_is_left_alone_and_noted(bring: Bring, client: FlaskClient) -> None:
    bring(item(comment()))
    again = item(comment(id="2"), link="https://example.org/b/")
    told = bring(again, dry_run=True).as_dict()["noted"]
    assert bring(again).as_dict()["noted"] == told == {"alias_taken": ["2"]}
    assert thread(client, page="wp:7")["page"]["url"].endswith("/a/")


def test_an_address_that_cannot_be_read_is_noted(bring: Bring, client: FlaskClient) -> None:
    report = bring(item(comment(), comment(id="2"), link="http://[bad/"))
    assert report.as_dict()["noted"] == {"bad_page_address": ["1"]}
    assert len(thread(client, page="wp:7")["comments"]) == 2


def test_a_page_keeps_its_title_its_date_and_is_closed_if_it_was(bring: Bring) -> None:
    bring(item(comment(), title="A \u202e&lt;b&gt;page", comment_status="closed", post_date_gmt="2011-02-03 04:05:06"))
    [made] = pages().values()
    assert (made.title, f"{made.created_at:%Y-%m-%d}") == ("A <b>page", "2011-02-03")
    assert made.closed_at is not None


def test_a_page_of_the_future_is_dated_now(bring: Bring) -> None:
    bring(item(comment(), post_date_gmt="2999-02-03 04:05:06"))
    [made] = pages().values()
    assert made.created_at <= stored()["1"].received_at


def test_a_page_that_is_here_already_stays_as_it_is(bring: Bring, client: FlaskClient) -> None:
    post(client, page="/a/", page_title="Ours")
    bring(item(comment(), title="Theirs", comment_status="closed"))
    [page_] = pages().values()
    assert (page_.title, page_.closed_at, page_.comment_count) == ("Ours", None, 1)


def test_two_posts_at_one_address_are_one_thread(bring: Bring, client: FlaskClient) -> None:
    one = item(comment(), link="http://old.example/a")
    other = item(comment(id="2", parent="1"), link="https://www.old.example/a/", post_id="8")
    bring(one, other)
    [root] = thread(client, page="wp:8")["comments"]
    assert len(root["replies"]) == 1


def test_the_form_of_the_old_theme_finds_page_and_parent(bring: Bring, client: FlaskClient) -> None:
    bring(item(comment()))
    form = {"author": "Bob", "email": "bob@mail.example.org", "comment": "To Ada.", "comment_post_ID": "7"}
    answer = client.post("/embed/blog/comments", data=form | {"comment_parent": "1"})
    assert answer.status_code == 303, answer.text
    found = stored()
    assert found[""].parent_id == found["1"].id
    assert found[""].page_id == found["1"].page_id
