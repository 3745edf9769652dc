"""Decisions on very many, worked off by the worker: what comes between its parts stops none of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from service.accounts.principal import Principal, of_moderator
from service.db import db, transaction
from service.errors import Conflict, Forbidden, NotFound
from service.moderation import bulk, operations, worker
from service.moderation.models import BulkDecision
from service.moderation.operations import Verdict
from service.moderation.queries import Filter
from service.sites.models import Site
from tests.conftest import add_site
from tests.moderation.conftest import Desk
from tests.moderation.still import NOON, clock, decided, entries, moderator, robin, row, said

__all__ = ["clock", "robin"]


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is more than two is a job; no test leaves a failed one to the next."""
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    yield
    worker._failed.clear()


def begin(sites: list[Site], who: Principal, total: int, **filter_: Any) -> UUID:
    """A job about all that waits on some sites."""
    wanted = Filter([one.id for one in sites], "pending", **filter_)
    with transaction():
        begun = bulk.decide_matching(wanted, {"count": total}, Verdict("spam"), who)
    assert begun.id and begun.state == "working"
    return begun.id


def begin_named(ids: list[UUID], who: Principal) -> UUID:
    with transaction():
        begun = bulk.decide_listed(dict.fromkeys(ids), Verdict("spam"), who)
    assert begun.id and begun.state == "working"
    return begun.id


def told(job: UUID) -> tuple[str, int]:
    """How far a job is."""
    db.session.rollback()
    db.session.expire_all()
    found = db.session.get_one(BulkDecision, job)
    return found.state, found.done


def work_off() -> None:
    for _ in range(20):
        if not worker.decide():
            return
    raise AssertionError("it never ends")


@pytest.mark.parametrize("way", ["undone", "restored"])
def test_what_waits_again_is_not_decided_by_the_same_job(
    site: Site, client: FlaskClient, robin: Principal, clock: Any, way: str
) -> None:
    ids = [said(client) for _ in range(5)]
    job = begin([site], robin, 5)
    clock.shift(1)
    worker.decide()
    if way == "undone":
        with transaction():
            operations.undo_one(job, ids[0], robin)
    else:
        decided(ids[0], "restore", robin, '"v2"')

    work_off()

    assert told(job) == ("done", 5)
    assert [row(one).status for one in ids] == ["pending", *["spam"] * 4]


def test_what_was_decided_and_put_back_since_is_no_part_of_the_job(
    site: Site, client: FlaskClient, robin: Principal, clock: Any
) -> None:
    ids = [said(client) for _ in range(3)]
    job = begin([site], robin, 3)
    clock.shift(1)
    decided(ids[2], "approve", robin)
    decided(ids[2], "restore", robin, '"v2"')

    work_off()

    assert told(job) == ("done", 2)
    assert [row(one).status for one in ids] == ["spam", "spam", "pending"]


def test_what_was_reworded_since_is_no_part_of_the_job(
    site: Site, client: FlaskClient, robin: Principal, clock: Any
) -> None:
    ids = [said(client) for _ in range(3)]
    with transaction():
        operations.edit(ids[0], "Reworded before.", robin, "*")
    clock.shift(1)
    job = begin([site], robin, 3)
    clock.shift(1)
    with transaction():
        operations.edit(ids[2], "Reworded since.", robin, "*")

    work_off()

    assert told(job) == ("done", 2)
    assert [row(one).status for one in ids] == ["spam", "spam", "pending"]


def test_all_that_match_are_decided_only_in_the_words_that_were_seen(
    desk: Desk, client: FlaskClient, clock: Any
) -> None:
    ids = [said(client) for _ in range(2)]
    asked = {"decision": "approve", "filter": {}, "count": 2, "newest": str(ids[1]), "edited": None}
    clock.shift(1)
    edit = {"json": {"body": "Other words."}, "headers": {"If-Match": '"v1"'}}
    edited = desk.call("PATCH", f"/moderation/comments/{ids[1]}", **edit).json["edited_at"]

    refused = desk.call("POST", "/moderation/decisions", json=asked)

    told = "You saw 2 comments; some of them have other words now. Nothing was changed."
    assert (refused.status_code, refused.json["detail"], refused.json["count"]) == (409, told, 2)
    assert row(ids[0]).status == "pending"
    again = desk.call("POST", "/moderation/decisions", json=asked | {"edited": edited})
    assert (again.status_code, again.json["done"]) == (200, 2)


def test_a_job_that_fails_lets_the_later_ones_pass(
    site: Site, client: FlaskClient, robin: Principal, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    page_ids = [row(said(client, page=page)).page_id for page in ("/a", "/a", "/a", "/b", "/b", "/b")]
    bad = begin([site], robin, 3, page_id=page_ids[0])
    clock.shift(1)
    good = begin([site], robin, 3, page_id=page_ids[-1])
    part = bulk._part

    def failing(one: BulkDecision, *more: Any) -> Any:
        if one.id == bad:
            raise RuntimeError("broken on purpose")
        return part(one, *more)

    monkeypatch.setattr(bulk, "_part", failing)
    with pytest.raises(RuntimeError):
        worker.decide()
    work_off()
    assert (told(bad), told(good)) == (("working", 0), ("done", 3))

    monkeypatch.setattr(bulk, "_part", part)
    work_off()

    assert told(bad) == ("done", 3)
    assert db.session.get_one(BulkDecision, bad).created_at == NOON


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("parts", [0, 1, 9])
def test_only_who_may_decide_on_all_its_sites_undoes_a_decision_on_many(
    site: Site, client: FlaskClient, robin: Principal, named: bool, parts: int
) -> None:
    other = add_site("other", ["https://other.example.org"])
    both = of_moderator(moderator("bert", site, other))
    ids = [said(client), said(client), said(client, site="other")]
    job = begin_named(ids, both) if named else begin([site, other], both, 3)
    for _ in range(parts):
        worker.decide()
    before = told(job)
    vera, eve = (of_moderator(moderator(name, site, other, role="viewer")) for name in ("vera", "eve"))

    for who, refusal in ((vera, Forbidden), (replace(eve, roles={}), NotFound), (robin, NotFound)):
        with pytest.raises(refusal), transaction():
            bulk.undo(job, who)

    assert told(job) == before and db.session.get_one(BulkDecision, job).undone_by is None
    assert entries("comments.undone") == []
    with transaction():
        bulk.undo(job, both)
    work_off()
    assert {row(one).status for one in ids} == {"pending"}


@pytest.mark.parametrize("named", [False, True])
def test_a_job_is_stopped_before_its_first_part(site: Site, client: FlaskClient, robin: Principal, named: bool) -> None:
    ids = [said(client) for _ in range(3)]
    job = begin_named(ids, robin) if named else begin([site], robin, 3)

    with transaction():
        stopped = bulk.undo(job, robin)

    assert (stopped.state, stopped.total, stopped.done) == ("undone", 0, 0)
    work_off()
    assert {row(one).status for one in ids} == {"pending"}
    with pytest.raises(Conflict, match="This was undone already."), transaction():
        bulk.undo(job, robin)
