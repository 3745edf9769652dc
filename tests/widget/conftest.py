"""A served Greenroom, a web site elsewhere that has its tag, and readers at their windows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.browser import Watch, windows
from tests.e2e.conftest import Demo, serving_demo

from .elsewhere import Elsewhere, elsewhere
from .reader import Reader
from .talk import Talk

SETTINGS = {
    "GREENROOM_LIMITS_ENABLED": "false",
    "GREENROOM_FORM_MIN_SECONDS": "0",
    "GREENROOM_TRUSTED_PROXIES": "127.0.0.1",
}
"""Tests post more and faster than people, and from as many networks as they like."""


@pytest.fixture(scope="session")
def theirs() -> Iterator[Elsewhere]:
    """The web site that the tag is on: another origin than Greenroom's, as is usual."""
    with elsewhere() as site:
        yield site


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, theirs: Elsewhere) -> Iterator[Demo]:
    """Greenroom with a site that publishes at once, `demo`, and one whose comments wait and have no rating, `waits`."""
    with serving_demo(tmp_path_factory.mktemp("widget"), **SETTINGS) as served:
        served.command("sites", "set", "demo", f"origins={served.url},{theirs.origin}", "mode=post")
        served.command("sites", "add", "waits", "--origin", theirs.origin)
        served.command("moderators", "set", served.email, "--site", "waits", "--role", "moderator")
        yield served


@pytest.fixture
def talk(service: Demo, request: pytest.FixtureRequest) -> Talk:
    """The comments of a page that no other test uses."""
    return Talk(service, f"/widget/{request.node.name.partition('[')[0]}/{abs(hash(request.node.nodeid))}")


@pytest.fixture
def watch(service: Demo, theirs: Elsewhere) -> Watch:
    return Watch((service.url, theirs.origin))


@pytest.fixture
def looks() -> dict[str, Any]:
    """How windows are, in the words of Playwright's `new_context`."""
    return {}


@pytest.fixture
def open_window(chromium: Any, watch: Watch, looks: dict[str, Any]) -> Iterator[Callable[[], Any]]:
    """Opens windows that reach Greenroom and the web site. No request of theirs may go elsewhere, no script fail."""
    with windows(chromium, watch, counting=True, **looks) as opening:
        yield opening
    assert watch.asked > 0
    assert (watch.foreign, watch.errors, watch.dialogs, watch.executed) == ([], [], [], [])


@pytest.fixture
def window(open_window: Callable[[], Any]) -> Any:
    return open_window()


@pytest.fixture
def reader(window: Any, service: Demo, theirs: Elsewhere, talk: Talk) -> Reader:
    """Somebody in front of a window, and the page elsewhere that they read."""
    return Reader(window, service.url, theirs, talk.page)
