"""What is asked all day takes as long of a large site as of a small one: its plans on both databases, of real requests.

`test_plans` says which index it is; here it only counts that no table is read or sorted as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert, select, text

from service.accounts import operations as accounts
from service.accounts.models import Moderator
from service.app import create_app
from service.cli.operate import upgrade
from service.comments import queries as comments
from service.comments.models import Comment
from service.config import Settings
from service.db import db, new_id, now, transaction
from service.sites.models import Page
from service.webhooks import worker
from tests.conftest import ORIGIN, add_site
from tests.moderation.conftest import Desk, token_of
from tests.support import PAGE, post

from .growth import effort, faults, grow
from .test_migrations import _new_database


@dataclass(frozen=True)
class Grown:
    app: Flask
    desk: Desk
    ids: dict[str, Any]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def made(
    request: pytest.FixtureRequest, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Grown]:
    path = tmp_path_factory.mktemp("grown") / "greenroom.db"
    url = f"sqlite:///{path}" if request.param == "sqlite" else _new_database(request)
    app = create_app(replace(settings, database_url=url))
    with app.app_context():
        upgrade()
        site, neighbour = add_site("blog", [ORIGIN]), add_site("other", ["https://other.example.org"])
        secret = token_of("robin", site.id, "owner")
        with transaction():
            accounts.grant(db.session.scalars(select(Moderator)).one(), neighbour.id, "owner", actor="test")
        desk = Desk(app, secret)
        desk.decide(post(app.test_client()).json["id"], "approve")
        page = db.session.scalars(select(Page)).one()
        ids = grow(site, neighbour, page)
        db.session.remove()
        yield Grown(app, desk, ids)
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def grown(made: Grown) -> Iterator[Grown]:
    with made.app.app_context():
        yield made
        db.session.remove()


def ask(grown: Grown, path: str) -> dict[str, Any]:
    """One GET, by the moderator where it is not the public's."""
    is_public = path.startswith(("/v1/sites/", "/embed/"))
    headers = {} if is_public else {"Authorization": f"Bearer {grown.desk.secret}"}
    answer = grown.app.test_client().get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.get_json(silent=True) or {}


def reads(path: str) -> Callable[[Grown], Any]:
    return lambda grown: ask(grown, path.format(**grown.ids))


def pages_of(path: str) -> Callable[[Grown], Any]:
    """The first page of a list and the one after it."""

    def read(grown: Grown) -> None:
        first = ask(grown, path)
        assert first["next"], first
        ask(grown, f"{path}&cursor={first['next']}")

    return read


def decides(grown: Grown) -> None:
    assert grown.desk.decide(str(grown.ids["waiting"]), "approve").status_code == 200


def submits(grown: Grown) -> None:
    more = {"parent_id": str(grown.ids["published"]), "body": "Something else."}
    answer = post(grown.app.test_client(), headers={"Idempotency-Key": "a"}, **more)
    assert answer.status_code == 202, answer.text


def works(grown: Grown) -> None:
    worker.release()
    worker.sweep()


THREAD = f"/v1/sites/blog/thread?page={PAGE}&limit=20"
QUEUE = "/v1/moderation/comments?site=blog&limit=20"
HOT: dict[str, Callable[[Grown], Any]] = {
    "a thread": pages_of(THREAD),
    "a thread, newest first": pages_of(f"{THREAD}&sort=newest"),
    "a comment and its replies": reads("/v1/sites/blog/comments/{published}"),
    "a page with a form": reads(f"/embed/blog?page={PAGE}"),
    "counts": reads(f"/v1/sites/blog/counts?page={PAGE}&page=/1&page=/2"),
    "the latest": pages_of("/v1/sites/blog/latest?limit=20"),
    "a feed": reads("/v1/sites/blog/feed.atom"),
    "a feed of a page": reads(f"/v1/sites/blog/feed.atom?page={PAGE}"),
    "a submission": submits,
    "the queue": pages_of(f"{QUEUE}&status=pending"),
    "the queue, newest first": pages_of(f"{QUEUE}&status=pending&sort=newest"),
    "the queue, riskiest first": pages_of(f"{QUEUE}&status=pending&sort=risk"),
    "the queue of all sites": pages_of("/v1/moderation/comments?limit=20&status=pending"),
    "the queue of all sites, riskiest first": pages_of("/v1/moderation/comments?limit=20&status=pending&sort=risk"),
    "every comment": pages_of(QUEUE),
    "search": reads("/v1/moderation/comments?site=blog&q=words"),
    "a page in the queue": reads("/v1/moderation/comments?site=blog&status=pending&page=/1"),
    "a reason in the queue": reads("/v1/moderation/comments?site=blog&status=pending&reason=links"),
    "a network": reads("/v1/moderation/comments?site=blog&network=0000000000000001"),
    "a person's comments": reads("/v1/moderation/comments?site=blog&person={waiting}"),
    "first-timers": reads("/v1/moderation/comments?site=blog&status=pending&first_timer=true"),
    "one comment": reads("/v1/moderation/comments/{waiting}"),
    "a person": reads("/v1/people/{waiting}"),
    "a decision": decides,
    "numbers": reads("/v1/moderation/stats?site=blog"),
    "events": reads("/v1/events?site=blog&limit=20"),
    "audit": pages_of("/v1/audit?site=blog&limit=20"),
    "audit of an action": reads("/v1/audit?site=blog&limit=20&action=comment.approve"),
    "pages": reads("/v1/pages?site=blog&limit=20"),
    "rules": pages_of("/v1/rules?site=blog&limit=20"),
    "deliveries": reads("/v1/webhooks/endpoints/{endpoint}/deliveries?limit=20"),
    "one delivery": reads("/v1/webhooks/deliveries/{delivery}"),
    "what workers look for": works,
}


@pytest.mark.parametrize("name", HOT)
def test_nothing_is_read_or_sorted_as_a_whole(grown: Grown, name: str) -> None:
    found = faults(grown.app, lambda: HOT[name](grown))
    assert found == []


def test_a_lost_index_is_seen(grown: Grown) -> None:
    """Control."""
    name, lost = "the queue, riskiest first", "ix_comments_risk"
    with db.engine.connect() as connection:
        sql = {
            "sqlite": "SELECT sql FROM sqlite_master WHERE name = :name",
            "postgresql": "SELECT indexdef FROM pg_indexes WHERE indexname = :name",
        }[db.engine.dialect.name]
        made = connection.scalar(text(sql), {"name": lost})
    with db.engine.begin() as connection:
        connection.execute(text(f"DROP INDEX {lost}"))
    try:
        assert faults(grown.app, lambda: HOT[name](grown))
    finally:
        with db.engine.begin() as connection:
            connection.execute(text(made))


@pytest.mark.parametrize("mark", ["a mark", None])
def test_who_said_much_on_a_page_is_looked_up_as_quickly(grown: Grown, mark: str | None) -> None:
    """All this is asked with the write lock held; and behind one network there may be a whole town."""
    one = db.session.get_one(Comment, grown.ids["published"])
    poster = comments.Poster(one.page_id, one.author_id, "a town", b"a" * 32)

    def ask() -> comments.Before:
        return comments.before(poster, "New words.", mark, has_rating=False)

    db.session.connection().execute(insert(Comment), [said(one, poster, n) for n in range(3_000)])
    if db.engine.dialect.name == "postgresql":
        db.session.connection().execute(text("ANALYZE comments"))
    assert not any(vars(ask()).values())
    assert effort(ask) < 300
    db.session.rollback()


def said(one: Comment, poster: comments.Poster, n: int) -> dict[str, Any]:
    return {name: getattr(one, name) for name in ("site_id", "html", "render_version")} | {
        "id": new_id(), "page_id": poster.page, "author_id": poster.author, "network_label": poster.network,
        "email_index": poster.email, "status": "pending", "name": "Town", "body": f"Words {n}",
        "alike_text": f"{n:016x}", "created_at": now(),
    }  # fmt: skip
