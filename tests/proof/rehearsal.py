"""Hostile texts on a site: planted, looked at wherever they are shown, and named when they did harm."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial

from flask import Flask
from werkzeug.test import TestResponse

from .planted import Garden, Own, Planted
from .sinks import Fetch, Sinks, htmls, read
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

Step = Callable[[], tuple[int, list[str]]]
"""Looks at a sink."""


class Rehearsal:
    """A site, everything that shows what is on it, and a window to see it in."""

    def __init__(self, app: Flask, watched: Watched) -> None:
        self.app, self.watched = app, watched
        self.garden, self.sinks = Garden(HOSTILE), Sinks(app)
        self.every = 4
        """One of so many texts is shown in one of the documents of one text that are not the form, too."""
        self.alone: Counter[int] = Counter()
        """How many texts each of these documents has shown."""

    def learn(self) -> None:
        """See what documents look like while nothing in them is hostile."""
        self.watched.learning = True
        wrong = [what for *_, found in self.look(HARMLESS) for what in found]
        assert wrong == [], wrong
        self.watched.learning = False

    def look(self, texts: Sequence[str], only: str | None = None) -> Iterator[Looked]:
        """Plant the texts and look wherever they are shown, or at one sink only."""
        for sink, step in self._steps(self.garden.plant(texts)):
            if only in (None, sink):
                yield sink, *step()

    def _steps(self, planted: Planted) -> Iterator[tuple[str, Step]]:
        pages: dict[str, Fetch] = {sink: cache(fetch) for sink, fetch in self.sinks.pages(planted).items()}
        for sink, fetch in pages.items():
            yield f"{sink} under its policy", partial(self._served, fetch)
        for sink, fetch in (pages | self.sinks.parts(planted)).items():
            yield f"{sink} without a policy", partial(self._written, [fetch])
        for sink, fetch_feed in self.sinks.feeds(planted).items():
            yield sink, partial(self._fed, fetch_feed)
        yield "html of JSON", partial(self._inserted, planted)
        for sink, fetch in self.sinks.tagged(planted).items():
            yield sink, partial(self._drawn, fetch)
        for at in range(0, len(planted.own), 10):
            fetches = [fetch for own in planted.own[at : at + 10] for fetch in self._chosen(own)]
            yield "pages of one text", partial(self._written, fetches)

    def _served(self, fetch: Fetch) -> tuple[int, list[str]]:
        sight = fetch()
        return sight.texts, self.watched.served(sight)

    def _written(self, fetches: Sequence[Fetch]) -> tuple[int, list[str]]:
        sights = [fetch() for fetch in fetches]
        return sum(sight.texts for sight in sights), self.watched.written(sights)

    def _fed(self, fetch: Callable[[], TestResponse]) -> tuple[int, list[str]]:
        feed = fetch()
        page = read(feed)
        return page.texts, self.watched.parsed(feed.text) + self.watched.written([page])

    def _inserted(self, planted: Planted) -> tuple[int, list[str]]:
        told = list(dict.fromkeys(html for answer in self.sinks.as_json(planted) for html in htmls(answer.json)))
        return len(told), self.watched.inserted(told)

    def _drawn(self, fetch: Fetch) -> tuple[int, list[str]]:
        sight = fetch()
        return sight.texts, self.watched.drawn(sight)

    def _chosen(self, own: Own) -> list[Fetch]:
        """The form with most of the fields; and for one of so many texts one of the others, always the same one."""
        form, *others = self.sinks.of_one(own)
        turn, left = divmod(zlib.crc32(own.text.encode()), self.every)
        some = {turn % len(others)} if not left else set[int]()
        chosen = set(range(len(others))) if own.text in EVERYWHERE else some
        self.alone.update({number: int(number in chosen) for number in range(len(others))})
        return [form, *(others[number] for number in sorted(chosen))]

    def blamed(self, texts: Sequence[str], looked: Looked) -> str:
        """What was wrong, and which text did it."""
        sink, _, found = looked

        def fires(some: Sequence[str]) -> bool:
            return any(wrong for *_, wrong in self.look(some, only=sink))

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
