"""Decisions on very many, worked off by the worker: what comes between its parts stops none of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from service.accounts.principal import Principal
from service.db import db, transaction
from service.moderation import bulk, operations, worker
from service.moderation.models import BulkDecision
from service.moderation.operations import Verdict
from service.moderation.queries import Filter
from service.sites.models import Site
from tests.moderation.still import NOON, clock, decided, robin, row, said

__all__ = ["clock", "robin"]


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is more than two is a job; no test leaves a failed one to the next."""
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    yield
    worker._failed.clear()


def begin(site: Site, who: Principal, total: int, decision: str = "spam", **filter_: Any) -> UUID:
    """A job about all that waits."""
    with transaction():
        begun = bulk.decide_matching(Filter([site.id], "pending", **filter_), total, Verdict(decision), who)
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
    job = begin(site, robin, 5)
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
    job = begin(site, robin, 3)
    clock.shift(1)
    decided(ids[2], "approve", robin)
    decided(ids[2], "restore", robin, '"v2"')

    work_off()

    assert told(job) == ("done", 2)
    assert [row(one).status for one in ids] == ["spam", "spam", "pending"]


def test_a_job_that_fails_lets_the_later_ones_pass(
    site: Site, client: FlaskClient, robin: Principal, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    page_ids = [row(said(client, page=page)).page_id for page in ("/a", "/a", "/a", "/b", "/b", "/b")]
    bad = begin(site, robin, 3, page_id=page_ids[0])
    clock.shift(1)
    good = begin(site, robin, 3, page_id=page_ids[-1])
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
