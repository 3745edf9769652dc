"""Finding comments and people: every filter of the list, none lost by another, and who writes with an address."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode
from uuid import UUID
from xml.etree.ElementTree import Element

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.accounts import operations as accounts
from service.accounts.models import Moderator
from service.db import transaction
from service.desk import schemas
from service.sites.models import Site
from tests.comments.test_submitting import set_site
from tests.conftest import add_site
from tests.desk.conftest import HOME, Browser, fields, text, the_form, tree, words
from tests.moderation.still import entries
from tests.support import post

from .test_queue import article, items

Leave = Callable[..., UUID]
ADA, NOBODY = "ada@mail.example.org", "nobody@mail.example.org"
NOT_KEPT = {"done", "many", "select", "cursor"}
"""Of what was just done, or where in a list one is: another list begins anew."""
ASKED = {
    "site": "blog", "page": "/reviews/blacksmith", "q": "words", "reason": "links", "alike": "host:spam.example",
    "network": "0" * 16, "rating": "3.5", "has_link": "true", "first_timer": "false", "claimed": "me",
    "status": "approved", "revision": "held", "sort": "newest", "limit": "7", "person": "",
}  # fmt: skip
"""Something to ask of each field; a person is one of those that there are."""


def chosen(form: Element) -> dict[str, str]:
    """What the form would send as it stands, without what it leaves empty."""
    found = fields(form)
    for select in form.iter("select"):
        options = list(select.iter("option"))
        marked = next((one for one in options if "selected" in one.attrib), options[0])
        found[select.get("name", "")] = marked.get("value", "")
    return {name: value for name, value in found.items() if value}


def show(browser: Browser, page: TestResponse, **changes: str) -> TestResponse:
    """Change something in the form of the list, and press Show."""
    form, _ = the_form(page.text, "Show", None)
    there = f"{form.get('action')}?{urlencode(chosen(form) | changes)}"
    assert form.get("method") == "get"
    return browser.get(there)


@pytest.fixture
def dora(open_browser: Callable[[], Browser], person: Callable[..., Moderator]) -> Browser:
    """Somebody who moderates two sites."""
    moderator, other = person("Dora"), add_site("news", ["https://news.example.org"])
    with transaction():
        accounts.grant(moderator, other.id, "moderator", actor="test")
    browser = open_browser()
    browser.sign_in(moderator.email)
    return browser


def test_something_is_asked_of_every_field() -> None:
    assert ASKED.keys() == schemas.Queue().fields.keys() - NOT_KEPT


@pytest.mark.parametrize("who", ["anna", "dora"])
@pytest.mark.parametrize("name", ASKED)
def test_show_keeps_every_filter(
    request: pytest.FixtureRequest, comment: Leave, site: Site, who: str, name: str
) -> None:
    browser: Browser = request.getfixturevalue(who)
    asked = {name: ASKED[name] or str(comment())} | ({"site": "blog"} if name == "page" else {})
    page = browser.get(f"/desk/?{urlencode(asked)}")
    assert page.status_code == 200
    form, _ = the_form(page.text, "Show", None)
    assert {one: value for one, value in chosen(form).items() if one != "sort" or one in asked} == asked


def test_a_site_a_link_and_a_first_comment_are_chosen_from_lists(
    dora: Browser, client: FlaskClient, comment: Leave
) -> None:
    known = comment(body="An old hand.")
    dora.press(dora.get("/desk/"), "Approve", within=f"c-{known}")
    again, linked = comment(), comment(email="bea@mail.example.org", body="See https://a.example/")
    page = {"page": "https://news.example.org/x"}
    other = post(
        client, site="news", headers={"Origin": "https://news.example.org"}, email="cy@mail.example.org", **page
    )
    there = UUID(other.json["id"])  # type: ignore[index]
    page = dora.get("/desk/")
    every = {str(again), str(linked), str(there)}
    assert set(items(page.text)) == every
    for choice, expected in (
        ({"site": "blog"}, {again, linked}), ({"site": "news"}, {there}), ({"has_link": "true"}, {linked}),
        ({"has_link": "false"}, {again, there}), ({"first_timer": "true"}, {linked, there}),
        ({"first_timer": "false"}, {again}), ({"site": "blog", "first_timer": "true"}, {linked}),
    ):  # fmt: skip
        found = show(dora, page, **choice)
        assert set(items(found.text)) == {str(one) for one in expected}, choice
        form, _ = the_form(found.text, "Show", None)
        assert chosen(form).items() >= choice.items()


def test_a_rating_is_typed(anna: Browser, comment: Leave, site: Site) -> None:
    set_site(site, rating_max=5.0, rating_halves=True)
    comment(rating=4, email="bea@mail.example.org")
    half = comment(rating=3.5)
    found = show(anna, anna.get("/desk/"), rating="3.5")
    assert items(found.text) == [str(half)] and "rating: 3.5" in words(found)
    assert '<details class="finer" open>' in found.text
    assert items(show(anna, found, q="number").text) == [str(half)]


def test_an_item_leads_to_all_on_its_page(anna: Browser, comment: Leave) -> None:
    one, other = comment(page="/reviews/one?season=2&x=ä"), comment(page="/reviews/two")
    shown = article(anna.get("/desk/").text, one)
    (link,) = [link.get("href") for link in shown.iter("a") if text(link) == "this page only"]
    assert items(anna.get(link).text) == [str(one)]
    assert str(other) in anna.get("/desk/").text


def test_a_page_with_a_name_of_its_own_leads_to_all_on_it_too(anna: Browser, comment: Leave) -> None:
    one = comment(page="review-12")
    comment(page="/reviews/two")
    (link,) = [
        link.get("href") for link in article(anna.get("/desk/").text, one).iter("a") if text(link) == "this page only"
    ]
    assert items(anna.get(link).text) == [str(one)]


def test_a_page_on_no_origin_of_the_site_leads_nowhere(anna: Browser, comment: Leave, site: Site) -> None:
    comment()
    set_site(site, origins=["https://elsewhere.example"])
    page = anna.get("/desk/")
    assert page.status_code == 200 and "this page only" not in words(page)


@pytest.mark.parametrize(
    ("address", "host"),
    [("https://pills.example.net/x", "pills.example.net"), ("https://аррӏе.com/", "xn--80ak6aa92e.com")],
)
def test_a_link_in_a_text_cannot_be_followed_and_shows_its_host(
    anna: Browser, comment: Leave, address: str, host: str
) -> None:
    one = comment(body=f"My [bank.example]({address}) is good.")
    (said,) = [part for part in article(anna.get("/desk/").text, one).iter("div") if part.get("class") == "said"]
    assert list(said.iter("a")) == []
    assert text(said) == f"My bank.example ({host}) is good."


def look_up(browser: Browser, there: str = "/desk/", **typed: str) -> TestResponse:
    page = browser.get(there)
    return browser.press(page, "Find", **typed)


def test_an_address_leads_to_its_person(anna: Browser, comment: Leave) -> None:
    one = comment(email=ADA)
    comment(email="bea@mail.example.org")
    answer = look_up(anna, email=" ADA@mail.example.org ")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/desk/people/{one}")
    assert [more for *_, more in entries("person.looked-up")] == [{}]


def test_an_address_of_nobody_is_said_to_be_and_stays_in_the_form(anna: Browser, comment: Leave) -> None:
    linked = comment(body="https://a.example https://b.example")
    comment()
    answer = look_up(anna, "/desk/?reason=links", email=NOBODY)
    assert answer.status_code == 200 and "Nobody has written with this address on this site." in words(answer)
    form, _ = the_form(answer.text, "Find", None)
    assert chosen(form)["email"] == NOBODY and form.get("autocomplete") == "off"
    assert items(answer.text) == [str(linked)]
    assert len(entries("person.looked-up")) == 1


def test_the_address_stands_in_no_link_and_no_form_that_is_sent_by_get(anna: Browser, comment: Leave) -> None:
    comment(email=ADA)
    for email in (NOBODY, ADA):
        answer = look_up(anna, email=email)
        name = email.partition("@")[0]
        page = tree(answer.text)
        sent = [value for one in page.iter() for value in (one.get("href"), one.get("action"), one.get("data-news"))]
        by_get = [fields(form) for form in page.iter("form") if form.get("method") == "get"]
        assert name not in str([answer.headers.get("Location"), *sent, *by_get])
        assert name not in str([fields(form).get("back") for form in page.iter("form")])


def test_what_is_no_address_is_said_to_be_none(anna: Browser, site: Site) -> None:
    answer = look_up(anna, email="ada at home")
    assert answer.status_code == 422
    form, _ = the_form(answer.text, "Find", None)
    assert chosen(form)["email"] == "ada at home"
    assert "e-mail address" in words(answer) and entries("person.looked-up") == []


def test_of_two_sites_the_one_that_is_shown_is_searched(dora: Browser, comment: Leave) -> None:
    one = comment(email=ADA)
    page = dora.get("/desk/?site=news")
    form, _ = the_form(page.text, "Find", None)
    assert chosen(form)["site"] == "news"
    missed = dora.press(page, "Find", email=ADA, site="news")
    assert "Nobody has written with this address on this site." in words(missed)
    found = dora.press(page, "Find", email=ADA, site="blog")
    assert found.headers["Location"] == f"/desk/people/{one}"


def test_who_may_not_moderate_looks_nobody_up(signed_in: Callable[..., Browser], comment: Leave) -> None:
    comment(email=ADA)
    other = add_site("other", ["https://other.example.org"])
    for name, role, on, status in (("Vera", "viewer", None, 403), ("Eve", "owner", other.id, 404)):
        browser = signed_in(name, role, on)
        page = browser.get("/desk/")
        token, _ = the_form(page.text, "Sign out", None)
        assert ("Find a person" in words(page)) is (role == "owner")
        answer = browser.post(
            "/desk/people/lookup", data=fields(token) | {"site": "blog", "email": ADA}, headers={"Origin": HOME}
        )
        assert answer.status_code == status
    assert entries("person.looked-up") == []
