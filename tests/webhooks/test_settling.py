"""What came of a try is written down, also where the database is busy or away for a moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.db import db, transaction
from service.errors import Unsure
from service.outbound.transport import Reply
from service.sites.models import Site
from service.webhooks import operations, queries, sending, worker

from .conftest import Owner, send_due
from .receiver import Receiver
from .test_delivery import happen, later
from .test_pace import ELSEWHERE, released, settled, take_first

BUSY = OperationalError("BEGIN IMMEDIATE", None, Exception("database is locked"))


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """For how long a worker waited, without that anybody waits."""
    found: list[float] = []
    monkeypatch.setattr(worker, "time", SimpleNamespace(sleep=found.append))
    return found


def fails(monkeypatch: pytest.MonkeyPatch, *errors: Exception) -> None:
    """The next transactions that settle fail, at their end."""
    left, whole = list(errors), sending.settle

    def settle(*all_: Any) -> Any:
        done = whole(*all_)
        db.session.flush()
        if left:
            raise left.pop(0)
        return done

    monkeypatch.setattr(sending, "settle", settle)


@pytest.mark.parametrize(("status", "state"), [(200, "delivered"), (500, "pending")])
def test_what_could_not_be_stored_at_once_is_stored_a_little_later(
    site: Site, owner: Owner, receiver: Receiver, waited: list[float], monkeypatch: pytest.MonkeyPatch,
    status: int, state: str,
) -> None:  # fmt: skip
    one = owner.listens(receiver.url)
    receiver.answers = [(status, {})]
    happen(site)
    fails(monkeypatch, BUSY, PoolTimeout("no connection is left"), BUSY)
    assert (send_due(), len(receiver.got)) == (1, 1)
    (sent,) = owner.deliveries(one)
    assert (sent["state"], [tried["status"] for tried in sent["attempts"]]) == (state, [status])
    assert len(waited) == 3 and sum(waited) < 10


def test_who_cannot_store_it_gives_up_in_the_end(
    site: Site, owner: Owner, receiver: Receiver, waited: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And somebody sends it again after the lease: nothing is lost."""
    one = owner.listens(receiver.url)
    happen(site)
    fails(monkeypatch, *[BUSY] * 99)
    with pytest.raises(OperationalError):
        send_due()
    (sent,) = owner.deliveries(one)
    assert (sent["state"], sent["attempts"], len(receiver.got)) == ("pending", [], 1)
    assert sum(waited) < 10


def test_a_try_is_written_down_once_though_nobody_heard_of_the_commit(
    site: Site, owner: Owner, receiver: Receiver, waited: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = owner.listens(receiver.url)
    happen(site)
    after = [None, None, Unsure("COMMIT", None, Exception("the server went away"))]  # release, take, settle

    @contextmanager
    def unsure() -> Iterator[None]:
        with transaction():
            yield
        error = after.pop(0) if after else None
        if error:
            raise error

    monkeypatch.setattr(worker, "transaction", unsure)
    send_due()
    (sent,) = owner.deliveries(one)
    assert (sent["state"], [tried["status"] for tried in sent["attempts"]]) == ("delivered", [200])
    assert len(receiver.got) == len(waited) == 1 and after == []


def test_one_that_is_removed_while_it_could_not_be_stored_is_forgotten(
    site: Site, owner: Owner, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = owner.listens(receiver.url)
    happen(site)
    fails(monkeypatch, BUSY)

    def remove(_wait: float) -> None:
        with transaction():
            found = queries.locked_endpoint(UUID(one["id"]))
            assert found
            operations.remove(found, actor="test")

    monkeypatch.setattr(worker, "time", SimpleNamespace(sleep=remove))
    assert send_due() == 1
    assert owner.get(f"/webhooks/endpoints/{one['id']}").status_code == 404


def test_what_fails_last_is_given_up_with_the_rest(site: Site, owner: Owner) -> None:
    """The failure after which nothing is sent any more for five days of them."""
    one = owner.listens(ELSEWHERE)
    for days in (0, 4.4, 5.1):
        with later(days=days):
            happen(site), happen(site)
            released()
            settled(take_first(), Reply(status=500))
    with later(days=5.1):
        assert not owner.endpoint(one)["enabled"]
        assert {sent["state"] for sent in owner.deliveries(one)} == {"failed"}
        owner.does("enable", one)
        again = owner.call("POST", f"/webhooks/deliveries/{owner.deliveries(one)[0]['id']}/redeliver")
        assert again.status_code == 202


@pytest.mark.parametrize(
    ("reply", "state"),
    [
        (Reply(status=500), "failed"),
        (Reply(error="That leads inside.", is_blocked=True), "blocked"),
        (Reply(status=204), "delivered"),
    ],
    ids=["refused", "blocked", "delivered"],
)
def test_what_is_under_way_to_one_that_is_disabled_meanwhile_is_over(
    site: Site, owner: Owner, reply: Reply, state: str
) -> None:
    one = owner.listens(ELSEWHERE)
    happen(site), happen(site)
    released()
    under_way, gone = take_first(), take_first()
    settled(gone, Reply(status=410))
    settled(under_way, reply)
    states = {sent["event"]: sent["state"] for sent in owner.deliveries(one)}
    assert states[str(under_way.delivery.event_id)] == state
    owner.does("enable", one)
    recovered = owner.does("recover", one, query_string={"since": "2020-01-01T00:00:00Z"}).json["events"]
    assert recovered == (2 if state == "delivered" else 3)  # that it was disabled is one
