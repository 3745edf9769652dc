"""HTML that another comment system stored, made ready for the sanitiser: nothing here makes it safe."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

_NO_ATTRIBUTES = re.compile(r"<(?!(?:a|ol)\b)([a-z][a-z0-9]*)[\s/][^>]*>", re.IGNORECASE)
_HEADING = re.compile(r"<(/?)h[1-6](?:\s[^<>]*)?>", re.IGNORECASE)
_BLOCK = re.compile(
    r"<(/?)(?:address|article|aside|caption|center|dd|details|div|dl|dt|fieldset|figcaption|figure|footer|form"
    r"|header|main|nav|section|summary|table|tbody|td|tfoot|th|thead|tr)(?:\s[^<>]*)?>",
    re.IGNORECASE,
)
_PARAGRAPHED = re.compile(r"<(?:p|div|table|section|article)[\s>]", re.IGNORECASE)
_STRUCTURE = re.compile(r"(</?(?:blockquote|ul|ol|li|pre|hr|h[1-6])(?:\s[^<>]*)?/?>)", re.IGNORECASE)
_HOLDS_WORDS = re.compile(r"<(?:li|h[1-6])[\s>]")
_BREAK = re.compile(r"(?<!<br>)(?<!<br/>)(?<!<br />)\n")
_NESTING = re.compile(r"<(/?)(?!br|hr)[a-z]+")
_CONTAINER = re.compile(r"<(/?)(?:blockquote|ul|ol)\b", re.IGNORECASE)
_LINE_END = re.compile(r"<(?:br|/p|/li|/div|/tr|/h[1-6]|/blockquote)\b[^>]*>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-z][^>]*>|<!--[^>]*>", re.IGNORECASE)
_HUGE_REFERENCE = re.compile(r"&#\d{8,};?")

BLANK_LINES = re.compile(r"\n[^\S\n]*\n\s*")


def arranged(text: str) -> str:
    """The same words in elements that comments may have; paragraphs made where there are none (WordPress)."""
    # Formatting elements that differ in an attribute are opened again in every later paragraph: a thousand
    # of them make megabytes out of ten kilobytes. Beyond the last ">" there is no tag, so this is linear.
    end = text.rfind(">") + 1
    text = _NO_ATTRIBUTES.sub(r"<\1>", text[:end]) + text[end:]
    if not _PARAGRAPHED.search(text):
        text = _paragraphed(text)
    text = _HEADING.sub(lambda tag: "</strong></p>" if tag[1] else "<p><strong>", text)
    return _BLOCK.sub(lambda tag: "</p>" if tag[1] else "<p>", text)


def _paragraphed(text: str) -> str:
    """WordPress' way: blank lines part paragraphs and single newlines break lines, except in `<pre>`."""
    parts = []
    before = ""
    for index, part in enumerate(_STRUCTURE.split(text)):
        if index % 2:
            before = part.lower()
        elif not before.startswith("<pre"):
            part = _lines(part, opened=_HOLDS_WORDS.match(before) is not None)
        parts.append(part)
    return "".join(parts)


def _lines(text: str, *, opened: bool) -> str:
    """Paragraphs with line breaks; where an element for the words is `opened`, the first needs no `<p>`."""
    paragraphs = [_BREAK.sub("<br>\n", part) for part in BLANK_LINES.split(text.strip()) if part]
    return ("<p>" if paragraphs and not opened else "") + "\n<p>".join(paragraphs)


def depth(sanitised: str) -> int:
    """How deep sanitised HTML is nested."""
    return _deepest(_NESTING.finditer(sanitised))


def containers(text: str) -> int:
    """How deep any HTML nests what has to be closed: quotes and lists."""
    return _deepest(_CONTAINER.finditer(text))


def _deepest(tags: Iterable[re.Match[str]]) -> int:
    deepest = level = 0
    for tag in tags:
        level += -1 if tag[1] else 1
        deepest = max(deepest, level)
    return deepest


def without_tags(text: str) -> str:
    """HTML that is too long to be parsed, as text: tags gone, entities read, in linear time."""
    end = text.rfind(">") + 1
    words = _TAG.sub("", _LINE_END.sub("\n\n", text[:end])) + text[end:]
    # Python refuses to read a number of thousands of digits.
    return html.unescape(_HUGE_REFERENCE.sub("\ufffd", words))
