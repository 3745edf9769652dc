"""The worker's loop: no job stops another, be it long or broken."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from service import jobs
from service.jobs import Job


def parts(log: list[str], name: str, number: int) -> Callable[[], bool]:
    """A step with so many parts."""

    def step() -> bool:
        log.append(name)
        return log.count(name) < number

    return step


@pytest.fixture
def log() -> list[str]:
    return []


def register(monkeypatch: pytest.MonkeyPatch, *made: Job) -> None:
    monkeypatch.setattr(jobs, "_jobs", list(made))


def test_a_long_job_lets_others_run_between_its_parts(monkeypatch: pytest.MonkeyPatch, log: list[str]) -> None:
    register(monkeypatch, Job("long", 60, parts(log, "long", 3)), Job("short", 0, parts(log, "short", 1)))
    waits: list[float] = []

    def stopped(wait: float) -> bool:
        waits.append(wait)
        return len(waits) == 4

    jobs.run_until(stopped, tick=7.0)

    assert log == ["long", "short", "long", "short", "long", "short", "short"]
    assert waits == [0.0, 0.0, 7.0, 7.0]


def test_all_are_run_to_their_end(monkeypatch: pytest.MonkeyPatch, log: list[str]) -> None:
    register(monkeypatch, Job("long", 60, parts(log, "long", 3)), Job("short", 60, parts(log, "short", 1)))
    jobs.run_all()
    assert log == ["long", "long", "long", "short"]


def test_a_job_that_fails_stops_no_other_and_waits_for_its_time(
    monkeypatch: pytest.MonkeyPatch, log: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> bool:
        log.append("broken")
        raise RuntimeError("broken on purpose")

    register(monkeypatch, Job("broken", 60, broken), Job("short", 0, parts(log, "short", 1)))
    rounds = iter((False, True))
    with caplog.at_level(logging.ERROR, "service.jobs"):
        jobs.run_until(lambda _wait: next(rounds))
    assert log == ["broken", "short", "short"]
    assert [one.getMessage() for one in caplog.records] == ["job broken failed"]
