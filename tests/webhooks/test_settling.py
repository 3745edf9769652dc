"""What came of a try is written down, also where the database is busy or away for a moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.db import db, transaction
from service.errors import Unsure
from service.sites.models import Site
from service.webhooks import operations, queries, sending, worker

from .conftest import Owner, send_due
from .receiver import Receiver
from .test_delivery import happen

BUSY = OperationalError("BEGIN IMMEDIATE", None, Exception("database is locked"))


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """For how long a worker waited, without that anybody waits."""
    found: list[float] = []
    monkeypatch.setattr(worker.time, "sleep", found.append)
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

    monkeypatch.setattr(worker.time, "sleep", remove)
    assert send_due() == 1
    assert owner.get(f"/webhooks/endpoints/{one['id']}").status_code == 404
