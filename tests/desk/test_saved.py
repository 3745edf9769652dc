"""Saved filters above the queue, without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID
from xml.etree.ElementTree import Element

import pytest

from service.db import Busy
from service.desk import ui
from service.filters import operations, queries
from tests.desk.conftest import Browser, text, tree, words
from tests.desk.test_queue import items

Leave = Callable[..., UUID]


COUNTED = "/desk/filters"
"""What the page's script asks for, and without script a link leads to."""


def chips(page: str) -> dict[str, Element]:
    found = [one for one in tree(page).iter("span") if (one.get("class") or "") == "chip"]
    return {text(link): link for one in found for link in one.iter("a")}


def save(browser: Browser, path: str, name: str = "Horses", **typed: str) -> Any:
    return browser.press(browser.get(path), "Save", name=name, **typed)


def test_a_filter_is_saved_and_opens_its_list(anna: Browser, comment: Leave) -> None:
    (horse := comment(body="About horses.")), comment(body="About zebras.")
    answer = save(anna, "/desk/?q=horses&sort=newest&has_link=false")
    assert answer.status_code == 303 and "q=horses" in answer.headers["Location"]
    for found in (chips(anna.get("/desk/").text)["Horses"], chips(anna.get(COUNTED).text)["Horses 1"]):
        page = anna.get(found.get("href", ""))
        assert items(page.text) == [str(horse)]
        for one in ("q=horses", "sort=newest", "has_link=false", "status=pending"):
            assert one in found.get("href", "")


@pytest.mark.parametrize("list_", ["status=all&q=horses", "status=spam&q=horses", "rating=0&status=pending"])
def test_every_kind_of_list_comes_back(anna: Browser, comment: Leave, list_: str) -> None:
    comment(body="About horses.")
    save(anna, f"/desk/?{list_}")
    (link,) = chips(anna.get("/desk/").text).values()
    before, after = anna.get(f"/desk/?{list_}"), anna.get(link.get("href", ""))
    assert items(before.text) == items(after.text)
    tab = [text(one) for one in tree(after.text).iter("a") if one.get("aria-current") == "page"]
    assert tab == [text(one) for one in tree(before.text).iter("a") if one.get("aria-current") == "page"]


def test_only_a_filter_can_be_saved(anna: Browser) -> None:
    assert "Save this filter" not in words(anna.get("/desk/"))


def test_a_filter_is_let_go_of(anna: Browser, comment: Leave) -> None:
    save(anna, "/desk/?q=horses")
    answer = anna.press(anna.get("/desk/?q=zebras"), "×")
    assert answer.headers["Location"] == "/desk/?q=zebras"
    assert chips(anna.get("/desk/").text) == {}


def test_one_too_many_is_said_and_what_is_seen_stays(anna: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "AT_MOST", 1)
    save(anna, "/desk/?q=horses")
    answer = save(anna, "/desk/?q=zebras", "Zebras")
    assert (
        answer.status_code == 409 and "You have 1 filters already." in words(answer) and 'value="zebras"' in answer.text
    )


def test_a_name_is_needed(anna: Browser) -> None:
    answer = save(anna, "/desk/?q=horses", "  ")
    assert answer.status_code == 422 and chips(answer.text) == {}


def test_an_owner_shares_what_is_about_the_site(signed_in: Callable[..., Browser], comment: Leave) -> None:
    olga, anna = signed_in("Olga", "owner"), signed_in("Anna")
    assert "For all moderators of the site" not in words(olga.get("/desk/?q=horses"))
    assert "For all moderators of the site" not in words(anna.get("/desk/?q=horses&site=blog"))
    save(olga, "/desk/?q=horses&site=blog", share="blog")
    assert list(chips(anna.get(COUNTED).text)) == ["Horses 0"]
    assert "×" not in [text(one) for one in tree(anna.get("/desk/").text).iter("button")]


def test_many_are_many(anna: Browser, comment: Leave, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "MOST", 2)
    [comment() for _ in range(3)]
    save(anna, "/desk/?has_link=false")
    assert list(chips(anna.get(COUNTED).text)) == ["Horses 2+"]


def test_the_queue_does_not_wait_for_the_counts(anna: Browser, comment: Leave, monkeypatch: pytest.MonkeyPatch) -> None:
    save(anna, "/desk/?q=horses")

    def give_up(_wanted: Any) -> Any:
        raise Busy("SELECT", None, TimeoutError("too long"))

    monkeypatch.setattr(queries, "counts", give_up)
    page = anna.get("/desk/?q=zebras")
    assert page.status_code == 200 and list(chips(page.text)) == ["Horses"]
    (asks,) = [one.get("hx-get", "") for one in tree(page.text).iter("div") if one.get("hx-trigger") == "load"]
    assert asks == "/desk/filters?back=q%3Dzebras"
    answer = anna.get(asks, headers={"HX-Request": "true"})
    assert answer.status_code == 200 and list(chips(answer.text)) == ["Horses"] and "hx-get" not in answer.text
    assert "Counting took too long." in words(anna.get(asks))
    answer = anna.press(anna.get(asks), "×")
    assert answer.headers["Location"] == "/desk/?q=zebras"


def test_more_filters_than_a_page_holds_are_led_to(anna: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ui, "MOST_FILTERS", 2)
    for name in ("Zebras", "Apes", "Horses"):
        save(anna, "/desk/?q=x", name)
    page = anna.get("/desk/")
    assert list(chips(page.text)) == ["Apes", "Horses"]
    (older,) = [one.get("href", "") for one in tree(page.text).iter("a") if text(one) == "Older filters"]
    assert list(chips(anna.get(older).text)) == ["Zebras 0"]
