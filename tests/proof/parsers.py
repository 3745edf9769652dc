"""HTML as browsers read it, by two parsers that the sanitiser does not use, and what a comment's HTML may hold."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import html5lib
from selectolax.lexbor import LexborHTMLParser

from service.comments.rendering import clean

ELEMENTS = frozenset("p br strong em b i del s code pre blockquote ul ol li a hr".split())  # noqa: SIM905
ATTRIBUTES = frozenset({("a", "href"), ("a", "rel"), ("ol", "start")})
SCHEMES = frozenset({"http", "https", "mailto"})
REL = "nofollow ugc noopener noreferrer"

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff]")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_XHTML = "{http://www.w3.org/1999/xhtml}"
_COMMENT = "#comment"


@dataclass(frozen=True)
class Element:
    """An element, or a comment (`#comment`), with how deep it stands and the words that are its own."""

    depth: int
    tag: str
    attributes: tuple[tuple[str, str], ...] = ()
    text: str = ""
    is_foreign: bool = False

    @property
    def shape(self) -> tuple[int, str, tuple[str, ...]]:
        return self.depth, self.tag, tuple(sorted(name for name, _ in self.attributes))

    def get(self, name: str) -> str:
        return dict(self.attributes).get(name, "")


Parser = Callable[[str], list[Element]]


def by_html5lib(markup: str) -> list[Element]:
    """All elements of a document in their order."""
    found: list[Element] = []
    _walk_html5lib(html5lib.parse(markup), 0, found)
    return found


def _walk_html5lib(one: Any, depth: int, found: list[Element]) -> None:
    if not isinstance(one.tag, str):
        found.append(Element(depth, _COMMENT))
        return
    namespace, _, tag = one.tag.rpartition("}")
    names = ((name.rpartition("}")[2].lower(), value) for name, value in one.attrib.items())
    text = (one.text or "") + "".join(child.tail or "" for child in one)
    found.append(Element(depth, tag.lower(), tuple(names), text, f"{namespace}}}" != _XHTML))
    for child in one:
        _walk_html5lib(child, depth + 1, found)


def by_lexbor(markup: str) -> list[Element]:
    """The same; lexbor does not tell namespaces, so those who hold it to a list allow no `svg` and no `math`."""
    found: list[Element] = []
    root = LexborHTMLParser(markup).root
    assert root is not None
    _walk_lexbor(root, 0, found)
    return found


def _walk_lexbor(one: Any, depth: int, found: list[Element]) -> None:
    words: list[str] = []
    place = len(found)
    found.append(Element(depth, ""))
    child = one.first_child
    while child is not None:
        if child.is_text_node:
            words.append(child.text_content or "")
        elif child.is_element_node:
            _walk_lexbor(child, depth + 1, found)
        else:
            found.append(Element(depth + 1, _COMMENT))
        child = child.next
    names = tuple((name.lower(), value or "") for name, value in one.attributes.items())
    found[place] = Element(depth, one.tag.lower(), names, "".join(words))


def text_of(markup: str) -> str:
    """The words of some HTML."""
    root = LexborHTMLParser(markup).root
    return root.text(deep=True) if root else ""


PARSERS: Mapping[str, Parser] = {"html5lib": by_html5lib, "lexbor": by_lexbor}


@lru_cache(maxsize=50_000)
def violations(markup: str) -> tuple[str, ...]:
    """All that is wrong with the HTML of a comment; nothing when it may stand in any page."""
    found = [f"control {one!r}" for one in _CONTROLS.findall(markup)]
    for name, parse in PARSERS.items():
        found += [f"{name}: {one}" for one in _unlisted(parse, markup)]
    return (*found, *(["cleaning changes it again"] if clean(markup) != markup else []))


def _unlisted(parse: Parser, markup: str) -> Iterator[str]:
    """In the way that pages hold it: it must neither leave its place nor bring anything that is not allowed."""
    head, (place, *rest) = _split(parse(f"<!doctype html><title>x</title><div>{markup}</div>"), "div")
    if [one.tag for one in head] != ["html", "head", "title", "body"]:
        yield f"{[one.tag for one in head]} around it"
    for one in rest:
        if one.depth <= place.depth:
            yield f"{one.tag} outside its place"
        yield from _of_element(one)


def _split(elements: list[Element], tag: str) -> tuple[list[Element], list[Element]]:
    at = next(n for n, one in enumerate(elements) if one.tag == tag)
    return elements[:at], elements[at:]


def _of_element(one: Element) -> Iterator[str]:
    if one.tag not in ELEMENTS or one.is_foreign:
        yield f"element {one.tag}"
    for name, value in one.attributes:
        if (one.tag, name) not in ATTRIBUTES:
            yield f"attribute {name} on {one.tag}"
        elif name == "href" and scheme(value) not in SCHEMES:
            yield f"address {value!r}"
    if one.tag == "a" and one.get("rel") != REL:
        yield "link without its rel"


def scheme(url: str) -> str | None:
    """The scheme as a browser (WHATWG) finds it; None for a relative URL."""
    stripped = url.strip("".join(map(chr, range(0x21))))
    found = _SCHEME.match(re.sub("[\t\n\r]", "", stripped))
    return found[1].lower() if found else None


def same(told: str, shown: str) -> bool:
    """Whether a text came back: the same in NFC, but for white space and for what nobody can see."""
    told = unicodedata.normalize("NFC", told)
    return told == shown or (not _is_plain(told) and essence(told) == essence(shown))


def _is_plain(text: str) -> bool:
    """Whether there is nothing in a text that could be tidied."""
    return text.isprintable() and text == " ".join(text.split()) and not any(map(unicodedata.combining, text))


def essence(text: str) -> str:
    """What of a text can be seen: no white space, controls, invisible characters and combining marks."""
    kept = (one for one in unicodedata.normalize("NFC", text) if unicodedata.category(one)[0] not in "ZCM")
    return "".join(kept)
