"""A receiver that takes its time has one try at a time, though everything comes through: threads are for all."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service.outbound.transport import Reply
from service.sites.models import Site
from service.webhooks import policy

from .conftest import Owner
from .test_delivery import happen, later
from .test_pace import ELSEWHERE, due, released, settled, take_first

LONG = int(policy.SLOW / timedelta(milliseconds=1)) + 1


@pytest.fixture
def waiting(site: Site, owner: Owner) -> None:
    owner.listens(ELSEWHERE)
    for _ in range(10):
        happen(site)
    released()


@pytest.mark.parametrize("error", [None, "The receiver took longer than 15 s."])
def test_one_that_answered_late_is_tried_one_at_a_time(waiting: None, error: str | None) -> None:
    settled(take_first(), Reply(status=200, error=error, milliseconds=LONG))
    assert len(due()) == 1
    take_first()
    assert due() == []


def test_one_that_is_quick_again_is_tried_as_any(waiting: None) -> None:
    settled(take_first(), Reply(status=200, milliseconds=LONG))
    with later(minutes=1):
        settled(take_first(), Reply(status=200, milliseconds=20))
    with later(minutes=2):
        assert len(due()) == policy.MOST_AT_ONCE


def test_one_that_takes_no_longer_than_it_may_is_tried_as_any(waiting: None) -> None:
    settled(take_first(), Reply(status=200, milliseconds=LONG - 1))
    assert len(due()) == policy.MOST_AT_ONCE


def test_a_late_answer_of_a_clock_that_was_ahead_is_not_the_last(waiting: None) -> None:
    with later(days=400):
        settled(take_first(), Reply(status=200, milliseconds=LONG))
    assert len(due()) == policy.MOST_AT_ONCE


def test_another_endpoint_is_not_slow_by_that(site: Site, owner: Owner, waiting: None) -> None:
    settled(take_first(), Reply(status=200, milliseconds=LONG))
    quick = owner.listens(ELSEWHERE)
    for _ in range(10):
        happen(site)
    released()
    assert len(due()) == 1 + policy.MOST_AT_ONCE and quick
