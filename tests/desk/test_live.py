"""New comments come by themselves, in a real Chromium: nothing that is being read moves."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from service.accounts.principal import of_moderator
from service.db import transaction
from service.moderation import operations
from service.moderation.operations import Verdict
from service.sites import operations as sites
from service.sites.queries import site_of
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


def look_for_news(page: Any) -> None:
    """And take in what there is."""
    page.evaluate("news()")


def again(desk: Desk, comment_id: str) -> None:
    """It came long ago, and waits again, as when somebody undoes a decision of which others have heard."""
    with desk.app.app_context(), transaction():
        operations.decide(UUID(comment_id), Verdict("restore"), of_moderator(desk.moderator("bert")), "*")


@pytest.mark.browser
@pytest.mark.parametrize(("sort", "number"), [("oldest", 25), ("risk", 25), ("newest", 25), ("oldest", 5)])
def test_what_comes_back_between_others_is_said_and_moves_nothing(
    desk: Desk, sit_down: Any, sort: str, number: int
) -> None:
    ids = several(desk, number)
    back = ids[2] if sort != "newest" else ids[-3]
    desk.decide("bert", back, "reject")
    page = sit_down("anna")
    page.goto(f"{desk.url}/desk/?sort={sort}&limit=20")
    come_to(page, "#queue")
    look_for_news(page)
    before = page.locator("article.item").first.bounding_box()
    again(desk, back)
    look_for_news(page)
    if number < 20:  # all of it is there: it is put at the end
        page.wait_for_selector(f"#c-{back}")
        assert page.locator("#changed").is_hidden()
        return
    if sort == "newest":  # it is on the page that is read for news
        page.wait_for_selector(f"#c-{back}")
        assert page.locator("#changed").is_hidden()
        return
    page.wait_for_selector("#changed:visible")
    assert page.inner_text("#live") == "The queue has changed. Load it again"
    assert page.locator("article.item").first.bounding_box() == before and page.locator(f"#c-{back}").count() == 0
    page.click("#changed a")
    come_to(page, f"#c-{back}")
    look_for_news(page)
    assert page.locator("#changed").is_hidden()


@pytest.mark.browser
@pytest.mark.parametrize("sort", ["oldest", "newest", "risk"])
def test_what_comes_by_itself_when_it_is_read_on_is_not_news(desk: Desk, sit_down: Any, sort: str) -> None:
    ids = several(desk, 25)
    page = sit_down("anna")
    page.goto(f"{desk.url}/desk/?sort={sort}&limit=10")
    come_to(page, "#queue")
    look_for_news(page)
    desk.decide("bert", ids[12], "reject")
    again(desk, ids[12])
    look_for_news(page)
    page.click(".paging a[rel=next]")
    come_to(page, "#queue")
    look_for_news(page)
    page.keyboard.press("z")
    page.wait_for_selector("#live:has-text('There is nothing to undo here.')")
    assert page.locator("#changed").is_hidden()


@pytest.mark.browser
def test_what_was_decided_and_comes_back_is_said(desk: Desk, sit_down: Any) -> None:
    ids = several(desk, 3)
    page = sit_down("anna")
    page.keyboard.press("r")
    page.wait_for_selector(f"#c-{ids[0]}.done")
    look_for_news(page)
    assert page.locator("#changed").is_hidden()
    again(desk, ids[0])
    look_for_news(page)
    page.wait_for_selector("#changed:visible")


@pytest.mark.browser
def test_what_is_brought_back_on_the_spot_is_not_said_to_have_come(desk: Desk, sit_down: Any) -> None:
    """It was published as it came, and so nobody had decided on it before."""
    with desk.app.app_context(), transaction():
        site = site_of("blog")
        assert site
        sites.change_site(site, {"mode": "post"}, actor="test")
    one = desk.leave(body="As it came.")
    page = sit_down("anna")
    page.goto(f"{desk.url}/desk/?status=approved")
    come_to(page, f"#c-{one}")
    look_for_news(page)
    page.keyboard.press("r")
    page.wait_for_selector(f"#c-{one}.done")
    look_for_news(page)
    page.keyboard.press("z")
    page.wait_for_selector(f"#c-{one} form.undo", state="detached")
    look_for_news(page)
    assert page.locator("#changed").is_hidden()


@pytest.mark.browser
@pytest.mark.parametrize("sort", ["oldest", "newest"])
def test_a_wave_that_is_longer_than_a_page_stops_no_key(desk: Desk, sit_down: Any, sort: str) -> None:
    """Its line is all that is there at first, and the page after it adds nothing."""
    calm = desk.leave(body="Calm.") if sort == "newest" else None
    for n in range(25):
        desk.leave(body=f"{n}: https://spam.example/{n}", email=f"{n}@mail.example.org")
    calm = calm or desk.leave(body="Calm.")
    page = sit_down("anna")
    page.goto(f"{desk.url}/desk/?sort={sort}&limit=10")
    come_to(page, "article.group")
    page.focus("article.group")
    page.keyboard.press("j")
    page.wait_for_function("id => document.activeElement.id === `c-${id}`", arg=calm)
    look_for_news(page)
    assert page.locator("#changed").is_hidden()


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


def test_the_news_tell_what_came_last_into_the_queue(anna: Browser, comment: Any) -> None:
    ids = [comment(body=f"Number {n}: https://a.example") for n in range(2)]
    anna.press(anna.get("/desk/"), "Reject", within=f"c-{ids[0]}")
    told = [one["id"] for one in anna.get("/desk/waiting").json["came"]]  # type: ignore[index]
    assert told == [str(ids[1])]
    anna.press(anna.get("/desk/?status=rejected"), "Restore")
    came = anna.get("/desk/waiting").json["came"]  # type: ignore[index]
    assert [one["id"] for one in came] == [str(ids[0]), str(ids[1])] and came[0]["place"] < came[1]["place"]
    assert "host:a.example" in came[0]["groups"] and came[0]["since"] > came[1]["since"]
    assert anna.get("/desk/waiting?has_link=false").json["came"] == []  # type: ignore[index]
