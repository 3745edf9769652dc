"""After posting: what waits is shown to its author, who may change it and take it back. Votes and reports."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.conftest import Demo
from tests.processes import ask, until

from .elsewhere import Elsewhere, tag
from .reader import THREAD, Reader
from .talk import Talk

pytestmark = pytest.mark.browser

LINKS = "Look at https://one.example.org and https://two.example.org before."
"""Two links are looked at by a moderator first."""


def test_what_waits_is_shown_to_its_author_only(
    reader: Reader, talk: Talk, open_window: Callable[[], Any], service: Demo, theirs: Elsewhere
) -> None:
    reader.opens()
    told = reader.posts(body=LINKS)
    assert told["status"] == "pending"
    assert "waits for a moderator" in reader.says()

    reader.window.reload()
    reader.waits()
    reader.comment(told["id"]).wait_for()
    assert "Waits for a moderator" in reader.reads(reader.comment(told["id"]))
    other = Reader(open_window(), service.url, theirs, talk.page)
    other.visits(reader.publish())
    assert other.comment(told["id"]).count() == 0


def test_it_stands_in_its_place_when_it_is_published(reader: Reader, talk: Talk) -> None:
    reader.opens()
    told = reader.posts(body=LINKS)
    talk.decide(told["id"])
    reader.window.reload()
    reader.waits()

    reader.comment(told["id"]).wait_for()
    assert "Waits for a moderator" not in reader.says()
    assert reader.part("comment").count() == 1


def test_its_author_may_change_it(reader: Reader, talk: Talk) -> None:
    reader.opens()
    told = reader.posts(body=LINKS)

    reader.does("edit", reader.comment(told["id"])).click()
    reader.comment(told["id"]).locator("textarea").fill(f"{LINKS} Indeed.")
    reader.window.locator(f"{THREAD} button", has_text="Save").click()

    reader.comment(told["id"]).locator("text=Indeed.").wait_for()
    until(lambda: reader.window.evaluate("1") and [one["text"] for one in talk.waiting()] == [f"{LINKS} Indeed."])


def test_a_change_of_what_is_published_waits(reader: Reader, talk: Talk) -> None:
    reader.opens()
    told = reader.posts(body="As I said.")

    reader.does("edit", reader.comment(told["id"])).click()
    reader.comment(told["id"]).locator("textarea").fill("As I never said.")
    reader.window.locator(f"{THREAD} button", has_text="Save").click()

    reader.part("notice").or_(reader.comment(told["id"])).filter(has_text="Your change waits").first.wait_for()
    assert [one["html"] for one in talk.said()] == ["<p>As I said.</p>\n"]


def test_its_author_may_take_it_back(reader: Reader, talk: Talk) -> None:
    reader.opens()
    told = reader.posts(body="As I said.")

    reader.does("withdraw", reader.comment(told["id"])).click()
    reader.does("sure", reader.comment(told["id"])).click()

    until(lambda: reader.window.evaluate("1") and talk.said() == [])
    reader.comment(told["id"]).wait_for(state="detached")
    reader.window.reload()
    reader.waits()
    assert reader.comment(told["id"]).count() == 0


def test_the_focus_stays_near_what_was_taken_back(reader: Reader, talk: Talk) -> None:
    talk.say("First.")
    reader.opens()
    told = reader.posts(body="As I said.")

    reader.does("withdraw", reader.comment(told["id"])).click()
    reader.does("sure", reader.comment(told["id"])).click()
    reader.comment(told["id"]).wait_for(state="detached")
    reader.part("notice").filter(has_text="withdrawn").wait_for()

    reader.until("() => document.activeElement?.shadowRoot?.activeElement?.localName === 'article'")


def save(reader: Reader, comment_id: str) -> None:
    reader.comment(comment_id).locator("form button", has_text="Save").click()


def release(held: list[Any]) -> None:
    for route in held:
        route.continue_()


def test_what_is_wrong_with_a_change_is_said_beside_it(reader: Reader, talk: Talk) -> None:
    held: list[Any] = []
    reader.opens()
    told = reader.posts(body=LINKS)
    before = reader.says("notices")

    reader.does("edit", reader.comment(told["id"])).click()
    reader.comment(told["id"]).locator("textarea").fill("  ")
    reader.hears("greenroom:failed")
    reader.window.context.route("**/v1/mine", lambda route: held.append(route) or (len(held) == 2 and release(held)))
    save(reader, told["id"])
    save(reader, told["id"])  # before the first one is answered

    reader.told("greenroom:failed", 2)
    reader.comment(told["id"]).locator("form [role=alert]").wait_for()
    assert reader.says("notices") == before


def test_a_change_does_not_go_over_one_from_elsewhere(reader: Reader, talk: Talk, service: Demo) -> None:
    """Its author sees the other one, and then decides."""
    reader.opens()
    told = reader.posts(body=LINKS)
    reader.does("edit", reader.comment(told["id"])).click()
    ((kept,),) = [json.loads(value) for name, value in reader.keeps().items() if ":mine:" in name]
    other = {"Authorization": f"Author {kept['token']}"}
    status, _ = ask(f"{service.url}/v1/mine", {"id": told["id"], "body": "By phone."}, headers=other, method="PATCH")
    assert status == 200

    reader.comment(told["id"]).locator("textarea").fill("At home.")
    save(reader, told["id"])

    reader.comment(told["id"]).locator("form", has_text="not as you saw it").wait_for()
    reader.comment(told["id"]).locator("form p", has_text="By phone.").wait_for()
    assert [one["text"] for one in talk.waiting()] == ["By phone."]
    save(reader, told["id"])
    reader.does("edit", reader.comment(told["id"])).wait_for()
    assert [one["text"] for one in talk.waiting()] == ["At home."]


def test_what_is_typed_into_a_comment_outlives_a_new_order(reader: Reader, talk: Talk) -> None:
    """As a report does that stands open."""
    said = talk.say("First.")
    reader.opens()
    one = reader.posts(body="One of mine.")["id"]
    two = reader.posts(body=LINKS)["id"]
    reader.does("report", reader.comment(said)).first.click()
    reader.comment(said).locator("form input").fill("Half a reason")
    for mine in (one, two):
        reader.does("edit", reader.comment(mine)).click()
        reader.comment(mine).locator("textarea").fill(f"Half of {mine}")

    reader.does("sort").select_option("newest")
    until(lambda: reader.bodies()[0] == "One of mine.")
    reader.comment(two).locator("textarea").wait_for()
    assert reader.comment(one).locator("textarea").input_value() == f"Half of {one}"
    assert reader.comment(said).locator("form input").input_value() == "Half a reason"
    save(reader, two)

    reader.does("edit", reader.comment(two)).wait_for()
    assert reader.comment(one).locator("textarea").input_value() == f"Half of {one}"
    reader.comment(said).locator("form button:not([type=button])").click()
    reader.comment(said).locator("text=The moderators will look at it.").wait_for()
    assert [one["note"] for one in talk.reports(said)] == ["Half a reason"]
    reader.does("cancel", reader.comment(one)).click()
    reader.does("edit", reader.comment(one)).wait_for()


def test_a_comment_of_ones_own_that_is_on_a_later_page_is_drawn_once(reader: Reader, talk: Talk) -> None:
    talk.say_many(50)
    reader.opens()
    reader.reaches_the_form()
    told = reader.posts(body="One of mine.")
    reader.opens()
    reader.does("edit", reader.comment(told["id"])).wait_for()

    reader.reaches_the_form()
    reader.does("more").click()
    until(lambda: reader.part("more").count() == 0)
    until(lambda: reader.comment(told["id"]).count() == 1 and reader.bodies()[-1] == "One of mine.")
    reader.does("edit", reader.comment(told["id"])).wait_for()
    assert reader.does("vote", reader.comment(told["id"])).count() == 1


def test_looking_twice_at_once_draws_once(reader: Reader, talk: Talk) -> None:
    reader.opens()
    told = reader.posts(body=LINKS)
    reader.window.locator(THREAD).evaluate("one => Promise.all([one.refresh(), one.refresh(), one.refresh()])")

    reader.does("edit", reader.comment(told["id"])).first.wait_for()
    assert reader.part("deeds").count() == 1
    assert reader.comment(told["id"]).count() == 1


def mine(reader: Reader) -> list[Any]:
    return [one for one in reader.asked if "/v1/mine?" in one.url and one.method == "GET"]


def test_a_comment_behind_a_hundred_others_is_not_forgotten(reader: Reader, talk: Talk) -> None:
    """Its author wrote so much since that it is on the second page of what is theirs, which at first cannot be had."""
    reader.opens()
    told = reader.posts(body=LINKS)
    away = {"is": True}

    def paged(route: Any) -> None:
        asked = route.request.url
        if "cursor=" not in asked:
            route.fulfill(response=(answer := route.fetch()), json=answer.json() | {"comments": [], "next": "more"})
        elif away["is"]:
            route.abort()
        else:
            route.fulfill(response=route.fetch(url=asked.partition("&cursor=")[0]))

    reader.window.context.route("**/v1/mine?*", paged)
    with reader.window.expect_event("requestfailed", lambda one: "cursor=more" in one.url):
        reader.window.reload()
    reader.waits()
    assert any(told["id"] in value for name, value in reader.keeps().items() if ":mine:" in name)
    away["is"] = False
    reader.window.reload()
    reader.waits()

    reader.does("edit", reader.comment(told["id"])).wait_for()


def test_drawing_anew_does_not_ask_for_each_comment_again(reader: Reader, talk: Talk) -> None:
    """Who is not remembered has a token for each comment; the server's limit is not for looking at them."""
    reader.opens()
    one = reader.posts(body=LINKS)["id"]
    two = reader.posts(body=f"{LINKS} And again.")["id"]
    asked = len(mine(reader))

    reader.does("withdraw", reader.comment(one)).click()
    reader.does("cancel", reader.comment(one)).click()
    reader.window.locator(THREAD).evaluate("one => one.refresh()")

    reader.does("edit", reader.comment(one)).wait_for()
    reader.does("edit", reader.comment(two)).wait_for()
    assert len(mine(reader)) == asked


def test_what_waits_stays_in_sight_where_asking_again_fails(reader: Reader, talk: Talk) -> None:
    reader.window.clock.install()
    reader.opens()
    told = reader.posts(body=LINKS)
    asked = len(mine(reader))
    reader.window.context.route("**/v1/mine?*", lambda route: route.abort())
    reader.window.clock.fast_forward(61_000)

    reader.window.locator(THREAD).evaluate("one => one.refresh()")

    assert len(mine(reader)) > asked
    assert reader.does("edit", reader.comment(told["id"])).count() == 1


def test_the_way_to_the_private_page_is_told(reader: Reader, service: Demo) -> None:
    """Its token stands behind the #, so that no server writes it down; and there only when somebody reaches for it."""
    reader.opens()
    told = reader.posts(body=LINKS)

    link = reader.comment(told["id"]).locator("a", has_text="Your private page")
    assert link.get_attribute("href") == f"{service.url}/mine"
    link.focus()
    assert link.get_attribute("href").startswith(f"{service.url}/mine#gra_")
    with reader.window.context.expect_page() as opened:
        link.click()
    opened.value.locator("text=Waits for a moderator").wait_for()


def test_a_vote_counts_once(reader: Reader, talk: Talk) -> None:
    said = talk.say("First.")
    reader.opens()
    reader.hears("greenroom:voted")
    button = reader.does("vote", reader.comment(said))

    button.click()
    reader.told("greenroom:voted")
    assert [one["votes"] for one in talk.said()] == [1]
    assert button.get_attribute("aria-pressed") == "true"
    reader.window.reload()
    reader.waits()
    assert button.get_attribute("aria-pressed") == "true"
    reader.hears("greenroom:voted")
    button.click()
    reader.told("greenroom:voted")
    assert [one["votes"] for one in talk.said()] == [0]


def test_a_second_device_of_a_network_is_told(
    reader: Reader, talk: Talk, open_window: Callable[[], Any], service: Demo, theirs: Elsewhere
) -> None:
    said = talk.say("First.")
    reader.opens()
    reader.hears("greenroom:voted")
    reader.does("vote", reader.comment(said)).click()
    reader.told("greenroom:voted")
    other = Reader(open_window(), service.url, theirs, talk.page)
    other.visits(reader.publish())
    other.does("vote", other.comment(said)).click()

    until(lambda: "network" in other.says())
    assert [one["votes"] for one in talk.said()] == [1]
    assert other.does("vote", other.comment(said)).get_attribute("aria-pressed") == "false"


def test_a_report_reaches_the_moderators(reader: Reader, talk: Talk) -> None:
    said = talk.say("Buy my pills.")
    reader.opens()

    reader.does("report", reader.comment(said)).first.click()
    form = reader.comment(said).locator("form")
    form.locator("select").select_option("spam")
    form.locator("input").fill("Pills.")
    form.locator("button:not([type=button])").click()

    reader.window.locator(THREAD).locator("text=The moderators will look at it.").wait_for()
    assert [(one["reason"], one["note"]) for one in talk.reports(said)] == [("spam", "Pills.")]


def test_a_report_that_fails_says_so_once(reader: Reader, talk: Talk) -> None:
    said = talk.say("Buy my pills.")
    reader.window.context.route("**/report", lambda route: route.abort())
    reader.opens()
    reader.hears("greenroom:failed")
    reader.does("report", reader.comment(said)).first.click()
    form = reader.comment(said).locator("form")

    for n in (1, 2):
        form.locator("button:not([type=button])").click()
        reader.told("greenroom:failed", n)

    form.locator("[role=alert]").wait_for()
    assert form.locator("[role=alert]").count() == 1


def test_a_vote_without_an_answer_says_what_is_so(reader: Reader, talk: Talk) -> None:
    """Nobody wrote anything that could be kept."""
    said = talk.say("First.")
    reader.window.context.route("**/vote", lambda route: route.abort())
    reader.opens()

    reader.does("vote", reader.comment(said)).click()

    assert reader.reads(reader.comment(said).locator("[role=alert]")) == "There was no answer. Please try again."


def test_a_permalink_is_offered(reader: Reader, talk: Talk) -> None:
    said = talk.say("First.")
    reader.opens()

    assert reader.does("link", reader.comment(said)).get_attribute("href").endswith(f"#comment-{said}")


def test_a_comment_on_a_site_that_waits(reader: Reader, talk: Talk) -> None:
    reader.opens(tag(reader.service, reader.page, site="waits"))
    told = reader.posts(body="As I said.")

    assert told["status"] == "pending"
    assert "Waits for a moderator" in reader.reads(reader.comment(told["id"]))
