"""The page of numbers: bars with the same numbers as a table, and what is overdue."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID
from xml.etree.ElementTree import Element

import pytest

from service.db import now
from service.desk.plots import HEIGHT, WIDTH, plot
from service.desk.words import span
from service.numbers.operations import Tally
from service.sites.models import Site
from tests.comments.test_submitting import set_site
from tests.conftest import add_site
from tests.desk.conftest import Browser, text, tree, words
from tests.moderation.still import clock as clock

Leave = Callable[..., UUID]


def rows(page: Element, heading: str) -> list[list[str]]:
    """The rows of the table under a heading."""
    (table,) = [one for one in page.iter("table") if one.get("aria-labelledby") == heading]
    return [[text(cell) for cell in row] for row in table.iter("tr")][1:]


def test_the_page_tells_what_waits_and_what_was_decided(anna: Browser, comment: Leave) -> None:
    comment()
    anna.press(anna.get("/desk/"), "Approve")
    comment(name="Ben")
    shown = anna.get("/desk/numbers")
    assert "Waiting now 1" in words(shown) and "1 decision;" in words(shown)
    assert rows(tree(shown.text), "by-moderator") == [["Anna", "1", "1", "0", "0"]]
    assert rows(tree(shown.text), "by-reason") == [["Every comment waits", "1", "1", "0", "0"]]


def test_each_plot_has_a_title_and_its_numbers_as_a_table(anna: Browser, comment: Leave) -> None:
    comment()
    anna.press(anna.get("/desk/"), "Reject")
    page = tree(anna.get("/desk/numbers").text)
    plots = [one for one in page.iter() if one.tag.endswith("figure")]
    assert len(plots) == 2
    for one, count in zip(plots, (24, 30), strict=True):
        (picture,) = [inner for inner in one.iter() if inner.get("role") == "img"]
        title = next(inner for inner in picture.iter() if inner.tag.endswith("title"))
        assert picture.get("aria-labelledby") == title.get("id") and "1 decision." in text(title)
        table = next(one.iter("table"))
        assert len(list(table.iter("tr"))) == count + 1
        assert sum(int(text(list(row)[1])) for row in list(table.iter("tr"))[1:]) == 1


def test_no_bar_leaves_its_plot_and_all_are_in_order() -> None:
    tallies = {now() - timedelta(hours=n): Tally(approved=n, spam=7 - n, overturned=n) for n in reversed(range(8))}
    found = plot(tallies, "%H:%M")
    assert all(0 <= bar.top <= bar.top_of_published <= HEIGHT for bar in found.bars)
    assert [bar.x for bar in found.bars] == sorted(bar.x for bar in found.bars)
    assert found.bars[-1].x + found.bars[-1].width <= WIDTH
    assert found.most and found.most.top == 0


def test_a_plot_of_nothing_has_no_highest_bar() -> None:
    assert plot({now(): Tally()}, "%H:%M").most is None and plot({}, "%H:%M").bars == []


def test_a_queue_past_its_target_is_told_quietly(anna: Browser, comment: Leave, site: Site, clock: Any) -> None:
    set_site(site, target_age_minutes=60)
    comment()
    assert "the target is" not in words(anna.get("/desk/"))
    clock.shift(timedelta(hours=3))
    for path in ("/desk/", "/desk/numbers"):
        assert "On Blog the oldest comment has waited 3 hours; the target is 60 minutes." in words(anna.get(path))


def test_another_sites_numbers_are_not_there(signed_in: Callable[..., Browser], site: Site, comment: Leave) -> None:
    comment()
    nora = signed_in("Nora", "moderator", add_site("news", ["https://news.example.org"]).id)
    assert nora.get("/desk/numbers?site=blog").status_code == 404
    assert "Waiting now 0" in words(nora.get("/desk/numbers"))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 minutes"), (60, "1 minute"), (7_199, "119 minutes"), (7_200, "2 hours"), (172_800, "2 days")],
)
def test_a_span_is_told_in_its_largest_unit(anna: Browser, seconds: int, said: str) -> None:
    assert span(seconds) == said
