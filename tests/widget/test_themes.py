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
