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


@pytest.fixture
def imported(demo: Demo, shared: Path) -> dict[str, Any]:
    """The report of an import into the running demo."""
    report: dict[str, Any] = json.loads(
        demo.command("import", "wordpress", str(shared / EXPORT), "--site", "demo", "--json")
    )
    return report


def test_an_imported_thread_can_be_browsed(
    demo: Demo, shared: Path, imported: dict[str, Any], open_window: Callable[[], Any]
) -> None:
    expected = json.loads((shared / EXPORT).with_name("expected.json").read_text())
    assert imported["read"] == {name: expected[name] for name in imported["read"]}
    window = open_window()

    window.goto(f"{demo.url}/embed/demo?page={PAGE}")

    assert window.inner_text("h1") == "Template: Comments"
    assert window.inner_text("#greenroom-title") == f"{SHOWN} comments"
    assert window.locator(".gr-comment").count() == SHOWN
    assert window.locator(".gr-replies " * (FLAT_BEYOND - 1) + ".gr-comment").count() >= 2
    assert window.locator(".gr-replies " * FLAT_BEYOND).count() == 0
    assert "in answer to" in window.inner_text(".gr-replies " * (FLAT_BEYOND - 1))
    assert HELD not in window.content()


def test_what_came_in_is_moderated_and_taken_back(
    demo: Demo, imported: dict[str, Any], open_window: Callable[[], Any]
) -> None:
    window, moderator = open_window(), Moderator(open_window(), demo)
    window.goto(f"{demo.url}/embed/demo?page={PAGE}")
    last = window.locator(".gr-comment").last.get_attribute("id").removeprefix("comment-")
    moderator.sign_in()
    moderator.window.goto(f"{demo.url}/desk/comments/{last}")
    moderator.window.click("button.spam")
    moderator.window.wait_for_selector(".state.spam")

    window.reload()
    assert window.locator(".gr-comment").count() == SHOWN - 1
    assert window.locator(f"#comment-{last}").count() == 0

    undone = json.loads(demo.command("import", "undo", imported["import"], "--json"))

    assert (undone["removed"], undone["pages"]) == (28, 6)
    window.reload()
    assert window.locator(".gr-comment").count() == 0 and "No comments yet." in window.inner_text("#greenroom")
