"""Pages of other origins that put ours into a frame, in a real Chromium, and whether it shows there."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from tests.browser import Watch, windows
from tests.desk.conftest import HOME

from .callers import SignedIn
from .world import World, sent

PATIENCE = 30.0
_STYLES = ("/style/", "/desk/static/", "/docs/assets/")


class Framer:
    """A window in which pages stand at any origin: ours as the app serves them, others as they are written here.

    Whoever sits at it is signed in at the desk, and the browser sends the cookie along to everywhere: whether it
    would is not the question here. `without`: headers that get lost on the way.
    """

    def __init__(self, page: Any, world: World) -> None:
        self.page, self.client = page, world.app.test_client(use_cookies=False)
        (cookie,) = SignedIn(world, "moderator@blog.example.org")._cookies.values()  # type: ignore[union-attr]
        self.cookie = f"{cookie.key}={cookie.value}"
        self.without: Collection[str] = ()
        self.pages: dict[str, str] = {}
        page.context.route("**/*", self._answer)

    def shown(self, around: Sequence[str], paths: Sequence[str]) -> list[str]:
        """Those of our paths that show in frames of the last origin, which is itself in a frame of the one before."""
        self.pages = {}
        for depth, (outer, inner) in enumerate(zip(around, around[1:], strict=False)):
            self.pages[f"{outer}/{depth}"] = f'<iframe name="around" src="{inner}/{depth + 1}"></iframe>'
        names = {f"ours{number}": path for number, path in enumerate(paths)}
        frames = "".join(f'<iframe name="{name}" src="{HOME}{path}"></iframe>' for name, path in names.items())
        self.pages[f"{around[-1]}/{len(around) - 1}"] = frames
        self.page.goto(f"{around[0]}/0")
        found = self._settled(names)
        return [path for name, path in names.items() if _shows(found[name])]

    def _settled(self, names: Collection[str]) -> dict[str, Any]:
        """The frames by their names, as soon as each has come somewhere or was kept from it."""
        deadline = time.monotonic() + PATIENCE
        while True:
            found = {frame.name: frame for frame in self.page.frames if frame.url not in ("", "about:blank")}
            if set(names) <= found.keys():
                return found
            assert time.monotonic() < deadline, f"{set(names) - found.keys()} never came anywhere"
            self.page.wait_for_timeout(10)  # which lets the browser tell what happened

    def _answer(self, route: Any) -> None:
        url = route.request.url
        if url in self.pages:
            page = f"<!doctype html><title>Around</title>{self.pages[url]}"
            route.fulfill(body=page, content_type="text/html")
        elif url.startswith(f"{HOME}/") and not urlsplit(url).path.startswith(_STYLES):
            answer = sent(self.client, url.removeprefix(HOME), headers={"Accept": "text/html", "Cookie": self.cookie})
            headers = {name: value for name, value in answer.headers if name not in self.without}
            route.fulfill(status=answer.status_code, headers=headers, body=answer.data)
        else:
            route.abort()


def _shows(frame: Any) -> bool:
    """A frame that was kept from its page holds an error page of the browser."""
    frame.wait_for_load_state("domcontentloaded")
    return bool(frame.url.startswith(HOME) and frame.evaluate("document.body.childElementCount > 0"))


@contextmanager
def framing(chromium: Any, world: World) -> Iterator[Framer]:
    with windows(chromium, Watch(())) as open_window:
        yield Framer(open_window(), world)
