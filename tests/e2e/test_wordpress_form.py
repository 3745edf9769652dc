"""A page that WordPress made, with its own form: only the address to which it is sent is another."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import Watch
from tests.e2e.conftest import Demo, serving
from tests.e2e.people import NOTE, Moderator
from tests.e2e.recipes import recipe
from tests.processes import free_port

pytestmark = pytest.mark.browser

PAGE = "/blacksmith-season-2-review/"
WORDS = "The forge scenes were better in the first season."
OTHER_WORDS = "I would have cut the second duel."


@pytest.fixture(scope="module")
def theirs() -> str:
    """The origin of the blog."""
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture
def watch(demo: Demo, theirs: str) -> Watch:
    return Watch((demo.url, theirs))


@pytest.fixture(scope="module")
def blog(demo: Demo, theirs: str, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The blog is served, and a site of the demo's; its forms lead to Greenroom, by the manual's recipe."""
    demo.command("sites", "add", "films", "--origin", theirs)
    demo.command("moderators", "set", demo.email, "--site", "films", "--role", "moderator")
    page = (shared / f"real/page-wordpress-twentytwentythree/site{PAGE}index.html").read_text()
    file = tmp_path_factory.mktemp("exported") / "blacksmith/index.html"
    file.parent.mkdir()
    file.write_text(page.replace("127.0.0.1:8099", theirs.removeprefix("http://")))  # where it was written down
    change = recipe("A WordPress that was exported to files", "sh", demo.url).replace("/embed/blog/", "/embed/films/")
    subprocess.run(["sh", "-euc", change], cwd=file.parents[1], check=True)
    sent_here = file.read_text()
    assert sent_here.count(f'action="{demo.url}') == 1
    back = sent_here.replace("</form>", f'<input type="hidden" name="redirect_to" value="{theirs}{PAGE}"></form>')
    with serving(theirs, {PAGE: sent_here, "/again/": back}):
        yield theirs


def fill_in(window: Any, words: str) -> None:
    assert "Leave a Reply" in window.inner_text("#respond") and NOTE in window.inner_text("#respond")
    window.fill("#comment", words)
    window.fill("#author", "Jo Farrow")
    window.fill("#email", "jo.farrow@mail.example.org")
    window.click("#submit")


def test_a_form_of_wordpress_brings_a_comment(demo: Demo, blog: str, open_window: Callable[[], Any]) -> None:
    window = open_window()
    window.goto(blog + PAGE)

    fill_in(window, WORDS)

    window.wait_for_url(f"{demo.url}/embed/films?page=wp:1832&posted=held#greenroom")
    assert "Your comment waits for a moderator." in window.inner_text("#greenroom")
    moderator = Moderator(open_window(), demo)
    moderator.sign_in()
    assert "Jo Farrow" in moderator.the_item(WORDS).inner_text()


def test_a_form_that_says_where_leads_back_to_its_page(demo: Demo, blog: str, open_window: Callable[[], Any]) -> None:
    window = open_window()
    window.goto(f"{blog}/again/")

    fill_in(window, OTHER_WORDS)

    window.wait_for_url(f"{blog}{PAGE}?greenroom=held#greenroom")
    assert window.locator("#commentform").is_visible()
