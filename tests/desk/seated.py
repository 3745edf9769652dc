"""Moderators in front of a served desk, each in a window of a real Chromium."""

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

HARMLESS = (
    "status of 401", "status of 409", "status of 412", "Failed to fetch", "ERR_CONN", "ERR_SOCKET",
    "Autofocus processing",
)  # fmt: skip
"""What a browser's console says about refusals and outages that a test wants."""


def come_to(page: Any, selector: str) -> None:
    """Wait for a page on which this is to be seen, and for the script that keys need."""
    page.wait_for_selector(selector)
    page.wait_for_selector("#show-keys")


class Desk:
    """A served desk with two moderators, Anna and Bert."""

    def __init__(self, app: Flask, port: int, url: str) -> None:
        self.app, self.port, self.url = app, port, url

    def start(self) -> None:
        self.server = make_server("127.0.0.1", self.port, self.app, threaded=True)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def leave(self, **changes: Any) -> str:
        return str(post(self.app.test_client(), **changes).json["id"])  # type: ignore[index]

    def comment(self, comment_id: str) -> Comment:
        with self.app.app_context():
            return db.session.get_one(Comment, UUID(comment_id))

    def status(self, comment_id: str) -> str:
        return self.comment(comment_id).status

    def version(self, comment_id: str) -> int:
        return self.comment(comment_id).version


@pytest.fixture
def desk(tmp_path: Path, settings: Settings, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """Reached by a number, unless the test's module has a name for it in `HOST`."""
    port, host = free_port(), getattr(request.module, "HOST", "127.0.0.1")
    url = f"http://{host}:{port}"
    app = create_app(replace(settings, database_url=f"sqlite:///{tmp_path}/desk.db", public_url=url))
    with app.app_context():
        upgrade()
        site = add_site("blog", [ORIGIN])
        with transaction():
            for name in ("Anna", "Bert"):
                made = accounts.add_moderator(f"{name}@desk.example.org", name, PASSWORD, actor="test")
                accounts.grant(made, site.id, "moderator", actor="test")
        db.session.remove()
    desk = Desk(app, port, url)
    desk.start()
    yield desk
    if desk.thread.is_alive():
        desk.stop()
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
            come_to(page, "#queue")
            return page

        yield sign_in
    assert [text for text in watch.console if not any(known in text for known in HARMLESS)] == []
    assert (watch.errors, watch.foreign) == ([], [])
