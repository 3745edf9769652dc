"""What never enters the app is counted all the same."""

from __future__ import annotations

from flask import Flask
from flask.testing import FlaskClient

from service.front import server
from service.readcache import Store
from service.sites.models import Site
from tests.front.conftest import Serve, Served
from tests.front.test_ready import THREAD, Counted
from tests.front.test_ready import counted as counted
from tests.front.test_ready import desk as desk
from tests.front.test_ready import said as said
from tests.front.test_ready import served as served
from tests.front.test_ready import store as store
from tests.scrape import Scrape
from tests.support import post


def test_answers_of_the_read_cache_are_counted(
    served: Served, store: Store, app: Flask, client: FlaskClient, said: str
) -> None:
    server._tell(served.front, store)
    etag = served.get(THREAD).headers["ETag"]
    served.get(THREAD)
    assert served.get(THREAD, f"If-None-Match: {etag}").status == 304
    told = Scrape(app)
    results = {one: told.value("greenroom_cache_answers_total", result=one) for one in ("made", "hit", "not modified")}
    assert results == {"made": 1, "hit": 1, "not modified": 1}
    assert told.value("greenroom_cache_bytes") == store.size > 0
    assert told.value("greenroom_cache_limit_bytes") == 1_000_000
    assert told.value("greenroom_lane_requests", lane="reading") == 0


def test_what_may_not_be_kept_is_not_counted_as_made(
    served: Served, store: Store, app: Flask, client: FlaskClient, site: Site
) -> None:
    server._tell(served.front, store)
    assert served.get("/v1/sites/nobodys/thread?page=/x").status == 404
    assert Scrape(app).value("greenroom_cache_answers_total", result="made") == 0


def test_what_the_front_refuses_is_counted(serve: Serve, app: Flask, counted: Counted) -> None:
    before = Scrape(app).value("greenroom_front_refusals_total", status="413")
    served = serve(counted, max_body=9)
    assert served.ask(b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\n").status == 413
    assert Scrape(app).value("greenroom_front_refusals_total", status="413") == before + 1
    assert post(app.test_client()).status_code == 404, "control: what the app refuses is not counted there"
    assert Scrape(app).value("greenroom_front_refusals_total", status="413") == before + 1
