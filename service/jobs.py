"""Regular jobs: rooms register them, the worker runs them. Each may run twice, or late, and does no harm."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from service import metrics

log = logging.getLogger(__name__)

Step = Callable[[], bool]
"""One part of a job; True when there is more to do at once."""
_MOST_PARTS = 1_000
_RUNS = metrics.counter("greenroom_jobs", "Runs of regular jobs.", "name", "result")


@dataclass(frozen=True)
class Job:
    """A step and how many seconds lie between its runs."""

    name: str
    every: float
    step: Step


_jobs: list[Job] = []


def regularly(name: str, every: float, step: Step) -> None:
    """Register a job; once under each name."""
    if name not in {job.name for job in _jobs}:
        _jobs.append(Job(name, every, step))
        for result in ("done", "failed"):
            _RUNS.labels(name, result)


def run_all() -> None:
    """Run every job once, to its end; a failing one is logged and stops no other."""
    for job in _jobs:
        _run(job, _MOST_PARTS)


def run_until(stopped: Callable[[float], bool], tick: float = 1.0) -> None:
    """Run each job when its time has come, until `stopped`, which waits up to so many seconds, says so.

    One that has more to do comes back at once, after those whose time has come meanwhile: a long one stops no other.
    """
    due = {job.name: 0.0 for job in _jobs}
    while True:
        wait = tick
        for job in _jobs:
            if due[job.name] > time.monotonic():
                continue
            if _run(job, 1):
                wait = 0.0
            else:
                due[job.name] = time.monotonic() + job.every
        if stopped(wait):
            return


def _run(job: Job, parts: int) -> bool:
    """Up to so many parts of a job; whether there is more to do at once."""
    try:
        goes_on = all(job.step() for _ in range(parts))
        _RUNS.labels(job.name, "done").inc()
        return goes_on
    except Exception as error:  # the worker must outlive any job
        _RUNS.labels(job.name, "failed").inc()
        log.error("job %s failed", job.name, exc_info=error)
        return False
