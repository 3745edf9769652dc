"""A wave of comments that are alike is one line of the queue, and one decision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from service.db import transaction
from service.sites.models import Site
from service.sites.operations import change_site
from tests.contracts.test_plans import asked
from tests.desk.conftest import Browser, text, tree, words
from tests.desk.test_queue import items

Leave = Callable[..., UUID]
SAME = "Dear {}, {} dollars in one week, working from home with this wonderful programme"


def wave(comment: Leave, number: int, host: str = "spam.example") -> list[UUID]:
    fruit = ["Apples", "Bananas", "Cherries", "Dates", "Elderberries", "Figs", "Grapes"]
    said = [f"{one} of {host.partition('.')[0]}: https://{host}/{n}" for n, one in enumerate(fruit)]
    return [comment(email=f"n{n}@mail.example.org", body=said[n]) for n in range(number)]


def lines(page: str) -> list[Any]:
    return [one for one in tree(page).iter("article") if "group" in (one.get("class") or "").split()]


def test_three_that_link_to_one_host_are_one_line(anna: Browser, comment: Leave) -> None:
    before, _, after = comment(), wave(comment, 4), comment()
    page = anna.get("/desk/").text
    assert items(page) == [str(before), "g-host:spam.example", str(after)]
    (line,) = lines(page)
    assert "4 alike: links to spam.example" in text(line) and "Apples" in text(line)


def test_two_are_no_wave(anna: Browser, comment: Leave) -> None:
    ids = wave(comment, 2)
    assert items(anna.get("/desk/").text) == [str(one) for one in ids]


def test_nearly_the_same_words_are_one_line(anna: Browser, comment: Leave) -> None:
    for n, name in enumerate(("Ada", "Bob", "Eve")):
        comment(email=f"n{n}@mail.example.org", body=SAME.format(name, 1_000 * n))
    (line,) = lines(anna.get("/desk/").text)
    assert "3 alike: nearly the same words" in text(line)


def test_links_to_the_site_itself_make_no_wave(anna: Browser, comment: Leave) -> None:
    ids = wave(comment, 3, host="blog.example.org")
    assert items(anna.get("/desk/").text) == [str(one) for one in ids]


def test_the_line_opens_all_of_them_and_one_button_decides(anna: Browser, comment: Leave, stored: Any) -> None:
    calm, ids = comment(), wave(comment, 3)
    (line,) = lines(anna.get("/desk/?sort=newest").text)
    there = next(one.get("href", "") for one in line.iter("a"))
    assert "alike=host" in there and "select=all" in there and "sort=newest" in there
    page = anna.get(there)
    assert sorted(items(page.text)) == sorted(str(one) for one in ids)
    assert "All 3 comments that match are selected." in words(page)
    answer = anna.press(page, "All are spam", within="many")
    assert [stored(one).status for one in (*ids, calm)] == ["spam"] * 3 + ["pending"]
    queue = anna.get(answer.headers["Location"])
    assert "3 marked as spam." in words(queue) and items(queue.text) == [str(calm)]


def test_a_list_of_what_is_alike_shows_each(anna: Browser, comment: Leave) -> None:
    ids = wave(comment, 3)
    for path in ("/desk/?alike=host:spam.example", "/desk/?status=all", f"/desk/?person={ids[0]}"):
        assert lines(anna.get(path).text) == [], path
    page = anna.get("/desk/?alike=host:spam.example")
    assert "links to spam.example" in words(page)


def test_a_wave_costs_no_more_questions(anna: Browser, comment: Leave, site: Site) -> None:
    with transaction():
        change_site(site, {"mode": "pre"}, actor="test")
    wave(comment, 3)
    anna.get("/desk/")
    with asked() as short:
        anna.get("/desk/")
    for host in ("b.example", "c.example", "d.example"):
        wave(comment, 7, host=host)
    with asked() as long:
        assert len(lines(anna.get("/desk/?limit=50").text)) == 4
    assert len(long) == len(short) > 0
