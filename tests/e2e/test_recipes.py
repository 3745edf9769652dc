"""The manual's recipes for the widget, each as its generator would write it, read with and without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tests.browser import Watch, windows
from tests.e2e import generators
from tests.e2e.conftest import Demo, serving
from tests.e2e.nginx import include, locations, serving_by_nginx
from tests.e2e.recipes import PATH, TITLE, blocks, page, recipe
from tests.processes import ask, free_port

pytestmark = pytest.mark.browser

WORDS = "The third act counts the figures again."
THREAD = "greenroom-thread[state=ready]"


@pytest.fixture(scope="module")
def theirs() -> str:
    """The origin of the blog."""
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture
def watch(demo: Demo, theirs: str) -> Watch:
    return Watch((demo.url, theirs))


@pytest.fixture(scope="module", autouse=True)
def blog(demo: Demo, theirs: str) -> None:
    """A site of the demo's with one published comment on each of two pages."""
    demo.command("sites", "add", "blog", "--origin", theirs)
    demo.command("moderators", "set", demo.email, "--site", "blog", "--role", "moderator")
    told = demo.command("tokens", "add", demo.email, "--name", "Recipes", "--scope", "moderate", "--site", "blog")
    (token,) = re.findall(r"grm_\S+", told)
    for path, title in ((PATH, TITLE), (generators.ADDRESS, generators.TITLE)):
        publish(demo, token, {"page": theirs + path, "page_title": title})


def publish(demo: Demo, token: str, sent: dict[str, str]) -> None:
    sent |= {"name": "Wren", "email": "wren@mail.example.org", "body": WORDS}
    status, told = ask(f"{demo.url}/v1/sites/blog/comments", sent)
    assert status == 202
    decision = {"decision": "approve"}
    assert ask(f"{demo.url}/v1/moderation/comments/{told['id']}/decision", decision, token)[0] == 200


@pytest.fixture
def window(open_window: Callable[[], Any]) -> Any:
    return open_window()


@pytest.fixture
def plain_window(chromium: Any, watch: Watch) -> Iterator[Any]:
    """A window in which no script runs."""
    with windows(chromium, watch, java_script_enabled=False) as opening:
        yield opening()


def plain(service: str, theirs: str) -> str:
    return recipe("Plain HTML", "html", service).replace("https://blog.example.org", theirs)


def tag(service: str, theirs: str) -> str:
    return page(recipe("The tag", "html", service).replace("/reviews/blacksmith", PATH))


RECIPES = [tag, plain]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda one: one.__name__)
def test_a_recipe_brings_the_comments(
    demo: Demo, theirs: str, window: Any, plain_window: Any, recipe: Callable[[str, str], str]
) -> None:
    with serving(theirs, {PATH: recipe(demo.url, theirs)}):
        window.goto(theirs + PATH)
        window.locator(f"{THREAD} [part~=comment]", has_text=WORDS).wait_for()
        assert not window.get_by_text("Read the comments").is_visible()

        plain_window.goto(theirs + PATH)
        plain_window.click("text=Read the comments")
        plain_window.locator("article", has_text=WORDS).wait_for()


@pytest.mark.parametrize("generator", [generators.hugo, generators.jekyll, generators.astro])
def test_a_generator_brings_the_comments_of_a_page_with_odd_characters(
    demo: Demo, theirs: str, window: Any, plain_window: Any, tmp_path: Path, generator: Callable[..., dict[str, str]]
) -> None:
    with serving(theirs, generator(tmp_path, demo.url)):
        window.goto(theirs + generators.ADDRESS)
        window.locator(f"{THREAD} [part~=comment]", has_text=WORDS).wait_for()
        assert window.locator(THREAD).get_attribute("page-title") == generators.TITLE

        plain_window.goto(window.url)
        plain_window.click("text=Read the comments")
        plain_window.locator("article", has_text=WORDS).wait_for()


def test_hugo_counts_the_comments_in_a_list(demo: Demo, theirs: str, window: Any, tmp_path: Path) -> None:
    with serving(theirs, generators.hugo(tmp_path, demo.url)):
        window.goto(f"{theirs}{generators.BELOW}/posts/")
        window.locator("greenroom-count", has_text="1 comment").wait_for()


def test_counts_are_shown(demo: Demo, theirs: str, window: Any) -> None:
    ((_, elements),) = blocks("Counts and ratings")
    script = recipe("The tag", "html", demo.url).splitlines()[0]
    with serving(theirs, {"/": page(script + elements.replace("/reviews/blacksmith", PATH))}):
        window.goto(theirs)
        window.locator("greenroom-count", has_text="1 comment").wait_for()


def test_looks_and_sentences_are_the_sites(demo: Demo, theirs: str, window: Any) -> None:
    script = recipe("The tag", "html", demo.url).splitlines()[0]
    (element,) = [text for told, text in blocks("Languages and your own sentences") if told == "html"]
    (style,) = [text for told, text in blocks("Looks") if told == "css"]
    shown = page(f"<style>{style}</style>{script}{element.replace('/reviews/blacksmith', PATH)}")
    with serving(theirs, {PATH: shown}):
        window.goto(theirs + PATH)
        window.locator(THREAD).get_by_role("heading", name="1 letter").wait_for()
        button = window.locator(f"{THREAD} button", has_text="Send your letter")
        button.wait_for()
        assert button.evaluate("one => getComputedStyle(one).backgroundColor") == "rgb(122, 31, 75)"
        assert button.evaluate("one => getComputedStyle(one).borderRadius") == "0px"
        assert not window.locator(f"{THREAD} [part=avatar]").is_visible()


def test_the_policy_of_the_manual_is_enough(demo: Demo, theirs: str, window: Any) -> None:
    sources = recipe("Content-Security-Policy", "text", demo.url).strip()
    policy = f'<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; {sources}">'
    shown = tag(demo.url, theirs).replace("<title>", f"{policy}<title>")
    assert policy in shown
    with serving(theirs, {PATH: shown}):
        window.goto(theirs + PATH)
        window.locator(f"{THREAD} [part~=comment]", has_text=WORDS).wait_for()
        window.locator(f"{THREAD} form[part~=form]").wait_for()


def test_a_page_hears_that_a_comment_waits(demo: Demo, theirs: str, window: Any) -> None:
    (script,) = [text for told, text in blocks("Events and methods") if told == "html"]
    with serving(theirs, {PATH: tag(demo.url, theirs) + f'<p id="thanks" hidden>Thanks!</p>{script}'}):
        window.goto(theirs + PATH)
        for name, value in (("name", "Jo"), ("email", "jo@mail.example.org"), ("body", "I would keep the duel.")):
            window.fill(f"{THREAD} [name={name}]", value)
        window.click(f"{THREAD} form button[type=submit]")
        window.locator("#thanks").wait_for()


def test_a_pinned_tag_runs_and_a_wrong_one_leaves_the_link(demo: Demo, theirs: str, window: Any) -> None:
    printed = demo.command("sites", "tag", "blog", "--page", PATH, "--pinned")
    pinned = printed.replace("http://127.0.0.1:8080", demo.url)  # of another port the server alone was told
    wrong = re.sub(r"sha384-.{6}", "sha384-AAAAAA", pinned)
    assert demo.url in pinned != wrong
    with serving(theirs, {PATH: page(pinned), "/old/": page(wrong)}):
        window.goto(theirs + PATH)
        window.locator(f"{THREAD} [part~=comment]", has_text=WORDS).wait_for()

        window.goto(f"{theirs}/old/")
        assert window.get_by_text("Read the comments").is_visible()
        assert window.evaluate("customElements.get('greenroom-thread')") is None


@pytest.mark.parametrize(("path", "title"), [(PATH, TITLE), (generators.ADDRESS, generators.TITLE)])
def test_a_server_includes_the_comments(demo: Demo, theirs: str, plain_window: Any, path: str, title: str) -> None:
    """By nginx itself, as the manual configures it, at an address as simple as the manual's and at an odd one."""
    with serving_by_nginx(theirs, {unquote(path): page(include(path, title))}, locations(demo.url)):
        plain_window.goto(theirs + path)
        plain_window.locator("section.greenroom article", has_text=WORDS).wait_for()
        assert plain_window.locator("section.greenroom [name=page_title]").input_value() == title
