"""Every page of the desk, looked at by axe-core: in both colour schemes, on a desk and on a telephone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import url_for

from service.accounts import operations as accounts
from service.db import transaction
from service.desk.pages import PLACES
from tests.browser import Watch, windows
from tests.widget.elsewhere import INSTALLED, installed

from .conftest import PASSWORD
from .seated import Desk, desk, watch

__all__ = ["desk", "watch"]

pytestmark = pytest.mark.browser

SIZES = ({"width": 1280, "height": 900}, {"width": 390, "height": 844})


FORMS = (
    ("/desk/people/{}", {}, ".ruling button.block", ".rules li"),
    ("/desk/rules", {"#value": "no name\nnor this one"}, ".ruling button.block", ".say p"),
    ("/desk/", {"[name=email]": "nobody@mail.example.org"}, ".finer form button", ".finer .say p"),
    ("/desk/team", {"#invited": "Bea"}, "text=Make a link", "#link"),
    ("/desk/account", {"#old-codes": PASSWORD}, "text=Set codes up", ".qr"),
    ("/desk/account", {"#token-name": "Importer"}, "text=Make the token", "#secret"),
    ("/desk/sites/blog", {}, "button[value=preview]", ".tried"),
    ("/desk/reasons", {}, "text=Keep this list", "[role=status], [role=alert] p"),
)  # fmt: skip
"""A page, what is typed there, the button that sends it, and what the answer shows."""


@pytest.fixture
def look(chromium: Any, watch: Watch) -> Iterator[Callable[..., Any]]:
    """Opens windows of a size and a colour scheme that have axe-core, which no page's policy keeps out."""
    axe = (INSTALLED / installed("axe-core", "axe.min.js").removeprefix("/npm/")).read_text()
    opened = []

    def open_(scheme: str, size: dict[str, int]) -> Any:
        opening = windows(chromium, watch, color_scheme=scheme, viewport=size)
        opened.append(opening)
        page = opening.__enter__()()
        page.context.add_init_script(axe)
        return page

    yield open_
    for one in opened:
        one.__exit__(None, None, None)


def barriers(page: Any) -> list[str]:
    told = page.evaluate("() => axe.run(document)")
    assert len(told["passes"]) > 5, "axe looked at nothing"
    wide = page.evaluate("() => document.documentElement.scrollWidth > innerWidth")
    found = [f"{one['id']}: {node['html'][:150]}" for one in told["violations"] for node in one["nodes"]]
    return found + (["the page is wider than the window"] if wide else [])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_of_a_moderator_has_a_barrier(desk: Desk, watch: Watch, look: Callable[..., Any], scheme: str) -> None:
    one = desk.leave(name="Ada", body="Look: https://a.example and https://b.example", website="https://c.example/")
    desk.leave(name="Somebody with a name that goes on and on for all of eighty characters, or almost", body="x" * 400)
    for size in SIZES:
        page = look(scheme, size)
        found = signing_in(desk, page, "Anna")
        for path in addresses(desk, one):
            page.goto(f"{desk.url}{path}")
            found[path] = barriers(page)
        page.goto(f"{desk.url}/desk/")
        page.click("#show-keys")
        found["keys"] = barriers(page)
        page.keyboard.press("Escape")
        page.locator("article details").first.click()
        page.keyboard.press("a")
        page.wait_for_selector("article.done")
        found["decided"] = barriers(page)
        desk.leave(name="Ada", body=f"Another one, {size['width']}.")
        assert {path: what for path, what in found.items() if what} == {}, (scheme, size)
    assert watch.breaches == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_of_an_admin_has_a_barrier(desk: Desk, watch: Watch, look: Callable[..., Any], scheme: str) -> None:
    """Where there is a rule, a reason, an invitation, a token and codes from an app being set up."""
    one = desk.leave(name="Ada", body="Look: https://a.example", website="https://c.example/")
    with desk.app.app_context(), transaction():
        accounts.add_moderator("Olga@desk.example.org", "Olga", PASSWORD, is_admin=True, actor="test")
    for size in SIZES:
        page = look(scheme, size)
        signing_in(desk, page, "Olga")
        found = {}
        for path in addresses(desk, one):
            page.goto(f"{desk.url}{path}")
            found[path] = barriers(page)
        for path, typed, button, answer in FORMS:
            page.goto(f"{desk.url}{path.format(one)}")
            page.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = true; })")
            found[f"{path}, all opened"] = barriers(page)
            for field, text in typed.items():
                page.fill(field, text)
            page.click(button)
            page.wait_for_selector(answer)
            found[f"{path} after {button}"] = barriers(page)
        assert {path: what for path, what in found.items() if what} == {}, (scheme, size)
    assert watch.breaches == []


def signing_in(desk: Desk, page: Any, name: str) -> dict[str, list[str]]:
    """The barriers of the page on which somebody signs in."""
    page.goto(f"{desk.url}/desk/")
    found = {"sign in": barriers(page)}
    page.fill("#email", f"{name}@desk.example.org")
    page.fill("#password", PASSWORD)
    page.click("main button")
    page.wait_for_selector("#show-keys")
    return found


def addresses(desk: Desk, comment: str) -> list[str]:
    """Every page that the desk leads to from everywhere, and those behind it."""
    with desk.app.test_request_context():
        places = [url_for(endpoint) for endpoint, _ in PLACES]
    return [
        *places, "/desk/?status=all", "/desk/?select=page", "/desk/?select=all&has_link=true",
        "/desk/?status=spam&q=nobody", f"/desk/comments/{comment}", f"/desk/people/{comment}", "/desk/sites/blog",
        "/desk/sign-up", "/desk/nowhere",
    ]  # fmt: skip


def test_a_barrier_is_seen(desk: Desk, look: Callable[..., Any]) -> None:
    """A control: text that hardly differs from its ground, and a field without a name."""
    page = look("light", SIZES[0])
    page.goto(f"{desk.url}/desk/sign-in")
    page.evaluate(
        "() => { document.querySelector('h1').style.color = '#eee'; document.querySelector('label').remove(); }"
    )
    assert {one.partition(":")[0] for one in barriers(page)} == {"color-contrast", "label"}
