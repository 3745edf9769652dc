"""Hostile texts on a site: planted, looked at wherever they are shown, and named when they did harm."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence

from flask import Flask

from .planted import Garden, Own
from .sinks import Sight, Sinks, htmls, read
from .watched import Watched

HOSTILE = '"></title></textarea></script><img src=x onerror=alert(1)>'
"""Gets out of anything that it is not kept in."""

HARMLESS = [
    "Plain words", "https://ada.example.org/", "More-words", "words/", "It's plain", "x" * 12_000, "",
    "A *rich* **text**, `code`, a [link](https://x.example.org)\n\n> said\n\n- one\n\n1. two\n\n```\ncode\n```\n\n---",
]  # fmt: skip
"""Texts with and without a website in them, and some that are refused: together they bring out every shape."""

EVERYWHERE = (HOSTILE, HARMLESS[0], HARMLESS[5])
"""Texts that are shown in each of the documents of one text, which others take turns in."""

Looked = tuple[str, int, list[str]]
"""A sink, how many texts it showed, and what was wrong."""


class Rehearsal:
    """A site, everything that shows what is on it, and a window to see it in."""

    def __init__(self, app: Flask, watched: Watched) -> None:
        self.app, self.watched = app, watched
        self.garden, self.sinks = Garden(HOSTILE), Sinks(app)

    def learn(self) -> None:
        """See what documents look like while nothing in them is hostile."""
        self.watched.learning = True
        assert [what for *_, found in self.look(HARMLESS) for what in found] == []
        self.watched.learning = False

    def look(self, texts: Sequence[str]) -> Iterator[Looked]:
        """Plant the texts and look wherever they are shown."""
        planted = self.garden.plant(texts)
        pages = self.sinks.pages(planted)
        for sight in pages:
            yield f"{sight.sink} under its policy", sight.texts, self.watched.served(sight)
        for sight in [*pages, *self.sinks.parts(planted)]:
            yield f"{sight.sink} without a policy", sight.texts, self.watched.written([sight])
        for feed in self.sinks.feeds(planted):
            page = read(feed)
            yield "feed as XML", page.texts, self.watched.parsed(feed.text)
            yield "feed in a reader", page.texts, self.watched.written([page])
        inserted = list(dict.fromkeys(html for one in self.sinks.as_json(planted) for html in htmls(one.json)))
        yield "html of JSON", len(inserted), self.watched.inserted(inserted)
        for at in range(0, len(texts), 10):
            sights = [sight() for own in planted.own[at : at + 10] for sight in self._chosen(own)]
            yield "pages of one text", len(sights), self.watched.written(sights)

    def _chosen(self, own: Own) -> list[Callable[[], Sight]]:
        """The form with most of the fields; and for every fourth text one of the others, always the same one."""
        form, *others = self.sinks.of_one(own)
        if own.text in EVERYWHERE:
            return [form, *others]
        number = zlib.crc32(own.text.encode())
        return [form] if number % 4 else [form, others[number // 4 % len(others)]]

    def blamed(self, texts: Sequence[str], looked: Looked) -> str:
        """What was wrong, and which text did it."""
        sink, _, found = looked

        def fires(some: Sequence[str]) -> bool:
            return any(wrong for name, _, wrong in self.look(some) if name == sink)

        return f"{sink}: {found[0]} (and {len(found) - 1} more) from {culprit(fires, texts)!r}"


def culprit(fires: Callable[[Sequence[str]], bool], texts: Sequence[str]) -> Sequence[str]:
    """The one text that is enough, found by halves; more of them where it takes several together."""
    while len(texts) > 1:
        half = len(texts) // 2
        part = next((one for one in (texts[:half], texts[half:]) if fires(one)), None)
        if part is None:
            break
        texts = part
    return texts
