"""Bulk decisions to the letter: each outcome, each part of the work, and what a filter keeps out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from service.accounts import operations as accounts
from service.accounts.models import Moderator
from service.accounts.principal import Principal, acting
from service.audit.models import INSTALL
from service.db import db, transaction
from service.errors import Conflict, StaleVersion, VersionNeeded
from service.moderation import bulk, queries
from service.moderation.models import BulkDecision
from service.moderation.operations import Verdict
from service.moderation.queries import Filter
from service.sites.models import Site

from .still import NOON, clock, decided, entries, events, robin, row, said

__all__ = ["clock", "robin"]

# What a row holds is the same on every database, and test_deciding asks both.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True, scope="session")


def test_each_of_many_has_its_outcome(site: Site, client: FlaskClient, robin: Principal) -> None:
    first, second, stale = (said(client) for _ in range(3))
    decided(second, "spam", robin)
    missing = uuid4()
    asked = {missing: None, stale: '"v8"', second: None, first: '"v1"'}
    with transaction():
        done = bulk.decide_listed(asked, Verdict("approve"), robin)
    outcomes = done.results
    assert (done.state, done.total, done.done) == ("done", 4, 1)
    assert [one.id for one in outcomes] == list(asked)
    assert [one.status for one in outcomes] == [None, "pending", "spam", "approved"]
    assert outcomes[0].problem == "There is no comment by that id, or you have no role on its site."
    assert outcomes[1].problem == StaleVersion.detail
    assert str(outcomes[2].problem).startswith(VersionNeeded.detail)
    assert outcomes[3].problem is None
    assert [one.by for one in outcomes] == [None, None, "Robin", None]
    assert [row(one).status for one in (first, second, stale)] == ["approved", "spam", "pending"]


def a_job(site: Site, who: Principal, seen: int, **filter_: Any) -> BulkDecision:
    """A bulk decision that waits for the worker, however few it is about."""
    wanted = Filter(**{"site_ids": [site.id], "status": "pending"} | filter_)
    with pytest.MonkeyPatch.context() as few, transaction():
        few.setattr(bulk, "AT_ONCE", 0)
        begun = bulk.decide_matching(wanted, {"count": seen}, Verdict("reject", "Off topic"), who)
    return db.session.get_one(BulkDecision, begun.id)


def test_a_bulk_decision_begins_with_what_was_seen(site: Site, client: FlaskClient, robin: Principal) -> None:
    page_id = row(said(client)).page_id
    said(client)
    with pytest.raises(Conflict) as refused:
        a_job(site, robin, 1)
    assert refused.value.detail == "You saw 1 comments; there are 2 now. Nothing was changed."
    assert refused.value.more == {"count": 2}
    assert entries("comments.bulk") == []
    made = a_job(site, robin, 2, page_id=page_id)
    assert (made.state, made.moderator_id, made.actor, made.name) == (
        "working",
        robin.moderator_id,
        robin.actor,
        "Robin",
    )
    assert (made.decision, made.reason, made.total, made.done) == ("reject", "Off topic", 2, 0)
    assert (made.created_at, made.finished_at, made.site_ids) == (NOON, None, [str(site.id)])
    assert made.filter == {"status": "pending", "page_id": str(page_id)}
    details = {"decision": "reject", "total": 2}
    assert entries("comments.bulk") == [(robin.actor, INSTALL, made.id, details)]


def test_as_many_others_are_not_what_was_seen(site: Site, client: FlaskClient, robin: Principal) -> None:
    back, first, last = (said(client) for _ in range(3))
    wanted = Filter([site.id], "pending")
    decided(back, "reject", robin)
    decided(last, "approve", robin)
    decided(back, "restore", robin, "*")
    with pytest.raises(Conflict) as refused, transaction():
        bulk.decide_matching(wanted, {"count": 2, "newest": last}, Verdict("spam"), robin)
    assert refused.value.detail == "You saw 2 comments; some of them are others now. Nothing was changed."
    assert [row(one).status for one in (first, last)] == ["pending", "approved"]
    newest = queries.newest(wanted)[1]
    with transaction():
        done = bulk.decide_matching(wanted, {"count": 2, "newest": newest}, Verdict("spam"), robin)
    assert (done.total, done.done) == (2, 2)


@pytest.mark.parametrize("at_once", [0, 500])
def test_what_came_after_the_last_that_was_seen_is_left_as_it_is(
    site: Site, client: FlaskClient, robin: Principal, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """Of the same moment, too: a wave does not end while somebody reads how many it is."""
    ids = [said(client) for _ in range(4)]
    monkeypatch.setattr(bulk, "AT_ONCE", at_once)
    wanted = Filter([site.id], "pending")
    with transaction():
        done = bulk.decide_matching(wanted, {"count": 2, "newest": ids[1]}, Verdict("spam"), robin)
    monkeypatch.setattr(bulk, "AT_ONCE", 500)
    while work():
        pass
    assert done.total == 2
    assert [row(one).status for one in ids] == ["spam", "spam", "pending", "pending"]
    with pytest.raises(Conflict), transaction():
        bulk.decide_matching(wanted, {"count": 2, "newest": uuid4()}, Verdict("spam"), robin)


def work(who: Any = acting) -> bool:
    with transaction():
        return bulk.work_bulk(who, 45.0, set()) is not None


def test_a_bulk_decision_is_worked_off_part_by_part(
    site: Site, client: FlaskClient, robin: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    ids = [said(client) for _ in range(4)]
    made = a_job(site, robin, 4).id
    assert work()
    assert (progress(made), [row(one).status for one in ids].count("rejected")) == (("working", 2, None), 2)
    assert work()
    assert progress(made) == ("working", 4, None)
    assert work()
    assert progress(made) == ("done", 4, NOON)
    assert not work()
    assert {row(one).reason for one in ids} == {"Off topic"}
    assert {one.not_before for one in events("comment.rejected")} == {NOON + timedelta(seconds=45)}


def progress(bulk_id: UUID) -> tuple[str, int, datetime | None]:
    db.session.expire_all()
    made = db.session.get_one(BulkDecision, bulk_id)
    return made.state, made.done, made.finished_at


def test_many_that_are_named_are_worked_off_part_by_part_and_those_refused_are_told(
    site: Site, client: FlaskClient, robin: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    ids = [said(client) for _ in range(3)]
    missing, stale = uuid4(), said(client)
    items = [(ids[0], None), (missing, None), (stale, '"v8"'), (ids[1], '"v1"'), (ids[2], None)]
    with transaction():
        made = bulk.decide_listed(dict(items), Verdict("spam"), robin).id
    while work():
        pass
    assert progress(made) == ("done", 3, NOON)
    results = db.session.get_one(BulkDecision, made).results
    assert [one["id"] for one in results] == [str(missing), str(stale)]
    told = {"problem": StaleVersion.detail, "by": None, "by_actor": None}
    assert results[1] == {"id": str(stale), "status": "pending"} | told
    assert [row(one).status for one in (*ids, stale)] == ["spam", "spam", "spam", "pending"]


def test_one_that_cannot_be_decided_does_not_keep_a_filter_busy_for_ever(
    site: Site, client: FlaskClient, robin: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "AT_ONCE", 1)
    ids = [said(client) for _ in range(3)]
    made = a_job(site, robin, 3).id
    whole = bulk.decide

    def decide(comment_id: UUID, *more: Any) -> Any:
        if comment_id == ids[0]:
            raise Conflict("Not this one.")
        return whole(comment_id, *more)

    monkeypatch.setattr(bulk, "decide", decide)
    for _ in range(4):
        work()
    assert progress(made) == ("done", 2, NOON)
    assert [one["problem"] for one in db.session.get_one(BulkDecision, made).results] == ["Not this one."]


@pytest.mark.parametrize("part", ["page", "words", "reason", "status"])
def test_a_bulk_decision_keeps_to_its_filter(site: Site, client: FlaskClient, robin: Principal, part: str) -> None:
    meant = said(client, page="/meant", body="Pills and https://a.example and https://b.example and https://c.example")
    other = said(client, page="/other", body="Honest words")
    reason = row(meant).reasons[0].code
    assert reason not in {one.code for one in row(other).reasons}
    filters: dict[str, dict[str, Any]] = {
        "page": {"page_id": row(meant).page_id}, "words": {"q": "pills"}, "reason": {"reason": reason}, "status": {},
    }  # fmt: skip
    if part == "status":
        decided(other, "approve", robin)
    made = a_job(site, robin, 1, **filters[part])
    assert work()
    assert (progress(made.id)[:2], row(meant).status) == (("done", 1), "rejected")
    assert row(other).status != "rejected"


def test_a_bulk_decision_ends_where_its_moderator_may_no_longer(
    site: Site, client: FlaskClient, robin: Principal
) -> None:
    held = said(client)
    made = a_job(site, robin, 1)
    with transaction():
        accounts.withdraw(db.session.get_one(Moderator, robin.moderator_id), site.id, actor="test")
    assert work()
    assert (progress(made.id), row(held).status) == (("done", 0, NOON), "pending")


def test_a_bulk_decision_of_nobody_is_done(site: Site, client: FlaskClient, robin: Principal) -> None:
    held = said(client)
    made = a_job(site, robin, 1)
    assert work(lambda _actor: None)
    assert (progress(made.id), row(held).status) == (("done", 0, NOON), "pending")


def test_what_came_after_a_bulk_decision_waits(site: Site, client: FlaskClient, robin: Principal, clock: Any) -> None:
    said(client)
    made = a_job(site, robin, 1)
    clock.shift(1)
    later = said(client)
    assert work()
    assert (progress(made.id)[1], row(later).status) == (1, "pending")


def test_who_asked_is_found_by_name(site: Site, client: FlaskClient, robin: Principal) -> None:
    said(client)
    made = a_job(site, robin, 1)
    asked: list[str] = []

    def who(actor: str) -> Principal | None:
        asked.append(actor)
        return acting(actor)

    work(who)
    assert (asked, progress(made.id)[0]) == ([robin.actor], "done")


def test_values_cannot_be_changed(site: Site, robin: Principal) -> None:
    for value, name in ((Verdict("approve"), "decision"), (bulk.Outcome(uuid4(), None), "status")):
        with pytest.raises(AttributeError):
            setattr(value, name, "other")
    assert (Verdict("approve").reason, Verdict("approve").hold_back) == (None, 0.0)
    assert bulk.AT_ONCE == 500
