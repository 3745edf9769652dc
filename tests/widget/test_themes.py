"""Pages that turn dark while somebody reads, by whatever means; and what of that is on paper."""

from __future__ import annotations

import pytest

from tests.processes import until

from .elsewhere import Elsewhere, tag
from .reader import THREAD, Reader
from .talk import Talk

pytestmark = pytest.mark.browser

DARK = "{ background: #14181c; color: #dde3e8 }"

_BRIGHT = """one => [...one.shadowRoot.querySelectorAll("h2, article *")].filter((part) => part.checkVisibility())
  .map((part) => [part.localName, part.className, ...getComputedStyle(part).color.match(/\\d+/g).map(Number)])
  .filter(([, , r, g, b]) => r + g + b > 300).map(String)"""


def scheme(reader: Reader) -> str:
    return reader.style("[part~=root]", "--scheme")


def test_a_class_of_a_wrapper_is_seen(reader: Reader, talk: Talk) -> None:
    """As most frameworks have it for a page or an island in it."""
    talk.say("First.")
    island = f"<div id=app><section>{tag(reader.service, reader.page)}</section></div>"
    reader.opens(island, head=f"<style>#app.dark {DARK}</style>")
    assert scheme(reader) == "light"

    reader.window.evaluate("() => { app.className = 'dark' }")

    until(lambda: scheme(reader) == "dark")


SWAPS = {
    "another address": "() => { sheet.href = '/dark.css' }",
    "another sheet": "() => { other.disabled = false }",
    "a new one": "() => { document.head.append(Object.assign(document.createElement('link'),"
    " { rel: 'stylesheet', href: '/dark.css' })) }",
    "other words": f"() => {{ words.firstChild.data = 'body {DARK}' }}",
    "another medium": "() => { narrow.media = 'all' }",
}


@pytest.mark.parametrize("name", SWAPS)
def test_a_style_sheet_that_is_swapped_is_seen(reader: Reader, talk: Talk, theirs: Elsewhere, name: str) -> None:
    talk.say("First.")
    theirs.put("/bright.css", "p { margin: 1em }", Content_Type="text/css")
    theirs.put("/dark.css", f"body {DARK}", Content_Type="text/css")
    sheets = [
        '<link id="sheet" rel="stylesheet" href="/bright.css">',
        '<link id="other" rel="stylesheet" href="/dark.css" disabled>',
        '<style id="words">p { margin: 1em }</style>',
        f'<style id="narrow" media="not all">body {DARK}</style>',
    ]
    reader.opens(head="".join(sheets))
    assert scheme(reader) == "light"

    reader.window.evaluate(SWAPS[name])

    until(lambda: scheme(reader) == "dark")


def test_a_dark_page_is_printed_dark_on_white(reader: Reader, talk: Talk) -> None:
    talk.say("It stays with you: [a link](https://x.example.org).\n\n> A quotation.", rating=8)
    reader.opens(head=f"<style>body {DARK}</style>")
    assert reader.window.locator(THREAD).evaluate(_BRIGHT) != []

    reader.window.emulate_media(media="print")

    assert reader.window.locator(THREAD).evaluate(_BRIGHT) == []


SWITCHES = ["data-mode", "data-scheme", "data-md-color-scheme", "data-color-mode", "data-mantine-color-scheme"]


@pytest.mark.parametrize("name", SWITCHES)
def test_whatever_attribute_turns_a_page_dark_is_seen(reader: Reader, talk: Talk, name: str) -> None:
    talk.say("First.")
    reader.opens(head=f"<style>[{name}=dark] body {DARK}</style>")
    assert scheme(reader) == "light"

    reader.window.evaluate("name => document.documentElement.setAttribute(name, 'dark')", name)

    until(lambda: scheme(reader) == "dark")


def test_a_page_that_turns_slowly_is_looked_at_when_it_has_turned(reader: Reader, talk: Talk) -> None:
    talk.say("First.")
    reader.opens(head=f"<style>body {{ transition: all 1.5s }} .dark body {DARK}</style>")
    accent = reader.style("[part~=root]", "--ground")

    reader.window.evaluate("() => { document.documentElement.className = 'dark' }")

    until(lambda: reader.style("[part~=root]", "--ground") == "rgb(20,24,28)")
    assert accent != "rgb(20,24,28)"


def test_what_turns_a_page_dark_untold_is_seen_in_a_while(reader: Reader, talk: Talk) -> None:
    """A rule that is put into a style sheet is nothing that a page tells of."""
    talk.say("First.")
    reader.window.clock.install()
    reader.opens(head="<style id=words>p { margin: 1em }</style>")
    reader.window.evaluate(f"() => {{ words.sheet.insertRule('body {DARK}') }}")
    assert scheme(reader) == "light"

    reader.window.clock.fast_forward(31_000)

    until(lambda: scheme(reader) == "dark")


def test_a_page_that_changes_all_the_time_is_not_looked_at_each_time(reader: Reader, talk: Talk) -> None:
    talk.say("First.")
    reader.opens()
    reader.window.evaluate(
        """() => {
          window.looked = 0;
          const real = getComputedStyle;
          window.getComputedStyle = (one) => {
            looked += one.localName === "greenroom-thread";
            return real(one);
          };
        }"""
    )
    before = reader.window.evaluate(
        """async () => {
          for (let n = 0; n < 100; n++) {
            document.body.dataset.mode = n;
            await null;
          }
          await new Promise((done) => setTimeout(done, 1000));
          return looked;
        }"""
    )

    assert 0 < before <= 4, "each look has its own style of the element, and what it stands on"


def test_what_comes_later_leaves_no_empty_page_on_paper(reader: Reader, talk: Talk) -> None:
    """The place of a form that nobody came near to is as high as a screen."""
    talk.say_many(40)
    reader.opens()
    assert reader.part("below").evaluate("one => one.getBoundingClientRect().height") > 100

    reader.window.emulate_media(media="print")

    assert reader.part("below").evaluate("one => one.getBoundingClientRect().height") == 0
