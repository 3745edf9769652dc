"""Every page of the demo, opened: nothing comes from elsewhere, and no page breaks its own policy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser import Watch, windows
from tests.e2e.conftest import Demo
from tests.e2e.people import Moderator, Visitor

pytestmark = pytest.mark.browser

PUBLIC = ("/", "/embed/demo?page=/", "/embed/demo?page=/other&posted=held", "/embed/demo/form?page=/", "/nowhere")
GUARDED = ("/desk/", "/desk/?status=all&q=salt", "/desk/nowhere")


def test_the_reference_draws_its_operations(demo: Demo, open_window: Callable[[], Any]) -> None:
    window = open_window()

    window.goto(f"{demo.url}/docs")

    window.wait_for_selector(".opblock-summary")
    window.locator(".opblock-summary").first.click()
    window.wait_for_selector(".opblock-body .responses-wrapper")
    assert window.locator(".opblock").count() > 20


def test_every_page_keeps_to_its_origin_and_its_policy(
    demo: Demo, open_window: Callable[[], Any], watch: Watch
) -> None:
    visitor, moderator = Visitor(open_window(), demo), Moderator(open_window(), demo)
    visitor.visit()
    visitor.write(body="It stays with you.", name="Ada", email="ada@mail.example.org", rating=8)
    visitor.is_told("Your comment waits for a moderator.")
    moderator.sign_in()
    moderator.window.click(".age a")
    moderator.window.wait_for_selector(".history")

    for path in PUBLIC:
        visitor.window.goto(demo.url + path)
        assert visitor.window.locator("link[rel=stylesheet]").count() > 0
    for path in GUARDED:
        moderator.window.goto(demo.url + path)
        assert moderator.window.locator(".brand").count() == 1

    assert watch.asked > 30


def test_the_browser_tells_of_requests_that_go_elsewhere(demo: Demo, chromium: Any) -> None:
    watch = Watch((demo.url,))
    with windows(chromium, watch) as open_window:
        window = open_window()
        window.goto("about:blank")
        window.set_content('<img src="https://elsewhere.example/pixel.png">')
        window.evaluate("fetch('http://127.0.0.1:1/').catch(() => 0)")

    assert watch.foreign == ["https://elsewhere.example/pixel.png", "http://127.0.0.1:1/"]


def test_a_second_demo_says_that_its_port_is_taken(demo: Demo) -> None:
    with pytest.raises(AssertionError, match="Address already in use. GREENROOM_PORT chooses another port."):
        demo.command("demo", "--port", demo.url.rpartition(":")[2])
