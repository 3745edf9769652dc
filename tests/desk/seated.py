"""Moderators in front of a served desk, each in a window of a real Chromium."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.serving import make_server

from service.accounts import operations as accounts
from service.accounts import queries
from service.accounts.models import Moderator
from service.accounts.principal import of_moderator
from service.app import create_app
from service.cli.operate import upgrade
from service.comments.models import Comment
from service.config import Settings
from service.db import db, transaction
from service.moderation import operations
from service.moderation.operations import Verdict
from service.sites.queries import site_of
from tests.browser import Watch, windows
from tests.conftest import ORIGIN, add_site
from tests.desk.conftest import PASSWORD
from tests.processes import free_port
from tests.support import post

HARMLESS = (
    "status of 401", "status of 409", "status of 412", "status of 413", "status of 50",
    "Failed to fetch", "ERR_CONN", "ERR_SOCKET", "Autofocus processing",
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
        self.server = make_server("127.0.0.1", self.port, self._whole, threaded=True)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def _whole(self, environ: Any, start: Any) -> list[bytes]:
        """Werkzeug's own server leaves a file open whose reader hangs up before the end."""
        with closing(self.app(environ, start)) as parts:
            return [b"".join(parts)]

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def leave(self, **changes: Any) -> str:
        return self.said(**changes)[0]

    def said(self, **changes: Any) -> tuple[str, str]:
        """A comment, and the token of its author."""
        told: Any = post(self.app.test_client(), **changes).json
        return told["id"], told["author_token"]

    def wants(self, comment_id: str, token: str, body: str) -> None:
        """The author changes a text."""
        client, headers = self.app.test_client(), {"Authorization": f"Author {token}"}
        assert client.patch("/v1/mine", json={"id": comment_id, "body": body}, headers=headers).status_code == 200

    def report(self, comment_id: str, note: str, reader: int = 0) -> None:
        """One of several readers reports it."""
        about = {"device": f"device-number-{reader:08}", "reason": "abuse", "note": note}
        where = f"/v1/sites/blog/comments/{comment_id}/report"
        peer = {"REMOTE_ADDR": f"198.51.{reader}.7"}
        assert self.app.test_client().post(where, json=about, environ_base=peer).status_code == 202

    def decide(self, name: str, comment_id: str, decision: str) -> None:
        """Somebody decides elsewhere."""
        with self.app.app_context(), transaction():
            operations.decide(UUID(comment_id), Verdict(decision), of_moderator(self.moderator(name)), "*")

    def moderator(self, name: str) -> Moderator:
        found = queries.moderator_at(f"{name.lower()}@desk.example.org")
        assert found
        return found

    def person(self, name: str, role: str | None = None, **more: Any) -> None:
        """Somebody more, or somebody who gets another role."""
        with self.app.app_context(), transaction():
            site = site_of("blog")
            made = queries.moderator_at(f"{name.lower()}@desk.example.org") or accounts.add_moderator(
                f"{name}@desk.example.org", name, PASSWORD, actor="test", **more
            )
            assert site
            if role:
                accounts.grant(made, site.id, role, actor="test")

    def comment(self, comment_id: str) -> Comment:
        with self.app.app_context():
            return db.session.get_one(Comment, UUID(comment_id))

    def status(self, comment_id: str) -> str:
        return self.comment(comment_id).status

    def version(self, comment_id: str) -> int:
        return self.comment(comment_id).version


@pytest.fixture
def desk(tmp_path: Path, settings: Settings, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """Reached by a number, unless the test's module has a name for it in `HOST`; with settings of its `SETTINGS`."""
    port, host = free_port(), getattr(request.module, "HOST", "127.0.0.1")
    url, more = f"http://{host}:{port}", getattr(request.module, "SETTINGS", {})
    app = create_app(replace(settings, database_url=f"sqlite:///{tmp_path}/desk.db", public_url=url, **more))
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
