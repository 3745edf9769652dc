"""A real Chromium that reaches nothing but this machine, and what its windows asked for and complained about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]  # fmt: skip

slow = False
"""Whether every window is far away (`pytest --slow`): what a test fails to wait for shows."""
_FAR = {"offline": False, "latency": 100, "downloadThroughput": -1, "uploadThroughput": -1}
_OURS = ("about", "blob", "data")
_COUNTERS = """
for (const name of ["alert", "confirm", "prompt", "print", "open"]) {
  window[name] = (...said) => console.log("executed", name, ...said);
}
"""


@contextmanager
def launched() -> Iterator[Any]:
    """The browser, while the block lasts."""
    if not CHROMIUM.exists():
        pytest.skip(f"no Chromium at {CHROMIUM}")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Watch:
    """What happened in the windows of a test that reach only some origins."""

    origins: tuple[str, ...]
    asked: int = 0
    foreign: list[str] = field(default_factory=list)
    """Requests to any other origin; none of them left the browser."""
    console: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    """What scripts did not catch."""
    dialogs: list[str] = field(default_factory=list)

    @property
    def breaches(self) -> list[str]:
        """Where a page tried what its own policy forbids, as Chromium tells it."""
        return [text for text in self.console if "Content Security Policy" in text]

    @property
    def executed(self) -> list[str]:
        """What scripts would have said to people, where `counting` was asked for."""
        return [text for text in self.console if text.startswith("executed ")]

    def over(self, context: Any) -> None:
        """Listen to all windows of a context, and keep them from anywhere else."""
        context.on("request", lambda request: self._count(request.url))
        context.on("console", lambda message: self.console.append(message.text))
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.on("dialog", self._dismiss)
        context.route(lambda url: not self._allows(url), lambda route: route.abort())

    def _allows(self, url: str) -> bool:
        parts = urlsplit(url)
        return parts.scheme in _OURS or f"{parts.scheme}://{parts.netloc}" in self.origins

    def _count(self, url: str) -> None:
        # Here and not where they are aborted: a redirect is told of, but cannot be held.
        self.asked += 1
        self.led(url)

    def led(self, url: str) -> None:
        """Note where a window came, or wanted to go, if that is elsewhere."""
        if not self._allows(url):
            self.foreign.append(url)

    def _dismiss(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()


@contextmanager
def windows(browser: Any, watch: Watch, *, counting: bool = False, **more: Any) -> Iterator[Callable[[], Any]]:
    """Opens windows with cookies of their own; `more` is as Playwright's `new_context` has it."""
    contexts: list[Any] = []

    def open_window() -> Any:
        context = browser.new_context(**more)
        contexts.append(context)
        watch.over(context)
        if counting:
            context.add_init_script(_COUNTERS)
        page = context.new_page()
        if slow:
            context.new_cdp_session(page).send("Network.emulateNetworkConditions", _FAR)
        return page

    yield open_window
    for context in contexts:
        context.close()
