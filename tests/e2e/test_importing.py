"""Comments of a WordPress site come in while the demo serves, are browsed, and are taken back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Demo
from tests.e2e.people import Moderator

pytestmark = pytest.mark.browser

EXPORT = "real/wxr-theme-unit-test/themeunittestdata.wordpress.xml"
PAGE = "/2012/01/03/template-comments/"
SHOWN, HELD = 19, "this is test comment"
FLAT_BEYOND = 4


def test_an_import_is_browsed_moderated_and_taken_back(
    demo: Demo, shared: Path, open_window: Callable[[], Any]
) -> None:
    report = brought_in(demo, shared / EXPORT)
    window, moderator = open_window(), Moderator(open_window(), demo)
    window.goto(f"{demo.url}/embed/demo?page={PAGE}")
    the_thread_is_shown(window)

    last = window.locator(".gr-comment").last.get_attribute("id")
    moderator.sign_in()
    moderator.window.goto(f"{demo.url}/desk/comments/{last.removeprefix('comment-')}")
    moderator.window.click("button.spam")
    moderator.window.wait_for_selector(".state.spam")

    window.reload()
    assert window.locator(".gr-comment").count() == SHOWN - 1
    assert window.locator(f"#{last}").count() == 0

    undone = json.loads(demo.command("import", "undo", report["import"], "--json"))

    assert (undone["removed"], undone["pages"]) == (28, 6)
    window.reload()
    assert window.locator(".gr-comment").count() == 0 and "No comments yet." in window.inner_text("#greenroom")


def brought_in(demo: Demo, export: Path) -> dict[str, Any]:
    """The report of an import into the running demo; it counts what was counted when the export was kept."""
    done = demo.command("import", "wordpress", str(export), "--site", "demo", "--json")
    report: dict[str, Any] = json.loads(done)
    expected = json.loads(export.with_name("expected.json").read_text())
    assert report["read"] == {name: expected[name] for name in report["read"]}
    return report


def the_thread_is_shown(window: Any) -> None:
    """Nested as deep as the site shows; beyond, replies stand flat and say whom they answer."""
    assert window.inner_text("h1") == "Template: Comments"
    assert window.inner_text("#greenroom-title") == f"{SHOWN} comments"
    assert window.locator(".gr-comment").count() == SHOWN
    assert window.locator(".gr-replies " * (FLAT_BEYOND - 1) + ".gr-comment").count() >= 2
    assert window.locator(".gr-replies " * FLAT_BEYOND).count() == 0
    assert "in answer to" in window.inner_text(".gr-replies " * (FLAT_BEYOND - 1))
    assert HELD not in window.content()
