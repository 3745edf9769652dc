"""Hostile names, texts, titles and websites in a real Chromium: nothing is executed, nothing goes elsewhere."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import Watch, windows
from tests.e2e.conftest import Demo, serving, serving_demo
from tests.e2e.people import Moderator
from tests.processes import ask, free_port

pytestmark = pytest.mark.browser

COUNT, PER_PAGE = 150, 10
CORPORA = ("combined/xss_permissive", "payloadsallthethings/xss", "payloadsallthethings/xss_readme", "fuzzdb/xss")
TOUCH = """
for (const one of document.querySelectorAll("*")) {
  for (const name of ["pointerover", "mouseover", "mouseenter", "focus", "toggle", "animationend", "error"]) {
    one.dispatchEvent(new Event(name));
  }
}
"""
"""What handlers wait for; clicks are left out, since links of commenters may lead anywhere."""


@pytest.fixture(scope="module")
def payloads(shared: Path) -> list[str]:
    """A sample of the corpora, from all of them, the same every time."""
    chosen: list[str] = []
    for name in CORPORA:
        listed = json.loads((shared / f"corpora/{name}.json").read_text())
        texts = [one["p"] if isinstance(one, dict) else one for one in listed]
        fit = [text for text in texts if "<" in text and 10 < len(text) < 1_000]
        chosen += random.Random(2).sample(fit, COUNT // len(CORPORA) + 1)
    return chosen[:COUNT]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo that publishes at once and takes any number of comments."""
    with serving_demo(tmp_path_factory.mktemp("demo"), GREENROOM_LIMITS_ENABLED="false") as served:
        served.command("sites", "set", "demo", "mode=post")
        yield served


@pytest.fixture(scope="module")
def planted(demo: Demo, payloads: list[str]) -> list[str]:
    """Every payload as a text, and in each other field that takes it; the pages where they are."""
    pages = [f"/hostile/{number // PER_PAGE}" for number in range(len(payloads))]
    for page, payload in zip(pages, payloads, strict=True):
        _plant(
            demo, {"page": page, "page_title": payload[:300], "name": payload[:80], "website": payload[:300]}, payload
        )
    return sorted(set(pages))


def _plant(demo: Demo, wanted: dict[str, str], payload: str) -> None:
    door = f"{demo.url}/v1/sites/demo/comments"
    sent = wanted | {"body": payload, "email": "mallory@mail.example.org"}
    status, told = ask(door, sent)
    if status == 422:  # a field that does not take it; the others shall have it all the same
        plain = {
            "name": "Mallory",
            "website": "https://mallory.example",
            "page_title": "A page",
            "body": f"So: {payload}",
        }
        status, told = ask(door, sent | {name: plain[name] for name in told["errors"]})
    assert status in (201, 202), (told, payload)


@pytest.fixture
def watch(demo: Demo) -> Watch:
    return Watch((demo.url,))


@pytest.fixture
def counting_window(chromium: Any, watch: Watch) -> Iterator[Callable[[], Any]]:
    with windows(chromium, watch, counting=True) as opening:
        yield opening


def nothing_happened(watch: Watch) -> None:
    assert (watch.executed, watch.dialogs, watch.breaches, watch.foreign, watch.errors) == ([], [], [], [], [])


def test_the_thread_shows_them_as_text(demo: Demo, planted: list[str], counting_window: Any, watch: Watch) -> None:
    window, shown = counting_window(), 0

    for page in planted:
        window.goto(f"{demo.url}/embed/demo?page={page}")
        window.evaluate(TOUCH)
        shown += window.locator(".gr-comment").count()

    assert shown > COUNT / 2
    assert window.url == f"{demo.url}/embed/demo?page={planted[-1]}"
    nothing_happened(watch)


def test_the_queue_shows_them_as_text(demo: Demo, planted: list[str], counting_window: Any, watch: Watch) -> None:
    moderator, shown, names = Moderator(counting_window(), demo), 0, []
    moderator.sign_in()
    window = moderator.window
    window.goto(f"{demo.url}/desk/?status=all&limit=50")

    while True:
        window.evaluate(TOUCH)
        shown += window.locator("article.item").count()
        names += window.locator("article.item h2").all_inner_texts()
        if not window.locator("a[rel=next]").count():
            break
        window.click("a[rel=next]")

    assert shown == COUNT
    assert sum("<" in name for name in names) > COUNT / 2, "hostile names were refused, not shown"
    nothing_happened(watch)


def test_as_markup_they_would_be_executed(payloads: list[str], chromium: Any) -> None:
    origin = f"http://127.0.0.1:{free_port()}"
    pages = {f"/{number}": f"<!doctype html><body>{payload}" for number, payload in enumerate(payloads)}
    watch = Watch((origin,))
    with serving(origin, pages), windows(chromium, watch, counting=True) as open_window:
        window = open_window()
        for path in pages:
            window.goto(origin + path, wait_until="commit")
            if len(watch.executed) >= 10:
                break
    assert len(watch.executed) >= 10
