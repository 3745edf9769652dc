"""What published HTML may hold, judged by two parsers that the sanitiser does not use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import html5lib

ELEMENTS = set("p br strong em b i del s code pre blockquote ul ol li a hr".split())  # noqa: SIM905
ATTRIBUTES = {("a", "href"), ("a", "rel"), ("ol", "start")}
SCHEMES = {"http", "https", "mailto"}
REL = "nofollow ugc noopener noreferrer"

_XHTML = "{http://www.w3.org/1999/xhtml}"
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff]")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)


def violations(markup: str) -> list[str]:
    """All that is wrong with the HTML of a comment; nothing when it may be published."""
    controls = [f"control {found!r}" for found in _CONTROLS.findall(markup)]
    return controls + list(_by_html5lib(markup)) + _Watcher.watch(markup)


def _by_html5lib(markup: str) -> Iterator[str]:
    tree = html5lib.parseFragment(_CONTROLS.sub("", markup), container="div")
    for element in tree.iter():
        if element is tree:
            continue
        if not isinstance(element.tag, str):
            yield "comment"
        elif not element.tag.startswith(_XHTML):
            yield f"foreign element {element.tag}"
        else:
            yield from _element(element.tag.removeprefix(_XHTML), element.attrib)


def _element(name: str, attributes: dict[str, str]) -> Iterator[str]:
    if name not in ELEMENTS:
        yield f"element {name}"
    for attribute, value in attributes.items():
        if (name, attribute) not in ATTRIBUTES:
            yield f"attribute {attribute} on {name}"
        elif attribute == "href" and _scheme(value) not in SCHEMES:
            yield f"address {value!r}"
    if name == "a" and attributes.get("rel") != REL:
        yield "link without its rel"


def _scheme(url: str) -> str | None:
    """The scheme as a browser (WHATWG) finds it; None for a relative URL."""
    stripped = url.strip("".join(map(chr, range(0x21))))
    found = _SCHEME.match(re.sub("[\t\n\r]", "", stripped))
    return found[1].lower() if found else None


class _Watcher(HTMLParser):
    """The same rules with Python's own parser."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    @classmethod
    def watch(cls, markup: str) -> list[str]:
        watcher = cls()
        try:
            watcher.feed(markup)
            watcher.close()
        except AssertionError:  # its way to say that it cannot read a declaration
            watcher.found.append("declaration")
        return watcher.found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += _element(tag, {name: value or "" for name, value in attrs})

    def handle_comment(self, data: str) -> None:
        self.found.append("comment")

    def _markup(self, *_: Any) -> None:
        self.found.append("declaration")

    handle_decl = handle_pi = unknown_decl = _markup
