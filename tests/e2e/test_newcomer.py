"""The newcomer's story: from a visitor, past a moderator, onto the page; with JavaScript and without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import Watch, windows
from tests.e2e.conftest import Demo, serving_demo
from tests.e2e.people import NOTE, Moderator, PlainVisitor, Visitor

pytestmark = pytest.mark.browser

ADDRESS = "maya.lind@mail.example.org"
WORDS = "The pencil scene alone is worth the evening."
REPLY = "I had to look away when the clerk signed."
FIELDS = ("body", "name", "email", "website")


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """A demo in which nothing has happened yet."""
    with serving_demo(tmp_path) as served:
        yield served


@pytest.fixture
def plain_window(chromium: Any, watch: Watch, open_window: Callable[[], Any]) -> Iterator[Callable[[], Any]]:
    """Windows with JavaScript off, watched like the others."""
    with windows(chromium, watch, java_script_enabled=False) as opening:
        yield opening


def test_with_javascript(demo: Demo, open_window: Callable[[], Any]) -> None:
    def someone() -> Visitor:
        return Visitor(open_window(), demo)

    posted_past_a_mistake(someone)
    moderator = Moderator(open_window(), demo)
    item = waiting_with_a_masked_address(moderator)
    moderator.window.evaluate("window.same = true")

    item.locator("button.approve").click()
    moderator.window.wait_for_selector("article.item.done")

    assert "Approved. By you, just now." in moderator.window.inner_text("article.item.done")
    assert moderator.window.evaluate("window.same") is True, "the page was loaded anew"
    published_and_answered(someone())

    moderator.the_item(REPLY).locator("button.reject").click()
    moderator.window.wait_for_selector("article.item.done")

    without_the_reply(someone())
    session_over(moderator, open_window)


def test_without_javascript(demo: Demo, plain_window: Callable[[], Any]) -> None:
    def someone() -> Visitor:
        return PlainVisitor(plain_window(), demo)

    posted_past_a_mistake(someone)
    moderator = Moderator(plain_window(), demo)
    item = waiting_with_a_masked_address(moderator)

    item.locator("button.approve").click()
    moderator.window.wait_for_selector(".flash")

    assert "Approved. By you, just now." in moderator.window.inner_text(".flash")
    assert moderator.window.locator("article.item").count() == 0
    published_and_answered(someone())

    moderator.the_item(REPLY).locator("button.reject").click()
    moderator.window.wait_for_selector(".flash")

    without_the_reply(someone())
    session_over(moderator, plain_window)


def posted_past_a_mistake(someone: Callable[[], Visitor]) -> None:
    """What was typed survives a refusal; what was posted waits, and nobody else sees it."""
    maya = someone()
    maya.visit()
    assert maya.reads(maya.title) == "Leave a Reply"
    assert NOTE in maya.reads(maya.form)
    assert "No comments yet." in maya.reads()

    maya.write(body=WORDS, name="Maya Lind", email="maya.lind at example", website="https://lind.example", rating=9)
    error_stands_beside_its_field(maya)
    assert maya.typed(*FIELDS) == [WORDS, "Maya Lind", "maya.lind at example", "https://lind.example"]
    assert maya.window.is_checked(f"{maya.inside}input[name=rating][value='9']")

    maya.write(email=ADDRESS)
    maya.is_told("Your comment waits for a moderator.")
    other = someone()
    other.visit()
    assert "No comments yet." in other.reads() and WORDS not in other.reads()


def error_stands_beside_its_field(visitor: Visitor) -> None:
    field = visitor.window.locator(f"{visitor.inside}{visitor.email}[aria-invalid=true]")
    field.wait_for()
    error = visitor.window.locator(f"{visitor.inside}{visitor.email}-error")
    assert (field.get_attribute("aria-describedby") or "").split()[0] == error.get_attribute("id")
    both = [field.element_handle(), error.element_handle()]  # at one moment: fonts may still arrive and move them
    above, below = visitor.window.evaluate("all => all.map(one => one.getBoundingClientRect().toJSON())", both)
    assert len(error.inner_text()) > 10
    assert 0 <= below["y"] - above["y"] - above["height"] < 20 and abs(below["x"] - above["x"]) < 1
    assert visitor.window.locator(visitor.inside + visitor.error).count() == 1


def waiting_with_a_masked_address(moderator: Moderator) -> Any:
    moderator.sign_in()
    item = moderator.the_item(WORDS)
    assert "@mail.example.org" in item.inner_text()
    assert ADDRESS not in moderator.window.content()
    return item


def published_and_answered(reader: Visitor) -> None:
    """Everybody sees the comment and its rating; somebody answers it."""
    reader.visit()
    assert WORDS in reader.reads(reader.comment) and "9 out of 10" in reader.reads(reader.comment)
    assert "out of 10" in reader.reads(reader.average) and "1 rating" in reader.reads(reader.average)
    assert "mail.example.org" not in reader.reads()

    reader.answer_first()
    assert reader.reads(reader.title) == "Reply to Maya Lind"
    reader.write(body=REPLY, name="Ines", email="ines@mail.example.org")
    reader.is_told("Your comment waits for a moderator.")


def without_the_reply(reader: Visitor) -> None:
    reader.visit()
    assert reader.window.locator(reader.inside + reader.comment).count() == 1
    assert WORDS in reader.reads() and REPLY not in reader.reads()


def session_over(moderator: Moderator, open_window: Callable[[], Any]) -> None:
    """After signing out, not even the cookies from before open the desk."""
    kept = moderator.window.context.cookies()
    assert kept
    moderator.sign_out()
    thief = open_window()
    for window in (moderator.window, thief):
        window.context.add_cookies(kept)
        window.goto(f"{moderator.demo.url}/desk/")
        assert window.url.startswith(f"{moderator.demo.url}/desk/sign-in")
