"""From what somebody wrote to the HTML that everybody reads: the one renderer and the one sanitiser."""

from __future__ import annotations

import html
import re

import nh3

from service.comments import commonmark, foreignhtml
from service.sites.weburl import host_of

RENDER_VERSION = 4
"""Raise it when a body would now give other HTML, or what is kept beside it (`likeness`); what was stored under a lower
one is rendered again."""

LONGEST = 20_000
"""Characters that are read as Markdown or HTML. Both parsers know inputs that cost them the square of the
length, and imported bodies have no cap: a longer one is shown as plain paragraphs, in linear time."""

TAGS = frozenset((
    "p", "br", "strong", "em", "b", "i", "del", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "hr",
))  # fmt: skip

_DEEPEST = 50
_LARGEST_GROWTH = 20
_PIECE = 5_000

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff]")
_EMPTY = re.compile(r"<p>\s*</p>\n?")
_BLOCK_END = re.compile(r"</(?:p|li|pre|blockquote|ul|ol)>|<(?:br|hr)>")
_HREF = re.compile(r'<a href="([^"]*)"')
_CLEANER = nh3.Cleaner(
    tags=set(TAGS),
    attributes={"*": set(), "a": {"href"}, "ol": {"start"}},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    strip_comments=True,
    link_rel="nofollow ugc noopener noreferrer",
    clean_content_tags={"script", "style"},
)
_NO_TAGS = nh3.Cleaner(tags=set(), clean_content_tags={"script", "style"})


def render(body: str, body_format: str = "md") -> str:
    """The HTML of a comment: fit for any page, and always the same for the same body.

    `body_format` is "md" (Markdown, what people type) or "html" (imports). Both end in the sanitiser, and
    nothing comes after it. A body of any length and depth is rendered, in bounded time: one that is too
    long, too deep or swells too much is shown as plain paragraphs.
    """
    if body_format not in ("md", "html"):
        raise ValueError(f"A body is md or html, not {body_format}.")
    text = _CONTROLS.sub("", body.replace("\r\n", "\n").replace("\r", "\n"))
    read = _from_markdown if body_format == "md" else _from_html
    rendered = read(text) if len(text) <= LONGEST else None
    if rendered is None or len(rendered) > _LARGEST_GROWTH * (len(text) + 100):
        return _plain(text if body_format == "md" else foreignhtml.without_tags(text))
    return rendered


def clean(markup: str) -> str:
    """The sanitiser. Controls go before it (it refuses some) and after it (entities bring them back)."""
    return _CONTROLS.sub("", _CLEANER.clean(_CONTROLS.sub("", markup)))


def text_of(sanitised: str, limit: int | None = None) -> str:
    """The words of rendered HTML for feeds and summaries: one line, at most `limit` characters.

    This is TEXT: `&lt;b&gt;` has become `<b>` again. Escape it wherever it goes; it is never HTML.
    """
    if limit is not None and len(sanitised) > 4 * LONGEST:
        # A few words need no more than this; half a tag is dropped by the parser, half an entity here.
        sanitised = re.sub("&[a-z]*$", "", sanitised[: 4 * LONGEST])
    words = html.unescape(_NO_TAGS.clean(_BLOCK_END.sub(" ", sanitised)))
    text = " ".join(words.split())
    if limit is None or len(text) <= limit:
        return text
    head = text[: limit - 1]
    if text[limit - 1] != " " and " " in head:
        head = head[: head.rindex(" ")]
    return head + "…"


def hosts_of(sanitised: str, *more: str | None) -> set[str]:
    """The hosts to which the links of rendered HTML, and `more` URLs, lead: in ASCII, as a browser goes there."""
    urls = (*map(html.unescape, _HREF.findall(sanitised)), *more)
    return {host for url in urls if url and (host := host_of(url))}


def _from_markdown(text: str) -> str | None:
    """Sanitised HTML of Markdown; None where it is nested too deep."""
    markup = commonmark.to_html(text)
    return None if markup is None else clean(markup)


def _from_html(text: str) -> str | None:
    """Sanitised HTML of foreign HTML; None where it is nested too deep, or does not read back as itself."""
    if foreignhtml.containers(text) > _DEEPEST:
        return None  # known before it is parsed, which takes the square of its depth
    once = clean(foreignhtml.arranged(text))
    cleaned = clean(_EMPTY.sub("", once).strip())
    at_rest = foreignhtml.depth(cleaned) <= _DEEPEST and clean(cleaned) == cleaned
    return cleaned if at_rest else None


def _plain(text: str) -> str:
    """Text as paragraphs with line breaks, every other mark as itself; in linear time, however long."""
    # Piece by piece, since the sanitiser takes the square of a text's length where it holds many "&".
    pieces = (html.escape(text[at : at + _PIECE]) for at in range(0, len(text), _PIECE))
    paragraphs = foreignhtml.BLANK_LINES.split("".join(map(clean, pieces)).strip())
    return "\n".join("<p>" + part.replace("\n", "<br>\n") + "</p>" for part in paragraphs if part)
