"""The manual's recipes for pages, as they stand there and as they stand on a page of a test."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape

from tests.conftest import ROOT

PATH, TITLE = "/posts/salt-ledger/", 'The "Salt" Ledger & more'
_MANUAL = "https://comments.example.org"
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LEFT = re.compile(r"\{\{|\{%|=\{|^---$", re.MULTILINE)


def blocks(title: str, page: str = "widget.md") -> list[tuple[str, str]]:
    """The examples below a heading of the manual: language and text."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    below = re.split(rf"^#+ {re.escape(title)}\n", text, flags=re.MULTILINE)
    assert len(below) == 2, f"{page} has no heading {title!r}, or several"
    return _FENCE.findall(re.split(r"^#+ \w", below[1], maxsplit=1, flags=re.MULTILINE)[0])


def recipe(title: str, language: str, service: str) -> str:
    """The example of a language below a heading, with Greenroom where it is in this test."""
    (found,) = [text for told, text in blocks(title) if told == language]
    assert _MANUAL in found
    return found.replace(_MANUAL, service)


def made(template: str, values: Mapping[str, str]) -> str:
    """What a generator makes of a template, where all places are known."""
    for place, value in values.items():
        assert place in template, place
        template = template.replace(place, value)
    assert not _LEFT.search(template), template
    return template


def page(body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(TITLE)}</title><body>{body}</body></html>'
    )
