"""Many writers on one page at once: nobody is turned away, nothing is counted wrongly, nothing is said twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from service.comments.models import Comment
from service.db import db
from service.sites.models import Site
from tests.comments.test_submitting import set_site
from tests.moderation.conftest import Desk, token_of
from tests.support import FULL, post, submission, thread

WRITERS = 8


def all_at_once(acts: list[Callable[[], int]]) -> list[int]:
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], int]) -> int:
        barrier.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def replying(app: Flask, parent: str | None, n: int, **changes: str) -> Callable[[], int]:
    document = submission(body=f"Reply {n}", parent_id=parent) | changes
    here = {"REMOTE_ADDR": f"203.0.{n}.7"}
    return lambda: app.test_client().post("/v1/sites/blog/comments", json=document, environ_base=here).status_code


def test_replies_to_one_comment_at_once_are_all_taken(app: Flask, client: FlaskClient, site: Site) -> None:
    set_site(site, mode="post")
    parent = post(client).json["id"]
    for round_ in range(3):
        codes = all_at_once([replying(app, parent, n, body=f"{round_}/{n}") for n in range(WRITERS)])
        assert codes == [201] * WRITERS
    db.session.rollback()
    shown = thread(client)
    assert shown["page"]["comment_count"] == 1 + 3 * WRITERS
    assert shown["comments"][0]["reply_count"] == 3 * WRITERS


def test_the_first_comments_of_a_page_at_once_are_all_taken(app: Flask, client: FlaskClient, site: Site) -> None:
    set_site(site, mode="post")
    for round_ in range(3):
        page = f"/reviews/new-{round_}"
        codes = all_at_once([replying(app, None, n, page=page) for n in range(WRITERS)])
        assert codes == [201] * WRITERS
        db.session.rollback()
        assert thread(client, page=page)["page"]["comment_count"] == WRITERS


def test_a_double_click_is_one_comment(app: Flask, client: FlaskClient, site: Site) -> None:
    for round_ in range(5):
        codes = all_at_once([replying(app, None, 1, body=f"Again {round_}") for _ in range(2)])
        assert sorted(codes) == [202, 409]


def test_many_decisions_and_one_among_them_at_once_wait_for_each_other(
    app: Flask, client: FlaskClient, site: Site
) -> None:
    secret = token_of("robin", site.id)

    def many(ids: list[str]) -> int:
        document = {"decision": "approve", "items": [{"id": one} for one in ids]}
        return Desk(app, secret).call("POST", "/moderation/decisions", json=document).status_code

    def one(comment_id: str) -> int:
        return Desk(app, secret).decide(comment_id, "approve", "*").status_code

    rounds = 4 if FULL else 2
    for round_ in range(rounds):
        ids = sorted(post(client, body=f"{round_}/{n}").json["id"] for n in range(20))
        codes = all_at_once([partial(many, ids), *(partial(one, each) for each in ids[10:14])])
        assert set(codes) <= {200, 409}
    db.session.rollback()
    assert {one.status for one in db.session.scalars(select(Comment))} == {"approved"}
    assert thread(client, limit=1)["page"]["comment_count"] == 20 * rounds
