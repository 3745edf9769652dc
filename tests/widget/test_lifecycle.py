"""The element in pages that put it in late, move it, take it out and bring it back; and many of them at once."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.e2e.conftest import Demo
from tests.processes import until

from .elsewhere import FAR, tag
from .reader import THREAD, Reader
from .talk import Talk

pytestmark = pytest.mark.browser


READY = "() => [...document.querySelectorAll('greenroom-thread')].every((one) => one.getAttribute('state') === 'ready')"


def threads(reader: Reader) -> list[str]:
    """The addresses at which threads were asked for."""
    return [one.url for one in reader.asked if "/thread?" in one.url]


def test_it_works_when_it_is_put_in_late(reader: Reader, talk: Talk) -> None:
    talk.say("First.")
    reader.window.goto(reader.publish("<div id=place></div>"))

    reader.window.evaluate("html => { place.innerHTML = html }", tag(reader.service, reader.page))

    reader.waits()
    assert reader.bodies() == ["First."]


def test_it_works_when_it_is_made_by_a_script(reader: Reader, talk: Talk) -> None:
    talk.say("First.")
    reader.window.goto(reader.publish("<div id=place></div>"))
    reader.until("() => !!customElements.get('greenroom-thread')")

    reader.window.evaluate(
        """page => {
          const made = document.createElement("greenroom-thread");
          place.append(made);
          made.setAttribute("site", "demo");
          made.setAttribute("page", page);
        }""",
        reader.page,
    )

    reader.waits()
    assert reader.bodies() == ["First."]


def test_it_can_be_moved_without_being_read_again(reader: Reader, talk: Talk) -> None:
    talk.say("First.")
    reader.opens(tag(reader.service, reader.page), "<div id=place></div>")
    reader.types(body="Half a thought")
    asked = len(threads(reader))

    reader.window.evaluate("place.append(document.querySelector('greenroom-thread'))")
    reader.waits()

    assert reader.bodies() == ["First."]
    assert reader.field("body").input_value() == "Half a thought"
    assert len(threads(reader)) == asked


def test_it_can_be_taken_out_and_brought_back(reader: Reader, talk: Talk) -> None:
    first = talk.say("First.")
    reader.opens()
    reader.window.evaluate("() => { window.taken = document.querySelector('greenroom-thread'); taken.remove() }")

    reader.window.evaluate("document.querySelector('main').append(taken)")
    reader.waits()

    assert reader.bodies() == ["First."]
    reader.answers(first)
    assert reader.posts(body="It still works.")["status"] == "approved"


def test_it_asks_for_nothing_while_it_is_out(reader: Reader, talk: Talk) -> None:
    talk.say("First.")
    reader.window.clock.install()
    reader.opens()
    reader.window.evaluate("() => { document.querySelector('greenroom-thread').remove() }")
    before = len(reader.asked)

    reader.window.clock.run_for(3_600_000)

    assert len(reader.asked) == before


def test_another_page_is_another_thread(reader: Reader, talk: Talk, service: Demo) -> None:
    """As in an application of one page, which changes the attribute."""
    talk.say("First.")
    other = Talk(service, f"{talk.page}/other")
    other.say("Elsewhere.")
    reader.opens()

    reader.window.evaluate("page => document.querySelector('greenroom-thread').setAttribute('page', page)", other.page)
    reader.part("comment").locator("text=Elsewhere.").wait_for()

    assert reader.bodies() == ["Elsewhere."]


def test_an_answer_that_comes_late_is_not_shown_in_the_wrong_place(reader: Reader, talk: Talk, service: Demo) -> None:
    """The first page's answer is held back until the second's has come."""
    talk.say("First.")
    other = Talk(service, f"{talk.page}/other")
    other.say("Elsewhere.")
    held: list[Any] = []
    reader.window.context.route("**/thread?*", lambda route: held.append(route))
    reader.window.goto(reader.publish())
    reader.window.wait_for_selector(f"{THREAD}[state=loading]")
    while not held:
        reader.window.evaluate("new Promise((done) => setTimeout(done))")

    reader.window.evaluate("page => document.querySelector('greenroom-thread').setAttribute('page', page)", other.page)
    while len(held) < 2:
        reader.window.evaluate("new Promise((done) => setTimeout(done))")
    held[1].continue_()
    reader.part("comment").locator("text=Elsewhere.").wait_for()
    reader.reaches_the_form()
    until(lambda: reader.style("form", "display") == "grid")
    with reader.window.expect_event("requestfinished", lambda one: one.url == held[0].request.url):
        held[0].continue_()
    reader.window.evaluate("new Promise((done) => setTimeout(done, 300))")

    assert reader.bodies() == ["Elsewhere."]
    assert reader.style("form", "display") == "grid"


def test_a_thread_that_is_no_longer_shown_asks_for_nothing(reader: Reader, talk: Talk, service: Demo) -> None:
    """What keeps it alive comes when another page has taken its place."""
    talk.say("First.")
    other = Talk(service, f"{talk.page}/other")
    other.say("Elsewhere.")
    held: list[Any] = []
    reader.window.clock.install()
    reader.window.context.route("**/living.js", lambda route: held.append(route))
    reader.window.goto(reader.publish())
    until(lambda: reader.window.evaluate("1") and held)
    reader.window.evaluate("page => document.querySelector('greenroom-thread').setAttribute('page', page)", other.page)
    reader.part("comment").locator("text=Elsewhere.").wait_for()
    held[0].continue_()
    reader.waits()

    reader.window.clock.fast_forward(31_000)
    until(lambda: reader.window.evaluate("1") and [one for one in reader.asked if "/counts" in one.url])
    reader.window.wait_for_load_state("networkidle")
    counted = [parse_qs(urlsplit(one.url).query)["page"] for one in reader.asked if "/counts" in one.url]
    assert counted == [[other.page]]


def test_its_page_may_change_while_it_is_out(reader: Reader, talk: Talk, service: Demo) -> None:
    talk.say("First.")
    other = Talk(service, f"{talk.page}/other")
    other.say("Elsewhere.")
    reader.opens()
    reader.window.evaluate("() => { window.taken = document.querySelector('greenroom-thread'); taken.remove() }")
    reader.window.evaluate("page => taken.setAttribute('page', page)", other.page)

    reader.window.evaluate("document.querySelector('main').append(taken)")
    reader.part("comment").locator("text=Elsewhere.").wait_for()

    assert reader.bodies() == ["Elsewhere."]


def test_an_attribute_that_stays_the_same_changes_nothing(reader: Reader, talk: Talk) -> None:
    """Frameworks set them at each turn."""
    talk.say("First.")
    reader.opens(tag(reader.service, reader.page), tag(reader.service, reader.page, "greenroom-count"))
    reader.until("() => document.querySelector('greenroom-count').shadowRoot.textContent")
    reader.types(body="Half a thought")
    before = len(reader.asked)

    reader.window.evaluate(
        """() => {
          for (const one of document.querySelectorAll("greenroom-thread, greenroom-count")) {
            for (const name of ["site", "page"]) one.setAttribute(name, one.getAttribute(name));
          }
        }"""
    )
    reader.window.evaluate("new Promise((done) => setTimeout(done, 200))")

    assert len(reader.asked) == before
    assert reader.field("body").input_value() == "Half a thought"


def test_a_count_that_comes_late_is_not_shown_for_another_page(reader: Reader, talk: Talk, service: Demo) -> None:
    talk.say("First.")
    held: list[Any] = []
    reader.window.context.route("**/counts?*", lambda route: held.append(route))
    reader.window.goto(reader.publish(tag(reader.service, talk.page, "greenroom-count")))
    until(lambda: reader.window.evaluate("1") and held)
    reader.window.evaluate("() => { document.querySelector('greenroom-count').setAttribute('page', '/nobody-wrote') }")
    until(lambda: reader.window.evaluate("1") and len(held) == 2)
    held[1].continue_()
    text = "document.querySelector('greenroom-count').shadowRoot.textContent"
    until(lambda: reader.window.evaluate(text) == "0 comments")

    held[0].continue_()
    reader.window.evaluate("new Promise((done) => setTimeout(done, 200))")

    assert reader.window.evaluate(text) == "0 comments"


def test_a_count_that_cannot_be_had_is_not_that_of_another_page(reader: Reader, talk: Talk) -> None:
    talk.say("First.")
    reader.window.goto(reader.publish(tag(reader.service, talk.page, "greenroom-count")))
    text = "document.querySelector('greenroom-count').shadowRoot.textContent"
    until(lambda: reader.window.evaluate(text) == "1 comment")
    reader.window.context.route("**/counts?*", lambda route: route.abort())
    reader.window.evaluate("() => { document.querySelector('greenroom-count').setAttribute('page', '/nobody-wrote') }")

    until(lambda: reader.window.evaluate(text) == "")


def test_several_on_a_page_are_strangers(reader: Reader, talk: Talk, service: Demo) -> None:
    talk.say("First.")
    other = Talk(service, f"{talk.page}/other")
    other.say("Elsewhere.")
    one, two = tag(reader.service, talk.page, id="one"), tag(reader.service, other.page, id="two")
    reader.opens(one, two)
    reader.until(READY)
    reader.window.fill("#one form [name=body]", "A draft for the first.")

    assert (reader.bodies("#one"), reader.bodies("#two")) == (["First."], ["Elsewhere."])
    assert reader.window.input_value("#two form [name=body]") == ""


def test_nothing_is_asked_for_until_it_is_near(reader: Reader, talk: Talk) -> None:
    talk.say("First.")
    reader.window.goto(reader.publish(FAR, tag(reader.service, reader.page)))
    reader.window.wait_for_selector(f"{THREAD}[state=waiting]")
    reader.window.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 100)))")
    assert reader.asked == []

    reader.window.evaluate("scrollTo(0, document.body.scrollHeight)")

    reader.waits()
    assert reader.bodies() == ["First."]


def test_an_eager_one_does_not_wait(reader: Reader, talk: Talk) -> None:
    talk.say("First.")
    reader.opens(FAR, tag(reader.service, reader.page, loading="eager"))

    assert reader.bodies() == ["First."]


def test_counts_and_ratings_of_a_page_are_one_request(reader: Reader, talk: Talk, service: Demo) -> None:
    pages = [f"{talk.page}/{number}" for number in range(5)]
    for number, page in enumerate(pages):
        for n in range(number):
            Talk(service, page).say(f"Number {n}.", rating=8)
    counts = [tag(service.url, page, "greenroom-count") for page in pages]
    ratings = [tag(service.url, page, "greenroom-rating", look="number") for page in pages[2:]]
    reader.window.goto(reader.publish(*counts, *ratings))
    reader.until("() => [...document.querySelectorAll('greenroom-count')].every((one) => one.shadowRoot?.textContent)")

    texts = reader.window.locator("greenroom-count").evaluate_all("all => all.map((one) => one.shadowRoot.textContent)")
    assert texts == ["0 comments", "1 comment", "2 comments", "3 comments", "4 comments"]
    (asked,) = reader.asked
    assert sorted(parse_qs(urlsplit(asked.url).query)["page"]) == pages
    rated = reader.window.locator("greenroom-rating").evaluate_all(
        "all => all.map((one) => one.shadowRoot.textContent)"
    )
    assert rated == ["8 out of 10"] * 3


def test_a_page_of_another_site_takes_no_count_from_others(reader: Reader, talk: Talk, watch: Any) -> None:
    """The server refuses a list that has one; all others are counted, and the console says which it is."""
    talk.say("First.")
    pages = [f"{talk.page}/{number}" for number in range(6)]
    pages[3] = "https://elsewhere.example/a"
    pages[4] = talk.page
    reader.window.goto(reader.publish(*(tag(reader.service, page, "greenroom-count") for page in pages)))
    shown = "[...document.querySelectorAll('greenroom-count')].map((one) => one.shadowRoot.textContent)"
    reader.until(f"() => {shown}.filter(Boolean).length === 5")

    assert reader.window.evaluate(shown) == ["0 comments", "0 comments", "0 comments", "", "1 comment", "0 comments"]
    until(
        lambda: (
            reader.window.evaluate("1")
            and [text for text in watch.console if text.startswith("Greenroom: ") and pages[3] in text]
        )
    )


def test_counts_learn_a_language_once(reader: Reader, talk: Talk) -> None:
    """A browser takes milliseconds to learn how numbers are written, each time."""
    reader.window.add_init_script(
        "Intl.NumberFormat = new Proxy(Intl.NumberFormat, { construct: (...all) => {"
        " window.learnt = (window.learnt ?? 0) + 1; return Reflect.construct(...all); } })"
    )
    tags = [tag(reader.service, f"{talk.page}/{number}", "greenroom-count") for number in range(30)]
    reader.window.goto(reader.publish(*tags, tag(reader.service, talk.page)))
    reader.waits()
    reader.until("() => [...document.querySelectorAll('greenroom-count')].every((one) => one.shadowRoot?.textContent)")

    assert reader.window.evaluate("learnt") == 1


def test_a_rating_shows_stars(reader: Reader, talk: Talk) -> None:
    talk.say("First.", rating=8)
    reader.window.goto(reader.publish(tag(reader.service, talk.page, "greenroom-rating")))

    reader.window.wait_for_selector("greenroom-rating svg")
    assert "8 out of 10" in reader.window.locator("greenroom-rating").evaluate("one => one.shadowRoot.textContent")


def test_the_address_of_the_document_is_the_page(reader: Reader, talk: Talk) -> None:
    """Its canonical one, when it says which that is."""
    talk.say("First.")
    bare = '<greenroom-thread site="demo"></greenroom-thread>'
    canonical = f'<link rel="canonical" href="{reader.theirs.origin}{talk.page}">'
    reader.visits(reader.publish(bare, head=canonical) + "?utm_source=x#y")
    assert parse_qs(urlsplit(threads(reader)[0]).query)["page"] == [f"{reader.theirs.origin}{talk.page}"]


def test_it_gives_no_error_on_a_site_that_is_not_there(reader: Reader, watch: Any) -> None:
    reader.window.goto(reader.publish(tag(reader.service, "/x", site="nobody")))
    reader.window.wait_for_selector(f"{THREAD}[state=failed]")

    assert reader.link().is_visible()
    assert [text for text in watch.console if "Greenroom" in text]


def test_a_page_with_a_base_keeps_its_permalinks(reader: Reader, talk: Talk) -> None:
    said = talk.say_many(30)
    url = reader.publish(head=f'<base href="{reader.theirs.origin}/elsewhere/">')
    reader.visits(f"{url}?a=b#c")

    link = reader.does("link", reader.comment(said[5]))
    assert link.evaluate("one => one.href") == f"{url}?a=b#comment-{said[5]}"
    link.click()
    until(lambda: (reader.active() or {}).get("tag") == "article")
    assert reader.window.url == f"{url}?a=b#comment-{said[5]}"


def test_a_page_without_a_base_has_short_permalinks(reader: Reader, talk: Talk) -> None:
    """So that they stay right where an application changes the address."""
    said = talk.say("First.")
    reader.opens()

    assert reader.does("link", reader.comment(said)).get_attribute("href") == f"#comment-{said}"
