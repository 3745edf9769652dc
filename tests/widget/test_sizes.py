"""What a page has to load for the widget, in bytes as they travel: for a first read, and with form and language."""

from __future__ import annotations

import gzip
import posixpath
import re
from typing import Any

import pytest

from service.embed.widget import release
from tests.conftest import ROOT

from .reader import Reader
from .talk import Talk

READ, ALIVE, WRITE, POST, POSTED = 12_000, 15_000, 20_000, 29_000, 31_000
"""Bytes that may be loaded until comments can be read, while they are, with form and language, by who writes,
and by who has posted."""

LANGUAGES = sorted(name.removeprefix("lang/read/")[:2] for name in release().files if name.startswith("lang/read/"))
IMPORT = re.compile(r"""(?:\bimport|\bfrom)\s*["']([^"']+)["']""")


def packed(data: bytes) -> int:
    return len(gzip.compress(data, 9))


def closure(*names: str) -> dict[str, bytes]:
    """These files as they are served, and all that they import at once; style sheets are in them."""
    found: dict[str, bytes] = {}
    left = list(names)
    while left:
        name = left.pop()
        if name in found:
            continue
        found[name] = release().files[name]
        if name.endswith(".js"):
            text = found[name].decode()
            left += [_beside(name, one) for one in IMPORT.findall(text)]
    return found


def _beside(name: str, other: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), other))


def reading(language: str = "en") -> dict[str, bytes]:
    """What is loaded where comments are read: the entry, and the thread when it is near."""
    return {"widget.js": release().entry} | closure("thread.js", f"lang/read/{language}.js")


def told(what: str, files: dict[str, bytes]) -> int:
    sizes = {name: packed(data) for name, data in files.items()}
    print(f"{what}: {sum(sizes.values()):,} bytes", sizes)
    return sum(sizes.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_first_read_is_small(language: str) -> None:
    files = reading(language)
    assert files.keys() == {"widget.js", "thread.js", "kit.js", f"lang/read/{language}.js"}
    assert told("A first read", files) <= READ


@pytest.mark.parametrize("language", LANGUAGES)
def test_with_the_form_it_is_small(language: str) -> None:
    """All that is loaded where a form is at hand."""
    files = reading(language) | closure("living.js", "dress.js", "form.js", f"lang/write/{language}.js")

    assert told("With form and language", files) <= WRITE


@pytest.mark.parametrize("language", LANGUAGES)
def test_with_all_that_it_takes_to_post_it_is_small(language: str) -> None:
    """What sends a comment comes with its first letter, whole: the connection may break before it is posted."""
    files = reading(language) | closure("dress.js", "form.js", "sending.js", f"lang/write/{language}.js")

    assert told("With all that it takes to post", files) <= POST
    assert told("And one's own comments", files | closure("mine.js")) <= POSTED


def test_the_manual_tells_what_is_measured() -> None:
    manual = (ROOT / "docs/widget.md").read_text(encoding="utf-8")
    told = manual[manual.index("Nothing is loaded but") : manual.index("### Without JavaScript")]
    assert [int(number) * 1000 for number in re.findall(r"\b\d+\b", told)] == [READ, ALIVE, WRITE, POST, POSTED]


def test_nothing_else_is_loaded_at_once() -> None:
    """The entry imports nothing: until a thread is near, a page has loaded this one file."""
    assert IMPORT.findall(release().entry.decode()) == []
    assert told("The entry", {"widget.js": release().entry}) <= 3_000


def test_a_weight_is_seen() -> None:
    """The control: a library of the usual size, as the peers of this widget have one."""
    heavy = "".join(f"function f{n}(a){{return a*{n * 7919}}}" for n in range(2_000)).encode()
    assert told("With a library", reading() | {"library.js": heavy}) > READ


def test_all_languages_are_weighed() -> None:
    assert len(LANGUAGES) == 21


@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", "ru"])
def test_a_browser_loads_no_more_to_read(reader: Reader, talk: Talk, language: str) -> None:
    """Counted from what it asked for: until comments are there, and then for as long as nobody comes near the form."""
    talk.say_many(30)
    answers: list[Any] = []
    reader.window.on("response", lambda answer: answers.append(answer))
    reader.window.add_init_script(
        "addEventListener('greenroom:ready', () => {"
        " window.sooner = performance.getEntriesByType('resource').map((one) => one.name) })"
    )
    reader.opens(lang=language)
    reader.window.wait_for_load_state("networkidle")

    sooner = set(reader.window.evaluate("sooner"))
    ours = [one for one in answers if one.url.startswith(reader.service) and "/v1/" not in one.url]
    loaded = {one.url: packed(one.body()) for one in ours}
    first = {url: size for url, size in loaded.items() if url in sooner}
    print("Loaded by the browser:", sum(first.values()), first, sum(loaded.values()), loaded)
    assert {url.rpartition("/")[2] for url in first} == {"widget.js", "kit.js", "thread.js", f"{language}.js"}
    assert sum(first.values()) <= READ
    assert {url.rpartition("/")[2] for url in loaded.keys() - first.keys()} == {"living.js"}
    assert sum(loaded.values()) <= ALIVE


@pytest.mark.browser
def test_a_browser_loads_no_more_than_that(reader: Reader, talk: Talk) -> None:
    """Counted from what it asked for until somebody types: nothing is loaded that the imports do not tell."""
    talk.say("It stays with you.")
    answers: list[Any] = []
    reader.window.on("response", lambda answer: answers.append(answer))
    reader.opens(lang="de")
    reader.field("body").focus()
    reader.window.wait_for_load_state("networkidle")

    sizes = loaded(reader, answers)
    print("Loaded by the browser:", sum(sizes.values()), sizes)
    names = {name.rpartition("/")[2] for name in sizes}
    assert {"widget.js", "thread.js", "form.js", "de.js"} <= names
    assert sum(sizes.values()) <= WRITE
    known = set(sizes)
    reader.posts()
    reader.window.wait_for_load_state("networkidle")
    sizes = loaded(reader, answers)
    print("Loaded by who posts:", sum(sizes.values()), sizes)
    later = {name.rpartition("/")[2] for name in sizes.keys() - known}
    assert later == {"sending.js", "deeds.js", "failing.js", "outbox.js", "typo.js", "mine.js"}
    assert sum(sizes.values()) <= POSTED


def loaded(reader: Reader, answers: list[Any]) -> dict[str, int]:
    """The widget's files among all that came, and their sizes."""
    ours = [one for one in answers if one.url.startswith(reader.service) and "/v1/" not in one.url]
    return {one.url.removeprefix(reader.service): packed(one.body()) for one in ours}
