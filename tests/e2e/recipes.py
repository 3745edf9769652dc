"""The manual's recipes for pages, as they stand there and as they stand on a page of a test."""

from __future__ import annotations

import re
from html import escape

from tests.conftest import ROOT

PATH, TITLE = "/posts/salt-ledger/", 'The "Salt" Ledger & more'
_MANUAL = "https://comments.example.org"
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def section(title: str, page: str = "widget.md") -> str:
    """What stands below a heading of the manual."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    below = re.split(rf"^#+ {re.escape(title)}\n", text, flags=re.MULTILINE)
    assert len(below) == 2, f"{page} has no heading {title!r}, or several"
    return re.split(r"^#+ \w", below[1], maxsplit=1, flags=re.MULTILINE)[0]


def blocks(title: str, page: str = "widget.md") -> list[tuple[str, str]]:
    """The examples below a heading of the manual: language and text."""
    return _FENCE.findall(section(title, page))


def recipe(title: str, language: str, service: str) -> str:
    """The example of a language below a heading, with Greenroom where it is in this test."""
    (found,) = [text for told, text in blocks(title) if told == language]
    assert _MANUAL in found
    return found.replace(_MANUAL, service)


def included(title: str) -> tuple[str, str]:
    """The file that the manual puts a generator's example into, and how it says that a page calls it."""
    (found,) = re.findall(r"^In `(\S+)`, (?:called with|used as) `(.+?)`", section(title), re.MULTILINE)
    return found


def page(body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(TITLE)}</title><body>{body}</body></html>'
    )
