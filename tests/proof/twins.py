"""Twins of pages: the same page from the same rows, with a harmless word in place of all that somebody wrote.

A page is sound when it has the elements and attributes of its twin, and says what the twin's words stand for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote, unquote_plus

from sqlalchemy import bindparam

from service.db import Base, db
from service.desk.links import link_hosts

from .parsers import PARSERS, Element, Parser, by_lexbor, text_of

WORDS = {
    "comments": ("name", "body", "reason", "decided_name", "html"),
    "comment_revisions": ("body",),
    "comment_reports": ("note",),
    "pages": ("title",),
    "sites": ("name", "privacy_text", "privacy_url"),
    "reject_reasons": ("title", "sentence"),
    "saved_filters": ("name",),
    "moderators": ("name",),
    "api_tokens": ("name",),
    "rules": ("note", "created_name"),
    "invites": ("name",),
    "passkeys": ("name",),
    "webhook_endpoints": ("note",),
    "webhook_attempts": ("excerpt",),
    "audit_details": ("details",),
}
"""The columns that hold what somebody wrote. Their twins hold harmless words."""

Words = Mapping[str, str | None]
"""What harmless words stand for; None where it cannot be told."""

WORD = "zq{:06}qz"
_WORD = re.compile(r"zq\d{6}qz")
"""A harmless word of a twin."""
TYPED = 900_000
"""Words from this number on were typed; the others are stored."""


def harmless() -> dict[str, str | None]:
    """Put a harmless word in place of everything that somebody wrote; what each of them stands for."""
    words: dict[str, str | None] = {}

    def instead(value: str | None) -> str:
        word = WORD.format(len(words))
        words[word] = value
        return word

    with db.engine.begin() as connection:
        for name, columns in WORDS.items():
            table = Base.metadata.tables[name]
            keys = list(table.primary_key.columns)
            rows = connection.execute(table.select()).mappings().all()
            found = [
                {f"key_{key.name}": row[key.name] for key in keys}
                | {f"its_{one}": _replaced(one, row[one], instead) for one in columns}
                for row in rows
            ]  # fmt: skip
            if found:
                values: dict[str, Any] = {one: bindparam(f"its_{one}") for one in columns}
                its = [key == bindparam(f"key_{key.name}") for key in keys]
                connection.execute(table.update().where(*its).values(values), found)
    return words


def _replaced(column: str, value: Any, instead: Callable[[str | None], str]) -> Any:
    if not value:
        return value
    if column == "html":
        return _html(value, instead)
    if isinstance(value, dict):
        free = ("reason", "note", "name", "before", "after", "title", "alias")
        return {name: _replaced(name, one, instead) if name in free else one for name, one in value.items()}
    return instead(value) if isinstance(value, str) else value


_EXCERPT = 200
"""Characters of a comment that stand above its answers, as text."""


def _html(markup: str, instead: Callable[[str | None], str]) -> str:
    """As many hosts to link to, and some words: pages tell both as text, and the HTML itself is not compared."""
    text = text_of(markup)
    links = "".join(f'<a href="https://{instead(None)}.example/">x</a>' for _ in link_hosts(markup))
    return f"<p>{links}</p>" if links else f"<p>{instead(text if len(text) < _EXCERPT else None)}</p>"


class Twin:
    """A page with harmless words, and what each of these words stands for."""

    def __init__(self, markup: str) -> None:
        self.elements = _outside(by_lexbor(markup))

    def differences(self, markup: str, words: Words, parsers: Mapping[str, Parser] = PARSERS) -> Iterator[str]:
        """What the page holds that the twin does not: other elements, attributes or comments, or changed words.

        `words`: what each harmless word of the twin stands for.
        """
        for name, parse in parsers.items():
            found = _outside(parse(markup))
            if [one.shape for one in found] != [one.shape for one in self.elements]:
                yield f"{name}: {self._first_other(found)}"
                continue
            for one, ours in zip(found, self.elements, strict=True):
                yield from (f"{name}: {what}" for what in _changed(one, ours, words))

    def _first_other(self, found: list[Element]) -> str:
        pairs = zip([*found, None], [*self.elements, None], strict=False)
        one, ours = next((one, ours) for one, ours in pairs if (one and one.shape) != (ours and ours.shape))
        return f"{one and (one.tag, one.attributes)} where {ours and (ours.tag, ours.attributes)} should be"


def _outside(elements: list[Element]) -> list[Element]:
    """The elements but those inside the HTML of comments, and what marks the words that differ."""
    kept: list[Element] = []
    held: int | None = None
    differing: int | None = None
    for one in elements:
        if held is not None and one.depth > held:
            continue
        if differing is not None and one.depth > differing:
            if one.tag not in _MARKS:
                kept.append(one)
            continue
        held = one.depth if one.get("class") in _HELD else None
        differing = one.depth if one.get("class") == _DIFF else None
        is_ours = held is None and differing is None
        kept.append(one if is_ours else Element(one.depth, one.tag, one.attributes))
    return kept


def _changed(one: Element, twin: Element, words: Words) -> Iterator[str]:
    """How the words of an element, and of its attributes, are not those of its twin."""
    if one.tag == "script":
        if "<" in one.text:
            yield f"a script holds {one.text[:80]!r}"
    elif not _means(one.text, twin.text, words):
        yield f"{one.tag} says {one.text!r}"
    for (name, value), (_, twins) in zip(sorted(one.attributes), sorted(twin.attributes), strict=True):
        if not _means(value, twins, words):
            yield f"{one.tag} {name} is {value!r}"


def _means(shown: str, twins: str, words: Words) -> bool:
    """Whether a text is what the twin's words stand for, as far as that is known."""
    if not _WORD.search(twins):
        return True
    if any(words.get(word, word) is None for word in _WORD.findall(twins)):
        return True
    read = (str, unquote, unquote_plus, lambda text: unquote_plus(unquote_plus(text)))  # an address in an address
    meant = {_bare(_WORD.sub(lambda word: words.get(word[0], word[0]) or "", as_(twins))) for as_ in read}
    return any(_bare(as_(shown)) in meant for as_ in read)


def _bare(text: str) -> str:
    """Without white space, and without ages, which differ when a page is drawn again."""
    return "".join(_AGE.sub("", text).split())


_AGE = re.compile(r"just now|\d+ (?:minute|hour)s? ago|\d+ \w+ \d{4}, \d\d:\d\d UTC")


_HELD = ("gr-body", "said")
"""The classes of the elements whose content is a comment's HTML: it is held to the list above."""
_DIFF, _MARKS = "diff", ("ins", "del")
"""The class of what differs, and what may stand in it: other words differ elsewhere."""
