"""Markdown as comments know it: CommonMark with strikethrough and bare links, without HTML and images."""

from __future__ import annotations

import logging
import re

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline, link

DEEPEST = 10
"""Levels of lists and quotes; a list counts as two."""

_LAST = -1
"""Where a text's cache, which the parser keeps by position, says where the last link could end."""
_LAZIEST = 4_000
_LONGEST_LINK = 2_000
_MARKERS = re.compile(r"[\s>*+\-.)\d]*")
_LINK_START = re.compile(r"https?://[^/]|mailto:.", re.IGNORECASE)
_BARE_SCHEME = re.compile(r"(?<![a-z0-9])https?$", re.IGNORECASE)
_BARE_REST = re.compile(r"://[^\W_][^\s<>\"`\\|^{}\u2018-\u201f\u3000-\u303f\uff01-\uff0f\uff1a-\uff1f]*")


def to_html(text: str) -> str | None:
    """HTML that still has to be sanitised; None where lists and quotes are nested too deep, or go on too long.

    The parser silently drops what lies below its limit, and a comment must not lose words.
    """
    if _laziness(text) > _LAZIEST:
        return None
    tokens = _PARSER.parse(text)
    containers = (token for token in tokens if token.type in ("blockquote_open", "list_item_open"))
    if any(token.level >= DEEPEST - 1 for token in containers):
        return None
    markup: str = _PARSER.renderer.render(tokens, _PARSER.options, {})
    return markup


def _laziness(text: str) -> int:
    """How often the parser looks at lines that go on with a quote above without its marks: once for each level."""
    levels = total = 0
    for line in text.split("\n"):
        marks = _MARKERS.match(line)
        quoted = marks.group().count(">") if marks else 0
        # A blank line ends what may go on.
        levels = quoted or (levels if line and not line.isspace() else 0)
        total += min(levels, DEEPEST) - min(quoted, DEEPEST)
    return total


class _Markdown(MarkdownIt):
    """Links lead to the web or to a mailbox, at a length that browsers take; all else stays text."""

    def normalizeLink(self, url: str) -> str:
        # Encoding a host name takes the square of its length.
        return super().normalizeLink(url) if len(url) <= _LONGEST_LINK else ""

    def validateLink(self, url: str) -> bool:
        return _LINK_START.match(url) is not None


def _bare_link(state: StateInline, silent: bool) -> bool:
    """An inline rule: http://… and https://… become links as they stand.

    The parser's own linkify takes exponential time for hosts such as `xn--a.xn--a.…`, and also links words
    like `done.So` and `README.md`. This rule looks at every character once.
    """
    if state.linkLevel or state.src[state.pos] != ":":
        return False
    scheme = _BARE_SCHEME.search(state.src[max(0, state.pos - 6) : state.pos])
    rest = scheme and _BARE_REST.match(state.src, state.pos, state.posMax)
    # Text that an escape or entity has already made a token of is no longer pending.
    if not scheme or not rest or not state.pending.endswith(scheme.group()):
        return False
    tail = _trimmed(rest.group())
    written = scheme.group() + tail
    target = state.md.normalizeLink(written)
    state.pos += len(tail)
    if silent:
        return True
    if not state.md.validateLink(target):
        # Taken as text, lest every "://" in it be tried again.
        state.append_pending(tail)
        return True
    state.pending = state.pending[: -len(scheme.group())]
    state.push("link_open", "a", 1).attrs = {"href": target}
    state.push("text", "", 0).content = written
    state.push("link_close", "a", -1)
    return True


def _link(state: StateInline, silent: bool) -> bool:
    """The parser's own rule, where any link can still follow: it looks far ahead from each bracket."""
    if state.src[state.pos] != "[":
        return False
    if _LAST not in state.cache:
        state.cache[_LAST] = state.src.rfind("](")
    return state.pos < state.cache[_LAST] and link(state, silent)


def _trimmed(url: str) -> str:
    """A bare URL without what belongs to the sentence: closing marks, and brackets that it did not open."""
    spare = {")": url.count(")") - url.count("("), "]": url.count("]") - url.count("[")}
    end = len(url)
    while url[end - 1] in "?!.,:;*_~'" or spare.get(url[end - 1], 0) > 0:
        end -= 1
        if url[end] in spare:
            spare[url[end]] -= 1
    return url[:end]


def _heading_open(*_: object) -> str:
    return "<p><strong>"


def _heading_close(*_: object) -> str:
    return "</strong></p>\n"


def _parser() -> MarkdownIt:
    """The parser, ready to be shared by threads: it keeps nothing between two texts.

    A heading is a bold paragraph, for a comment has no chapters. There are no reference definitions:
    `[a]: https://long…` and a thousand `[a]` would make megabytes out of ten kilobytes, and a definition
    is text that no reader sees.
    """
    parser = _Markdown("commonmark", {"html": False, "breaks": True, "maxNesting": DEEPEST})
    parser.enable("strikethrough").disable(["image", "reference", "html_block", "html_inline"])
    parser.inline.ruler.after("text", "bare_link", _bare_link)
    parser.inline.ruler.at("link", _link)
    parser.add_render_rule("heading_open", _heading_open)
    parser.add_render_rule("heading_close", _heading_close)
    # Its debug log names every rule at every line: hundreds of thousands of entries for one comment.
    logging.getLogger("markdown_it").setLevel(logging.INFO)
    # It puts its rules together on first use; two threads that come first together could see half of them.
    parser.render("warm")
    return parser


_PARSER = _parser()
