"""What answers say to caches in front, and that they say nothing without one that is told."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import request
from flask.testing import FlaskClient
from sqlalchemy import select

from service.db import db, transaction
from service.readcache import NOTE, Store, changes_of, page_key, site_key, sites_pages_key
from service.sites import models, sharing
from service.sites import operations as sites
from service.sites.models import Page, Site
from tests.conftest import ORIGIN
from tests.front.conftest import Serve
from tests.front.conftest import serve as serve
from tests.moderation.conftest import Desk
from tests.support import PAGE
from tests.webhooks.receiver import Receiver

from .conftest import SECONDS

THREAD = f"/v1/sites/blog/thread?page={PAGE}"
KEPT = [
    THREAD,
    f"/v1/sites/blog/counts?page={PAGE}",
    "/v1/sites/blog/latest",
    "/v1/sites/blog/feed.atom",
    f"/embed/blog?page={PAGE}&fragment=1",
]
TOLD = f"max-age=0, must-revalidate, s-maxage={SECONDS}"


@pytest.fixture
def said(desk: Desk, held: str) -> str:
    desk.decide(held, "approve")
    return held


@pytest.mark.parametrize("path", KEPT)
def test_what_is_kept_says_how_long_and_under_which_keys(
    hook: Receiver, client: FlaskClient, site: Site, said: str, path: str
) -> None:
    headers = client.get(path).headers
    assert headers["Cache-Control"] == TOLD and "Origin" in headers["Vary"]
    page = db.session.scalars(select(Page.id)).one()
    keys = set(headers["Surrogate-Key"].split())
    assert site_key(site.id) in keys and keys & {page_key(page), sites_pages_key(site.id)}
    assert all(re.fullmatch("[0-9a-f]{16}", one) for one in keys)
    again = client.get(path, headers={"If-None-Match": headers["ETag"]})
    assert again.status_code == 304 and again.headers["Cache-Control"] == TOLD


@pytest.mark.parametrize("path", KEPT)
def test_without_the_setting_nothing_is_said(client: FlaskClient, site: Site, said: str, path: str) -> None:
    headers = client.get(path).headers
    assert headers["Cache-Control"] == "no-cache" and "Surrogate-Key" not in headers


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/v1/sites/blog/thread?page=/never/seen", {}),
        ("/v1/sites/blog/form?page=/a", {}),
        (f"/embed/blog/form?page={PAGE}", {}),
        (f"/embed/blog?page={PAGE}", {}),
        (THREAD, {"Authorization": "Author x"}),
        (THREAD, {"Cookie": "a=b"}),
    ],
)
def test_what_is_not_for_all_says_nothing(
    hook: Receiver, client: FlaskClient, said: str, path: str, headers: dict[str, str]
) -> None:
    found = client.application.test_client(use_cookies=False).get(path, headers=headers).headers
    assert "s-maxage" not in found["Cache-Control"] and "Surrogate-Key" not in found


def test_what_is_kept_ready_says_it_too(hook: Receiver, serve: Serve, client: FlaskClient, said: str) -> None:
    store = Store(1_000_000, changes_of(db.engine))
    served = serve(client.application, store=store)
    for _ in range(2):
        found = served.get(THREAD, f"Origin: {ORIGIN}").headers
        assert found["Cache-Control"] == TOLD and found["Access-Control-Allow-Origin"] == ORIGIN
        assert found["Surrogate-Key"] == client.get(THREAD).headers["Surrogate-Key"]
    store.close()


def test_nothing_is_kept_in_front_beyond_the_time_at_which_a_page_closes(
    hook: Receiver, client: FlaskClient, site: Site, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction():
        sites.change_site(site, {"close_after_days": 1}, actor="test")
    closes = db.session.scalars(select(Page.created_at)).one() + timedelta(days=1)
    last = closes - timedelta(seconds=SECONDS)
    for seconds, told, until in ((SECONDS * 2, TOLD, last), (SECONDS // 2, "no-cache", closes), (-1, TOLD, None)):
        moment = closes - timedelta(seconds=seconds)
        for module in (sharing, models):
            monkeypatch.setattr(module, "now", lambda moment=moment: moment)
        with client:
            found = client.get(THREAD)
            assert request.environ[NOTE].until == until  # else it would be told so from what is kept ready, later
        assert found.headers["Cache-Control"] == told
        assert (found.json["page"]["state"] == "closed") is (seconds < 0)
