"""What has changed is told to a cache in front: soon, at least once, and not again."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from service import prompts
from service.db import db, now, transaction
from service.purges import operations, policy, worker
from service.purges.models import PurgeTurn
from service.readcache import page_key, site_key, sites_pages_key
from service.readcache.models import PublicChange
from service.sites import operations as sites
from service.sites.models import Page, Site
from tests.moderation.conftest import Desk
from tests.proof.shared_cache import SharedCache
from tests.support import PAGE, post
from tests.webhooks.receiver import Receiver

from .conftest import TOKEN, is_due, told

THREAD = f"/v1/sites/blog/thread?page={PAGE}"


def keys_of_the_page(site: Site) -> set[str]:
    page = db.session.scalars(select(Page.id)).one()
    db.session.rollback()
    return {page_key(page), sites_pages_key(site.id)}


@pytest.fixture
def cache(client: FlaskClient) -> SharedCache:
    return SharedCache(client)


def shown(cache: SharedCache) -> int:
    found: int = len(cache.get(THREAD, {}).json["comments"])  # type: ignore[index]
    return found


def test_what_was_approved_is_shown_by_a_cache_in_front(
    hook: Receiver, cache: SharedCache, client: FlaskClient, desk: Desk, held: str
) -> None:
    desk.decide(held, "approve")
    worker.purge()
    assert [shown(cache), shown(cache), cache.hits] == [1, 1, 1]
    desk.decide(post(client, body="Another one.").json["id"], "approve")
    assert shown(cache) == 1 and cache.hits == 2  # else it would not matter what is told
    worker.purge()
    cache.purge(told(hook)[-1])
    assert shown(cache) == 2 and cache.hits == 2


def test_the_hook_is_told_in_one_form(hook: Receiver, site: Site, desk: Desk, held: str) -> None:
    desk.decide(held, "approve")
    worker.purge()
    (got,) = hook.got
    keys = sorted(keys_of_the_page(site))
    assert json.loads(got.body) == {"surrogate_keys": keys}
    assert got.headers["surrogate-key"] == " ".join(keys)
    assert got.headers["authorization"] == f"Bearer {TOKEN}" and got.headers["fastly-key"] == TOKEN
    assert got.headers["content-type"] == "application/json"


def test_a_worker_finds_it_by_looking(hook: Receiver, app: Flask, site: Site) -> None:
    with transaction():
        sites.change_site(site, {"depth": 2}, actor="test")
    worker.look()
    prompts.take_all(10)
    assert told(hook) == [{site_key(site.id)}]


def test_nothing_is_told_twice(hook: Receiver, client: FlaskClient, site: Site, desk: Desk) -> None:
    for n in range(3):
        desk.decide(post(client, body=f"Comment {n}").json["id"], "approve")
    for _ in range(3):
        worker.purge()
    assert told(hook) == [keys_of_the_page(site)] and not is_due()


def test_what_nobody_may_see_yet_is_not_told(hook: Receiver, client: FlaskClient, site: Site, desk: Desk) -> None:
    desk.decide(post(client).json["id"], "approve")
    worker.purge()
    post(client, body="Another one.")
    worker.purge()
    assert len(hook.got) == 1


@pytest.mark.parametrize("trouble", [503, 401, 302, 0])
def test_a_hook_that_does_not_take_it_is_told_again(
    hook: Receiver, site: Site, desk: Desk, held: str, trouble: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING", worker.log.name)
    hook.answers = [(trouble, {}), (trouble, {})]
    desk.decide(held, "approve")
    for _ in range(3):
        worker.purge()
        worker.purge()  # not before its time
        _let_time_pass()
    assert told(hook) == [keys_of_the_page(site)] * 3 and not is_due()
    assert len(caplog.records) == 2 and TOKEN not in caplog.text
    assert db.session.get_one(PurgeTurn, 1).failures == 0


def _let_time_pass() -> None:
    with db.engine.begin() as connection:
        connection.execute(update(PurgeTurn).values(until=now() - timedelta(seconds=1)))


def test_a_hook_that_is_away_is_told_when_it_is_back(hook: Receiver, app: Flask, desk: Desk, held: str) -> None:
    there = app.extensions["greenroom_settings"]
    app.extensions["greenroom_settings"] = replace(there, purge_url="http://127.0.0.1:9/hook")
    desk.decide(held, "approve")
    worker.purge()
    app.extensions["greenroom_settings"] = there
    assert not is_due() and not hook.got
    _let_time_pass()
    assert is_due()
    worker.purge()
    assert len(hook.got) == 1 and not is_due()


def test_the_wait_grows_up_to_a_minute_and_heeds_the_hook() -> None:
    waits = [policy.wait_after(n, None).total_seconds() for n in range(1, 9)]
    assert waits == [2, 4, 8, 16, 32, 60, 60, 60]
    assert policy.wait_after(1, 30.0).total_seconds() == 30 and policy.wait_after(1, 9e9).total_seconds() == 60


def test_what_changes_while_it_is_told_is_told_too(hook: Receiver, client: FlaskClient, desk: Desk, held: str) -> None:
    desk.decide(held, "approve")
    with transaction():
        batch = operations.take()
    assert batch
    desk.decide(post(client, body="Another one.").json["id"], "approve")
    with transaction():
        operations.settle(batch)
    assert is_due()


def test_one_worker_tells_and_another_follows_one_that_died(hook: Receiver, desk: Desk, held: str) -> None:
    desk.decide(held, "approve")
    with transaction():
        lost = operations.take()
    with transaction():
        assert operations.take() is None
    assert not is_due()
    _let_time_pass()
    with transaction():
        second = operations.take()
    assert lost and second and second.keys == lost.keys
    with transaction():
        operations.settle(lost, taken=False)  # it was not dead, after all
    with transaction():
        operations.settle(second)
    assert not is_due() and db.session.get_one(PurgeTurn, 1).failures == 0


def test_a_turn_of_a_clock_that_was_put_back_is_over(hook: Receiver, desk: Desk, held: str) -> None:
    desk.decide(held, "approve")
    with transaction():
        operations.take()
    with db.engine.begin() as connection:
        connection.execute(update(PurgeTurn).values(until=now() + timedelta(days=1)))
    assert is_due()


def test_many_keys_are_several_requests(
    hook: Receiver, app: Flask, client: FlaskClient, site: Site, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "MOST_KEYS", 3)
    for n in range(5):
        desk.decide(post(client, page=f"/{n}").json["id"], "approve")
    while is_due():
        worker.purge()
    found = told(hook)
    assert [len(one) for one in found] == [3, 3, 2]  # two pages with the key of all, and the last one
    assert set.union(*found) == {page_key(one) for one in db.session.scalars(select(Page.id))} | {
        sites_pages_key(site.id)
    }


def test_nobody_is_told_without_the_setting(app: Flask, desk: Desk, held: str) -> None:
    desk.decide(held, "approve")
    prompts.take_all(10)
    worker.look()
    assert prompts.waiting() == 0
    assert db.session.scalars(select(PublicChange.purged_at)).all() == [None] * db.session.query(PublicChange).count()
