"""The queue in a real Chromium: an item makes room for its outcome, and nothing breaks the policy of the page."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.serving import make_server

from service.accounts import operations as accounts
from service.app import create_app
from service.cli.operate import upgrade
from service.comments.models import Comment
from service.config import Settings
from service.db import db, transaction
from tests.browser import Watch, windows
from tests.conftest import ORIGIN, add_site
from tests.desk.conftest import PASSWORD
from tests.processes import free_port
from tests.support import post

pytestmark = pytest.mark.browser

HARMLESS = ("status of 401", "status of 412", "Failed to fetch", "ERR_CONNECTION", "Autofocus processing")
"""What a browser's console says about refusals and outages that a test wants."""


class Desk:
    """A served desk with two moderators, Anna and Bert."""

    def __init__(self, app: Flask, url: str, stop: Callable[[], None]) -> None:
        self.app, self.url, self.stop = app, url, stop

    def leave(self, **changes: Any) -> str:
        return str(post(self.app.test_client(), **changes).json["id"])  # type: ignore[index]

    def status(self, comment_id: str) -> str:
        with self.app.app_context():
            return db.session.get_one(Comment, UUID(comment_id)).status


@pytest.fixture
def desk(tmp_path: Path, settings: Settings) -> Iterator[Desk]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    app = create_app(replace(settings, database_url=f"sqlite:///{tmp_path}/desk.db", public_url=url))
    with app.app_context():
        upgrade()
        site = add_site("blog", [ORIGIN])
        with transaction():
            for name in ("Anna", "Bert"):
                made = accounts.add_moderator(f"{name}@desk.example.org", name, PASSWORD, actor="test")
                accounts.grant(made, site.id, "moderator", actor="test")
        db.session.remove()
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    yield Desk(app, url, stop)
    if thread.is_alive():
        stop()
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def watch(desk: Desk) -> Watch:
    return Watch((desk.url,))


@pytest.fixture
def sit_down(chromium: Any, desk: Desk, watch: Watch) -> Iterator[Callable[[str], Any]]:
    """A window in which somebody is signed in and sees the queue. Its console must stay quiet."""
    with windows(chromium, watch) as open_window:

        def sign_in(name: str) -> Any:
            page = open_window()
            page.goto(f"{desk.url}/desk")
            page.fill("#email", f"{name}@desk.example.org")
            page.fill("#password", PASSWORD)
            page.click("main button")
            page.wait_for_selector(".tabs")
            return page

        yield sign_in
    assert [text for text in watch.console if not any(known in text for known in HARMLESS)] == []
    assert (watch.errors, watch.foreign) == ([], [])


def test_an_item_makes_room_for_its_outcome(desk: Desk, sit_down: Any) -> None:
    first, second = desk.leave(body="One."), desk.leave(body="Two.")
    page = sit_down("anna")
    page.click(f"#c-{first} button.approve")
    page.wait_for_selector(f"#c-{first}.done")
    assert "Approved. By you, just now." in page.inner_text(f"#c-{first}")
    assert page.inner_text("#live") == "Approved. By you, just now." and page.inner_text("#waiting") == "1"
    assert page.evaluate("document.activeElement.id") == f"c-{first}"
    assert page.locator(f"#c-{second} button.approve").is_enabled() and desk.status(first) == "approved"


def test_what_was_decided_can_be_restored_on_the_spot(desk: Desk, sit_down: Any) -> None:
    one = desk.leave()
    page = sit_down("anna")
    page.click(f"#c-{one} button.spam")
    page.click(f"#c-{one}.done button.restore")
    page.wait_for_selector(f"#c-{one} button.approve")
    assert desk.status(one) == "pending" and page.inner_text("#live").startswith("Back in the queue.")
    page.click(f"#c-{one} button.approve")
    page.wait_for_selector(f"#c-{one}.done")
    assert desk.status(one) == "approved"


def test_a_double_click_decides_once(desk: Desk, sit_down: Any) -> None:
    one = desk.leave()
    page, sent = sit_down("anna"), []
    page.on("request", lambda request: sent.append(request.method))
    page.dblclick(f"#c-{one} button.reject")
    page.wait_for_selector(f"#c-{one}.done")
    assert sent.count("POST") == 1 and desk.status(one) == "rejected"


def test_a_conflict_stays_inside_its_item(desk: Desk, sit_down: Any) -> None:
    one = desk.leave()
    bert, anna = sit_down("bert"), sit_down("anna")
    anna.click(f"#c-{one} button.approve")
    anna.wait_for_selector(f"#c-{one}.done")
    bert.click(f"#c-{one} summary")
    bert.fill(f"#reason-{one}", "A bot, I think.")
    bert.click(f"#c-{one} button.reject")
    bert.wait_for_selector(f"#c-{one} .say p")
    assert "set to approved by Anna" in bert.inner_text(f"#c-{one} .say")
    assert bert.input_value(f"#reason-{one}") == "A bot, I think." and desk.status(one) == "approved"
    bert.click(f"#c-{one} button.reject")
    bert.wait_for_selector(f"#c-{one}.done")
    assert desk.status(one) == "rejected"


def test_an_ended_session_leads_to_sign_in_and_back(desk: Desk, sit_down: Any) -> None:
    one = desk.leave()
    page = sit_down("anna")
    page.goto(f"{desk.url}/desk/?sort=newest")
    page.context.clear_cookies()
    page.click(f"#c-{one} button.approve")
    page.wait_for_selector("#password")
    page.fill("#email", "anna@desk.example.org")
    page.fill("#password", PASSWORD)
    page.click("main button")
    page.wait_for_selector(f"#c-{one}")
    assert page.url == f"{desk.url}/desk/?sort=newest" and desk.status(one) == "pending"


def test_an_outage_is_said_beside_the_buttons(desk: Desk, sit_down: Any) -> None:
    one = desk.leave()
    page = sit_down("anna")
    desk.stop()
    page.click(f"#c-{one} button.approve")
    page.wait_for_function("id => document.querySelector(`#c-${id} .say`)?.textContent", arg=one)
    assert page.inner_text(f"#c-{one} .say").startswith("No answer came.")
    assert page.locator(f"#c-{one} button.approve").is_enabled()


def test_the_address_takes_the_place_of_its_button(desk: Desk, sit_down: Any) -> None:
    one = desk.leave(email="bea.smith@mail.example.org")
    page = sit_down("anna")
    page.goto(f"{desk.url}/desk/comments/{one}")
    page.click("text=Show the address")
    page.wait_for_selector("text=bea.smith@mail.example.org")
    assert page.locator("text=Show the address").count() == 0


def test_a_phone_needs_no_sideways_scrolling(desk: Desk, sit_down: Any) -> None:
    one = desk.leave(name="W" * 80, body="x" * 400, website="https://example.org/" + "y" * 150)
    page = sit_down("anna")
    page.set_viewport_size({"width": 360, "height": 740})
    for path in ("/desk/", f"/desk/comments/{one}"):
        page.goto(desk.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.locator(f"#c-{one} button.approve").bounding_box()["height"] >= 48


def test_the_console_would_tell_of_a_breach(desk: Desk, sit_down: Any, watch: Watch) -> None:
    page = sit_down("anna")
    with page.expect_console_message(lambda message: "Content Security Policy" in message.text):
        page.evaluate("document.body.setAttribute('style', 'color: red')")
    assert len(watch.breaches) == 1
    watch.console.clear()
