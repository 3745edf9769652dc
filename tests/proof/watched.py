"""A window of Chromium that is shown what the app answers, and tells what happened in it and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from tests.browser import Watch, windows
from tests.desk.conftest import HOME
from tests.processes import PATIENCE

from .sinks import Sight

_LOOK = (Path(__file__).parent / "watched.js").read_text()
_SHOWN, _EMPTY = f"{HOME}/shown", f"{HOME}/empty"
_FILES = tuple(f"{HOME}/{place}" for place in ("style/", "desk/static/", "docs", "openapi.json", "widget"))
_API = f"{HOME}/v1/"
_COUNTS = f"{HOME}/desk/filters"
"""What the queue asks for once it is there. A page of its own is looked at; here nothing comes."""

_OUR_FILE = r'<(?:link rel="(?:stylesheet|icon)" href|script src)="\S*/(?:style|desk/static)/\S+"[^>]*>(?:</script>)?'
"""A style sheet or script of ours. Requests that are watched are not cached: it would be fetched each time."""


class Watched:
    """One window, and the shapes that harmless documents have in it, by their sink."""

    def __init__(self, page: Any, watch: Watch, client: FlaskClient, shapes: dict[str, set[str]]) -> None:
        self.page, self.watch, self.client, self.shapes = page, watch, client, shapes
        self.learning = False
        self.shown = Sight("nothing", "")
        self.files: dict[str, dict[str, Any]] = {}
        self.careless: Callable[[str, bytes], bytes] = lambda path, content: content
        """What a file of ours is served as; a control makes a mistake in it."""
        page.context.add_init_script(_LOOK)
        page.context.route(f"{HOME}/**", self._answer)
        page.on("framenavigated", lambda frame: watch.led(frame.url))

    def served(self, sight: Sight) -> list[str]:
        """What is wrong with a document as the app serves it, under its policy."""
        self.shown = sight
        self.page.goto(_SHOWN)
        return [*self._compared(sight, self.page.evaluate("watched.served()")), *self.told()]

    def written(self, sights: Sequence[Sight]) -> list[str]:
        """What is wrong with documents, one after another in a frame without a policy: escaping is all they have."""
        self._rest()
        looked = self.page.evaluate(
            "texts => watched.written(texts)", [re.sub(_OUR_FILE, "", one.text) for one in sights]
        )
        found = [self._compared(sight, one) for sight, one in zip(sights, looked, strict=True)]
        return [*sum(found, []), *self.told()]

    def inserted(self, texts: Sequence[str]) -> list[str]:
        """What is wrong with HTML as widgets put it into their page."""
        self._rest()
        return [*self.page.evaluate("texts => watched.inserted(texts)", list(texts)), *self.told()]

    def drawn(self, sight: Sight) -> list[str]:
        """What is wrong in the widget on a page that has its tag."""
        self.shown = sight
        self.page.goto(_SHOWN)
        self.page.locator("greenroom-thread").scroll_into_view_if_needed()
        self.page.wait_for_selector("greenroom-thread[state=ready]")
        if not self.page.evaluate("seconds => watched.reached(seconds)", PATIENCE):
            raise AssertionError(f"The form did not come: {self.page.evaluate('watched.missed()')}")
        may_parse = "trusted-types" not in sight.policy
        found = self._compared(sight, self.page.evaluate("may => watched.drawn(may)", may_parse))
        # Where its own policy of types is not allowed, the browser says so once; it is then done without.
        return [*found, *(one for one in self.told() if "create a TrustedTypePolicy named 'greenroom'" not in one)]

    def parsed(self, feed: str) -> list[str]:
        """What the browser's XML parser finds in a feed that is no Atom; it puts its complaint there as HTML."""
        self._rest()
        return [*self.page.evaluate("feed => watched.parsed(feed)", feed), *self.told()]

    def visited(self, path: str, until: str) -> list[str]:
        """What happens where a path leads, until a selector finds something there."""
        self._rest()
        self.page.goto(HOME + path)
        self.page.wait_for_selector(until)
        return self.told()

    def told(self) -> list[str]:
        """What happened since the last time, policy or not."""
        watch = self.watch
        found = [*watch.executed, *watch.breaches, *watch.dialogs, *watch.foreign, *watch.errors]
        for kept in (watch.console, watch.dialogs, watch.foreign, watch.errors):
            kept.clear()
        return found

    def _rest(self) -> None:
        if self.page.url != _EMPTY:
            self.page.goto(_EMPTY)

    def _compared(self, sight: Sight, looked: dict[str, Any]) -> list[str]:
        """What is wrong in a document, and what stands in it that in no harmless one of its sink does."""
        found, known, shapes = looked["wrong"], self.shapes.setdefault(sight.sink, set()), set(looked["shapes"])
        if self.learning:
            known |= shapes
        if sight.bodies not in (None, looked["bodies"]):
            found.append(f"{looked['bodies']} of {sight.bodies} are shown")
        return [f"{sight.sink}: {what}" for what in (*found, *(f"another shape: {one}" for one in shapes - known))]

    def _answer(self, route: Any) -> None:
        """The document to look at, and the app's own files. A page that asks for anything else here should not."""
        url = route.request.url.partition("#")[0]
        if url == _SHOWN:
            headers = {"Content-Security-Policy": self.shown.policy, "X-Content-Type-Options": "nosniff"}
            route.fulfill(body=self.shown.text, content_type=self.shown.content_type, headers=headers)
        elif url == _EMPTY:
            route.fulfill(body="<!doctype html><body>", content_type="text/html")
        elif url.startswith(_FILES):
            route.fulfill(**self._file(url.removeprefix(HOME)))
        elif url.startswith(_API):
            asked = route.request
            told = self.client.open(
                url.removeprefix(HOME), method=asked.method, data=asked.post_data, headers=asked.headers
            )
            route.fulfill(body=told.data, status=told.status_code, headers=dict(told.headers))
        elif url.startswith(_COUNTS):
            route.fulfill(status=204)
        else:
            self.watch.foreign.append(url)
            route.abort()

    def _file(self, path: str) -> dict[str, Any]:
        if path not in self.files:
            found = self.client.get(path)
            self.files[path] = {
                "body": self.careless(path, found.data),
                "status": found.status_code,
                "headers": dict(found.headers),
            }
            found.close()
        return self.files[path]


@contextmanager
def watching(chromium: Any, app: Flask, shapes: dict[str, set[str]] | None = None) -> Iterator[Watched]:
    """A window for what an app answers, while the block lasts."""
    watch = Watch((HOME,))
    with windows(chromium, watch, counting=True, viewport={"width": 400, "height": 300}) as open_window:
        yield Watched(open_window(), watch, app.test_client(), {} if shapes is None else shapes)
