"""New comments come by themselves, in a real Chromium: nothing that is being read moves."""

from __future__ import annotations

from typing import Any

import pytest

from tests.desk.conftest import Browser
from tests.desk.seated import Desk, come_to
from tests.desk.seated import desk as desk
from tests.desk.seated import sit_down as sit_down
from tests.desk.seated import watch as watch
from tests.desk.test_keys import focused, several


@pytest.mark.browser
@pytest.mark.parametrize("number", [1, 12])
@pytest.mark.parametrize("down", [0, 400])
def test_new_ones_above_move_nothing_that_is_read(desk: Desk, sit_down: Any, number: int, down: int) -> None:
    """At the top, where no browser holds the place by itself; further down; and on a page too short to scroll."""
    ids = several(desk, number)
    page = sit_down("anna")
    page.goto(f"{desk.url}/desk/?sort=newest")
    come_to(page, "#queue")
    read = ids[0] if number == 1 else ids[number - 3]
    page.evaluate("down => scrollTo(0, down)", down)
    page.evaluate("id => document.getElementById(`c-${id}`).focus({ preventScroll: true })", read)
    before = page.locator(f"#c-{read}").bounding_box()
    later = [desk.leave(body=f"Later {n}.", email=f"later{n}@mail.example.org") for n in range(2)]
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_selector(f"#c-{later[1]}")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    after = page.locator(f"#c-{read}").bounding_box()
    assert abs(after["y"] - before["y"]) < 1 and focused(page) == read
    shown = page.eval_on_selector_all("article.item", "all => all.slice(0, 2).map((one) => one.id)")
    assert shown == [f"c-{one}" for one in reversed(later)]


@pytest.mark.browser
@pytest.mark.parametrize(("sort", "before", "after"), [("oldest", 25, 1), ("oldest", 15, 45), ("newest", 3, 45)])
def test_new_ones_come_however_many_there_are(desk: Desk, sit_down: Any, sort: str, before: int, after: int) -> None:
    """More than a page holds: before them, all of it read ahead; or at once, as after an hour in another window."""
    old = several(desk, before)
    page = sit_down("anna")
    page.goto(f"{desk.url}/desk/?sort={sort}")
    come_to(page, "#queue")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    for _ in old[1:]:
        page.keyboard.press("j")
    page.wait_for_selector(f"#c-{old[0] if sort == 'newest' else old[-1]}")
    new = [desk.leave(body=f"Later {n}.", email=f"later{n}@mail.example.org") for n in range(after)]
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_selector(f"#c-{new[-1]}")
    shown = page.eval_on_selector_all("article.item", "all => all.map((one) => one.id.slice(2))")
    assert shown == (old + new if sort == "oldest" else (old + new)[::-1])


def test_as_long_as_nothing_is_new_only_that_is_said(anna: Browser, comment: Any) -> None:
    comment()
    first = anna.get("/desk/waiting")
    again = anna.get("/desk/waiting", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    comment()
    news = anna.get("/desk/waiting", headers={"If-None-Match": first.headers["ETag"]})
    assert news.status_code == 200 and news.json["waiting"] == "2"  # type: ignore[index]
