"""The private link in a real browser: it leads to one's own comments and leaves no trace in an address."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.browser import Watch, windows
from tests.e2e.conftest import Demo

pytestmark = pytest.mark.browser


def private_link(demo: Demo, page: str) -> str:
    """The private link of somebody who leaves a comment."""
    said = {"page": page, "name": "Ada", "email": "ada@mail.example.org", "body": "A word of *mine*."}
    headers = {"Content-Type": "application/json"}
    with urlopen(Request(f"{demo.url}/v1/sites/demo/comments", json.dumps(said).encode(), headers)) as answer:
        found: str = json.load(answer)["manage_url"]
    return found


def test_the_private_link_leads_to_ones_own_comments(demo: Demo, open_window: Callable[[], Any]) -> None:
    window, asked, link = open_window(), [], private_link(demo, "/mine/1")
    window.on("request", lambda request: asked.append((request.url, request.headers.get("referer", ""))))
    window.goto(link)
    window.wait_for_selector("article")
    assert window.url == f"{demo.url}/mine"
    token = link.rpartition("#")[2]
    assert not [one for one in asked if token in one[0].partition("#")[0] + one[1]]
    assert window.locator(".gr-state").inner_text() == "Waits for a moderator"
    window.click("summary:text('Edit')")
    window.fill("textarea", "A better word.")
    window.click("button:text('Save')")
    window.wait_for_selector("text=Your change is saved.")
    assert window.locator("article .gr-body").inner_text() == "A better word."
    window.click("summary:text('Withdraw')")
    window.click("button:text('Yes, withdraw it')")
    window.wait_for_selector("text=Your comment is withdrawn.")
    assert window.locator(".gr-state").inner_text() == "Deleted"
    window.click("summary:text('I want everything erased')")
    window.check("input[name=sure]")
    window.click("button:text('Erase everything for good')")
    window.wait_for_selector("text=Everything of yours is erased.")
    assert token not in window.content()


def test_another_link_can_be_opened_in_the_same_window(demo: Demo, open_window: Callable[[], Any]) -> None:
    window, second = open_window(), private_link(demo, "/mine/3")
    window.goto(private_link(demo, "/mine/2"))
    window.wait_for_selector("h2:has-text('/mine/2')")
    window.evaluate("link => { location.href = link; }", second)
    window.wait_for_selector("h2:has-text('/mine/3')")
    assert window.url == f"{demo.url}/mine"


def test_without_javascript_the_link_is_typed_in(demo: Demo, chromium: Any) -> None:
    watch = Watch((demo.url,))
    with windows(chromium, watch, java_script_enabled=False) as open_window:
        window, link = open_window(), private_link(demo, "/mine/4")
        window.goto(link)
        window.fill("#gr-token", link)
        window.click("text=Show my comments")
        window.wait_for_selector("h2:has-text('/mine/4')")
        window.click("summary:text('Edit')")
        window.fill("textarea", "Typed without a script.")
        window.click("button:text('Save')")
        window.wait_for_selector("text=Your change is saved.")
    assert (watch.foreign, watch.breaches) == ([], [])
